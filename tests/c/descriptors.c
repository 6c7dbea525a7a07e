/* Descriptors and what they lead to: tables are copied at fork, open files are shared. */
#include "report.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char directory[64], path[96];

static int fd;

static void close_it(void)
{
	if (close(fd) != 0 || close(fd) != -1 || errno != EBADF)
		_exit(1);
}

static void move_offset(void)
{
	if (lseek(fd, 4, SEEK_SET) != 4)
		_exit(1);
}

static void append(void)
{
	int own = open(path, O_WRONLY | O_APPEND);
	if (own < 0 || write(own, "child", 5) != 5 || lseek(own, 0, SEEK_SET) != 0 || write(own, "again", 5) != 5)
		_exit(1);
}

static void show_file(void)
{
	char text[128];
	int own = open(path, O_RDONLY);
	ssize_t length = read(own, text, sizeof text);
	printf("the file: \"%.*s\"\n", (int)length, text);
	close(own);
}

int main(void)
{
	struct stat stat;
	char text[16] = "";

	snprintf(directory, sizeof directory, "/tmp/descriptors.%ld", (long)getpid());
	snprintf(path, sizeof path, "%s/file", directory);
	SHOW(mkdir(directory, 0755));
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0644);
	printf("the lowest descriptor: %d\n", fd);
	SHOW(open(path, O_RDWR | O_CREAT | O_EXCL, 0644));
	SHOW(write(fd, "0123456789", 10));
	SHOW(lseek(fd, 2, SEEK_SET));
	SHOW(lseek(fd, -3, SEEK_CUR));
	SHOW(lseek(fd, 0, 77));
	SHOW(lseek(fd, -1, SEEK_END));
	SHOW(read(fd, text, 5));
	SHOW(read(fd, text, 5));

	in_child("a child moves the offset", move_offset);
	SHOW(lseek(fd, 0, SEEK_CUR));
	in_child("a child closes it", close_it);
	SHOW(lseek(fd, 0, SEEK_CUR));

	int other = dup(fd);
	printf("dup %d\n", other);
	SHOW(lseek(other, 1, SEEK_SET));
	SHOW(lseek(fd, 0, SEEK_CUR));
	int independent = open(path, O_RDONLY);
	SHOW(lseek(independent, 0, SEEK_CUR));
	SHOW(write(independent, "x", 1));
	SHOW(dup2(fd, 100));
	SHOW(dup2(fd, fd));
	SHOW(dup2(99, 98));
	SHOW(dup2(fd, -1));
	SHOW(dup3(fd, fd, 0));
	SHOW(dup3(fd, 101, O_CLOEXEC));
	SHOW(fcntl(101, F_GETFD));
	SHOW(fcntl(100, F_GETFD));
	SHOW(fcntl(100, F_SETFD, FD_CLOEXEC));
	SHOW(fcntl(100, F_GETFD));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(fcntl(fd, F_DUPFD, 50));
	SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 50));
	SHOW(fcntl(51, F_GETFD));
	SHOW(fcntl(fd, F_GETFL) & O_ACCMODE);
	SHOW(fcntl(independent, F_GETFL) & O_ACCMODE);
	SHOW(fcntl(99, F_GETFD));
	SHOW(fcntl(fd, 12345));
	SHOW(close(99));
	SHOW(close(-1));

	SHOW(write(fd, "AB", 2));
	in_child("a child appends", append);
	SHOW(write(fd, "C", 1));
	show_file();
	SHOW(ftruncate(fd, 4));
	show_file();
	SHOW(pwrite(fd, "z", 1, 6));
	SHOW(pread(fd, text, 3, 4));
	HOLDS(text[0] == 0 && text[1] == 0 && text[2] == 'z');
	SHOW(fstat(fd, &stat));
	printf("size %ld, mode %o, links %ld\n", (long)stat.st_size, stat.st_mode, (long)stat.st_nlink);
	SHOW(close(open(path, O_WRONLY | O_TRUNC)));
	SHOW(fstat(fd, &stat));
	printf("size %ld\n", (long)stat.st_size);

	/* An unlinked file lives as long as it is open. */
	SHOW(unlink(path));
	SHOW(open(path, O_RDONLY));
	SHOW(pwrite(fd, "still", 5, 0));
	SHOW(pread(fd, text, 5, 0));
	printf("%.5s\n", text);
	SHOW(unlink(path));

	SHOW(open(directory, O_WRONLY));
	SHOW(open("/bin/echo/x", O_RDONLY));
	SHOW(open("/no/such/path", O_CREAT | O_WRONLY, 0644));
	SHOW(open("", O_RDONLY));
	SHOW(open((char *)8, O_RDONLY));
	SHOW(read(fd, (char *)8, 1));
	SHOW(write(fd, (char *)8, 1));
	SHOW(rmdir(directory));
	SHOW(rmdir(directory));

	/* As many as the limit allows. It may be a fixed one. */
	struct rlimit limit = {1000, 1000};
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	int count = 0;
	while (dup(fd) >= 0)
		count++;
	HOLDS(errno == EMFILE);
	HOLDS(count > 200);
	return 0;
}
