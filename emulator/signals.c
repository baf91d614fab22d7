// SPDX-License-Identifier: GPL-2.0-or-later
/* Signals that ask this program to end. */
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

int signals_next(int fd, bool *from_terminal)
{
	struct signalfd_siginfo info;
	int number;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	number = (int)info.ssi_signo;
	*from_terminal = (number == SIGINT || number == SIGQUIT) && info.ssi_code == SI_KERNEL;
	return number;
}
