/* Limits: what is read back, what is refused and in which order, and who has them after fork and exec. */
#include "report.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static const int all[] = {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC,
			  RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE,
			  RLIMIT_NICE, RLIMIT_RTPRIO};

static void show(const char *who, int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		printf("%s, %d: errno %d\n", who, resource, errno);
	else
		printf("%s, %d: %lld %lld\n", who, resource, (long long)limit.rlim_cur, (long long)limit.rlim_max);
}

static void set(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit limit = {soft, hard};

	errno = 0;
	int result = setrlimit(resource, &limit);
	printf("setrlimit(%d, %lld, %lld) = %d, errno %d\n", resource, (long long)soft, (long long)hard, result, errno);
}

int main(int count, char **arguments)
{
	struct rlimit limit, before;

	if (count > 1) {
		show("after exec", RLIMIT_CORE);
		show("after exec", RLIMIT_NOFILE);
		SHOW(dup(1) >= 0);
		return 0;
	}
	/* What is set is read back. */
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		if (getrlimit(all[i], &before) != 0)
			printf("%d: errno %d\n", all[i], errno);
		HOLDS(before.rlim_cur <= before.rlim_max);
		limit = before;
		rlim_t wanted = before.rlim_cur > 1LL << 40 ? 1LL << 40 : before.rlim_cur > 64 ? before.rlim_cur - 1 : before.rlim_cur;
		limit.rlim_cur = wanted;
		SHOW(prlimit(0, all[i], &limit, NULL));
		SHOW(prlimit(0, all[i], NULL, &limit));
		HOLDS(limit.rlim_cur == wanted);
		HOLDS(limit.rlim_max == before.rlim_max);
		SHOW(setrlimit(all[i], &before));
	}
	show("the stack", RLIMIT_STACK);

	/* Errors, and which of two comes first. */
	SHOW(syscall(SYS_getrlimit, 16, &limit));
	SHOW(syscall(SYS_getrlimit, -1, &limit));
	SHOW(syscall(SYS_getrlimit, 16, 8));
	SHOW(syscall(SYS_getrlimit, RLIMIT_CORE, 8));
	SHOW(syscall(SYS_setrlimit, 16, 8));
	SHOW(syscall(SYS_setrlimit, 16, &limit));
	SHOW(syscall(SYS_prlimit64, 0, 16, NULL, NULL));
	SHOW(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, NULL));
	SHOW(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, 8));
	SHOW(syscall(SYS_prlimit64, 0, 16, 8, NULL));
	SHOW(syscall(SYS_prlimit64, 4000000, 16, NULL, NULL));
	SHOW(syscall(SYS_prlimit64, 4000000, 16, 8, NULL));
	SHOW(syscall(SYS_prlimit64, -1, RLIMIT_CORE, NULL, NULL));
	SHOW(syscall(SYS_prlimit64, getppid() * 0 + getpid(), RLIMIT_CORE, NULL, &limit));
	set(RLIMIT_CORE, 2, 1);
	set(RLIMIT_NOFILE, 1, 1LL << 40);
	set(RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY);
	/* 0 is a second, which may be over on a busy host. */
	signal(SIGXCPU, SIG_IGN);
	set(RLIMIT_CPU, 0, RLIM_INFINITY);
	set(RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY);
	signal(SIGXCPU, SIG_DFL);

	/* A limit on descriptors holds at once, not for those that are open. */
	getrlimit(RLIMIT_NOFILE, &before);
	SHOW_WHETHER(dup2(1, 30));
	set(RLIMIT_NOFILE, 20, 100);
	SHOW(dup2(1, 20));
	SHOW_WHETHER(dup2(1, 19));
	SHOW(fcntl(1, F_DUPFD, 20));
	SHOW(fcntl(1, F_DUPFD, 19));
	SHOW(write(30, "still open\n", 11));
	SHOW(close(19));
	int opened = 0;
	while (dup(1) >= 0)
		opened++;
	HOLDS(errno == EMFILE);
	HOLDS(opened > 10 && opened < 20);
	for (int fd = 3; fd < 40; fd++)
		close(fd);

	/* A child has its parent's, and changes its own alone; another process's can be changed. */
	set(RLIMIT_CORE, 77, 1000);
	int ends[2], status;
	char byte;
	if (pipe(ends) != 0)
		return 1;
	pid_t child = fork();
	if (child == 0) {
		show("child", RLIMIT_CORE);
		show("child", RLIMIT_NOFILE);
		set(RLIMIT_CORE, 5, 1000);
		(void)!write(ends[1], "r", 1);
		pause();
		_exit(0);
	}
	(void)!read(ends[0], &byte, 1);
	SHOW(prlimit(child, RLIMIT_CORE, NULL, &limit));
	printf("the child's: %lld\n", (long long)limit.rlim_cur);
	show("parent", RLIMIT_CORE);
	limit.rlim_cur = 6;
	SHOW(prlimit(child, RLIMIT_CORE, &limit, &before));
	printf("it was %lld\n", (long long)before.rlim_cur);
	SHOW(prlimit(child, RLIMIT_CORE, NULL, &limit));
	printf("it is %lld\n", (long long)limit.rlim_cur);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	SHOW(prlimit(child, RLIMIT_CORE, NULL, &limit));

	/* exec keeps them. */
	(void)arguments;
	child = fork();
	if (child == 0) {
		execl("/proc/self/exe", "limits", "again", NULL);
		_exit(1);
	}
	waitpid(child, &status, 0);
	show_status("after exec", status);
	return 0;
}
