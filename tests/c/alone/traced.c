/* Calls of most kinds, for a trace. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void handler(int signal)
{
    (void)signal;
}

int main(int count, char **arguments)
{
    struct stat status;
    char buffer[100];
    int ends[2], ended;
    if (count > 1)
        return 7;
    stat("/bin/echo", &status);
    open("/nowhere/at/all", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (pipe(ends) < 0)
        return 1;
    if (write(ends[1], "a line of more than thirty-two characters\n", 42) != 42)
        return 1;
    if (read(ends[0], buffer, sizeof buffer) != 42)
        return 1;
    struct iovec pieces[2] = {{"ab\n", 3}, {"c\"d", 3}};
    if (writev(ends[1], pieces, 2) != 6)
        return 1;
    struct pollfd ready = {ends[0], POLLIN, 0};
    poll(&ready, 1, 10);
    if (read(ends[0], buffer, sizeof buffer) != 6)
        return 1;
    signal(SIGUSR1, handler);
    kill(getpid(), SIGUSR1);
    fcntl(ends[0], F_GETFD);
    mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        char *const again[] = {arguments[0], "an argument", NULL};
        execv(arguments[0], again);
        _exit(9);
    }
    waitpid(child, &ended, 0);
    child = fork();
    if (child == 0) {
        if (write(ends[1], "!", 1) != 1)
            _exit(1);
        pause();
    }
    if (read(ends[0], buffer, 1) != 1)
        return 1;
    kill(child, SIGTERM);
    waitpid(child, &ended, 0);
    return 5;
}
