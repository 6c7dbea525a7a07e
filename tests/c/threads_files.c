/* Descriptors that one thread closes while a call of another waits by them: the call goes on with its file. */
#include "scratch.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int ends[2], spare[2];
static char much[200000];
/* What a thread's call came to; told when it has been joined. */
static long result;
static int error;

/* Of the thread that was started last. */
static volatile pid_t tid;

static void *reader(void *unused)
{
	char bytes[8];

	tid = gettid();
	result = read(ends[0], bytes, sizeof bytes);
	return unused;
}

static void *writer(void *unused)
{
	tid = gettid();
	result = write(ends[1], much, sizeof much);
	error = errno;
	return unused;
}

static void *receiver(void *unused)
{
	char bytes[8];

	tid = gettid();
	result = recv(ends[0], bytes, sizeof bytes, 0);
	return unused;
}

/* Starts a thread; returns when its call waits. Who looks needs a descriptor: a child's own, for a thread that opens
 * something is to get the lowest number here. */
static pthread_t start(void *(*call)(void *))
{
	pthread_t thread;

	tid = 0;
	pthread_create(&thread, NULL, call, NULL);
	while (tid == 0)
		sched_yield();
	pid_t child = fork();
	if (child == 0) {
		char path[40];
		snprintf(path, sizeof path, "/proc/%d/task/%d/stat", getppid(), tid);
		until_told(path, 'S');
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return thread;
}

static void join(const char *what, pthread_t thread)
{
	pthread_join(thread, NULL);
	printf("%s: %ld, errno %d\n", what, result, result < 0 ? error : 0);
}

static void both_ends_closed(void)
{
	pipe(ends);
	pthread_t thread = start(reader);
	SHOW(close(ends[0]));
	SHOW(close(ends[1]));
	join("the call", thread);
	/* What is there now is somebody else's. */
	pipe(ends);
	thread = start(reader);
	SHOW(close(ends[0]));
	pipe(spare);
	write(spare[1], "other", 5);
	write(ends[1], "own", 3);
	join("the call", thread);
	SHOW(read(spare[0], much, 8));
	close(spare[0]);
	close(spare[1]);
	close(ends[1]);
}

static void replaced(void)
{
	pthread_t thread;
	int null = open("/dev/null", O_RDWR);
	char bytes[1000];
	long total = 0, count;

	signal(SIGPIPE, SIG_IGN);
	pipe(ends);
	thread = start(writer);
	SHOW(dup2(null, ends[1]) == ends[1]);
	while ((count = read(ends[0], bytes, sizeof bytes)) > 0)
		total += count;
	printf("arrived: %ld\n", total);
	join("the call", thread);
	close(ends[0]);
	close(ends[1]);
	/* Nobody reads any more: what has gone in counts. */
	pipe(ends);
	thread = start(writer);
	SHOW(syscall(SYS_close_range, ends[1], ends[1], 0));
	SHOW(close(ends[0]));
	join("the call", thread);
	close(null);
}

static void sockets(void)
{
	pthread_t thread;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	thread = start(receiver);
	SHOW(close(ends[0]));
	SHOW(send(ends[1], "five", 5, 0));
	join("the call", thread);
	SHOW(send(ends[1], "five", 5, MSG_NOSIGNAL));
	close(ends[1]);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
	thread = start(receiver);
	SHOW(close(ends[1]));
	SHOW(shutdown(ends[0], SHUT_RDWR) + 1 > -1);
	join("the call", thread);
	close(ends[0]);
}

static void on_signal(int number)
{
	(void)number;
}

static void *opener(void *unused)
{
	tid = gettid();
	result = open("fifo", O_RDONLY);
	error = errno;
	return unused;
}

/* An open that waits has a number, and no descriptor yet. */
static void opens(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	pthread_t thread;
	int status;

	sigaction(SIGUSR1, &action, NULL);
	SHOW(mkfifo("fifo", 0600));
	int number = dup(0);
	close(number);
	thread = start(opener);
	int other = open("/dev/null", O_RDWR);
	HOLDS(other == number + 1);
	errno = 0;
	SHOW(close(number));
	SHOW(fcntl(number, F_GETFD));
	SHOW(fcntl(number, F_DUPFD, 0));
	SHOW(syscall(SYS_dup2, other, number));
	SHOW(read(number, much, 1));
	pid_t child = fork();
	if (child == 0)
		_exit(dup2(other, number) != number);
	waitpid(child, &status, 0);
	show_status("the child", status);
	pthread_kill(thread, SIGUSR1);
	join("the call", thread);
	HOLDS(dup(0) == number);
	SHOW(fcntl(number, F_GETFD));
	close(number);
	/* In the end it opens, too. */
	thread = start(opener);
	int end = open("fifo", O_WRONLY);
	HOLDS(end == other + 1);
	join("the call", thread);
	SHOW(write(end, "x", 1));
	SHOW(read(number, much, 5));
	close(end);
	close(number);
	close(other);
}

/* Threads that another one's exec ends leave nothing behind. */
static void execs(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		pipe2(ends, O_CLOEXEC);
		start(opener);
		start(opener);
		start(reader);
		execl("/proc/self/exe", "count", "count", NULL);
		_exit(9);
	}
	waitpid(child, &status, 0);
	show_status("who execs", status);
	errno = 0;
	SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
}

static int count_open(void)
{
	int open = 0;

	for (int i = 3; i < 100; i++)
		open += fcntl(i, F_GETFD) != -1;
	return open;
}

static void *parts(void *unused)
{
	SHOW(syscall(SYS_close_range, ends[0], ~0u, 2));
	SHOW(fcntl(ends[0], F_GETFD));
	SHOW(dup(0));
	SHOW(dup(0));
	/* It has its own already. */
	SHOW(syscall(SYS_close_range, ends[1], ends[1], 2));
	SHOW(fcntl(ends[1], F_GETFD));
	return unused;
}

/* CLOSE_RANGE_UNSHARE: a thread or a process that shares descriptors shares them no longer. */
static void parted(void)
{
	pthread_t thread;

	pipe(ends);
	pthread_create(&thread, NULL, parts, NULL);
	pthread_join(thread, NULL);
	SHOW(fcntl(ends[0], F_GETFD));
	SHOW(fcntl(ends[1], F_GETFD));
	HOLDS(write(ends[1], "x", 1) == 1);

	long child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		SHOW(dup2(0, 20));
		SHOW(syscall(SYS_close_range, ends[1], ends[1], 2 | 4));
		SHOW(fcntl(ends[1], F_GETFD));
		SHOW(syscall(SYS_close_range, ends[0], ~0u, 2));
		SHOW(fcntl(ends[0], F_GETFD));
		_exit(0);
	}
	waitpid((pid_t)child, NULL, 0);
	SHOW(fcntl(20, F_GETFD));
	SHOW(fcntl(ends[0], F_GETFD));
	SHOW(fcntl(ends[1], F_GETFD));
	close(20), close(ends[0]), close(ends[1]);
}

int main(int count, char **arguments)
{
	sigset_t set;

	(void)arguments;
	if (count > 1)
		return count_open();
	/* The end of a child that only looks is no news to a thread whose call waits. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Whatever this was started with. */
	syscall(SYS_close_range, 3, ~0u, 0);
	enter_scratch();
	both_ends_closed();
	replaced();
	sockets();
	opens();
	execs();
	parted();
	return leave_scratch();
}
