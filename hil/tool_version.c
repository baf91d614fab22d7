// SPDX-License-Identifier: GPL-2.0-or-later
/* The version of a tool, as it tells it itself. */
#include "tool_version.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "worker.h"

#define LIMIT_US 20000000u
#define NOT_RUN 127

static _Noreturn void become(char **words, int out, int told, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY), error;

	setpgid(0, 0);
	if (!child_tie(parent) || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(NOT_RUN);
	signal(SIGPIPE, SIG_DFL);
	execvp(words[0], words);
	error = errno;
	if (write(told, &error, sizeof(error)) < 0)
		_exit(NOT_RUN);
	_exit(NOT_RUN);
}

/* What it says until it closes the pipe, room is full or time is over (false). */
static bool listen_to(int fd, char *text, size_t room)
{
	uint64_t end_us = worker_now_us() + LIMIT_US;
	size_t used = 0;

	while (used + 1 < room) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		uint64_t now_us = worker_now_us();
		ssize_t n;

		if (now_us >= end_us)
			return false;
		if (poll(&poller, 1, (int)((end_us - now_us) / 1000) + 1) <= 0)
			continue;
		n = read(fd, text + used, room - used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		/* A NUL would end the text. */
		for (ssize_t i = 0; i < n; i++)
			if (!text[used + (size_t)i])
				text[used + (size_t)i] = ' ';
		used += (size_t)n;
		text[used] = 0;
	}
	return true;
}

static char *find(const char *match, const char *text)
{
	regmatch_t found[2];
	regex_t regex;
	char *version = NULL;

	if (regcomp(&regex, match, REG_EXTENDED | REG_NEWLINE))
		return NULL;
	if (!regexec(&regex, text, 2, found, 0)) {
		const regmatch_t *m = regex.re_nsub && found[1].rm_so >= 0 ? &found[1] : &found[0];

		version = strndup(text + m->rm_so, (size_t)(m->rm_eo - m->rm_so));
	}
	regfree(&regex);
	return version;
}

/* 0 with what it said; ETIMEDOUT; or what kept it from running. */
static int ask(char **words, char *text, size_t room)
{
	int out[2] = { -1, -1 }, told[2] = { -1, -1 }, error = 0;
	pid_t parent = getpid(), pid;

	if (child_pipe(out) || child_pipe(told))
		return EMFILE;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(words, out[1], told[1], parent);
	close(out[1]);
	close(told[1]);
	if (pid < 0)
		error = EAGAIN;
	else if (read(told[0], &error, sizeof(error)) != sizeof(error) && !listen_to(out[0], text, room))
		error = ETIMEDOUT;
	close(out[0]);
	close(told[0]);
	if (pid > 0) {
		kill(-pid, SIGKILL); /* whatever it has left */
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	return error;
}

char *tool_version(const struct tool *tool, bool *missing, char why[TOOL_VERSION_WHY])
{
	const struct object *how = object_value(tool->top, "version")->object;
	char **words = tool_version_words(tool, NULL), *version = NULL;
	char text[65536] = "";
	int error;

	*why = 0;
	*missing = false;
	if (!words) {
		snprintf(why, TOOL_VERSION_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	if (how) {
		error = ask(words, text, sizeof(text));
		*missing = error == ENOENT || error == EACCES || error == ENOEXEC || error == ENOTDIR;
		if (error)
			snprintf(why, TOOL_VERSION_WHY, "cannot run '%.300s': %s", words[0], strerror(error));
		else
			version = find(object_text(how, "match", ""), text);
		if (!error && !version)
			snprintf(why, TOOL_VERSION_WHY, "its version cannot be found in what '%.300s' says", words[0]);
	}
	tool_words_free(words);
	return version;
}
