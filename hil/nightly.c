// SPDX-License-Identifier: GPL-2.0-or-later
/* dfuhil nightly: from the command line to the exit status. */
#include "nightly.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "complain.h"
#include "night.h"
#include "outfile.h"
#include "rig_choice.h"
#include "text.h"
#include "when.h"
#include "worker.h"

static void help(void)
{
	puts("usage: dfuhil nightly [OPTIONS] SCENARIO|FOLDER...\n"
	     "\n"
	     "Run scenarios unattended: see that each rig is well, run what it can, run again what fails, hold it "
	     "against\n"
	     "the emulated board, and say whether tool, board or rig is to blame. Reports, captures and the history "
	     "are\n"
	     "kept. Exit status: 0 all is well; 1 a tool failed, or none ran; 2 wrong usage, a mistake in a file; 3 a\n"
	     "board or a rig failed; 4 not all was reached in time; 5 all is well, but could not be recorded as a "
	     "whole;\n"
	     "130 after Ctrl-C, 128 and the number of another signal.\n");
	nightly_options_help(stdout);
}

static int load(struct night *n)
{
	struct problems *problems = problems_new();
	int r = problems ? suite_load(&n->suite, &n->options->run, problems) : -ENOMEM;

	if (!r)
		r = night_make(n, problems);
	if (problems && problems_count(problems)) {
		r = -EINVAL;
		fflush(stdout);
		problems_print(problems, stderr, run_options_coloured(&n->options->run, stderr));
		complain("%zu mistake%s: nothing was run", problems_count(problems),
			 problems_count(problems) == 1 ? "" : "s");
	} else if (r) {
		complain("%s", strerror(ENOMEM));
	}
	problems_free(problems);
	return r ? HIL_USAGE : 0;
}

/* --- before anything runs --- */

static void look_at(struct lane *lane)
{
	char why[NIGHT_WHY], unfit[RIG_WHY];
	int error = 0;

	/* A board is taken by rig_choice_check(), whatever the file is called. */
	if (lane->spec && !rig_choice_is_private(lane->choice) && !rig_choice_board(lane->choice))
		lane->lock = night_lock(lane->spec, &error, why);
	if (!error && (error = rig_choice_check(lane->choice, unfit)))
		snprintf(why, sizeof(why), "%s", unfit);
	if (error) {
		lane->state = LANE_OUT;
		lane->blame = BLAME_RIG;
		lane->why = strdup(why);
		if (lane->spec)
			complain("%s", why);
		return;
	}
	rig_choice_clock(lane->choice, &lane->time, &lane->scale);
	if (!lane->spec) {
		lane->state = LANE_READY;
		return;
	}
	lane->control = night_control(lane, why);
	if (!lane->control)
		complain("the rig '%s' is not tried out before: %s", lane->name, why);
}

static void look_at_rigs(struct night *n)
{
	for (unsigned i = 0; i < n->lane_count; i++)
		look_at(&n->lanes[i]);
}

static int make_folder(struct night *n)
{
	char why[NIGHT_WHY];
	int r = night_folder_new(n, why);

	/* A night without a place to keep things in is one still; a wrong name is a mistake. */
	if (r == -ENOSPC || r == -EDQUOT) {
		night_trouble(n, "%s", why);
		r = 0;
	}
	if (r)
		complain("%s", why);
	return r ? HIL_USAGE : 0;
}

static char *rig_names(const struct night *n)
{
	char *names = strdup("");

	for (unsigned i = 0; i + 1 < n->lane_count && names; i++) {
		char *more = text_format("%s%s%s", names, i ? ", " : "", n->lanes[i].name);

		free(names);
		names = more;
	}
	return names;
}

static void make_reports(struct night *n)
{
	const struct run_options *o = &n->options->run;
	struct play_options clock = { .time = n->lanes->time, .scale = n->lanes->scale };

	n->plan = (struct report_plan){
		.jobs = n->case_count,
		.tools = n->suite.tool_names,
		.rig = rig_names(n),
		.time = runner_time(&clock, n->time),
		.seed = o->seed,
		.faults = o->faults.word,
		.colour = run_options_coloured(o, stdout),
		.live = isatty(1) && getenv("TERM") && strcmp(getenv("TERM"), "dumb") != 0,
		.verbose = o->verbose,
		.quiet = o->quiet,
	};
	n->people = report_console_new(stdout);
	if (!n->folder)
		return;
	n->junit = report_junit_new(night_path(n, "report.xml"));
	n->html = report_html_new(night_path(n, "report.html"));
	n->json = report_json_new(night_path(n, "report.json"));
}

