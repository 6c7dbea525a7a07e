/* Orphans go to the nearest ancestor that takes them: process 1, or one that asked for them. */
#include "report.h"
#include <sys/prctl.h>

int main(void)
{
	int go[2], told[2], status;
	pid_t self = getpid(), parent = 0;

	/* On a kernel of many users somebody else is process 1. */
	if (self != 1)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe(go) != 0 || pipe(told) != 0)
		return 1;
	pid_t middle = fork();
	if (middle == 0) {
		if (fork() == 0) {
			char byte;
			close(go[1]);
			(void)!read(go[0], &byte, 1);
			parent = getppid();
			(void)!write(told[1], &parent, sizeof parent);
			_exit(6);
		}
		_exit(0);
	}
	HOLDS(waitpid(middle, &status, 0) == middle);
	close(go[1]);
	HOLDS(read(told[0], &parent, sizeof parent) == sizeof parent);
	HOLDS(parent == self);
	HOLDS(wait(&status) > 0);
	show_status("the orphan", status);
	SHOW(wait(NULL));

	/* Many at once, zombies among them: all come, and all can be waited for. */
	middle = fork();
	if (middle == 0) {
		for (int i = 0; i < 30; i++)
			if (fork() == 0)
				_exit(i);
		_exit(0);
	}
	int count = 0, sum = 0;
	while (wait(&status) > 0) {
		count++;
		sum += WEXITSTATUS(status);
	}
	printf("waited for %d, sum %d\n", count, sum);
	return 0;
}
