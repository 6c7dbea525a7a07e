/* Bytes from file to file; listings; descriptors and their flags. */
#include "scratch.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

static char text[20000], copy[20000];
static int source, target, ends[2];

static void sends(void)
{
	off_t at = 100;

	SHOW(sendfile(target, source, NULL, 5000));
	SHOW(lseek(source, 0, SEEK_CUR));
	SHOW(lseek(target, 0, SEEK_CUR));
	SHOW(sendfile(target, source, &at, 200));
	printf("%ld\n", (long)at);
	SHOW(lseek(source, 0, SEEK_CUR));
	SHOW(pread(target, copy, 20000, 0));
	HOLDS(memcmp(copy, text, 5000) == 0 && memcmp(copy + 5000, text + 100, 200) == 0);
	SHOW(sendfile(target, source, NULL, 100000));
	SHOW(sendfile(target, source, NULL, 10));
	SHOW(sendfile(target, source, NULL, 0));
	SHOW(sendfile(target, source, NULL, -1));
	SHOW(sendfile(target, ends[0], NULL, 10));
	SHOW(sendfile(ends[0], source, NULL, 10));
	SHOW(sendfile(-1, source, NULL, 10));
	SHOW(sendfile(target, -1, NULL, 10));
	SHOW(sendfile(target, source, bad, 10));
	at = -1;
	SHOW(sendfile(target, source, &at, 10));
	int append = open("target", O_WRONLY | O_APPEND), null = open("/dev/null", O_WRONLY);
	SHOW(sendfile(append, source, NULL, 10));
	at = 0;
	SHOW(sendfile(null, source, &at, 20000));
	SHOW(sendfile(source, append, NULL, 10));
	close(append);
	close(null);
	/* More than a pipe holds: the reader's other end takes it. */
	lseek(source, 0, SEEK_SET);
	ftruncate(source, 200000);
	pid_t child = fork();
	if (child == 0) {
		long total = 0, got;
		close(ends[1]);
		while ((got = read(ends[0], copy, 5000)) > 0)
			total += got;
		printf("%ld bytes\n", total);
		_exit(0);
	}
	SHOW(sendfile(ends[1], source, NULL, 200000));
	SHOW(lseek(source, 0, SEEK_CUR));
	close(ends[1]);
	waitpid(child, NULL, 0);
	ftruncate(source, 20000);
}

static void ranges(void)
{
	off_t in = 10, out = 7000;
	int directory = open(".", O_RDONLY), reader = open("target", O_RDONLY), append = open("target", O_WRONLY | O_APPEND);

	SHOW(ftruncate(target, 0));
	lseek(source, 0, SEEK_SET);
	lseek(target, 0, SEEK_SET);
	SHOW(copy_file_range(source, NULL, target, NULL, 6000, 0));
	SHOW(lseek(source, 0, SEEK_CUR));
	SHOW(lseek(target, 0, SEEK_CUR));
	SHOW(copy_file_range(source, &in, target, &out, 3000, 0));
	printf("%ld %ld\n", (long)in, (long)out);
	SHOW(pread(target, copy, 20000, 0));
	HOLDS(memcmp(copy, text, 6000) == 0 && memcmp(copy + 7000, text + 10, 3000) == 0);
	SHOW(copy_file_range(source, NULL, target, NULL, 1000000, 0));
	SHOW(copy_file_range(source, NULL, target, NULL, 1000000, 0));
	in = 0, out = 100;
	SHOW(copy_file_range(source, &in, source, &out, 200, 0));
	SHOW(copy_file_range(source, &in, source, &out, 100, 0));
	SHOW(copy_file_range(source, NULL, target, NULL, 10, 1));
	SHOW(copy_file_range(source, NULL, directory, NULL, 10, 0));
	SHOW(copy_file_range(directory, NULL, target, NULL, 10, 0));
	SHOW(copy_file_range(ends[0], NULL, target, NULL, 10, 0));
	SHOW(copy_file_range(source, NULL, reader, NULL, 10, 0));
	SHOW(copy_file_range(source, NULL, append, NULL, 10, 0));
	SHOW(copy_file_range(-1, NULL, target, NULL, 10, 0));
	SHOW(copy_file_range(source, bad, target, NULL, 10, 0));
	close(directory);
	close(reader);
	close(append);
}

/* The old call's entries: a number, a cursor, a length, a name, and at the end the type. */
static void listings(void)
{
	char entries[1024], *names[20];
	int count = 0, directory = open("listed", O_RDONLY | O_DIRECTORY);
	long length = syscall(SYS_getdents, directory, entries, sizeof entries);

	for (long at = 0; at < length;) {
		unsigned short size = *(unsigned short *)(entries + at + 16);
		char *line = malloc(100);
		sprintf(line, "%s, type %d", entries + at + 18, entries[at + size - 1]);
		names[count++] = line;
		at += size;
	}
	for (int i = 0; i < count; i++)
		for (int j = i + 1; j < count; j++)
			if (strcmp(names[i], names[j]) > 0) {
				char *other = names[i];
				names[i] = names[j];
				names[j] = other;
			}
	for (int i = 0; i < count; i++)
		printf("%s\n", names[i]);
	SHOW(syscall(SYS_getdents, directory, entries, sizeof entries));
	SHOW(lseek(directory, 0, SEEK_SET));
	SHOW(syscall(SYS_getdents, directory, entries, 5));
	SHOW(syscall(SYS_getdents64, directory, entries, 5));
	SHOW(syscall(SYS_getdents64, directory, bad, 1000));
	SHOW(syscall(SYS_getdents64, source, entries, 1000));
	SHOW(syscall(SYS_getdents64, -1, entries, 1000));
	rmdir("listed/c");
	unlink("listed/a");
	unlink("listed/b");
	rmdir("listed");
	SHOW(syscall(SYS_getdents64, directory, entries, 1000));
	close(directory);
}

