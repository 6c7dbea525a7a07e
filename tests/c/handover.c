/* A write to an empty pipe at which somebody waits to read: whatever the reader's buffer is like, and however it reads, it
 * gets the bytes that it would get had they been there before. */
#include "report.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/uio.h>

enum { PAGE = 4096 };

static int to[2], back[2];

/* Lets the child come to where it waits: it says so, and nothing that it does after that takes long. */
static void until_it_waits(void)
{
	char byte;

	if (read(back[0], &byte, 1) != 1)
		exit(2);
	usleep(20000);
}

static void about_to_wait(void)
{
	if (write(back[1], "w", 1) != 1)
		_exit(3);
}

/* Runs `reader` in a child, writes `bytes` once it waits, and shows how that goes. */
static void with(const char *name, void (*reader)(void), const char *bytes, size_t length)
{
	int status;

	if (pipe(to) || pipe(back))
		exit(1);
	printf("-- %s\n", name);
	pid_t child = fork();
	if (child == 0) {
		close(to[1]);
		reader();
		_exit(0);
	}
	close(to[0]);
	until_it_waits();
	ssize_t written = write(to[1], bytes, length);
	close(to[1]);
	waitpid(child, &status, 0);
	printf("written: %zd\n", written);
	show_status("the reader", status);
	close(back[0]);
	close(back[1]);
}

static void show_rest(void)
{
	char rest[64];
	ssize_t count;

	while ((count = read(to[0], rest, sizeof rest)) > 0)
		printf("%zd more: %.*s\n", count, (int)count, rest);
	printf("at the end: %zd\n", count);
}

static void plain(void)
{
	char buffer[16] = "................";

	about_to_wait();
	SHOW(read(to[0], buffer, sizeof buffer));
	printf("%.16s\n", buffer);
	show_rest();
}

static void too_small(void)
{
	char buffer[4] = "....";

	about_to_wait();
	SHOW(read(to[0], buffer, 3));
	printf("%.4s\n", buffer);
	show_rest();
}

static char *pages(void)
{
	return mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void across_pages(void)
{
	char *buffer = pages() + PAGE - 2;

	about_to_wait();
	SHOW(read(to[0], buffer, 5));
	printf("%.5s\n", buffer);
	show_rest();
}

static void untouched(void)
{
	char *buffer = pages();

	about_to_wait();
	SHOW(read(to[0], buffer, 5));
	printf("%.5s, then %d\n", buffer, buffer[5]);
}

static void not_writable(void)
{
	char *buffer = pages();

	strcpy(buffer, "kept");
	mprotect(buffer, PAGE, PROT_READ);
	about_to_wait();
	SHOW(read(to[0], buffer, 5));
	printf("%s\n", buffer);
	show_rest();
}

static void not_mapped(void)
{
	about_to_wait();
	SHOW(read(to[0], (char *)PAGE, 5));
	show_rest();
}

/* The buffer's page is shared with a child that forked off: it keeps what it has. */
static void shared_with_a_child(void)
{
	static char buffer[16] = "before";
	int status, go[2];
	char byte;

	if (pipe(go))
		_exit(1);
	pid_t child = fork();
	if (child == 0) {
		close(go[1]);
		close(to[0]);
		close(back[1]);
		if (read(go[0], &byte, 1) != 0)
			_exit(1);
		_exit(strcmp(buffer, "before") ? 2 : 0);
	}
	close(go[0]);
	about_to_wait();
	SHOW(read(to[0], buffer, 5));
	printf("%s\n", buffer);
	close(go[1]);
	waitpid(child, &status, 0);
	show_status("the reader's child", status);
}

static void by_vectors(void)
{
	char a[2] = "..", b[2] = "..", c[4] = "....";
	struct iovec vector[] = {{a, 2}, {b, 2}, {c, 4}};

	about_to_wait();
	SHOW(readv(to[0], vector, 3));
	printf("%.2s %.2s %.4s\n", a, b, c);
}

static void by_poll(void)
{
	struct pollfd descriptor = {.fd = to[0], .events = POLLIN};
	char buffer[8] = "........";

	about_to_wait();
	SHOW(poll(&descriptor, 1, -1));
	printf("events %#x\n", descriptor.revents & POLLIN);
	SHOW(read(to[0], buffer, 8));
	printf("%.8s\n", buffer);
}

static void note(int number)
{
	(void)number;
}

/* The first wait ends with a signal: the bytes go to the second one. */
static void interrupted(void)
{
	struct sigaction action = {.sa_handler = note};
	char buffer[8] = "........";

	sigaction(SIGUSR1, &action, NULL);
	pid_t child = fork();
	if (child == 0) {
		usleep(5000);
		_exit(kill(getppid(), SIGUSR1));
	}
	SHOW(read(to[0], buffer, 8));
	waitpid(child, NULL, 0);
	about_to_wait();
	SHOW(read(to[0], buffer, 8));
	printf("%.8s\n", buffer);
}

/* Two that wait: each write is one reader's, in the order in which they came. */
static void two_readers(void)
{
	int status;
	pid_t children[2];

	if (pipe(to) || pipe(back))
		exit(1);
	printf("-- two readers\n");
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			char buffer[8] = "";

			about_to_wait();
			ssize_t count = read(to[0], buffer, 8);
			_exit(count == 1 && buffer[0] == "ab"[i] ? 0 : 1);
		}
		until_it_waits();
	}
	SHOW(write(to[1], "a", 1));
	usleep(20000);
	SHOW(write(to[1], "b", 1));
	for (int i = 0; i < 2; i++) {
		waitpid(children[i], &status, 0);
		show_status("a reader", status);
	}
	for (int i = 0; i < 2; i++) {
		close(to[i]);
		close(back[i]);
	}
}

static char cleared[PAGE];

int main(void)
{
	with("all of it", plain, "hello", 5);
	with("as much as there is room", plain, "0123456789abcdef", 16);
	with("more than there is room", plain, "0123456789abcdefghi", 19);
	with("a small buffer", too_small, "hello", 5);
	with("a buffer across pages", across_pages, "hello", 5);
	with("a buffer never touched", untouched, "hello", 5);
	with("a buffer that cannot be written", not_writable, "hello", 5);
	with("a buffer that is not there", not_mapped, "hello", 5);
	with("a buffer shared with a child", shared_with_a_child, "after", 5);
	with("several buffers", by_vectors, "abcdef", 6);
	with("a poll before it", by_poll, "abcdef", 6);
	with("a wait that was interrupted", interrupted, "abcdef", 6);
	with("bytes of no page yet", plain, cleared + 1000, 8);
	SHOW(pipe(to));
	SHOW(fcntl(to[0], F_SETFL, O_NONBLOCK));
	SHOW(read(to[0], cleared, 1));
	SHOW(read(to[0], (char *)PAGE, 1));
	SHOW(read(to[1], cleared, 1));
	close(to[1]);
	SHOW(read(to[0], cleared, 1));
	close(to[0]);
	two_readers();
	return 0;
}
