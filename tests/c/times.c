/* Clocks go on, sleeps last at least as long as asked, and bad times are refused. */
#include "report.h"
#include <sys/time.h>
#include <time.h>

static long long nanoseconds(clockid_t clock)
{
	struct timespec now;

	return clock_gettime(clock, &now) == 0 ? now.tv_sec * 1000000000LL + now.tv_nsec : -1;
}

int main(void)
{
	struct timespec time_of = {0, 3000000}, left;
	struct timeval day;
	long long start, end, backwards = 0;

	start = nanoseconds(CLOCK_MONOTONIC);
	HOLDS(start >= 0);
	for (int i = 0; i < 1000; i++) {
		end = nanoseconds(CLOCK_MONOTONIC);
		backwards += end < start;
		start = end;
	}
	printf("went backwards: %lld\n", backwards);
	SHOW(nanosleep(&time_of, NULL));
	end = nanoseconds(CLOCK_MONOTONIC);
	HOLDS(end - start >= 3000000);
	time_of.tv_nsec = 0;
	SHOW(nanosleep(&time_of, &left));
	time_of.tv_nsec = 1000000000;
	SHOW(nanosleep(&time_of, NULL));
	time_of.tv_nsec = -1;
	SHOW(nanosleep(&time_of, NULL));
	SHOW(nanosleep((struct timespec *)8, NULL));
	SHOW(clock_gettime(77, &left));
	time_of.tv_sec = 0;
	time_of.tv_nsec = 2000000;
	SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &time_of, NULL));

	/* 2024-01-01 to 2100-01-01. */
	time_t now = time(NULL);
	HOLDS(now > 1704067200 && now < 4102444800);
	SHOW(gettimeofday(&day, NULL));
	HOLDS(day.tv_sec >= now && day.tv_sec - now < 100);
	HOLDS(nanoseconds(CLOCK_REALTIME) / 1000000000 >= now);

	/* Two sleepers do not wait for one another. */
	int ends[2];
	char order[3] = "";
	if (pipe(ends) != 0)
		return 1;
	for (int i = 0; i < 2; i++)
		if (fork() == 0) {
			struct timespec nap = {0, i ? 10000000 : 500000000};
			nanosleep(&nap, NULL);
			_exit(write(ends[1], i ? "s" : "l", 1) != 1);
		}
	while (wait(NULL) > 0)
		;
	SHOW(read(ends[0], order, 2));
	printf("short before long: %s\n", order);
	return 0;
}
