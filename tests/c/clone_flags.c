/* clone(2) and clone3 by their raw calls: flags that contradict each other, sizes, and what processes can share that are
 * not threads. */
#include "report.h"
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

struct arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
	uint64_t later[2];
};

static long raw_clone(unsigned long flags, void *stack, int *parent_tid, int *child_tid, unsigned long tls)
{
	return syscall(SYS_clone, flags, stack, parent_tid, child_tid, tls);
}

/* A child that ends at once, where one comes of it. */
static long clone3(struct arguments *arguments, size_t size)
{
	long result = syscall(SYS_clone3, arguments, size);
	int status;

	if (result == 0)
		_exit(0);
	if (result > 0) {
		waitpid(result, &status, __WALL);
		return 1;
	}
	return result;
}

static void contradictions(void)
{
	SHOW(raw_clone(CLONE_THREAD, NULL, NULL, NULL, 0));
	SHOW(raw_clone(CLONE_THREAD | CLONE_SIGHAND, NULL, NULL, NULL, 0));
	SHOW(raw_clone(CLONE_SIGHAND | SIGCHLD, NULL, NULL, NULL, 0));
	SHOW(raw_clone(CLONE_THREAD | CLONE_VM, NULL, NULL, NULL, 0));
	SHOW(raw_clone(CLONE_FS | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, 0));
	SHOW(raw_clone(CLONE_FS | CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0));
	SHOW(raw_clone(CLONE_SETTLS | SIGCHLD, NULL, NULL, NULL, 0xffff800000000000));
	SHOW(raw_clone(0x1000 | CLONE_DETACHED | SIGCHLD, NULL, NULL, NULL, 0));
}

static void sizes(void)
{
	struct arguments arguments = { .exit_signal = SIGCHLD };
	static char page[5000] __attribute__((aligned(8)));

	SHOW(clone3(&arguments, 0));
	SHOW(clone3(&arguments, 63));
	SHOW(clone3(&arguments, 64));
	SHOW(clone3(&arguments, 80));
	SHOW(clone3(&arguments, 88));
	SHOW(clone3(&arguments, sizeof arguments));
	arguments.later[1] = 1;
	SHOW(clone3(&arguments, sizeof arguments));
	SHOW(clone3(&arguments, 88));
	memcpy(page, &arguments, 88);
	SHOW(clone3((void *)page, 4096));
	SHOW(clone3((void *)page, 4097));
	SHOW(clone3(NULL, 64));
	SHOW(clone3((void *)16, 88));
	SHOW(clone3(NULL, 1));
}

static void values(void)
{
	int tid = 0;
	struct arguments arguments = { .exit_signal = 65 };

	SHOW(clone3(&arguments, 88));
	arguments.exit_signal = 0x100000011;
	SHOW(clone3(&arguments, 88));
	arguments.exit_signal = 0;
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .flags = SIGCHLD };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .flags = CLONE_DETACHED, .exit_signal = SIGCHLD };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .flags = 1ULL << 40, .exit_signal = SIGCHLD };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .flags = CLONE_SIGHAND | CLONE_VM | CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .flags = CLONE_PARENT, .exit_signal = SIGCHLD };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .exit_signal = SIGCHLD, .stack_size = 4096 };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .exit_signal = SIGCHLD, .stack = 4096 };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .exit_signal = SIGCHLD, .stack = 1ULL << 63, .stack_size = 4096 };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .exit_signal = SIGCHLD, .set_tid_size = 1 };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 33 };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1 };
	SHOW(clone3(&arguments, 88));
	tid = -1;
	SHOW(clone3(&arguments, 88));
	tid = 1 << 30;
	SHOW(clone3(&arguments, 88));
	tid = getpid();
	SHOW(clone3(&arguments, 88));
	arguments.set_tid = 16;
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .flags = CLONE_PARENT_SETTID, .exit_signal = SIGCHLD, .parent_tid = 16 };
	SHOW(clone3(&arguments, 88));
	arguments = (struct arguments){ .flags = CLONE_CHILD_SETTID, .exit_signal = SIGCHLD, .child_tid = 16 };
	SHOW(clone3(&arguments, 88));
}

