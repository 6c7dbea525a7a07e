/* exec keeps descriptors, but for those that are to be closed on exec. The program is its own next one. */
#include "report.h"
#include <fcntl.h>

static void look(void)
{
	char text[8] = "";

	SHOW(fcntl(10, F_GETFD));
	SHOW(fcntl(11, F_GETFD));
	SHOW(fcntl(12, F_GETFD));
	SHOW(read(10, text, 2));
	printf("%s\n", text);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "next") == 0) {
		look();
		return 5;
	}
	int ends[2], status;

	SHOW(pipe(ends));
	SHOW(dup2(ends[0], 10));
	SHOW(dup3(ends[1], 11, O_CLOEXEC));
	SHOW(dup2(ends[1], 12));
	SHOW(fcntl(12, F_SETFD, FD_CLOEXEC));
	SHOW(write(ends[1], "abcd", 4));

	/* An exec that fails closes nothing. */
	char *nothing[] = {"nothing", NULL};
	SHOW(execv("/no/such/program", nothing));
	SHOW(fcntl(11, F_GETFD));

	pid_t child = fork();
	if (child == 0) {
		execl(argv[0], argv[0], "next", (char *)NULL);
		_exit(126);
	}
	waitpid(child, &status, 0);
	show_status("the next program", status);
	/* The parent has all of them, and what the other left. */
	look();
	return 0;
}
