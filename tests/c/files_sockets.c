/* Pairs of sockets: streams, packets, datagrams. */
#include "scratch.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

static char text[100000];
static volatile int broken;

static void on_broken(int number)
{
	broken += number == SIGPIPE;
}

static int events(int descriptor)
{
	struct pollfd one = {descriptor, POLLIN | POLLOUT | POLLRDHUP};

	poll(&one, 1, 0);
	return one.revents;
}

static void refused(void)
{
	int two[2] = {-1, -1};

	SHOW(socketpair(AF_UNIX, SOCK_STREAM | 0x10, 0, two));
	SHOW(socketpair(999, SOCK_STREAM, 0, two));
	SHOW(socketpair(AF_UNIX, 9, 0, two));
	SHOW(socketpair(AF_UNIX, 12, 0, two));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 17, two));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, bad));
	SHOW(syscall(SYS_socket, 999, SOCK_STREAM, 0));
	SHOW(syscall(SYS_socket, AF_UNIX, SOCK_STREAM | 0x10, 0));
	int file = open("data", O_CREAT | O_RDWR, 0644);
	SHOW(send(file, "x", 1, 0));
	SHOW(recv(file, text, 1, 0));
	SHOW(shutdown(file, SHUT_RDWR));
	SHOW(shutdown(-1, SHUT_RDWR));
	SHOW(bind(file, NULL, 0));
	SHOW(listen(0, 1));
	SHOW(accept(file, NULL, NULL));
	SHOW(sendmsg(file, NULL, 0));
	SHOW(recvmsg(-1, NULL, 0));
	close(file);
}

static void streams(void)
{
	int two[2], count;
	struct stat found;
	struct iovec parts[2] = {{"gathered", 8}, {" parts", 6}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	SHOW(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two));
	SHOW(fcntl(two[0], F_GETFD));
	SHOW(fcntl(two[0], F_GETFL));
	fstat(two[0], &found);
	printf("mode %o\n", found.st_mode);
	printf("%#x\n", events(two[0]));
	SHOW(write(two[0], "hello", 5));
	SHOW(send(two[0], " world", 6, 0));
	printf("%#x\n", events(two[1]));
	SHOW(ioctl(two[1], FIONREAD, &count));
	printf("%d\n", count);
	SHOW(recv(two[1], text, 5, MSG_PEEK));
	SHOW(recv(two[1], text, 100, MSG_PEEK));
	SHOW(read(two[1], text, 100));
	printf("%.11s\n", text);
	SHOW(recv(two[1], text, 1, MSG_DONTWAIT));
	SHOW(write(two[1], "back", 4));
	SHOW(recv(two[0], text, 100, 0));
	SHOW(sendmsg(two[0], &message, 0));
	memset(text, 0, 100);
	parts[0] = (struct iovec){text, 4};
	parts[1] = (struct iovec){text + 10, 50};
	SHOW(recvmsg(two[1], &message, 0));
	printf("%s %s, flags %#x\n", text, text + 10, message.msg_flags);
	SHOW(lseek(two[0], 0, SEEK_SET));
	SHOW(pread(two[0], text, 1, 0));
	SHOW(ftruncate(two[0], 0));
	SHOW(fsync(two[0]));
	SHOW(send(two[0], bad, 1, 0));
	SHOW(recv(two[0], bad, 1, MSG_DONTWAIT));
	SHOW(sendto(two[0], "x", 1, 0, (struct sockaddr *)&(struct sockaddr_un){AF_UNIX, "/none"}, 8));
	struct sockaddr_un name;
	socklen_t length = sizeof name;
	SHOW(getsockname(two[0], (struct sockaddr *)&name, &length));
	printf("family %d, length %d\n", name.sun_family, (int)length);
	length = sizeof count;
	SHOW(getsockopt(two[0], SOL_SOCKET, SO_TYPE, &count, &length));
	printf("%d\n", count);
	SHOW(getsockopt(two[0], SOL_SOCKET, SO_ERROR, &count, &length));
	printf("%d\n", count);
	/* More than it holds: the writer waits for the reader. */
	pid_t child = fork();
	if (child == 0) {
		close(two[0]);
		long total = 0, got;
		while ((got = read(two[1], text, 3000)) > 0)
			total += got;
		printf("%ld bytes\n", total);
		_exit(0);
	}
	close(two[1]);
	for (int i = 0; i < 3; i++)
		SHOW(write(two[0], text, sizeof text));
	/* In one, for the child has something to say then. */
	HOLDS(shutdown(two[0], SHUT_WR) == 0 && waitpid(child, NULL, 0) == child);
	SHOW(write(two[0], "x", 1));
	HOLDS(broken == 1);
	SHOW(send(two[0], "x", 1, MSG_NOSIGNAL));
	HOLDS(broken == 1);
	printf("%#x\n", events(two[0]));
	SHOW(read(two[0], text, 1));
	close(two[0]);
	SHOW(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, two));
	SHOW(read(two[0], text, 1));
	SHOW(shutdown(two[0], 3));
	SHOW(write(two[0], "unread", 6));
	SHOW(write(two[1], "read", 4));
	SHOW(close(two[1]));
	SHOW(read(two[0], text, 100));
	SHOW(read(two[0], text, 100));
	SHOW(read(two[0], text, 100));
	printf("%#x\n", events(two[0]));
	SHOW(write(two[0], "x", 1));
	close(two[0]);
	SHOW(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, two));
	SHOW(shutdown(two[0], SHUT_RD));
	printf("%#x %#x\n", events(two[0]), events(two[1]));
	SHOW(write(two[1], "x", 1));
	SHOW(read(two[0], text, 1));
	SHOW(shutdown(two[0], SHUT_WR));
	printf("%#x %#x\n", events(two[0]), events(two[1]));
	SHOW(read(two[1], text, 1));
	close(two[0]);
	close(two[1]);
	/* All of what is asked for, however often it comes. */
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, two));
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 4; i++) {
			write(two[0], "abc", 3);
			nanosleep(&(struct timespec){0, 10000000}, NULL);
		}
		_exit(0);
	}
	SHOW(recv(two[1], text, 12, MSG_WAITALL));
	waitpid(child, NULL, 0);
	close(two[0]);
	close(two[1]);
}

