/* Threads and their process: who ends what, fork and exec among threads, signals to one and to all. */
#include "report.h"
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

extern char **environ;

static pid_t thread_id(void)
{
	return syscall(SYS_gettid);
}

static void pause_milliseconds(long milliseconds)
{
	struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

static void *forever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void *end_all(void *unused)
{
	(void)unused;
	exit(21);
}

static void exit_from_another(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, forever, NULL);
	pthread_create(&thread, NULL, end_all, NULL);
	forever(NULL);
}

static void *later(void *unused)
{
	(void)unused;
	pause_milliseconds(10);
	return NULL;
}

/* The process ends with its last thread, with the code of the first. */
static void leader_first(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, later, NULL);
	syscall(SYS_exit, 33);
}

static void *later_with_code(void *unused)
{
	(void)unused;
	pause_milliseconds(10);
	syscall(SYS_exit, 44);
	return NULL;
}

static void leader_first_with_code(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, later_with_code, NULL);
	syscall(SYS_exit, 33);
}

static void *end_group(void *unused)
{
	void *list;
	size_t size;
	cpu_set_t processors;

	(void)unused;
	pause_milliseconds(10);
	/* The process is there under its id all the same. */
	SHOW(getpriority(PRIO_PROCESS, getpid()));
	SHOW(sched_getscheduler(getpid()));
	SHOW(sched_getaffinity(getpid(), sizeof processors, &processors));
	SHOW(syscall(SYS_get_robust_list, getpid(), &list, &size));
	_exit(55);
}

static void leader_first_then_group(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, end_group, NULL);
	syscall(SYS_exit, 33);
}

static void *kill_itself(void *unused)
{
	(void)unused;
	pause_milliseconds(10);
	pthread_kill(pthread_self(), SIGTERM);
	return forever(NULL);
}

static void killed_by_a_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, forever, NULL);
	pthread_create(&thread, NULL, kill_itself, NULL);
	forever(NULL);
}

static void *fault(void *unused)
{
	(void)unused;
	*(volatile int *)8 = 1;
	return NULL;
}

static void faulting_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, fault, NULL);
	forever(NULL);
}

static int forks;

static void *fork_here(void *unused)
{
	pid_t child;
	int status;

	(void)unused;
	child = fork();
	if (child == 0) {
		char line[256];
		FILE *file = fopen("/proc/self/status", "r");

		forks++;
		HOLDS(thread_id() == getpid());
		while (file && fgets(line, sizeof line, file))
			if (!strncmp(line, "Threads:", 8))
				fputs(line, stdout);
		exit(11);
	}
	waitpid(child, &status, 0);
	show_status("forked by a thread", status);
	printf("here it counts %d\n", forks);
	return NULL;
}

static void fork_of_a_thread(void)
{
	pthread_t waits, thread;

	pthread_create(&waits, NULL, forever, NULL);
	pthread_create(&thread, NULL, fork_here, NULL);
	pthread_join(thread, NULL);
	printf("threads of the parent are still there: %s\n", pthread_kill(waits, 0) ? "no" : "yes");
}

static void *run_again(void *path)
{
	char *arguments[] = { path, "again", NULL };

	execv(path, arguments);
	printf("exec: errno %d\n", errno);
	return NULL;
}

static char *own_path;

static void exec_by_a_thread(void)
{
	char number[16];
	pthread_t thread;

	snprintf(number, sizeof number, "%d", getpid());
	setenv("PID", number, 1);
	pthread_create(&thread, NULL, forever, NULL);
	pthread_create(&thread, NULL, run_again, own_path);
	forever(NULL);
}

static void *run_later(void *path)
{
	pause_milliseconds(20);
	return run_again(path);
}

/* The last thread, which is not the first, has the pid after an exec too. */
static void exec_by_the_last(void)
{
	char number[16];
	pthread_t thread;

	snprintf(number, sizeof number, "%d", getpid());
	setenv("PID", number, 1);
	pthread_create(&thread, NULL, run_later, own_path);
	syscall(SYS_exit, 0);
}

static void *fail_to_run(void *unused)
{
	char *arguments[] = { "nothing", NULL };

	(void)unused;
	SHOW(execv("/there/is/nothing", arguments));
	return "went on";
}

static void failed_exec(void)
{
	pthread_t waits, thread;
	void *result;

	pthread_create(&waits, NULL, forever, NULL);
	pthread_create(&thread, NULL, fail_to_run, NULL);
	pthread_join(thread, &result);
	printf("%s; %s\n", (char *)result, pthread_kill(waits, 0) ? "the other is gone" : "so does the other");
}

