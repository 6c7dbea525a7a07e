/* malloc and what is under it: brk, mmap, munmap, mprotect. */
#include "report.h"
#include <stdint.h>
#include <sys/mman.h>

enum { SLOTS = 512 };

static uint64_t state = 1;

static uint64_t random_number(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 33;
}

/* Blocks of every size come and go; each keeps what was written to it. */
static void churn(void)
{
	static struct { unsigned char *at; size_t size; unsigned char fill; } slot[SLOTS];
	unsigned long wrong = 0, sum = 0;

	for (int turn = 0; turn < 20000; turn++) {
		int i = random_number() % SLOTS;
		if (slot[i].at) {
			for (size_t k = 0; k < slot[i].size; k += 61)
				wrong += slot[i].at[k] != slot[i].fill;
			if (random_number() % 4 == 0) {
				size_t size = 1 + random_number() % 5000;
				slot[i].at = realloc(slot[i].at, size);
				memset(slot[i].at, slot[i].fill, size);
				slot[i].size = size;
				continue;
			}
			free(slot[i].at);
			slot[i].at = NULL;
			continue;
		}
		slot[i].size = 1 + random_number() % (turn % 100 == 0 ? 300000 : 3000);
		slot[i].fill = random_number();
		slot[i].at = malloc(slot[i].size);
		memset(slot[i].at, slot[i].fill, slot[i].size);
		sum += slot[i].size;
	}
	printf("allocated %lu bytes in all, %lu wrong\n", sum, wrong);
	for (int i = 0; i < SLOTS; i++)
		free(slot[i].at);
}

/* musl has no sbrk. */
#ifdef __GLIBC__
static void breaks(void)
{
	unsigned char *start = sbrk(0);

	HOLDS(start != (void *)-1);
	HOLDS(sbrk(3 * 4096 + 5) == start);
	start[0] = 1;
	start[3 * 4096 + 4] = 2;
	HOLDS(start[4096] == 0);
	HOLDS(sbrk(0) == start + 3 * 4096 + 5);
	HOLDS(brk(start) == 0);
	HOLDS(sbrk(0) == start);
	HOLDS(sbrk(4096) == start && start[0] == 0);
	errno = 0;
	HOLDS(sbrk((intptr_t)1 << 46) == (void *)-1 && errno == ENOMEM);
}
#endif

static unsigned char *area;

static void write_it(void)
{
	*(volatile unsigned char *)area = 1;
}

static void read_it(void)
{
	(void)*(volatile unsigned char *)area;
}

static void run_it(void)
{
	((void (*)(void))(uintptr_t)area)();
}

static void maps(void)
{
	enum { SIZE = 16 * 4096 };

	area = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	HOLDS(area != MAP_FAILED && (uintptr_t)area % 4096 == 0);
	int zero = 1;
	for (int i = 0; i < SIZE; i++)
		zero &= area[i] == 0;
	HOLDS(zero);
	memset(area, 0xc3, SIZE);
	in_child("write to read-write memory", write_it);
	in_child("run read-write memory", run_it);
	SHOW(mprotect(area, 4096, PROT_READ));
	in_child("write to read-only memory", write_it);
	in_child("read read-only memory", read_it);
	SHOW(mprotect(area, 4096, PROT_READ | PROT_EXEC));
	in_child("run executable memory", run_it);
	SHOW(mprotect(area, 4096, PROT_NONE));
	in_child("read memory without access", read_it);
	SHOW(mprotect(area, 4096, PROT_READ | PROT_WRITE));
	HOLDS(area[0] == 0xc3);
	SHOW(mprotect(area + 1, 4096, PROT_READ));
	SHOW(munmap(area + 1, 4096));
	SHOW(munmap(area, 0));
	SHOW(munmap(area + 4 * 4096, 4 * 4096));
	HOLDS(area[4 * 4096 - 1] == 0xc3 && area[8 * 4096] == 0xc3);
	SHOW(mprotect(area, SIZE, PROT_READ | PROT_WRITE));
	unsigned char *again = mmap(area + 4 * 4096, 4096, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	HOLDS(again == area + 4 * 4096 && again[0] == 0);
	area += 5 * 4096;
	in_child("read unmapped memory", read_it);
	area -= 5 * 4096;
	/* Over what is there: it is replaced. */
	again = mmap(area, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	HOLDS(again == area && again[0] == 0);
	in_child("write to what replaced it", write_it);
	SHOW(munmap(area, SIZE));
	in_child("read it unmapped", read_it);
	SHOW(munmap(area, SIZE));
	SHOW_WHETHER(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	SHOW_WHETHER(mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0));
	SHOW_WHETHER(mmap(NULL, (size_t)1 << 50, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	SHOW_WHETHER(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0));
}

int main(void)
{
	churn();
#ifdef __GLIBC__
	breaks();
#endif
	maps();
	return 0;
}
