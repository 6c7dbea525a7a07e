/* Pipes between processes: order, ends, limits. */
#include "report.h"
#include <fcntl.h>
#include <stdint.h>

static int ends[2];

static void write_without_reader(void)
{
	(void)!write(ends[1], "x", 1);
}

static void many_bytes(void)
{
	enum { COUNT = 1 << 20 };
	static unsigned char buffer[7919];
	uint32_t sum = 0, want = 0;
	long total = 0;
	ssize_t length;
	int status;

	SHOW(pipe(ends));
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		for (long at = 0; at < COUNT;) {
			size_t n = 1 + at % sizeof buffer;
			if (n > (size_t)(COUNT - at))
				n = COUNT - at;
			for (size_t i = 0; i < n; i++)
				buffer[i] = (at + i) * 31 >> 3;
			for (size_t done = 0; done < n;) {
				ssize_t w = write(ends[1], buffer + done, n - done);
				if (w <= 0)
					_exit(1);
				done += w;
			}
			at += n;
		}
		_exit(0);
	}
	close(ends[1]);
	while ((length = read(ends[0], buffer, sizeof buffer)) > 0) {
		for (ssize_t i = 0; i < length; i++)
			sum = sum * 33 + buffer[i];
		total += length;
	}
	for (long at = 0; at < COUNT; at++)
		want = want * 33 + (unsigned char)(at * 31 >> 3);
	printf("%ld bytes, %s\n", total, sum == want ? "in order" : "WRONG");
	close(ends[0]);
	waitpid(child, &status, 0);
	show_status("the writer", status);
}

/* A byte goes round between two processes. */
static void round_trips(void)
{
	int there[2], back[2], status, wrong = 0;
	unsigned char byte;

	SHOW(pipe(there));
	SHOW(pipe(back));
	pid_t child = fork();
	if (child == 0) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1) {
			byte++;
			(void)!write(back[1], &byte, 1);
		}
		_exit(byte);
	}
	close(there[0]);
	for (int i = 0; i < 200; i++) {
		byte = i;
		(void)!write(there[1], &byte, 1);
		wrong += read(back[0], &byte, 1) != 1 || byte != (unsigned char)(i + 1);
	}
	printf("200 round trips, %d wrong\n", wrong);
	close(there[1]);
	waitpid(child, &status, 0);
	show_status("the other", status);
}

int main(void)
{
	char byte;

	SHOW(pipe(ends));
	printf("descriptors %d and %d\n", ends[0], ends[1]);
	SHOW(write(ends[0], "x", 1));
	SHOW(read(ends[1], &byte, 1));
	SHOW(write(ends[1], "", 0));
	SHOW(write(ends[1], "abc", 3));
	char three[8] = "";
	SHOW(read(ends[0], three, 8));
	printf("%s\n", three);
	SHOW(lseek(ends[0], 0, SEEK_CUR));

	SHOW(fcntl(ends[0], F_SETFL, O_NONBLOCK));
	SHOW(read(ends[0], &byte, 1));
	SHOW(fcntl(ends[1], F_SETFL, O_NONBLOCK));
	long filled = 0;
	static char page[4096];
	while (write(ends[1], page, sizeof page) == sizeof page)
		filled += sizeof page;
	printf("a full pipe holds %ld bytes, errno %d\n", filled, errno);
	SHOW(close(ends[1]));
	long emptied = 0;
	ssize_t length;
	while ((length = read(ends[0], page, sizeof page)) > 0)
		emptied += length;
	printf("%ld read, then %zd\n", emptied, length);
	close(ends[0]);

	SHOW(pipe(ends));
	close(ends[0]);
	in_child("a write that nobody reads", write_without_reader);
	signal(SIGPIPE, SIG_IGN);
	SHOW(write(ends[1], "x", 1));
	signal(SIGPIPE, SIG_DFL);
	close(ends[1]);
	SHOW(pipe2(ends, O_CLOEXEC));
	SHOW(fcntl(ends[0], F_GETFD));
	SHOW(pipe2(ends, 0x40000000));
	SHOW(pipe((int *)8));
	many_bytes();
	round_trips();
	return 0;
}