static __thread int caught;
static int caught_by;
static pid_t of_thread;

static void catch(int number)
{
	(void)number;
	caught++;
	__atomic_store_n(&caught_by, thread_id(), __ATOMIC_SEQ_CST);
}

static int ready;

static void *take_signals(void *unused)
{
	sigset_t none;

	(void)unused;
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	of_thread = thread_id();
	__atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
	while (caught < 2)
		pause_milliseconds(5);
	return (void *)(intptr_t)caught;
}

/* A signal for the process goes to whoever does not block it; one for a thread waits for that. */
static void directed(void)
{
	struct sigaction action = { .sa_handler = catch };
	sigset_t one, old, pending;
	pthread_t thread;
	void *result;

	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &one, &old);
	pthread_create(&thread, NULL, take_signals, NULL);
	while (!__atomic_load_n(&ready, __ATOMIC_SEQ_CST))
		sched_yield();
	kill(getpid(), SIGUSR1);
	while (!__atomic_load_n(&caught_by, __ATOMIC_SEQ_CST))
		pause_milliseconds(1);
	printf("for the process: caught by the %s\n", caught_by == of_thread ? "thread" : "wrong one");
	SHOW(syscall(SYS_tgkill, getpid(), thread_id(), SIGUSR1));
	sigpending(&pending);
	printf("own pending: %d, caught %d\n", sigismember(&pending, SIGUSR1), caught);
	caught_by = 0;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, &result);
	printf("for the thread: caught by the %s, %ld in all\n", caught_by == of_thread ? "thread" : "wrong one",
	       (long)(intptr_t)result);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	printf("then its own: %d\n", caught);
	SHOW(syscall(SYS_tgkill, getpid(), of_thread, 0));
	SHOW(syscall(SYS_tkill, of_thread, 0));
	SHOW(syscall(SYS_tgkill, 1, thread_id() + 0, 0) == -1 || getpid() == 1);
	SHOW(syscall(SYS_tgkill, 0, thread_id(), 0));
	SHOW(syscall(SYS_tgkill, getpid(), 0, 0));
	SHOW(syscall(SYS_tkill, -1, 0));
	SHOW(syscall(SYS_tkill, thread_id(), 65));
	SHOW(syscall(SYS_tgkill, getpid(), thread_id(), -1));
}

static void *block_and_end(void *argument)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	if (argument)
		pthread_sigmask(SIG_BLOCK, &one, NULL);
	return NULL;
}

/* A signal that comes while all block it is taken by the first that does not any more. */
static void taken_later(void)
{
	struct sigaction action = { .sa_handler = catch };
	pthread_t thread;
	sigset_t one;

	sigaction(SIGUSR2, &action, NULL);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &one, NULL);
	caught_by = 0;
	kill(getpid(), SIGUSR2);
	pthread_create(&thread, NULL, block_and_end, NULL);
	pthread_join(thread, NULL);
	printf("taken: %d, not by the first: %d\n", caught_by != 0, caught_by != getpid());
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

static pthread_mutex_t robust;

static void *die_with_it(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&robust);
#ifdef __GLIBC__
	syscall(SYS_exit, 0);
#endif
	return NULL;
}

static void *wait_for_it(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)pthread_mutex_lock(&robust);
}

static void robust_mutex(void)
{
	pthread_mutexattr_t attributes;
	pthread_t owner, waiter;
	void *result;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attributes);
	pthread_create(&owner, NULL, die_with_it, NULL);
	pthread_join(owner, NULL);
	pthread_create(&waiter, NULL, wait_for_it, NULL);
	pthread_join(waiter, &result);
	printf("its owner is dead: %d\n", result == (void *)EOWNERDEAD);
	printf("again: %d\n", pthread_mutex_lock(&robust) == EOWNERDEAD);
	SHOW(pthread_mutex_consistent(&robust));
	SHOW(pthread_mutex_unlock(&robust));
	SHOW(pthread_mutex_lock(&robust));
}

/* The same between processes: the child ends with the mutex. */
static void robust_between_processes(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t *mutex =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;
	int status;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &attributes);
	pthread_mutex_lock(mutex);
	child = fork();
	if (child == 0) {
		pthread_mutex_lock(mutex);
		kill(getpid(), SIGKILL);
	}
	pthread_mutex_unlock(mutex);
	waitpid(child, &status, 0);
	show_status("the child with the mutex", status);
	printf("its owner is dead: %d\n", pthread_mutex_lock(mutex) == EOWNERDEAD);
}

