/* futex(2) by itself: its operations and errors. */
#include "report.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

/* What linux/futex.h has, which musl's compiler does not find. */
enum {
	FUTEX_WAIT, FUTEX_WAKE, FUTEX_FD, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP,
	FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET,
	FUTEX_PRIVATE_FLAG = 128, FUTEX_CLOCK_REALTIME = 256,
	FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE, FUTEX_REQUEUE_PRIVATE = 131, FUTEX_CMP_REQUEUE_PRIVATE,
	FUTEX_WAKE_OP_PRIVATE, FUTEX_WAIT_BITSET_PRIVATE = 137, FUTEX_WAKE_BITSET_PRIVATE,
	FUTEX_OP_SET = 0, FUTEX_OP_ADD, FUTEX_OP_OR, FUTEX_OP_ANDN, FUTEX_OP_XOR, FUTEX_OP_OPARG_SHIFT = 8,
	FUTEX_OP_CMP_EQ = 0, FUTEX_OP_CMP_NE, FUTEX_OP_CMP_LT, FUTEX_OP_CMP_LE, FUTEX_OP_CMP_GT, FUTEX_OP_CMP_GE,
};
#define FUTEX_OP(op, argument, comparison, compared)                                                             \
	((((op) & 0xfu) << 28) | (((comparison) & 0xfu) << 24) | (((argument) & 0xfffu) << 12) | ((compared) & 0xfffu))

static long futex(void *word, int operation, uint32_t value, const void *timeout, void *second, uint32_t third)
{
	return syscall(SYS_futex, word, operation, value, timeout, second, third);
}

static uint32_t word, other;


/* Until that many threads sleep: they say so first, and /proc/self/task/N/stat agrees. */
static void until_waiting(const int *ids, int count)
{
	for (int i = 0; i < count; i++) {
		char path[64], line[256], *state;

		while (!__atomic_load_n(&ids[i], __ATOMIC_SEQ_CST))
			sched_yield();
		snprintf(path, sizeof path, "/proc/self/task/%d/stat", ids[i]);
		do {
			FILE *file = fopen(path, "r");

			if (!file || !fgets(line, sizeof line, file)) {
				printf("cannot read the state of a thread: errno %d\n", errno);
				exit(1);
			}
			fclose(file);
			state = strrchr(line, ')') + 2;
		} while (*state != 'S');
	}
}

struct sleeper {
	pthread_t thread;
	int id;
	uint32_t *word, bits;
	long result;
	int error;
};

static void *sleep_on(void *argument)
{
	struct sleeper *sleeper = argument;

	__atomic_store_n(&sleeper->id, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	errno = 0;
	sleeper->result = futex(sleeper->word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, sleeper->bits);
	sleeper->error = errno;
	return NULL;
}

static void start(struct sleeper *sleepers, int count, uint32_t *on)
{
	for (int i = 0; i < count; i++) {
		sleepers[i] = (struct sleeper){ .word = on, .bits = 1u << i };
		pthread_create(&sleepers[i].thread, NULL, sleep_on, &sleepers[i]);
		until_waiting(&sleepers[i].id, 1);
	}
}

static void finish(struct sleeper *sleepers, int count)
{
	for (int i = 0; i < count; i++) {
		pthread_join(sleepers[i].thread, NULL);
		printf("  sleeper %d: %ld, errno %d\n", i, sleepers[i].result, sleepers[i].error);
	}
}

static void wakes(void)
{
	struct sleeper sleepers[4];

	start(sleepers, 4, &word);
	SHOW(futex(&word, FUTEX_WAKE, 9, NULL, NULL, 0));
	SHOW(futex(&other, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 0, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0));
	finish(sleepers, 1);
	SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
	finish(sleepers + 2, 2);
}

static void bits(void)
{
	struct sleeper sleepers[4];

	start(sleepers, 4, &word);
	SHOW(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 0x10));
	SHOW(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 0x5));
	finish(sleepers, 1);
	finish(sleepers + 2, 1);
	SHOW(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, ~0u));
	finish(sleepers + 1, 1);
	SHOW(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, ~0u));
	finish(sleepers + 3, 1);
	SHOW(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 0));
}

static void requeues(void)
{
	struct sleeper sleepers[4];

	start(sleepers, 4, &word);
	SHOW(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &other, 1));
	SHOW(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &other, 0));
	finish(sleepers, 1);
	SHOW(futex(&other, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	finish(sleepers + 1, 1);
	SHOW(futex(&word, FUTEX_REQUEUE_PRIVATE, 0, (void *)9, &other, 0));
	SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
	SHOW(futex(&other, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
	finish(sleepers + 2, 2);
	SHOW(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, -1, (void *)1, &other, 0));
	SHOW(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)-1, &other, 0));
}

