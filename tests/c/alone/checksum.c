/* Reads standard input to its end: how many bytes, and their checksum. */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	static unsigned char buffer[5000];
	uint32_t sum = 0;
	long count = 0;
	ssize_t length;

	while ((length = read(0, buffer, sizeof buffer)) > 0) {
		for (ssize_t i = 0; i < length; i++)
			sum = sum * 33 + buffer[i];
		count += length;
	}
	printf("%ld bytes, checksum %u, then %zd\n", count, sum, length);
	/* The end stays the end. */
	length = read(0, buffer, 1);
	printf("and again %zd\n", length);
	return 0;
}
