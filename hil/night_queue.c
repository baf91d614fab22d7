// SPDX-License-Identifier: GPL-2.0-or-later
/* The queue of a night: which case runs next on which rig, and what a result makes necessary. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "night.h"
#include "rig_choice.h"
#include "text.h"
#include "worker.h"

#define CONTROLS_BAD 2 /* one after the other: then the rig is out */

static void settle(struct night_case *c);

/* --- jobs --- */

static struct night_job *job_new(struct lane *lane, struct night_case *c, enum work work)
{
	struct night *n = lane->night;
	const struct run_options *o = &n->options->run;
	struct night_job *job = calloc(1, sizeof(*job));
	unsigned repeat = c && work != WORK_EMULATED ? (unsigned)c->attempts.count + 1 : 1;
	bool own = !c;

	if (!job)
		return NULL;
	if (own)
		repeat = ++lane->controls;
	*job = (struct night_job){
		.play = { .scenario = own ? lane->control : c->scenario,
			  .tool = own ? n->host : n->suite.tools[c->tool],
			  .tool_version = own ? DFUBENCH_VERSION : n->suite.tool_versions[c->tool],
			  .rig = lane->choice,
			  .time = lane->time,
			  .scale = lane->scale,
			  .repeat = repeat,
			  .strict = o->strict,
			  .faults = lane->spec ? o->faults.word : NULL,
			  .try_rig = work == WORK_HEALTH,
			  .tool_wall_ms = o->deadline_ms - o->deadline_ms / 4 },
		.work = work,
		.lane = lane,
		.c = c,
	};
	job->play.seed = runner_seed(o->seed, job->play.scenario->id, repeat);
	/* The emulated board is to do what was done on the rig. */
	if (work == WORK_EMULATED)
		job->play.seed = c->seed;
	job->play.capture_folder = night_captures(n, lane);
	return job;
}

void job_free(struct night_job *job)
{
	if (!job)
		return;
	free((char *)job->play.capture_folder);
	free(job);
}

void lane_empty(struct lane *lane)
{
	struct night_job *job;

	while ((job = lane->queue)) {
		lane->queue = job->next;
		job_free(job);
	}
}

static bool put(struct night_job *job, bool first)
{
	struct night_job **at;

	if (!job)
		return false;
	at = &job->lane->queue;
	while (*at && !first)
		at = &(*at)->next;
	job->next = *at;
	*at = job;
	return true;
}

static struct lane *emulated(struct night *n)
{
	return &n->lanes[n->lane_count - 1];
}

/* --- rigs that are lost --- */

static const char *obstacle(const struct lane *lane, const struct night_case *c, char why[RIG_WHY])
{
	const struct night *n = lane->night;
	struct play_options play = { .scenario = c->scenario,
				     .tool = n->suite.tools[c->tool],
				     .rig = lane->choice,
				     .faults = n->options->run.faults.word };

	return play_obstacle(&play, why);
}

static void say(struct night_case *c, char *message)
{
	free(c->message);
	c->message = message;
}

/* What no rig that is left can do has its verdict: why each of them cannot. */
static void skip(struct night_case *c, struct night *n)
{
	char why[RIG_WHY], *message = NULL, *more;
	bool lost = false;

	for (unsigned i = 0; i + 1 < n->lane_count; i++) {
		struct lane *lane = &n->lanes[i];
		const char *what = lane->choice ? obstacle(lane, c, why) : NULL;

		if (!what && lane->state != LANE_OUT)
			goto out;
		if (!what)
			lost = true;
		what = what ? what : lane->why;
		if (message && !strcmp(message, what))
			continue;
		more = message ? text_format("%s; %s", message, what) : strdup(what ? what : "");
		free(message);
		message = more;
	}
	say(c, message);
	message = NULL;
	c->state = CASE_CLOSED;
	c->verdict = VERDICT_SKIPPED;
	c->reached = !lost;
	night_record_case(c);
out:
	free(message);
}

void lane_out(struct lane *lane, enum blame blame, char *why)
{
	struct night *n = lane->night;
	struct night_job *job, *queue = lane->queue;

	lane->state = LANE_OUT;
	lane->blame = blame;
	free(lane->why);
	lane->why = why;
	lane->queue = NULL;
	if (lane->spec && why) {
		fflush(stdout);
		fprintf(stderr, "dfuhil: the rig '%s' is out: %s\n", lane->name, why);
	}
	while ((job = queue)) {
		queue = job->next;
		if (job->c && job->c->pending) {
			job->c->pending--;
			settle(job->c);
		}
		job_free(job);
	}
	for (size_t i = 0; i < n->case_count && lane->spec; i++)
		if (n->cases[i].state == CASE_WAITS)
			skip(&n->cases[i], n);
}

