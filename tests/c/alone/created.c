// Creates two threads and one process that shares memory, so that each counts as what it is.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void *nothing(void *argument) { return argument; }

static int child(void *argument) {
    (void)argument;
    return 0;
}

int main(void) {
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        if (pthread_create(&thread, 0, nothing, 0) != 0 || pthread_join(thread, 0) != 0) {
            return 1;
        }
    }
    static _Alignas(16) char stack[16384];
    pid_t pid = clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, 0);
    if (pid < 0 || waitpid(pid, 0, 0) != pid) {
        return 2;
    }
    pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    return waitpid(pid, 0, 0) == pid ? 0 : 3;
}