/* --- afterwards --- */

static void write_text(struct night *n, const char *name, const char *text)
{
	char *path = n->folder ? night_path(n, name) : NULL, why[OUTFILE_WHY];

	if (path && text && outfile_write(path, text, strlen(text), why))
		night_trouble(n, "%s", why);
	free(path);
}

static char *summary_text(const struct night *n, int status)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return NULL;
	night_print(n, status, memory);
	fclose(memory);
	return text;
}

static char *summary_json(const struct night *n, int status)
{
	json_t *json = night_json(n, status);
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL, *line = text ? text_format("%s\n", text) : NULL;

	json_decref(json);
	free(text);
	return line;
}

/* What cannot be written changes the summary, which then tells so where it still can. */
static int sum_up(struct night *n)
{
	int status = night_status(n);
	char *text = summary_text(n, status), *json = summary_json(n, status), why[NIGHT_WHY];

	write_text(n, "summary.txt", text);
	write_text(n, "summary.json", json);
	free(text);
	free(json);
	status = night_status(n);
	night_print(n, status, stdout);
	fflush(stdout);
	if (!n->options->hook)
		return status;
	json = summary_json(n, status);
	if (json && night_hook(n->options->hook, json, n->options->hook_limit_ms, why))
		complain("%s", why);
	free(json);
	return status;
}

static int play(struct night *n)
{
	char why[RUNNER_WHY];
	int r, status;

	night_begin_records(n);
	for (unsigned i = 0; i < n->lane_count; i++)
		if (n->lanes[i].spec && n->lanes[i].state == LANE_OUT)
			night_record_unfit(&n->lanes[i]);
	r = night_play(n, why);
	n->broken = r != 0;
	if (r)
		complain("%s", *why ? why : strerror(-r));
	night_end_records(n, n->signal != 0 || n->over);
	night_look_back(n);
	night_folder_clean(n);
	status = sum_up(n);
	return status;
}

static int run_it(struct night *n)
{
	const struct nightly_options *o = n->options;
	uint64_t limit_ms = o->limit_ms;
	int r;

	n->started = when_now();
	n->start_us = worker_now_us();
	if (o->until)
		limit_ms = nightly_until_ms(o->until, n->started);
	if (limit_ms)
		n->until_us = n->start_us + limit_ms * 1000;
	r = load(n);
	if (r)
		return r;
	if (!n->case_count) {
		complain("none of the %zu scenarios is wanted and in shard %u/%u: nothing was run", n->suite.count,
			 o->run.shard, o->run.shards);
		return HIL_FAILED;
	}
	/* A reader that goes first, and a full disk, are errors of writing, and no end without a word. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	r = make_folder(n);
	if (r)
		return r;
	night_folder_clean(n);
	if (history_use(o->history)) {
		complain("%s", strerror(ENOMEM));
		return HIL_UNFIT;
	}
	night_history(n);
	night_lend_history(n); /* looking at a rig may need it */
	look_at_rigs(n);
	make_reports(n);
	return play(n);
}

static void clean_up(struct night *n)
{
	struct report *reports[] = { n->people, n->junit, n->html, n->json };

	for (unsigned i = 0; i < sizeof(reports) / sizeof(*reports); i++) {
		char *path = reports[i] ? (char *)reports[i]->path : NULL;

		if (reports[i])
			reports[i]->ops->free(reports[i]);
		free(path);
	}
	history_close(n->history);
	night_unmake(n);
	suite_free(&n->suite);
	while (n->troubles) {
		struct trouble *t = n->troubles;

		n->troubles = t->next;
		free(t->text);
		free(t);
	}
	if (n->folder_lock >= 0)
		close(n->folder_lock);
	free((char *)n->plan.rig);
	free(n->folder);
}

int nightly_main(int argc, char **argv)
{
	struct nightly_options options;
	struct night night = { .options = &options, .folder_lock = -1 };
	char why[RUN_OPTIONS_WHY];
	int r = nightly_options_parse(&options, argc, argv, why);

	if (r > 0) {
		help();
		return 0;
	}
	if (r < 0) {
		complain("nightly: %s", why);
		return HIL_USAGE;
	}
	if (!*options.run.paths) {
		complain("nightly: no scenario is named: dfuhil nightly [OPTIONS] SCENARIO|FOLDER...");
		return HIL_USAGE;
	}
	r = run_it(&night);
	clean_up(&night);
	return r;
}
