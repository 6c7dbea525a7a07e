/* What a program finds on its stack: arguments, environment, auxiliary vector. */
#include "report.h"
#include <elf.h>
#include <stdint.h>
#include <sys/auxv.h>

extern char **environ;

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
	printf("argc %d\n", argc);
	for (int i = 1; i < argc; i++)
		printf("argv[%d] \"%s\"\n", i, argv[i]);
	HOLDS(argv[argc] == NULL);
	/* Their order is the caller's affair. */
	size_t count_of = 0;
	while (environ[count_of])
		count_of++;
	qsort(environ, count_of, sizeof *environ, by_bytes);
	for (size_t i = 0; i < count_of; i++)
		printf("environ \"%s\"\n", environ[i]);
	HOLDS(getenv("NONE") == NULL);

	HOLDS(getauxval(AT_PAGESZ) == 4096);
	HOLDS(getauxval(AT_PHENT) == sizeof(Elf64_Phdr));
	const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
	unsigned long count = getauxval(AT_PHNUM), loads = 0;
	HOLDS(headers != NULL);
	HOLDS(count > 0 && count < 64);
	for (unsigned long i = 0; i < count; i++)
		loads += headers[i].p_type == PT_LOAD;
	printf("segments to load: %lu\n", loads);
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	HOLDS(random != NULL);
	int zeros = 0;
	for (int i = 0; i < 16; i++)
		zeros += random[i] == 0;
	HOLDS(zeros < 8);
	extern void _start(void);
	HOLDS(getauxval(AT_ENTRY) == (uintptr_t)_start);
	const char *name = (const char *)getauxval(AT_EXECFN);
	HOLDS(name == NULL || strcmp(name, argv[0]) == 0);
	HOLDS(getauxval(AT_SECURE) == 0);

	uintptr_t stack;
	__asm__("mov %%rsp, %0" : "=r"(stack));
	HOLDS(stack % 8 == 0);
	HOLDS((uintptr_t)argv > stack);
	return 0;
}
