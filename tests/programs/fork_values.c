/* Two worlds after fork: both sides change the same variables, neither sees the other do it. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char p = 'e';
	int number = 12;
	int status;
	pid_t child = fork();

	if (child < 0) {
		perror("fork_values");
		return 1;
	}
	if (child == 0) {
		p -= 2;
		number -= 1;
		printf("p = %c , number = %d\n", p, number);
		return 0;
	}
	p += 2;
	number += 2;
	printf("p = %c , number = %d\n", p, number);
	return waitpid(child, &status, 0) == child && status == 0 ? 0 : 1;
}
