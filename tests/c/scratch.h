/* A directory of the program's own, which it leaves the host without. */
#ifndef SCRATCH_H
#define SCRATCH_H
#include "report.h"
#include <ftw.h>
#include <sys/stat.h>

static char scratch_directory[64];

static int remove_one(const char *path, const struct stat *found, int type, struct FTW *place)
{
	(void)found, (void)type, (void)place;
	return remove(path);
}

__attribute__((unused)) static void enter_scratch(void)
{
	snprintf(scratch_directory, sizeof scratch_directory, "/tmp/scratch.%ld", (long)getpid());
	if (mkdir(scratch_directory, 0755) != 0 || chdir(scratch_directory) != 0) {
		printf("%s: errno %d\n", scratch_directory, errno);
		exit(1);
	}
}

__attribute__((unused)) static int leave_scratch(void)
{
	return chdir("/") != 0 || nftw(scratch_directory, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0;
}

/* An address that no program may use. */
__attribute__((unused)) static void *const bad = (void *)-4096;

#endif