static void messages(int kind)
{
	int two[2], count;
	struct iovec part = {text, 3};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	printf("kind %d\n", kind);
	SHOW(socketpair(AF_UNIX, kind | SOCK_NONBLOCK, 0, two));
	SHOW(write(two[0], "first", 5));
	SHOW(write(two[0], "second one", 10));
	SHOW(ioctl(two[1], FIONREAD, &count));
	printf("%d\n", count);
	SHOW(recv(two[1], text, 100, MSG_PEEK));
	SHOW(recv(two[1], text, 2, MSG_PEEK | MSG_TRUNC));
	SHOW(read(two[1], text, 3));
	printf("%.3s\n", text);
	SHOW(recvmsg(two[1], &message, 0));
	printf("%.3s, flags %#x\n", text, message.msg_flags);
	SHOW(read(two[1], text, 100));
	SHOW(send(two[0], "truncated", 9, 0));
	SHOW(recv(two[1], text, 4, MSG_TRUNC));
	SHOW(write(two[0], bad, 5000));
	SHOW(read(two[1], text, 100));
	SHOW(send(two[0], "", 0, 0));
	SHOW(send(two[0], "after nothing", 13, 0));
	SHOW(recv(two[1], text, 100, 0));
	SHOW(recv(two[1], text, 100, 0));
	for (int i = 0; i < 10000; i++)
		text[i] = (char)(i * 7);
	SHOW(write(two[0], text, 10000));
	memset(text, 0, 10000);
	SHOW(read(two[1], text, 20000));
	count = 0;
	for (int i = 0; i < 10000; i++)
		count += text[i] != (char)(i * 7);
	printf("%d differ\n", count);
	SHOW(sendto(two[0], "x", 1, MSG_OOB, NULL, 0));
	SHOW(write(two[0], "last", 4));
	SHOW(close(two[0]));
	SHOW(read(two[1], text, 100));
	SHOW(read(two[1], text, 100));
	printf("%#x\n", events(two[1]));
	SHOW(write(two[1], "x", 1));
	close(two[1]);
	HOLDS(broken == 0);
}

int main(void)
{
	enter_scratch();
	signal(SIGPIPE, on_broken);
	refused();
	messages(SOCK_SEQPACKET);
	messages(SOCK_DGRAM);
	streams();
	return leave_scratch();
}
