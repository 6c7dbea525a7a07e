/* How often a process leaves the CPU, because it waits or because it must: getrusage(2), proc(5). */
#include "report.h"
#include <sched.h>
#include <sys/resource.h>

static long status_line(const char *label)
{
	char line[128];
	long value = -1;
	FILE *status = fopen("/proc/self/status", "r");

	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, label, strlen(label)) == 0)
			value = atol(line + strlen(label));
	if (status)
		fclose(status);
	return value;
}

static long switches(const struct rusage *usage)
{
	return usage->ru_nvcsw + usage->ru_nivcsw;
}

int main(void)
{
	enum { ROUNDS = 50 };
	int there[2], back[2], status;
	struct rusage before, after;
	char byte = 1;
	cpu_set_t one;

	/* On one processor they take turns: one waits, or is pushed aside by the other, whom it woke. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	SHOW(sched_setaffinity(0, sizeof one, &one));
	if (pipe(there) != 0 || pipe(back) != 0)
		return 1;
	pid_t child = fork();
	if (child == 0) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1)
			write(back[1], &byte, 1);
		getrusage(RUSAGE_SELF, &after);
		_exit(switches(&after) >= ROUNDS ? 0 : 1);
	}
	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < ROUNDS; i++) {
		write(there[1], &byte, 1);
		read(back[0], &byte, 1);
	}
	getrusage(RUSAGE_SELF, &after);
	HOLDS(switches(&after) - switches(&before) >= ROUNDS);
	HOLDS(status_line("voluntary_ctxt_switches:") >= after.ru_nvcsw);
	HOLDS(status_line("nonvoluntary_ctxt_switches:") >= after.ru_nivcsw);
	close(there[1]);
	waitpid(child, &status, 0);
	show_status("the child, who leaves it as often", status);
	getrusage(RUSAGE_CHILDREN, &after);
	HOLDS(switches(&after) >= ROUNDS);

	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < 5; i++)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	getrusage(RUSAGE_SELF, &after);
	HOLDS(after.ru_nvcsw - before.ru_nvcsw == 5);
	return 0;
}