static void operates(void)
{
	struct sleeper sleepers[2];

	start(sleepers, 1, &word);
	start(sleepers + 1, 1, &other);
	other = 5;
	SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 5)));
	printf("the word is %u\n", other);
	finish(sleepers, 1);
	SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other, FUTEX_OP(FUTEX_OP_OR, 16, FUTEX_OP_CMP_EQ, 8)));
	printf("the word is %u\n", other);
	finish(sleepers + 1, 1);
	SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other, FUTEX_OP(FUTEX_OP_ANDN, 8, FUTEX_OP_CMP_NE, 0)));
	printf("the word is %u\n", other);
	SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other, FUTEX_OP(FUTEX_OP_XOR, 3, FUTEX_OP_CMP_LT, 0)));
	printf("the word is %u\n", other);
	SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other, FUTEX_OP(FUTEX_OP_SET, -1, FUTEX_OP_CMP_LE, 0)));
	printf("the word is %u\n", other);
	SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other,
		   FUTEX_OP((FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT), 7, FUTEX_OP_CMP_GE, 0)));
	printf("the word is %u\n", other);
	SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, (char *)&other + 1, 0));
	SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, (void *)16, 0));
	SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other, FUTEX_OP(FUTEX_OP_SET, 0, 6, 0)));
	SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other, FUTEX_OP(5, 0, 0, 0)));
	other = 0;
}

static void errors(void)
{
	struct timespec soon = { 0, 10000000 }, past = { 1, 0 }, bad = { 0, 1000000000 }, negative = { -1, 0 };
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	word = 0;
	SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 0, &soon, NULL, 0));
	SHOW(futex(&word, FUTEX_WAIT, 0, &soon, NULL, 0));
	SHOW(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &past, NULL, 1));
	SHOW(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 1));
	SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 1, &bad, NULL, 0));
	SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 1, &negative, NULL, 0));
	SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 1, (void *)16, NULL, 0));
	SHOW(futex((char *)&word + 1, FUTEX_WAIT_PRIVATE, 1, (void *)16, NULL, 0));
	SHOW(futex((char *)&word + 1, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
	SHOW(futex((char *)&word + 2, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	SHOW(futex((void *)16, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
	SHOW(futex((void *)16, FUTEX_WAIT, 1, NULL, NULL, 0));
	SHOW(futex((void *)16, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	SHOW(futex((void *)16, FUTEX_WAKE, 1, NULL, NULL, 0));
	SHOW(futex((void *)0x8000000000000000, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	SHOW(futex(page, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
	SHOW(futex(page, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	SHOW(futex(page, FUTEX_WAKE, 1, NULL, NULL, 0));
	SHOW(futex(&word, 99, 0, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_WAKE_PRIVATE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_WAIT_PRIVATE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_FD, 0, NULL, NULL, 0));
}

static int main_thread;

/* Sends the first thread a signal when it sleeps, and wakes it when it sleeps again. */
static void *disturb(void *argument)
{
	until_waiting(&main_thread, 1);
	syscall(SYS_tgkill, getpid(), main_thread, SIGUSR1);
	if (argument) {
		while (!__atomic_load_n((int *)argument, __ATOMIC_SEQ_CST))
			sched_yield();
		until_waiting(&main_thread, 1);
		futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static int handled;

static void handler(int number)
{
	printf("handler of %d\n", number);
	__atomic_store_n(&handled, 1, __ATOMIC_SEQ_CST);
}

/* A wait without a time is asked again after a handler with SA_RESTART; one with a time is not. */
static void signals(void)
{
	static struct timespec day = { 86400, 0 };
	struct sigaction action = { .sa_handler = handler };
	pthread_t thread;

	main_thread = syscall(SYS_gettid);
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, disturb, NULL);
	SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, disturb, NULL);
	SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 0, &day, NULL, 0));
	pthread_join(thread, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, disturb, NULL);
	SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 0, &day, NULL, 0));
	pthread_join(thread, NULL);
	handled = 0;
	pthread_create(&thread, NULL, disturb, &handled);
	SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	pthread_join(thread, NULL);
}

static void shared(void)
{
	uint32_t *common = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t child;

	if (common == MAP_FAILED) {
		printf("no shared memory: errno %d\n", errno);
		return;
	}
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 100; i++) {
			while (__atomic_load_n(&common[0], __ATOMIC_SEQ_CST) == (uint32_t)i)
				futex(&common[0], FUTEX_WAIT, i, NULL, NULL, 0);
			__atomic_store_n(&common[1], i + 1, __ATOMIC_SEQ_CST);
			futex(&common[1], FUTEX_WAKE, 1, NULL, NULL, 0);
		}
		_exit(0);
	}
	for (int i = 0; i < 100; i++) {
		__atomic_store_n(&common[0], i + 1, __ATOMIC_SEQ_CST);
		futex(&common[0], FUTEX_WAKE, 1, NULL, NULL, 0);
		while (__atomic_load_n(&common[1], __ATOMIC_SEQ_CST) == (uint32_t)i)
			futex(&common[1], FUTEX_WAIT, i, NULL, NULL, 0);
	}
	waitpid(child, &status, 0);
	show_status("the other process", status);
	printf("shared: %u %u\n", common[0], common[1]);
}

int main(void)
{
	wakes();
	bits();
	requeues();
	operates();
	errors();
	signals();
	shared();
	return 0;
}
