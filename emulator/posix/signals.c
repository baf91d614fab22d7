// SPDX-License-Identifier: GPL-2.0-or-later
/* Signals that ask the program to end: handlers write to a pipe of our own. */
#include "signals.h"
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>
#include "pipe.h"

static const int numbers[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static struct sigaction before[NUMBERS];
static volatile sig_atomic_t teller = -1; /* the pipe's end for the handler */

static void arrived(int number, siginfo_t *info, void *context)
{
	struct signal_seen seen = { .number = number };
	int error = errno;

	(void)context;
	seen.from_terminal = (number == SIGINT || number == SIGQUIT) && info->si_code != SI_USER &&
			     info->si_code != SI_QUEUE;
	/* Full: there is enough to read of. */
	if (teller >= 0 && write(teller, &seen, sizeof(seen)) < 0)
		errno = error;
}

int signals_open(void)
{
	struct sigaction action = { .sa_sigaction = arrived, .sa_flags = SA_SIGINFO | SA_RESTART };
	int ends[2], r = pipe_open(ends, true);

	if (r)
		return r;
	teller = ends[1];
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < NUMBERS; i++)
		sigaction(numbers[i], &action, &before[i]);
	return ends[0];
}

bool signals_read(int fd, struct signal_seen *seen)
{
	return read(fd, seen, sizeof(*seen)) == (ssize_t)sizeof(*seen);
}

void signals_forget(void)
{
	for (size_t i = 0; i < NUMBERS; i++)
		sigaction(numbers[i], &before[i], NULL);
}

void signals_close(int fd)
{
	int end = teller;

	if (fd < 0)
		return;
	teller = -1;
	close(end);
	close(fd);
}
