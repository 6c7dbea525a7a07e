/* Writes 1 MiB in which every byte value comes, in pieces of many sizes, and ends in the way that is named. */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = 1 << 20 };

int main(int argc, char **argv)
{
	static unsigned char bytes[COUNT];
	const char *how = argc > 1 ? argv[1] : "exit";

	for (uint32_t i = 0; i < COUNT; i++)
		bytes[i] = i ^ i >> 8 ^ i >> 16;
	for (size_t at = 0; at < COUNT;) {
		size_t size = 1 + at % 70001;
		ssize_t written = write(1, bytes + at, size < COUNT - at ? size : COUNT - at);
		if (written <= 0)
			_exit(3);
		at += written;
	}
	if (strcmp(how, "kill") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(how, "fault") == 0)
		*(volatile char *)8 = 1;
	_exit(0);
}
