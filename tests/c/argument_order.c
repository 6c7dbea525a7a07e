/* Of two things that are wrong with a call's arguments, which one is told. */
#include "report.h"
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static void *volatile nowhere = (void *)16;
#define NOWHERE nowhere
#define NO_FILE 999

int main(void)
{
	char bytes[64] = "";
	int file = open("/dev/null", O_RDWR), place = open("/", O_RDONLY);

	/* Flags before paths and descriptors. */
	SHOW(open(NOWHERE, O_CREAT | O_DIRECTORY | O_RDWR, 0600));
	SHOW(syscall(SYS_renameat2, NO_FILE, "none", NO_FILE, "none", 3));
	SHOW(syscall(SYS_renameat2, AT_FDCWD, NOWHERE, AT_FDCWD, NOWHERE, 8));
	SHOW(mknodat(NO_FILE, "none", S_IFDIR | 0755, 0));
	SHOW(mknodat(NO_FILE, "none", S_IFMT, 0));
	SHOW(syscall(SYS_unlinkat, NO_FILE, "none", 1));

	/* The first path before the second. */
	SHOW(rename("", NOWHERE));
	SHOW(renameat(NO_FILE, "none", AT_FDCWD, NOWHERE));
	SHOW(symlink("", NOWHERE));

	/* Memory before descriptors, or after them. */
	SHOW(sendfile(NO_FILE, NO_FILE, NOWHERE, 1));
	SHOW(sendfile(NO_FILE, NO_FILE, NULL, -1));
	SHOW(preadv(NO_FILE, NOWHERE, 1, -1));
	SHOW(syscall(SYS_preadv2, NO_FILE, NOWHERE, 1, -2, 0, 0x1000));
	SHOW(syscall(SYS_preadv2, file, NOWHERE, 0, 0, 0, 0x1000));
	SHOW(syscall(SYS_readv, file, NOWHERE, 1L << 32));
	SHOW(syscall(SYS_sendmsg, NO_FILE, NOWHERE, 0x80000000));
	SHOW(syscall(SYS_getdents64, file, bytes, 0));
	SHOW(syscall(SYS_getdents64, place, bytes, 0));
	SHOW(syscall(SYS_clock_adjtime, 77, NOWHERE));
	SHOW(syscall(SYS_fsetxattr, file, NOWHERE, bytes, 1, 7));

	/* Numbers have as many bits as the call says. */
	SHOW(syscall(SYS_mlock2, bytes, 1, 1L << 32));
	SHOW(syscall(SYS_sched_getaffinity, 0, 1L << 32, bytes));
	SHOW(munlock((void *)100, -1));
	SHOW(setpgid(-1, 0));
	return 0;
}
