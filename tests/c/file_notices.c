/* Signals that tell of pipes and sockets: O_ASYNC, F_SETOWN, F_SETOWN_EX, F_SETSIG of fcntl(2), FIOASYNC. */
#include "report.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef F_SETSIG
#define F_SETSIG 10
#define F_GETSIG 11
#endif
#ifndef F_SETOWN_EX
#define F_SETOWN_EX 15
#define F_GETOWN_EX 16
#define F_OWNER_TID 0
#define F_OWNER_PID 1
#define F_OWNER_PGRP 2
struct f_owner_ex {
	int type;
	pid_t pid;
};
#endif
#ifndef FIOASYNC
#define FIOASYNC 0x5452
#endif
#ifndef O_ASYNC
#define O_ASYNC 020000
#endif

static volatile sig_atomic_t count, last, code, band, descriptor;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)context;
	count++;
	last = signal;
	code = info->si_code;
	if (signal != SIGCHLD && info->si_code > 0 && info->si_code != 0x80) {
		band = (int)info->si_band;
		descriptor = info->si_fd;
	}
}

static void told(const char *what, int fd)
{
	printf("%s: %d", what, count);
	if (count)
		printf(", signal %d, code %d, band %#x, %s", last, code, (unsigned)band,
		       descriptor == 0 ? "no descriptor" : descriptor == fd ? "its descriptor" : "ANOTHER descriptor");
	puts("");
	count = last = code = band = descriptor = 0;
}

static void catch(int signal)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigaction(signal, &action, NULL);
}

