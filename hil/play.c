// SPDX-License-Identifier: GPL-2.0-or-later
/* One scenario with one tool on one rig: what is in the way, setting up, the steps in order, and the verdict. */
#include <errno.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "board_fit.h"
#include "engine.h"
#include "fault_text.h"
#include "play_internal.h"
#include "rig_choice.h"
#include "share.h"
#include "text.h"
#include "verb.h"

#define LIMIT_US UINT64_C(600000000)
#define SETTLE_US UINT64_C(120000000) /* more than the longest erase of any part */

/* --- for the verbs --- */

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = value ? strdup(value) : NULL;
}

static void set_message(struct play *play, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	if (!play->step) {
		free(play->result->message);
		play->result->message = text;
		return;
	}
	free(play->step->message);
	play->step->message = text;
}

enum play_outcome play_fail(struct play *play, const char *expected, const char *got, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_message(play, format, args);
	va_end(args);
	set_text(&play->step->expected, expected);
	set_text(&play->step->got, got);
	play->step->verdict = VERDICT_FAILED;
	return PLAY_FAILED;
}

enum play_outcome play_error(struct play *play, const char *format, ...)
{
	va_list args;

	/* The first one told is the cause. */
	if (play->step && play->step->verdict == VERDICT_ERROR)
		return PLAY_ERROR;
	va_start(args, format);
	set_message(play, format, args);
	va_end(args);
	if (play->step)
		play->step->verdict = VERDICT_ERROR;
	return PLAY_ERROR;
}

const struct file *play_file(struct play *play, const struct value *v)
{
	char why[FILES_WHY];
	const struct file *file = files_get(play->state->files, v->text, v->mark.file, why);

	if (!file)
		play_error(play, "%s", why);
	return file;
}

uint64_t play_limit_us(const struct play *play, uint64_t us)
{
	const struct play_options *o = play->options;

	return o->time == RIG_TIME_SCALED && o->scale > 1 ? (uint64_t)((double)us * o->scale) : us;
}

static uint64_t wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t play_wall_left_ms(const struct play *play)
{
	uint64_t all = play->options->tool_wall_ms, passed = (wall_us() - play->state->start_wall_us) / 1000;

	if (!all)
		return 0;
	return passed < all ? all - passed : 1;
}

const char *play_short_path(const struct play *play, const char *path)
{
	size_t length = strlen(play->options->folder);

	return !strncmp(path, play->options->folder, length) && path[length] == '/' ? path + length + 1 : path;
}

const char *play_reason(const struct play *play, int error)
{
	const char *why = play->rig->ops->why(play->rig);

	return why ? why : strerror(-error);
}

unsigned play_board(const struct step *step)
{
	return step->board ? step->board : 1;
}

enum play_outcome play_settle(struct play *play, unsigned board)
{
	struct rig_status status = { 0 };
	bool was_busy = false;

	/* New option bytes reset the chip a moment after they have been written. */
	for (uint64_t passed = 0; play->rig->ops->can & RIG_STATE; passed += 10000) {
		if (play->rig->ops->status(play->rig, board, &status))
			return play_error(play, "there is no board %u", board);
		if (!status.busy && !was_busy)
			return PLAY_OK;
		was_busy = status.busy;
		if (passed > SETTLE_US)
			return play_fail(play, NULL, NULL, "the flash is still busy after %llu s",
					 (unsigned long long)(SETTLE_US / 1000000));
		play->rig->ops->pass(play->rig, 10000);
	}
	return PLAY_OK;
}

/* --- what is in the way --- */

static bool is_among(const struct value *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->list[i].text && !strcmp(list->list[i].text, word))
			return true;
	return false;
}

