/* Calls whose arguments have structures behind them, each with the same result on any Linux: what is between the two
   marks is traced here and there, and compared. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void handler(int signal)
{
    (void)signal;
}

static void mark(void)
{
    syscall(SYS_write, -1, "mark", 4);
}

static void files(void)
{
    char buffer[200];
    struct stat status;
    struct iovec pieces[2] = {{"ab", 2}, {"cde", 3}};
    struct timespec times[2] = {{1000000000, 5}, {0, UTIME_OMIT}};
    struct statx more;
    mkdir("d", 0755);
    chdir("d");
    int file = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);
    write(file, "hello \"x\"\n\t\1\377zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 44);
    lseek(file, 0, SEEK_SET);
    read(file, buffer, 5);
    pread(file, buffer, 5, 2);
    pwrite(file, "x", 1, 3);
    fstat(file, &status);
    stat("nowhere", &status);
    writev(file, pieces, 2);
    pieces[0].iov_base = buffer;
    pieces[1].iov_base = buffer + 10;
    preadv(file, pieces, 2, 1);
    link("a", "b");
    symlink("a", "c");
    readlink("c", buffer, 100);
    access("a", R_OK | W_OK);
    fchmod(file, 0);
    fchmod(file, 04751);
    umask(022);
    umask(0);
    fcntl(file, F_SETFD, FD_CLOEXEC);
    fcntl(file, F_GETFL);
    fcntl(file, F_SETFL, O_APPEND | O_NONBLOCK);
    fcntl(file, F_DUPFD_CLOEXEC, 20);
    struct flock lock = {F_WRLCK, SEEK_SET, 0, 10, 0};
    fcntl(file, F_SETLK, &lock);
    fcntl(file, F_GETLK, &lock);
    flock(file, LOCK_EX | LOCK_NB);
    int directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    mkdirat(directory, "x", 0700);
    unlinkat(directory, "x", AT_REMOVEDIR);
    utimensat(directory, "a", NULL, 0);
    utimensat(AT_FDCWD, "a", times, 0);
    statx(AT_FDCWD, "nowhere", AT_SYMLINK_NOFOLLOW, STATX_SIZE, &more);
    mkfifo("f", 0600);
    mknod("n", S_IFREG | 0600, 0);
    renameat2(directory, "f", directory, "n", RENAME_NOREPLACE);
    unlink("f");
    unlink("n");
    unlink("a");
    unlink("b");
    unlink("c");
    chdir("..");
    rmdir("d");
    write(1, (void *)1, 0);
    open((void *)1, O_RDONLY);
    close(77);
}

static void waits(void)
{
    char buffer[100];
    int ends[2], pair[2];
    pipe(ends);
    pipe2(ends, O_CLOEXEC);
    write(ends[1], "q", 1);
    struct pollfd ready[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
    poll(ready, 2, 100);
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(ends[0], &in);
    FD_SET(ends[1], &out);
    syscall(SYS_select, ends[1] + 1, &in, &out, NULL, NULL);
    syscall(SYS_pselect6, ends[1] + 1, &in, NULL, NULL, NULL, NULL);
    ioctl(ends[0], FIONREAD, buffer);
    read(ends[0], buffer, 1);
    poll(ready, 1, 0);
    syscall(SYS_select, ends[1] + 1, &in, NULL, NULL, &(struct timeval){0, 0});
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    send(pair[0], "abc", 3, MSG_NOSIGNAL);
    recv(pair[1], buffer, 10, MSG_DONTWAIT);
    struct iovec piece = {"hey", 3};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    sendmsg(pair[0], &message, 0);
    piece = (struct iovec){buffer, 50};
    recvmsg(pair[1], &message, 0);
    int option;
    socklen_t length = sizeof option;
    getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &option, &length);
    shutdown(pair[0], SHUT_WR);
}

static void signals(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct timespec none = {0, 0};
    sigset_t set;
    sigaddset(&action.sa_mask, SIGINT);
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, 40);
    sigprocmask(SIG_BLOCK, &set, NULL);
    syscall(SYS_kill, 0x7fffffff, 0);
    raise(SIGUSR1);
    sigpending(&set);
    syscall(SYS_rt_sigtimedwait, &set, NULL, &none, 8);
    nanosleep(&none, NULL);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &none, NULL);
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    prctl(PR_SET_NAME, "traced");
    prctl(PR_GET_NAME, &set);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sched_yield();
    getpriority(PRIO_PROCESS, 0);
}

static void memory(void)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages, 4096, PROT_READ);
    madvise(pages, 4096, MADV_DONTNEED);
    msync(pages, 4096, MS_SYNC);
    mprotect(pages, 4096, PROT_READ | PROT_WRITE);
    pages = mremap(pages, 8192, 16384, MREMAP_MAYMOVE);
    munmap(pages, 16384);
    mmap(NULL, 0, PROT_NONE, MAP_SHARED, -1, 0);
}

int main(void)
{
    /* What was open already is the host's affair. */
    syscall(SYS_close_range, 3, ~0U, 0);
    mark();
    files();
    waits();
    signals();
    memory();
    mark();
    return 0;
}
