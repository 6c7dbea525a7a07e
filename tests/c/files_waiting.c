/* Waiting for descriptors: poll, ppoll, select, pselect. */
#include "scratch.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static int ends[2];

static void on_signal(int number)
{
	(void)number;
}

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){0, 30000000}, NULL);
}

static void polls(void)
{
	struct pollfd three[3] = {{ends[0], POLLIN, 9}, {ends[1], POLLOUT | POLLIN, 9}, {-5, POLLIN, 9}};
	int file = open("data", O_CREAT | O_RDWR, 0644), path = open("data", O_PATH);

	SHOW(poll(three, 3, 0));
	printf("%#x %#x %#x\n", three[0].revents, three[1].revents, three[2].revents);
	SHOW(poll(three, 1, 10));
	SHOW(write(ends[1], "x", 1));
	SHOW(poll(three, 3, -1));
	printf("%#x %#x\n", three[0].revents, three[1].revents);
	three[2].fd = 77;
	SHOW(poll(three + 2, 1, -1));
	printf("%#x\n", three[2].revents);
	three[2].fd = file;
	three[2].events = POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM;
	SHOW(poll(three + 2, 1, -1));
	printf("%#x\n", three[2].revents);
	three[2].fd = path;
	SHOW(poll(three + 2, 1, 0));
	printf("%#x\n", three[2].revents);
	SHOW(poll(NULL, 0, 1));
	SHOW(syscall(SYS_poll, bad, 1, 0));
	SHOW(syscall(SYS_poll, NULL, 1000000000, 0));
	SHOW(ppoll(three, 1, &(struct timespec){0, -1}, NULL));
	SHOW(ppoll(three, 1, &(struct timespec){0, 1000000000}, NULL));
	SHOW(syscall(SYS_ppoll, three, 1, bad, NULL, 8));
	SHOW(syscall(SYS_ppoll, three, 1, NULL, three, 4));
	SHOW(syscall(SYS_ppoll, three, 1, NULL, bad, 8));
	SHOW(read(ends[0], three + 2, 1));
	/* What another process writes wakes who waits. */
	pid_t child = fork();
	if (child == 0) {
		pause_a_little();
		write(ends[1], "y", 1);
		_exit(0);
	}
	SHOW(poll(three, 1, -1));
	printf("%#x\n", three[0].revents);
	waitpid(child, NULL, 0);
	read(ends[0], three + 2, 1);
	int other[2];
	SHOW(pipe(other) == 0);
	close(other[1]);
	struct pollfd one = {other[0], POLLIN};
	SHOW(poll(&one, 1, -1));
	printf("%#x\n", one.revents);
	close(other[0]);
	pipe(other);
	close(other[0]);
	one = (struct pollfd){other[1], POLLOUT};
	SHOW(poll(&one, 1, -1));
	printf("%#x\n", one.revents);
	close(other[1]);
	close(file);
	close(path);
}

static fd_set in, out, other;

static void set(int readable, int writable)
{
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&other);
	FD_SET(readable, &in);
	FD_SET(writable, &out);
	FD_SET(readable, &other);
}

static void selects(void)
{
	struct timeval time = {0, 0};

	set(ends[0], ends[1]);
	SHOW(select(16, &in, &out, &other, &time));
	printf("%d %d %d\n", FD_ISSET(ends[0], &in), FD_ISSET(ends[1], &out), FD_ISSET(ends[0], &other));
	set(ends[0], ends[0]);
	time = (struct timeval){0, 20000};
	SHOW(select(16, &in, NULL, &other, &time));
	printf("%d %d, %ld.%06ld left\n", FD_ISSET(ends[0], &in), FD_ISSET(ends[0], &other), (long)time.tv_sec, (long)time.tv_usec);
	SHOW(write(ends[1], "x", 1));
	set(ends[0], ends[1]);
	time = (struct timeval){100, 0};
	SHOW(select(16, &in, &out, &other, &time));
	printf("%d %d %d\n", FD_ISSET(ends[0], &in), FD_ISSET(ends[1], &out), FD_ISSET(ends[0], &other));
	HOLDS(time.tv_sec == 99 || time.tv_sec == 100);
	set(40, ends[1]);
	SHOW(select(41, &in, NULL, NULL, &time));
	HOLDS(FD_ISSET(40, &in));
	set(ends[0], ends[1]);
	SHOW(select(0, &in, NULL, NULL, &(struct timeval){0, 0}));
	HOLDS(FD_ISSET(ends[0], &in));
	SHOW(select(-1, &in, NULL, NULL, NULL));
	SHOW(select(16, &in, NULL, NULL, &(struct timeval){-1, 0}));
	SHOW(select(16, &in, NULL, NULL, &(struct timeval){0, -1}));
	SHOW(syscall(SYS_select, 16, &in, NULL, NULL, bad));
	SHOW(syscall(SYS_select, 16, bad, NULL, NULL, NULL));
	SHOW(pselect(16, &in, NULL, NULL, &(struct timespec){0, 1000000000}, NULL));
	SHOW(syscall(SYS_pselect6, 16, &in, NULL, NULL, NULL, bad));
	SHOW(pselect(16, &in, NULL, NULL, NULL, NULL));
	char byte;
	SHOW(read(ends[0], &byte, 1));
	pid_t child = fork();
	if (child == 0) {
		pause_a_little();
		write(ends[1], "y", 1);
		_exit(0);
	}
	set(ends[0], ends[1]);
	SHOW(select(16, &in, NULL, NULL, NULL));
	HOLDS(FD_ISSET(ends[0], &in));
	waitpid(child, NULL, 0);
	read(ends[0], &byte, 1);
}

/* A mask for the length of the wait: what it lets through ends the wait. */
static void masks(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct pollfd one = {ends[0], POLLIN};
	sigset_t blocked, none, now;

	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR1);
	SHOW(ppoll(&one, 1, NULL, &none));
	sigprocmask(SIG_SETMASK, NULL, &now);
	HOLDS(sigismember(&now, SIGUSR1));
	sigpending(&now);
	HOLDS(!sigismember(&now, SIGUSR1));
	raise(SIGUSR1);
	SHOW(ppoll(&one, 1, &(struct timespec){0, 0}, &none));
	write(ends[1], "x", 1);
	raise(SIGUSR1);
	SHOW(ppoll(&one, 1, NULL, &none));
	sigprocmask(SIG_SETMASK, NULL, &now);
	HOLDS(sigismember(&now, SIGUSR1));
	char byte;
	read(ends[0], &byte, 1);
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	raise(SIGUSR1);
	SHOW(pselect(16, &in, NULL, NULL, NULL, &none));
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A handler ends the wait even where it asks for calls to be asked again. */
	pid_t child = fork();
	if (child == 0) {
		pause_a_little();
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	SHOW(poll(&one, 1, 60000));
	waitpid(child, NULL, 0);
	child = fork();
	if (child == 0) {
		pause_a_little();
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	SHOW(select(16, &in, NULL, NULL, NULL));
	waitpid(child, NULL, 0);
}

int main(void)
{
	enter_scratch();
	if (pipe(ends) != 0)
		return 1;
	polls();
	selects();
	masks();
	return leave_scratch();
}
