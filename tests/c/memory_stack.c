/* The stack grows until its limit, and a fault at its end can be handled on another one; mappings keep their distance. */
#include "report.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static siginfo_t info;
static char *deepest;

static void caught(int signal, siginfo_t *what, void *context)
{
	(void)signal, (void)context;
	info = *what;
	siglongjmp(back, 1);
}

static long deep(long bytes)
{
	volatile char frame[1024];

	frame[0] = 1;
	deepest = (char *)frame;
	if (bytes <= 0)
		return 0;
	return deep(bytes - 1100) + frame[0];
}

static void overflow(const char *name, long least, long most)
{
	char here;

	if (sigsetjmp(back, 1) == 0)
		deep(1L << 40);
	else {
		long depth = &here - (char *)info.si_addr;
		printf("%s: signal %d, code %d, depth fits: %s\n", name, info.si_signo, info.si_code,
		       depth > least && depth < most ? "yes" : "no");
	}
}

int main(void)
{
	static char other[64 * 1024];
	stack_t stack = { .ss_sp = other, .ss_size = sizeof other };
	struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct rlimit limit = { 8 << 20, RLIM_INFINITY };
	char here, *far, *at;

	setrlimit(RLIMIT_STACK, &limit);
	SHOW(sigaltstack(&stack, NULL));
	SHOW(sigaction(SIGSEGV, &action, NULL));
	SHOW(sigaction(SIGBUS, &action, NULL));
	printf("7 MiB: %s\n", deep(7L << 20) > 6000 ? "yes" : "no");
	/* Far below, with nothing between: fine, as long as it is within the limit. */
	far = &here - (7L << 20) - (1 << 19);
	*(volatile char *)far = 1;
	printf("far: %d\n", *far);
	overflow("whole", 7L << 20, (8L << 20) + PAGE);
	if (fork() == 0) {
		overflow("child", 7L << 20, (8L << 20) + PAGE);
		_exit(0);
	}
	wait(NULL);
	if (fork() == 0) {
		signal(SIGSEGV, SIG_DFL);
		deep(1L << 40);
		_exit(0);
	}
	int status;
	wait(&status);
	printf("without a handler: signal %d\n", WTERMSIG(status));

	limit.rlim_cur = 16 << 20;
	SHOW(setrlimit(RLIMIT_STACK, &limit));
	printf("12 MiB: %s\n", deep(12L << 20) > 10000 ? "yes" : "no");
	overflow("larger", 15L << 20, (16L << 20) + PAGE);

	/* A system call's buffer may be where the stack has not been yet. */
	if (fork() == 0) {
		int ends[2];
		char *buffer = &here - (15L << 20);

		SHOW(pipe(ends));
		SHOW(write(ends[1], "hello", 6));
		SHOW(read(ends[0], buffer, 6));
		puts(buffer);
		_exit(0);
	}
	wait(NULL);
	/* Nothing is given out below the stack: what is mapped without a place is elsewhere. */
	at = mmap(NULL, 64 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("far away: %s\n", at + (64 << 20) < &here || at > &here ? "yes" : "no");
	munmap(at, 64 * PAGE);

	/* An area that grows downwards. */
	at = mmap(NULL, 2048 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(at, 2048 * PAGE);
	far = mmap(at + 2000 * PAGE, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	far[0] = 1;
	far[-3 * PAGE] = 2;
	far[-20 * PAGE + 5] = 3;
	printf("grown: %d %d %d %d\n", far[0], far[-PAGE], far[-3 * PAGE], far[-20 * PAGE + 5]);
	if (sigsetjmp(back, 1) == 0)
		far[4 * PAGE] = 1;
	else
		printf("not upwards: code %d\n", info.si_code);
	return 0;
}
