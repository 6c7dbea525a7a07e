/* mremap in all its forms, and what is refused. */
#include "scratch.h"
#include <fcntl.h>
#include <sys/mman.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)

static char *map(long pages)
{
	char *at = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (long n = 0; n < pages; n += 2)
		sprintf(at + n * PAGE, "page %ld", n);
	return at;
}

/* A place with nothing in it, of so many pages, and a page free on both sides. */
static char *room(long pages)
{
	char *at = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(at, (pages + 2) * PAGE);
	return at + PAGE;
}

static void check(const char *name, char *at, long pages)
{
	long right = 0;

	for (long n = 0; n < pages; n += 2) {
		char expected[32];

		sprintf(expected, "page %ld", n);
		right += strcmp(at + n * PAGE, expected) == 0 && at[(n + 1) * PAGE] == 0;
	}
	printf("%s: %ld of %ld\n", name, right, (pages + 1) / 2);
}

#define FAILS(...) SHOW((long)mremap(__VA_ARGS__) == -1 ? -1 : 0)

int main(void)
{
	char *at = map(40), *to, *more;
	int file;

	to = mremap(at, 40 * PAGE, 20 * PAGE, 0);
	printf("shrunk in place: %d\n", to == at);
	to = mremap(at, 20 * PAGE, 40 * PAGE, 0);
	printf("grown in place: %d\n", to == at);
	check("the old part", at, 20);
	printf("the new part: %d\n", at[20 * PAGE]);
	munmap(at, 40 * PAGE);

	at = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(at + PAGE, PAGE);
	FAILS(at, PAGE, 3 * PAGE, 0);
	to = mremap(at, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	printf("moved: %d\n", to != at && to != MAP_FAILED);
	FAILS(at, PAGE, PAGE, 0);

	at = map(1200);
	to = room(1200);
	printf("there: %d\n", mremap(at, 1200 * PAGE, 1200 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	check("moved", to, 1200);
	for (int n = 0; n < 3; n++)
		if (fork() == 0) {
			char *child = room(1300);

			printf("child: %d\n", mremap(to, 1200 * PAGE, 1300 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, child) == child);
			check("child's", child, 1200);
			sprintf(child, "changed");
			_exit(0);
		} else
			wait(NULL);
	check("after the children", to, 1200);
	at = mremap(to, 1200 * PAGE, 1200 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	printf("another place: %d\n", at != to && at != MAP_FAILED);
	check("moved", at, 1200);
	printf("left: %d %d\n", to[0], to[PAGE]);
	/* A part from the middle, over something else. */
	more = map(4);
	printf("part: %d\n", mremap(at + 10 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, more) == more);
	printf("%s, %s\n", more, more + 2 * PAGE);
	FAILS(at, 20 * PAGE, 30 * PAGE, MREMAP_MAYMOVE);
	check("before it", at, 10);

	/* What is mapped otherwise ends the mapping. */
	at = map(4);
	mprotect(at + 2 * PAGE, PAGE, PROT_READ);
	FAILS(at, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	FAILS(at, 2 * PAGE, 4 * PAGE, 0);
	SHOW(mremap(at, 4 * PAGE, 2 * PAGE, 0) == at);

	at = map(8);
	FAILS(at + 1, PAGE, PAGE, 0);
	FAILS(at, PAGE, 0, 0);
	FAILS(at, PAGE, PAGE, 8);
	FAILS(at, PAGE, PAGE, MREMAP_FIXED, room(1));
	FAILS(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	FAILS(at, PAGE, PAGE, MREMAP_DONTUNMAP, NULL);
	FAILS(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 1);
	FAILS(at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE);
	FAILS(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x7fffffffffff000);
	FAILS(at, 0, PAGE, MREMAP_MAYMOVE);
	FAILS(room(1), PAGE, 2 * PAGE, MREMAP_MAYMOVE);

	/* Shared memory: a second mapping of it, and what grows beyond its object. */
	at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(at + PAGE, "shared");
	to = mremap(at, 0, 2 * PAGE, MREMAP_MAYMOVE);
	printf("second: %s\n", to + PAGE);
	to[0] = 'x';
	printf("%c\n", at[0]);
	to = mremap(to, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	printf("third: %s\n", to == MAP_FAILED ? "no" : to + PAGE);

	/* What was said of it holds for what it grows by: it is still one mapping. */
	at = map(2);
	SHOW(madvise(at, 2 * PAGE, MADV_DONTFORK));
	to = mremap(at, 2 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
	to = mremap(to, 6 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room(8));
	check("grown twice", to, 2);
	SHOW(madvise(to, 8 * PAGE, MADV_DOFORK));

	/* A file's mapping shows more of the file. */
	enter_scratch();
	file = open("moves", O_RDWR | O_CREAT | O_TRUNC, 0600);
	SHOW(ftruncate(file, 8 * PAGE));
	SHOW(pwrite(file, "one", 3, PAGE));
	SHOW(pwrite(file, "five", 4, 5 * PAGE));
	at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, file, PAGE);
	to = mremap(at, 2 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
	printf("%s %s\n", to, to + 4 * PAGE);
	to = mremap(to + 3 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room(2));
	strcpy(to + PAGE, "FIVE");
	char buffer[8] = "";
	SHOW(pread(file, buffer, 4, 5 * PAGE));
	puts(buffer);
	/* Neighbours that show what follows in the file are one, too. */
	at = room(4);
	SHOW(mmap(at + 2 * PAGE, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, file, 6 * PAGE) == at + 2 * PAGE);
	SHOW(mmap(at, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, file, 4 * PAGE) == at);
	to = mremap(at, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room(4));
	puts(to == MAP_FAILED ? "apart" : to + PAGE);
	FAILS(at, PAGE, PAGE, 0);
	SHOW(unlink("moves"));
	return leave_scratch();
}
