// SPDX-License-Identifier: GPL-2.0-or-later
/* Programs that switch wires. */
#include "wire_process.h"
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "tool_process.h"
#include "worker.h"

struct listening {
	struct wire_said *out, error;
};

static void keep(struct wire_said *said, const char *bytes, size_t length)
{
	const size_t room = sizeof(said->text) - 1;

	if (length > room) {
		bytes += length - room;
		length = room;
	}
	if (said->length + length > room) {
		size_t less = said->length + length - room;

		memmove(said->text, said->text + less, said->length - less);
		said->length -= less;
	}
	memcpy(said->text + said->length, bytes, length);
	said->length += length;
	said->text[said->length] = 0;
}

static void wrote(void *context, bool error, const char *bytes, size_t length)
{
	struct listening *l = context;

	if (error)
		keep(&l->error, bytes, length);
	else if (l->out)
		keep(l->out, bytes, length);
}

/* The last line with anything in it, as one that a terminal can take. */
static void last_line(const struct wire_said *said, char *line, size_t size)
{
	size_t end = said->length, begin, n = 0;

	while (end && isspace((unsigned char)said->text[end - 1]))
		end--;
	begin = end;
	while (begin && said->text[begin - 1] != '\n')
		begin--;
	for (; begin < end && n + 1 < size; begin++)
		line[n++] = (unsigned char)said->text[begin] < ' ' || said->text[begin] == 127 ? '?'
											       : said->text[begin];
	line[n] = 0;
}

/* False: it had to be killed. */
static bool wait_for_end(struct tool_process *p, uint64_t limit_us)
{
	uint64_t start = worker_now_us(), now;

	while ((now = worker_now_us()) - start < limit_us) {
		struct pollfd fds[] = { { .fd = p->ended, .events = POLLIN },
					{ .fd = p->out, .events = POLLIN },
					{ .fd = p->err, .events = POLLIN } };

		if (poll(fds, 3, (int)((limit_us - (now - start)) / 1000 + 1)) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents)
			return true;
		tool_process_listen(p);
	}
	return false;
}

int wire_process_run(char *const *words, uint64_t limit_us, struct wire_said *out, char why[WIRES_WHY])
{
	struct listening l = { .out = out };
	const struct rig_run run = { .words = words, .wrote = wrote, .context = &l };
	struct tool_process p;
	char line[300];
	int failed, status;
	bool ended;
	int r;

	if (out)
		out->length = 0, out->text[0] = 0;
	r = tool_process_start(&p, &run, &failed, why);
	if (r)
		return r;
	ended = wait_for_end(&p, limit_us);
	status = tool_process_finish(&p);
	if (ended && WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	last_line(l.error.length || !out ? &l.error : out, line, sizeof(line));
	if (!ended)
		snprintf(why, WIRES_WHY, "'%.100s' took longer than %.3g s and was killed%s%s", words[0],
			 (double)limit_us / 1e6, line[0] ? ": " : "", line);
	else if (WIFSIGNALED(status))
		snprintf(why, WIRES_WHY, "'%.100s' was ended by signal %d%s%s", words[0], WTERMSIG(status),
			 line[0] ? ": " : "", line);
	else
		snprintf(why, WIRES_WHY, "'%.100s' ended with status %d%s%s", words[0], WEXITSTATUS(status),
			 line[0] ? ": " : "", line);
	return ended ? -EIO : -ETIMEDOUT;
}
