/* After vfork the child runs on the memory of the parent, which stands still until it has ended.
 *
 * POSIX leaves what a vfork child stores undefined, and took vfork out in 2008; every system that this is for
 * gives it the meaning of 4.2BSD, which is what is looked at here. The variables are static and volatile, so
 * that no compiler keeps them in registers across the call. */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int value = 1;
static volatile int steps;
static const char *volatile order[2] = {"nobody", "nobody"};

int main(void)
{
	/* Long enough for the parent to run, if it could. */
	static const struct timespec moment = {0, 20000000};
	int status;
	pid_t child;

	printf("before vfork the value is %d\n", value);
	child = vfork();
	if (child < 0) {
		perror("vfork_shares");
		return 1;
	}
	if (child == 0) {
		nanosleep(&moment, NULL);
		value = 42;
		order[steps++] = "the child";
		_exit(0);
	}
	order[steps++] = "the parent";
	if (waitpid(child, &status, 0) != child)
		return 1;
	printf("the child stored %d in the parent's variable\n", value);
	printf("ran first: %s, then: %s\n", order[0], order[1]);
	return status == 0 && value == 42 && steps == 2 ? 0 : 1;
}
