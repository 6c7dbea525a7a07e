/* Pending signals: standard ones are one of a kind, real-time ones queue with what was said; their order; sigtimedwait. */
#include "report.h"
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

static volatile int order[64], values[64], codes[64], seen;

static void note(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (seen < 64) {
		order[seen] = number;
		codes[seen] = info->si_code;
		values[seen] = info->si_code == SI_QUEUE ? info->si_value.sival_int : -1;
		seen++;
	}
}

static void show_seen(const char *what)
{
	printf("%s:", what);
	for (int i = 0; i < seen; i++)
		printf(" %d/%d/%d", order[i], codes[i], values[i]);
	printf("\n");
	seen = 0;
}

static void handle(int number, int flags)
{
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};

	sigfillset(&action.sa_mask);
	if (sigaction(number, &action, NULL) != 0)
		printf("sigaction %d: errno %d\n", number, errno);
}

static int queue(int number, int value)
{
	return sigqueue(getpid(), number, (union sigval){.sival_int = value});
}

static void show_pending(const char *what)
{
	sigset_t set;

	sigpending(&set);
	printf("%s pending:", what);
	for (int number = 1; number <= 64; number++)
		if (number != 32 && number != 33 && number != 34 && sigismember(&set, number) == 1)
			printf(" %d", number);
	printf("\n");
}

static void limited(void)
{
	struct rlimit limit = {3, 3};
	siginfo_t info;
	sigset_t set;

	/* Whoever else is the same user has signals pending too: as nobody else, where that can be had. */
	if (setuid(54321) != 0)
		printf("setuid: errno %d\n", errno);
	setrlimit(RLIMIT_SIGPENDING, &limit);
	sigemptyset(&set);
	sigaddset(&set, 40);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 5; i++)
	{
		errno = 0;
		int result = queue(40, i);
		printf("queue %d: %d errno %d\n", i, result, errno);
	}
	/* A standard signal comes all the same, though nothing more may be known of it. */
	SHOW(kill(getpid(), SIGUSR1));
	SHOW(queue(SIGUSR1, 1));
	show_pending("at the limit");
	SHOW(sigwaitinfo(&set, &info));
	SHOW(sigwaitinfo(&set, &info));
	printf("value %d\n", info.si_value.sival_int);
	SHOW(queue(40, 9));
	for (int i = 0; i < 3; i++) {
		SHOW(sigwaitinfo(&set, &info));
		printf("value %d\n", info.si_value.sival_int);
	}
}

