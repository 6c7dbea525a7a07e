/* exec replaces the program: the line after a successful exec is never reached. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	execl("/bin/echo", "echo", "this is echo", (char *)NULL);
	puts("only a failed exec comes here");
	perror("exec_echo");
	return 1;
}
