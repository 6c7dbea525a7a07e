/* Processes that wait for one another, or for themselves, in the way that is named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	int there[2], back[2];
	char byte;

	puts("before");
	fflush(stdout);
	if (pipe(there) != 0 || pipe(back) != 0)
		return 1;
	if (strcmp(how, "own-pipe") == 0)
		/* The writing end is its own: no end of file will come either. */
		(void)!read(there[0], &byte, 1);
	if (strcmp(how, "full-pipe") == 0)
		for (;;)
			(void)!write(there[1], how, 9);
	if (strcmp(how, "each-other") == 0) {
		pid_t child = fork();
		if (child == 0)
			(void)!read(there[0], &byte, 1);
		wait(NULL);
	}
	if (strcmp(how, "pause") == 0)
		pause();
	puts("after");
	return 0;
}
