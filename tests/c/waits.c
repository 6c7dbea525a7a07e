/* wait4 and waitid: who, how, and what they say. */
#include "report.h"
#include <sys/resource.h>
#include <sys/syscall.h>

static pid_t exits_with(int status)
{
	pid_t child = fork();

	if (child == 0)
		_exit(status);
	return child;
}

static void show_info(const char *what, pid_t child, const siginfo_t *info)
{
	int code = info->si_code == CLD_DUMPED ? CLD_KILLED : info->si_code;

	printf("%s: signal %d, code %d, status %d, %s\n", what, info->si_signo, code, info->si_status,
	       info->si_pid == child ? "its pid" : info->si_pid == 0 ? "no pid" : "ANOTHER pid");
}

/* Whose turn it is among several: the eldest that has something to say, however late it did. */
static void show_order(void)
{
	siginfo_t info;
	pid_t children[3];

	for (int i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			pause();
			_exit(0);
		}
	}
	kill(children[2], SIGKILL);
	until_in_state(children[2], 'Z');
	kill(children[1], SIGSTOP);
	until_in_state(children[1], 'T');
	HOLDS(waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOWAIT) == 0 && info.si_pid == children[1]);
	HOLDS(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == children[2]);
	kill(children[0], SIGKILL);
	until_in_state(children[0], 'Z');
	HOLDS(waitid(P_ALL, 0, &info, WEXITED | WSTOPPED) == 0 && info.si_pid == children[0]);
	HOLDS(waitid(P_ALL, 0, &info, WEXITED | WSTOPPED) == 0 && info.si_pid == children[1]);
	HOLDS(waitid(P_ALL, 0, &info, WEXITED | WSTOPPED) == 0 && info.si_pid == children[2]);
	SHOW(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
	kill(children[1], SIGKILL);
	/* Who waits for a stop that cannot come any more is told so. */
	SHOW(waitid(P_ALL, 0, &info, WSTOPPED));
	SHOW(waitid(P_ALL, 0, &info, WCONTINUED | WNOHANG));
	HOLDS(waitpid(children[1], NULL, 0) == children[1]);
}

/* A program is not hit by the signals that the one before it asked for at the end of its children. */
static void exec_over_child(const char *self)
{
	int ends[2];
	char number[16];
	pid_t parent = fork();

	if (parent == 0) {
		if (pipe(ends) != 0)
			_exit(1);
		pid_t child = syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
		if (child == 0) {
			char byte;
			close(ends[1]);
			_exit(read(ends[0], &byte, 1) == 0 ? 5 : 6);
		}
		close(ends[0]);
		snprintf(number, sizeof number, "%d", ends[1]);
		execl(self, self, number, NULL);
		_exit(2);
	}
	int status;
	HOLDS(waitpid(parent, &status, 0) == parent);
	show_status("after an exec", status);
}

int main(int count, char **arguments)
{
	if (count > 1) {
		int status;
		close(atoi(arguments[1]));
		SHOW(waitpid(-1, &status, 0));
		HOLDS(waitpid(-1, &status, __WCLONE) > 0);
		return WEXITSTATUS(status);
	}

	siginfo_t info;
	struct rusage usage;
	int status;

	SHOW(wait(NULL));
	SHOW(waitpid(-1, &status, WNOHANG));
	SHOW(waitpid(getpid(), &status, 0));
	SHOW(waitpid(1 << 21, &status, 0));
	SHOW(waitid(P_ALL, 0, &info, WEXITED));

	pid_t child = exits_with(0x123);
	SHOW(waitpid(child, &status, 0x10000000));
	SHOW(waitid(P_PID, child, &info, 0));
	SHOW(waitid(77, child, &info, WEXITED));
	HOLDS(wait4(child, &status, 0, &usage) == child);
	show_status("exit status of eight bits", status);
	HOLDS(usage.ru_maxrss >= 0 && usage.ru_utime.tv_sec == 0);
	SHOW(waitpid(child, &status, 0));

	/* Looked at without being taken. */
	child = exits_with(7);
	memset(&info, 0, sizeof info);
	SHOW(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
	show_info("looked at", child, &info);
	SHOW(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT));
	show_info("looked at again", child, &info);
	SHOW(waitid(P_PID, child, &info, WEXITED));
	show_info("taken", child, &info);
	SHOW(waitid(P_PID, child, &info, WEXITED));

	/* Killed; and nothing yet. */
	int ends[2];
	char byte;
	if (pipe(ends) != 0)
		return 1;
	child = fork();
	if (child == 0) {
		close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		_exit(1);
	}
	memset(&info, 0xff, sizeof info);
	SHOW(waitid(P_PID, child, &info, WEXITED | WNOHANG));
	printf("nothing yet: pid %d, signal %d\n", (int)info.si_pid, info.si_signo);
	SHOW(waitpid(child, &status, WNOHANG));
	kill(child, SIGTERM);
	SHOW(waitid(P_PID, child, &info, WEXITED));
	show_info("killed", child, &info);

	/* Bad pointers: the child is not lost to one that is refused early, and is to one refused late. */
	child = exits_with(1);
	SHOW(waitid(P_PID, child, (siginfo_t *)8, WEXITED | WNOWAIT));
	HOLDS(waitpid(child, NULL, 0) == child);

	/* Any order. */
	pid_t children[20];
	int sum = 0;
	for (int i = 0; i < 20; i++)
		children[i] = exits_with(i);
	for (int i = 19; i >= 10; i--) {
		HOLDS(waitpid(children[i], &status, 0) == children[i]);
		sum += WEXITSTATUS(status);
	}
	while (wait(&status) > 0)
		sum += WEXITSTATUS(status);
	printf("errno %d, sum %d\n", errno, sum);

	show_order();
	exec_over_child(arguments[0]);

	/* The children of a child are not one's own. */
	child = fork();
	if (child == 0) {
		pid_t grandchild = exits_with(9);
		_exit(waitpid(grandchild, &status, 0) == grandchild ? WEXITSTATUS(status) : 1);
	}
	HOLDS(wait(&status) == child);
	show_status("the child of a child", status);
	return 0;
}