static const char *rig_lacks(const struct play_options *o, char why[RIG_WHY])
{
	const struct scenario *s = o->scenario;
	bool faults = o->faults && *o->faults;
	unsigned missing = (s->needs | (faults ? RIG_FAULTS : 0)) & ~rig_choice_can(o->rig), first = missing & -missing;
	const char *what = faults && !(s->needs & first) ? "--fault" : "the scenario";

	if (s->needs & RIG_FIRMWARE && rig_choice_emulates(o->rig) && engine_lacks()) {
		snprintf(why, RIG_WHY, "%.400s", engine_lacks());
		return why;
	}
	if (!missing)
		return NULL;
	for (size_t i = s->step_count; i-- > 0;)
		if (s->steps[i].needs & first)
			what = s->steps[i].verb->name;
	snprintf(why, RIG_WHY, "rig '%s' cannot do '%s', which %.200s needs", rig_choice_name(o->rig),
		 rig_can_name((enum rig_can)first), what);
	return why;
}

static enum rig_application application_of(const struct object *board)
{
	return (enum rig_application)object_number(board, "application", RIG_SERIAL_PORT);
}

const char *play_obstacle(const struct play_options *o, char why[RIG_WHY])
{
	const struct scenario *s = o->scenario;
	const struct value *tools = object_value(s->top, "tools");
	const struct object *board = object_value(s->top, "board")->object;

	if (tools->given && !is_among(tools, o->tool->name)) {
		size_t used = (size_t)snprintf(why, RIG_WHY, "it is for");

		for (size_t i = 0; i < tools->count && used < RIG_WHY; i++)
			used += (size_t)snprintf(why + used, RIG_WHY - used, "%s%s", i ? " and " : " ",
						 tools->list[i].text);
		if (used < RIG_WHY)
			snprintf(why + used, RIG_WHY - used, " alone");
		return why;
	}
	if (rig_lacks(o, why) ||
	    rig_choice_differs(o->rig, object_text(board, "profile", "f407"), application_of(board), why))
		return why;
	if (rig_choice_board(o->rig) && board_fit(rig_choice_board(o->rig), s, why))
		return why;
	for (size_t i = 0; i < s->step_count; i++) {
		char lacks[VERB_WHY];
		const char *missing = verb_tool_lacks(&s->steps[i], s, o->tool, lacks);

		if (missing) {
			snprintf(why, RIG_WHY, "%s", missing);
			return why;
		}
	}
	return NULL;
}

/* --- setting up --- */

static char *name_in(const char *folder, const char *id, const char *tool, unsigned repeat)
{
	char *path;

	if (asprintf(&path, "%s/%s.%s%s", folder, id, tool, repeat > 1 ? "." : "") < 0)
		return NULL;
	for (char *c = path + strlen(folder) + 1; *c; c++)
		if (*c == '/')
			*c = '-';
	if (repeat > 1) {
		char *more;
		int n = asprintf(&more, "%s%u", path, repeat);

		free(path);
		path = n < 0 ? NULL : more;
	}
	return path;
}

/* The capture, kept or not: never in the folder that tools run in, which some of them clean. */
static char *capture_path(const struct play_options *o)
{
	char *name = o->capture_folder ? name_in(o->capture_folder, o->scenario->id, o->tool->name, o->repeat)
				       : strdup(o->folder),
	     *path;
	int n = name ? asprintf(&path, "%s.pcapng", name) : -1;

	free(name);
	return n < 0 ? NULL : path;
}

/* Descriptors of a bystander: a name in fixtures/descriptors/, or a path beside the scenario. */
static char *descriptors_of(const struct scenario *s, const char *name)
{
	char *file, *path;

	if (strchr(name, '/') || strstr(name, ".usb"))
		return scenario_path(s, name);
	if (asprintf(&file, "descriptors/%s.usb", name) < 0)
		return NULL;
	path = share_fixture(s->path, file);
	free(file);
	return path ? path : scenario_path(s, name);
}

static bool set_bystanders(struct rig_setup *setup, const struct scenario *s)
{
	const struct value *list = object_value(s->top, "bystanders");
	struct rig_bystander *b = calloc(list->count + 1, sizeof(*b));

	setup->bystanders = b;
	for (size_t i = 0; b && i < list->count; i++) {
		const struct object *o = list->list[i].object;

		b[i].descriptors = descriptors_of(s, object_text(o, "device", ""));
		b[i].denied = object_flag(o, "denied", false);
		if (!b[i].descriptors)
			return false;
		setup->bystander_count++;
	}
	return b != NULL;
}

