// SPDX-License-Identifier: GPL-2.0-or-later
/* A child process on Linux. */
#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int child_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC) ? -errno : 0;
}

bool child_tie(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == parent;
}

int child_watch(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

bool child_ended(int fd, pid_t pid)
{
	(void)fd;
	(void)pid;
	return true; /* nothing else makes a pidfd readable */
}

void child_unwatch(int fd)
{
	close(fd);
}
