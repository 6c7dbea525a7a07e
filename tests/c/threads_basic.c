/* POSIX threads: what every threaded program uses. */
#include "report.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn, total;
static __thread int mine = 7;

static void *count(void *argument)
{
	int n = (intptr_t)argument;

	for (int i = 0; i < n; i++) {
		pthread_mutex_lock(&mutex);
		total++;
		pthread_mutex_unlock(&mutex);
		mine++;
	}
	return (void *)(intptr_t)mine;
}

static void counting(void)
{
	pthread_t thread[8];
	void *result;
	int wrong = 0;

	for (int i = 0; i < 8; i++)
		wrong += pthread_create(&thread[i], NULL, count, (void *)(intptr_t)(200 + i)) != 0;
	for (int i = 0; i < 8; i++) {
		wrong += pthread_join(thread[i], &result) != 0;
		wrong += (intptr_t)result != 207 + i;
	}
	printf("eight threads counted to %d, %d wrong; the first thread's own is %d\n", total, wrong, mine);
}

static void *answer(void *unused)
{
	(void)unused;
	for (int i = 0; i < 150; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != 1)
			pthread_cond_wait(&changed, &mutex);
		turn = 0;
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void ping_pong(void)
{
	pthread_t thread;
	int rounds = 0;

	pthread_create(&thread, NULL, answer, NULL);
	for (; rounds < 150; rounds++) {
		pthread_mutex_lock(&mutex);
		while (turn != 0)
			pthread_cond_wait(&changed, &mutex);
		turn = 1;
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&mutex);
	}
	printf("joined: %d after %d rounds\n", pthread_join(thread, NULL), rounds);
}

static void *nothing(void *argument)
{
	return argument;
}

/* The table of threads is not used up by those that are gone. */
static void many(void)
{
	int wrong = 0;

	for (int i = 0; i < 150; i++) {
		pthread_t thread;
		void *result = NULL;

		wrong += pthread_create(&thread, NULL, nothing, &wrong) != 0;
		wrong += pthread_join(thread, &result) != 0 || result != &wrong;
	}
	printf("a hundred and fifty threads one after the other: %d wrong\n", wrong);
}

static pthread_barrier_t barrier;
static int arrived;

static void *meet(void *argument)
{
	int serial = 0;

	(void)argument;
	for (int i = 0; i < 10; i++) {
		__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
		serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
		if (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < 5 * (i + 1))
			puts("somebody went too early");
		pthread_barrier_wait(&barrier);
	}
	return (void *)(intptr_t)serial;
}

static void barriers(void)
{
	pthread_t thread[5];
	void *result;
	int serial = 0;

	pthread_barrier_init(&barrier, NULL, 5);
	for (int i = 0; i < 5; i++)
		pthread_create(&thread[i], NULL, meet, NULL);
	for (int i = 0; i < 5; i++) {
		pthread_join(thread[i], &result);
		serial += (intptr_t)result;
	}
	printf("five met ten times: %d arrivals, %d were last\n", arrived, serial);
}

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int value[2];

static void *write_both(void *unused)
{
	(void)unused;
	for (int i = 0; i < 100; i++) {
		pthread_rwlock_wrlock(&lock);
		value[0]++;
		if (i % 10 == 0)
			sched_yield();
		value[1]++;
		pthread_rwlock_unlock(&lock);
	}
	return NULL;
}

static void *read_both(void *unused)
{
	intptr_t wrong = 0;

	(void)unused;
	for (int i = 0; i < 100; i++) {
		pthread_rwlock_rdlock(&lock);
		wrong += value[0] != value[1];
		if (i % 20 == 0)
			sched_yield();
		pthread_rwlock_unlock(&lock);
	}
	return (void *)wrong;
}

static void readers_and_writers(void)
{
	pthread_t thread[6];
	intptr_t wrong = 0;
	void *result;

	for (int i = 0; i < 6; i++)
		pthread_create(&thread[i], NULL, i % 2 ? write_both : read_both, NULL);
	for (int i = 0; i < 6; i++) {
		pthread_join(thread[i], &result);
		wrong += (intptr_t)result;
	}
	printf("readers and writers: %d and %d, %ld wrong\n", value[0], value[1], (long)wrong);
}

