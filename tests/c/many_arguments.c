/* Thousands of arguments and a long environment pass through exec unchanged. The program is its own next one. */
#include "report.h"

enum { COUNT = 1000 };

extern char **environ;

static unsigned long sum(char **strings, long *count)
{
	unsigned long sum = 0;

	for (*count = 0; strings[*count]; ++*count)
		for (const char *c = strings[*count]; *c; c++)
			sum = sum * 31 + (unsigned char)*c;
	return sum;
}

int main(int argc, char **argv)
{
	static char *arguments[COUNT + 2], *environment[COUNT + 1];
	long count;

	if (argc > 100) {
		printf("argc %d, sum %lx\n", argc, sum(argv + 1, &count));
		printf("environment sum %lx", sum(environ, &count));
		printf(" of %ld\n", count);
		return 3;
	}
	arguments[0] = argv[0];
	for (int i = 0; i < COUNT; i++) {
		if (asprintf(&arguments[i + 1], "argument %d %.*s", i, i % 40, "abcdefghijklmnopqrstuvwxyzabcdefghijklmn") < 0)
			return 1;
		if (asprintf(&environment[i], "NAME%d=%d", i, i * i) < 0)
			return 1;
	}
	printf("sum %lx", sum(arguments + 1, &count));
	printf(" and %lx\n", sum(environment, &count));
	execve(argv[0], arguments, environment);
	perror("execve");
	return 1;
}
