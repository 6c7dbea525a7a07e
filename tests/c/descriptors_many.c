/* More than 1024 descriptors: opened, shared by fork, closed by exec, found by poll and select. */
#include "report.h"
#include <dirent.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { MOST = 2112, READ = 1600, WRITE, EMPTY, KEPT = 2000, CLOSED };

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

static void close_all(unsigned first, unsigned last)
{
	SHOW(syscall(SYS_close_range, first, last, 0));
}

/* Bit by bit: the library's own set has 1024. */
static void select_far(void)
{
	static unsigned long reads[MOST / 64];
	struct {
		long seconds, microseconds;
	} at_once = {0, 0};

	reads[EMPTY / 64] = 1ul << EMPTY % 64;
	reads[READ / 64] |= 1ul << READ % 64;
	SHOW(syscall(SYS_select, MOST, reads, NULL, NULL, &at_once));
	HOLDS((reads[EMPTY / 64] >> EMPTY % 64 & 1) == 0);
	HOLDS((reads[READ / 64] >> READ % 64 & 1) == 1);
	/* One that is closed. */
	reads[1750 / 64] |= 1ul << 1750 % 64;
	SHOW(syscall(SYS_select, MOST, reads, NULL, NULL, &at_once));
}

int main(int count, char **arguments)
{
	int ends[2], empty[2], status, opened = 0;

	if (count > 1) {
		SHOW(fcntl(KEPT, F_GETFD));
		SHOW(fcntl(CLOSED, F_GETFD));
		SHOW(fcntl(MOST - 1, F_GETFD));
		return 0;
	}
	close_all(3, ~0u);
	set_limit(1024);
	SHOW(dup2(0, 1024));
	SHOW(fcntl(0, F_DUPFD, 1024));
	set_limit(MOST);
	if (pipe(ends) != 0 || pipe(empty) != 0)
		return 1;
	while (dup(0) >= 0)
		opened++;
	printf("opened %d, errno %d\n", opened, errno);
	SHOW(dup2(1, MOST));
	SHOW(dup2(1, MOST - 1));
	SHOW(fcntl(0, F_DUPFD, 2000));
	close(2005);
	SHOW(fcntl(0, F_DUPFD, 1500));

	pid_t child = fork();
	if (child == 0) {
		close_all(3, 2050);
		SHOW(dup(0));
		printf("left in the child: %d\n", count_of_proc());
		_exit(0);
	}
	waitpid(child, &status, 0);
	show_status("closing child", status);

	SHOW(dup2(ends[0], READ));
	SHOW(dup2(ends[1], WRITE));
	SHOW(dup2(empty[0], EMPTY));
	HOLDS(write(WRITE, "x", 1) == 1);
	struct pollfd entries[2] = {{READ, POLLIN, 0}, {EMPTY, POLLIN, 0}};
	SHOW(poll(entries, 2, 0));
	HOLDS(entries[0].revents == POLLIN && entries[1].revents == 0);
	close_all(1700, 1800);
	select_far();
	SHOW(fcntl(KEPT, F_SETFD, 0));
	SHOW(fcntl(CLOSED, F_SETFD, FD_CLOEXEC));
	close_all(60, 1500);

	/* Lowered, the limit closes nothing. */
	set_limit(60);
	HOLDS(write(WRITE, "y", 1) == 1);
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
