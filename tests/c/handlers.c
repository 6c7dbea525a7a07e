/* Signal handlers: they run on the user's stack, see what they should, and return to where the program was. */
#include "report.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

static volatile sig_atomic_t seen, last;
static sigjmp_buf back;
static volatile void *where;

static void count(int signal)
{
	seen++;
	last = signal;
}

static void leave(int signal, siginfo_t *info, void *context)
{
	(void)context;
	last = signal;
	where = info->si_addr;
	siglongjmp(back, 1);
}

static void skip(int signal, siginfo_t *info, void *context)
{
	ucontext_t *saved = context;

	(void)info;
	last = signal;
	/* ud2 is two bytes long. */
	saved->uc_mcontext.gregs[REG_RIP] += 2;
}

int main(void)
{
	struct sigaction action = {0}, old;
	sigset_t set, pending;

	action.sa_handler = count;
	SHOW(sigaction(SIGUSR1, &action, NULL));
	SHOW(raise(SIGUSR1));
	printf("seen %d, last %d\n", seen, last);
	SHOW(sigaction(SIGUSR1, NULL, &old));
	HOLDS(old.sa_handler == count);

	/* Blocked: it waits until it is let through, and then comes once. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	/* What cannot be blocked, and flags that there are not, are not kept. */
	struct sigaction kept = action;
	sigfillset(&kept.sa_mask);
	kept.sa_flags |= 0x400 | 0x200000;
	SHOW(sigaction(SIGUSR2, &kept, NULL));
	SHOW(sigaction(SIGUSR2, NULL, &kept));
	printf("kept: KILL %d, STOP %d, TERM %d, flags %#x\n", sigismember(&kept.sa_mask, SIGKILL),
	       sigismember(&kept.sa_mask, SIGSTOP), sigismember(&kept.sa_mask, SIGTERM),
	       kept.sa_flags & ~0x04000000);
	SHOW(sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR1);
	raise(SIGUSR1);
	printf("seen %d while blocked\n", seen);
	sigpending(&pending);
	HOLDS(sigismember(&pending, SIGUSR1) == 1);
	SHOW(sigprocmask(SIG_UNBLOCK, &set, NULL));
	printf("seen %d when let through\n", seen);

	/* Registers and floating point survive a handler. */
	double before = 1.25;
	raise(SIGUSR1);
	HOLDS(before * 4 == 5.0);

	/* A fault with its address, left by siglongjmp. */
	action.sa_sigaction = leave;
	action.sa_flags = SA_SIGINFO;
	SHOW(sigaction(SIGSEGV, &action, NULL));
	if (sigsetjmp(back, 1) == 0)
		*(volatile char *)0x1234 = 1;
	printf("signal %d at %#lx\n", last, (unsigned long)where);
	if (sigsetjmp(back, 1) == 0)
		*(volatile char *)0x5678 = 1;
	printf("signal %d at %#lx\n", last, (unsigned long)where);

	/* A handler that changes where the program goes on. */
	action.sa_sigaction = skip;
	SHOW(sigaction(SIGILL, &action, NULL));
	__asm__ volatile("ud2");
	printf("signal %d, and on\n", last);

	/* A child has the handlers of its parent; a signal between processes. */
	int status;
	pid_t child = fork();
	if (child == 0) {
		seen = 0;
		raise(SIGUSR1);
		_exit(seen);
	}
	waitpid(child, &status, 0);
	show_status("the child", status);
	return 0;
}