static int common, wrong;
static char stack[64 << 10] __attribute__((aligned(16)));

static int change_all(void *unused)
{
	struct sigaction action = { .sa_handler = SIG_IGN };

	(void)unused;
	common = 1;
	if (chdir("/tmp") && chdir("/dev"))
		wrong++;
	umask(0123);
	close(7);
	sigaction(SIGUSR1, &action, NULL);
	prctl(PR_SET_NAME, "the other");
	return 5;
}

/* What the child of a clone with these flags changes, as its parent sees it. */
static void sharing(const char *what, int flags)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	char directory[256], name[16];
	int status;
	pid_t child;

	if (chdir("/"))
		wrong++;
	umask(022);
	dup2(1, 7);
	sigaction(SIGUSR1, &action, NULL);
	common = 0;
	prctl(PR_SET_NAME, "the first");
	child = clone(change_all, stack + sizeof stack, flags | SIGCHLD, NULL);
	if (child < 0) {
		printf("%s: errno %d\n", what, errno);
		return;
	}
	waitpid(child, &status, 0);
	sigaction(SIGUSR1, NULL, &action);
	prctl(PR_GET_NAME, name);
	printf("%s: ended with %d; memory %s, directory %s, mask %03o, descriptor %s, handler %s, name %s\n", what,
	       WEXITSTATUS(status), common ? "shared" : "own",
	       getcwd(directory, sizeof directory) && directory[1] ? "shared" : "own", umask(022),
	       fcntl(7, F_GETFD) < 0 ? "shared" : "own", action.sa_handler == SIG_IGN ? "shared" : "own", name);
}

static int thread_id;

/* A thread that does not share all: what its process sees of what it changes. */
static void apart(const char *what, int flags)
{
	char directory[256];

	if (chdir("/"))
		wrong++;
	umask(022);
	dup2(1, 7);
	thread_id = -1;
	if (clone(change_all, stack + sizeof stack,
		  flags | CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID, NULL,
		  NULL, NULL, &thread_id) < 0) {
		printf("%s: errno %d\n", what, errno);
		return;
	}
	while (__atomic_load_n(&thread_id, __ATOMIC_SEQ_CST))
		sched_yield();
	printf("a thread with %s: directory %s, mask %03o, descriptor %s\n", what,
	       getcwd(directory, sizeof directory) && directory[1] ? "shared" : "own", umask(022),
	       fcntl(7, F_GETFD) < 0 ? "shared" : "own");
}

static int opens(void *unused)
{
	(void)unused;
	return dup2(1, 9) == 9 ? 0 : 1;
}

static int executes(void *path)
{
	char *arguments[] = { path, "ends", NULL };

	execv(path, arguments);
	return 1;
}

/* A process that shares descriptors and ends leaves them to the others; one that execs has its own. */
static void shared_descriptors(void)
{
	int status;
	pid_t child;

	close(9);
	child = clone(opens, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL);
	waitpid(child, &status, 0);
	show_status("opens", status);
	printf("there afterwards: %s\n", fcntl(9, F_GETFD) < 0 ? "no" : "yes");
	fcntl(9, F_SETFD, FD_CLOEXEC);
	child = clone(executes, stack + sizeof stack, CLONE_FILES | SIGCHLD, "/proc/self/exe");
	waitpid(child, &status, 0);
	show_status("executes", status);
	printf("there after an exec: %s\n", fcntl(9, F_GETFD) < 0 ? "no" : "yes");
	close(9);
}

static int got;

static void count_signal(int number)
{
	got = number;
}

static int end(void *unused)
{
	(void)unused;
	return 3;
}

