/* More memory reserved than there is; more touched than there is, in a child or (with an argument) in process 1. */
#include "../report.h"
#include <sys/mman.h>

enum { PAGE = 4096 };
static const size_t SIZE = (size_t)4 << 30;
static char *memory;

static void touch_everything(void)
{
	for (size_t at = 0; at < SIZE; at += PAGE)
		memory[at] = 1;
}

int main(int argc, char **argv)
{
	(void)argv;
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	HOLDS(memory != MAP_FAILED);
	for (size_t at = 0; at < SIZE; at += SIZE / 64)
		memory[at] = 7;
	if (argc > 1) {
		touch_everything();
		return 0;
	}
	for (int i = 0; i < 2; i++)
		in_child("a child that touches everything", touch_everything);
	int right = 1;
	for (size_t at = 0; at < SIZE; at += SIZE / 64)
		right &= memory[at] == 7;
	HOLDS(right);
	/* What the child had is there again. */
	size_t half = 8 << 20;
	memset(memory, 1, half);
	HOLDS(memory[half - 1] == 1);
	return 0;
}
