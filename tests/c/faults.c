/* Faults end the process that makes them, with the signal that belongs to them, and no other. */
#include "report.h"
#include <stdint.h>
#include <sys/mman.h>

static volatile int zero;
static const char constant[4096] = "constant";

static void read_null(void) { (void)*(volatile char *)(uintptr_t)zero; }
static void write_null(void) { *(volatile char *)(uintptr_t)zero = 1; }
static void call_null(void) { ((void (*)(void))(uintptr_t)zero)(); }
static void write_constant(void) { *(volatile char *)(uintptr_t)&constant[zero] = 1; }
static void write_text(void) { *(volatile char *)(uintptr_t)&write_constant = 1; }
static void run_data(void) { static char data[16] = "\xc3"; ((void (*)(void))(uintptr_t)data)(); }
static void run_stack(void) { volatile char code[16] = "\xc3"; ((void (*)(void))(uintptr_t)code)(); }
static void read_kernel(void) { (void)*(volatile char *)0xffffffff80200000; }
static void write_kernel(void) { *(volatile char *)0xffff800000001000 = 1; }
static void read_noncanonical(void) { (void)*(volatile char *)0x1234567812345678; }
static void jump_noncanonical(void) { ((void (*)(void))0x1234567812345678)(); }
static void jump_kernel(void) { ((void (*)(void))0xffffffff80200000)(); }
static void divide(void) { zero = 1000 / zero; }
static void divide_overflow(void) { volatile long least = INT64_MIN; volatile long minus = -1; least = least / minus; }
static void undefined(void) { __asm__ volatile("ud2"); }
static void halt(void) { __asm__ volatile("hlt"); }
static void disable_interrupts(void) { __asm__ volatile("cli"); }
static void read_port(void) { __asm__ volatile("inb $0xf4, %%al" ::: "rax"); }
static void write_port(void) { __asm__ volatile("outl %%eax, $0xf4" ::"a"(0x107)); }
static void write_cr3(void) { __asm__ volatile("mov %0, %%cr3" ::"r"(0L)); }
static void breakpoint(void) { __asm__ volatile("int3"); }
static void load_bad_selector(void) { __asm__ volatile("mov %0, %%ds" ::"r"(0xfff8)); }
static void exhaust_stack(void)
{
	volatile char page[4096];
	page[0] = 1;
	if (page[zero] == 1)
		exhaust_stack();
	page[1] = 2;
}
static void lose_stack(void) { __asm__ volatile("xor %%esp, %%esp; push %%rax" ::: "memory"); }
static void system_call_without_stack(void)
{
	/* The kernel has a stack of its own. */
	__asm__ volatile("mov %%rsp, %%rbx; xor %%esp, %%esp; mov $39, %%eax; syscall; mov %%rbx, %%rsp" ::: "rax", "rbx", "rcx", "r11", "memory");
}
static void system_call_with_flags(void)
{
	/* Direction flag set, and alignment check: they are the program's, not the kernel's. */
	long flags;
	__asm__ volatile("std; mov $39, %%eax; syscall; pushfq; pop %0; cld" : "=r"(flags)::"rax", "rcx", "r11", "memory");
	if (!(flags & 0x400))
		_exit(1);
}
static void abort_it(void) { abort(); }
static void kill_it(void) { raise(SIGKILL); }
static void terminate_it(void) { raise(SIGTERM); }
static void bus_it(void) { raise(SIGBUS); }
static void ignored(void) { raise(SIGCHLD); raise(SIGURG); raise(SIGWINCH); }

#define FAULT(act) in_child(#act, act)

int main(void)
{
	FAULT(read_null);
	FAULT(write_null);
	FAULT(call_null);
	FAULT(write_constant);
	FAULT(write_text);
	FAULT(run_data);
	FAULT(run_stack);
	FAULT(read_kernel);
	FAULT(write_kernel);
	FAULT(read_noncanonical);
	FAULT(jump_noncanonical);
	FAULT(jump_kernel);
	FAULT(divide);
	FAULT(divide_overflow);
	FAULT(undefined);
	FAULT(halt);
	FAULT(disable_interrupts);
	FAULT(read_port);
	FAULT(write_port);
	FAULT(write_cr3);
	FAULT(breakpoint);
	FAULT(load_bad_selector);
	FAULT(exhaust_stack);
	FAULT(lose_stack);
	FAULT(system_call_without_stack);
	FAULT(system_call_with_flags);
	FAULT(abort_it);
	FAULT(kill_it);
	FAULT(terminate_it);
	FAULT(bus_it);
	FAULT(ignored);
	return 0;
}
