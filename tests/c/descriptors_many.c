/* More than 1024 descriptors: opened, shared by fork, closed by exec, found by poll and select. */
#include "report.h"
#include <dirent.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { MOST = 4096, KEPT = 3000, CLOSED = 3001 };

static int count_of_proc(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	/* Without those of the directory itself. */
	return count - 3;
}

static void set_limit(rlim_t soft)
{
	struct rlimit limit = {soft, MOST};

	SHOW(setrlimit(RLIMIT_NOFILE, &limit));
}

/* Bit by bit: the library's own set has 1024. */
static void select_far(int far, int ready)
{
	static unsigned long reads[MOST / 64], writes[MOST / 64];
	struct {
		long seconds, microseconds;
	} at_once = {0, 0};

	reads[far / 64] = 1ul << far % 64;
	reads[ready / 64] |= 1ul << ready % 64;
	SHOW(syscall(SYS_select, MOST, reads, writes, NULL, &at_once));
	HOLDS((reads[far / 64] >> far % 64 & 1) == 0);
	HOLDS((reads[ready / 64] >> ready % 64 & 1) == 1);
	/* One that is closed. */
	reads[2750 / 64] |= 1ul << 2750 % 64;
	SHOW(syscall(SYS_select, MOST, reads, NULL, NULL, &at_once));
}

int main(int count, char **arguments)
{
	int ends[2], status, opened = 0;

	if (count > 1) {
		SHOW(fcntl(KEPT, F_GETFD));
		SHOW(fcntl(CLOSED, F_GETFD));
		SHOW(fcntl(MOST - 1, F_GETFD));
		return 0;
	}
	for (int fd = 3; fd < MOST; fd++)
		close(fd);
	set_limit(1024);
	SHOW(dup2(0, 1024));
	SHOW(fcntl(0, F_DUPFD, 1024));
	set_limit(MOST);
	while (pipe(ends) == 0)
		opened += 2;
	printf("opened %d, errno %d, the last is %d\n", opened, errno, opened + 2);
	SHOW(dup(0));
	SHOW(dup2(1, MOST));
	SHOW(dup2(1, MOST - 1));
	SHOW(fcntl(0, F_DUPFD, 2000));
	close(2000);
	SHOW(fcntl(0, F_DUPFD, 1500));

	pid_t child = fork();
	if (child == 0) {
		int closed = 0;

		for (int fd = 3; fd < MOST; fd++)
			closed += close(fd) == 0;
		printf("the child closed %d\n", closed);
		_exit(0);
	}
	waitpid(child, &status, 0);
	show_status("closing child", status);

	/* Pipes are 3 and 4, 5 and 6, ... */
	HOLDS(write(2502, "x", 1) == 1);
	struct pollfd entries[2] = {{2501, POLLIN, 0}, {2601, POLLIN, 0}};
	SHOW(poll(entries, 2, 0));
	HOLDS(entries[0].revents == POLLIN && entries[1].revents == 0);
	for (int fd = 2700; fd < 2800; fd++)
		close(fd);
	select_far(2601, 2501);
	SHOW(fcntl(KEPT, F_SETFD, 0));
	SHOW(fcntl(CLOSED, F_SETFD, FD_CLOEXEC));
	printf("in /proc: %d\n", count_of_proc());

	/* Lowered, the limit closes nothing. */
	set_limit(100);
	HOLDS(write(2502, "y", 1) == 1);
	SHOW(close(50));
	SHOW(dup(0));
	SHOW(dup(0));
	child = fork();
	if (child == 0) {
		execl(arguments[0], arguments[0], "again", NULL);
		_exit(1);
	}
	waitpid(child, &status, 0);
	show_status("exec", status);
	return 0;
}
