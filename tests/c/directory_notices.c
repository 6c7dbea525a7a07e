/* Directories that tell what becomes of their entries (F_NOTIFY in fcntl(2)). */
#include "scratch.h"
#include <dirent.h>
#include <sys/stat.h>

static volatile sig_atomic_t count, code, descriptor;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	count++;
	code = info->si_code;
	descriptor = info->si_code > 0 && info->si_code != 0x80 ? info->si_fd : 0;
}

static void told(const char *what, int fd)
{
	printf("%s: %s", what, count ? "told" : "nothing");
	if (count)
		printf(", code %d, %s", code, descriptor == fd ? "its descriptor" : descriptor ? "ANOTHER" : "none");
	puts("");
	count = code = descriptor = 0;
}

static int create(const char *path)
{
	int file = open(path, O_RDWR | O_CREAT, 0644);

	close(file);
	return file >= 0 ? 0 : -1;
}

/* What each kind of event is, and is not. */
static void each(const char *name, int event, int fd)
{
	char byte = 'x';

	printf("== %s\n", name);
	SHOW(fcntl(fd, F_NOTIFY, event | (int)DN_MULTISHOT));
	SHOW(create("d/file"));
	told("create", fd);
	int file = open("d/file", O_RDWR);
	told("open", fd);
	HOLDS(write(file, &byte, 1) == 1);
	told("write", fd);
	HOLDS(pread(file, &byte, 1, 0) == 1);
	told("read", fd);
	SHOW(ftruncate(file, 0));
	told("truncate", fd);
	SHOW(fchmod(file, 0600));
	told("chmod", fd);
	close(file);
	told("close", fd);
	SHOW(rename("d/file", "d/other"));
	told("rename within", fd);
	SHOW(rename("d/other", "other"));
	told("rename out", fd);
	SHOW(rename("other", "d/other"));
	told("rename in", fd);
	SHOW(mkdir("d/sub", 0755));
	told("mkdir", fd);
	SHOW(create("d/sub/deeper"));
	told("deeper", fd);
	SHOW(unlink("d/sub/deeper"));
	SHOW(rmdir("d/sub"));
	told("rmdir", fd);
	SHOW(unlink("d/other"));
	told("unlink", fd);
	DIR *listing = opendir("d");
	while (readdir(listing))
		;
	closedir(listing);
	told("listed", fd);
	SHOW(chmod("d", 0700));
	told("chmod of itself", fd);
	SHOW(fcntl(fd, F_NOTIFY, 0));
	SHOW(create("d/file"));
	SHOW(unlink("d/file"));
	told("no longer", fd);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	enter_scratch();
	sigaction(SIGIO, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	SHOW(mkdir("d", 0755));
	int fd = open("d", O_RDONLY), file = open("file", O_RDWR | O_CREAT, 0644);

	SHOW(fcntl(file, F_NOTIFY, DN_CREATE));
	SHOW(fcntl(file, F_NOTIFY, 0));
	SHOW(fcntl(99, F_NOTIFY, DN_CREATE));

	/* Once, by default, and by SIGIO. */
	SHOW(fcntl(fd, F_NOTIFY, DN_CREATE));
	HOLDS(fcntl(fd, F_GETOWN) == getpid());
	SHOW(create("d/one"));
	told("by default", fd);
	SHOW(create("d/two"));
	told("only once", fd);
	SHOW(unlink("d/one"));
	SHOW(unlink("d/two"));

	SHOW(fcntl(fd, F_SETSIG, SIGUSR1));
	each("create", DN_CREATE, fd);
	each("delete", DN_DELETE, fd);
	each("modify", DN_MODIFY, fd);
	each("access", DN_ACCESS, fd);
	each("rename", DN_RENAME, fd);
	each("attributes", DN_ATTRIB, fd);

	/* One after the other adds up; closed, there is nothing more. */
	SHOW(fcntl(fd, F_NOTIFY, DN_CREATE | (int)DN_MULTISHOT));
	SHOW(fcntl(fd, F_NOTIFY, DN_DELETE | (int)DN_MULTISHOT));
	SHOW(create("d/one"));
	told("create of both", fd);
	SHOW(unlink("d/one"));
	told("delete of both", fd);
	close(fd);
	SHOW(create("d/one"));
	told("closed", fd);
	SHOW(unlink("d/one"));
	close(file);
	SHOW(unlink("file"));
	SHOW(rmdir("d"));
	return leave_scratch();
}
