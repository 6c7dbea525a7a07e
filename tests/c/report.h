/* What the programs here share: one line for each thing looked at, the same on every right kernel. */
#ifndef REPORT_H
#define REPORT_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A line goes out when it is complete: a fork then copies no half of one. And whoever starts this may ignore or block
 * signals (nohup, a CI runner), which a program inherits: here all are as for a first process. */
__attribute__((constructor)) static void start_afresh(void)
{
	sigset_t none;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int number = 1; number < 32; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The call and what it returned, errno too where it failed. */
#define SHOW(call)                                                       \
	do {                                                             \
		errno = 0;                                               \
		long result_ = (long)(call);                             \
		if (result_ == -1)                                       \
			printf("%s = -1, errno %d\n", #call, errno);     \
		else                                                     \
			printf("%s = %ld\n", #call, result_);            \
	} while (0)

/* The same for a call whose result is a number that is free: a pid, a descriptor's address. */
#define SHOW_WHETHER(call)                                               \
	do {                                                             \
		errno = 0;                                               \
		long result_ = (long)(call);                             \
		if (result_ == -1)                                       \
			printf("%s = -1, errno %d\n", #call, errno);     \
		else                                                     \
			printf("%s succeeds\n", #call);                  \
	} while (0)

/* Whether something is so. */
#define HOLDS(fact) printf("%s: %s\n", #fact, (fact) ? "yes" : "NO")

/* A wait status; the core bit is the host's affair. */
__attribute__((unused)) static void show_status(const char *what, int status)
{
	if (WIFEXITED(status))
		printf("%s: exited with %d\n", what, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		printf("%s: ended by signal %d\n", what, WTERMSIG(status));
	else
		printf("%s: status %#x\n", what, (unsigned)status);
}

/* Runs a function in a child and shows how that ended. */
__attribute__((unused)) static void in_child(const char *what, void (*act)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		act();
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		printf("%s: errno %d\n", what, errno);
		exit(1);
	}
	show_status(what, status);
}

/* Waits until a `stat` of proc(5) tells of a state: no length of time is long enough on a busy host. */
__attribute__((unused)) static void until_told(const char *path, char state)
{
	char text[128];
	const struct timespec moment = {0, 2000000};

	for (;;) {
		int file = open(path, O_RDONLY);
		ssize_t length = read(file, text, sizeof text - 1);

		close(file);
		if (length <= 0)
			return;
		text[length] = 0;
		const char *name = strrchr(text, ')');
		if (name && name[1] && name[2] == state)
			return;
		nanosleep(&moment, NULL);
	}
}

/* Waits until a process is in a state. */
__attribute__((unused)) static void until_in_state(pid_t pid, char state)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	until_told(path, state);
}

/* Waits until another thread of this process waits for something. */
__attribute__((unused)) static void until_thread_asleep(pid_t tid)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	until_told(path, 'S');
}

/* Waits until a process, of one thread, waits for something itself. */
__attribute__((unused)) static void until_asleep(pid_t pid)
{
	until_in_state(pid, 'S');
}

#endif
