/* The first program anyone runs. */
#include <stdio.h>

int main(void)
{
	printf("hello, %s: %d, %.3f, %s\n", "world", 42, 2.5, "done");
	return 7;
}
