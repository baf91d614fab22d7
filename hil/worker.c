// SPDX-License-Identifier: GPL-2.0-or-later
/* The process that plays one scenario, seen from both of its ends. */
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "child.h"
#include "runner.h"
#include "text.h"

#define RESULT_MOST (256u << 20) /* bytes of JSON; a play is far below */
#define LOG_SHOWN 4096           /* bytes at the end of a crashed process's log */

uint64_t worker_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool send_text(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		length -= (size_t)n;
	}
	return true;
}

/* Nothing of the runner's, nor of whoever started it, is for a tool to find. */
static int keep_descriptors(const struct worker *w, int out, int lifeline)
{
	int log = open(w->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	unsigned low = (unsigned)(out < lifeline ? out : lifeline), high = (unsigned)(out < lifeline ? lifeline : out);

	if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		return -errno;
	if (low > 3)
		syscall(SYS_close_range, 3, low - 1, 0);
	if (high > low + 1)
		syscall(SYS_close_range, low + 1, high - 1, 0);
	syscall(SYS_close_range, high + 1, ~0u, 0);
	return 0;
}

static _Noreturn void play_and_send(struct worker *w, struct result *(*play)(const struct play_options *), int out,
				    const struct janitor *janitor, pid_t parent, const sigset_t *mask)
{
	struct result *result;
	json_t *json;
	char *text;

	setsid(); /* keys at the terminal are the runner's */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (!child_tie(parent) || keep_descriptors(w, out, janitor_lifeline(janitor)))
		_exit(126);
	sigprocmask(SIG_SETMASK, mask, NULL);
	setenv("TMPDIR", w->folder, 1);
	result = play(&w->options);
	json = result ? result_to_json(result) : NULL;
	text = json ? json_dumps(json, JSON_COMPACT) : NULL; /* as a whole: by itself jansson writes word by word */
	if (!text) {
		fprintf(stderr, "%s\n", strerror(ENOMEM));
		_exit(125);
	}
	if (!send_text(out, text))
		_exit(124);
	fflush(NULL);
	_exit(0);
}

static void worker_free(struct worker *w)
{
	if (w->ended >= 0)
		child_unwatch(w->ended);
	if (w->pipe >= 0)
		close(w->pipe);
	if (w->folder)
		folder_remove(w->folder);
	if (w->log)
		unlink(w->log);
	free(w->folder);
	free(w->log);
	free(w->data);
	free(w);
}

/* Above those of stdin, stdout and stderr, which are given away */
static int above_standard(int fd)
{
	int higher = fd < 0 || fd > 2 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (higher != fd && fd >= 0)
		close(fd);
	return higher;
}

struct worker *worker_start(const struct play_options *options, struct result *(*play)(const struct play_options *),
			    const struct janitor *janitor, size_t number, const sigset_t *mask)
{
	struct worker *w = calloc(1, sizeof(*w));
	int ends[2] = { -1, -1 }, error;
	pid_t parent = getpid();

	if (!w)
		return NULL;
	w->ended = w->pipe = -1;
	w->options = *options;
	w->folder = text_format("%s/%zu", janitor_folder(janitor), number);
	w->log = text_format("%s/%zu.log", janitor_folder(janitor), number);
	w->options.folder = w->folder;
	w->start_us = worker_now_us();
	if (!w->folder || !w->log || mkdir(w->folder, 0700) || pipe2(ends, O_CLOEXEC))
		goto failed;
	ends[1] = above_standard(ends[1]);
	w->pipe = ends[0];
	if (ends[1] < 0 || fcntl(w->pipe, F_SETFL, O_NONBLOCK))
		goto failed;
	fflush(NULL);
	w->pid = fork();
	if (w->pid == 0)
		play_and_send(w, play, ends[1], janitor, parent, mask);
	if (w->pid < 0)
		goto failed;
	close(ends[1]);
	ends[1] = -1;
	w->ended = child_watch(w->pid);
	if (w->ended >= 0)
		return w;
	errno = -w->ended;
	w->ended = -1;
failed:
	error = errno;
	if (w->pid > 0) {
		worker_kill(w);
		waitpid(w->pid, NULL, 0);
	}
	if (ends[1] >= 0)
		close(ends[1]);
	worker_free(w);
	errno = error;
	return NULL;
}

void worker_read(struct worker *w)
{
	for (;;) {
		ssize_t n;

		if (w->size - w->used < 65536) {
			size_t size = w->size ? 2 * w->size : 262144;
			char *data = w->too_much || size > RESULT_MOST ? NULL : realloc(w->data, size);

			if (data) {
				w->data = data;
				w->size = size;
			} else {
				/* Go on reading, so that it comes to an end. */
				w->too_much = true;
				w->used = 0;
				if (!w->size)
					return;
			}
		}
		n = read(w->pipe, w->data + w->used, w->size - w->used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0) {
			close(w->pipe);
			w->pipe = -1;
		}
		if (n <= 0)
			return;
		w->used += (size_t)n;
	}
}

void worker_kill(const struct worker *w)
{
	kill(-w->pid, SIGKILL); /* what shares its group, if it has one of its own already */
	kill(w->pid, SIGKILL);
}

struct result *worker_result(const struct play_options *o, enum verdict verdict, const char *message)
{
	struct result *r = result_new();
	char time[RUNNER_TIME];

	if (!r)
		return NULL;
	r->id = strdup(o->scenario->id);
	r->name = strdup(o->scenario->name);
	r->why = o->scenario->why ? strdup(o->scenario->why) : NULL;
	r->file = strdup(o->scenario->path);
	r->tool = strdup(o->tool->name);
	r->rig = o->rig ? strdup(rig_choice_name(o->rig)) : NULL;
	r->time = strdup(runner_time(o, time));
	r->repeat = o->repeat;
	r->seed = o->seed;
	r->verdict = verdict;
	r->message = strdup(message);
	if (r->id && r->name && r->file && r->tool && r->time && r->message)
		return r;
	result_free(r);
	return NULL;
}

/* The end of what the process wrote, as lines for a message; "" if it wrote nothing. To be freed. */
static char *log_tail(const struct worker *w)
{
	char data[LOG_SHOWN + 1];
	FILE *f = fopen(w->log, "re");
	size_t n;

	if (!f)
		return strdup("");
	if (fseek(f, -LOG_SHOWN, SEEK_END))
		rewind(f);
	n = fread(data, 1, LOG_SHOWN, f);
	fclose(f);
	data[n] = 0;
	return n ? text_format("\n%s", text_tail(data, 20)) : strdup("");
}

static struct result *crashed(const struct worker *w, int status, uint64_t late_ms)
{
	char *tail = log_tail(w), *message = NULL;
	struct result *result;

	if (!tail)
		return NULL;
	if (late_ms)
		message = text_format("deadline of %llu.%llu s passed%s", (unsigned long long)late_ms / 1000,
				      (unsigned long long)late_ms % 1000 / 100, tail);
	else if (WIFSIGNALED(status))
		message = text_format("the process that plays it died of signal %d (%s)%s", WTERMSIG(status),
				      strsignal(WTERMSIG(status)), tail);
	else if (w->too_much)
		message = text_format("the result has more than %u bytes", RESULT_MOST / 2);
	else
		message = text_format("the process that plays it ended with status %d and without a result%s",
				      WEXITSTATUS(status), tail);
	result = message ? worker_result(&w->options, VERDICT_ERROR, message) : NULL;
	free(message);
	free(tail);
	return result;
}

/* What dfuhil itself has to tell people there, beside the result: "dfuhil: the wires may not be idle ...". */
static void pass_on(const struct worker *w)
{
	FILE *f = fopen(w->log, "re");
	char *line = NULL;
	size_t size = 0;

	fflush(stdout);
	while (f && getline(&line, &size, f) > 0)
		if (!strncmp(line, "dfuhil: ", 8))
			fputs(line, stderr);
	free(line);
	if (f)
		fclose(f);
}

struct result *worker_finish(struct worker *w, uint64_t late_ms)
{
	struct result *result = NULL;
	int status = 0;
	json_t *json;

	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (w->pipe >= 0)
		worker_read(w);
	if (!late_ms && WIFEXITED(status) && !WEXITSTATUS(status) && !w->too_much) {
		json = json_loadb(w->data ? w->data : "", w->used, 0, NULL);
		result = json ? result_from_json(json) : NULL;
		json_decref(json);
	}
	if (!result)
		result = crashed(w, status, late_ms);
	if (result && !result->wall_us)
		result->wall_us = worker_now_us() - w->start_us;
	pass_on(w);
	worker_free(w);
	return result;
}
