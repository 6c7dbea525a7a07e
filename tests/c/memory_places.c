/* Where mappings go, and what limits them. */
#include "report.h"
#include <stdint.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define REFUSED(...) SHOW((long)mmap(__VA_ARGS__) == -1 ? -1 : 0)

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static void limited(int resource, rlim_t most)
{
	struct rlimit limit = { most, RLIM_INFINITY };

	setrlimit(resource, &limit);
}

int main(void)
{
	char *at = mmap(NULL, 16 * PAGE, RW, ANONYMOUS, -1, 0), *to;

	/* A place that is asked for is taken where it is free, rounded down to a page. */
	munmap(at + 4 * PAGE, 4 * PAGE);
	to = mmap(at + 4 * PAGE + 5, 2 * PAGE, RW, ANONYMOUS, -1, 0);
	printf("hint: %d\n", to == at + 4 * PAGE);
	to = mmap(at, 2 * PAGE, RW, ANONYMOUS, -1, 0);
	printf("taken: %d\n", to != at && to != MAP_FAILED);
	strcpy(at, "old");
	SHOW(mmap(at, PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at);
	REFUSED(at, PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	REFUSED(at - PAGE, 3 * PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	puts(at);
	SHOW(mmap(at + 6 * PAGE, 2 * PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at + 6 * PAGE);
	SHOW(mmap(at, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0) == at);
	printf("[%s]\n", at);
	REFUSED(at + 1, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0);
	REFUSED((void *)0x7ffffffff000, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0);
	REFUSED((void *)-PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0);
	REFUSED(NULL, -1L, RW, ANONYMOUS, -1, 0);
	REFUSED(NULL, 1L << 47, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0);
	REFUSED(NULL, 0, RW, ANONYMOUS, -1, 0);
	REFUSED(NULL, PAGE, RW, ANONYMOUS | MAP_HUGETLB, -1, 0);
	SHOW(syscall(SYS_mmap, NULL, PAGE, RW, ANONYMOUS, -1, 7L));
	to = mmap(NULL, PAGE, RW, ANONYMOUS | MAP_32BIT, -1, 0);
	printf("below 2 GiB: %d\n", (uintptr_t)to < 1L << 31);
	to = mmap(NULL, 4 * PAGE, RW, ANONYMOUS | MAP_POPULATE | MAP_STACK | MAP_NORESERVE, -1, 0);
	unsigned char there[4];
	mincore(to, 4 * PAGE, there);
	printf("populated: %d %d\n", there[0] & 1, there[3] & 1);

	/* Room for what is mapped next is kept out of what was mapped. */
	to = mmap(NULL, 1L << 40, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0);
	SHOW(to == MAP_FAILED ? -1 : 0);
	SHOW(mprotect(to + (1L << 39), PAGE, RW));
	to[1L << 39] = 1;
	SHOW(munmap(to, 1L << 40));

	/* The heap, and its limits. */
	char *end = sbrk(0);
	SHOW(sbrk(10 * PAGE) == end);
	end[10 * PAGE - 1] = 1;
	SHOW(sbrk(-5 * PAGE) == end + 10 * PAGE);
	SHOW(sbrk(5 * PAGE) == end + 5 * PAGE);
	printf("zero again: %d\n", end[10 * PAGE - 1]);
	SHOW(syscall(SYS_brk, 0) == (long)end + 10 * PAGE);
	SHOW(syscall(SYS_brk, 4096) == (long)end + 10 * PAGE);
	SHOW(syscall(SYS_brk, -1L) == (long)end + 10 * PAGE);
	if (fork() == 0) {
		limited(RLIMIT_DATA, 0);
		REFUSED(NULL, PAGE, RW, ANONYMOUS, -1, 0);
		limited(RLIMIT_DATA, PAGE);
		SHOW(syscall(SYS_brk, end + 20 * PAGE) == (long)end + 10 * PAGE);
		REFUSED(NULL, PAGE, RW, ANONYMOUS, -1, 0);
		REFUSED(NULL, PAGE, PROT_READ, ANONYMOUS, -1, 0);
		REFUSED(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		_exit(0);
	}
	wait(NULL);
	if (fork() == 0) {
		limited(RLIMIT_AS, 64 << 20);
		REFUSED(NULL, 64 << 20, PROT_NONE, ANONYMOUS, -1, 0);
		REFUSED(NULL, 1 << 20, PROT_NONE, ANONYMOUS, -1, 0);
		/* What it replaces does not count. */
		to = mmap(NULL, 40 << 20, PROT_READ, ANONYMOUS, -1, 0);
		SHOW(to == MAP_FAILED ? -1 : 0);
		REFUSED(to, 40 << 20, RW, ANONYMOUS | MAP_FIXED, -1, 0);
		SHOW(mremap(to, 40 << 20, 80 << 20, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
		SHOW(syscall(SYS_brk, end + (64 << 20)) == (long)end + 10 * PAGE);
		_exit(0);
	}
	wait(NULL);

	/* Addresses can be asked to be no random ones. */
	SHOW(personality(0xffffffff) & ADDR_NO_RANDOMIZE);
	SHOW(personality(ADDR_NO_RANDOMIZE) & ADDR_NO_RANDOMIZE);
	SHOW(personality(0xffffffff));
	return 0;
}
