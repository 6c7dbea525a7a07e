/* Stopping and continuing: who is told what, what is discarded, and what a stop does to calls that wait. */
#include "report.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

static volatile int children_seen, last_code, last_status, continued_seen;

static void on_child(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	children_seen++;
	last_code = info->si_code;
	last_status = info->si_status;
}

static void on_continue(int number)
{
	(void)number;
	continued_seen++;
}

static void moment(long milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	while (nanosleep(&time, &time) != 0)
		;
}

static void show_wait(const char *what, pid_t child, int options)
{
	int status = -1;
	pid_t got = waitpid(child, &status, options);

	printf("%s: ", what);
	if (got < 0)
		printf("errno %d\n", errno);
	else if (got == 0)
		printf("nothing\n");
	else
		printf("%s, status %#x%s%s%s%s\n", got == child ? "the child" : "another", status,
		       WIFSTOPPED(status) ? " stopped" : "", WIFCONTINUED(status) ? " continued" : "",
		       WIFEXITED(status) ? " exited" : "", WIFSIGNALED(status) ? " killed" : "");
}

static void show_waitid(const char *what, pid_t child, int options)
{
	siginfo_t info;

	memset(&info, 0x55, sizeof info);
	if (waitid(P_PID, child, &info, options) != 0)
		printf("%s: errno %d\n", what, errno);
	else if (info.si_signo == 0)
		printf("%s: nothing, pid %d\n", what, info.si_pid);
	else
		printf("%s: signo %d errno %d code %d status %d, the child %d, uid %d\n", what, info.si_signo, info.si_errno,
		       info.si_code, info.si_status, info.si_pid == child, info.si_uid == getuid());
}

static pid_t sleeper(void)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			pause();
	return child;
}

static void each_signal(void)
{
	static const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};

	for (unsigned i = 0; i < 4; i++) {
		pid_t child = sleeper();
		SHOW(kill(child, stops[i]));
		show_wait("untraced", child, WUNTRACED);
		show_wait("taken", child, WUNTRACED | WNOHANG);
		SHOW(kill(child, stops[i]));
		show_wait("stopped again", child, WUNTRACED | WNOHANG);
		SHOW(kill(child, SIGCONT));
		show_wait("not continued", child, WUNTRACED | WNOHANG);
		show_wait("continued", child, WCONTINUED);
		show_wait("taken", child, WCONTINUED | WNOHANG);
		SHOW(kill(child, SIGCONT));
		show_wait("it runs", child, WCONTINUED | WNOHANG);
		SHOW(kill(child, SIGSTOP));
		show_wait("untraced", child, WUNTRACED);
		SHOW(kill(child, SIGTERM));
		show_wait("a stopped one takes no SIGTERM", child, WUNTRACED | WCONTINUED | WNOHANG);
		SHOW(kill(child, i % 2 ? SIGKILL : SIGCONT));
		show_wait("ended", child, 0);
	}
}

static void with_waitid(void)
{
	pid_t child = sleeper();

	show_waitid("nothing yet", child, WSTOPPED | WNOHANG);
	kill(child, SIGSTOP);
	show_waitid("stopped, left", child, WSTOPPED | WNOWAIT);
	show_waitid("stopped, left", child, WSTOPPED | WEXITED | WCONTINUED | WNOWAIT);
	show_waitid("ends alone", child, WEXITED | WNOHANG);
	show_waitid("stopped", child, WSTOPPED);
	show_waitid("stopped, taken", child, WSTOPPED | WNOHANG);
	kill(child, SIGCONT);
	show_waitid("continued, left", child, WCONTINUED | WNOWAIT);
	show_waitid("continued", child, WCONTINUED);
	show_waitid("continued, taken", child, WCONTINUED | WNOHANG);
	kill(child, SIGTSTP);
	show_waitid("stopped", child, WSTOPPED);
	kill(child, SIGKILL);
	show_waitid("killed, left", child, WEXITED | WNOWAIT);
	show_waitid("killed", child, WEXITED);
	show_waitid("gone", child, WEXITED);
}

