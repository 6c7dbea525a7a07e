/* Mutexes that the kernel hands over: PTHREAD_PRIO_INHERIT. */
#include "report.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define FUTEX_LOCK_PI 6
#define FUTEX_UNLOCK_PI 7
#define FUTEX_TRYLOCK_PI 8
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_WAITERS 0x80000000
#define FUTEX_OWNER_DIED 0x40000000
#define FUTEX_TID_MASK 0x3fffffff

static long futex(unsigned *word, int operation, struct timespec *until)
{
	return syscall(SYS_futex, word, operation, 0, until, NULL, 0);
}

static unsigned own(void)
{
	return syscall(SYS_gettid);
}

static struct timespec in_milliseconds(long span)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_nsec += span * 1000000;
	time.tv_sec += time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

static unsigned word, other_word;
static volatile int stage;

static void wait_for(int wanted)
{
	while (stage != wanted)
		usleep(1000);
}

/* Sleeps until somebody has asked for a lock that somebody has. */
static void until_waited_for(volatile unsigned *lock)
{
	while (!(*lock & FUTEX_WAITERS))
		usleep(1000);
}

/* For another thread to wait, mostly; what is shown is the same where it does not yet. */
static void a_while(void)
{
	usleep(20000);
}

static void *waits(void *unused)
{
	(void)unused;
	long tried = futex(&word, FUTEX_TRYLOCK_PI, NULL);
	HOLDS(tried == -1 && errno == EAGAIN);
	stage = 1;
	long result = futex(&word, FUTEX_LOCK_PI, NULL);
	wait_for(2);
	SHOW(result);
	HOLDS((word & FUTEX_TID_MASK) == own());
	SHOW(futex(&word, FUTEX_UNLOCK_PI, NULL));
	return NULL;
}

static void *takes_other(void *unused)
{
	(void)unused;
	SHOW(futex(&other_word, FUTEX_LOCK_PI, NULL));
	stage = 1;
	long result = futex(&word, FUTEX_LOCK_PI, NULL);
	wait_for(2);
	SHOW(result);
	SHOW(futex(&word, FUTEX_UNLOCK_PI, NULL));
	SHOW(futex(&other_word, FUTEX_UNLOCK_PI, NULL));
	return NULL;
}

static void words(void)
{
	struct timespec time;
	pthread_t thread;

	SHOW(futex(&word, FUTEX_UNLOCK_PI, NULL));
	SHOW(futex((unsigned *)((char *)&word + 1), FUTEX_LOCK_PI, NULL));
	SHOW(futex(NULL, FUTEX_LOCK_PI, NULL));
	SHOW(futex(&word, FUTEX_LOCK_PI, NULL));
	HOLDS(word == own());
	SHOW(futex(&word, FUTEX_LOCK_PI, NULL));
	SHOW(futex(&word, FUTEX_TRYLOCK_PI, NULL));
	SHOW(futex(&word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, NULL));
	stage = 0;
	pthread_create(&thread, NULL, waits, NULL);
	wait_for(1);
	until_waited_for(&word);
	HOLDS(word == (own() | FUTEX_WAITERS));
	SHOW(futex(&word, FUTEX_UNLOCK_PI, NULL));
	stage = 2;
	SHOW(pthread_join(thread, NULL));
	HOLDS(word == 0);

	/* Nobody's, and somebody's who is none. */
	word = 0x3ffffffe;
	SHOW(futex(&word, FUTEX_LOCK_PI, NULL));
	SHOW(futex(&word, FUTEX_UNLOCK_PI, NULL));
	word = FUTEX_OWNER_DIED;
	SHOW(futex(&word, FUTEX_LOCK_PI, NULL));
	HOLDS(word == (own() | FUTEX_OWNER_DIED));
	SHOW(futex(&word, FUTEX_UNLOCK_PI, NULL));

	/* Each waits for the other. */
	stage = 0;
	SHOW(futex(&word, FUTEX_LOCK_PI, NULL));
	pthread_create(&thread, NULL, takes_other, NULL);
	wait_for(1);
	until_waited_for(&word);
	SHOW(futex(&other_word, FUTEX_LOCK_PI, NULL));
	SHOW(futex(&word, FUTEX_UNLOCK_PI, NULL));
	stage = 2;
	SHOW(pthread_join(thread, NULL));

	/* Until a time. */
	if (fork() == 0) {
		word = getppid();
		time = in_milliseconds(20);
		SHOW(futex(&word, FUTEX_LOCK_PI, &time));
		SHOW(futex(&word, FUTEX_LOCK_PI, &time));
		time.tv_nsec = 2000000000;
		SHOW(futex(&word, FUTEX_LOCK_PI, &time));
		_exit(0);
	}
	wait(NULL);
}

static void *ends_with_it(void *unused)
{
	(void)unused;
	SHOW(futex(&word, FUTEX_LOCK_PI, NULL));
	stage = 1;
	until_waited_for(&word);
	/* It has let the word go, and not woken anybody. */
	word = FUTEX_OWNER_DIED;
	return NULL;
}

