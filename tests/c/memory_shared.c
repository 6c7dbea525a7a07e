/* Shared memory and files that are mapped, privately and shared: who sees what, over fork, write, truncate and unlink. */
#include "scratch.h"
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static siginfo_t info;

static void caught(int signal, siginfo_t *what, void *context)
{
	(void)signal, (void)context;
	info = *what;
	siglongjmp(back, 1);
}

/* What a read of a byte comes to. */
static void look(const char *name, char *at)
{
	if (sigsetjmp(back, 1))
		printf("%s: signal %d, code %d, its address: %s\n", name, info.si_signo, info.si_code,
		       info.si_addr == at ? "yes" : "no");
	else
		printf("%s: %d\n", name, *(volatile char *)at);
}

static void put(const char *name, char *at)
{
	if (sigsetjmp(back, 1))
		printf("%s: signal %d, code %d, its address: %s\n", name, info.si_signo, info.si_code,
		       info.si_addr == at ? "yes" : "no");
	else
		*(volatile char *)at = 'w', printf("%s: written\n", name);
}

/* Forks; the child does what follows and ends. */
#define CHILD for (pid_t pid_ = fork(); pid_ == 0 || (waitpid(pid_, NULL, 0), 0); _exit(0))

static void counters(void)
{
	int *counter = mmap(NULL, 600 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int private = 0;

	for (int n = 0; n < 4; n++)
		CHILD {
			for (int i = 0; i < 600; i++)
				counter[i * 1024 + n]++, counter[i * 1024 + 8] += i;
			private ++;
			CHILD counter[16 + n] = n + 1;
		}
	long sum = 0;
	for (int i = 0; i < 600; i++)
		for (int n = 0; n < 4; n++)
			sum += counter[i * 1024 + n];
	printf("counted %ld, last %d, grandchildren %d %d %d %d, private %d\n", sum, counter[599 * 1024 + 8], counter[16],
	       counter[17], counter[18], counter[19], private);
	/* What nobody has touched before the fork is the same page afterwards. */
	int *late = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHILD { *late = 5; }
	printf("late: %d\n", *late);
	CHILD { munmap(counter, 600 * PAGE); }
	printf("still %d\n", counter[0]);
	int zero = open("/dev/zero", O_RDWR);
	char *of_zero = mmap(NULL, PAGE, RW, MAP_SHARED, zero, 0), *own = mmap(NULL, PAGE, RW, MAP_PRIVATE, zero, 0);
	close(zero);
	CHILD { of_zero[0] = 1, own[0] = 2; }
	printf("of /dev/zero: %d %d\n", of_zero[0], own[0]);
}

static void files(void)
{
	char buffer[16] = "", *shared, *private, *again;
	int file = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);

	SHOW(ftruncate(file, 3 * PAGE));
	SHOW(pwrite(file, "abcdef", 6, 0));
	SHOW(pwrite(file, "second", 6, PAGE));
	shared = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, file, 0);
	private = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, file, 0);
	again = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, PAGE);
	printf("%s %s %s %s\n", shared, private, shared + PAGE, again);
	shared[0] = 'A';
	SHOW(pread(file, buffer, 6, 0));
	printf("%s %s\n", buffer, private);
	private[1] = 'B';
	SHOW(pread(file, buffer, 6, 0));
	printf("%s %s %s\n", buffer, shared, private);
	SHOW(pwrite(file, "xyz", 3, 3));
	printf("%s %s\n", shared, private);
	SHOW(pwrite(file, "SEC", 3, PAGE));
	printf("%s %s %s\n", shared + PAGE, private + PAGE, again);
	CHILD {
		shared[1] = 'S', private[0] = 'P', shared[2 * PAGE] = 'n';
		printf("child %s %s\n", shared, private);
	}
	printf("parent %s %s %s\n", shared, private, private + 2 * PAGE);
	/* Read into the file's own mapping. */
	SHOW(pread(file, shared + 2 * PAGE, 6, 0));
	printf("%s\n", shared + 2 * PAGE);
	SHOW(pwrite(file, shared, 6, 2 * PAGE));
	printf("%s\n", private + 2 * PAGE);

	look("beyond the file", shared + 3 * PAGE);
	look("beyond the file, private", private + 3 * PAGE);
	SHOW(ftruncate(file, PAGE + 3));
	look("cut", shared + 2 * PAGE);
	put("cut, private", private + 2 * PAGE);
	printf("[%s] [%s]\n", shared + PAGE, private + PAGE);
	SHOW(pread(file, shared + 2 * PAGE, 1, 0));
	SHOW(write(file, shared + 2 * PAGE, 1));
	SHOW(ftruncate(file, 4 * PAGE));
	look("grown", shared + 2 * PAGE);
	put("grown", shared + 3 * PAGE);
	SHOW(pread(file, buffer, 1, 3 * PAGE));
	printf("%c\n", buffer[0]);
	SHOW(unlink("mapped"));
	SHOW(close(file));
	shared[5] = '!', shared[6] = 0;
	printf("%s\n", shared);
	SHOW(munmap(shared, 4 * PAGE));
	printf("%s %c\n", again, private[3 * PAGE]);
	SHOW(munmap(again, PAGE));
	SHOW(munmap(private, 4 * PAGE));
}

