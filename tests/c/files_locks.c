/* Locks on files: of processes, of descriptions, of whole files; who waits, and who would wait for ever. */
#include "scratch.h"
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

static int file;

static struct flock lock(int type, long start, long length)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
}

static int take(int descriptor, int command, int type, long start, long length)
{
	struct flock wanted = lock(type, start, length);

	return fcntl(descriptor, command, &wanted);
}

/* What a child sees of the parent's locks. */
static void look(long start, long length)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct flock found = lock(F_WRLCK, start, length);
		if (fcntl(file, F_GETLK, &found) != 0)
			printf("  errno %d\n", errno);
		else if (found.l_type == F_UNLCK)
			printf("  %ld+%ld: free\n", start, length);
		else
			printf("  %ld+%ld: %s %ld+%ld, %s\n", start, length, found.l_type == F_WRLCK ? "written" : "read",
			       (long)found.l_start, (long)found.l_len,
			       found.l_pid == getppid() ? "the parent's" : found.l_pid == -1 ? "nobody's" : "somebody's");
		_exit(0);
	}
	waitpid(child, &status, 0);
}

static void records(void)
{
	SHOW(take(file, F_SETLK, F_WRLCK, 10, 10));
	SHOW(take(file, F_SETLK, F_RDLCK, 30, 0));
	look(0, 10);
	look(0, 11);
	look(19, 1);
	look(20, 10);
	look(25, 100);
	look(1000000, 1);
	SHOW(take(file, F_SETLK, F_RDLCK, 15, 15));
	look(12, 1);
	look(16, 1);
	SHOW(take(file, F_SETLK, F_UNLCK, 20, 5));
	look(16, 1);
	look(22, 1);
	look(26, 1);
	SHOW(take(file, F_SETLK, F_UNLCK, 0, 0));
	look(0, 0);
	SHOW(take(file, F_SETLK, F_WRLCK, 10, -5));
	look(4, 1);
	look(5, 1);
	look(9, 1);
	look(10, 1);
	struct flock from_end = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -10, .l_len = 10};
	SHOW(fcntl(file, F_SETLK, &from_end));
	look(85, 10);
	/* Any descriptor that is closed takes the process's locks with it. */
	close(dup(file));
	look(0, 0);
	SHOW(take(file, F_SETLK, 7, 0, 0));
	SHOW(take(file, F_SETLK, F_WRLCK, -1, 0));
	SHOW(take(file, F_SETLK, F_WRLCK, 5, -10));
	SHOW(take(file, F_SETLK, F_WRLCK, 5, 0x7fffffffffffffff));
	SHOW(take(file, F_GETLK, F_UNLCK, 0, 0));
	SHOW(take(-1, F_SETLK, F_WRLCK, 0, 0));
	SHOW(fcntl(file, F_SETLK, bad));
	SHOW(fcntl(file, F_GETLK, bad));
	int reader = open("data", O_RDONLY);
	SHOW(take(reader, F_SETLK, F_WRLCK, 0, 0));
	SHOW(take(reader, F_SETLK, F_RDLCK, 0, 0));
	close(reader);
	reader = open("data", O_PATH);
	SHOW(take(reader, F_SETLK, F_RDLCK, 0, 0));
	SHOW(flock(reader, LOCK_SH));
	close(reader);
	struct flock odd = lock(F_WRLCK, 0, 1);
	odd.l_whence = 9;
	SHOW(fcntl(file, F_SETLK, &odd));
}

static void on_alarm(int number)
{
	(void)number;
}

