/* Descriptors that stand for processes (pidfd_open(2), pidfd_send_signal(2), CLONE_PIDFD of clone(2)). */
#include "report.h"
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/syscall.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#define BY_PIDFD ((idtype_t)3)

static int pidfd_open_(pid_t pid, unsigned flags)
{
	return (int)syscall(434, pid, flags);
}

static int pidfd_send_signal_(int fd, int signal, siginfo_t *info, unsigned flags)
{
	return (int)syscall(424, fd, signal, info, flags);
}

struct clone3_arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static long clone3_(struct clone3_arguments *arguments)
{
	return syscall(435, arguments, sizeof *arguments);
}

static long clone_(unsigned long flags, void *parent_tid)
{
	return syscall(SYS_clone, flags, 0, parent_tid, 0, 0);
}

/* A child that waits for the end of the pipe, then exits with `status`. */
static pid_t child_until(int ends[2], int status)
{
	char byte;
	if (pipe(ends) != 0)
		exit(1);
	pid_t child = fork();
	if (child == 0) {
		close(ends[1]);
		if (read(ends[0], &byte, 1) < 0)
			_exit(99);
		_exit(status);
	}
	close(ends[0]);
	return child;
}

static int readable(int fd, int milliseconds)
{
	struct pollfd entry = {fd, POLLIN, 0};
	int count = poll(&entry, 1, milliseconds);

	return count == 1 ? (entry.revents & POLLIN) != 0 : count;
}

static void show_info(const siginfo_t *info, pid_t child)
{
	printf("signal %d, code %d, status %d, %s\n", info->si_signo, info->si_code, info->si_status,
	       info->si_pid == child ? "its pid" : info->si_pid == 0 ? "no pid" : "ANOTHER pid");
}

/* The number behind `name` in /proc/self/fdinfo. */
static long fdinfo(int fd, const char *name, int base)
{
	char path[64], text[512] = "";

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	int file = open(path, O_RDONLY);
	if (file < 0 || read(file, text, sizeof text - 1) < 0)
		return -2;
	close(file);
	const char *line = strstr(text, name);
	return line ? strtol(line + strlen(name), NULL, base) : -3;
}

static void open_wait_and_poll(void)
{
	siginfo_t info;
	int ends[2];
	pid_t child = child_until(ends, 7);
	int fd = pidfd_open_(child, 0), other = pidfd_open_(child, O_NONBLOCK);

	HOLDS(fd >= 0 && other >= 0);
	SHOW(fcntl(fd, F_GETFD));
	printf("flags %o and %o\n", fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK),
	       fcntl(other, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	HOLDS(fdinfo(fd, "\nPid:", 10) == child && fdinfo(other, "NSpid:", 10) == child);
	HOLDS((fdinfo(fd, "flags:", 8) & (O_CLOEXEC | O_NONBLOCK)) == O_CLOEXEC);
	HOLDS((fdinfo(other, "flags:", 8) & (O_CLOEXEC | O_NONBLOCK)) == (O_CLOEXEC | O_NONBLOCK));
	printf("position %ld, of standard output %ld\n", fdinfo(fd, "pos:", 10), fdinfo(1, "Pid:", 10));
	HOLDS(readable(fd, 0) == 0 && readable(fd, 20) == 0);
	memset(&info, 0, sizeof info);
	SHOW(waitid(BY_PIDFD, fd, &info, WEXITED | WNOHANG));
	show_info(&info, child);
	SHOW(waitid(BY_PIDFD, other, &info, WEXITED | WNOHANG));
	SHOW(waitid(BY_PIDFD, other, &info, WEXITED));
	SHOW(waitid(BY_PIDFD, fd, &info, WEXITED | 0x10000));
	SHOW(waitid(BY_PIDFD, fd, &info, 0));

	close(ends[1]);
	HOLDS(readable(fd, -1) == 1 && readable(other, 0) == 1);
	fd_set set;
	FD_ZERO(&set);
	FD_SET(fd, &set);
	SHOW(select(fd + 1, &set, NULL, NULL, NULL));
	SHOW(waitid(BY_PIDFD, fd, &info, WEXITED | WNOWAIT));
	show_info(&info, child);
	SHOW(pidfd_send_signal_(fd, SIGTERM, NULL, 0));
	SHOW(waitid(BY_PIDFD, other, &info, WEXITED));
	show_info(&info, child);

	HOLDS(readable(fd, 0) == 1);
	SHOW(waitid(BY_PIDFD, fd, &info, WEXITED));
	SHOW(pidfd_send_signal_(fd, 0, NULL, 0));
	SHOW(pidfd_send_signal_(fd, SIGTERM, NULL, 0));
	SHOW(pidfd_send_signal_(fd, 65, NULL, 0));
	SHOW(pidfd_open_(child, 0));
	printf("in /proc: %ld\n", fdinfo(fd, "\nPid:", 10));
	close(fd);
	SHOW(waitid(BY_PIDFD, fd, &info, WEXITED));
	close(other);
}

/* Somebody waits in poll while the process ends. */
static void end_wakes_poll(void)
{
	int ends[2], status;
	pid_t child = child_until(ends, 0);
	int fd = pidfd_open_(child, 0);
	pid_t poller = fork();

	close(poller == 0 ? ends[1] : -1);
	if (poller == 0)
		_exit(readable(fd, -1) == 1 ? 3 : 4);
	until_asleep(poller);
	close(ends[1]);
	waitpid(poller, &status, 0);
	show_status("who polled", status);
	waitpid(child, &status, 0);
	show_status("who was polled", status);
	close(fd);
}

static volatile sig_atomic_t code, value;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	code = info->si_code;
	value = info->si_value.sival_int;
}

