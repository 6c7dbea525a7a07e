/* Job control as a shell does it, by hand, on a terminal: the first process has it as its controlling terminal. What is
 * typed comes from the test; a line with "ready" says when. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void show(const char *what, pid_t child, int options)
{
	int status;
	pid_t got = waitpid(child, &status, options);

	printf("%s: ", what);
	if (got != child)
		printf("no report\n");
	else if (WIFSTOPPED(status))
		printf("stopped by %d\n", WSTOPSIG(status));
	else if (WIFCONTINUED(status))
		printf("continued\n");
	else if (WIFEXITED(status))
		printf("exited with %d\n", WEXITSTATUS(status));
	else
		printf("ended by %d\n", WTERMSIG(status));
}

static void result(const char *what, int result)
{
	if (result < 0)
		printf("%s: errno %d\n", what, errno);
	else
		printf("%s: done\n", what);
}

static void read_line(void)
{
	char line[80];
	ssize_t length = read(0, line, sizeof line - 1);

	if (length < 0) {
		printf("read: errno %d\n", errno);
		_exit(9);
	}
	line[length] = 0;
	printf("read: %s", line);
	_exit(0);
}

static pid_t job(void (*act)(void))
{
	pid_t child = fork();

	if (child == 0) {
		setpgid(0, 0);
		act();
		_exit(0);
	}
	setpgid(child, child);
	return child;
}

static void ignoring(void)
{
	signal(SIGTTIN, SIG_IGN);
	read_line();
}

static void writing(void)
{
	if (write(1, "written in the background\n", 26) != 26)
		_exit(9);
}

static void take_terminal(void)
{
	/* From the background: SIGTTOU, unless that is ignored or blocked. */
	if (tcsetpgrp(0, getpgrp()) != 0)
		_exit(errno);
	_exit(tcgetpgrp(0) == getpgrp() ? 0 : 99);
}

static void take_terminal_ignoring(void)
{
	signal(SIGTTOU, SIG_IGN);
	take_terminal();
}

static void waiting(void)
{
	for (;;)
		pause();
}

static void hung_up(int number)
{
	(void)number;
	_exit(41);
}

static volatile sig_atomic_t resized;

static void on_resize(int number)
{
	(void)number;
	resized = 1;
}

/* Signals that a session's leader brings on itself: it goes on with them. */
static void signal_itself(void)
{
	struct winsize size = {.ws_row = 33, .ws_col = 44};

	setsid();
	result("TIOCSCTTY, stealing", ioctl(0, TIOCSCTTY, 1));
	signal(SIGWINCH, on_resize);
	result("TIOCSWINSZ", ioctl(0, TIOCSWINSZ, &size));
	printf("resized: %d\n", resized);
	ioctl(0, TIOCNOTTY);
	printf("not hung up\n");
	_exit(1);
}

static void lead_session(void)
{
	struct sigaction action = {.sa_handler = hung_up};
	int ends[2];
	char byte;

	result("setsid as a group's leader", setsid());
	pid_t child = fork();
	if (child == 0) {
		pid_t member;
		printf("setsid: %d\n", setsid() == getpid());
		result("/dev/tty", open("/dev/tty", O_RDWR));
		result("tcgetpgrp", tcgetpgrp(0));
		result("TIOCSCTTY", ioctl(0, TIOCSCTTY, 0));
		result("TIOCSCTTY, stealing", ioctl(0, TIOCSCTTY, 1));
		result("/dev/tty", open("/dev/tty", O_RDWR | O_CLOEXEC));
		printf("in the foreground: %d, of my session: %d\n", tcgetpgrp(0) == getpgrp(), tcgetsid(0) == getsid(0));
		(void)!pipe(ends);
		member = fork();
		if (member == 0) {
			sigaction(SIGHUP, &action, NULL);
			(void)!write(ends[1], "r", 1);
			/* Its parent is the first process once the leader has ended. */
			waiting();
		}
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	show("the leader", child, 0);
	_exit(0);
}

int main(void)
{
	struct termios settings;
	pid_t child;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGTTIN, SIG_DFL);
	printf("foreground %d, session %d\n", tcgetpgrp(0) == getpgrp(), tcgetsid(0) == getsid(0));
	result("no such group", tcsetpgrp(0, 30000));
	result("a negative group", tcsetpgrp(0, -3));

	/* A read in the background stops; continued in the foreground, it reads. */
	signal(SIGTTOU, SIG_DFL);
	child = job(read_line);
	show("background read", child, WUNTRACED);
	printf("tcsetpgrp: %d\n", tcsetpgrp(0, child));
	kill(-child, SIGCONT);
	show("continued", child, WCONTINUED);
	printf("ready 1\n");
	show("read in the foreground", child, WUNTRACED);
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(0, getpgrp());

	/* Who ignores SIGTTIN gets an error. */
	child = job(ignoring);
	show("ignoring", child, WUNTRACED);

	/* Writing is allowed unless TOSTOP is set. */
	signal(SIGTTOU, SIG_DFL);
	child = job(writing);
	show("background write", child, WUNTRACED);
	tcgetattr(0, &settings);
	settings.c_lflag |= TOSTOP;
	tcsetattr(0, TCSANOW, &settings);
	child = job(writing);
	show("with TOSTOP", child, WUNTRACED);
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(0, child);
	kill(child, SIGCONT);
	show("in the foreground", child, 0);
	tcsetpgrp(0, getpgrp());
	settings.c_lflag &= ~TOSTOP;
	tcsetattr(0, TCSANOW, &settings);

	/* Taking the terminal from the background. */
	signal(SIGTTOU, SIG_DFL);
	child = job(take_terminal);
	show("taking the terminal", child, WUNTRACED);
	kill(child, SIGKILL);
	show("taking the terminal", child, 0);
	child = job(take_terminal_ignoring);
	show("ignoring SIGTTOU", child, WUNTRACED);
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(0, getpgrp());

	/* The keys: to the foreground group, and to it alone. */
	for (int key = 0; key < 3; key++) {
		child = job(waiting);
		tcsetpgrp(0, child);
		printf("ready key %d\n", key);
		show("the key", child, WUNTRACED);
		tcsetpgrp(0, getpgrp());
		kill(child, SIGKILL);
		if (key == 0)
			show("then", child, 0);
	}

	/* A session that takes the terminal, and ends. */
	child = job(lead_session);
	show("the other session", child, 0);
	int status;
	pid_t orphan = wait(&status);
	printf("hung up: %d, %d\n", orphan > 0, WEXITSTATUS(status));
	result("tcgetpgrp", tcgetpgrp(0));
	printf("TIOCSCTTY: %d\n", ioctl(0, TIOCSCTTY, 0));
	printf("foreground %d\n", tcgetpgrp(0) == getpgrp());
	child = fork();
	if (child == 0)
		signal_itself();
	show("giving it up", child, 0);
	return 5;
}
