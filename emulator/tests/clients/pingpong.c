// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two threads that wake each other by eventfd(2) so often: always one of them runs or is about to. Exit status 1 if the clock says
 * that half a minute has been skipped meanwhile. Usage: pingpong ROUNDS
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static int there, back;
static long rounds;

static void wake(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void wait_for(int fd)
{
	uint64_t value;

	if (read(fd, &value, sizeof(value)) != sizeof(value))
		abort();
}

static void *answer(void *context)
{
	for (long i = 0; i < rounds; i++) {
		wait_for(there);
		wake(back);
	}
	return context;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

int main(int argc, char **argv)
{
	time_t start = seconds();
	pthread_t thread;

	rounds = argc > 1 ? atol(argv[1]) : 1;
	there = eventfd(0, EFD_CLOEXEC);
	back = eventfd(0, EFD_CLOEXEC);
	if (there < 0 || back < 0 || pthread_create(&thread, NULL, answer, NULL))
		return 2;
	for (long i = 0; i < rounds; i++) {
		wake(there);
		wait_for(back);
	}
	pthread_join(thread, NULL);
	printf("%ld s\n", (long)(seconds() - start));
	return seconds() - start > 30;
}