static void signals(void)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	siginfo_t info;
	int ends[2], status, own = pidfd_open_(getpid(), 0);
	pid_t child = child_until(ends, 0);
	int fd = pidfd_open_(child, 0);

	sigaction(SIGUSR1, &action, NULL);
	SHOW(pidfd_send_signal_(own, 0, NULL, 0));
	SHOW(pidfd_send_signal_(own, SIGUSR1, NULL, 0));
	printf("code %d\n", code);
	memset(&info, 0, sizeof info);
	info.si_signo = SIGUSR1;
	info.si_code = SI_QUEUE;
	info.si_value.sival_int = 77;
	SHOW(pidfd_send_signal_(own, SIGUSR1, &info, 0));
	printf("code %d, value %d\n", code, value);
	SHOW(pidfd_send_signal_(own, SIGUSR2, &info, 0));
	SHOW(pidfd_send_signal_(own, SIGUSR1, (void *)8, 0));
	info.si_code = SI_USER;
	SHOW(pidfd_send_signal_(own, SIGUSR1, &info, 0));
	SHOW(pidfd_send_signal_(fd, SIGUSR1, &info, 0));
	SHOW(pidfd_send_signal_(own, SIGUSR1, NULL, 0x100));
	SHOW(pidfd_send_signal_(own, 65, NULL, 0));
	SHOW(pidfd_send_signal_(-1, SIGUSR1, NULL, 0));
	SHOW(pidfd_send_signal_(ends[1], SIGUSR1, NULL, 0));
	SHOW(pidfd_send_signal_(999, SIGUSR1, NULL, 0));
	int directory = open("/proc/self", O_RDONLY | O_DIRECTORY);
	code = 1;
	SHOW(pidfd_send_signal_(directory, SIGUSR1, NULL, 0));
	printf("code %d\n", code);
	close(directory);
	SHOW(pidfd_send_signal_(fd, SIGKILL, NULL, 0));
	HOLDS(readable(fd, -1) == 1);
	waitpid(child, &status, 0);
	show_status("killed", status);
	close(ends[1]), close(fd), close(own);
}

static void what_it_is_not(void)
{
	char byte, path[64], target[64] = "";
	siginfo_t info;
	int own = pidfd_open_(getpid(), 0);

	SHOW(read(own, &byte, 1));
	SHOW(write(own, &byte, 1));
	SHOW(fchdir(own));
	SHOW(ioctl(own, 0x541b, &byte));
	snprintf(path, sizeof path, "/proc/self/fd/%d", own);
	HOLDS(readlink(path, target, sizeof target - 1) > 0);
	puts(target);
	SHOW(pidfd_open_(0, 0));
	SHOW(pidfd_open_(-1, 0));
	SHOW(pidfd_open_(getpid(), 1));
	SHOW(pidfd_open_(1 << 22, 0));
	SHOW(waitid(BY_PIDFD, own, &info, WEXITED));
	SHOW(waitid(BY_PIDFD, -1, &info, WEXITED));
	SHOW(waitid(BY_PIDFD, 999, &info, WEXITED));
	SHOW(waitid(BY_PIDFD, 0, &info, WEXITED));
	close(own);
}

static void by_clone(void)
{
	int fd = -1, parent_tid = -1, status;
	siginfo_t info;

	pid_t child = (pid_t)clone_(CLONE_PIDFD | SIGCHLD, &fd);
	if (child == 0)
		/* It has neither the number nor the descriptor. */
		_exit(fd == -1 && fcntl(3, F_GETFD) == -1 ? 5 : 6);
	HOLDS(child > 0 && fd >= 3);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(waitid(BY_PIDFD, fd, &info, WEXITED));
	show_info(&info, child);
	close(fd);

	SHOW(clone_(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, &fd));
	SHOW(clone_(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, &fd));
	SHOW(clone_(CLONE_PIDFD | SIGCHLD, (void *)8));
	SHOW(fcntl(3, F_GETFD));
	SHOW(waitpid(-1, &status, WNOHANG));

	struct clone3_arguments both = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
					.pidfd = (uintptr_t)&fd,
					.parent_tid = (uintptr_t)&parent_tid,
					.exit_signal = SIGCHLD};
	child = (pid_t)clone3_(&both);
	if (child == 0)
		_exit(8);
	HOLDS(child > 0 && parent_tid == child && fd >= 3);
	SHOW(pidfd_send_signal_(fd, 0, NULL, 0));
	SHOW(waitid(BY_PIDFD, fd, &info, WEXITED));
	show_info(&info, child);
	close(fd);
	both.parent_tid = both.pidfd;
	SHOW(clone3_(&both));

	/* Shared descriptors: it is the child's, too. */
	struct clone3_arguments shared = {.flags = CLONE_PIDFD | CLONE_FILES | CLONE_VFORK,
					  .pidfd = (uintptr_t)&fd,
					  .exit_signal = SIGCHLD};
	child = (pid_t)clone3_(&shared);
	if (child == 0)
		_exit(pidfd_send_signal_(3, 0, NULL, 0) == 0 ? 9 : 10);
	SHOW(waitid(BY_PIDFD, fd, &info, WEXITED));
	show_info(&info, child);
	close(fd);

	/* No descriptor is left: no child. */
	struct rlimit limit, few = {3, 3};
	getrlimit(RLIMIT_NOFILE, &limit);
	few.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	SHOW(clone_(CLONE_PIDFD | SIGCHLD, &fd));
	SHOW(pidfd_open_(getpid(), 0));
	SHOW(waitpid(-1, &status, WNOHANG));
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void)
{
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	open_wait_and_poll();
	end_wakes_poll();
	signals();
	what_it_is_not();
	by_clone();
	return 0;
}
