/* fork, exec in the child, wait in the parent: how every shell runs a command. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status;
	pid_t child = fork();

	if (child < 0) {
		perror("fork_exec");
		return 1;
	}
	if (child == 0) {
		execl("/bin/echo", "echo", "THIS IS ECHO", (char *)NULL);
		perror("fork_exec");
		_exit(127);
	}
	puts("parent waiting");
	fflush(stdout);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 1;
	printf("the child exited with status %d\n", WEXITSTATUS(status));
	return WEXITSTATUS(status);
}
