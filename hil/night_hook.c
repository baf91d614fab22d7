// SPDX-License-Identifier: GPL-2.0-or-later
/* The hook: whoever wants to hear of the night. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "night.h"
#include "worker.h"

/* What it says goes where ours for people goes: standard error. */
static _Noreturn void run(const char *command, int input)
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	setpgid(0, 0);
	if (dup2(input, 0) < 0 || dup2(2, 1) < 0)
		_exit(126);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static bool is_running(int watch)
{
	struct pollfd fd = { .fd = watch, .events = POLLIN };

	return poll(&fd, 1, 0) == 0;
}

/* Until it ends or the time is over; text is written as it is read. True: it has ended. */
static bool attend(int watch, int out, const char *text, uint64_t end_us)
{
	size_t left = strlen(text);

	for (;;) {
		struct pollfd fds[2] = { { .fd = watch, .events = POLLIN }, { .fd = out, .events = POLLOUT } };
		uint64_t now = worker_now_us();
		ssize_t n;

		if (now >= end_us)
			break;
		if (poll(fds, 2, (int)((end_us - now) / 1000 + 1)) < 0 && errno != EINTR)
			break;
		if (out >= 0 && fds[1].revents) {
			n = left ? write(out, text, left) : 0;
			if (n > 0) {
				text += n;
				left -= (size_t)n;
			}
			/* One that does not read all has heard enough. */
			if (!left || (n < 0 && errno != EAGAIN && errno != EINTR)) {
				close(out);
				out = -1;
			}
		}
		if (fds[0].revents)
			break;
	}
	if (out >= 0)
		close(out);
	return !is_running(watch);
}

int night_hook(const char *command, const char *text, uint64_t limit_ms, char why[NIGHT_WHY])
{
	int ends[2], watch, status = 0;
	bool ended;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC)) {
		snprintf(why, NIGHT_WHY, "the hook cannot be started: %s", strerror(errno));
		return -1;
	}
	fflush(NULL);
	pid = fork();
	if (!pid)
		run(command, ends[0]);
	close(ends[0]);
	watch = pid > 0 ? child_watch(pid) : -errno;
	if (watch < 0) {
		snprintf(why, NIGHT_WHY, "the hook cannot be started: %s", strerror(-watch));
		close(ends[1]);
		if (pid > 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		return -1;
	}
	setpgid(pid, pid);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	ended = attend(watch, ends[1], text, worker_now_us() + limit_ms * 1000);
	if (!ended)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	child_unwatch(watch);
	if (!ended)
		snprintf(why, NIGHT_WHY, "the hook took longer than %.1f s, and was killed", (double)limit_ms / 1e3);
	else if (WIFSIGNALED(status))
		snprintf(why, NIGHT_WHY, "the hook died of signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		snprintf(why, NIGHT_WHY, "the hook ended with status %d", WEXITSTATUS(status));
	return ended && !status ? 0 : -1;
}