static int signals_itself(void *unused)
{
	(void)unused;
	/* Not raise(): what it knows of its thread is in memory that both share. */
	return kill(getpid(), SIGUSR1);
}

/* A handler that is good for once is so for all who share it. */
static void once(void)
{
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = SA_RESETHAND };
	int status;

	sigaction(SIGUSR1, &action, NULL);
	pid_t child = clone(signals_itself, stack + sizeof stack, CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);
	waitpid(child, &status, 0);
	show_status("it", status);
	sigaction(SIGUSR1, NULL, &action);
	printf("handled %d, then the default: %d\n", got, action.sa_handler == SIG_DFL);
}

/* A child that sends another signal at its end, or none, is waited for with __WCLONE. */
static void exit_signals(void)
{
	static const int ways[] = { SIGUSR2, 0 };
	int status;
	pid_t child;

	signal(SIGUSR2, count_signal);
	for (int i = 0; i < 2; i++) {
		got = 0;
		child = clone(end, stack + sizeof stack, ways[i], NULL);
		SHOW(waitpid(-1, NULL, WNOHANG));
		printf("waited: %d\n", waitpid(child, &status, __WCLONE) == child);
		show_status("it", status);
		printf("signal %d\n", got);
	}
	child = fork();
	if (child == 0)
		_exit(4);
	SHOW(waitpid(child, NULL, __WCLONE | WNOHANG));
	printf("waited: %d\n", waitpid(child, &status, __WALL) == child);
}

static int waits(void *path)
{
	struct timespec time = { 0, 20000000 };

	nanosleep(&time, NULL);
	return path != NULL;
}