static int times;

static void once(void)
{
	times++;
}

static void *call_once(void *argument)
{
	pthread_once(argument, once);
	return NULL;
}

static pthread_key_t key;

static void destroyed(void *argument)
{
	printf("destructor of %s\n", (char *)argument);
}

static void *with_key(void *argument)
{
	pthread_setspecific(key, argument);
	printf("has %s\n", (char *)pthread_getspecific(key));
	pthread_exit("left");
}

static void once_and_keys(void)
{
	static pthread_once_t control = PTHREAD_ONCE_INIT;
	pthread_t thread[4];
	void *result;

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, call_once, &control);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	printf("once: %d\n", times);
	pthread_key_create(&key, destroyed);
	pthread_create(&thread[0], NULL, with_key, "a value");
	pthread_join(thread[0], &result);
	printf("it %s; the first thread has %p\n", (char *)result, pthread_getspecific(key));
}

static void cleaned(void *argument)
{
	printf("cleaned up after %s\n", (char *)argument);
}

static void *sleep_long(void *argument)
{
	struct timespec day = { 86400, 0 };

	pthread_cleanup_push(cleaned, argument);
	nanosleep(&day, NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *wait_long(void *argument)
{
	pthread_cleanup_push(cleaned, argument);
	pthread_mutex_lock(&mutex);
	for (;;)
		pthread_cond_wait(&changed, &mutex);
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancels(void)
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, sleep_long, "sleep");
	sched_yield();
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("cancelled: %d\n", result == PTHREAD_CANCELED);
	pthread_create(&thread, NULL, wait_long, "wait");
	sched_yield();
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("cancelled: %d, with the mutex\n", result == PTHREAD_CANCELED);
	pthread_mutex_unlock(&mutex);
}

static sem_t done;

static void *detached(void *unused)
{
	(void)unused;
	sem_post(&done);
	return NULL;
}

static void detaches(void)
{
	pthread_t thread;
	pthread_attr_t attributes;

	sem_init(&done, 0, 0);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < 20; i++)
		if (pthread_create(&thread, &attributes, detached, NULL))
			puts("cannot create");
	for (int i = 0; i < 20; i++)
		sem_wait(&done);
	puts("twenty detached threads were here");
}

static void timeouts(void)
{
	struct timespec when;
	pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	int result;

	clock_gettime(CLOCK_REALTIME, &when);
	when.tv_nsec += 20000000;
	if (when.tv_nsec >= 1000000000) {
		when.tv_sec++;
		when.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&held);
	do
		result = pthread_cond_timedwait(&changed, &held, &when);
	while (result == 0);
	printf("condition: %s\n", strerror(result));
	printf("mutex: %s\n", strerror(pthread_mutex_timedlock(&held, &when)));
	printf("semaphore: %d", sem_timedwait(&done, &when));
	printf(" %s\n", strerror(errno));
	pthread_mutex_unlock(&held);
}

static void *kinds(void *unused)
{
	pthread_mutex_t recursive;
	pthread_mutex_t checking;
	pthread_mutexattr_t attributes;

	(void)unused;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&checking, &attributes);
	SHOW(pthread_mutex_lock(&recursive));
	SHOW(pthread_mutex_lock(&recursive));
	SHOW(pthread_mutex_unlock(&recursive));
	SHOW(pthread_mutex_unlock(&recursive));
	SHOW(pthread_mutex_unlock(&checking));
	SHOW(pthread_mutex_lock(&checking));
	SHOW(pthread_mutex_lock(&checking));
	SHOW(pthread_mutex_trylock(&checking));
	HOLDS(syscall(SYS_gettid) != getpid());
	return NULL;
}

int main(void)
{
	pthread_t thread;

	counting();
	ping_pong();
	many();
	barriers();
	readers_and_writers();
	once_and_keys();
	cancels();
	detaches();
	timeouts();
	pthread_create(&thread, NULL, kinds, NULL);
	pthread_join(thread, NULL);
	return 0;
}
