/* Files and directories of the root: made, read, written, listed. */
#include "report.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *path)
{
	char *names[64];
	int count = 0;
	DIR *directory = opendir(path);

	if (!directory) {
		printf("opendir: errno %d\n", errno);
		return;
	}
	for (struct dirent *entry; count < 64 && (entry = readdir(directory));)
		names[count++] = strdup(entry->d_name);
	closedir(directory);
	qsort(names, count, sizeof *names, by_name);
	for (int i = 0; i < count; i++)
		printf("  %s\n", names[i]);
}

int main(void)
{
	char directory[64], text[32];
	struct stat stat_of;

	snprintf(directory, sizeof directory, "/tmp/files.%ld", (long)getpid());
	SHOW(mkdir(directory, 0755));
	SHOW(mkdir(directory, 0755));
	SHOW(chdir(directory));
	HOLDS(getcwd(text, sizeof text) != NULL && strcmp(text, directory) == 0);
	SHOW(mkdir("sub", 0700));
	SHOW(mkdir("sub/deeper", 0755));
	FILE *file = fopen("sub/text", "w+");
	HOLDS(file != NULL);
	for (int i = 0; i < 1000; i++)
		fprintf(file, "line %d\n", i);
	rewind(file);
	long sum = 0, lines = 0;
	while (fgets(text, sizeof text, file)) {
		sum += atol(text + 5);
		lines++;
	}
	printf("%ld lines, sum %ld\n", lines, sum);
	fclose(file);
	list(".");
	list("sub");
	SHOW(stat("sub/text", &stat_of));
	printf("size %ld, a file: %d\n", (long)stat_of.st_size, S_ISREG(stat_of.st_mode));
	SHOW(stat("sub", &stat_of));
	printf("mode %o\n", stat_of.st_mode & 07777);
	SHOW(stat("sub/none", &stat_of));
	SHOW(stat("sub/text/none", &stat_of));
	SHOW(stat("sub/../sub/./text", &stat_of));
	SHOW(access("sub/text", R_OK | W_OK));
	SHOW(access("none", F_OK));
	SHOW(rmdir("sub"));
	SHOW(unlink("sub"));
	SHOW(unlink("sub/text"));
	SHOW(rmdir("sub/deeper"));
	SHOW(rmdir("sub/deeper"));

	/* A hole is zeros. */
	int fd = open("sparse", O_RDWR | O_CREAT, 0644);
	SHOW(lseek(fd, 1 << 20, SEEK_SET));
	SHOW(write(fd, "end", 3));
	SHOW(fstat(fd, &stat_of));
	printf("size %ld\n", (long)stat_of.st_size);
	SHOW(pread(fd, text, 8, 4090));
	HOLDS(memcmp(text, "\0\0\0\0\0\0\0\0", 8) == 0);
	struct iovec parts[] = {{"ab", 2}, {"", 0}, {"cde", 3}};
	SHOW(lseek(fd, 10, SEEK_SET));
	SHOW(writev(fd, parts, 3));
	SHOW(pread(fd, text, 5, 10));
	printf("%.5s\n", text);
	SHOW(close(fd));
	SHOW(unlink("sparse"));
	SHOW(rmdir("sub"));
	SHOW(chdir("/"));
	SHOW(rmdir(directory));

	/* What is always there. */
	fd = open("/dev/null", O_RDWR);
	SHOW(write(fd, "gone", 4));
	SHOW(read(fd, text, 4));
	SHOW(close(fd));
	SHOW(chdir("/no/such"));
	return 0;
}
