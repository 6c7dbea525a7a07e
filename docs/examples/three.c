/* What a write after a fork copies: the counters of /proc/cowbell before and after it. */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static long counter(const char *name)
{
	static char text[8192];
	FILE *file = fopen("/proc/cowbell", "r");
	size_t length = fread(text, 1, sizeof text - 1, file);

	fclose(file);
	text[length] = 0;
	char *line = strstr(text, name);
	return line ? atol(line + strlen(name)) : -1;
}

int main(void)
{
	char *memory = mmap(NULL, 256 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(memory, 'A', 256 * 4096);
	if (fork() == 0) {
		long pages = counter("pages_copied "), tables = counter("tables_copied ");
		memory[0] = memory[100 * 4096] = memory[200 * 4096] = 'B';
		printf("child: pages copied %ld, tables %ld\n", counter("pages_copied ") - pages,
		       counter("tables_copied ") - tables);
		return 0;
	}
	wait(NULL);
	printf("parent still reads %c%c%c\n", memory[0], memory[100 * 4096], memory[200 * 4096]);
	return 0;
}
