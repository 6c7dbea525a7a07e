/* How long fork takes, by the size of the process. Under --icount a nanosecond is an instruction. */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(void)
{
	now(); /* the first look at the clock sets it going */
	for (size_t megabytes = 1; megabytes <= 256; megabytes *= 4) {
		size_t size = megabytes << 20;
		char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(memory, 1, size);
		long before = now();
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		long fork_took = now() - before;
		waitpid(child, NULL, 0);
		printf("%4zu MiB: fork took %ld\n", megabytes, fork_took);
		munmap(memory, size);
	}
	return 0;
}