/* Waits until so many SIGCHLD have come: a child that goes on tells of it itself, once it runs. */
static void show_told(int expected)
{
	while (children_seen < expected)
		moment(1);
	printf("SIGCHLD %d, code %d status %d\n", children_seen, last_code, last_status);
}

static void told(void)
{
	struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};

	for (int quiet = 0; quiet < 2; quiet++) {
		if (quiet)
			action.sa_flags |= SA_NOCLDSTOP;
		sigaction(SIGCHLD, &action, NULL);
		children_seen = 0;
		pid_t child = sleeper();
		kill(child, SIGSTOP);
		show_wait("stopped", child, WUNTRACED);
		show_told(quiet ? 0 : 1);
		kill(child, SIGCONT);
		show_wait("continued", child, WCONTINUED);
		show_told(quiet ? 0 : 2);
		kill(child, SIGINT);
		show_wait("ended", child, 0);
		show_told(quiet ? 1 : 3);
	}
	signal(SIGCHLD, SIG_DFL);
}

/* A stop discards what would continue, and the other way round. */
static void discarding(void)
{
	sigset_t set, pending;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGCONT, on_continue);
	raise(SIGTSTP);
	raise(SIGTTIN);
	sigpending(&pending);
	printf("stops pending: %d %d\n", sigismember(&pending, SIGTSTP), sigismember(&pending, SIGTTIN));
	raise(SIGCONT);
	sigpending(&pending);
	printf("after SIGCONT: %d %d %d\n", sigismember(&pending, SIGTSTP), sigismember(&pending, SIGTTIN),
	       sigismember(&pending, SIGCONT));
	raise(SIGTTOU);
	sigpending(&pending);
	printf("after SIGTTOU: %d %d\n", sigismember(&pending, SIGCONT), sigismember(&pending, SIGTTOU));
	raise(SIGCONT);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	printf("the handler ran %d times\n", continued_seen);
	signal(SIGCONT, SIG_DFL);
}

/* A blocked or ignored SIGCONT continues; the handler runs once it is unblocked. */
static void continuing(void)
{
	for (int way = 0; way < 3; way++) {
		int ends[2], status;
		char byte;

		(void)!pipe(ends);
		pid_t child = fork();
		if (child == 0) {
			sigset_t set;
			sigemptyset(&set);
			sigaddset(&set, SIGCONT);
			if (way == 0)
				sigprocmask(SIG_BLOCK, &set, NULL);
			signal(SIGCONT, way == 1 ? SIG_IGN : on_continue);
			(void)!write(ends[1], "r", 1);
			raise(SIGSTOP);
			printf("way %d goes on, handled %d\n", way, continued_seen);
			sigprocmask(SIG_UNBLOCK, &set, NULL);
			printf("unblocked, handled %d\n", continued_seen);
			_exit(way);
		}
		(void)!read(ends[0], &byte, 1);
		show_wait("stopped", child, WUNTRACED);
		kill(child, SIGCONT);
		waitpid(child, &status, 0);
		show_status("way", status);
		close(ends[0]);
		close(ends[1]);
	}
}

