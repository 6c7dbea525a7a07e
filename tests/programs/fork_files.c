/* After fork both have their own descriptors of the same open file, with one offset between them. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Shows the next two bytes of the file. */
static int show(int fd)
{
	char two[2];
	ssize_t length = read(fd, two, sizeof two);

	if (length < 0)
		return -1;
	printf("%.*s\n", (int)length, two);
	return 0;
}

int main(void)
{
	static const char path[] = "/tmp/foobar";
	int status;
	int fd;
	pid_t child;

	/* It may be there already; what matters is whether the file can be made. */
	(void)mkdir("/tmp", 0755);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, "foobar", 6) != 6 || close(fd) != 0)
		goto failed;
	fd = open(path, O_RDONLY);
	if (fd < 0)
		goto failed;
	puts("the parent reads:");
	if (show(fd) != 0)
		goto failed;
	fflush(stdout);
	child = fork();
	if (child < 0)
		goto failed;
	if (child == 0) {
		if (write(STDOUT_FILENO, "TestFs\n", 7) != 7)
			return 1;
		puts("the child reads on:");
		return show(fd) == 0 && close(fd) == 0 ? 0 : 1;
	}
	if (waitpid(child, &status, 0) != child)
		goto failed;
	puts("the child has closed its descriptor; the parent's still reads:");
	if (show(fd) != 0 || close(fd) != 0 || unlink(path) != 0)
		goto failed;
	return status == 0 ? 0 : 1;

failed:
	perror("fork_files");
	return 1;
}
