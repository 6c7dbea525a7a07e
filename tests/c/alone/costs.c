/* What processes cost, in ticks of the time-stamp counter (instructions, where that counts them), and in frames. A line a
 * figure: its name, a tab, the figure. */
#define _GNU_SOURCE
#include "counters.h"
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { ROUNDS = 11, PAGE = 4096 };

static struct counters before, after;
static char *none[] = {NULL};

static inline uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static void show(const char *name, long figure)
{
	printf("%s\t%ld\n", name, figure);
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median_of(void (*act)(void), int rounds)
{
	uint64_t took[ROUNDS];

	for (int i = 0; i < rounds; i++) {
		uint64_t start = ticks();
		act();
		took[i] = ticks() - start;
	}
	qsort(took, rounds, sizeof *took, ascending);
	return took[rounds / 2];
}

static void wait_for(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		puts("a child failed");
		exit(1);
	}
}

static void just_call(void)
{
	syscall(SYS_getppid);
}

static void fork_and_exit(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	wait_for(child);
}

static void vfork_and_exit(void)
{
	pid_t child = vfork();

	if (child == 0)
		_exit(0);
	wait_for(child);
}

static void fork_and_exec(const char *program)
{
	char *arguments[] = {(char *)program, "child", NULL};
	pid_t child = fork();

	if (child == 0) {
		execve(program, arguments, none);
		_exit(127);
	}
	wait_for(child);
}

static void vfork_and_exec(const char *program)
{
	char *arguments[] = {(char *)program, "child", NULL};
	pid_t child = vfork();

	if (child == 0) {
		execve(program, arguments, none);
		_exit(127);
	}
	wait_for(child);
}

static void fork_and_exec_small(void)
{
	fork_and_exec("/bin/tiny");
}

static void vfork_and_exec_small(void)
{
	vfork_and_exec("/bin/tiny");
}

static void fork_and_exec_this(void)
{
	fork_and_exec("/costs");
}

static void vfork_and_exec_this(void)
{
	vfork_and_exec("/costs");
}

static int there[2], back[2];

static void round_trip(void)
{
	char byte = 0;

	if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
		exit(1);
}

static void pipes(void)
{
	if (pipe(there) || pipe(back))
		exit(1);
	pid_t child = fork();
	if (child == 0) {
		char byte;
		for (int i = 0; i < ROUNDS; i++)
			if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	show("pipe round trip", median_of(round_trip, ROUNDS));
	wait_for(child);
}

static uint64_t in_fork;

static void timed_fork(void)
{
	uint64_t start = ticks();
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	in_fork = ticks() - start;
	wait_for(child);
}

/* A parent with so much in memory. */
static void of_size(long mib)
{
	char name[64];
	size_t length = (size_t)mib << 20, pages = length / PAGE;
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(1);
	uint64_t start = ticks();
	for (size_t i = 0; i < pages; i++)
		memory[i * PAGE] = 1;
	snprintf(name, sizeof name, "zero-fill fault, %ld MiB", mib);
	show(name, (ticks() - start) / pages);

	snprintf(name, sizeof name, "fork+exit+wait, %ld MiB", mib);
	show(name, median_of(timed_fork, 5));
	snprintf(name, sizeof name, "fork, %ld MiB", mib);
	show(name, in_fork);
	read_counters(&after);
	snprintf(name, sizeof name, "table frames of a fork, %ld MiB", mib);
	show(name, counter(&after, "last_fork_table_frames"));

	read_counters(&before);
	for (int i = 0; i < 10; i++)
		fork_and_exec_small();
	read_counters(&after);
	snprintf(name, sizeof name, "pages copied in ten times fork+exec+wait, %ld MiB", mib);
	show(name, counter(&after, "pages_copied") - counter(&before, "pages_copied"));

	/* With a child that holds all of it. */
	if (pipe(there))
		exit(1);
	pid_t child = fork();
	if (child == 0) {
		char byte;
		close(there[1]);
		_exit(read(there[0], &byte, 1) != 0);
	}
	close(there[0]);
	size_t written = pages < 256 ? pages : 256;
	start = ticks();
	for (size_t i = 0; i < written; i++)
		memory[i * PAGE] = 2;
	snprintf(name, sizeof name, "copy-on-write fault, %ld MiB", mib);
	show(name, (ticks() - start) / written);
	close(there[1]);
	wait_for(child);
	munmap(memory, length);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "child"))
		_exit(0);
	setvbuf(stdout, NULL, _IONBF, 0);
	show("getppid", median_of(just_call, ROUNDS));
	show("fork+exit+wait", median_of(fork_and_exit, ROUNDS));
	show("vfork+exit+wait", median_of(vfork_and_exit, ROUNDS));
	show("fork+exec small+wait", median_of(fork_and_exec_small, ROUNDS));
	show("vfork+exec small+wait", median_of(vfork_and_exec_small, ROUNDS));
	show("fork+exec glibc+wait", median_of(fork_and_exec_this, ROUNDS));
	show("vfork+exec glibc+wait", median_of(vfork_and_exec_this, ROUNDS));
	pipes();

	/* The program is known by now: text and constants stay where they are. */
	read_counters(&before);
	for (int i = 0; i < 10; i++)
		vfork_and_exec_this();
	read_counters(&after);
	show("pages taken in ten execs",
	     counter(&after, "pages_copied") - counter(&before, "pages_copied") + counter(&after, "pages_zeroed") -
		     counter(&before, "pages_zeroed"));
	show("programs read in ten execs", counter(&after, "exec_templates") - counter(&before, "exec_templates"));

	of_size(1);
	of_size(256);
	return 0;
}
