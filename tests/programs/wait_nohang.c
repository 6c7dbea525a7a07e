/* waitpid with WNOHANG asks and does not wait: 0 while the child runs, then its pid. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	static const struct timespec moment = {0, 1000000};
	int ends[2];
	int status;
	char byte;
	pid_t child, ended;

	if (pipe(ends) != 0 || (child = fork()) < 0) {
		perror("wait_nohang");
		return 1;
	}
	if (child == 0) {
		/* Runs until the parent says so. */
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	printf("the child is process %ld\n", (long)child);
	ended = waitpid(child, &status, WNOHANG);
	if (ended != 0)
		return 1;
	printf("while it runs waitpid returns %ld\n", (long)ended);
	close(ends[1]);
	while ((ended = waitpid(child, &status, WNOHANG)) == 0)
		nanosleep(&moment, NULL);
	printf("after its end waitpid returns %ld\n", (long)ended);
	return ended == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