/* --- what comes next --- */

static bool ask(struct lane *lane, struct night_case *c, enum work work, bool first)
{
	if (!put(job_new(lane, c, work), first))
		return false;
	if (c)
		c->pending++;
	return true;
}

/* The known-good run after a failure is that case's too, though its job names none. */
static bool ask_control(struct night_case *c)
{
	struct night_job *job = c->lane->control ? job_new(c->lane, NULL, WORK_CONTROL) : NULL;

	if (!put(job, true))
		return false;
	job->c = c;
	c->pending++;
	return true;
}

/* The last attempt is known: what else is to be known? */
static void follow(struct night_case *c)
{
	struct night *n = c->night;
	const struct result *last = c->attempts.count ? c->attempts.list[c->attempts.count - 1] : NULL;
	bool failed = last && verdict_is_bad(last->verdict);
	bool rig_there = c->lane->state == LANE_READY;

	if (failed && rig_there && c->attempts.count <= c->retries && ask(c->lane, c, WORK_CASE, true))
		return;
	if (c->pending || !last || last->verdict == VERDICT_SKIPPED)
		return;
	if (!c->asked_emulated && emulated(n)->state != LANE_OUT && n->options->differential != DIFFERENTIAL_NEVER &&
	    (c->bad || n->options->differential == DIFFERENTIAL_ALL)) {
		c->asked_emulated = true;
		ask(emulated(n), c, WORK_EMULATED, false);
	}
	if (!c->asked_control && c->bad && rig_there) {
		c->asked_control = true;
		ask_control(c);
	}
}

/* A board or rig that went under it says nothing of the case, if another one can still take it. */
static bool can_move(const struct night_case *c)
{
	struct night *n = c->night;
	char why[RIG_WHY];

	if (c->lane->state != LANE_OUT || (c->blame != BLAME_BOARD && c->blame != BLAME_RIG))
		return false;
	for (unsigned i = 0; i + 1 < n->lane_count; i++)
		if (n->lanes[i].state != LANE_OUT && !obstacle(&n->lanes[i], c, why))
			return true;
	return false;
}

static void move(struct night_case *c)
{
	night_remember(c);
	night_case_clear(c);
}

/* Closes it once nothing of it is under way. */
static void settle(struct night_case *c)
{
	if (c->state != CASE_RUNS || c->pending)
		return;
	follow(c);
	if (c->pending)
		return;
	night_judge(c, c->night->signal || c->night->over);
	if (can_move(c)) {
		move(c);
		return;
	}
	c->state = CASE_CLOSED;
	night_record_case(c);
}

static struct night_job *take_case(struct lane *lane)
{
	struct night *n = lane->night;
	char why[RIG_WHY];

	for (size_t i = 0; i < n->case_count; i++) {
		struct night_case *c = &n->cases[i];
		struct night_job *job;

		if (c->state != CASE_WAITS || obstacle(lane, c, why))
			continue;
		c->lane = lane;
		c->state = CASE_RUNS;
		c->reached = true;
		night_recall(c);
		c->retries = n->options->retries * (c->known_flaky ? 2 : 1);
		job = job_new(lane, c, WORK_CASE);
		if (job)
			c->pending++;
		return job;
	}
	return NULL;
}

static const struct play_options *next(void *context, unsigned place)
{
	struct night *n = context;
	struct lane *lane = n->places[place];
	struct night_job *job = NULL;

	if (lane->state == LANE_NEW) {
		lane->state = lane->control ? LANE_CHECKING : LANE_READY;
		if (lane->control)
			job = job_new(lane, NULL, WORK_HEALTH);
	}
	if (!job && lane->state != LANE_OUT && (job = lane->queue))
		lane->queue = job->next;
	if (!job && lane->state == LANE_READY && lane->spec)
		job = take_case(lane);
	n->playing[place] = job;
	return job ? &job->play : NULL;
}

/* --- what came of it --- */

static char *first_line(const char *text)
{
	return text_format("%.*s", (int)strcspn(text ? text : "", "\n"), text ? text : "");
}

