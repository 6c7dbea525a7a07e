/* Sleeping and interval timers: what they return, what is left, what interrupts them. */
#include "report.h"
#include <poll.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static volatile int rung, last;

static void ring(int number)
{
	rung++;
	last = number;
}

static void handle(int number, int flags)
{
	struct sigaction action = {.sa_handler = ring, .sa_flags = flags};

	sigaction(number, &action, NULL);
}

static long long now(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time) != 0)
		return -1;
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void set(int which, long seconds, long microseconds, long period)
{
	struct itimerval timer = {{period / 1000000, period % 1000000}, {seconds, microseconds}};

	errno = 0;
	int result = setitimer(which, &timer, NULL);
	printf("setitimer(%d, %ld.%06ld, %ld) = %d, errno %d\n", which, seconds, microseconds, period, result, errno);
}

static void sleeping(void)
{
	static const struct timespec moment = {0, 20000000}, hour = {3600, 0}, bad[] = {{0, -1}, {0, 1000000000}, {-1, 0}};
	struct timespec left = {7, 7}, when;
	long long start = now(CLOCK_MONOTONIC);

	SHOW(nanosleep(&moment, &left));
	HOLDS(now(CLOCK_MONOTONIC) - start >= 20000000);
	HOLDS(left.tv_sec == 7);
	for (int i = 0; i < 3; i++) {
		SHOW(nanosleep(&bad[i], NULL));
		SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad[i], NULL));
	}
	SHOW(syscall(SYS_nanosleep, 8, NULL));
	SHOW(syscall(SYS_clock_nanosleep, 77, 0, &moment, NULL));
	SHOW(syscall(SYS_clock_nanosleep, 77, 0, 8, NULL));
	SHOW(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, 8, NULL));

	/* Interrupted: by a timer that comes again, for it may have come before the sleep has begun. What is left is told. */
	handle(SIGALRM, SA_RESTART);
	set(ITIMER_REAL, 0, 100000, 100000);
	start = now(CLOCK_MONOTONIC);
	SHOW(nanosleep(&hour, &left));
	long long slept = now(CLOCK_MONOTONIC) - start;
	long long told = hour.tv_sec * 1000000000LL - (left.tv_sec * 1000000000LL + left.tv_nsec);
	HOLDS(told > 0 && told <= slept);
	set(ITIMER_REAL, 0, 100000, 100000);
	left.tv_sec = 7;
	SHOW(syscall(SYS_nanosleep, &hour, 8));
	set(ITIMER_REAL, 0, 100000, 100000);
	SHOW(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &hour, &left));
	HOLDS(left.tv_sec == 3599);
	/* Until a time: nothing is told. */
	for (int clock = CLOCK_REALTIME; clock <= CLOCK_MONOTONIC; clock++) {
		left.tv_sec = 7;
		clock_gettime(clock, &when);
		when.tv_sec += 1000;
		set(ITIMER_REAL, 0, 100000, 100000);
		SHOW(syscall(SYS_clock_nanosleep, clock, TIMER_ABSTIME, &when, &left));
		HOLDS(left.tv_sec == 7);
		when.tv_sec -= 1000;
		SHOW(syscall(SYS_clock_nanosleep, clock, TIMER_ABSTIME, &when, &left));
	}
	set(ITIMER_REAL, 0, 0, 0);
	printf("rung by %d\n", last);
}

