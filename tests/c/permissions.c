/* Whom a process that is not root's may signal, favour and limit (kill(2), setpriority(2), prlimit(2)). */
#include "report.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { ONE = 1001, OTHER = 1002, THIRD = 1003 };

/* A child of these ids that waits for a signal, in a group of its own; SIGCONT does nothing to it. */
static pid_t sleeper(uid_t real, uid_t effective, uid_t saved)
{
	int ends[2];
	char byte;

	if (pipe(ends) != 0)
		exit(1);
	pid_t child = fork();
	if (child == 0) {
		setpgid(0, 0);
		if (setresgid(real, real, real) != 0 || setresuid(real, effective, saved) != 0)
			_exit(99);
		close(ends[0]);
		close(ends[1]);
		for (;;)
			pause();
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 0)
		exit(1);
	close(ends[0]);
	return child;
}

static void end(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}

static pid_t roots, ones, others, savers;

/* As one user. */
static void by_one(void)
{
	siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_QUEUE};

	HOLDS(setresgid(ONE, ONE, ONE) == 0 && setresuid(ONE, ONE, ONE) == 0);
	SHOW(kill(roots, 0));
	SHOW(kill(roots, SIGTERM));
	SHOW(kill(roots, SIGCONT));
	SHOW(kill(roots, 65));
	SHOW(kill(others, SIGTERM));
	SHOW(kill(ones, 0));
	SHOW(kill(savers, 0));
	SHOW(kill(-roots, SIGTERM));
	SHOW(kill(-ones, 0));
	SHOW(kill(-others, 0));
	SHOW(kill(1 << 22, 0));
	SHOW(kill(getppid(), 0));
	SHOW(kill(0, 0));
	SHOW(syscall(SYS_tkill, others, SIGTERM));
	SHOW(syscall(SYS_tkill, ones, 0));
	SHOW(syscall(SYS_tgkill, others, others, 0));
	SHOW(syscall(SYS_rt_sigqueueinfo, others, SIGTERM, &info));
	SHOW(syscall(SYS_rt_sigqueueinfo, ones, 0, &info));

	/* In another session SIGCONT is as any other. */
	pid_t child = fork();
	if (child == 0) {
		SHOW(setsid() > 0 ? kill(roots, SIGCONT) : -2);
		_exit(0);
	}
	waitpid(child, NULL, 0);

	struct rlimit limit = {10, 20}, higher = {10, 30};
	SHOW(getpriority(PRIO_PROCESS, others));
	SHOW(setpriority(PRIO_PROCESS, others, 5));
	SHOW(setpriority(PRIO_PROCESS, ones, 5));
	SHOW(setpriority(PRIO_PROCESS, ones, 3));
	SHOW(setpriority(PRIO_PROCESS, 0, -1));
	SHOW(setpriority(PRIO_USER, OTHER, 5));
	SHOW(setpriority(PRIO_PGRP, others, 5));
	SHOW(setpriority(PRIO_PROCESS, 1 << 22, 5));

	struct sched_param first = {.sched_priority = 1}, none = {.sched_priority = 0};
	SHOW(sched_setscheduler(0, SCHED_RR, &first));
	SHOW(sched_setscheduler(others, SCHED_OTHER, &none));
	SHOW(sched_setscheduler(others, SCHED_OTHER, &first));
	SHOW(sched_setscheduler(ones, SCHED_BATCH, &none));
	SHOW(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none));
	SHOW(sched_setscheduler(0, SCHED_OTHER, &none));

	SHOW(prlimit(others, RLIMIT_NOFILE, NULL, &higher));
	SHOW(prlimit(others, RLIMIT_NOFILE, &limit, NULL));
	higher.rlim_cur = 10, higher.rlim_max = 30;
	SHOW(setrlimit(RLIMIT_NOFILE, &limit));
	SHOW(setrlimit(RLIMIT_NOFILE, &higher));
	SHOW(prlimit(ones, RLIMIT_CORE, &limit, NULL));
	SHOW(prlimit(ones, RLIMIT_CORE, &higher, NULL));
	SHOW(kill(ones, SIGTERM));
}

/* Real and effective user count for who sends, real and saved for who gets. */
static void by_two(void)
{
	pid_t real = sleeper(OTHER, ONE, ONE), effective = sleeper(ONE, OTHER, ONE), saved = sleeper(ONE, ONE, OTHER);

	HOLDS(setresuid(OTHER, THIRD, 0) == 0);
	SHOW(kill(real, 0));
	SHOW(kill(effective, 0));
	SHOW(kill(saved, 0));
	HOLDS(setresuid(THIRD, OTHER, -1) == 0);
	SHOW(kill(real, 0));
	SHOW(kill(effective, 0));
	SHOW(kill(saved, 0));
	SHOW(setpriority(PRIO_PROCESS, real, 1));
	SHOW(setpriority(PRIO_PROCESS, effective, 1));
	SHOW(setpriority(PRIO_PROCESS, saved, 1));
	HOLDS(setresuid(0, 0, 0) == 0);
	SHOW(kill(effective, 0));
	end(real), end(effective), end(saved);
}

int main(void)
{
	int status;

	roots = sleeper(0, 0, 0);
	ones = sleeper(ONE, ONE, ONE);
	others = sleeper(OTHER, OTHER, OTHER);
	savers = sleeper(OTHER, OTHER, ONE);
	in_child("by one", by_one);
	waitpid(ones, &status, 0);
	show_status("the one's own", status);
	in_child("by two", by_two);
	end(roots), end(others), end(savers);
	return 0;
}
