/* Hundreds of processes, one after the other and all at once, each with an exec. */
#include "report.h"

int main(void)
{
	int status, wrong = 0;

	for (int i = 0; i < 60; i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(i & 0x7f);
		wrong += waitpid(child, &status, 0) != child || WEXITSTATUS(status) != (i & 0x7f);
	}
	printf("one after the other: %d wrong\n", wrong);
	for (int i = 0; i < 30; i++) {
		pid_t child = fork();
		if (child == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(127);
		}
		wrong += waitpid(child, &status, 0) != child || status != 0;
	}
	printf("with exec: %d wrong\n", wrong);
	int count = 0;
	for (int i = 0; i < 60; i++) {
		pid_t child = fork();
		if (child == 0) {
			execl("/bin/false", "false", (char *)NULL);
			_exit(127);
		}
		count += child > 0;
	}
	int ended = 0;
	while (wait(&status) > 0)
		ended += WIFEXITED(status) && WEXITSTATUS(status) == 1;
	printf("all at once: %d started, %d ended as they should\n", count, ended);
	return 0;
}
