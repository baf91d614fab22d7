// SPDX-License-Identifier: GPL-2.0-or-later
/* dfuhil run: from the command line to the exit status. */
#include "run.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "commands.h"
#include "complain.h"
#include "outfile.h"
#include "report.h"
#include "rig_choice.h"
#include "runner.h"
#include "suite.h"

#define REPORTS 4

struct run {
	const struct run_options *options;
	struct suite suite;
	struct play_options *jobs;
	struct report_plan plan;
	struct report *reports[REPORTS];
	bool began[REPORTS];
	unsigned report_count;
	bool report_failed;
	FILE *people; /* where the report for people goes */
	char time[RUNNER_TIME];
};

static void help(void)
{
	puts("usage: dfuhil run [OPTIONS] SCENARIO|FOLDER...\n"
	     "\n"
	     "What is not there is looked for in the suite that came with this program: 'conformance' is all of it, "
	     "'start'\n"
	     "a folder in it.\n"
	     "\n"
	     "Run scenarios, each with each tool, and report what became of them. Exit status: 0 all passed; 1 one "
	     "has\n"
	     "failed, or none ran; 2 wrong usage, a mistake in a file (then nothing runs), a report that cannot be "
	     "written;\n"
	     "3 the rig cannot be used here; 130 after Ctrl-C, 128 and the number of another signal.\n");
	run_options_help(stdout);
}

static bool to_stdout(const char *path)
{
	return path && !strcmp(path, "-");
}

/* Before anything runs: a report that could not be written would be found out too late. */
static int check_outputs(const struct run_options *o)
{
	const char *paths[] = { o->junit, o->json, o->html };
	char why[OUTFILE_WHY];

	if (to_stdout(o->junit) + to_stdout(o->json) + to_stdout(o->html) + o->tap > 1) {
		complain("only one report can go to standard output (--tap, and - as FILE)");
		return HIL_USAGE;
	}
	for (unsigned i = 0; i < 3; i++) {
		if (paths[i] && outfile_check(paths[i], why)) {
			complain("%s", why);
			return HIL_USAGE;
		}
	}
	for (unsigned i = 0; i < 3; i++)
		for (unsigned j = 0; j < i; j++)
			if (paths[i] && paths[j] && !to_stdout(paths[i]) && !strcmp(paths[i], paths[j])) {
				complain("'%s' cannot be two reports at once", paths[i]);
				return HIL_USAGE;
			}
	if (o->capture_folder && mkdir(o->capture_folder, 0777) && errno != EEXIST) {
		complain("cannot make the folder '%s': %s", o->capture_folder, strerror(errno));
		return HIL_USAGE;
	}
	if (o->capture_folder && access(o->capture_folder, W_OK | X_OK)) {
		complain("cannot write into '%s': %s", o->capture_folder, strerror(errno));
		return HIL_USAGE;
	}
	return 0;
}

static int load(struct run *run)
{
	struct problems *problems = problems_new();
	int r = problems ? suite_load(&run->suite, run->options, problems) : -ENOMEM;

	if (r == -ENOMEM)
		complain("%s", strerror(ENOMEM));
	if (problems && problems_count(problems)) {
		fflush(stdout);
		problems_print(problems, stderr, run_options_coloured(run->options, stderr));
		complain("%zu mistake%s: nothing was run", problems_count(problems),
			 problems_count(problems) == 1 ? "" : "s");
	}
	problems_free(problems);
	return r ? HIL_USAGE : 0;
}

static void say_none(const struct run *run)
{
	const struct run_options *o = run->options;

	if (!run->suite.count)
		complain("no scenario is there: nothing was run");
	else if (o->shards > 1)
		complain("none of the %zu scenarios is wanted and in shard %u/%u: nothing was run", run->suite.count,
			 o->shard, o->shards);
	else
		complain("none of the %zu scenarios has such an id or tag (--match, --tag): nothing was run",
			 run->suite.count);
}

