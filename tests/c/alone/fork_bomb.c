/* Every process forks as often as it may, until none may any more. */
#include "../report.h"

int main(void)
{
	int status, reaped = 0, refused = 0;

	for (int round = 0; round < 1; round++) {
		pid_t bomb = fork();
		if (bomb == 0) {
			/* Each child goes on with this loop as well. */
			for (int i = 0; i < 11; i++)
				if (fork() < 0 && errno != EAGAIN)
					_exit(2);
			_exit(0);
		}
		reaped = refused = 0;
		while (wait(&status) > 0) {
			reaped++;
			refused += status != 0;
		}
		HOLDS(errno == ECHILD);
		HOLDS(reaped > 100);
		printf("round %d: %d went wrong\n", round, refused);
	}
	return 0;
}
