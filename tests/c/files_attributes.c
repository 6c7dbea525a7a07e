/* Attributes of files: stat, statx, access, modes, owners, times. */
#include "scratch.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <utime.h>

static void show(const char *path)
{
	struct stat found;

	if (lstat(path, &found) != 0) {
		printf("%s: errno %d\n", path, errno);
		return;
	}
	printf("%s: mode %o, owner %d:%d, size %ld, links %ld, device %d:%d\n", path, found.st_mode, (int)found.st_uid,
	       (int)found.st_gid, S_ISDIR(found.st_mode) ? 0 : (long)found.st_size, (long)found.st_nlink,
	       (int)major(found.st_rdev), (int)minor(found.st_rdev));
}

static void show_times(const char *path)
{
	struct stat found;

	if (lstat(path, &found) != 0) {
		printf("%s: errno %d\n", path, errno);
		return;
	}
	printf("%s: accessed %ld.%09ld, modified %ld.%09ld\n", path, (long)found.st_atim.tv_sec, found.st_atim.tv_nsec,
	       (long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
}

static void modes(void)
{
	umask(0);
	SHOW(mknod("plain", S_IFREG | 0640, 0));
	SHOW(mknod("untyped", 0604, 0));
	SHOW(mknod("plain", S_IFREG | 0640, 0));
	SHOW(mkfifo("fifo", 0622));
	SHOW(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	SHOW(mknod("block", S_IFBLK | 0600, makedev(259, 70000)));
	SHOW(mknod("directory", S_IFDIR | 0700, 0));
	SHOW(mknod("nothing", 0170000 | 0600, 0));
	SHOW(mknodat(-1, "nowhere", S_IFREG, 0));
	SHOW(mknod("missing/file", S_IFREG, 0));
	SHOW(mknod("plain/file", S_IFREG, 0));
	SHOW(mknod(bad, S_IFREG, 0));
	SHOW(mknod("", S_IFREG, 0));
	for (const char *const *name = (const char *const[]){"plain", "untyped", "fifo", "null", "block", NULL}; *name; name++)
		show(*name);
	int null = open("null", O_WRONLY);
	HOLDS(write(null, "gone", 4) == 4);
	close(null);
	SHOW(open("block", O_RDONLY | O_NONBLOCK));
	umask(022);
	SHOW(chmod("plain", 07777));
	show("plain");
	SHOW(chmod("plain", 0600));
	SHOW(chmod("none", 0600));
	SHOW(chmod(bad, 0600));
	SHOW(fchmod(-1, 0600));
	SHOW(fchmodat(AT_FDCWD, "plain", 0444, 0));
	SHOW(fchmodat(99, "plain", 0444, 0));
	show("plain");
	int path = open("plain", O_PATH);
	SHOW(fchmod(path, 0600));
	SHOW(fchown(path, 1, 1));
	close(path);
	SHOW(mkdir("shared", 0755));
	SHOW(chown("shared", 5, 7));
	SHOW(chmod("shared", 02775));
	SHOW(mkdir("shared/inner", 0755));
	close(open("shared/file", O_CREAT | O_WRONLY, 0644));
	show("shared");
	show("shared/inner");
	show("shared/file");
	SHOW(chmod("shared", 01777));
	show("shared");
}

static void owners(void)
{
	SHOW(chmod("plain", 06755));
	SHOW(chown("plain", 3, -1));
	show("plain");
	SHOW(chown("plain", -1, 4));
	show("plain");
	SHOW(symlink("plain", "link"));
	SHOW(lchown("link", 8, 9));
	show("link");
	SHOW(chown("link", 10, 11));
	show("plain");
	SHOW(fchownat(AT_FDCWD, "link", 12, 13, AT_SYMLINK_NOFOLLOW));
	show("link");
	SHOW(fchownat(AT_FDCWD, "plain", 0, 0, 0x10000));
	SHOW(chown("none", 0, 0));
	SHOW(chown(bad, 0, 0));
	SHOW(fchown(99, 0, 0));
	int plain = open("plain", O_RDONLY);
	SHOW(fchown(plain, 0, 0));
	SHOW(fchownat(plain, "", 14, 15, AT_EMPTY_PATH));
	SHOW(fchownat(plain, "", 14, 15, 0));
	SHOW(fchownat(plain, "x", 14, 15, 0));
	close(plain);
	show("plain");
}

static void times(void)
{
	struct timespec two[2] = {{1000, 1}, {2000, 2}};
	struct timeval small[2] = {{3000, 3}, {4000, 4}};

	SHOW(utimensat(AT_FDCWD, "plain", two, 0));
	show_times("plain");
	SHOW(utimes("plain", small));
	show_times("plain");
	SHOW(utime("plain", &(struct utimbuf){5000, 6000}));
	show_times("plain");
	two[0].tv_nsec = UTIME_OMIT;
	SHOW(utimensat(AT_FDCWD, "plain", two, 0));
	show_times("plain");
	two[1].tv_nsec = UTIME_OMIT;
	SHOW(utimensat(AT_FDCWD, "none", two, 0));
	two[1].tv_nsec = 1000000000;
	SHOW(utimensat(AT_FDCWD, "plain", two, 0));
	SHOW(utimensat(AT_FDCWD, "none", two, 0));
	SHOW(utimensat(AT_FDCWD, "plain", two, 0x4000));
	SHOW(utimensat(AT_FDCWD, "plain", bad, 0));
	SHOW(utimensat(AT_FDCWD, bad, NULL, 0));
	SHOW(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
	SHOW(utimensat(99, "plain", NULL, 0));
	small[1].tv_usec = 1000000;
	SHOW(utimes("plain", small));
	two[1].tv_nsec = 9;
	two[0] = (struct timespec){-7, 8};
	SHOW(utimensat(AT_FDCWD, "link", two, AT_SYMLINK_NOFOLLOW));
	show_times("link");
	show_times("plain");
	int plain = open("plain", O_RDONLY);
	SHOW(futimens(plain, two));
	show_times("plain");
	SHOW(utimensat(plain, "", two, AT_EMPTY_PATH));
	close(plain);
	SHOW(utimensat(AT_FDCWD, "plain", NULL, 0));
	struct stat found;
	stat("plain", &found);
	HOLDS(found.st_mtim.tv_sec > 1000000 && found.st_atim.tv_sec == found.st_mtim.tv_sec);
}

/* What reading and writing do to them. */
static void touched(void)
{
	struct stat found;
	struct timespec old[2] = {{1000, 0}, {2000, 0}};
	char byte;

	int file = open("touched", O_CREAT | O_RDWR, 0644);
	futimens(file, old);
	SHOW(write(file, "text", 4));
	fstat(file, &found);
	HOLDS(found.st_mtim.tv_sec > 2000 && found.st_ctim.tv_sec > 2000 && found.st_atim.tv_sec == 1000);
	futimens(file, old);
	SHOW(pread(file, &byte, 1, 0));
	fstat(file, &found);
	HOLDS(found.st_mtim.tv_sec == 2000 && found.st_atim.tv_sec > 2000);
	futimens(file, old);
	SHOW(ftruncate(file, 2));
	fstat(file, &found);
	HOLDS(found.st_mtim.tv_sec > 2000);
	close(file);
	SHOW(mkdir("watched", 0755));
	utimensat(AT_FDCWD, "watched", old, 0);
	close(open("watched/new", O_CREAT | O_WRONLY, 0644));
	stat("watched", &found);
	HOLDS(found.st_mtim.tv_sec > 2000);
	utimensat(AT_FDCWD, "watched", old, 0);
	SHOW(link("watched/new", "watched/other"));
	stat("watched/new", &found);
	HOLDS(found.st_nlink == 2 && found.st_ctim.tv_sec > 2000);
	SHOW(unlink("watched/other"));
	stat("watched", &found);
	HOLDS(found.st_mtim.tv_sec > 2000);
	show("watched/new");
}

static void extended(void)
{
	struct statx found;
	struct statfs system;

	SHOW(statx(AT_FDCWD, "plain", 0, STATX_BASIC_STATS, &found));
	HOLDS((found.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	printf("%o %u:%u size %ld links %d\n", found.stx_mode, found.stx_uid, found.stx_gid, (long)found.stx_size,
	       (int)found.stx_nlink);
	SHOW(statx(AT_FDCWD, "null", 0, STATX_TYPE, &found));
	printf("%d:%d\n", (int)found.stx_rdev_major, (int)found.stx_rdev_minor);
	SHOW(statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_ALL, &found));
	HOLDS(S_ISLNK(found.stx_mode));
	int plain = open("plain", O_RDONLY);
	SHOW(statx(plain, "", AT_EMPTY_PATH, STATX_ALL, &found));
	SHOW(statx(plain, "", 0, STATX_ALL, &found));
	SHOW(statx(plain, "x", 0, STATX_ALL, &found));
	SHOW(statx(AT_FDCWD, "", AT_EMPTY_PATH, STATX_ALL, &found));
	HOLDS(S_ISDIR(found.stx_mode));
	SHOW(statx(99, "plain", 0, STATX_ALL, &found));
	SHOW(statx(AT_FDCWD, "plain", 0, 0x80000000, &found));
	SHOW(statx(AT_FDCWD, "plain", 0x6000, STATX_ALL, &found));
	SHOW(statx(AT_FDCWD, "plain", 0x10000, STATX_ALL, &found));
	SHOW(syscall(SYS_statx, AT_FDCWD, "plain", 0, STATX_ALL, bad));
	SHOW(syscall(SYS_statx, AT_FDCWD, bad, 0, STATX_ALL, &found));
	SHOW(syscall(SYS_newfstatat, AT_FDCWD, "plain", bad, 0));
	SHOW(syscall(SYS_newfstatat, AT_FDCWD, "plain", &found, 0x4));
	SHOW(statfs("/", &system));
	HOLDS(system.f_bsize == 4096 && system.f_namelen == 255 && system.f_blocks > 0);
	SHOW(statfs("/proc", &system));
	HOLDS(system.f_type == 0x9fa0 && system.f_blocks == 0);
	SHOW(fstatfs(plain, &system));
	SHOW(fstatfs(99, &system));
	SHOW(statfs("none", &system));
	SHOW(statfs("plain/none", &system));
	SHOW(syscall(SYS_statfs, "/", bad));
	SHOW(access("plain", X_OK));
	SHOW(chmod("plain", 0));
	SHOW(access("plain", R_OK | W_OK));
	SHOW(access("plain", X_OK));
	SHOW(access("plain", 8));
	SHOW(access("watched", X_OK));
	SHOW(faccessat(AT_FDCWD, "plain", F_OK, AT_EACCESS));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "plain", F_OK, 0x4));
	SHOW(syscall(SYS_faccessat2, AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW));
	SHOW(syscall(SYS_faccessat2, plain, "", F_OK, AT_EMPTY_PATH));
	SHOW(access(bad, F_OK));
	close(plain);
}

/* What somebody who is not root may open. */
static void others(void)
{
	int file;

	SHOW(chown("watched/new", 500, 600));
	SHOW(chmod("watched/new", 0640));
	SHOW(setgid(600));
	SHOW(setuid(501));
	SHOW(file = open("watched/new", O_WRONLY));
	SHOW(file = open("watched/new", O_RDONLY | O_TRUNC));
	HOLDS((file = open("watched/new", O_RDONLY)) >= 0);
	SHOW(open("watched/new", O_RDONLY | O_NOATIME));
	close(file);
}

int main(void)
{
	enter_scratch();
	modes();
	owners();
	times();
	touched();
	extended();
	in_child("another user", others);
	return leave_scratch();
}
