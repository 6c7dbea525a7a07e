/* fork in a machine without a frame left says ENOMEM or EAGAIN, leaves no trace, and works again afterwards. */
#include "../report.h"
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>

static long counter(const char *name)
{
	static char text[65536];
	size_t length = 0;
	ssize_t more;
	int fd = open("/proc/cowbell", O_RDONLY);

	if (fd < 0)
		return -1;
	while ((more = read(fd, text + length, sizeof text - 1 - length)) > 0)
		length += more;
	close(fd);
	text[length] = 0;
	char *line = strstr(text, name);
	return line ? atol(line + strlen(name)) : -1;
}

/* Forks children that wait until no more can be made; lets them go; how many. */
static int fill(int *reason)
{
	int ends[2], children = 0;
	char byte;

	if (pipe(ends) != 0)
		return -1;
	for (;;) {
		pid_t child = fork();
		if (child == 0) {
			close(ends[1]);
			(void)!read(ends[0], &byte, 1);
			_exit(0);
		}
		if (child < 0) {
			*reason = errno;
			break;
		}
		children++;
	}
	close(ends[1]);
	for (int i = 0; i < children; i++)
		if (wait(NULL) < 0)
			printf("a child is lost\n");
	close(ends[0]);
	return children;
}

int main(void)
{
	int reason = 0, first = fill(&reason);

	HOLDS(reason == ENOMEM || reason == EAGAIN);
	HOLDS(first > 20);
	/* What this process touches it has touched by now; what it reads into as well. */
	counter("\nframes_free ");
	long free = counter("\nframes_free "), pages = counter("\nframes_pages "), tables = counter("\nframes_tables ");
	int again = 1;
	for (int i = 0; i < 3; i++) {
		int reason_again = 0, count = fill(&reason_again);
		/* When the children run, and how many are killed for want of memory, is free. */
		again &= count > 20 && (reason_again == ENOMEM || reason_again == EAGAIN);
	}
	HOLDS(again);
	HOLDS(free > 0 && pages > 0 && tables > 0);
	HOLDS(pages == counter("\nframes_pages "));
	HOLDS(tables == counter("\nframes_tables "));
	/* The kernel's own structures may keep a little of what they grew to. */
	HOLDS(labs(free - counter("\nframes_free ")) < 8);
	return 0;
}
