/* Reads in raw mode that wait for a number of bytes, or for a time; settings in their several forms; output that is
 * stopped and goes on. The one who types waits for each question. */
#include "../report.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static struct termios before;

static void ask(const char *what, int minimum, int time, int length)
{
	struct termios raw = before;
	char bytes[64];

	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VMIN] = minimum;
	raw.c_cc[VTIME] = time;
	tcsetattr(0, TCSANOW, &raw);
	printf("%s?\n", what);
	long got = read(0, bytes, length);
	if (got < 0)
		printf("errno %d\n", errno);
	else
		printf("%ld: %.*s\n", got, (int)got, bytes);
}

int main(void)
{
	unsigned char new_form[44];
	int number = -1;

	tcgetattr(0, &before);
	ask("nothing, without waiting", 0, 0, 10);
	ask("nothing, for a time", 0, 2, 10);
	ask("one soon", 0, 100, 10);
	ask("three", 3, 0, 10);
	ask("two of three, then silence", 3, 10, 10);
	ask("more than wanted", 3, 0, 3);
	ask("the rest", 1, 0, 10);
	SHOW(ioctl(0, 0x802c542a, new_form));
	HOLDS(memcmp(new_form + 36, new_form + 40, 4) == 0);
	SHOW(ioctl(0, 0x402c542b, new_form));
	SHOW(ioctl(0, TIOCOUTQ, &number));
	printf("%d\n", number);
	SHOW(ioctl(0, TIOCGETD, &number));
	printf("%d\n", number);
	number = 77;
	SHOW(ioctl(0, TIOCSETD, &number));
	SHOW(tcflush(0, 9));
	SHOW(tcflush(0, TCIOFLUSH));
	SHOW(tcflow(0, 9));
	SHOW(tcsendbreak(0, 0));
	SHOW(tcdrain(0));
	SHOW(ioctl(0, 0x5499, 0));
	tcsetattr(0, TCSANOW, &before);
	struct pollfd out = {1, POLLOUT};
	/* What is written now waits until somebody lets it go on. */
	pid_t child = fork();
	if (child == 0) {
		usleep(100000);
		tcflow(0, TCOON);
		_exit(0);
	}
	tcflow(0, TCOOFF);
	int stopped = poll(&out, 1, 0);
	printf("writable while it is stopped: %d\n", stopped);
	waitpid(child, NULL, 0);
	SHOW(poll(&out, 1, 0));
	printf("done\n");
	return 0;
}
