/* The first thread ends before the others: /proc shows it as a zombie, as long as there is the process. */
#include "report.h"
#include <dirent.h>
#include <pthread.h>

static pid_t leader;

static void list(const char *path)
{
	struct dirent *entry;
	DIR *directory = opendir(path);
	int count = 0;

	while (directory && (entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	printf("%s: %d\n", path, count);
	if (directory)
		closedir(directory);
}

static void show_state(const char *what, const char *path)
{
	char text[256];
	int file = open(path, O_RDONLY);
	ssize_t length = read(file, text, sizeof text - 1);

	text[length > 0 ? length : 0] = 0;
	const char *name = strrchr(text, ')');
	printf("%s: %c\n", what, name ? name[2] : '?');
	close(file);
}

static void show_line(const char *path, const char *label)
{
	char line[128];
	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, label, strlen(label)) == 0)
			fputs(line, stdout);
	if (file)
		fclose(file);
}

static void *outlive(void *unused)
{
	char path[64], status[64];

	(void)unused;
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", leader);
	snprintf(status, sizeof status, "/proc/self/task/%d/status", leader);
	until_told(path, 'Z');
	show_state("the first thread", path);
	show_state("the process", "/proc/self/stat");
	show_state("this thread", "/proc/thread-self/stat");
	list("/proc/self/task");
	show_line("/proc/self/status", "Threads:");
	show_line(status, "State:");
	snprintf(path, sizeof path, "/proc/self/task/%d/comm", leader);
	SHOW(access(path, F_OK));
	SHOW(access("/proc/self/task/1000000/stat", F_OK));
	SHOW(kill(leader, 0));
	exit(3);
}

int main(void)
{
	int status, ends[2];
	char path[64];

	if (pipe(ends) != 0)
		return 1;
	pid_t child = fork();
	if (child == 0) {
		pthread_t thread;

		leader = getpid();
		pthread_create(&thread, NULL, outlive, NULL);
		pthread_exit(NULL);
	}
	waitpid(child, &status, 0);
	show_status("the process", status);
	child = fork();
	if (child == 0)
		_exit(0);
	until_in_state(child, 'Z');
	snprintf(path, sizeof path, "/proc/%d/status", child);
	show_line(path, "Threads:");
	show_line(path, "State:");
	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", child, child);
	show_state("the thread of a zombie", path);
	waitpid(child, &status, 0);
	SHOW(access(path, F_OK));
	return 0;
}
