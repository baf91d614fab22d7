// SPDX-License-Identifier: GPL-2.0-or-later
/* What is kept of a night: reports, captures, the history. What cannot be written is told, and changes no verdict. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include "board_rig.h"
#include "night.h"
#include "rig_check.h"
#include "rig_choice.h"
#include "run_mark.h"
#include "text.h"
#include "worker.h"

#define RECALLED 30 /* nights */

void night_trouble(struct night *n, const char *format, ...)
{
	struct trouble *t = calloc(1, sizeof(*t)), **at = &n->troubles;
	va_list args;

	va_start(args, format);
	if (t && vasprintf(&t->text, format, args) < 0)
		t->text = NULL;
	va_end(args);
	if (!t || !t->text) {
		free(t);
		return;
	}
	/* A full disk is told once, not for each file. */
	for (; *at; at = &(*at)->next) {
		if (!strcmp((*at)->text, t->text)) {
			free(t->text);
			free(t);
			return;
		}
	}
	*at = t;
	fflush(stdout);
	fprintf(stderr, "dfuhil: %s\n", t->text);
}

int64_t night_now(const struct night *n)
{
	return n->started + (int64_t)((worker_now_us() - n->start_us) / 1000000);
}

/* --- reports --- */

static void done(struct night *n, struct report **report, int error)
{
	char *path = (char *)(*report)->path;

	if (!error)
		return;
	night_trouble(n, "the %s report is not complete: %s", (*report)->ops->name,
		      *(*report)->why ? (*report)->why : strerror(-error));
	(*report)->ops->free(*report);
	*report = NULL;
	free(path);
}

static struct report **each(struct night *n, unsigned i)
{
	struct report **all[] = { &n->people, &n->junit, &n->html, &n->json };

	return i < sizeof(all) / sizeof(*all) ? all[i] : NULL;
}

void night_begin_records(struct night *n)
{
	struct report **report;

	for (unsigned i = 0; (report = each(n, i)); i++)
		if (*report)
			done(n, report, (*report)->ops->begin(*report, &n->plan));
}

static void tell(struct night *n, struct report **report, const struct result *result)
{
	if (*report)
		done(n, report, (*report)->ops->result(*report, result));
}

/* --- captures --- */

/* NULL: it passes. */
static struct result *try_rig(const struct play_options *play)
{
	const struct board_rig *board = rig_choice_board(play->rig);
	bool of_board;
	char why[RIG_WHY], text[RIG_WHY + 32];

	if (!play->try_rig || !board || !(rig_choice_can(play->rig) & RIG_PINS) ||
	    rig_check_is_fit(board, &of_board, why))
		return NULL;
	snprintf(text, sizeof(text), "rig check, %s", why);
	return worker_result(play, of_board ? VERDICT_FAILED : VERDICT_ERROR, text);
}

struct result *night_play_one(const struct play_options *options)
{
	struct play_options play = *options;
	char *kept = text_format("%s.kept", options->folder);
	struct result *result = try_rig(options);

	if (result)
		return result;
	if (!kept || (mkdir(kept, 0700) && errno != EEXIST))
		play.capture_folder = NULL;
	else if (options->capture_folder)
		play.capture_folder = kept;
	result = play_scenario(&play);
	free(kept);
	return result;
}

static int copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	int error = 0;
	ssize_t n = 1;

	if (in < 0)
		return -errno;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	while (out >= 0 && n > 0 && !error) {
		n = sendfile(out, in, NULL, 1 << 20);
		error = n < 0 ? -errno : 0;
	}
	error = out < 0 ? -errno : error;
	if (out >= 0 && close(out) && !error)
		error = -errno;
	if (out >= 0 && error)
		unlink(to);
	close(in);
	return error;
}

