/* Children that together touch more than there is: some are killed, process 1 goes on, and all memory comes back. */
#include "../report.h"
#include <sys/mman.h>

enum { CHILDREN = 12, SIZE = 2 << 20 };

int main(void)
{
	int status, killed = 0, whole = 0, other = 0;

	for (int round = 0; round < 2; round++) {
		killed = whole = other = 0;
		for (int i = 0; i < CHILDREN; i++)
			if (fork() == 0) {
				char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
				for (int turn = 0; turn < 3; turn++)
					for (int at = 0; at < SIZE; at += 4096)
						memory[at] = turn;
				_exit(0);
			}
		while (wait(&status) > 0) {
			killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
			whole += status == 0;
			other += !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) && status != 0;
		}
		HOLDS(killed + whole == CHILDREN);
		HOLDS(whole > 0);
		HOLDS(other == 0);
	}
	/* Nobody else is there: what one asks for one gets. */
	char *memory = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(memory, 1, 8 << 20);
	HOLDS(memory[(8 << 20) - 1] == 1);
	return 0;
}