static void protections(void)
{
	int file = open("guarded", O_RDWR | O_CREAT | O_TRUNC, 0600), reads = open("guarded", O_RDONLY),
	    writes = open("guarded", O_WRONLY), place = open("guarded", O_PATH), directory = open("/", O_RDONLY), ends[2];
	char *at;

	SHOW(ftruncate(file, 2 * PAGE));
	at = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, reads, 0);
	put("read only", at);
	SHOW(mprotect(at, PAGE, RW));
	SHOW(munmap(at, 2 * PAGE));
	at = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, file, 0);
	SHOW(mprotect(at, 2 * PAGE, RW));
	put("allowed later", at);
	SHOW(munmap(at, 2 * PAGE));
	at = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, reads, 0);
	put("private", at);
	SHOW(munmap(at, 2 * PAGE));
#define REFUSED(...) SHOW((long)mmap(__VA_ARGS__) == -1 ? -1 : 0)
	REFUSED(NULL, PAGE, RW, MAP_SHARED, reads, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_SHARED, writes, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_PRIVATE, writes, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_PRIVATE, place, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_PRIVATE, directory, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0);
	REFUSED(NULL, 0, PROT_READ, MAP_PRIVATE, 99, 0);
	REFUSED(NULL, 0, PROT_READ, MAP_PRIVATE, file, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 5);
	REFUSED(NULL, PAGE, PROT_READ, 0, file, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x1000000, file, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_SHARED | 0x1000000, file, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, file, 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0x7ffffffffffff000);
	REFUSED(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
	SHOW(pipe(ends));
	REFUSED(NULL, PAGE, PROT_READ, MAP_SHARED, ends[0], 0);
	REFUSED(NULL, PAGE, PROT_READ, MAP_SHARED, open("/dev/null", O_RDONLY), 0);
	SHOW(unlink("guarded"));
}