static void waits(void)
{
	int ends[2], status;
	char byte;

	SHOW(take(file, F_SETLK, F_WRLCK, 0, 10));
	pid_t child = fork();
	if (child == 0) {
		SHOW(take(file, F_SETLK, F_WRLCK, 5, 1));
		_exit(take(file, F_SETLKW, F_WRLCK, 5, 1) != 0);
	}
	until_asleep(child);
	printf("unlocking\n");
	SHOW(take(file, F_SETLK, F_UNLCK, 0, 10));
	waitpid(child, &status, 0);
	show_status("the one who waited", status);
	/* The end of a process is the end of its locks. */
	if (pipe(ends) != 0)
		return;
	child = fork();
	if (child == 0) {
		take(file, F_SETLK, F_WRLCK, 0, 10);
		write(ends[1], "", 1);
		until_asleep(getppid());
		printf("ending\n");
		_exit(0);
	}
	read(ends[0], &byte, 1);
	SHOW(take(file, F_SETLKW, F_WRLCK, 5, 1));
	waitpid(child, &status, 0);
	/* The other waits for this process, which therefore must not wait for it. */
	SHOW(take(file, F_SETLK, F_WRLCK, 0, 10));
	child = fork();
	if (child == 0) {
		take(file, F_SETLK, F_WRLCK, 20, 10);
		write(ends[1], "", 1);
		_exit(take(file, F_SETLKW, F_WRLCK, 0, 10) != 0);
	}
	read(ends[0], &byte, 1);
	until_asleep(child);
	SHOW(take(file, F_SETLKW, F_WRLCK, 20, 10));
	SHOW(take(file, F_SETLK, F_UNLCK, 0, 10));
	waitpid(child, &status, 0);
	show_status("the other", status);
	/* A signal ends the wait. */
	child = fork();
	if (child == 0) {
		take(file, F_SETLK, F_WRLCK, 0, 10);
		write(ends[1], "", 1);
		pause();
	}
	read(ends[0], &byte, 1);
	struct sigaction action = {.sa_handler = on_alarm};
	sigaction(SIGALRM, &action, NULL);
	pid_t waker = fork();
	if (waker == 0) {
		until_asleep(getppid());
		kill(getppid(), SIGALRM);
		_exit(0);
	}
	SHOW(take(file, F_SETLKW, F_WRLCK, 5, 1));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	waitpid(waker, &status, 0);
	SHOW(take(file, F_SETLK, F_WRLCK, 5, 1));
}

static void descriptions(void)
{
	int one = open("data", O_RDWR), other = open("data", O_RDWR);

	take(file, F_SETLK, F_UNLCK, 0, 0);
	SHOW(take(one, F_OFD_SETLK, F_WRLCK, 0, 10));
	SHOW(take(other, F_OFD_SETLK, F_WRLCK, 5, 10));
	SHOW(take(dup(one), F_OFD_SETLK, F_WRLCK, 5, 10));
	SHOW(take(file, F_SETLK, F_WRLCK, 5, 10));
	look(0, 5);
	struct flock odd = lock(F_WRLCK, 0, 1);
	odd.l_pid = 1;
	SHOW(fcntl(other, F_OFD_SETLK, &odd));
	SHOW(take(one, F_OFD_SETLK, F_UNLCK, 0, 0));
	SHOW(take(other, F_OFD_SETLK, F_WRLCK, 5, 10));
	close(other);
	SHOW(take(one, F_OFD_SETLK, F_WRLCK, 0, 0));
	SHOW(take(one, F_OFD_SETLK, F_UNLCK, 0, 0));
	close(one);
	one = open("data", O_RDONLY);
	other = open("data", O_RDONLY);
	SHOW(flock(one, LOCK_SH));
	SHOW(flock(other, LOCK_SH | LOCK_NB));
	SHOW(flock(one, LOCK_EX | LOCK_NB));
	SHOW(flock(other, LOCK_EX | LOCK_NB));
	SHOW(flock(one, LOCK_SH | LOCK_NB));
	SHOW(flock(dup(other), LOCK_UN));
	SHOW(flock(one, LOCK_SH | LOCK_NB));
	SHOW(flock(one, 9));
	SHOW(flock(-1, LOCK_SH));
	int status;
	SHOW(flock(one, LOCK_EX));
	pid_t child = fork();
	if (child == 0) {
		SHOW(flock(one, LOCK_EX | LOCK_NB));
		_exit(flock(other, LOCK_EX) != 0);
	}
	until_asleep(child);
	printf("unlocking\n");
	SHOW(flock(one, LOCK_UN));
	waitpid(child, &status, 0);
	show_status("the one who waited", status);
}

static int leased;

static void on_break(int number)
{
	(void)number;
	fcntl(leased, F_SETLEASE, F_UNLCK);
}

enum breaker { OPEN, OPEN_TO_CUT, TRUNCATE };

