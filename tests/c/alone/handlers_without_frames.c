/* Many children at once run a handler that is there for one signal, in a machine without a frame left: each has
   dispositions of its own from then on. Most get theirs, others end. */
#include "../report.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

enum { CHILDREN = 60, MUCH = 64 << 20 };

static volatile struct {
	int ready, handled;
} *children;

static void on_signal(int signal)
{
	(void)signal;
	__sync_fetch_and_add(&children->handled, 1);
}

/* What it will touch it touches now: then there are frames for that. */
static void touch(void)
{
	volatile char stack[32 << 10];

	for (size_t at = 0; at < sizeof stack; at += 512)
		stack[at] = 1;
	errno = EINTR;
	__sync_fetch_and_add(&children->ready, 1);
}

int main(void)
{
	pid_t child[CHILDREN];
	struct sigaction once = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	sigset_t one, none;

	children = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGUSR1, &once, NULL);
	sigemptyset(&none);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	sigprocmask(SIG_BLOCK, &one, NULL);
	for (int i = 0; i < CHILDREN; i++)
		if ((child[i] = fork()) == 0) {
			touch();
			sigsuspend(&none);
			for (;;)
				pause();
		}
	HOLDS(child[CHILDREN - 1] > 0);
	while (children->ready < CHILDREN)
		usleep(1000);

	int zeros = open("/dev/zero", O_RDONLY), full = 0;
	char *memory = mmap(NULL, MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	for (long at = 0; at < MUCH && !full; at += 4096)
		full = read(zeros, memory + at, 1) != 1;
	HOLDS(full);
	for (int i = 0; i < CHILDREN; i++)
		kill(child[i], SIGUSR1);
	for (int ended = 0; children->handled + ended < CHILDREN;)
		if (waitpid(-1, NULL, WNOHANG) > 0)
			ended++;
		else
			usleep(1000);
	munmap(memory, MUCH);
	HOLDS(children->handled > CHILDREN / 2);
	for (int i = 0; i < CHILDREN; i++)
		kill(child[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	HOLDS(errno == ECHILD);
	return 0;
}
