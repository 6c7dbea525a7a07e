/* What was used: CPU time that grows while one computes and does not while one sleeps, faults, memory, children's. */
#include "report.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <time.h>

enum { PAGES = 3000, PAGE = 4096 };

static long long now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long micro(struct timeval time)
{
	return time.tv_sec * 1000000LL + time.tv_usec;
}

static void compute(long long nanoseconds)
{
	long long end = now(CLOCK_PROCESS_CPUTIME_ID) + nanoseconds;

	while (now(CLOCK_PROCESS_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 20000; i++)
			;
}

static void touch(void)
{
	char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (int i = 0; i < PAGES; i++)
		memory[i * PAGE] = 1;
}

int main(void)
{
	struct rusage before, after, child, children;
	struct timespec moment = {0, 60000000};
	struct tms times_before, times_after;
	int status;

	getrusage(RUSAGE_CHILDREN, &children);
	HOLDS(micro(children.ru_utime) == 0 && children.ru_minflt == 0 && children.ru_maxrss == 0);
	SHOW(getrusage(RUSAGE_SELF, &before));
	clock_t ticks = times(&times_before);
	long long start = now(CLOCK_PROCESS_CPUTIME_ID);
	compute(60000000);
	SHOW(getrusage(RUSAGE_SELF, &after));
	long long used = micro(after.ru_utime) + micro(after.ru_stime) - micro(before.ru_utime) - micro(before.ru_stime);
	HOLDS(used >= 55000);
	HOLDS(micro(after.ru_utime) > micro(before.ru_utime));
	HOLDS(times(&times_after) - ticks >= 5);
	HOLDS(times_after.tms_utime + times_after.tms_stime - times_before.tms_utime - times_before.tms_stime >= 4);
	HOLDS(times_after.tms_cutime + times_after.tms_cstime == 0);
	HOLDS(now(CLOCK_PROCESS_CPUTIME_ID) - start >= 60000000);
	HOLDS(now(CLOCK_THREAD_CPUTIME_ID) >= 60000000);

	/* Asleep, next to nothing; and it has given the CPU away. */
	getrusage(RUSAGE_SELF, &before);
	start = now(CLOCK_PROCESS_CPUTIME_ID);
	nanosleep(&moment, NULL);
	HOLDS(now(CLOCK_PROCESS_CPUTIME_ID) - start < 50000000);
	getrusage(RUSAGE_SELF, &after);
	HOLDS(after.ru_nvcsw > before.ru_nvcsw);

	/* The kernel's part. */
	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < 2000000; i++) {
		(void)!syscall(SYS_getppid);
		getrusage(RUSAGE_SELF, &after);
		if (micro(after.ru_stime) > micro(before.ru_stime))
			break;
	}
	HOLDS(micro(after.ru_stime) > micro(before.ru_stime));
	HOLDS(micro(after.ru_utime) >= micro(before.ru_utime));

	/* Memory: faults, and the most there was at a time. */
	getrusage(RUSAGE_SELF, &before);
	touch();
	getrusage(RUSAGE_SELF, &after);
	HOLDS(after.ru_minflt - before.ru_minflt >= PAGES - 20);
	HOLDS(after.ru_maxrss >= PAGES * 7 / 2);
	HOLDS(after.ru_maxrss >= before.ru_maxrss);

	/* A child's: with wait4, and summed up once it has been waited for. */
	pid_t pid = fork();
	if (pid == 0) {
		getrusage(RUSAGE_SELF, &child);
		HOLDS(child.ru_minflt < 1000);
		HOLDS(micro(child.ru_utime) < micro(after.ru_utime));
		compute(50000000);
		touch();
		touch();
		_exit(0);
	}
	siginfo_t info;
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	getrusage(RUSAGE_CHILDREN, &children);
	HOLDS(micro(children.ru_utime) + micro(children.ru_stime) == 0);
	HOLDS(wait4(pid, &status, 0, &child) == pid);
	HOLDS(micro(child.ru_utime) + micro(child.ru_stime) >= 45000);
	HOLDS(child.ru_minflt >= 2 * PAGES - 40);
	HOLDS(child.ru_maxrss >= 2 * PAGES * 4);
	getrusage(RUSAGE_CHILDREN, &children);
	HOLDS(micro(children.ru_utime) == micro(child.ru_utime) && children.ru_minflt == child.ru_minflt);
	times(&times_after);
	HOLDS(times_after.tms_cutime + times_after.tms_cstime >= 4);
	pid = fork();
	if (pid == 0) {
		pid = fork();
		if (pid == 0) {
			compute(30000000);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		_exit(0);
	}
	HOLDS(wait4(pid, &status, 0, &child) == pid);
	HOLDS(micro(child.ru_utime) + micro(child.ru_stime) >= 25000);
	getrusage(RUSAGE_CHILDREN, &after);
	HOLDS(micro(after.ru_utime) + micro(after.ru_stime) >= micro(children.ru_utime) + micro(children.ru_stime) + 25000);

	/* Two that compute take the CPU from each other, where there is one. */
	SHOW(getrusage(RUSAGE_THREAD, &after));
	HOLDS(micro(after.ru_utime) > 0);
	SHOW(getrusage(2, &after));
	SHOW(getrusage(-2, &after));
	SHOW(syscall(SYS_getrusage, 2, 8));
	SHOW(syscall(SYS_getrusage, RUSAGE_SELF, 8));
	SHOW(syscall(SYS_times, 8));
	SHOW(syscall(SYS_wait4, -1, NULL, 0, 8));

	/* A limit on CPU time, which Linux looks at in ticks: a warning, and the end. */
	signal(SIGXCPU, SIG_DFL);
	pid = fork();
	if (pid == 0) {
		struct rlimit limit = {1, 20};
		setrlimit(RLIMIT_CPU, &limit);
		for (;;)
			;
	}
	wait4(pid, &status, 0, &child);
	show_status("at its limit", status & ~0x80);
	HOLDS(micro(child.ru_utime) + micro(child.ru_stime) >= 500000);
	return 0;
}
