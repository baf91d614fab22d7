// SPDX-License-Identifier: GPL-2.0-or-later
/* A child process. It outlives a parent that is killed. */
#include "child.h"
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pipe.h"

static volatile sig_atomic_t teller = -1; /* the pipe's end for the handler */

static void arrived(int number)
{
	int error = errno;

	(void)number;
	if (teller >= 0 && write(teller, "", 1) < 0)
		errno = error; /* full: there is enough to read of */
}

int child_pipe(int ends[2])
{
	return pipe_open(ends, false);
}

bool child_tie(pid_t parent)
{
	return getppid() == parent;
}

int child_watch(pid_t pid)
{
	struct sigaction action = { .sa_handler = arrived, .sa_flags = SA_RESTART | SA_NOCLDSTOP };
	int ends[2], r = pipe_open(ends, true);

	(void)pid;
	if (r)
		return r;
	teller = ends[1];
	sigemptyset(&action.sa_mask);
	sigaction(SIGCHLD, &action, NULL);
	arrived(SIGCHLD); /* it may have ended before that */
	return ends[0];
}

/* There may be children that we know nothing of, of the program that this one came from by exec. */
bool child_ended(int fd, pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };
	char nothing[64];

	while (read(fd, nothing, sizeof(nothing)) > 0)
		;
	return !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid;
}

void child_unwatch(int fd)
{
	int end = teller;

	teller = -1;
	close(end);
	close(fd);
}
