/* posix_spawn: clone with a shared address space, and a parent that waits for the exec. */
#include "report.h"
#include <fcntl.h>
#include <spawn.h>

extern char **environ;

static void wait_for(const char *what, pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) == child)
		show_status(what, status);
}

int main(void)
{
	char *echo[] = {"echo", "spawned", "by", "path", NULL};
	char *found[] = {"echo", "found in PATH", NULL};
	char *none[] = {"none", NULL};
	pid_t child;

	/* Who prints first, the child or its parent, is free: the parent waits. */
	int failed = posix_spawn(&child, "/bin/echo", NULL, NULL, echo, environ);
	wait_for("spawned", child);
	HOLDS(failed == 0);
	setenv("PATH", "/nowhere:/bin", 1);
	failed = posix_spawnp(&child, "echo", NULL, NULL, found, environ);
	wait_for("found", child);
	HOLDS(failed == 0);
	HOLDS(posix_spawn(&child, "/no/such/program", NULL, NULL, none, environ) == ENOENT);
	HOLDS(posix_spawn(&child, "/bin", NULL, NULL, none, environ) == EACCES);
	SHOW_WHETHER(wait(NULL));

	/* Output of the child into a pipe. */
	int ends[2];
	char text[64];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;

	SHOW(pipe(ends));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_addclose(&actions, ends[1]);
	posix_spawnattr_init(&attributes);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attributes, &signals);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	SHOW(posix_spawn(&child, "/bin/echo", &actions, &attributes, echo, environ));
	close(ends[1]);
	size_t length = 0;
	ssize_t more;
	while ((more = read(ends[0], text + length, sizeof text - length)) > 0)
		length += more;
	printf("from the pipe: %.*s", (int)length, text);
	wait_for("into a pipe", child);

	for (int i = 0; i < 12; i++) {
		char *quiet[] = {"true", NULL};
		int status;
		if (posix_spawn(&child, "/bin/true", NULL, NULL, quiet, environ) || waitpid(child, &status, 0) != child || status)
			printf("spawn %d failed\n", i);
	}
	return 0;
}