/* Calls that wait go on waiting after a stop without a handler. */
static void waiting(void)
{
	for (int call = 0; call < 7; call++) {
		int ends[2], talk[2], status;
		char byte;

		(void)!pipe(ends);
		(void)!pipe(talk);
		pid_t child = fork();
		if (child == 0) {
			struct timespec time = {1000, 0}, left = {9, 9}, later = {5, 0};
			struct pollfd poll_this = {.fd = ends[0], .events = POLLIN};
			sigset_t set;
			int result = -1;

			sigemptyset(&set);
			sigaddset(&set, SIGUSR1);
			(void)!write(talk[1], "r", 1);
			errno = 0;
			switch (call) {
			case 0:
				result = read(ends[0], &byte, 1);
				break;
			case 1:
				signal(SIGUSR1, on_continue);
				result = nanosleep(&time, &left);
				break;
			case 2:
				result = poll(&poll_this, 1, 5000);
				break;
			case 3:
				result = poll(&poll_this, 1, 10000);
				break;
			case 4:
				sigprocmask(SIG_BLOCK, &set, NULL);
				/* This one alone does not go on (signal(7)); a C library may hide that. */
				result = syscall(SYS_rt_sigtimedwait, &set, NULL, &later, 8);
				break;
			case 5:
				if ((child = fork()) == 0) {
					(void)!read(ends[0], &byte, 1);
					_exit(3);
				}
				result = waitpid(child, &status, 0) == child;
				break;
			case 6:
				signal(SIGUSR1, on_continue);
				result = pause();
				break;
			}
			printf("call %d: %d errno %d, much left: %d\n", call, result, errno, left.tv_sec > 500);
			_exit(0);
		}
		(void)!read(talk[0], &byte, 1);
		until_asleep(child);
		kill(child, SIGSTOP);
		show_wait("stopped", child, WUNTRACED);
		moment(5);
		kill(child, SIGCONT);
		/* The one that is over by this may end before it is asked about. */
		if (call != 4) {
			show_wait("continued", child, WCONTINUED);
			moment(10);
			show_wait("it still waits", child, WNOHANG);
		}
		(void)!write(ends[1], "x", 1);
		if (call == 1 || call == 6)
			kill(child, SIGUSR1);
		show_wait("ended", child, 0);
		close(ends[0]);
		close(ends[1]);
		close(talk[0]);
		close(talk[1]);
	}
}

/* A short sleep ends by itself, wherever in it the stop came. */
static void sleeping(void)
{
	struct timespec time = {0, 50000000};
	pid_t child = fork();

	if (child == 0) {
		SHOW(nanosleep(&time, NULL));
		_exit(0);
	}
	moment(5);
	kill(child, SIGSTOP);
	moment(5);
	kill(child, SIGCONT);
	show_wait("a short sleep", child, 0);
}

static void computing(void)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		for (volatile long turns = 0;; turns++)
			;
	moment(5);
	kill(child, SIGSTOP);
	show_wait("a loop stopped", child, WUNTRACED);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	show_status("a loop", status);
	/* Who stops itself, and is killed then. */
	child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		_exit(7);
	}
	show_wait("itself", child, WUNTRACED);
	/* What comes while it is stopped waits for it. */
	kill(child, SIGUSR1);
	kill(child, SIGCONT);
	waitpid(child, &status, 0);
	show_status("itself", status);
	/* The parent of a vfork child that stops goes on waiting. */
	int ends[2];
	(void)!pipe(ends);
	pid_t helper = fork();
	if (helper == 0) {
		char name[1];
		pid_t who;
		(void)!read(ends[0], &who, sizeof who);
		(void)name;
		until_in_state(who, 'T');
		kill(who, SIGCONT);
		_exit(0);
	}
	child = vfork();
	if (child == 0) {
		pid_t self = getpid();
		(void)!write(ends[1], &self, sizeof self);
		kill(self, SIGSTOP);
		_exit(5);
	}
	waitpid(child, &status, 0);
	show_status("the vfork child", status);
	waitpid(helper, &status, 0);
}

int main(void)
{
	/* Nobody's controlling terminal, and a group that is not orphaned. */
	int status;
	pid_t leader = fork();

	if (leader == 0) {
		setsid();
		pid_t child = fork();
		if (child == 0) {
			setpgid(0, 0);
			each_signal();
			with_waitid();
			told();
			discarding();
			continuing();
			waiting();
			sleeping();
			computing();
			_exit(0);
		}
		waitpid(child, &status, 0);
		show_status("the child", status);
		_exit(0);
	}
	waitpid(leader, &status, 0);
	show_status("the leader", status);
	return 0;
}