/* Twice one after the other, so that no chance decides. An error is the rig's: the board was not even asked. */
static void controlled(struct lane *lane, const struct night_job *job, const struct result *result)
{
	bool bad = verdict_is_bad(result->verdict);
	char *line = first_line(result->message);

	if (job->c) {
		job->c->control = result->verdict;
		free(job->c->control_message);
		job->c->control_message = line ? strdup(line) : NULL;
	}
	lane->bad_controls = bad ? lane->bad_controls + 1 : 0;
	night_record_health(lane, result);
	if (!bad) {
		lane->state = lane->state == LANE_CHECKING ? LANE_READY : lane->state;
	} else if (lane->state == LANE_OUT) {
		/* told already */
	} else if (lane->bad_controls < CONTROLS_BAD) {
		struct night_job *again = job_new(lane, NULL, job->work);

		if (put(again, true) && job->c) {
			again->c = job->c;
			job->c->pending++;
		}
	} else if (night_fault(result->verdict, line) == BLAME_RIG) {
		lane_out(lane, BLAME_RIG, text_format("%s", line ? line : ""));
	} else {
		lane_out(lane, BLAME_BOARD,
			 text_format("the board does not answer the runner's own host as it should: %s",
				     line ? line : ""));
	}
	free(line);
}

static int attempted(struct night_case *c, const struct result *result)
{
	struct result *kept;
	int error = results_keep(&c->attempts, result);

	if (error)
		return error;
	kept = c->attempts.list[c->attempts.count - 1];
	free(kept->rig);
	kept->rig = strdup(c->lane->name);
	if (verdict_is_bad(result->verdict) && !c->bad++)
		c->seed = result->seed;
	if (!c->bad)
		c->seed = result->seed;
	c->lane->played += result->verdict != VERDICT_SKIPPED;
	return 0;
}

static int started(void *context, const struct play_options *play)
{
	struct night *n = context;

	if (n->people && n->people->ops->running(n->people, play->scenario->id, play->tool->name))
		night_trouble(n, "standard output cannot be written to");
	night_lend_history(n);
	return 0;
}

static int ended(void *context, const struct play_options *play, const struct result *told)
{
	struct night *n = context;
	struct night_job *job = (struct night_job *)play;
	struct night_case *c = job->c;
	json_t *json = result_to_json(told);
	struct result *result = json ? result_from_json(json) : NULL;
	int error = result ? 0 : -ENOMEM;

	json_decref(json);
	if (!error)
		night_keep_capture(n, job, result);
	/* Cut off at the end of the night: no verdict on anything. */
	if (n->until_us && worker_now_us() >= n->until_us)
		n->over = true;
	if (!error && c && n->over && result->verdict == VERDICT_ERROR && job->work == WORK_CASE) {
		say(c, strdup(result->message ? result->message : ""));
	} else if (!error && job->work == WORK_CASE) {
		error = attempted(c, result);
	} else if (!error && job->work == WORK_EMULATED && !(n->over && result->verdict == VERDICT_ERROR)) {
		c->emulated = result->verdict;
		c->emulated_message = first_line(result->message);
	} else if (!error && !(n->over && result->verdict == VERDICT_ERROR)) {
		controlled(job->lane, job, result);
	}
	if (c && !error) {
		c->pending--;
		settle(c);
	}
	result_free(result);
	for (unsigned i = 0; i < n->place_count; i++)
		if (n->playing[i] == job)
			n->playing[i] = NULL;
	job_free(job);
	return error;
}

int night_play(struct night *n, char why[RUNNER_WHY])
{
	struct runner_options options = {
		.next = next,
		.parallel = n->place_count,
		.deadline_ms = n->options->run.deadline_ms,
		.until_us = n->until_us,
		.play = night_play_one,
		.started = started,
		.ended = ended,
		.context = n,
	};
	struct runner_outcome outcome;
	int r;

	for (size_t i = 0; i < n->case_count; i++)
		skip(&n->cases[i], n);
	r = runner_run(&options, &outcome, why);
	n->signal = outcome.signal;
	if (n->until_us && worker_now_us() >= n->until_us)
		n->over = true;
	for (size_t i = 0; i < n->case_count; i++) {
		struct night_case *c = &n->cases[i];

		if (c->state == CASE_CLOSED)
			continue;
		/* An attempt that was cut off says nothing; those before it do. */
		if (!c->message)
			c->message = text_format("not reached: %s", n->signal   ? "the night was interrupted"
								    : r && *why ? why
								    : n->over   ? "the time was over"
										: "the night was over");
		c->state = CASE_CLOSED;
		c->pending = 0;
		night_judge(c, true);
		night_record_case(c);
	}
	return r;
}
