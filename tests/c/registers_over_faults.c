/* Page faults bring pages of zeros and copies of pages: whole, and without a trace in the SIMD registers of the program
 * that they come in the middle of. */
#include "report.h"
#include <stdint.h>
#include <sys/mman.h>

enum { PAGES = 40, PAGE = 4096 };

/* Stores a byte in each page while the registers hold `in`; 0 where they still hold it afterwards. */
static int store_over_xmm(char *pages, const uint64_t *in)
{
	uint64_t out[4] = {0};

	__asm__ volatile("movdqu (%[in]), %%xmm0\n"
			 "movdqu 16(%[in]), %%xmm1\n"
			 "1: movb $7, (%[page])\n"
			 "add $4096, %[page]\n"
			 "cmp %[end], %[page]\n"
			 "jne 1b\n"
			 "movdqu %%xmm0, (%[out])\n"
			 "movdqu %%xmm1, 16(%[out])\n"
			 : [page] "+r"(pages)
			 : [in] "r"(in), [out] "r"(out), [end] "r"(pages + PAGES * PAGE)
			 : "xmm0", "xmm1", "memory");
	return memcmp(in, out, 32);
}

__attribute__((target("avx"))) static int store_over_ymm(char *pages, const uint64_t *in)
{
	uint64_t out[8] = {0};

	__asm__ volatile("vmovdqu (%[in]), %%ymm0\n"
			 "vmovdqu 32(%[in]), %%ymm1\n"
			 "1: movb $7, (%[page])\n"
			 "add $4096, %[page]\n"
			 "cmp %[end], %[page]\n"
			 "jne 1b\n"
			 "vmovdqu %%ymm0, (%[out])\n"
			 "vmovdqu %%ymm1, 32(%[out])\n"
			 "vzeroupper\n"
			 : [page] "+r"(pages)
			 : [in] "r"(in), [out] "r"(out), [end] "r"(pages + PAGES * PAGE)
			 : "xmm0", "xmm1", "memory");
	return memcmp(in, out, 64);
}

__attribute__((target("avx512f"))) static int store_over_zmm(char *pages, const uint64_t *in)
{
	uint64_t out[16] = {0};

	__asm__ volatile("vmovdqu64 (%[in]), %%zmm0\n"
			 "vmovdqu64 64(%[in]), %%zmm31\n"
			 "1: movb $7, (%[page])\n"
			 "add $4096, %[page]\n"
			 "cmp %[end], %[page]\n"
			 "jne 1b\n"
			 "vmovdqu64 %%zmm0, (%[out])\n"
			 "vmovdqu64 %%zmm31, 64(%[out])\n"
			 "vzeroupper\n"
			 : [page] "+r"(pages)
			 : [in] "r"(in), [out] "r"(out), [end] "r"(pages + PAGES * PAGE)
			 : "xmm0", "memory");
	return memcmp(in, out, 128);
}

typedef int store(char *pages, const uint64_t *in);

/* Whether all of the pages hold `first` in their first byte and `rest` in the others. */
static int all_hold(const char *pages, char first, char rest)
{
	for (size_t i = 0; i < PAGES * PAGE; i++)
		if (pages[i] != (i % PAGE ? rest : first))
			return 0;
	return 1;
}

static void over_faults(const char *name, store *store)
{
	uint64_t pattern[16];
	char *pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status, wrong = 0;

	for (int i = 0; i < 16; i++)
		pattern[i] = 0x123456789abcdef1u * (i + 1);
	wrong |= store(pages, pattern) != 0;
	wrong |= !all_hold(pages, 7, 0);
	memset(pages, 'p', PAGES * PAGE);
	pid_t child = fork();
	if (child == 0)
		_exit((store(pages, pattern) != 0) | !all_hold(pages, 7, 'p') << 1);
	wrong |= waitpid(child, &status, 0) != child || status != 0;
	wrong |= !all_hold(pages, 'p', 'p');
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	wrong |= store(pages, pattern) != 0;
	wrong |= !all_hold(pages, 7, 'p');
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	munmap(pages, PAGES * PAGE);
	printf("%s: %s\n", name, wrong ? "WRONG" : "right");
}

int main(void)
{
	__builtin_cpu_init();
	/* What this processor does not have is shown with what it has. */
	over_faults("16 bytes", store_over_xmm);
	over_faults("32 bytes", __builtin_cpu_supports("avx") ? store_over_ymm : store_over_xmm);
	over_faults("64 bytes", __builtin_cpu_supports("avx512f") ? store_over_zmm : store_over_xmm);
	over_faults("16 bytes again", store_over_xmm);
	return 0;
}
