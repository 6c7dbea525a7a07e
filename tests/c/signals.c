/* Signals between processes, as far as the end of a process is concerned; and a handler for each kind. */
#include "report.h"
#include <setjmp.h>
#include <time.h>

static void doze(void)
{
	for (;;)
		pause();
}

/* Sends a signal to a child that waits, to one that computes, and to one that sleeps. */
static void end_waiting(int signal)
{
	static const struct timespec long_time = {1000, 0};

	for (int how = 0; how < 4; how++) {
		int ends[2], status;
		char byte;

		if (pipe(ends) != 0)
			exit(1);
		pid_t child = fork();
		if (child == 0) {
			(void)!write(ends[1], "r", 1);
			switch (how) {
			case 0:
				doze();
				break;
			case 1:
				for (volatile long turns = 0;; turns++)
					;
			case 2:
				nanosleep(&long_time, NULL);
				break;
			case 3:
				(void)!read(ends[0], &byte, 1);
				(void)!read(ends[0], &byte, 1);
				break;
			}
			_exit(9);
		}
		/* The child is ready; for the third byte it would wait for ever. */
		if (how != 3 && read(ends[0], &byte, 1) != 1)
			exit(1);
		if (how == 3) {
			static const struct timespec moment = {0, 5000000};
			nanosleep(&moment, NULL);
		}
		if (kill(child, signal) != 0 || waitpid(child, &status, 0) != child)
			exit(1);
		printf("signal %d, way %d: ", signal, how);
		show_status("the child", status);
		close(ends[0]);
		close(ends[1]);
	}
}

/* What the program before this one left, before anything else is said. */
static struct sigaction left[3];

__attribute__((constructor(101))) static void look(void)
{
	static const int numbers[] = {SIGTERM, SIGCHLD, SIGUSR1};

	for (int i = 0; i < 3; i++)
		sigaction(numbers[i], NULL, &left[i]);
}

static int next_program(void)
{
	for (int i = 0; i < 3; i++) {
		HOLDS(left[i].sa_handler == (i == 0 ? SIG_IGN : SIG_DFL));
		HOLDS(left[i].sa_flags == 0);
		HOLDS(!sigismember(&left[i].sa_mask, SIGHUP));
	}
	return 6;
}

/* An exec leaves what is ignored, and nothing else: no handlers, flags, masks; even where there is no handler. */
static void leave_to_next(const char *program, void (*handler)(int))
{
	struct sigaction term = {.sa_handler = SIG_IGN, .sa_flags = SA_RESTART};
	struct sigaction children = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
	struct sigaction user = {.sa_handler = handler, .sa_flags = SA_RESTART};
	int status;

	sigaddset(&term.sa_mask, SIGHUP);
	sigaddset(&user.sa_mask, SIGHUP);
	pid_t child = fork();
	if (child == 0) {
		sigaction(SIGTERM, &term, NULL);
		sigaction(SIGCHLD, &children, NULL);
		sigaction(SIGUSR1, &user, NULL);
		execl(program, program, "next", (char *)NULL);
		_exit(126);
	}
	waitpid(child, &status, 0);
	show_status("the next program", status);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return next_program();
	end_waiting(SIGKILL);
	end_waiting(SIGTERM);
	end_waiting(SIGINT);
	end_waiting(SIGHUP);
	end_waiting(SIGUSR1);
	end_waiting(SIGSEGV);
	SHOW(kill(getpid(), 0));
	SHOW(kill(getpid(), 65));
	SHOW(kill(getpid(), -1));
	SHOW(kill(999999, 0));

	/* A zombie takes signals, and stays what it is. */
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(3);
	siginfo_t info;
	SHOW(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
	SHOW(kill(child, SIGKILL));
	HOLDS(waitpid(child, &status, 0) == child);
	show_status("the zombie", status);
	SHOW(kill(child, SIGKILL));

	leave_to_next(argv[0], SIG_DFL);
	leave_to_next(argv[0], exit);

	/* Ignored signals are ignored; SIGKILL is not. */
	signal(SIGTERM, SIG_IGN);
	SHOW(raise(SIGTERM));
	HOLDS(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);
	HOLDS(signal(SIGTERM, SIG_DFL) == SIG_IGN);
	return 0;
}