/* An owner ends, and no list says what it had. */
static void owners(void)
{
	pthread_t thread;

	stage = 0;
	pthread_create(&thread, NULL, ends_with_it, NULL);
	wait_for(1);
	SHOW(futex(&word, FUTEX_LOCK_PI, NULL));
	HOLDS(word == (own() | FUTEX_WAITERS | FUTEX_OWNER_DIED));
	SHOW(futex(&word, FUTEX_UNLOCK_PI, NULL));
	HOLDS(word == 0);
	SHOW(pthread_join(thread, NULL));
}

static pthread_mutex_t *mutex;
static long sum;

static void *counts(void *unused)
{
	(void)unused;
	for (int n = 0; n < 300; n++) {
		pthread_mutex_lock(mutex);
		long before = sum;
		if (n % 16 == 0)
			sched_yield();
		sum = before + 1;
		pthread_mutex_unlock(mutex);
	}
	return NULL;
}

static void caught(int number)
{
	(void)number;
}

/* A handler runs while it waits; the call goes on. */
static void *is_signalled(void *unused)
{
	(void)unused;
	stage = 1;
	int result = pthread_mutex_lock(mutex);
	wait_for(2);
	SHOW(result);
	SHOW(pthread_mutex_unlock(mutex));
	return NULL;
}

static void mutexes(void)
{
	struct sigaction action = { .sa_handler = caught };
	pthread_mutexattr_t attributes;
	pthread_t threads[4];
	struct timespec time;

	mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	volatile int *locked = (int *)(mutex + 1);
	SHOW(pthread_mutexattr_init(&attributes));
	SHOW(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
	SHOW(pthread_mutex_init(mutex, &attributes));
	for (int n = 0; n < 4; n++)
		pthread_create(&threads[n], NULL, counts, NULL);
	for (int n = 0; n < 4; n++)
		pthread_join(threads[n], NULL);
	printf("sum %ld\n", sum);

	sigaction(SIGUSR1, &action, NULL);
	stage = 0;
	SHOW(pthread_mutex_lock(mutex));
	pthread_create(&threads[0], NULL, is_signalled, NULL);
	wait_for(1);
	a_while();
	SHOW(pthread_kill(threads[0], SIGUSR1));
	a_while();
	SHOW(pthread_mutex_unlock(mutex));
	stage = 2;
	SHOW(pthread_join(threads[0], NULL));

	/* Shared with a child that ends with it, while the parent waits and before it asks. */
	SHOW(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
	SHOW(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
	for (int round = 0; round < 2; round++) {
		SHOW(pthread_mutex_init(mutex, &attributes));
		pid_t child = fork();
		if (child == 0) {
			SHOW(pthread_mutex_lock(mutex));
			*locked = 1;
			if (round == 0)
				until_asleep(getppid());
			_exit(0);
		}
		while (!*locked)
			sched_yield();
		*locked = 0;
		if (round == 1)
			waitid(P_PID, child, NULL, WEXITED | WNOWAIT);
		SHOW(pthread_mutex_lock(mutex) == EOWNERDEAD);
		SHOW(pthread_mutex_consistent(mutex));
		SHOW(pthread_mutex_unlock(mutex));
		SHOW(pthread_mutex_trylock(mutex));
		if (fork() == 0) {
			time = in_milliseconds(20);
			SHOW(pthread_mutex_trylock(mutex));
			SHOW(pthread_mutex_timedlock(mutex, &time));
			_exit(0);
		}
		while (wait(NULL) > 0)
			;
		SHOW(pthread_mutex_unlock(mutex));
		SHOW(pthread_mutex_destroy(mutex));
	}
}

static unsigned *shared;

static void *locks(void *unused)
{
	futex(shared, FUTEX_LOCK_PI, NULL);
	return unused;
}

/* Processes that end with a lock without having said so to anybody, or while they wait for it themselves. */
static void ends(void)
{
	pthread_t thread;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int threads = 1; threads <= 2; threads++) {
		/* As no C library does it: without a list of robust futexes. */
		pid_t child = syscall(SYS_fork);
		if (child == 0) {
			child = own();
			futex(shared, FUTEX_LOCK_PI, NULL);
			if (threads == 2) {
				pthread_create(&thread, NULL, locks, NULL);
				until_waited_for(shared);
			}
			shared[1] = child;
			until_asleep(getppid());
			syscall(SYS_exit_group, 0);
		}
		while (*(volatile unsigned *)&shared[1] != (unsigned)child)
			sched_yield();
		SHOW(futex(shared, FUTEX_LOCK_PI, NULL));
		SHOW((*shared & FUTEX_TID_MASK) == own());
		SHOW((*shared & FUTEX_OWNER_DIED) != 0);
		SHOW(futex(shared, FUTEX_UNLOCK_PI, NULL));
		SHOW(waitpid(child, NULL, 0) == child);
	}
}

int main(void)
{
	words();
	owners();
	mutexes();
	ends();
	return 0;
}
