/* madvise, mincore, msync, mlock: what they do, and what they refuse. */
#include "scratch.h"
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

static sigjmp_buf back;
static int code;

static void caught(int signal, siginfo_t *what, void *context)
{
	(void)signal, (void)context;
	code = what->si_code;
	siglongjmp(back, 1);
}

static void look(const char *name, char *at)
{
	if (sigsetjmp(back, 1))
		printf("%s: fault, code %d\n", name, code);
	else
		printf("%s: [%.9s]\n", name, at);
}

static char *fresh(long pages)
{
	char *at = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (long n = 0; n < pages; n++)
		sprintf(at + n * PAGE, "page %ld", n);
	return at;
}

static void resident(const char *name, char *at, long pages)
{
	unsigned char there[64];

	if (mincore(at, pages * PAGE, there) != 0) {
		printf("%s: errno %d\n", name, errno);
		return;
	}
	printf("%s:", name);
	for (long n = 0; n < pages; n++)
		printf(" %d", there[n] & 1);
	printf("\n");
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO };
	char *at = fresh(8), *shared, *private;
	int file;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	SHOW(madvise(at, 2 * PAGE, MADV_DONTNEED));
	look("gone", at + PAGE);
	look("kept", at + 2 * PAGE);
	SHOW(madvise(at + 7 * PAGE, PAGE, MADV_DONTFORK));
	SHOW(madvise(at + 6 * PAGE, PAGE, MADV_WIPEONFORK));
	SHOW(madvise(at + 4 * PAGE, 2 * PAGE, MADV_DONTFORK));
	SHOW(madvise(at + 5 * PAGE, PAGE, MADV_DOFORK));
	if (fork() == 0) {
		look("child 3", at + 3 * PAGE);
		look("child 4", at + 4 * PAGE);
		look("child 5", at + 5 * PAGE);
		look("child 6", at + 6 * PAGE);
		look("child 7", at + 7 * PAGE);
		sprintf(at + 6 * PAGE, "again");
		if (fork() == 0) {
			look("grandchild 6", at + 6 * PAGE);
			_exit(0);
		}
		wait(NULL);
		_exit(0);
	}
	wait(NULL);
	look("parent 4", at + 4 * PAGE);
	look("parent 6", at + 6 * PAGE);
	SHOW(madvise(at + 6 * PAGE, PAGE, MADV_KEEPONFORK));
	if (fork() == 0) {
		look("child 6", at + 6 * PAGE);
		_exit(0);
	}
	wait(NULL);

	/* A hole: the rest is done, and then it fails. */
	munmap(at + 4 * PAGE, PAGE);
	SHOW(madvise(at + 3 * PAGE, 4 * PAGE, MADV_DONTNEED));
	look("before the hole", at + 3 * PAGE);
	look("after the hole", at + 6 * PAGE);
	SHOW(madvise(at + 3 * PAGE, 4 * PAGE, MADV_NORMAL));
	SHOW(madvise(at + 3 * PAGE, 4 * PAGE, MADV_POPULATE_WRITE));
	for (int advice = 0; advice < 5; advice++)
		SHOW(madvise(at, PAGE, advice));
	SHOW(madvise(at, PAGE, 5));
	SHOW(madvise(at, PAGE, 1000));
	SHOW(madvise(at + 1, PAGE, MADV_NORMAL));
	SHOW(madvise(at, 0, MADV_DONTNEED));
	SHOW(madvise(at, -1L, MADV_DONTNEED));
	SHOW(madvise(at, PAGE, MADV_REMOVE));

	enter_scratch();
	file = open("advised", O_RDWR | O_CREAT | O_TRUNC, 0600);
	SHOW(pwrite(file, "first", 6, 0));
	SHOW(pwrite(file, "second", 7, PAGE));
	shared = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, file, 0);
	private = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, file, 0);
	strcpy(shared, "FIRST");
	strcpy(private + PAGE, "own");
	SHOW(madvise(shared, 2 * PAGE, MADV_DONTNEED));
	SHOW(madvise(private, 2 * PAGE, MADV_DONTNEED));
	look("shared", shared);
	look("private", private + PAGE);
	SHOW(madvise(private, PAGE, MADV_FREE));
	SHOW(madvise(private, PAGE, MADV_WIPEONFORK));
	SHOW(madvise(private, PAGE, MADV_REMOVE));

	SHOW(msync(shared, 2 * PAGE, MS_SYNC));
	SHOW(msync(shared, 2 * PAGE, MS_ASYNC | MS_INVALIDATE));
	SHOW(msync(shared, 2 * PAGE, MS_ASYNC | MS_SYNC));
	SHOW(msync(shared, 2 * PAGE, 8));
	SHOW(msync(shared + 1, PAGE, MS_SYNC));
	SHOW(msync(at + 3 * PAGE, 3 * PAGE, MS_SYNC));
	SHOW(msync(shared, -1L, MS_SYNC));
	SHOW(msync(shared, 0, MS_SYNC));
	SHOW(mlock(shared, PAGE));
	SHOW(msync(shared, PAGE, MS_INVALIDATE));
	SHOW(madvise(shared, PAGE, MADV_DONTNEED));
	SHOW(munlock(shared, PAGE));
	SHOW(madvise(shared, PAGE, MADV_DONTNEED));

	at = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(at, 8 * PAGE, MADV_NOHUGEPAGE);
	at[PAGE] = at[5 * PAGE] = 1;
	resident("touched", at, 8);
	SHOW(mlock(at + 100, PAGE));
	resident("locked", at, 8);
	SHOW(madvise(at + 6 * PAGE, PAGE, MADV_POPULATE_READ));
	SHOW(madvise(at + 7 * PAGE, PAGE, MADV_POPULATE_WRITE));
	resident("populated", at, 8);
	SHOW(mprotect(at, PAGE, PROT_READ));
	SHOW(madvise(at, PAGE, MADV_POPULATE_WRITE));
	resident("of a file", shared, 2);
	munmap(at + 2 * PAGE, PAGE);
	SHOW(mincore(at, 4 * PAGE, (void *)back));
	SHOW(mincore(at + 1, PAGE, (void *)back));
	SHOW(mincore(at, PAGE, (void *)8));
	SHOW(mincore(at, 0, (void *)back));
	SHOW(mincore(at, -1L, (void *)back));
	SHOW(mlock(at, 4 * PAGE));
	SHOW(munlock(at, 4 * PAGE));
	SHOW(mlock(at, -1L));
	SHOW(mlock(at, 0));
	SHOW(syscall(SYS_mlock2, at, PAGE, 2));
	SHOW(syscall(SYS_mlock2, at, PAGE, 1));
	SHOW(mlockall(0));
	SHOW(mlockall(8));
	SHOW(munlockall());
	SHOW(munmap(at + 1, PAGE));
	SHOW(munmap(at, 0));
	SHOW(munmap(at, -1L));
	SHOW(mprotect(at + 1, PAGE, RW));
	SHOW(mprotect(at, PAGE, 0x40));
	SHOW(mprotect(at, 0, 0));
	SHOW(mprotect(at, 8 * PAGE, PROT_READ));
	SHOW(unlink("advised"));
	return leave_scratch();
}