static int list(const struct run *run)
{
	int width = 0;

	for (size_t i = 0; i < run->suite.chosen_count; i++)
		if ((int)strlen(run->suite.chosen[i]->id) > width)
			width = (int)strlen(run->suite.chosen[i]->id);
	for (size_t i = 0; i < run->suite.chosen_count; i++)
		printf("%-*s  %s\n", width, run->suite.chosen[i]->id, run->suite.chosen[i]->name);
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write the list: %s", strerror(errno));
		return HIL_USAGE;
	}
	return 0;
}

static unsigned processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) < 1)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

static int make_jobs(struct run *run)
{
	const struct run_options *o = run->options;
	const struct suite *s = &run->suite;
	size_t n = 0, count = s->chosen_count * s->tool_count * o->repeat;

	run->jobs = calloc(count, sizeof(*run->jobs));
	if (!run->jobs)
		return -ENOMEM;
	for (size_t i = 0; i < s->chosen_count; i++)
		for (unsigned t = 0; t < s->tool_count; t++)
			for (unsigned k = 1; k <= o->repeat; k++)
				run->jobs[n++] = (struct play_options){
					.scenario = s->chosen[i],
					.tool = s->tools[t],
					.tool_version = s->tool_versions[t],
					.rig = s->rig,
					.time = s->time,
					.scale = s->scale,
					.seed = runner_seed(o->seed, s->chosen[i]->id, k),
					.repeat = k,
					.capture_folder = o->capture_folder,
					.strict = o->strict,
					.faults = o->faults.word,
					.tool_wall_ms = o->deadline_ms - o->deadline_ms / 4,
				};
	run->plan.jobs = n;
	return 0;
}

static int add_report(struct run *run, struct report *report)
{
	if (!report)
		return -ENOMEM;
	run->reports[run->report_count++] = report;
	return 0;
}

static int make_reports(struct run *run)
{
	const struct run_options *o = run->options;
	bool taken = to_stdout(o->junit) || to_stdout(o->json) || to_stdout(o->html);
	int r;

	run->people = taken ? stderr : stdout;
	run->plan.tools = run->suite.tool_names;
	run->plan.rig = rig_choice_name(run->suite.rig);
	run->plan.time = runner_time(run->jobs, run->time);
	run->plan.seed = o->seed;
	run->plan.faults = o->faults.word;
	run->plan.colour = !o->tap && run_options_coloured(o, run->people);
	run->plan.live = !o->tap && isatty(fileno(run->people)) && getenv("TERM") &&
			 strcmp(getenv("TERM"), "dumb") != 0;
	run->plan.verbose = o->verbose;
	run->plan.quiet = o->quiet;
	r = add_report(run, o->tap ? report_tap_new(stdout) : report_console_new(run->people));
	if (!r && o->junit)
		r = add_report(run, report_junit_new(o->junit));
	if (!r && o->json)
		r = add_report(run, report_json_new(o->json));
	if (!r && o->html)
		r = add_report(run, report_html_new(o->html));
	return r;
}

/* Told once. The others go on: what there is to report is reported where it can be. */
static int report_done(struct run *run, unsigned i, int error)
{
	struct report *report = run->reports[i];

	if (!error)
		return 0;
	complain("the %s report is not complete: %s", report->ops->name, *report->why ? report->why : strerror(-error));
	run->report_failed = true;
	report->ops->free(report);
	run->reports[i] = NULL;
	return error;
}

static int begin_reports(struct run *run)
{
	int r = 0;

	for (unsigned i = 0; i < run->report_count; i++) {
		int one = report_done(run, i, run->reports[i]->ops->begin(run->reports[i], &run->plan));

		r = r ? r : one;
	}
	return r;
}