static void alarms(void)
{
	struct itimerval timer;

	rung = 0;
	SHOW(alarm(0));
	SHOW(alarm(100));
	SHOW(alarm(50));
	SHOW(getitimer(ITIMER_REAL, &timer));
	printf("left about %ld, period %ld\n", (long)(timer.it_value.tv_sec + 1), (long)timer.it_interval.tv_sec);
	/* A child has none; exec keeps what there is, which is for the one who execs. */
	if (fork() == 0) {
		SHOW(alarm(0));
		_exit(0);
	}
	wait(NULL);
	SHOW(alarm(0));
	SHOW(alarm(0));
	set(ITIMER_REAL, 0, 50000, 50000);
	while (rung < 3)
		pause();
	SHOW(getitimer(ITIMER_REAL, &timer));
	HOLDS(timer.it_value.tv_sec == 0 && timer.it_value.tv_usec > 0 && timer.it_value.tv_usec <= 50000);
	HOLDS(timer.it_interval.tv_sec == 0 && timer.it_interval.tv_usec == 50000);
	SHOW(setitimer(ITIMER_REAL, NULL, &timer));
	HOLDS(timer.it_interval.tv_usec == 50000);
	SHOW(getitimer(ITIMER_REAL, &timer));
	HOLDS(timer.it_value.tv_usec == 0 && timer.it_interval.tv_usec == 0);
	set(ITIMER_REAL, 0, 0, 5000);
	SHOW(getitimer(ITIMER_REAL, &timer));
	printf("off: %ld %ld\n", (long)timer.it_value.tv_usec, (long)timer.it_interval.tv_usec);
	set(ITIMER_REAL, 0, 1000000, 0);
	set(ITIMER_REAL, -1, 0, 0);
	set(ITIMER_REAL, 0, 0, -1);
	set(3, 0, 1, 0);
	set(-1, 0, 1, 0);
	SHOW(syscall(SYS_getitimer, 3, &timer));
	SHOW(syscall(SYS_getitimer, 3, 8));
	SHOW(syscall(SYS_getitimer, 0, 8));
	SHOW(syscall(SYS_setitimer, 3, 8, 8));
	SHOW(syscall(SYS_setitimer, 0, 8, 8));
}

/* Times of which there is no end. */
static void endless(void)
{
	static const struct timespec moment = {0, 1000000}, never = {INT64_MAX, 999999999};
	static const long century = 100L * 365 * 24 * 3600;
	struct itimerval timer = {{INT64_MAX, 999999}, {0, 1000}};
	sigset_t none;

	handle(SIGALRM, 0);
	rung = 0;
	SHOW(setitimer(ITIMER_REAL, &timer, NULL));
	while (!rung)
		nanosleep(&moment, NULL);
	SHOW(getitimer(ITIMER_REAL, &timer));
	HOLDS(timer.it_value.tv_sec > century && timer.it_interval.tv_sec > century);
	timer.it_value = timer.it_interval;
	SHOW(setitimer(ITIMER_REAL, &timer, NULL));
	SHOW(getitimer(ITIMER_REAL, &timer));
	HOLDS(timer.it_value.tv_sec > century);
	set(ITIMER_REAL, 0, 50000, 50000);
	rung = 0;
	SHOW(nanosleep(&never, NULL));
	SHOW(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &never, NULL));
	SHOW(ppoll(NULL, 0, &never, NULL));
	sigemptyset(&none);
	SHOW(syscall(SYS_rt_sigtimedwait, &none, NULL, &never, 8));
	HOLDS(rung >= 4);
	set(ITIMER_REAL, 0, 0, 0);
}

/* Timers of CPU time come to who computes. */
static void computing(void)
{
	static const int signals[] = {SIGVTALRM, SIGPROF};

	for (int i = 0; i < 2; i++) {
		handle(signals[i], SA_RESTART);
		rung = 0;
		set(ITIMER_VIRTUAL + i, 0, 50000, 50000);
		while (rung < 3)
			;
		printf("rung by %d\n", last);
		set(ITIMER_VIRTUAL + i, 0, 0, 0);
	}
	struct timespec moment = {0, 30000000};
	rung = 0;
	set(ITIMER_PROF, 1, 0, 0);
	SHOW(nanosleep(&moment, NULL));
	HOLDS(rung == 0);
}

static void killed_by_alarm(void)
{
	alarm(1);
	for (;;)
		pause();
}

static void killed_by_virtual(void)
{
	set(ITIMER_VIRTUAL, 0, 200000, 0);
	for (;;)
		;
}

int main(void)
{
	struct timespec time;

	sleeping();
	alarms();
	endless();
	computing();
	signal(SIGALRM, SIG_DFL);
	signal(SIGVTALRM, SIG_DFL);
	in_child("by an alarm", killed_by_alarm);
	in_child("by its own time", killed_by_virtual);
	SHOW(syscall(SYS_clock_gettime, 77, &time));
	SHOW(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8));
	SHOW(syscall(SYS_clock_getres, 77, NULL));
	SHOW(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
	SHOW(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &time));
	SHOW(syscall(SYS_clock_settime, 77, &time));
	clockid_t clock;
	SHOW(clock_getcpuclockid(getpid(), &clock));
	HOLDS(now(clock) > 0);
	HOLDS(now(CLOCK_PROCESS_CPUTIME_ID) > 0);
	HOLDS(now(CLOCK_THREAD_CPUTIME_ID) > 0);
	SHOW(syscall(SYS_restart_syscall));
	return 0;
}
