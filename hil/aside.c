// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes beside their owner. */
#include "aside.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Nothing that somebody waits for the end of stays open, stderr aside: it may have to tell what went wrong. */
static void keep_only(int socket, int owner, const struct board_lock *lock)
{
	const int *locks = board_lock_files(lock);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), most = socket > owner ? socket : owner;

	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
	}
	for (int i = 0; locks[i] >= 0; i++)
		most = locks[i] > most ? locks[i] : most;
	for (int fd = 3; fd < most; fd++) {
		bool kept = fd == socket || fd == owner;

		for (int i = 0; locks[i] >= 0; i++)
			kept |= fd == locks[i];
		if (!kept)
			close(fd);
	}
	syscall(SYS_close_range, most + 1, ~0u, 0);
}

static void stand_aside(const struct board_lock *lock, pid_t pid, int *socket, int *owner)
{
	char name[32];
	sigset_t all;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	snprintf(name, sizeof(name), ASIDE_NAME "%ld", (long)pid);
	prctl(PR_SET_NAME, name, 0, 0, 0);
	*socket = fcntl(*socket, F_DUPFD_CLOEXEC, 3);
	*owner = fcntl(*owner, F_DUPFD_CLOEXEC, 3);
	if (*socket < 0 || *owner < 0)
		_exit(1);
	keep_only(*socket, *owner, lock);
}

pid_t aside_fork(const struct board_lock *lock, int *socket, int *owner)
{
	int ends[2] = { -1, -1 };
	int error = 0;
	pid_t self = getpid(), pid = -1;

	*owner = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (*owner < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		error = errno;
	fflush(NULL);
	if (!error && (pid = fork()) < 0)
		error = errno;
	if (pid == 0) {
		*socket = ends[1];
		stand_aside(lock, self, socket, owner);
		return 0;
	}
	if (*owner >= 0)
		close(*owner);
	if (ends[1] >= 0)
		close(ends[1]);
	*socket = ends[0];
	if (error && ends[0] >= 0)
		close(ends[0]);
	return error ? -error : pid;
}