static int started(void *context, const struct play_options *job)
{
	struct run *run = context;
	int r = 0;

	for (unsigned i = 0; i < run->report_count; i++) {
		struct report *report = run->reports[i];
		int one = report ? report->ops->running(report, job->scenario->id, job->tool->name) : 0;

		r = report_done(run, i, one) ? one : r;
	}
	return r;
}

static int ended(void *context, const struct play_options *job, const struct result *result)
{
	struct run *run = context;
	int r = 0;

	(void)job;
	for (unsigned i = 0; i < run->report_count; i++) {
		int one = run->reports[i] ? run->reports[i]->ops->result(run->reports[i], result) : 0;

		r = report_done(run, i, one) ? one : r;
	}
	return r;
}

static void end_reports(struct run *run, bool interrupted)
{
	for (unsigned i = 0; i < run->report_count; i++)
		if (run->reports[i])
			report_done(run, i, run->reports[i]->ops->end(run->reports[i], interrupted));
}

static int play_all(struct run *run)
{
	const struct run_options *o = run->options;
	struct runner_options options = {
		.jobs = run->jobs,
		.count = run->plan.jobs,
		.parallel = o->parallel ? o->parallel : processors(),
		.deadline_ms = o->deadline_ms,
		.fail_fast = o->fail_fast,
		.play = play_scenario,
		.obstacle = play_obstacle,
		.started = started,
		.ended = ended,
		.context = run,
	};
	struct runner_outcome outcome;
	char why[RUNNER_WHY];
	int r;

	/* What the kernel shows is shown to all: one tool would see the other's boards. */
	if (!rig_choice_is_private(run->suite.rig)) {
		if (options.parallel > 1 && o->parallel)
			complain("the rig %s takes one scenario at a time: --jobs %u is of no effect",
				 rig_choice_name(run->suite.rig), o->parallel);
		options.parallel = 1;
	}
	r = begin_reports(run);
	if (!r)
		r = runner_run(&options, &outcome, why);
	else
		return HIL_USAGE;
	end_reports(run, outcome.signal != 0 || r != 0);
	if (r && *why)
		complain("%s", why);
	if (outcome.signal)
		return 128 + outcome.signal;
	if (run->report_failed)
		return HIL_USAGE;
	if (r)
		return HIL_UNFIT;
	if (!outcome.played)
		complain("every scenario was skipped: nothing has been tested");
	return outcome.bad || !outcome.played ? HIL_FAILED : 0;
}

static int run_it(struct run *run)
{
	int r = check_outputs(run->options);
	char why[RIG_WHY];

	if (!r)
		r = load(run);
	if (r)
		return r;
	if (!run->suite.chosen_count) {
		say_none(run);
		return HIL_FAILED;
	}
	if (run->options->list)
		return list(run);
	/* A reader that goes first is an error of writing, and no end without a word. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (rig_choice_check(run->suite.rig, why)) {
		complain("%s", why);
		return HIL_UNFIT;
	}
	rig_choice_clock(run->suite.rig, &run->suite.time, &run->suite.scale);
	if (make_jobs(run) || make_reports(run)) {
		complain("%s", strerror(ENOMEM));
		return HIL_UNFIT;
	}
	return play_all(run);
}

int run_main(int argc, char **argv)
{
	struct run_options options;
	struct run run = { .options = &options };
	char why[RUN_OPTIONS_WHY];
	int r = run_options_parse(&options, argc, argv, why);

	if (r > 0) {
		help();
		return 0;
	}
	if (r < 0) {
		complain("run: %s", why);
		return HIL_USAGE;
	}
	if (!*options.paths) {
		complain("run: no scenario is named: dfuhil run [OPTIONS] SCENARIO|FOLDER...");
		return HIL_USAGE;
	}
	r = run_it(&run);
	for (unsigned i = 0; i < run.report_count; i++)
		if (run.reports[i])
			run.reports[i]->ops->free(run.reports[i]);
	free(run.jobs);
	suite_free(&run.suite);
	return r;
}