static bool set_serials(struct rig_setup *setup, const struct object *board)
{
	const struct value *list = board ? object_value(board, "serials") : NULL;
	const char **serials;

	if (!list || !list->given)
		return true;
	serials = calloc(setup->boards + 1, sizeof(*serials));
	for (size_t i = 0; serials && i < list->count && i < setup->boards; i++)
		serials[i] = list->list[i].text;
	setup->serials = serials;
	return serials != NULL;
}

static void setup_free(struct rig_setup *setup)
{
	for (size_t i = 0; i < setup->bystander_count; i++)
		free((char *)setup->bystanders[i].descriptors);
	free((struct rig_bystander *)setup->bystanders);
	free((const char **)setup->serials);
}

/* On all of so many boards. */
static bool put_fault(struct play *play, unsigned boards, const char *rule)
{
	char why[RIG_WHY];

	for (unsigned b = 1; b <= boards; b++)
		if (play->rig->ops->fault_add(play->rig, b, rule, why)) {
			play_error(play, "fault '%s': %s", rule, why);
			return false;
		}
	return true;
}

static bool open_rig(struct play *play, char *capture)
{
	const struct play_options *o = play->options;
	const struct object *board = object_value(o->scenario->top, "board")->object;
	const struct value *faults = object_value(o->scenario->top, "faults");
	struct rig_setup setup = {
		.profile = object_text(board, "profile", "f407"),
		.boards = (unsigned)object_number(board, "count", 1),
		.boot0 = object_number(board, "boot0", 0) == 1,
		.boot1 = object_number(board, "boot1", 0) == 1,
		.powered = object_flag(board, "powered", true),
		.plugged = object_flag(board, "plugged", true),
		.application = application_of(board),
		.erase_times = (enum flash_durations)object_number(board, "erase-times", DURATION_TYPICAL),
		.seed = o->seed,
		.time = o->time,
		.scale = o->scale,
		.capture = capture,
		.folder = o->folder,
	};
	char why[RIG_WHY] = "out of memory";

	if (set_bystanders(&setup, o->scenario) && set_serials(&setup, board))
		play->rig = rig_open(o->rig, &setup, why);
	setup_free(&setup);
	if (!play->rig) {
		play_error(play, "%s", why);
		return false;
	}
	for (size_t i = 0; o->faults && o->faults[i]; i++)
		if (!put_fault(play, setup.boards, o->faults[i]))
			return false;
	for (size_t i = 0; i < faults->count; i++)
		if (!put_fault(play, setup.boards, faults->list[i].text))
			return false;
	return true;
}

/* --- steps --- */

static bool list_steps(struct play *play)
{
	const struct scenario *s = play->options->scenario;
	struct result *r = play->result;

	r->steps = calloc(s->step_count + 1, sizeof(*r->steps));
	if (!r->steps)
		return false;
	for (size_t i = 0; i < s->step_count; i++) {
		struct result_step *rs = &r->steps[r->step_count++];

		rs->verdict = VERDICT_SKIPPED;
		rs->exit_status = -1;
		rs->text = step_text(&s->steps[i]);
		rs->file = strdup(s->steps[i].mark.file ? s->steps[i].mark.file : s->path);
		rs->line = s->steps[i].mark.line;
		rs->column = s->steps[i].mark.column;
		if (!rs->text || !rs->file)
			return false;
	}
	return true;
}

static size_t exchanges(struct play *play)
{
	return play->rig->ops->can & RIG_TRANSCRIPT ? play->rig->ops->transcript(play->rig)->count : 0;
}

