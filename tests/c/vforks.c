/* vfork: the parent goes on when the child has exited, become another program, or been killed. */
#include "report.h"
#include <signal.h>
#include <time.h>

static volatile int value, depth;
static volatile int zero;

static void wait_for(const char *what, pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		exit(1);
	show_status(what, status);
}

/* A vfork within a function that returns: the parent finds its own return address. */
static pid_t __attribute__((noinline)) deep(int levels)
{
	volatile char frame[512];

	frame[0] = levels;
	if (levels > 0) {
		pid_t child = deep(levels - 1);
		if (frame[0] != (char)levels)
			printf("a frame of the parent has changed\n");
		return child;
	}
	pid_t child = vfork();
	if (child == 0) {
		depth++;
		_exit(4);
	}
	return child;
}

int main(void)
{
	pid_t child;

	child = vfork();
	if (child == 0) {
		value = 1;
		_exit(3);
	}
	printf("value %d\n", value);
	wait_for("exited", child);

	child = vfork();
	if (child == 0) {
		execl("/bin/echo", "echo", "another program", (char *)NULL);
		_exit(127);
	}
	wait_for("another program", child);

	child = vfork();
	if (child == 0) {
		value = 2;
		kill(getpid(), SIGKILL);
		for (;;)
			;
	}
	printf("value %d\n", value);
	wait_for("killed", child);

	child = vfork();
	if (child == 0) {
		value = 3;
		*(volatile char *)(long)zero = 1;
		_exit(0);
	}
	printf("value %d\n", value);
	wait_for("faulted", child);

	child = vfork();
	if (child == 0) {
		execl("/no/such/program", "none", (char *)NULL);
		value = errno == ENOENT ? 4 : -1;
		_exit(5);
	}
	printf("value %d\n", value);
	wait_for("failed exec", child);

	child = deep(20);
	printf("depth %d\n", depth);
	wait_for("deep", child);

	/* Somebody else kills the child while its parent is held. */
	static const struct timespec moment = {0, 20000000};
	int ends[2];
	if (pipe(ends) != 0)
		return 1;
	pid_t killer = fork();
	if (killer == 0) {
		pid_t victim;
		if (read(ends[0], &victim, sizeof victim) != sizeof victim)
			_exit(1);
		nanosleep(&moment, NULL);
		_exit(kill(victim, SIGKILL) != 0);
	}
	child = vfork();
	if (child == 0) {
		pid_t self = getpid();
		(void)!write(ends[1], &self, sizeof self);
		for (;;)
			pause();
	}
	wait_for("killed from outside", child);
	wait_for("the killer", killer);

	/* A fork in a vfork child, and a vfork in a fork child. */
	child = vfork();
	if (child == 0) {
		int status;
		pid_t grandchild = fork();
		if (grandchild == 0) {
			value = 99;
			_exit(6);
		}
		waitpid(grandchild, &status, 0);
		_exit(WEXITSTATUS(status) + 1);
	}
	printf("value %d\n", value);
	wait_for("fork in vfork", child);
	for (int i = 0; i < 20; i++) {
		child = vfork();
		if (child == 0) {
			value = i;
			_exit(0);
		}
		if (value != i || waitpid(child, NULL, 0) != child)
			printf("vfork %d failed\n", i);
	}
	return 0;
}
