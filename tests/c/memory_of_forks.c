/* Memory after fork: what one side writes the other does not see, at any depth and in any order. */
#include "report.h"
#include <stdint.h>
#include <sys/mman.h>

enum { PAGES = 90, PAGE = 4096 };

static unsigned char *memory;

static void fill(unsigned seed)
{
	for (int page = 0; page < PAGES; page++)
		for (int at = page % 64; at < PAGE; at += 1024)
			memory[page * PAGE + at] = seed + page;
}

static int holds(unsigned seed)
{
	for (int page = 0; page < PAGES; page++)
		for (int at = page % 64; at < PAGE; at += 1024)
			if (memory[page * PAGE + at] != (unsigned char)(seed + page))
				return 0;
	return 1;
}

/* Each generation forks the next, writes its own, and looks that nobody disturbs it. */
static int generation(int depth)
{
	int status = 0;

	fill(depth);
	if (depth < 12) {
		pid_t child = fork();
		if (child == 0)
			_exit(generation(depth + 1));
		if (child < 0)
			return 100;
		if (depth % 3 == 0)
			fill(depth + 50);
		if (waitpid(child, &status, 0) != child)
			return 101;
	}
	return holds(depth % 3 == 0 && depth < 12 ? depth + 50 : depth) ? WEXITSTATUS(status) : 102;
}

static volatile unsigned char *one;

static void write_one(void) { *one = 2; _exit(*one); }
static void read_one(void) { _exit(*one); }

int main(void)
{
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("generations: %d\n", generation(0));

	fill(7);
	pid_t children[8];
	int status, wrong = 0;
	for (int i = 0; i < 8; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			if (!holds(7))
				_exit(1);
			fill(i);
			_exit(holds(i) ? 0 : 2);
		}
	}
	fill(200);
	for (int i = 0; i < 8; i++)
		wrong += waitpid(children[i], &status, 0) != children[i] || status != 0;
	printf("brothers wrong: %d, the parent: %d\n", wrong, holds(200));

	/* Protections are each side's own too. */
	one = memory;
	*one = 1;
	pid_t child = fork();
	if (child == 0) {
		mprotect(memory, PAGE, PROT_READ);
		in_child("write in the child, read-only there", write_one);
		munmap(memory, PAGE);
		in_child("read in the child, unmapped there", read_one);
		_exit(0);
	}
	waitpid(child, &status, 0);
	show_status("the child", status);
	in_child("write in another child", write_one);
	printf("the parent's: %d\n", *one);
	mprotect(memory, PAGE, PROT_READ);
	in_child("read-only in the parent, written in a child", write_one);

	/* The stack and the data of the program are memory as well. */
	static int data = 5;
	int stack = 6;
	child = fork();
	if (child == 0) {
		data = 7;
		stack = 8;
		_exit(data + stack);
	}
	waitpid(child, &status, 0);
	printf("child %d, parent %d\n", WEXITSTATUS(status), data + stack);
	return 0;
}
