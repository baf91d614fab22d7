// SPDX-License-Identifier: GPL-2.0-or-later
/* Signals that ask the program to end, by signalfd(2): no handler runs, in no thread. */
#include "signals.h"
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signals_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool signals_read(int fd, struct signal_seen *seen)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	seen->number = (int)info.ssi_signo;
	seen->from_terminal = (seen->number == SIGINT || seen->number == SIGQUIT) && info.ssi_code == SI_KERNEL;
	return true;
}

void signals_forget(void)
{
}

void signals_close(int fd)
{
	if (fd >= 0)
		close(fd);
}
