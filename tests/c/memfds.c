/* Files without a place in any directory, and seals: memfd_create(2), fcntl(2). */
#include "report.h"
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#define MFD_EXEC 16U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

static void show_link(int fd)
{
	char path[32], text[300];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(path, text, sizeof text);
	printf("named %.*s\n", (int)length, text);
}

static void creation(void)
{
	char name[300];
	struct stat status;
	int fd = memfd_create("a name", 0);

	HOLDS(fd >= 0);
	show_link(fd);
	SHOW(fstat(fd, &status));
	printf("mode %o, %ld links, size %ld\n", status.st_mode, (long)status.st_nlink, (long)status.st_size);
	SHOW(fcntl(fd, F_GETFD));
	printf("access mode %d\n", fcntl(fd, F_GETFL) & O_ACCMODE);
	SHOW(fcntl(fd, F_GET_SEALS));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(write(fd, "12345678", 8));
	SHOW(pread(fd, name, 8, 0));
	SHOW(ftruncate(fd, 100));
	SHOW(lseek(fd, 0, SEEK_END));
	close(fd);
	fd = memfd_create("", MFD_CLOEXEC);
	show_link(fd);
	SHOW(fcntl(fd, F_GETFD));
	close(fd);
	memset(name, 'x', sizeof name);
	name[249] = 0;
	fd = memfd_create(name, 0);
	HOLDS(fd >= 0);
	close(fd);
	name[249] = 'x', name[250] = 0;
	SHOW(memfd_create(name, 0));
	SHOW(memfd_create("flags", 0x1000));
	SHOW(memfd_create("flags", MFD_EXEC | MFD_NOEXEC_SEAL));
	SHOW(memfd_create((char *)-4096, 0));
}

static void seals(void)
{
	char bytes[4096] = "";
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);

	SHOW(fcntl(fd, F_GET_SEALS));
	SHOW(ftruncate(fd, 5000));
	SHOW(fcntl(fd, F_ADD_SEALS, 0x1000));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(ftruncate(fd, 5001));
	SHOW(ftruncate(fd, 5000));
	SHOW(ftruncate(fd, 4096));
	SHOW(pwrite(fd, bytes, 4096, 0));
	SHOW(pwrite(fd, bytes, 1, 4096));
	SHOW(pwrite(fd, bytes, 0, 9000));
	SHOW(fallocate(fd, 0, 0, 5000));
	SHOW(fallocate(fd, 0, 0, 4096));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	SHOW(ftruncate(fd, 100));
	SHOW(fcntl(fd, F_GET_SEALS));
	char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	HOLDS(shared != MAP_FAILED);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	shared[7] = 'x';
	munmap(shared, 4096);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(pwrite(fd, bytes, 1, 0));
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	HOLDS(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
	shared = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	HOLDS(shared != MAP_FAILED && shared[7] == 'x');
	SHOW(mprotect(shared, 4096, PROT_READ | PROT_WRITE));
	shared[7] = 'y';
	SHOW(pread(fd, bytes, 8, 0));
	printf("%c\n", bytes[7]);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(fcntl(fd, F_GET_SEALS));
	close(fd);

	fd = memfd_create("no program", MFD_NOEXEC_SEAL);
	struct stat status;
	SHOW(fcntl(fd, F_GET_SEALS));
	SHOW(fstat(fd, &status));
	printf("mode %o\n", status.st_mode);
	SHOW(fchmod(fd, 0777));
	SHOW(fchmod(fd, 0600));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	close(fd);
	fd = memfd_create("a program", MFD_EXEC | MFD_ALLOW_SEALING);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
	SHOW(fcntl(fd, F_GET_SEALS));
	SHOW(fchmod(fd, 0666));
	close(fd);

	char path[32];
	fd = memfd_create("readers", MFD_ALLOW_SEALING);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int reader = open(path, O_RDONLY);
	HOLDS(reader >= 0);
	SHOW(fcntl(reader, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(fcntl(reader, F_GET_SEALS));
	close(reader), close(fd);
	int ends[2];
	SHOW(pipe(ends));
	SHOW(fcntl(ends[1], F_GET_SEALS));
	SHOW(fcntl(ends[1], F_ADD_SEALS, F_SEAL_GROW));
	SHOW(fcntl(ends[0], F_ADD_SEALS, F_SEAL_GROW));
}

/* A program that lies in no directory. */
static void programs(const char *self)
{
	char *arguments[] = {"memfds", "again", NULL}, *none[] = {NULL}, bytes[4096];
	int fd = memfd_create("program", MFD_CLOEXEC), file = open(self, O_RDONLY), status;
	ssize_t length;

	while ((length = read(file, bytes, sizeof bytes)) > 0)
		write(fd, bytes, length);
	close(file);
	pid_t child = fork();
	if (child == 0) {
		fexecve(fd, arguments, none);
		_exit(errno);
	}
	waitpid(child, &status, 0);
	show_status("the program", status);
}

int main(int count, char **arguments)
{
	(void)arguments;
	if (count > 1) {
		puts("run from memory");
		return 7;
	}
	creation();
	seals();
	programs("/proc/self/exe");
	return 0;
}
