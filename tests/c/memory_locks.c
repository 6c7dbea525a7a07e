/* Locked memory, and how much of it may be: root's and that of others. */
#include "report.h"
#include <grp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

/* The call, and whether it gives a mapping. */
#define MAPS(...)                                                        \
	do {                                                             \
		char *at_ = mmap(__VA_ARGS__);                           \
		SHOW(at_ == MAP_FAILED ? -1 : 0);                        \
		if (at_ != MAP_FAILED)                                   \
			munmap(at_, PAGE);                               \
	} while (0)

static void limited(rlim_t bytes)
{
	const struct rlimit limit = { bytes, 1 << 20 };

	SHOW(setrlimit(RLIMIT_MEMLOCK, &limit));
}

static void somebody_else(void)
{
	SHOW(setgroups(0, NULL));
	SHOW(setresgid(1, 1, 1));
	SHOW(setresuid(1, 1, 1));
}

static void of_somebody_else(void)
{
	char *at = mmap(NULL, 8 * PAGE, RW, ANONYMOUS, -1, 0), *more;

	limited(4 * PAGE);
	somebody_else();
	SHOW(mlock(at, 4 * PAGE));
	SHOW(mlock(at + 2 * PAGE, 2 * PAGE));
	SHOW(mlock(at + 2 * PAGE, 3 * PAGE));
	SHOW(mlock(at, 8 * PAGE));
	SHOW(munlock(at, PAGE));
	SHOW(mlock(at + 7 * PAGE, PAGE));
	SHOW(mlock(at + 6 * PAGE, PAGE));
	SHOW(mlock(at + 100 * PAGE, 100 * PAGE));
	MAPS(NULL, PAGE, RW, ANONYMOUS | MAP_LOCKED, -1, 0);
	SHOW(munlock(at + PAGE, PAGE));
	MAPS(NULL, PAGE, RW, ANONYMOUS | MAP_LOCKED, -1, 0);
	MAPS(NULL, 2 * PAGE, RW, ANONYMOUS | MAP_LOCKED, -1, 0);
	SHOW(mlockall(MCL_CURRENT));
	SHOW(mlockall(MCL_FUTURE));
	MAPS(NULL, PAGE, RW, ANONYMOUS, -1, 0);
	MAPS(NULL, 2 * PAGE, RW, ANONYMOUS, -1, 0);
	SHOW(munlockall());
	SHOW(mlock(at, PAGE));
	more = mremap(at, PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	SHOW(more == MAP_FAILED ? -1 : 0);
	more = mremap(at, PAGE, 5 * PAGE, MREMAP_MAYMOVE);
	SHOW(more == MAP_FAILED ? -1 : 0);
	SHOW(munlockall());
	limited(0);
	SHOW(mlock(at, PAGE));
	SHOW(syscall(SYS_mlock2, at, PAGE, 8));
	SHOW(mlockall(MCL_CURRENT));
	SHOW(mlockall(0));
	SHOW(munlock(at, PAGE));
	MAPS(NULL, PAGE, RW, ANONYMOUS | MAP_LOCKED, -1, 0);
	MAPS(NULL, PAGE, RW, ANONYMOUS, -1, 0);
}

static void of_root(void)
{
	char *at = mmap(NULL, 8 * PAGE, RW, ANONYMOUS, -1, 0);

	limited(0);
	SHOW(mlock(at, 8 * PAGE));
	SHOW(mlockall(MCL_CURRENT | MCL_FUTURE));
	MAPS(NULL, PAGE, RW, ANONYMOUS | MAP_LOCKED, -1, 0);
	MAPS(NULL, PAGE, RW, ANONYMOUS, -1, 0);
}

int main(void)
{
	in_child("somebody else", of_somebody_else);
	in_child("root", of_root);
	return 0;
}
