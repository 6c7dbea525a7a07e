/* An exec that fails says why, and leaves the process as it was. */
#include "report.h"
#include <fcntl.h>
#include <sys/stat.h>

static char directory[64];

static const char *file(const char *name, mode_t mode, const void *bytes, size_t size)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || fchmod(fd, mode) != 0 || close(fd) != 0)
		printf("cannot make %s: errno %d\n", name, errno);
	return path;
}

static void attempt(const char *what, const char *path)
{
	static char *argv[] = {"attempt", NULL}, *environment[] = {NULL};

	errno = 0;
	execve(path, argv, environment);
	printf("%s: errno %d\n", what, errno);
}

#define FILE_OF(name, mode, text)                                        \
	do {                                                             \
		const char *path_ = file(name, mode, text, sizeof(text) - 1); \
		attempt(name, path_);                                    \
		unlink(path_);                                           \
	} while (0)

int main(int argc, char **argv)
{
	int marker = 12345;

	if (argc > 1)
		return 40 + argc;
	snprintf(directory, sizeof directory, "/tmp/exec_failures.%ld", (long)getpid());
	if (mkdir(directory, 0755) != 0)
		return 1;
	attempt("missing", "/no/such/program");
	attempt("empty path", "");
	attempt("directory", "/bin");
	attempt("below a file", "/bin/echo/x");
	attempt("bad pointer", (char *)8);
	attempt("kernel pointer", (char *)0xffffffff80200000);
	FILE_OF("not executable", 0644, "\177ELF");
	FILE_OF("empty", 0755, "");
	FILE_OF("text", 0755, "just text\n");
	FILE_OF("magic alone", 0755, "\177ELF");
	FILE_OF("32-bit", 0755, "\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3\0\1\0\0\0\0\0\0\0\64\0\0\0\0\0\0\0\0\0\0\0\64\0\40\0\1\0\0\0\0\0\0\0");
	FILE_OF("interpreter missing", 0755, "#!/no/such/interpreter\n");
	FILE_OF("interpreter a directory", 0755, "#!/bin\n");
	FILE_OF("no interpreter", 0755, "#!\n");
	FILE_OF("blanks for an interpreter", 0755, "#!   \t \n");
	char long_name[300];
	memset(long_name, 'x', sizeof long_name);
	long_name[0] = '/';
	long_name[sizeof long_name - 1] = 0;
	attempt("name too long", long_name);

	/* Every length of a path about the limit. */
	static char path[4200];
	for (int length = 4070; length < 4100; length++) {
		memset(path, '/', length);
		memcpy(path + length - 5, "/none", 6);
		attempt("path near the limit", path);
		path[1] = 'y';
		memset(path + 2, 'x', length - 2);
		attempt("component near the limit", path);
	}

	/* Arguments: bad pointers, a string that is too long, none at all is allowed. */
	char *bad[] = {"a", (char *)8, NULL};
	SHOW(execve("/bin/echo", bad, NULL));
	SHOW(execve("/bin/echo", (char **)8, NULL));
	static char huge[200000];
	memset(huge, 'y', sizeof huge - 1);
	char *long_argument[] = {"a", huge, NULL};
	SHOW(execve("/bin/echo", long_argument, NULL));

	printf("the process is what it was: %d\n", marker);
	int status;
	pid_t child = fork();
	if (child == 0) {
		execl(argv[0], argv[0], "one", "two", (char *)NULL);
		_exit(1);
	}
	waitpid(child, &status, 0);
	show_status("an exec that succeeds", status);
	SHOW(rmdir(directory));
	return 0;
}
