/* The time of day is set while others wait for one: they wait by the new time; who waits for a span waits for that. */
#include "../report.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

static struct timespec in_seconds(clockid_t clock, long seconds)
{
	struct timespec time;

	clock_gettime(clock, &time);
	time.tv_sec += seconds;
	return time;
}

/* What `wait` returns in a child, the clock moved by `by` meanwhile; and whether it came before the far end of it. */
static void moved(const char *what, int (*wait)(void), long by)
{
	struct timespec before = in_seconds(CLOCK_MONOTONIC, 0), after;
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(wait());
	usleep(100000);
	struct timespec time = in_seconds(CLOCK_REALTIME, by);
	SHOW(clock_settime(CLOCK_REALTIME, &time));
	waitpid(child, &status, 0);
	after = in_seconds(CLOCK_MONOTONIC, 0);
	show_status(what, status);
	HOLDS(after.tv_sec - before.tv_sec < 60);
}

static int sleep_until(void)
{
	struct timespec time = in_seconds(CLOCK_REALTIME, 1000);

	return clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL);
}

static int sleep_for(void)
{
	struct timespec span = { .tv_nsec = 300000000 };

	return clock_nanosleep(CLOCK_REALTIME, 0, &span, NULL);
}

static int wait_until(void)
{
	struct timespec time = in_seconds(CLOCK_REALTIME, 1000);
	int word = 0;

	long result = syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &time, NULL, FUTEX_BITSET_MATCH_ANY);

	return result == -1 ? errno : 0;
}

int main(void)
{
	moved("sleeps until", sleep_until, 2000);
	moved("waits until", wait_until, 2000);
	moved("sleeps for", sleep_for, -2000);
	return 0;
}
