/* Ends with the status, or by the signal, that it is told: "exit N", "kill N", "fault". */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "exit") == 0)
		exit(atoi(argv[2]));
	if (argc == 3 && strcmp(argv[1], "kill") == 0)
		kill(getpid(), atoi(argv[2]));
	if (argc == 2 && strcmp(argv[1], "fault") == 0)
		*(volatile char *)8 = 1;
	if (argc == 2 && strcmp(argv[1], "abort") == 0)
		abort();
	return 99;
}