void night_keep_capture(struct night *n, const struct night_job *job, struct result *result)
{
	const char *folder = job->play.capture_folder;
	char *to;
	int error;

	if (!result->capture || !folder)
		return;
	to = text_format("%s%s", folder, strrchr(result->capture, '/'));
	error = mkdir(folder, 0777) && errno != EEXIST ? -errno : 0;
	if (!error)
		error = to ? copy(result->capture, to) : -ENOMEM;
	unlink(result->capture);
	free(result->capture);
	result->capture = error ? NULL : to;
	if (error) {
		night_trouble(n, "captures are not kept in '%s': %s", folder, strerror(-error));
		free(to);
	}
}

/* --- the history --- */

static void lost(struct night *n, const char *why)
{
	night_trouble(n, "the history is not complete: %s", why);
}

/* Opened when it is needed: where rigs open it as well, in processes of their own, none is begun while it is open here. */
struct history *night_history(struct night *n)
{
	char why[HISTORY_WHY];

	if (n->history || n->no_history)
		return n->history;
	n->history = history_open(NULL, why);
	if (!n->history) {
		n->no_history = true;
		night_trouble(n, "there is no history: %s", why);
	}
	return n->history;
}

void night_lend_history(struct night *n)
{
	for (unsigned i = 0; i < n->lane_count && n->history; i++) {
		if (n->lanes[i].choice && rig_choice_board(n->lanes[i].choice)) {
			history_close(n->history);
			n->history = NULL;
		}
	}
}

int64_t night_run(struct lane *lane, unsigned tool)
{
	struct night *n = lane->night;
	const struct board_rig *board = rig_choice_board(lane->choice);
	bool own = tool == n->suite.tool_count;
	char host[65] = "", mark[RUN_MARK], why[HISTORY_WHY];
	struct history_run run = { .rig = lane->name,
				   .serial = board ? board->serial : NULL,
				   .tool = own ? n->host->name : n->suite.tool_names[tool],
				   .tool_version = own ? DFUBENCH_VERSION : n->suite.tool_versions[tool],
				   .host = host,
				   .mark = mark,
				   .started = n->started };
	int64_t r;

	if (lane->runs[tool] || !night_history(n))
		return lane->runs[tool];
	gethostname(host, sizeof(host) - 1);
	run_mark(mark);
	r = history_begin(night_history(n), &run, why);
	if (r < 0)
		lost(n, why);
	lane->runs[tool] = r > 0 ? r : 0;
	return lane->runs[tool];
}

void night_recall(struct night_case *c)
{
	struct night *n = c->night;
	struct history_record record;
	char why[HISTORY_WHY];
	int64_t run = night_run(c->lane, c->tool);

	if (!run || !night_history(n))
		return;
	if (history_record(n->history, c->lane->name, n->suite.tool_names[c->tool], c->scenario->id, run, RECALLED,
			   &record, why))
		lost(n, why);
	else
		c->known_flaky = record.flaky > 0;
}

void night_remember(struct night_case *c)
{
	struct night *n = c->night;
	int64_t run = night_run(c->lane, c->tool);
	char why[HISTORY_WHY];

	for (size_t i = 0; run && night_history(n) && i < c->attempts.count; i++) {
		struct result *r = c->attempts.list[i];
		bool bad = verdict_is_bad(r->verdict);
		unsigned repeat = r->repeat;
		int error;

		r->repeat = 1; /* an attempt is no repeat */
		error = history_add(n->history, run, r, (unsigned)i + 1, bad ? c->blame : BLAME_NOBODY,
				    bad ? c->emulated : VERDICT_SKIPPED, why);
		r->repeat = repeat;
		if (error) {
			lost(n, why);
			return;
		}
	}
}

static void end_run(struct lane *lane, unsigned tool)
{
	struct night *n = lane->night;
	int status = night_status_of(n, lane, tool);
	char why[HISTORY_WHY], *summary;

	if (!lane->runs[tool] || !night_history(n))
		return;
	if (lane->state == LANE_OUT)
		summary = text_format("%s failure: %s", blame_name(lane->blame), lane->why);
	else
		summary = strdup(night_verdict(status));
	if (history_end(n->history, lane->runs[tool], status, summary, night_now(n), why))
		lost(n, why);
	free(summary);
}

/* --- one case, one look at a board --- */

