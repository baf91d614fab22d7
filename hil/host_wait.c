// SPDX-License-Identifier: GPL-2.0-or-later
/* Waiting that a signal ends. */
#include "host_wait.h"
#include <stddef.h>
#include <time.h>

static const int numbers[HOST_WAIT_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t seen;

static void on_signal(int number)
{
	seen = number;
}

void host_wait_begin(struct host_wait *w)
{
	sigset_t ours;

	seen = 0;
	sigemptyset(&ours);
	for (unsigned i = 0; i < HOST_WAIT_SIGNALS; i++)
		sigaddset(&ours, numbers[i]);
	sigprocmask(SIG_BLOCK, &ours, &w->mask);
	for (unsigned i = 0; i < HOST_WAIT_SIGNALS; i++) {
		sigaction(numbers[i], NULL, &w->before[i]);
		if (w->before[i].sa_handler != SIG_IGN)
			sigaction(numbers[i], &(struct sigaction){ .sa_handler = on_signal }, NULL);
	}
}

void host_wait_end(struct host_wait *w)
{
	for (unsigned i = 0; i < HOST_WAIT_SIGNALS; i++)
		sigaction(numbers[i], &w->before[i], NULL);
	sigprocmask(SIG_SETMASK, &w->mask, NULL);
}

int host_wait_signal(void)
{
	return seen;
}

uint64_t host_wait_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void host_wait_poll(const struct host_wait *w, struct pollfd *fds, nfds_t count, uint64_t within_us)
{
	struct timespec t = { .tv_sec = (time_t)(within_us / 1000000), .tv_nsec = (long)(within_us % 1000000 * 1000) };

	ppoll(fds, count, &t, &w->mask);
}

bool host_wait_sleep(const struct host_wait *w, uint64_t us)
{
	uint64_t until = host_wait_now_us() + us, now;

	while (!seen && (now = host_wait_now_us()) < until)
		host_wait_poll(w, NULL, 0, until - now);
	return !seen;
}
