// SPDX-License-Identifier: GPL-2.0-or-later
/* A command beside a server. */
#include "command.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(char *const argv[], const struct rlimit *files, int failure, pid_t parent)
{
	sigset_t none;
	int error;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	setrlimit(RLIMIT_NOFILE, files);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	error = errno;
	if (write(failure, &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

int command_start(struct child_command *c, char *const argv[], const struct rlimit *files, bool *exec_failed)
{
	int failure[2], error = 0;
	pid_t parent = getpid();

	*exec_failed = false;
	c->ended = -1;
	if (pipe2(failure, O_CLOEXEC))
		return -errno;
	c->pid = fork();
	if (c->pid == 0)
		run(argv, files, failure[1], parent);
	error = c->pid < 0 ? errno : 0;
	close(failure[1]);
	if (!error && read(failure[0], &error, sizeof(error)) == sizeof(error))
		*exec_failed = true;
	close(failure[0]);
	if (!error) {
		c->ended = (int)syscall(SYS_pidfd_open, c->pid, 0);
		if (c->ended >= 0)
			return 0;
		error = errno;
		kill(c->pid, SIGKILL);
	}
	if (c->pid > 0)
		waitpid(c->pid, NULL, 0);
	c->pid = 0;
	return -error;
}

int command_status(struct child_command *c)
{
	int status = 0;

	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	close(c->ended);
	c->ended = -1;
	return status;
}

void command_signal(const struct child_command *c, int number)
{
	if (c->pid > 0)
		kill(c->pid, number);
}