/* What the verdict of the case is made of. The reason is part of how it is told. */
static void report_case(struct night *n, struct night_case *c)
{
	const struct result *last = c->attempts.list[c->attempts.count - 1];
	struct result *decisive = NULL;

	for (size_t i = 0; i < c->attempts.count; i++) {
		struct result *r = c->attempts.list[i];
		bool bad = verdict_is_bad(r->verdict);

		if (bad && c->reason) {
			char *message = text_format("%s\n%s%s%s", r->message ? r->message : "",
						    c->blame   ? blame_name(c->blame)
						    : c->flaky ? "flaky"
							       : "undecided",
						    c->blame ? " failure: " : ": ", c->reason);

			if (message) {
				free(r->message);
				r->message = message;
			}
		}
		tell(n, &n->html, r);
		tell(n, &n->json, r);
		if (bad && !decisive)
			decisive = r;
	}
	if (!decisive || (c->flaky && !n->options->fail_flaky)) {
		unsigned repeat = last->repeat;

		decisive = c->attempts.list[c->attempts.count - 1];
		decisive->repeat = 1;
		tell(n, &n->people, decisive);
		tell(n, &n->junit, decisive);
		decisive->repeat = repeat;
		return;
	}
	tell(n, &n->people, decisive);
	tell(n, &n->junit, decisive);
}

static void report_skipped(struct night *n, struct night_case *c)
{
	struct play_options play = { .scenario = c->scenario,
				     .tool = n->suite.tools[c->tool],
				     .tool_version = n->suite.tool_versions[c->tool],
				     .rig = (c->lane ? c->lane : n->lanes)->choice,
				     .scale = 1,
				     .repeat = 1 };
	struct result *r = worker_result(&play, VERDICT_SKIPPED, c->message ? c->message : "");
	struct report **report;

	for (unsigned i = 0; r && (report = each(n, i)); i++)
		tell(n, report, r);
	result_free(r);
}

void night_record_case(struct night_case *c)
{
	struct night *n = c->night;

	if (!c->attempts.count) {
		report_skipped(n, c);
		return;
	}
	night_remember(c);
	report_case(n, c);
	/* What passed is of no more use, and may be large. */
	if (!c->bad)
		results_free(&c->attempts);
}

void night_record_health(struct lane *lane, const struct result *result)
{
	struct night *n = lane->night;
	int64_t run = night_run(lane, n->suite.tool_count);
	char why[HISTORY_WHY];
	bool bad = verdict_is_bad(result->verdict);
	enum blame blame = night_fault(result->verdict, result->message);

	if (run && night_history(n) &&
	    history_add(n->history, run, result, result->repeat, blame, VERDICT_SKIPPED, why))
		lost(n, why);
	tell(n, &n->json, result);
	if (!bad)
		return;
	tell(n, &n->people, result);
	tell(n, &n->junit, result);
	tell(n, &n->html, result);
}

void night_record_unfit(struct lane *lane)
{
	struct result *r = result_new();
	char *id = text_format("health/%s", lane->name);

	if (r && id) {
		r->id = id;
		r->name = strdup("the rig can be used");
		r->why = strdup("Nothing can be run on one that cannot.");
		r->file = strdup(lane->spec);
		r->tool = strdup(lane->night->host->name);
		r->tool_version = strdup(DFUBENCH_VERSION);
		r->rig = strdup(lane->name);
		r->time = strdup("real");
		r->message = strdup(lane->why);
		r->repeat = 1;
		r->verdict = VERDICT_ERROR;
		if (r->name && r->why && r->file && r->tool && r->rig && r->time && r->message)
			night_record_health(lane, r);
	} else {
		free(id);
	}
	result_free(r);
}

void night_end_records(struct night *n, bool interrupted)
{
	struct report **report;

	for (unsigned i = 0; i < n->lane_count; i++)
		for (unsigned t = 0; t <= n->suite.tool_count; t++)
			end_run(&n->lanes[i], t);
	for (unsigned i = 0; (report = each(n, i)); i++)
		if (*report)
			done(n, report, (*report)->ops->end(*report, interrupted));
}