static void ranges_of_descriptors(void)
{
	for (int i = 20; i < 30; i++)
		dup2(source, i);
	SHOW(close_range(22, 24, 0));
	SHOW(fcntl(21, F_GETFD));
	SHOW(fcntl(22, F_GETFD));
	SHOW(fcntl(24, F_GETFD));
	SHOW(fcntl(25, F_GETFD));
	SHOW(close_range(26, 27, 4));
	SHOW(fcntl(26, F_GETFD));
	SHOW(fcntl(28, F_GETFD));
	SHOW(close_range(25, ~0U, 2));
	SHOW(fcntl(29, F_GETFD));
	SHOW(close_range(5, 4, 0));
	SHOW(close_range(5, 6, 8));
	SHOW(close_range(100, 200, 0));
}

static void owners_and_pipes(void)
{
	int two[2];

	pipe(two);
	SHOW(fcntl(two[0], F_GETPIPE_SZ));
	SHOW(fcntl(two[0], F_SETPIPE_SZ, 4097));
	SHOW(fcntl(two[1], F_GETPIPE_SZ));
	SHOW(write(two[1], text, 6000));
	SHOW(fcntl(two[1], F_SETPIPE_SZ, 4096));
	SHOW(fcntl(source, F_GETPIPE_SZ));
	SHOW(fcntl(two[0], F_GETOWN));
	SHOW(fcntl(two[0], F_SETOWN, getpid()));
	HOLDS(fcntl(two[0], F_GETOWN) == getpid());
	SHOW(fcntl(two[0], F_SETSIG, SIGUSR1));
	SHOW(fcntl(two[0], F_GETSIG));
	SHOW(fcntl(two[0], F_SETSIG, 65));
	SHOW(fcntl(two[0], 9999));
	SHOW(fcntl(-1, 9999));
	SHOW(fcntl(two[0], F_SETPIPE_SZ, 200000));
	SHOW(fcntl(two[1], F_SETFL, O_NONBLOCK));
	SHOW(write(two[1], text, 20000));
	for (int i = 0; i < 15; i++)
		write(two[1], text, sizeof text);
	SHOW(write(two[1], text, sizeof text));
	SHOW(read(two[0], copy, 6000));
	HOLDS(memcmp(text, copy, 6000) == 0);
	SHOW(read(two[0], copy, 20000));
	HOLDS(memcmp(text, copy, 20000) == 0);
	close(two[0]);
	close(two[1]);
	/* Writes that stay apart. */
	SHOW(pipe2(two, O_DIRECT | O_NONBLOCK) == 0);
	SHOW(fcntl(two[0], F_GETFL) & O_DIRECT);
	SHOW(write(two[1], "one", 3));
	SHOW(write(two[1], "another", 7));
	SHOW(read(two[0], copy, 100));
	SHOW(read(two[0], copy, 4));
	printf("%.4s\n", copy);
	SHOW(read(two[0], copy, 100));
	SHOW(write(two[1], text, 10000));
	SHOW(read(two[0], copy, 20000));
	SHOW(read(two[0], copy, 20000));
	SHOW(read(two[0], copy, 20000));
	SHOW(write(two[1], "", 0));
	SHOW(read(two[0], copy, 20000));
	close(two[1]);
	SHOW(read(two[0], copy, 20000));
	close(two[0]);
	SHOW(pipe2(two, 0x4));
	int path = open("source", O_PATH);
	SHOW(ioctl(path, 0));
	SHOW(fgetxattr(path, "user.x", copy, 10));
	SHOW(fcntl(path, F_GETFL) & O_PATH);
	SHOW(fcntl(path, F_SETFL, O_APPEND));
	SHOW(fcntl(path, F_GETOWN));
	SHOW(fcntl(path, F_GETFD));
	close(path);
}

/* What has been moved is there, whatever becomes of the offset. */
static void offsets_that_cannot_be_written(void)
{
	off_t *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int two[2], status;
	char byte;

	if (pipe(two) != 0)
		return;
	pid_t child = fork();
	if (child == 0)
		_exit(read(two[0], &byte, 1) == 1 && byte == text[0] ? 0 : 1);
	usleep(20000);
	SHOW(sendfile(two[1], source, at, 1));
	waitpid(child, &status, 0);
	show_status("the reader", status);
	close(two[0]);
	close(two[1]);
}

int main(void)
{
	enter_scratch();
	for (int i = 0; i < 20000; i++)
		text[i] = (char)(i * 31 + i / 256);
	source = open("source", O_CREAT | O_RDWR, 0644);
	target = open("target", O_CREAT | O_RDWR, 0644);
	if (pipe(ends) != 0 || write(source, text, sizeof text) != sizeof text || lseek(source, 0, SEEK_SET) != 0)
		return 1;
	mkdir("listed", 0755);
	mkdir("listed/c", 0755);
	close(open("listed/a", O_CREAT, 0644));
	symlink("a", "listed/b");
	sends();
	ranges();
	listings();
	ranges_of_descriptors();
	owners_and_pipes();
	offsets_that_cannot_be_written();
	return leave_scratch();
}
