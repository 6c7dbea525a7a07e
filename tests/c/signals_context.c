/* What a handler finds of the program that it interrupts, and what becomes of changes to it; alternate stacks. */
#include "report.h"
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static char stack[65536] __attribute__((aligned(64)));
static volatile int depth;
static char *volatile place;

static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	greg_t *r = c->uc_mcontext.gregs;

	printf("signal %d code %#x trap %lld error %#llx cr2 %d oldmask %#llx link %p flags %#lx\n", number, info->si_code,
	       (long long)r[REG_TRAPNO], (long long)r[REG_ERR], number == SIGSEGV && (char *)r[REG_CR2] == place,
	       (long long)r[REG_OLDMASK], (void *)c->uc_link, c->uc_flags & 6);
	HOLDS(info->si_signo == number);
	if (number == SIGSEGV)
		HOLDS(info->si_addr == place);
	else
		HOLDS(info->si_addr == (void *)r[REG_RIP] || number == SIGTRAP);
	HOLDS(c->uc_mcontext.fpregs != NULL);
	if (number == SIGSEGV)
		mprotect(place, 4096, PROT_READ | PROT_WRITE);
	else if (number != SIGTRAP)
		r[REG_RIP] += 2;
}

static void on_stack(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	stack_t now;
	char here;

	(void)info;
	printf("on it: %d, told %d %#x\n", &here >= stack && &here < stack + sizeof stack, c->uc_stack.ss_sp == stack,
	       (unsigned)c->uc_stack.ss_flags);
	sigaltstack(NULL, &now);
	printf("now %#x\n", (unsigned)now.ss_flags);
	now.ss_flags = 0;
	errno = 0;
	int result = sigaltstack(&now, NULL);
	printf("changed: %d, errno %d\n", result, errno);
	if (depth++ == 0)
		raise(number);
}

static void endless(int number)
{
	raise(number);
}

static void overflow(void)
{
	stack_t alternate = {.ss_sp = stack, .ss_size = 32768};
	struct sigaction action = {.sa_handler = endless, .sa_flags = SA_ONSTACK | SA_NODEFER};

	sigaltstack(&alternate, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

static void handle(int number, void (*act)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = act, .sa_flags = SA_SIGINFO | flags};

	sigaction(number, &action, NULL);
}

int main(void)
{
	sigset_t set;
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack}, before;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	place = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	handle(SIGSEGV, on_fault, 0);
	handle(SIGILL, on_fault, 0);
	handle(SIGTRAP, on_fault, 0);
	handle(SIGFPE, on_fault, 0);
	*place = 1;
	__asm__ volatile("ud2");
	__asm__ volatile("int3");
	/* Two bytes: div ecx. */
	__asm__ volatile("xor %%ecx, %%ecx; div %%ecx" ::: "eax", "ecx", "edx");
	sigprocmask(SIG_UNBLOCK, &set, NULL);

	SHOW(sigaltstack(NULL, &before));
	printf("none: %#x\n", (unsigned)before.ss_flags);
	SHOW(sigaltstack(&alternate, &before));
	handle(SIGUSR1, on_stack, SA_ONSTACK | SA_NODEFER);
	raise(SIGUSR1);
	depth = 0;
	alternate.ss_flags = SS_AUTODISARM;
	SHOW(sigaltstack(&alternate, NULL));
	SHOW(sigaltstack(NULL, &before));
	printf("disarming: %#x\n", (unsigned)before.ss_flags);
	handle(SIGUSR1, on_stack, SA_ONSTACK);
	depth = 1;
	raise(SIGUSR1);
	SHOW(sigaltstack(NULL, &before));
	printf("armed again: %#x %d\n", (unsigned)before.ss_flags, before.ss_sp == stack);
	alternate.ss_flags = 77;
	SHOW(sigaltstack(&alternate, NULL));
	alternate.ss_flags = 0;
	alternate.ss_size = 2000;
	SHOW(sigaltstack(&alternate, NULL));
	SHOW(syscall(SYS_sigaltstack, 8, NULL));
	SHOW(syscall(SYS_sigaltstack, NULL, 8));
	in_child("overflow", overflow);
	return 0;
}
