/* /proc/PID/pagemap (proc(5)): which pages are there. */
#include "report.h"
#include <stdint.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 4 };

/* A letter a page: P present, S present and shared, - not there. */
static void show(const char *what, int file, const void *start, int count)
{
	uint64_t entries[16];
	ssize_t got = pread(file, entries, (size_t)count * 8, (off_t)((uintptr_t)start / PAGE * 8));

	printf("%s: %zd ", what, got);
	for (int i = 0; i < got / 8; i++)
		putchar(entries[i] >> 63 ? entries[i] >> 61 & 1 ? 'S' : 'P' : '-');
	puts("");
}

int main(void)
{
	char path[64], bytes[32];
	uint64_t one[2];
	int file = open("/proc/self/pagemap", O_RDONLY);
	char *private = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	HOLDS(file >= 0 && private != MAP_FAILED && shared != MAP_FAILED);
	show("untouched", file, private, PAGES);
	private[0] = private[2 * PAGE] = 1;
	shared[PAGE] = 1;
	show("private", file, private, PAGES);
	show("shared", file, shared, PAGES);
	mprotect(private, PAGES * PAGE, PROT_NONE);
	show("without access", file, private, PAGES);
	mprotect(private, PAGES * PAGE, PROT_READ | PROT_WRITE);
	madvise(private, PAGE, MADV_DONTNEED);
	show("one given back", file, private, PAGES);

	/* By read, onwards. */
	off_t at = (off_t)((uintptr_t)private / PAGE * 8);
	HOLDS(lseek(file, at, SEEK_SET) == at);
	SHOW(read(file, one, 8));
	printf("first %d\n", (int)(one[0] >> 63));
	SHOW(read(file, one, 16));
	printf("second %d, third %d\n", (int)(one[0] >> 63), (int)(one[1] >> 63));
	HOLDS(lseek(file, 0, SEEK_CUR) == at + 24);
	/* Into a buffer that crosses a page, and is not aligned. */
	char *crossing = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	HOLDS(pread(file, crossing + PAGE - 13, 32, at) == 32);
	memcpy(bytes, crossing + PAGE - 13, 32);
	printf("third %d, fourth %d\n", (bytes[23] & 0x80) != 0, (bytes[31] & 0x80) != 0);

	SHOW(pread(file, bytes, 4, at));
	SHOW(pread(file, bytes, 8, at + 4));
	SHOW(pread(file, bytes, 8, (off_t)1 << 46));
	SHOW(pread(file, bytes, 0, at));
	char *volatile nowhere = (char *)8;
	SHOW(pread(file, nowhere, 8, at));
	SHOW(write(file, bytes, 8));

	/* Another's. */
	pid_t child = fork();
	if (child == 0) {
		private[3 * PAGE] = 1;
		for (;;)
			pause();
	}
	until_asleep(child);
	snprintf(path, sizeof path, "/proc/%d/pagemap", child);
	int other = open(path, O_RDONLY);
	show("the child's", other, private, PAGES);
	show("one's own", file, private, PAGES);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap(private, PAGES * PAGE);
	show("unmapped", file, private, PAGES);
	return 0;
}