int main(void)
{
	sigset_t all, none, some;
	siginfo_t info;
	static const struct timespec now = {0, 0}, moment = {0, 3000000}, bad = {0, 1000000000}, negative = {-1, 0};

	sigfillset(&all);
	sigemptyset(&none);
	for (int number = SIGHUP; number <= 64; number++)
		if (number != SIGKILL && number != SIGSTOP && (number < 32 || number > 34))
			handle(number, 0);
	/* Standard signals: one of each, with what was said first. */
	sigprocmask(SIG_SETMASK, &all, NULL);
	SHOW(queue(SIGUSR2, 1));
	SHOW(queue(SIGUSR2, 2));
	SHOW(kill(getpid(), SIGUSR1));
	SHOW(queue(SIGUSR1, 3));
	show_pending("standard");
	sigprocmask(SIG_SETMASK, &none, NULL);
	show_seen("standard");
	show_pending("nothing");

	/* Real-time signals queue; the lowest number comes first, of one number the oldest. */
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int i = 0; i < 4; i++) {
		queue(50, 500 + i);
		queue(40, 400 + i);
		queue(64, 640 + i);
		queue(SIGTERM, 150 + i);
	}
	kill(getpid(), 50);
	show_pending("real-time");
	sigprocmask(SIG_SETMASK, &none, NULL);
	show_seen("real-time");

	/* To the process and to the thread: the thread's own come first. */
	sigprocmask(SIG_SETMASK, &all, NULL);
	kill(getpid(), SIGUSR1);
	kill(getpid(), 41);
	syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR2);
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 41);
	sigprocmask(SIG_SETMASK, &none, NULL);
	show_seen("thread and process");

	/* sigtimedwait takes what is pending, in order, and runs no handler. */
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&some);
	sigaddset(&some, 45);
	sigaddset(&some, SIGUSR1);
	queue(45, 1);
	queue(45, 2);
	queue(SIGUSR1, 3);
	queue(SIGUSR2, 4);
	for (int i = 0; i < 3; i++) {
		memset(&info, 0, sizeof info);
		SHOW(sigtimedwait(&some, &info, &now));
		printf("signo %d code %d value %d, of myself %d, uid %d\n", info.si_signo, info.si_code, info.si_value.sival_int,
		       info.si_pid == getpid(), info.si_uid == getuid());
	}
	SHOW(sigtimedwait(&some, &info, &now));
	SHOW(sigtimedwait(&some, &info, &moment));
	SHOW(sigtimedwait(&some, NULL, &moment));
	SHOW(sigtimedwait(&some, &info, &bad));
	SHOW(sigtimedwait(&some, &info, &negative));
	SHOW(syscall(SYS_rt_sigtimedwait, &some, &info, &now, 4));
	SHOW(syscall(SYS_rt_sigtimedwait, 8, &info, &now, 8));
	SHOW(syscall(SYS_rt_sigtimedwait, &some, &info, 8, 8));
	queue(45, 6);
	SHOW(syscall(SYS_rt_sigtimedwait, &some, 8, &now, 8));
	SHOW(sigtimedwait(&some, &info, &now));
	show_pending("left over");
	sigprocmask(SIG_SETMASK, &none, NULL);
	show_seen("left over");

	/* Waiting for one that comes later; one that is not waited for interrupts, by its handler. */
	sigprocmask(SIG_SETMASK, &some, NULL);
	signal(SIGCHLD, SIG_DFL);
	for (int round = 0; round < 3; round++) {
		pid_t parent = getpid(), child = fork();
		if (child == 0) {
			until_asleep(parent);
			if (round == 0)
				sigqueue(parent, 45, (union sigval){.sival_int = 77});
			else if (round == 1)
				kill(parent, SIGUSR2);
			else
				kill(parent, SIGUSR1);
			_exit(0);
		}
		int status;
		memset(&info, 0, sizeof info);
		SHOW(syscall(SYS_rt_sigtimedwait, &some, &info, NULL, 8));
		printf("code %d, of the child %d\n", info.si_code, info.si_pid == child);
		waitpid(child, &status, 0);
	}
	show_seen("while waiting");

	/* A signal that is blocked and ignored: it is pending while blocked, also for sigwait. */
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
	show_pending("ignored");
	SHOW(sigtimedwait(&some, &info, &now));
	handle(SIGUSR1, 0);
	raise(SIGUSR1);
	queue(46, 1);
	queue(46, 2);
	show_pending("before");
	signal(SIGUSR1, SIG_IGN);
	signal(46, SIG_IGN);
	show_pending("ignored later");
	signal(SIGUSR1, SIG_DFL);
	signal(46, SIG_DFL);
	show_pending("default");
	/* A child has none of them pending; an exec or not, the mask stays. */
	raise(SIGUSR2);
	if (fork() == 0) {
		show_pending("child");
		_exit(0);
	}
	int status;
	wait(&status);
	show_pending("parent");
	sigprocmask(SIG_SETMASK, &none, NULL);
	seen = 0;

	/* Errors. */
	memset(&info, 0, sizeof info);
	info.si_code = SI_QUEUE;
	SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info));
	SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), -1, &info));
	SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), 0, &info));
	SHOW(syscall(SYS_rt_sigqueueinfo, 4000000, SIGUSR2, &info));
	SHOW(syscall(SYS_rt_sigqueueinfo, 4000000, 65, &info));
	SHOW(syscall(SYS_rt_sigqueueinfo, 4000000, SIGUSR2, 8));
	SHOW(syscall(SYS_rt_tgsigqueueinfo, 0, getpid(), SIGUSR2, &info));
	SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, SIGUSR2, &info));
	SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), 4000000, SIGUSR2, &info));
	SHOW(syscall(SYS_rt_tgsigqueueinfo, 4000000, getpid(), SIGUSR2, &info));
	info.si_value.sival_int = 12;
	SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR2, &info));
	info.si_code = -77;
	SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, &info));
	show_seen("forged");
	/* Only to oneself may one say that it is from the kernel, or from kill. */
	pid_t child = fork();
	if (child == 0) {
		pause();
		_exit(1);
	}
	for (int code = -7; code < 2; code++) {
		info.si_code = code;
		printf("code %d: %ld\n", code, syscall(SYS_rt_sigqueueinfo, child, 0, &info));
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	SHOW(syscall(SYS_rt_sigpending, &some, 9));
	SHOW(syscall(SYS_rt_sigpending, 8, 8));
	SHOW(syscall(SYS_rt_sigpending, &some, 4));
	SHOW(syscall(SYS_rt_sigprocmask, 9, &some, NULL, 8));
	SHOW(syscall(SYS_rt_sigprocmask, 9, NULL, NULL, 8));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, 8, 8));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 4));
	SHOW(syscall(SYS_rt_sigsuspend, &some, 4));
	SHOW(syscall(SYS_rt_sigsuspend, 8, 8));
	in_child("limited", limited);
	return 0;
}