static void *wait_for_child(void *child)
{
	int status;
	pid_t ended = waitpid(*(pid_t *)child, &status, 0);

	printf("another thread waits for the child: %s\n", ended == *(pid_t *)child ? "yes" : "no");
	show_status("the child", status);
	return NULL;
}

static void wait_elsewhere(void)
{
	pthread_t thread;
	pid_t child = fork();

	if (child == 0) {
		pause_milliseconds(10);
		_exit(5);
	}
	pthread_create(&thread, NULL, wait_for_child, &child);
	pthread_join(thread, NULL);
	SHOW(waitpid(child, NULL, 0));
}

static void *name(void *unused)
{
	char name[32] = { 0 };

	(void)unused;
	prctl(PR_GET_NAME, name);
	printf("inherits its name: %d\n", strlen(name) > 0);
	SHOW(prctl(PR_SET_NAME, "a name that is too long"));
	prctl(PR_GET_NAME, name);
	printf("is called \"%s\"\n", name);
	return NULL;
}

static void names(void)
{
	char before[32] = { 0 }, after[32] = { 0 };
	pthread_t thread;

	prctl(PR_GET_NAME, before);
	pthread_create(&thread, NULL, name, NULL);
	pthread_join(thread, NULL);
	prctl(PR_GET_NAME, after);
	printf("the first keeps its own: %d\n", !strcmp(before, after));
}

static void *spawn(void *unused)
{
	char *arguments[] = { own_path, "spawned", NULL };
	pid_t child;
	int status, error = posix_spawn(&child, own_path, NULL, NULL, arguments, environ);

	(void)unused;
	if (error) {
		printf("spawn: %d\n", error);
		return NULL;
	}
	waitpid(child, &status, 0);
	show_status("spawned", status);
	return NULL;
}

static int progress;

static void *go_on(void *unused)
{
	(void)unused;
	for (;;) {
		__atomic_add_fetch(&progress, 1, __ATOMIC_SEQ_CST);
		sched_yield();
	}
	return NULL;
}

/* Only the caller of vfork waits. */
static void vfork_of_a_thread(void)
{
	pthread_t thread;
	int before;
	pid_t child;
	int status;

	pthread_create(&thread, NULL, go_on, NULL);
	before = __atomic_load_n(&progress, __ATOMIC_SEQ_CST);
	child = vfork();
	if (child == 0) {
		struct timespec time = { 0, 20000000 };

		nanosleep(&time, NULL);
		_exit(__atomic_load_n(&progress, __ATOMIC_SEQ_CST) > before ? 0 : 1);
	}
	waitpid(child, &status, 0);
	show_status("while vfork's caller waited, the other went on", status);
}

int main(int count, char **arguments)
{
	pthread_t thread;

	own_path = arguments[0];
	if (count > 1) {
		char line[256];
		FILE *file = fopen("/proc/self/status", "r");

		printf("%s: ", arguments[1]);
		while (file && fgets(line, sizeof line, file))
			if (!strncmp(line, "Threads:", 8))
				fputs(line, stdout);
		if (getenv("PID"))
			HOLDS(getpid() == atoi(getenv("PID")));
		HOLDS(thread_id() == getpid());
		return 66;
	}
	in_child("exit by another thread", exit_from_another);
	in_child("the first ends first", leader_first);
	in_child("the first ends first, the last with another code", leader_first_with_code);
	in_child("the first ends first, then all", leader_first_then_group);
	in_child("a thread kills itself", killed_by_a_thread);
	in_child("a thread faults", faulting_thread);
	in_child("fork", fork_of_a_thread);
	in_child("exec", exec_by_a_thread);
	in_child("exec by the last", exec_by_the_last);
	in_child("exec that fails", failed_exec);
	in_child("directed signals", directed);
	in_child("signals taken later", taken_later);
	in_child("robust mutex", robust_mutex);
	in_child("robust mutex between processes", robust_between_processes);
	in_child("wait elsewhere", wait_elsewhere);
	in_child("names", names);
	in_child("vfork", vfork_of_a_thread);
	pthread_create(&thread, NULL, spawn, NULL);
	pthread_join(thread, NULL);
	return 0;
}
