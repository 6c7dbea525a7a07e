/* What has no name, and what is named by a descriptor alone: pipes, sockets, empty paths, memfds. */
#include "report.h"
#include "scratch.h"
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A pipe's or socket's inode is like any other: mode, owner and times are set through a descriptor. */
static void attributes(const char *what, int fd, int other)
{
	struct timespec times[2] = {{1000, 1}, {2000, 2}};
	struct stat status, seen;

	printf("-- %s\n", what);
	SHOW(fstat(fd, &status));
	printf("mode %o, %lu link, owner %d:%d\n", status.st_mode, (long)status.st_nlink,
	       (int)status.st_uid, (int)status.st_gid);
	SHOW(fchmod(fd, 0640));
	SHOW(fchown(fd, 7, 8));
	SHOW(futimens(fd, times));
	SHOW(fstat(fd, &status));
	printf("mode %o, owner %d:%d, times %ld.%ld %ld.%ld\n", status.st_mode, (int)status.st_uid,
	       (int)status.st_gid, (long)status.st_atime, status.st_atim.tv_nsec,
	       (long)status.st_mtime, status.st_mtim.tv_nsec);
	SHOW(fstat(other, &seen));
	printf("the other end: %s inode, mode %o\n", seen.st_ino == status.st_ino ? "the same" : "another",
	       seen.st_mode);
	SHOW(fchmodat(fd, "", 0600, 0));
	SHOW(fchownat(fd, "", 9, -1, AT_EMPTY_PATH));
	SHOW(fstatat(fd, "", &status, AT_EMPTY_PATH));
	printf("owner %d:%d\n", (int)status.st_uid, (int)status.st_gid);
	SHOW(syscall(SYS_utimensat, fd, "", times, 0));
	SHOW(syscall(SYS_utimensat, fd, NULL, times, 0));
	SHOW(ftruncate(fd, 0));
	SHOW(fsync(fd));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(fchdir(fd));
}