/* What has become of the firmware, of which the step may say nothing. */
static void note_faults(struct play *play)
{
	const struct rig_ops *ops = play->rig->ops;
	bool several = ops->profile(play->rig, 2) != NULL;

	for (unsigned b = 1; ops->profile(play->rig, b); b++) {
		const struct rig_fault *fault = ops->fault(play->rig, b);
		char *text = fault ? fault_text(fault, several ? b : 0) : NULL, *before = play->step->application;
		struct rig_status status;

		if (!fault && ops->can & RIG_INSIDE && !ops->status(play->rig, b, &status) &&
		    status.cause == RESET_NOT_EXECUTABLE)
			text = strdup("the bootloader found nothing that can be executed, and reset the board");

		if (!text)
			continue;
		play->step->application = before ? text_format("%s\n%s", before, text) : strdup(text);
		free(before);
		free(text);
	}
}

static enum play_outcome run_step(struct play *play, size_t i)
{
	const struct step *step = &play->options->scenario->steps[i];
	enum play_outcome r;

	play->state->step_index = i;
	play->step = &play->result->steps[i];
	play->step->verdict = VERDICT_PASSED;
	play->step->start_us = play->rig->ops->now_us(play->rig);
	play->step->first_exchange = exchanges(play);
	if (!play->rig->ops->profile(play->rig, play_board(step)))
		r = play_error(play, "there is no board %u", play_board(step));
	else if (play->step->start_us >= play->state->limit_us)
		r = play_fail(play, NULL, NULL,
			      "the scenario has taken longer than its limit, %llu s on the board's clock",
			      (unsigned long long)(play->state->limit_us / 1000000));
	else
		r = step->verb->run(play, step);
	play->step->end_us = play->rig->ops->now_us(play->rig);
	if (r)
		note_faults(play);
	play->step->exchange_count = exchanges(play) - play->step->first_exchange;
	if (r && play->step->verdict == VERDICT_PASSED) /* a verb that did not say why */
		play_error(play, "step '%s' failed without a reason", step->verb->name);
	play->step = NULL;
	return r;
}

static bool run_steps(struct play *play)
{
	for (size_t i = 0; i < play->options->scenario->step_count; i++)
		if (run_step(play, i))
			return false;
	return true;
}

/* --- the verdict --- */

static bool matches(const char *expression, const char *text)
{
	regex_t regex;
	bool match;

	if (regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB | REG_NEWLINE))
		return false;
	match = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return match;
}

static bool concerns(const struct expected_failure *e, const struct play_options *o)
{
	return !strcmp(e->tool, o->tool->name) &&
	       (!e->versions || (o->tool_version && matches(e->versions, o->tool_version)));
}

static const struct expected_failure *expected_failure(const struct play_options *o)
{
	for (size_t i = 0; i < o->scenario->expected_failure_count; i++) {
		if (concerns(&o->scenario->expected_failures[i], o))
			return &o->scenario->expected_failures[i];
	}
	return NULL;
}

static void set_verdict(struct play *play)
{
	struct result *r = play->result;
	const struct expected_failure *e = expected_failure(play->options);

	if (r->verdict == VERDICT_ERROR)
		return;
	r->verdict = VERDICT_PASSED;
	for (size_t i = 0; i < r->step_count && r->verdict == VERDICT_PASSED; i++) {
		const struct result_step *s = &r->steps[i];

		if (s->verdict != VERDICT_FAILED && s->verdict != VERDICT_ERROR)
			continue;
		r->verdict = s->verdict;
		r->line = s->line;
		set_text(&r->message, s->message);
	}
	if (r->verdict == VERDICT_PASSED)
		judge_findings(play);
	if (e && r->verdict == VERDICT_FAILED && e->message && !(r->message && matches(e->message, r->message)))
		return; /* another failure than the known one */
	if (e && r->verdict == VERDICT_FAILED && !e->message && play->state->crashed)
		return;
	if (e && r->verdict == VERDICT_FAILED) {
		r->verdict = VERDICT_EXPECTED_FAILURE;
		free(r->message);
		if (asprintf(&r->message, "%s%s%s%s", e->why, e->reference ? " (" : "",
			     e->reference ? e->reference : "", e->reference ? ")" : "") < 0)
			r->message = NULL;
	} else if (e && r->verdict == VERDICT_PASSED) {
		r->verdict = VERDICT_UNEXPECTED_PASS;
		free(r->message);
		if (asprintf(&r->message, "it passed, and was expected to fail: %s", e->why) < 0)
			r->message = NULL;
	}
}

