/* Reads and writes whose bytes cannot be reached, wholly or from somewhere on: of each kind of file, by each call. A file
 * that has an answer of its own gives that; who would need the bytes says EFAULT, or how far it came. */
#include "scratch.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PAGE 4096
#define FILE_NAME "unreachable"

static char bytes[7000];
static int ends[2];

static int a_file(int flags, size_t length)
{
	int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);

	(void)!write(file, bytes, length);
	close(file);
	return open(FILE_NAME, flags);
}

static int empty_file(void) { return a_file(O_RDWR, 0); }
static int full_file(void) { return a_file(O_RDWR, 1000); }
static int to_append_to(void) { return a_file(O_RDWR | O_APPEND, 10); }
static int to_write_only(void) { return a_file(O_WRONLY, 10); }
static int to_read_only(void) { return a_file(O_RDONLY, 10); }
static int a_directory(void) { return open("/", O_RDONLY | O_DIRECTORY); }
static int a_place(void) { return open("/", O_PATH); }
static int null_device(void) { return open("/dev/null", O_RDWR); }
static int zero_device(void) { return open("/dev/zero", O_RDWR); }
static int full_device(void) { return open("/dev/full", O_RDWR); }
static int random_device(void) { return open("/dev/urandom", O_RDONLY); }
static int nothing(void) { return 77; }

static int pipe_end(int end, size_t length)
{
	if (pipe2(ends, O_NONBLOCK) != 0)
		exit(1);
	(void)!write(ends[1], bytes, length);
	return ends[end];
}

static int empty_pipe(void) { return pipe_end(0, 0); }
static int filled_pipe(void) { return pipe_end(0, 7000); }
static int pipe_to_fill(void) { return pipe_end(1, 0); }

static int ended_pipe(void)
{
	pipe_end(0, 0);
	close(ends[1]);
	return ends[0];
}

static int broken_pipe(void)
{
	pipe_end(1, 0);
	close(ends[0]);
	return ends[1];
}

static int full_pipe(void)
{
	static int full = -1;

	if (full < 0) {
		full = pipe_end(1, 0);
		while (write(full, bytes, PAGE) > 0)
			;
		ends[0] = ends[1] = -1;
	}
	return dup(full);
}

static int socket_end(size_t length)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
		exit(1);
	if (length)
		(void)!write(ends[1], bytes, length);
	return ends[0];
}

static int quiet_socket(void) { return socket_end(0); }
static int filled_socket(void) { return socket_end(7000); }

static int left_socket(void)
{
	socket_end(0);
	close(ends[1]);
	return ends[0];
}

static const struct {
	const char *name;
	int (*open)(void);
} files[] = {
	{"an empty file", empty_file},     {"a file", full_file},	  {"one to append to", to_append_to},
	{"one to write", to_write_only},   {"one to read", to_read_only}, {"a directory", a_directory},
	{"a place", a_place},		   {"/dev/null", null_device},	  {"/dev/zero", zero_device},
	{"/dev/full", full_device},	   {"/dev/urandom", random_device}, {"no file", nothing},
	{"an empty pipe", empty_pipe},	   {"a filled pipe", filled_pipe}, {"a pipe to fill", pipe_to_fill},
	{"an ended pipe", ended_pipe},	   {"a broken pipe", broken_pipe}, {"a full pipe", full_pipe},
	{"a quiet socket", quiet_socket},  {"a filled socket", filled_socket}, {"a left socket", left_socket},
};

static const char *const calls[] = {"read", "write", "pread", "pwrite", "readv", "writev"};

static long do_call(int call, int file, char *pointer, size_t length, char *good)
{
	struct iovec vector[3] = {{good, 3}, {pointer, length}, {good + 100, 5}};

	switch (call) {
	case 0: return read(file, pointer, length);
	case 1: return write(file, pointer, length);
	case 2: return pread(file, pointer, length, 0);
	case 3: return pwrite(file, pointer, length, 100);
	case 4: return readv(file, vector, 3);
	default: return writev(file, vector, 3);
	}
}

int main(void)
{
	/* Two pages, a hole, one that is read only, one that is neither. */
	char *memory = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(memory + 2 * PAGE, PAGE);
	mprotect(memory + 3 * PAGE, PAGE, PROT_READ);
	mprotect(memory + 4 * PAGE, PAGE, PROT_NONE);
	char *const pointers[] = {
		memory + 2 * PAGE + 8, memory + 3 * PAGE + 8, memory + 2 * PAGE - 10,
	};
	static const size_t lengths[] = {0, 10, 5000, 1UL << 63};

	enter_scratch();
	signal(SIGPIPE, SIG_IGN);
	for (size_t kind = 0; kind < sizeof files / sizeof *files; kind++)
		for (int call = 0; call < 6; call++) {
			printf("%s, %s:", files[kind].name, calls[call]);
			for (int pointer = 0; pointer < 3; pointer++) {
				printf(" |");
				for (int length = 0; length < 4; length++) {
					int file = files[kind].open();
					errno = 0;
					long result = do_call(call, file, pointers[pointer], lengths[length], memory);
					if (result < 0)
						printf(" e%d", errno);
					else
						printf(" %ld", result);
					close(file);
					close(ends[0]);
					close(ends[1]);
				}
			}
			printf("\n");
		}
	return leave_scratch();
}