static void empty_paths(void)
{
	struct stat status;
	char text[64];
	int file = open("file", O_RDWR | O_CREAT, 0644);
	int directory = open(".", O_RDONLY | O_DIRECTORY);
	int link, place;

	puts("-- empty paths");
	SHOW(symlink("file", "link"));
	link = open("link", O_PATH | O_NOFOLLOW);
	place = open("file", O_PATH);
	SHOW(readlinkat(link, "", text, sizeof text));
	SHOW(readlinkat(place, "", text, sizeof text));
	SHOW(readlinkat(file, "", text, sizeof text));
	SHOW(readlinkat(directory, "", text, sizeof text));
	SHOW(readlinkat(AT_FDCWD, "", text, sizeof text));
	SHOW(readlinkat(999, "", text, sizeof text));
	SHOW(readlinkat(link, "", text, 0));
	SHOW(readlink("", text, sizeof text));
	SHOW(fstatat(link, "", &status, AT_EMPTY_PATH));
	printf("a link: %s\n", S_ISLNK(status.st_mode) ? "yes" : "no");
	SHOW(fstatat(link, "", &status, 0));
	SHOW(fstatat(AT_FDCWD, "", &status, AT_EMPTY_PATH));
	printf("a directory: %s\n", S_ISDIR(status.st_mode) ? "yes" : "no");
	SHOW(fstatat(999, "", &status, AT_EMPTY_PATH));
	SHOW(fstatat(999, "/", &status, AT_EMPTY_PATH));
	SHOW(fchownat(link, "", 3, 4, AT_EMPTY_PATH));
	SHOW(fchownat(link, "", 3, 4, 0));
	SHOW(fchownat(link, "", 3, 4, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
	SHOW(lstat("link", &status));
	printf("owner of the link %d:%d\n", (int)status.st_uid, (int)status.st_gid);
	SHOW(lstat("file", &status));
	printf("owner of the file %d:%d\n", (int)status.st_uid, (int)status.st_gid);
	SHOW(fchownat(AT_FDCWD, "", -1, -1, AT_EMPTY_PATH));
	SHOW(faccessat(file, "", R_OK, AT_EMPTY_PATH));
	SHOW(faccessat(place, "", W_OK, AT_EMPTY_PATH));
	SHOW(faccessat(file, "", R_OK, 0));
	SHOW(linkat(file, "", AT_FDCWD, "second", AT_EMPTY_PATH));
	SHOW(linkat(place, "", AT_FDCWD, "third", AT_EMPTY_PATH));
	SHOW(linkat(directory, "", AT_FDCWD, "fourth", AT_EMPTY_PATH));
	SHOW(linkat(file, "", AT_FDCWD, "fifth", 0));
	SHOW(linkat(AT_FDCWD, "", AT_FDCWD, "sixth", AT_EMPTY_PATH));
	SHOW(stat("second", &status));
	printf("%lu links\n", (long)status.st_nlink);
	int unnamed = open(".", O_TMPFILE | O_RDWR, 0600);
	HOLDS(unnamed >= 0);
	SHOW(linkat(unnamed, "", AT_FDCWD, "named", AT_EMPTY_PATH));
	SHOW(stat("named", &status));
	printf("%lu link\n", (long)status.st_nlink);
	SHOW(unlink("named"));
	SHOW(linkat(unnamed, "", AT_FDCWD, "named", AT_EMPTY_PATH));
	close(unnamed);
	unnamed = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	SHOW(linkat(unnamed, "", AT_FDCWD, "named", AT_EMPTY_PATH));
	close(unnamed);
	unnamed = open(".", O_TMPFILE | O_RDWR, 0600);
	snprintf(text, sizeof text, "/proc/self/fd/%d", unnamed);
	SHOW(linkat(AT_FDCWD, text, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	close(unnamed);
	SHOW(openat(directory, "", O_RDONLY));
	SHOW(unlinkat(directory, "", 0));
	SHOW(unlinkat(directory, "", AT_REMOVEDIR));
	SHOW(mkdirat(directory, "", 0700));
	SHOW(symlinkat("file", directory, ""));
	SHOW(symlinkat("", directory, "empty"));
	SHOW(renameat(directory, "", directory, "other"));
	SHOW(renameat(directory, "file", directory, ""));
	SHOW(utimensat(place, "", NULL, AT_EMPTY_PATH));
	SHOW(fchmod(place, 0600));
	SHOW(fchown(place, 1, 1));
	SHOW(futimens(place, NULL));
	SHOW(ftruncate(place, 0));
	close(file), close(directory), close(link), close(place);
}

static volatile pid_t opener;

static void *open_fifo(void *unused)
{
	(void)unused;
	opener = gettid();
	return (void *)(long)open("fifo", O_RDONLY);
}

/* An open that waits has its number already. */
static void reserved_numbers(void)
{
	pthread_t thread;
	void *opened;
	int number = open("fifo.place", O_RDWR | O_CREAT, 0600);

	puts("-- the number of an open that waits");
	close(number);
	mkfifo("fifo", 0600);
	pthread_create(&thread, NULL, open_fifo, NULL);
	while (opener == 0)
		usleep(1000);
	until_thread_asleep(opener);
	SHOW(dup2(0, number) == -1 && errno == EBUSY);
	SHOW(dup3(0, number, O_CLOEXEC) == -1 && errno == EBUSY);
	SHOW(fcntl(number, F_GETFD));
	SHOW(dup2(number, 90));
	SHOW(dup2(number, number));
	SHOW(close(number));
	int writer = open("fifo", O_WRONLY);
	pthread_join(thread, &opened);
	HOLDS((long)opened == number);
	SHOW(fcntl(number, F_GETFD));
	close(writer), close(number);
}

int main(void)
{
	int ends[2], pair[2];

	enter_scratch();
	umask(022);
	SHOW(pipe(ends));
	attributes("a pipe", ends[0], ends[1]);
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	attributes("a socket", pair[0], pair[1]);
	empty_paths();
	reserved_numbers();
	leave_scratch();
	return 0;
}
