/* Many processes, one after the other and side by side, that write at random: at the end every page is as it should be,
 * and every frame is back. Arguments: how many cycles, and a seed. */
#define _GNU_SOURCE
#include "counters.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PAGE = 4096, PAGES = 160 };

static uint64_t state;
static char *memory;
/* What the first word of each page is, in this process. */
static uint32_t expected[PAGES];
static char *none[] = {NULL};

static uint32_t random_below(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % limit;
}

static void fail(const char *what, long number)
{
	printf("%s: %ld, errno %d\n", what, number, errno);
	exit(1);
}

static volatile uint32_t *word_of(int page)
{
	return (uint32_t *)(memory + (size_t)page * PAGE);
}

static void write_some(int most)
{
	for (uint32_t count = random_below(most + 1); count > 0; count--) {
		int page = random_below(PAGES);
		expected[page] = random_below(UINT32_MAX);
		*word_of(page) = expected[page];
	}
}

static int wrong_pages(int count)
{
	int wrong = 0;

	for (; count > 0; count--) {
		int page = random_below(PAGES);
		wrong += *word_of(page) != expected[page];
	}
	return wrong;
}

static void wait_for(pid_t child, int expected_status)
{
	int status;

	if (child < 0)
		fail("no child", child);
	if (waitpid(child, &status, 0) != child)
		fail("wait", child);
	if (status != expected_status)
		fail("status", status);
}

static pid_t forked(int depth)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	write_some(6);
	if (depth < 3 && random_below(8) == 0) {
		pid_t grandchild = forked(depth + 1);
		write_some(3);
		wait_for(grandchild, 0);
	}
	if (wrong_pages(4))
		_exit(1);
	if (random_below(4) == 0) {
		char *arguments[] = {"/bin/tiny", NULL};
		execve(arguments[0], arguments, none);
		_exit(2);
	}
	_exit(0);
}

/* A piece of the memory goes, and comes back as zeros. */
static void renew(void)
{
	int first = random_below(PAGES), count = 1 + random_below(PAGES - first);
	char *start = memory + (size_t)first * PAGE;

	if (random_below(2)) {
		if (mprotect(start, (size_t)count * PAGE, PROT_READ) ||
		    mprotect(start, (size_t)count * PAGE, PROT_READ | PROT_WRITE))
			fail("mprotect", first);
	} else if (mmap(start, (size_t)count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			0) != start) {
		fail("mmap", first);
	} else {
		memset(expected + first, 0, count * sizeof *expected);
	}
}

static void cycle(void)
{
	uint32_t kind = random_below(64);

	if (kind < 8) {
		char *arguments[] = {"/bin/tiny", NULL};
		pid_t child = vfork();
		if (child == 0) {
			execve(arguments[0], arguments, none);
			_exit(2);
		}
		wait_for(child, 0);
	} else if (kind < 9) {
		pid_t child = fork();
		if (child == 0) {
			write_some(6);
			for (;;)
				pause();
		}
		write_some(3);
		kill(child, SIGKILL);
		wait_for(child, SIGKILL);
	} else if (kind < 11) {
		/* Two at once. */
		pid_t first = forked(0);
		write_some(2);
		pid_t second = forked(0);
		write_some(2);
		wait_for(second, 0);
		wait_for(first, 0);
	} else {
		pid_t child = forked(0);
		write_some(3);
		wait_for(child, 0);
	}
	if (kind == 63)
		renew();
	if (wrong_pages(2))
		fail("wrong pages after a cycle of kind", kind);
}

/* Every page there, and nobody else has one. */
static void settle(struct counters *counters)
{
	for (int page = 0; page < PAGES; page++)
		*word_of(page) = expected[page];
	read_counters(counters);
	read_counters(counters);
}

static struct counters before, after;

int main(int argc, char **argv)
{
	long cycles = argc > 1 ? atol(argv[1]) : 1000;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 64; i++)
		cycle();
	settle(&before);
	for (long i = 0; i < cycles; i++)
		cycle();
	settle(&after);
	for (int page = 0; page < PAGES; page++)
		if (*word_of(page) != expected[page])
			fail("wrong page", page);
	const char *gauges[] = {"frames_tables", "frames_pages", "frames_kernel", "processes"};
	for (int i = 0; i < 4; i++) {
		long more = counter(&after, gauges[i]) - counter(&before, gauges[i]);
		printf("%s: %ld more\n", gauges[i], more);
	}
	return 0;
}
