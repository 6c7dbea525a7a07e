/* The status word: exit code in bits 8-15, signal in bits 0-6, core dump in bit 7. */
#define _DEFAULT_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char *volatile nowhere;

static void exits(void)
{
	_exit(7);
}

static void is_killed(void)
{
	kill(getpid(), SIGKILL);
}

static void faults(void)
{
	*(volatile char *)nowhere = 1;
}

static const char *name(int signal)
{
	return signal == SIGKILL ? "SIGKILL" : signal == SIGSEGV ? "SIGSEGV" : "SIG?";
}

/* Runs a child, shows its status word, and returns it. */
static int describe(const char *what, void (*act)(void))
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		act();
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("wait_status");
		exit(1);
	}
	if (WIFEXITED(status))
		printf("%s: status 0x%04x: exited, code %d\n", what, (unsigned)status, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		printf("%s: status 0x%04x: signal %d (%s), core bit %d\n", what, (unsigned)status, WTERMSIG(status),
		       name(WTERMSIG(status)), WCOREDUMP(status) ? 1 : 0);
	else
		printf("%s: status 0x%04x: neither exited nor signalled\n", what, (unsigned)status);
	return status;
}

int main(void)
{
	int right = describe("exit(7)", exits) == 7 << 8;

	right &= describe("kill", is_killed) == SIGKILL;
	right &= (describe("*NULL", faults) & 0x7f) == SIGSEGV;
	return right ? 0 : 1;
}
