/* exit writes what is buffered, _exit does not: the buffer is the program's, not the kernel's. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int wait_for(pid_t child)
{
	int status;

	return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

int main(void)
{
	pid_t child;

	puts("a child prints, without a newline, and calls exit:");
	fflush(stdout);
	child = fork();
	if (child == 0) {
		printf("this was in the buffer at exit");
		exit(0);
	}
	if (wait_for(child) != 0)
		return 1;
	puts("");
	puts("another does the same and calls _exit:");
	fflush(stdout);
	child = fork();
	if (child == 0) {
		printf("this was in the buffer at _exit");
		_exit(0);
	}
	if (wait_for(child) != 0)
		return 1;
	puts("(nothing came)");
	return 0;
}
