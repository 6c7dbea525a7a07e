/* Does not end: computes, sleeps, or has children who do. */
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const struct timespec moment = {0, 1000000};
	const char *how = argc > 1 ? argv[1] : "";

	if (strcmp(how, "children") == 0)
		for (int i = 0; i < 5; i++)
			if (fork() == 0)
				break;
	for (;;)
		if (strcmp(how, "sleep") == 0)
			nanosleep(&moment, NULL);
}
