/* Preemption: processes that never call the kernel all get on, and each keeps its registers, AVX ones too. */
#include "report.h"
#include <stdint.h>
#include <time.h>

enum { SPINNERS = 4, TURNS = 60 };

/* Holds a pattern in vector, x87 and general registers through a long loop: 0 where all of it is there at the end. */
__attribute__((target("avx"))) static int hold_ymm(uint64_t seed, uint64_t turns)
{
	uint64_t in[4] = {seed, seed * 3, seed * 5, seed * 7}, out[4], high[4];
	uint64_t r12 = seed ^ 12, r15 = seed ^ 15;
	double st = (double)seed / 3;
	double st_out;

	__asm__ volatile("fldl %[st]\n"
			 "vmovdqu %[in], %%ymm0\n"
			 "vmovdqu %[in], %%ymm15\n"
			 "1: dec %[turns]\n"
			 "jnz 1b\n"
			 "vmovdqu %%ymm0, %[out]\n"
			 "vmovdqu %%ymm15, %[high]\n"
			 "vzeroupper\n"
			 "fstpl %[stout]\n"
			 : [out] "=m"(out), [high] "=m"(high), [stout] "=m"(st_out), [turns] "+r"(turns), "+r"(r12), "+r"(r15)
			 : [in] "m"(in), [st] "m"(st)
			 : "xmm0", "xmm15", "st");
	return memcmp(in, out, sizeof in) || memcmp(in, high, sizeof in) || st != st_out || r12 != (seed ^ 12) ||
	       r15 != (seed ^ 15);
}

static int hold_xmm(uint64_t seed, uint64_t turns)
{
	uint64_t in[2] = {seed, seed * 3}, out[2], high[2];
	unsigned control = 0x1f80 | (seed & 3) << 13, control_out;

	__asm__ volatile("ldmxcsr %[control]\n"
			 "movdqu %[in], %%xmm1\n"
			 "movdqu %[in], %%xmm14\n"
			 "1: dec %[turns]\n"
			 "jnz 1b\n"
			 "movdqu %%xmm1, %[out]\n"
			 "movdqu %%xmm14, %[high]\n"
			 "stmxcsr %[controlout]\n"
			 : [out] "=m"(out), [high] "=m"(high), [controlout] "=m"(control_out), [turns] "+r"(turns)
			 : [in] "m"(in), [control] "m"(control)
			 : "xmm1", "xmm14");
	return memcmp(in, out, sizeof in) || memcmp(in, high, sizeof in) || control != control_out;
}

int main(void)
{
	pid_t children[SPINNERS];
	int go[2], status, wrong = 0;
	char byte;

	__builtin_cpu_init();
	int avx = __builtin_cpu_supports("avx");
	if (pipe(go) != 0)
		return 1;
	for (int i = 0; i < SPINNERS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			close(go[1]);
			(void)!read(go[0], &byte, 1);
			for (int turn = 0; turn < TURNS; turn++) {
				uint64_t seed = 0x9e3779b97f4a7c15u * (i * TURNS + turn + 1);
				if (hold_xmm(seed, 400000) || (avx && hold_ymm(seed, 400000)))
					_exit(1);
			}
			_exit(0);
		}
	}
	close(go[1]);
	for (int i = 0; i < SPINNERS; i++)
		wrong += waitpid(children[i], &status, 0) != children[i] || status != 0;
	printf("%d spinners, %d wrong\n", SPINNERS, wrong);
	return wrong;
}