/* CLONE_VFORK without CLONE_VM waits all the same; CLONE_PARENT makes a brother. */
static void relations(void)
{
	struct timespec before, after;
	pid_t child;
	int status;

	clock_gettime(CLOCK_MONOTONIC, &before);
	child = clone(waits, stack + sizeof stack, CLONE_VFORK | SIGCHLD, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	printf("it waited: %d\n",
	       (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec >= 20000000);
	printf("it has ended: %d\n", waitpid(child, &status, 0) == child);
	child = fork();
	if (child == 0) {
		pid_t brother = clone(end, stack + sizeof stack, CLONE_PARENT | SIGCHLD, NULL);

		SHOW(waitpid(brother, NULL, 0));
		_exit(brother > 0 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	show_status("the child", status);
	printf("and its brother: %d, %d\n", waitpid(-1, &status, 0) > 0, WEXITSTATUS(status));
}

/* Orphans go to the nearest subreaper, and hear of their parent's end. */
static void subreaper(void)
{
	int status, ends[2];
	char byte = 0;
	pid_t child;

	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
	if (pipe(ends))
		return;
	child = fork();
	if (child == 0) {
		if (fork() == 0) {
			sigset_t set;
			int number;
			pid_t parent = getppid();

			sigemptyset(&set);
			sigaddset(&set, SIGUSR1);
			sigprocmask(SIG_BLOCK, &set, NULL);
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			if (write(ends[1], "x", 1) != 1)
				_exit(1);
			sigwait(&set, &number);
			_exit(number == SIGUSR1 && getppid() != parent ? 8 : 9);
		}
		_exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	show_status("the parent of the orphan", status);
	waitpid(-1, &status, 0);
	show_status("the orphan", status);
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 0));
}

/* The end of one is the end of all. */
static void chain(void)
{
	int ends[2], status;
	char byte;
	pid_t first;

	if (pipe(ends))
		return;
	first = fork();
	if (first == 0) {
		for (int i = 0; i < 150; i++) {
			if (fork())
				for (;;)
					pause();
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		}
		close(ends[0]);
		if (write(ends[1], "x", 1) == 1)
			for (;;)
				pause();
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		printf("the chain is broken\n");
	kill(first, SIGKILL);
	waitpid(first, &status, 0);
	show_status("the first of a chain", status);
	/* The last has the pipe. */
	printf("the last has ended: %d\n", read(ends[0], &byte, 1) == 0);
	close(ends[0]);
}

static void settings(void)
{
	int value = -1;
	struct sched_param parameter = { .sched_priority = 0 };

	SHOW(prctl(PR_SET_PDEATHSIG, 65));
	SHOW(prctl(PR_GET_PDEATHSIG, &value) * 100 + value);
	SHOW(prctl(PR_GET_PDEATHSIG, 16));
	SHOW(prctl(PR_GET_DUMPABLE));
	SHOW(prctl(PR_SET_DUMPABLE, 2));
	SHOW(prctl(PR_SET_DUMPABLE, 0));
	SHOW(prctl(PR_GET_DUMPABLE));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_NAME, 16));
	SHOW(prctl(PR_GET_NAME, 16));
	SHOW(prctl(PR_SET_KEEPCAPS, 2));
	SHOW(prctl(12345));
	SHOW(syscall(SYS_sched_getscheduler, 0));
	SHOW(syscall(SYS_sched_getscheduler, -1));
	SHOW(syscall(SYS_sched_setscheduler, 0, -1, &parameter));
	SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL));
	SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, 16));
	SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &parameter));
	SHOW(syscall(SYS_sched_setscheduler, 0, 77, &parameter));
	SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &parameter));
	SHOW(syscall(SYS_sched_getscheduler, 0));
	SHOW(syscall(SYS_sched_getparam, 0, &parameter));
	SHOW(syscall(SYS_sched_getparam, 0, NULL));
	SHOW(syscall(SYS_sched_setparam, 0, &parameter));
	SHOW(sched_get_priority_max(SCHED_FIFO));
	SHOW(sched_get_priority_min(SCHED_RR));
	SHOW(sched_get_priority_max(SCHED_OTHER));
	SHOW(sched_get_priority_max(99));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(setpriority(PRIO_PROCESS, 0, 5));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(getpriority(3, 0));
	SHOW(setpriority(-1, 0, 0));
	SHOW(getpriority(PRIO_PROCESS, 1 << 29));
	SHOW(setpriority(PRIO_PROCESS, 0, 100));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(syscall(SYS_set_robust_list, NULL, 23));
	SHOW(syscall(SYS_get_robust_list, 1 << 29, NULL, NULL));
	SHOW(syscall(SYS_sched_getaffinity, 0, 0, NULL));
	SHOW(syscall(SYS_sched_getaffinity, 0, 129, NULL));
	SHOW(syscall(SYS_sched_getaffinity, 1 << 29, 128, stack));
	SHOW(syscall(SYS_sched_setaffinity, 0, 8, 16));
	memset(stack, 0, 128);
	SHOW(syscall(SYS_sched_setaffinity, 0, 128, stack));
	SHOW(syscall(SYS_getcpu, NULL, NULL, NULL));
	SHOW(syscall(SYS_getcpu, 16, NULL, NULL));
}

int main(int count, char **arguments)
{
	if (count > 1)
		return 6;
	contradictions();
	sizes();
	values();
	sharing("nothing", 0);
	sharing("memory", CLONE_VM);
	sharing("memory, while it waits", CLONE_VM | CLONE_VFORK);
	sharing("places", CLONE_FS);
	sharing("descriptors", CLONE_FILES);
	sharing("handlers", CLONE_VM | CLONE_SIGHAND);
	sharing("all", CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND);
	sharing("all again", CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND);
	sharing("nothing again", 0);
	apart("all", CLONE_FS | CLONE_FILES);
	apart("descriptors", CLONE_FILES);
	apart("places", CLONE_FS);
	apart("nothing", 0);
	apart("all again", CLONE_FS | CLONE_FILES);
	printf("%d could not change directory\n", wrong);
	(void)arguments;
	shared_descriptors();
	once();
	exit_signals();
	relations();
	subreaper();
	chain();
	in_child("settings", settings);
	return 0;
}