static void owners(int fd)
{
	struct f_owner_ex owner = {77, 77};

	SHOW(fcntl(fd, F_GETOWN));
	SHOW(fcntl(fd, F_GETSIG));
	SHOW(fcntl(fd, F_GETOWN_EX, &owner));
	printf("type %d, pid %d\n", owner.type, owner.pid);
	SHOW(fcntl(fd, F_SETOWN, 1 << 22));
	SHOW(fcntl(fd, F_SETOWN, -(1 << 22)));
	SHOW(fcntl(fd, F_SETOWN, (int)0x80000000));
	SHOW(fcntl(fd, F_SETSIG, 65));
	SHOW(fcntl(fd, F_SETSIG, -1));
	SHOW(fcntl(fd, F_SETOWN, -getpgrp()));
	HOLDS(fcntl(fd, F_GETOWN) == -getpgrp());
	SHOW(fcntl(fd, F_GETOWN_EX, &owner));
	HOLDS(owner.type == F_OWNER_PGRP && owner.pid == getpgrp());
	owner.type = 3;
	SHOW(fcntl(fd, F_SETOWN_EX, &owner));
	owner.type = F_OWNER_TID;
	owner.pid = 1 << 22;
	SHOW(fcntl(fd, F_SETOWN_EX, &owner));
	owner.pid = (pid_t)syscall(SYS_gettid);
	SHOW(fcntl(fd, F_SETOWN_EX, &owner));
	HOLDS(fcntl(fd, F_GETOWN) == getpid());
	SHOW(fcntl(fd, F_SETOWN_EX, (void *)8));
	SHOW(fcntl(fd, F_GETOWN_EX, (void *)8));

	/* Whose process has gone owns nothing. */
	pid_t child = fork();
	if (child == 0)
		for (;;)
			pause();
	SHOW(fcntl(fd, F_SETOWN, child));
	HOLDS(fcntl(fd, F_GETOWN) == child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	SHOW(fcntl(fd, F_GETOWN));
	SHOW(fcntl(fd, F_SETOWN, 0));
	SHOW(fcntl(fd, F_GETOWN_EX, &owner));
	printf("type %d, pid %d\n", owner.type, owner.pid);
}

static void pipes(void)
{
	int ends[2], on = 1, off = 0;
	char bytes[65536] = "";

	if (pipe(ends) != 0)
		return;
	owners(ends[0]);
	SHOW(fcntl(ends[0], F_SETOWN, getpid()));
	SHOW(write(ends[1], bytes, 1));
	told("not asked for", ends[0]);
	SHOW(fcntl(ends[0], F_SETFL, O_ASYNC));
	printf("flags %o\n", fcntl(ends[0], F_GETFL) & (O_ASYNC | O_NONBLOCK));
	told("asked for, with a byte there", ends[0]);
	SHOW(write(ends[1], bytes, 1));
	told("a byte", ends[0]);
	SHOW(write(ends[1], bytes, 0));
	told("no byte", ends[0]);
	SHOW(read(ends[0], bytes, 10));
	told("read", ends[0]);
	SHOW(fcntl(ends[0], F_SETSIG, SIGUSR1));
	SHOW(write(ends[1], bytes, 1));
	told("by SIGUSR1", ends[0]);
	SHOW(fcntl(ends[0], F_SETSIG, SIGIO));
	SHOW(write(ends[1], bytes, 1));
	told("by SIGIO", ends[0]);
	SHOW(fcntl(ends[0], F_SETSIG, SIGCHLD));
	SHOW(write(ends[1], bytes, 1));
	told("by SIGCHLD", ends[0]);
	SHOW(fcntl(ends[0], F_SETSIG, 40));
	SHOW(write(ends[1], bytes, 1));
	told("by a real-time signal", ends[0]);
	int other = dup(ends[0]);
	SHOW(write(ends[1], bytes, 1));
	told("with a duplicate", ends[0]);
	close(other);

	/* The writer's end. */
	SHOW(fcntl(ends[1], F_SETOWN, getpid()));
	SHOW(fcntl(ends[1], F_SETSIG, SIGUSR1));
	SHOW(ioctl(ends[1], FIOASYNC, &on));
	SHOW(ioctl(ends[0], FIOASYNC, &off));
	SHOW(read(ends[0], bytes, 10));
	told("room", ends[1]);
	SHOW(write(ends[1], bytes, sizeof bytes));
	told("full", ends[1]);
	SHOW(read(ends[0], bytes, 1));
	told("a byte of room", ends[1]);
	SHOW(ioctl(ends[1], FIOASYNC, (void *)8));
	signal(SIGPIPE, SIG_IGN);
	SHOW(close(ends[0]));
	told("no reader", ends[1]);
	close(ends[1]);

	/* The last writer's end. */
	if (pipe(ends) != 0)
		return;
	SHOW(fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	SHOW(fcntl(ends[0], F_SETOWN, getpid()));
	SHOW(close(ends[1]));
	told("no writer", ends[0]);
	close(ends[0]);

	/* By another process, while this one waits. */
	if (pipe(ends) != 0)
		return;
	SHOW(fcntl(ends[0], F_SETOWN, getpid()));
	SHOW(fcntl(ends[0], F_SETFL, O_ASYNC));
	sigset_t io, old;
	sigemptyset(&io);
	sigaddset(&io, SIGIO);
	sigprocmask(SIG_BLOCK, &io, &old);
	pid_t self = getpid(), child = fork();
	if (child == 0) {
		close(ends[0]);
		until_asleep(self);
		_exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
	}
	siginfo_t info;
	SHOW(sigwaitinfo(&io, &info));
	printf("code %d\n", info.si_code);
	waitpid(child, NULL, 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	told("by a child", ends[0]);

	/* By the end of one: the last that had the other end. */
	child = fork();
	if (child == 0) {
		close(ends[0]);
		for (;;)
			pause();
	}
	close(ends[1]);
	told("another still has it", ends[0]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	told("its end", ends[0]);
	close(ends[0]);
}

/* By default SIGIO ends a process: who writes to itself, too. */
static void ends_itself(void)
{
	int ends[2];

	signal(SIGIO, SIG_DFL);
	if (pipe(ends) != 0)
		return;
	fcntl(ends[0], F_SETOWN, getpid());
	fcntl(ends[0], F_SETFL, O_ASYNC);
	if (write(ends[1], "x", 1) == 1)
		puts("still there");
}

/* A group is told, but not those of another user. */
static void groups_and_users(void)
{
	int ends[2], ready[2], status;
	char byte;

	if (pipe(ends) != 0 || pipe(ready) != 0)
		return;
	pid_t first = fork();
	if (first == 0) {
		setpgid(0, 0);
		signal(SIGIO, SIG_DFL);
		close(ready[1]);
		for (;;)
			pause();
	}
	setpgid(first, first);
	pid_t second = fork();
	if (second == 0) {
		setpgid(0, first);
		signal(SIGIO, SIG_DFL);
		if (setuid(1234) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	HOLDS(read(ready[0], &byte, 1) == 1);
	until_asleep(first);
	pid_t asker = fork();
	if (asker == 0) {
		signal(SIGIO, SIG_IGN);
		if (setuid(1234) != 0)
			_exit(1);
		SHOW(fcntl(ends[0], F_SETOWN, -first));
		SHOW(fcntl(ends[0], F_SETFL, O_ASYNC));
		SHOW(write(ends[1], "x", 1));
		_exit(0);
	}
	waitpid(asker, NULL, 0);
	waitpid(second, &status, 0);
	show_status("of the same user", status);
	SHOW(waitpid(first, &status, WNOHANG));
	kill(first, SIGKILL);
	waitpid(first, &status, 0);
	close(ends[0]), close(ends[1]), close(ready[0]), close(ready[1]);
}

static void sockets_and_others(void)
{
	int pair[2], on = 1;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return;
	SHOW(fcntl(pair[0], F_SETOWN, getpid()));
	SHOW(fcntl(pair[0], F_SETSIG, SIGUSR1));
	SHOW(ioctl(pair[0], FIOASYNC, &on));
	SHOW(write(pair[1], "x", 1));
	told("to a socket", pair[0]);
	SHOW(read(pair[0], &byte, 1));
	SHOW(write(pair[0], "x", 1));
	SHOW(read(pair[1], &byte, 1));
	told("by it", pair[0]);
	SHOW(close(pair[1]));
	told("hung up", pair[0]);
	close(pair[0]);

	int file = open("/dev/null", O_RDWR);
	SHOW(fcntl(file, F_SETFL, O_ASYNC));
	HOLDS((fcntl(file, F_GETFL) & O_ASYNC) == 0);
	SHOW(ioctl(file, FIOASYNC, &on));
	SHOW(fcntl(file, F_SETOWN, getpid()));
	HOLDS(fcntl(file, F_GETOWN) == getpid());
	close(file);
}

int main(void)
{
	catch(SIGIO);
	catch(SIGUSR1);
	catch(40);
	catch(SIGCHLD);
	pipes();
	signal(SIGCHLD, SIG_DFL);
	in_child("SIGIO by default", ends_itself);
	groups_and_users();
	sockets_and_others();
	return 0;
}