/* Who breaks a lease waits until its holder has let it go. */
static void broken_by(enum breaker breaker)
{
	int ends[2], status;
	char byte;

	if (pipe(ends) != 0)
		return;
	pid_t child = fork();
	if (child == 0) {
		sigset_t told, none;
		sigemptyset(&none);
		sigemptyset(&told);
		sigaddset(&told, SIGIO);
		sigprocmask(SIG_BLOCK, &told, NULL);
		signal(SIGIO, on_break);
		leased = open("leased", O_RDONLY);
		int taken = fcntl(leased, F_SETLEASE, F_RDLCK);
		write(ends[1], "", 1);
		sigsuspend(&none);
		_exit(taken != 0 || fcntl(leased, F_GETLEASE) != F_UNLCK);
	}
	read(ends[0], &byte, 1);
	int reader = open("leased", O_RDONLY);
	HOLDS(reader >= 0);
	switch (breaker) {
	case OPEN:
		SHOW(open("leased", O_WRONLY | O_NONBLOCK));
		int writer = open("leased", O_WRONLY);
		HOLDS(writer >= 0);
		close(writer);
		break;
	case OPEN_TO_CUT:
		writer = open("leased", O_WRONLY | O_TRUNC);
		HOLDS(writer >= 0);
		close(writer);
		break;
	case TRUNCATE:
		SHOW(truncate("leased", 5));
		break;
	}
	waitpid(child, &status, 0);
	show_status("the holder", status);
	close(reader);
	close(ends[0]);
	close(ends[1]);
}

/* A lease: its holder hears of who wants the file otherwise, and lets it go. */
static void leases(void)
{
	int ends[2];

	leased = open("leased", O_CREAT | O_RDWR, 0644);
	SHOW(fcntl(leased, F_GETLEASE));
	SHOW(fcntl(leased, F_SETLEASE, F_RDLCK));
	SHOW(fcntl(leased, F_SETLEASE, F_WRLCK));
	SHOW(fcntl(leased, F_GETLEASE));
	SHOW(fcntl(leased, F_SETLEASE, F_UNLCK));
	SHOW(fcntl(leased, F_SETLEASE, F_UNLCK));
	SHOW(fcntl(leased, F_SETLEASE, 9));
	SHOW(fcntl(-1, F_SETLEASE, F_RDLCK));
	close(leased);
	if (pipe(ends) != 0)
		return;
	SHOW(fcntl(ends[0], F_SETLEASE, F_RDLCK));
	close(ends[0]);
	close(ends[1]);
	broken_by(OPEN);
	broken_by(OPEN_TO_CUT);
	broken_by(TRUNCATE);
}

/* Who does not wait is in nobody's way: no deadlock, and what was once waited for counts no more. */
static void without_waiting(void)
{
	int there[2], back[2], status;
	char byte;

	if (pipe(there) != 0 || pipe(back) != 0)
		return;
	SHOW(take(file, F_SETLK, F_WRLCK, 0, 1));
	pid_t child = fork();
	if (child == 0) {
		take(file, F_SETLK, F_WRLCK, 1, 1);
		write(there[1], "", 1);
		read(back[0], &byte, 1);
		_exit(take(file, F_SETLKW, F_WRLCK, 0, 1) == 0 ? 0 : errno);
	}
	read(there[0], &byte, 1);
	SHOW(take(file, F_SETLK, F_WRLCK, 1, 1));
	write(back[1], "", 1);
	until_asleep(child);
	SHOW(take(file, F_SETLK, F_WRLCK, 1, 1));
	SHOW(take(file, F_SETLKW, F_WRLCK, 1, 1));
	SHOW(take(file, F_SETLK, F_UNLCK, 0, 0));
	waitpid(child, &status, 0);
	show_status("who waited", status);
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
}

static void on_own_break(int number)
{
	(void)number;
	fcntl(leased, F_SETLEASE, F_UNLCK);
}

/* Who breaks a lease of its own hears of it at once. */
static void own_lease(void)
{
	struct sigaction action = {.sa_handler = on_own_break};

	leased = open("leased", O_RDONLY);
	sigaction(SIGIO, &action, NULL);
	SHOW(fcntl(leased, F_SETLEASE, F_RDLCK));
	SHOW(open("leased", O_WRONLY | O_NONBLOCK));
	SHOW(fcntl(leased, F_SETLEASE, F_RDLCK));
	SHOW(open("leased", O_WRONLY));
	action.sa_flags = SA_RESTART;
	sigaction(SIGIO, &action, NULL);
	SHOW(fcntl(leased, F_SETLEASE, F_RDLCK));
	HOLDS(open("leased", O_WRONLY) >= 0);
	SHOW(fcntl(leased, F_GETLEASE));
}

int main(void)
{
	enter_scratch();
	file = open("data", O_CREAT | O_RDWR, 0644);
	if (ftruncate(file, 100) != 0)
		return 1;
	records();
	waits();
	descriptions();
	without_waiting();
	leases();
	own_lease();
	return leave_scratch();
}
