/* Says how large its terminal is, at the start and whenever that changes, until it is told three sizes. */
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t changes;

static void changed(int signal)
{
    (void)signal;
    changes++;
}

static void show(void)
{
    struct winsize size;
    if (ioctl(0, TIOCGWINSZ, &size) < 0)
        perror("TIOCGWINSZ");
    printf("%d rows, %d columns\n", size.ws_row, size.ws_col);
    fflush(stdout);
}

int main(void)
{
    sigset_t winch, before;
    struct sigaction action = {.sa_handler = changed};
    sigaction(SIGWINCH, &action, NULL);
    sigemptyset(&winch);
    sigaddset(&winch, SIGWINCH);
    sigprocmask(SIG_BLOCK, &winch, &before);
    show();
    for (int seen = 1; seen < 3; seen++) {
        while (changes == 0)
            sigsuspend(&before);
        changes = 0;
        show();
    }
    return 0;
}