static bool describe(struct result *r, const struct play_options *o)
{
	const struct scenario *s = o->scenario;
	char time[32];

	snprintf(time, sizeof(time), "x%g", o->scale);
	r->id = strdup(s->id);
	r->name = strdup(s->name);
	r->why = strdup(s->why);
	r->file = strdup(s->path);
	r->tool = strdup(o->tool->name);
	r->tool_version = o->tool_version ? strdup(o->tool_version) : NULL;
	r->rig = strdup(rig_choice_name(o->rig));
	r->profile = strdup(object_text(object_value(s->top, "board")->object, "profile", "f407"));
	r->time = strdup(o->time == RIG_TIME_VIRTUAL ? "virtual" : o->scale == 1 ? "real" : time);
	r->repeat = o->repeat;
	r->seed = o->seed;
	return r->id && r->name && r->why && r->file && r->tool && r->rig && r->profile && r->time;
}

/* Rules over half of the requests find what did not happen, and miss what did. */
static void check_capture(struct play *play)
{
	const struct transcript *t = (play->rig->ops->can & RIG_TRANSCRIPT) ? play->rig->ops->transcript(play->rig)
									    : NULL;

	if (!t || !t->damage)
		return;
	play->result->verdict = VERDICT_ERROR;
	if (!play->result->message && asprintf(&play->result->message, "the capture cannot be read: %s", t->damage) < 0)
		play->result->message = NULL;
}

static void play_steps(struct play *play)
{
	struct result *r = play->result;
	char *capture = capture_path(play->options);
	bool ran = false;

	if (!capture || !list_steps(play)) {
		play_error(play, "%s", strerror(ENOMEM));
	} else if (open_rig(play, capture)) {
		play->state->limit_us = play->rig->ops->now_us(play->rig) +
					play_limit_us(play,
						      object_number(play->options->scenario->top, "limit", LIMIT_US));
		ran = snapshot_take(play, SNAPSHOT_START) != NULL;
		if (!ran)
			play_error(play, "the boards cannot be looked at");
	}
	if (ran) {
		uint64_t start = play->state->snapshots->at_us;

		run_steps(play);
		r->board_us = play->rig->ops->now_us(play->rig) - start;
		if (!result_fill(play))
			play_error(play, "%s", strerror(ENOMEM));
		check_capture(play);
	} else {
		r->verdict = VERDICT_ERROR;
	}
	set_verdict(play);
	if (play->rig)
		play->rig->ops->close(play->rig);
	if (capture && play->options->capture_folder && ran && !access(capture, F_OK))
		set_text(&r->capture, capture);
	else if (capture)
		unlink(capture);
	free(capture);
}

struct result *play_scenario(const struct play_options *options)
{
	struct play_state state = { .start_wall_us = wall_us() };
	struct play play = { .options = options, .result = result_new(), .state = &state };
	char why[RIG_WHY];

	if (!play.result || !describe(play.result, options))
		goto out_of_memory;
	if (play_obstacle(options, why)) {
		play.result->verdict = VERDICT_SKIPPED;
		set_text(&play.result->message, why);
		return play.result;
	}
	state.files = files_new(object_value(options->scenario->top, "files"), options->folder);
	if (!state.files)
		goto out_of_memory;
	play_steps(&play);
	play.result->wall_us = wall_us() - state.start_wall_us;
	for (size_t i = 0; i < state.call_count; i++) {
		free(state.calls[i].output);
		free(state.calls[i].parts);
	}
	free(state.calls);
	snapshots_free(state.snapshots);
	files_free(state.files);
	return play.result;
out_of_memory:
	result_free(play.result);
	return NULL;
}
