/* Bytes of files: at positions, in vectors, holes, sizes, limits; what is refused, and in which order. */
#include "scratch.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static int file, ends[2];
static char text[8192];

static void positions(void)
{
	struct iovec parts[3] = {{"one", 3}, {"", 0}, {"three", 5}}, into[2] = {{text, 4}, {text + 100, 50}};

	SHOW(pwrite(file, "0123456789", 10, 0));
	SHOW(pread(file, text, 4, 3));
	printf("%.4s\n", text);
	SHOW(lseek(file, 0, SEEK_CUR));
	SHOW(pread(file, text, 4, 10));
	SHOW(pread(file, text, 4, -1));
	SHOW(pwrite(file, text, 4, -1));
	SHOW(pread(-1, text, 4, -1));
	SHOW(pread(ends[0], text, 4, 0));
	SHOW(pread(ends[1], text, 4, 0));
	SHOW(pwrite(ends[0], text, 4, 0));
	SHOW(pread(file, bad, 4, 0));
	SHOW(pwrite(file, bad, 4, 0));
	SHOW(pwritev(file, parts, 3, 2));
	SHOW(preadv(file, into, 2, 0));
	printf("%.4s %.6s\n", text, text + 100);
	SHOW(preadv(file, into, 2, -1));
	SHOW(preadv(file, into, -1, 0));
	SHOW(preadv(file, into, IOV_MAX + 1, 0));
	SHOW(preadv(file, bad, 1, 0));
	SHOW(writev(file, bad, 1));
	SHOW(writev(-1, bad, 1));
	SHOW(writev(file, parts, 0));
	SHOW(writev(file, bad, 0));
	SHOW(writev(file, parts, -1));
	parts[1].iov_len = -1;
	SHOW(writev(file, parts, 3));
	SHOW(readv(ends[1], parts, 3));
	parts[1].iov_len = 0;
	parts[0].iov_base = bad;
	SHOW(writev(file, parts, 3));
	parts[0].iov_base = "one";
	parts[2].iov_base = bad;
	SHOW(pwritev(file, parts, 3, 0));
	SHOW(syscall(SYS_preadv2, file, into, 2, 0L, 0L, 0));
	SHOW(syscall(SYS_preadv2, file, into, 1, -1L, -1L, 0));
	SHOW(lseek(file, 0, SEEK_CUR));
	SHOW(syscall(SYS_pwritev2, file, into, 1, -2L, -1L, 0));
	SHOW(syscall(SYS_preadv2, file, into, 1, 0L, 0L, 0x40000000));
	int append = open("data", O_WRONLY | O_APPEND);
	SHOW(pwrite(append, "end", 3, 0));
	SHOW(lseek(append, 0, SEEK_CUR));
	SHOW(write(append, "more", 4));
	SHOW(lseek(append, 0, SEEK_CUR));
	SHOW(read(append, text, 1));
	close(append);
	SHOW(read(file, bad, 1));
	SHOW(read(file, text, -1));
	SHOW(write(file, bad, 0));
	SHOW(write(-1, bad, 1));
}

static void seeks(void)
{
	int directory = open(".", O_RDONLY), path = open("data", O_PATH);

	SHOW(ftruncate(file, 0));
	SHOW(lseek(file, 3 * 65536, SEEK_SET));
	SHOW(write(file, "far", 3));
	SHOW(lseek(file, 0, SEEK_DATA));
	SHOW(lseek(file, 0, SEEK_HOLE));
	SHOW(lseek(file, 3 * 65536 + 1, SEEK_HOLE));
	SHOW(lseek(file, 3 * 65536 + 1, SEEK_DATA));
	SHOW(lseek(file, 3 * 65536 + 3, SEEK_DATA));
	SHOW(lseek(file, -1, SEEK_DATA));
	SHOW(lseek(file, -1, SEEK_SET));
	SHOW(lseek(file, -2, SEEK_END));
	SHOW(lseek(file, -1, SEEK_CUR));
	SHOW(lseek(file, LONG_MAX, SEEK_CUR));
	SHOW(lseek(file, 0, 5));
	SHOW(lseek(ends[0], 0, 5));
	SHOW(lseek(ends[0], 0, SEEK_CUR));
	SHOW(lseek(-1, 0, 5));
	SHOW(lseek(path, 0, SEEK_SET));
	SHOW(read(path, text, 1));
	SHOW(read(directory, text, 1));
	SHOW(write(directory, text, 1));
	SHOW(pread(directory, text, 1, 0));
	close(directory);
	close(path);
}

