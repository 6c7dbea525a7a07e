/* Every system call with arguments that nobody would give in good faith. The machine must live: this program reports
 * at its end, and can still run others. Each batch of calls is made by a child, which may die of it or be killed when
 * it waits for ever. Not for Linux: run as root there, it would do what it says. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NUMBERS = 470, CALLS = 24, PAGE = 4096 };

static uint64_t state;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static long raw(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static char *area;

/* What an argument may be. The area: a writable page, one that is read-only, one without access, then nothing. */
static long value(void)
{
	const long values[] = {
		0, 1, 2, 3, 5, 6, 7, 8, 16, 63, 64, 65, 255, 4095, 4096, 4097,
		-1, -2, -4096, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		INT64_MAX, INT64_MIN, INT64_MIN + 8,
		(long)area, (long)area + 1, (long)area + PAGE - 1, (long)area + PAGE - 4,
		(long)area + PAGE, (long)area + 2 * PAGE - 2, (long)area + 2 * PAGE, (long)area + 3 * PAGE - 1,
		(long)area + 3 * PAGE, (long)area - 1,
		0xffff, 0x10000, 0x400000, (long)&raw, (long)&state, (long)environ,
		0x7fffffffefff, 0x7ffffffff000, 0x7fffffffffff, 0x800000000000, 0x1234567812345678,
		(long)0xffff7fffffffffff, (long)0xffff800000000000, (long)0xffff800000200000,
		(long)0xffffffff80000000, (long)0xffffffff80200000, (long)0xfffffffffffffff8,
	};

	return values[random_number() % (sizeof values / sizeof *values)];
}

/* Calls that reach other processes by number: process 1 is this test. */
static int names_a_process(long number)
{
	switch (number) {
	case SYS_kill:
	case SYS_tkill:
	case SYS_tgkill:
	case SYS_rt_sigqueueinfo:
	case SYS_rt_tgsigqueueinfo:
	case SYS_prlimit64:
	case SYS_setpriority:
	case SYS_sched_setscheduler:
	case SYS_sched_setparam:
	case SYS_sched_setaffinity:
	case SYS_ptrace:
	case SYS_process_vm_writev:
	case SYS_pidfd_open:
		return 1;
	}
	return 0;
}

static void attack(long number, int batch)
{
	long self = raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
	int ends[2], fd;

	state = 0x2545f4914f6cdd1d ^ (uint64_t)number << 20 ^ (uint64_t)batch << 50;
	for (int i = 0; i < 20; i++)
		random_number();
	/* Descriptors 0 and 1 are files, 5 and 6 a pipe; the console is out of reach. */
	fd = open("/tmp/victim", O_RDWR | O_CREAT, 0600);
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	close(fd);
	if (pipe(ends) == 0) {
		dup2(ends[0], 5);
		dup2(ends[1], 6);
	}
	area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(area, batch ? 'x' : 0, 2 * PAGE);
	area[PAGE - 1] = 0;
	mprotect(area + PAGE, PAGE, PROT_READ);
	mprotect(area + 2 * PAGE, PAGE, PROT_NONE);
	munmap(area + 3 * PAGE, PAGE);
	for (int call = 0; call < CALLS; call++) {
		long a[6];
		for (int i = 0; i < 6; i++)
			a[i] = value();
		if (names_a_process(number))
			for (int i = 0; i < 2; i++)
				if ((int)a[i] <= 1 && (int)a[i] >= -2)
					a[i] = 500;
		raw(number, a[0], a[1], a[2], a[3], a[4], a[5]);
		if (raw(SYS_gettid, 0, 0, 0, 0, 0, 0) != self)
			raw(SYS_exit, 0, 0, 0, 0, 0, 0);
	}
	raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
	int batches = argc > 1 ? atoi(argv[1]) : 1;
	static const long odd[] = {1000, 100000, -1, INT64_MIN, INT64_MAX, 0x40000000, 0x40000001, 0x100000000, 0x10000003b};
	int status;

	for (long index = 0; index < NUMBERS + (long)(sizeof odd / sizeof *odd); index++) {
		long number = index < NUMBERS ? index : odd[index - NUMBERS];
		for (int batch = 0; batch < batches; batch++) {
			pid_t child = fork(), ended;
			if (child == 0)
				attack(number, batch);
			if (child < 0) {
				printf("fork before call %ld: errno %d\n", number, errno);
				return 1;
			}
			/* Seldom looked at: where the kernel is slow each look takes time from the child. */
			for (long moment = 2000000; (ended = waitpid(child, &status, WNOHANG)) == 0; moment *= 2) {
				if (moment > 100000000)
					kill(child, SIGKILL);
				nanosleep(&(struct timespec){0, moment % 1000000000}, NULL);
			}
			if (ended != child) {
				printf("the child of call %ld is lost: errno %d\n", number, errno);
				return 1;
			}
			/* What a clone may have left to this process, running or not. */
			kill(-1, SIGKILL);
			while (waitpid(-1, &status, __WALL) > 0)
				;
		}
	}
	pid_t child = fork();
	if (child == 0) {
		execl("/bin/echo", "echo", "other programs run", (char *)NULL);
		_exit(1);
	}
	if (waitpid(child, &status, 0) != child || status != 0)
		return 1;
	puts("survived");
	return 0;
}
