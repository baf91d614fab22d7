// SPDX-License-Identifier: GPL-2.0-or-later
/* Starting and ending a tool that is nothing but a child. */
#include "tool_process.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "worker.h"

extern char **environ;

static bool sets(const char *const *additions, const char *entry)
{
	size_t name = strcspn(entry, "=") + 1;

	for (; *additions; additions++)
		if (!strncmp(*additions, entry, name))
			return true;
	return false;
}

const char **environment_with(const char *const *additions)
{
	size_t count = 0, n = 0;
	const char **all;

	while (environ[count])
		count++;
	for (const char *const *a = additions; *a; a++)
		count++;
	all = calloc(count + 1, sizeof(*all));
	for (char **e = environ; all && *e; e++)
		if (!sets(additions, *e))
			all[n++] = *e;
	for (const char *const *a = additions; all && *a; a++)
		all[n++] = *a;
	return all;
}

static _Noreturn void become(const struct rig_run *run, const char **environment, const int fds[3], int told,
			     pid_t parent)
{
	sigset_t none;
	int error;

	setpgid(0, 0);
	/* What this program ignores is no business of a tool. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (child_tie(parent) && dup2(fds[0], 0) >= 0 && dup2(fds[1], 1) >= 0 && dup2(fds[2], 2) >= 0 &&
	    (!run->folder || !chdir(run->folder)))
		execvpe(run->words[0], run->words, (char *const *)environment);
	error = errno;
	if (write(told, &error, sizeof(error)) < 0)
		_exit(127);
	_exit(127);
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* What exec said; 0: it runs. */
static int exec_error(int told)
{
	int error = 0;
	ssize_t n;

	do
		n = read(told, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == sizeof(error) ? error : 0;
}

/* fds: /dev/null, the tool's ends of stdout and stderr, ours; both ends of the pipe that exec closes. */
static int start(struct tool_process *p, const struct rig_run *run, const char **environment, int fds[7],
		 int *exec_failed)
{
	pid_t parent = getpid();
	int error;

	fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 3; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC))
			return -errno;
		fds[i < 2 ? 3 + i : 5] = ends[0];
		fds[i < 2 ? 1 + i : 6] = ends[1];
	}
	if (fds[0] < 0 || fcntl(fds[3], F_SETFL, O_NONBLOCK) || fcntl(fds[4], F_SETFL, O_NONBLOCK))
		return -errno;
	fflush(NULL);
	p->pid = fork();
	if (p->pid < 0)
		return -errno;
	if (p->pid == 0)
		become(run, environment, fds, fds[6], parent);
	setpgid(p->pid, p->pid); /* whoever comes first */
	close(fds[6]);
	fds[6] = -1;
	error = exec_error(fds[5]);
	if (error) {
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		*exec_failed = error == ENOENT || error == ENOTDIR ? 127 : 126;
		return -error;
	}
	p->ended = child_watch(p->pid);
	p->out = fds[3];
	p->err = fds[4];
	fds[3] = fds[4] = -1;
	return p->ended < 0 ? p->ended : 0;
}

int tool_process_start(struct tool_process *p, const struct rig_run *run, int *exec_failed, char why[RIG_WHY])
{
	static const char *const nothing[] = { NULL };
	const char **environment = environment_with(run->environment ? run->environment : nothing);
	int fds[7] = { -1, -1, -1, -1, -1, -1, -1 }, r = -ENOMEM;

	*p = (struct tool_process){ .ended = -1, .out = -1, .err = -1, .run = run };
	*exec_failed = 0;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* what it leaves becomes ours */
	p->others = children_now();
	if (environment && p->others)
		r = start(p, run, environment, fds, exec_failed);
	close_all(fds, 7);
	free(environment);
	if (!r)
		return 0;
	snprintf(why, RIG_WHY, "cannot run '%.300s': %s", run->words[0], strerror(-r));
	if (p->pid > 0 && !*exec_failed)
		tool_process_finish(p);
	else
		free(p->others);
	return r;
}

void tool_process_signal(const struct tool_process *p, int number)
{
	kill(-p->pid, number);
}

static void listen_to(struct tool_process *p, int *fd, bool error)
{
	char bytes[65536];
	ssize_t n = -1;

	while (*fd >= 0 && (n = read(*fd, bytes, sizeof(bytes))) > 0)
		p->run->wrote(p->run->context, error, bytes, (size_t)n);
	if (*fd >= 0 && n == 0) {
		close(*fd);
		*fd = -1;
	}
}

void tool_process_listen(struct tool_process *p)
{
	listen_to(p, &p->out, false);
	listen_to(p, &p->err, true);
}

int tool_process_finish(struct tool_process *p)
{
	int status = 0;

	/* Its number is taken until it is waited for: the group can be nobody else's. */
	kill(-p->pid, SIGKILL);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	orphans_end(p->others);
	tool_process_listen(p);
	close_all((int[]){ p->out, p->err }, 2);
	p->out = p->err = -1;
	if (p->ended >= 0)
		child_unwatch(p->ended);
	p->ended = -1;
	free(p->others);
	p->others = NULL;
	return status;
}