/* Many mappings of one file, made and taken away in the middle. */
static void pieces(void)
{
	int file = open("pieces", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *at;
	long sum = 0;

	for (int n = 0; n < 40; n++) {
		char page[PAGE];

		memset(page, n, sizeof page);
		if (write(file, page, sizeof page) != sizeof page)
			puts("short write");
	}
	at = mmap(NULL, 40 * PAGE, RW, MAP_SHARED, file, 0);
	for (int n = 1; n < 40; n += 2)
		mmap(at + n * PAGE, PAGE, RW, (n % 4 == 1 ? MAP_PRIVATE : MAP_SHARED) | MAP_FIXED, file, (39 - n) * PAGE);
	CHILD {
		for (int n = 0; n < 40; n++)
			at[n * PAGE] += 100;
	}
	for (int n = 0; n < 40; n++)
		printf("%d%c", at[n * PAGE], n % 10 == 9 ? '\n' : ' ');
	SHOW(munmap(at + 5 * PAGE, 7 * PAGE));
	for (int n = 0; n < 40; n++)
		if (n < 5 || n >= 12)
			sum += at[n * PAGE + 1];
	printf("sum %ld\n", sum);
	SHOW(unlink("pieces"));
}

/* Bytes of a file onto themselves, by its own mapping; and through a pipe between two places of one page. */
static void onto_itself(void)
{
	int file = open("itself", O_CREAT | O_RDWR | O_TRUNC, 0644), ends[2], status;
	char text[3 * PAGE];
	char *at, *private;

	for (int i = 0; i < 3 * PAGE; i++)
		text[i] = (char)(i * 7 + i / 256);
	SHOW(write(file, text, sizeof text));
	at = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, file, 0);
	private = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, file, 0);
	SHOW(pread(file, at + 100, 2 * PAGE, 100));
	SHOW(pwrite(file, at + 5, PAGE, 5));
	SHOW(pwrite(file, private + 5, 2 * PAGE, 5));
	HOLDS(memcmp(at, text, sizeof text) == 0);
	SHOW(pread(file, at, 1000, PAGE));
	SHOW(pwrite(file, at + PAGE, 1000, 2 * PAGE));
	HOLDS(memcmp(at, text + PAGE, 1000) == 0 && memcmp(at + 2 * PAGE, text + PAGE, 1000) == 0);
	SHOW(pread(file, private, 3 * PAGE, 0));
	HOLDS(memcmp(private, at, 3 * PAGE) == 0);
	SHOW(pwrite(file, at, PAGE, 3 * PAGE - 100));
	SHOW(pread(file, at, 4 * PAGE, 4 * PAGE - 200));
	SHOW(pipe(ends));
	pid_t child = fork();
	if (child == 0)
		_exit(read(ends[0], at + 2000, 100) != 50);
	usleep(20000);
	SHOW(write(ends[1], at + 100, 50));
	waitpid(child, &status, 0);
	show_status("the reader", status);
	HOLDS(memcmp(at + 2000, at + 100, 50) == 0);
	SHOW(munmap(at, 3 * PAGE));
	SHOW(munmap(private, 3 * PAGE));
	close(file);
	SHOW(unlink("itself"));
}

/* A file whose name is gone is no other one's, number and all, while a mapping shows it. */
static void numbers(void)
{
	struct stat first, second;
	int file = open("numbered", O_CREAT | O_RDWR | O_TRUNC, 0644);
	char *at;

	SHOW(ftruncate(file, PAGE));
	SHOW(fstat(file, &first));
	at = mmap(NULL, PAGE, RW, MAP_SHARED, file, 0);
	strcpy(at, "the first");
	close(file);
	SHOW(unlink("numbered"));
	file = open("numbered", O_CREAT | O_RDWR | O_TRUNC, 0644);
	SHOW(fstat(file, &second));
	HOLDS(second.st_ino != first.st_ino);
	puts(at);
	SHOW(munmap(at, PAGE));
	close(file);
	SHOW(unlink("numbered"));
}

/* What is written through a shared mapping changes the file, and its times; what is through a private one does not. */
static void times(void)
{
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
	struct stat state;
	int file = open("timed", O_CREAT | O_RDWR | O_TRUNC, 0644);
	volatile char *at;

	SHOW(ftruncate(file, 2 * PAGE));
	for (int shared = 0; shared < 2; shared++) {
		at = mmap(NULL, 2 * PAGE, RW, shared ? MAP_SHARED : MAP_PRIVATE, file, 0);
		SHOW(futimens(file, old));
		at[PAGE] = 'x';
		SHOW(fstat(file, &state));
		HOLDS(state.st_mtime == 2000);
		SHOW(futimens(file, old));
		SHOW(fstat(file, &state));
		HOLDS(state.st_mtime == 2000 && state.st_atime == 1000);
		SHOW(munmap((void *)at, 2 * PAGE));
	}
	/* The kernel writes for the program. */
	at = mmap(NULL, PAGE, RW, MAP_SHARED, file, 0);
	SHOW(futimens(file, old));
	SHOW(pread(file, (void *)at, 1, 1));
	SHOW(fstat(file, &state));
	HOLDS(state.st_mtime > 2000);
	close(file);
	SHOW(unlink("timed"));
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	enter_scratch();
	counters();
	files();
	protections();
	pieces();
	onto_itself();
	numbers();
	times();
	return leave_scratch();
}
