/* exec returns only to fail, and then in the old program: here in a child that goes on to exit. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status;
	pid_t child = fork();

	if (child < 0) {
		perror("exec_missing");
		return 1;
	}
	if (child == 0) {
		execl("/bin/no_such_program", "no_such_program", (char *)NULL);
		puts("exec failed!");
		exit(1);
	}
	if (waitpid(child, &status, 0) != child)
		return 1;
	printf("the child exited with status %d\n", WEXITSTATUS(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 1 ? 0 : 1;
}