static void sizes(void)
{
	struct stat found;

	SHOW(ftruncate(file, 5000));
	SHOW(ftruncate(file, -1));
	SHOW(ftruncate(-1, -1));
	SHOW(ftruncate(-1, 0));
	SHOW(ftruncate(ends[1], 0));
	int reader = open("data", O_RDONLY);
	SHOW(ftruncate(reader, 0));
	SHOW(fallocate(reader, 0, 0, 1));
	close(reader);
	SHOW(truncate("data", 6000));
	SHOW(truncate("data", -1));
	SHOW(truncate(".", 0));
	SHOW(truncate("none", 0));
	SHOW(truncate(bad, 0));
	SHOW(truncate("data/none", 0));
	memset(text, 'x', sizeof text);
	SHOW(pwrite(file, text, sizeof text, 0));
	SHOW(ftruncate(file, 100));
	SHOW(ftruncate(file, 200));
	SHOW(pread(file, text, sizeof text, 50));
	HOLDS(text[49] == 'x' && text[50] == 0 && text[149] == 0);
	SHOW(fallocate(file, 0, 0, 20000));
	fstat(file, &found);
	printf("size %ld, blocks %ld\n", (long)found.st_size, (long)found.st_blocks);
	SHOW(fallocate(file, FALLOC_FL_KEEP_SIZE, 20480, 4096));
	fstat(file, &found);
	printf("size %ld, blocks %ld\n", (long)found.st_size, (long)found.st_blocks);
	memset(text, 'y', sizeof text);
	pwrite(file, text, sizeof text, 0);
	pwrite(file, text, sizeof text, 8192);
	SHOW(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 12000));
	memset(text, 'z', sizeof text);
	pread(file, text, 200, 0);
	HOLDS(text[99] == 'y' && text[100] == 0 && text[199] == 0);
	pread(file, text, 200, 12000);
	HOLDS(text[99] == 0 && text[100] == 'y');
	fstat(file, &found);
	printf("size %ld, blocks %ld\n", (long)found.st_size, (long)found.st_blocks);
	SHOW(lseek(file, 4096, SEEK_DATA));
	SHOW(fallocate(file, FALLOC_FL_PUNCH_HOLE, 0, 1));
	SHOW(fallocate(file, 0, -1, 1));
	SHOW(fallocate(file, 0, 0, 0));
	SHOW(fallocate(file, 0, LONG_MAX, 2));
	SHOW(fallocate(file, 0x4000, 0, 1));
	SHOW(fallocate(ends[1], 0, 0, 1));
	SHOW(fallocate(ends[0], 0, 0, 1));
	SHOW(fallocate(-1, 0, -1, 1));
	SHOW(fsync(file));
	SHOW(fdatasync(file));
	SHOW(fsync(ends[0]));
	SHOW(fsync(-1));
	SHOW(syncfs(file));
	SHOW(syncfs(-1));
	SHOW(sync_file_range(file, 0, 10, 7));
	SHOW(sync_file_range(file, 0, 10, 8));
	SHOW(sync_file_range(file, -1, 10, 1));
	SHOW(sync_file_range(ends[0], 0, 10, 1));
	SHOW(syscall(SYS_fadvise64, file, 0L, 0L, POSIX_FADV_DONTNEED));
	SHOW(syscall(SYS_fadvise64, file, 0L, 0L, 6));
	SHOW(syscall(SYS_fadvise64, file, 0L, -1L, 0));
	SHOW(syscall(SYS_fadvise64, ends[0], 0L, 0L, 6));
	SHOW(syscall(SYS_fadvise64, -1, 0L, 0L, 6));
	SHOW(readahead(file, 0, 10));
	SHOW(readahead(ends[0], 0, 10));
	SHOW(readahead(-1, 0, 10));
	SHOW((sync(), 0));
}

static volatile int excesses;

static void on_excess(int number)
{
	excesses += number == SIGXFSZ;
}

static void limits(void)
{
	struct rlimit limit = {10000, RLIM_INFINITY};

	signal(SIGXFSZ, on_excess);
	SHOW(ftruncate(file, 0));
	SHOW(setrlimit(RLIMIT_FSIZE, &limit));
	SHOW(pwrite(file, text, 8192, 0));
	SHOW(pwrite(file, text, 8192, 8192));
	HOLDS(excesses == 0);
	SHOW(pwrite(file, text, 1, 10000));
	HOLDS(excesses == 1);
	SHOW(ftruncate(file, 10001));
	SHOW(ftruncate(file, 10000));
	SHOW(truncate("data", 10001));
	HOLDS(excesses == 3);
	SHOW(fallocate(file, 0, 0, 10001));
	HOLDS(excesses == 4);
	SHOW(write(open("/dev/null", O_WRONLY), text, 8192));
	limit.rlim_cur = 4;
	SHOW(setrlimit(RLIMIT_FSIZE, &limit));
	SHOW(ftruncate(file, 9000));
	HOLDS(excesses == 4);
	signal(SIGXFSZ, SIG_DFL);
	pwrite(file, text, 1, 4);
}

int main(void)
{
	enter_scratch();
	file = open("data", O_CREAT | O_RDWR, 0644);
	if (pipe(ends) != 0)
		return 1;
	positions();
	seeks();
	sizes();
	in_child("beyond the limit", limits);
	return leave_scratch();
}
