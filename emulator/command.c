// SPDX-License-Identifier: GPL-2.0-or-later
/* A command beside a server. */
#include "command.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "signals.h"

static void run(char *const argv[], const struct rlimit *descriptors, int failure, pid_t parent)
{
	sigset_t none;
	int error;

	if (!child_tie(parent))
		_exit(1);
	signals_forget();
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_NOFILE, descriptors);
	execvp(argv[0], argv);
	error = errno;
	if (write(failure, &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

int command_start(struct child_command *c, char *const argv[], const struct rlimit *descriptors, bool *exec_failed)
{
	int failure[2], error;
	pid_t parent = getpid();
	sigset_t all, before;

	*exec_failed = false;
	c->ended = -1;
	error = -child_pipe(failure);
	if (error)
		return -error;
	/* No handler of ours is to run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	c->pid = fork();
	if (c->pid == 0)
		run(argv, descriptors, failure[1], parent);
	error = c->pid < 0 ? errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(failure[1]);
	if (!error && read(failure[0], &error, sizeof(error)) == sizeof(error))
		*exec_failed = true;
	close(failure[0]);
	if (!error) {
		c->ended = child_watch(c->pid);
		if (c->ended >= 0)
			return 0;
		error = -c->ended;
		c->ended = -1;
		kill(c->pid, SIGKILL);
	}
	if (c->pid > 0)
		waitpid(c->pid, NULL, 0);
	c->pid = 0;
	return -error;
}

bool command_ended(const struct child_command *c)
{
	return child_ended(c->ended, c->pid);
}

int command_status(struct child_command *c)
{
	int status = 0;

	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	child_unwatch(c->ended);
	c->ended = -1;
	return status;
}

void command_signal(const struct child_command *c, int number)
{
	if (c->pid > 0)
		kill(c->pid, number);
}
