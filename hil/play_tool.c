// SPDX-License-Identifier: GPL-2.0-or-later
/* A play runs a tool: its command line, what came of it, and whether that is what the step expects. */
#include <errno.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include "board_fit.h"
#include "fault_rule.h"
#include "play_internal.h"
#include "rig_choice.h"
#include "tool_output.h"

#define SHOWN 400 /* of what it wrote, in a message */

/* --- the command line, for people --- */

static bool is_plain(const char *word)
{
	return *word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%")];
}

char *shell_quoted(char *const *words)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	for (size_t i = 0; words[i]; i++) {
		const char *c = words[i];

		if (i)
			fputc(' ', out);
		if (is_plain(c)) {
			fputs(c, out);
			continue;
		}
		fputc('\'', out);
		for (; *c; c++)
			fputs(*c == '\'' ? "'\\''" : (char[]){ *c, 0 }, out);
		fputc('\'', out);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* --- expectations --- */

static bool found(const char *pattern, const char *text)
{
	regex_t regex;
	bool match;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE))
		return false; /* the loader has checked it */
	match = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return match;
}

/* The end of a text, which says most. */
static const char *end_of(const char *text)
{
	size_t length = strlen(text);
	const char *from = length > SHOWN ? text + length - SHOWN : text;
	const char *line = from > text ? strchr(from, '\n') : NULL;

	return line && line[1] ? line + 1 : *text ? from : "(nothing)";
}

static enum play_outcome check_text(struct play *play, const struct object *expect, const char *field, const char *text,
				    bool wanted)
{
	const struct value *v = object_value(expect, field);

	for (size_t i = 0; v->given && i < v->count; i++) {
		const char *pattern = v->list[i].text;

		if (found(pattern, text) == wanted)
			continue;
		if (wanted)
			return play_fail(play, pattern, end_of(text), "%s has no match for /%s/",
					 strcmp(field, "output") ? field : "the output", pattern);
		return play_fail(play, NULL, end_of(text), "the output has a match for /%s/, which must not be there",
				 pattern);
	}
	return PLAY_OK;
}

/* A limit is to be read as it was written, what is left of one roughly. */
static const char *time_text(uint64_t us, char out[32])
{
	if (us % 1000)
		snprintf(out, 32, "%.1f s", (double)us / 1e6);
	else
		fault_time_format(us, out, 32);
	return out;
}

/* Times that nobody asked for to the microsecond. */
static const char *took(const struct rig_ran *ran, char out[32])
{
	uint64_t us = ran->end_us - ran->start_us;

	snprintf(out, 32, us < 1000000 ? "%.1f ms" : "%.2f s", us < 1000000 ? (double)us / 1e3 : (double)us / 1e6);
	return out;
}

static enum play_outcome check_times(struct play *play, const struct object *expect, const struct rig_ran *ran)
{
	uint64_t us = ran->end_us - ran->start_us;
	char want[32], got[32];

	if (object_given(expect, "within") && us > play_limit_us(play, object_number(expect, "within", 0)))
		return play_fail(play, time_text(object_number(expect, "within", 0), want), took(ran, got),
				 "it took %s on the board's clock, expected at most %s", got, want);
	if (object_given(expect, "at-least") && us < object_number(expect, "at-least", 0))
		return play_fail(play, time_text(object_number(expect, "at-least", 0), want), took(ran, got),
				 "it took %s on the board's clock, expected at least %s", got, want);
	return PLAY_OK;
}

static bool same_write(const struct exchange *a, const struct exchange *b)
{
	return a->board == b->board && a->setup.value == b->setup.value && a->length == b->length &&
	       !memcmp(a->data, b->data, a->length);
}

static enum play_outcome check_retries(struct play *play, const struct object *expect, const struct play_call *call)
{
	const struct transcript *t = play->rig->ops->transcript(play->rig);
	const struct exchange *last = NULL;
	uint64_t retries = 0, most = object_number(object_value(expect, "retries")->object, "at-most", UINT64_MAX);
	char got[64], want[64];

	for (size_t i = call->rules.first; i < call->rules.first + call->rules.count; i++) {
		const struct exchange *e = &t->exchanges[i];

		if (e->op != OP_WRITE)
			continue;
		retries += last && same_write(last, e);
		last = e;
	}
	if (retries <= most)
		return PLAY_OK;
	snprintf(got, sizeof(got), "%llu", (unsigned long long)retries);
	snprintf(want, sizeof(want), "at most %llu", (unsigned long long)most);
	return play_fail(play, want, got, "%s blocks were sent again, expected %s", got, want);
}

/* "exit status 74 (input/output error)", "signal 11 (Segmentation fault)" */
static void end_text(const struct rig_ran *ran, const char *meaning, char *out, size_t size)
{
	if (WIFSIGNALED(ran->status))
		snprintf(out, size, "signal %d (%s)", WTERMSIG(ran->status), strsignal(WTERMSIG(ran->status)));
	else
		snprintf(out, size, "exit status %d%s%s%s", WEXITSTATUS(ran->status), meaning ? " (" : "",
			 meaning ? meaning : "", meaning ? ")" : "");
}

static bool exit_is(const char *wanted, int status, bool succeeded)
{
	if (!strcmp(wanted, "any"))
		return true;
	if (!strcmp(wanted, "success") || !strcmp(wanted, "failure"))
		return succeeded == (wanted[0] == 's');
	return status >= 0 && strtol(wanted, NULL, 0) == status;
}

static enum play_outcome check_exit(struct play *play, const struct object *expect, const struct rig_ran *ran,
				    bool succeeded, const char *meaning, const char *error, bool interrupted)
{
	const struct value *v = expect ? object_value(expect, "exit") : NULL;
	int status = WIFEXITED(ran->status) ? WEXITSTATUS(ran->status) : 128 + WTERMSIG(ran->status);
	char got[200], want[200];
	size_t used = 0;

	if ((!v || !v->given) && interrupted)
		return PLAY_OK;
	snprintf(want, sizeof(want), "success");
	if (v && v->given) {
		for (size_t i = 0; i < v->count; i++) {
			if (exit_is(v->list[i].text, status, succeeded))
				return PLAY_OK;
			used += (size_t)snprintf(want + used, used < sizeof(want) ? sizeof(want) - used : 0, "%s%s",
						 i ? " or " : "", v->list[i].text);
		}
	} else if (succeeded) {
		return PLAY_OK;
	}
	end_text(ran, meaning, got, sizeof(got));
	return play_fail(play, want, got, "%s, expected %s; it said: %s", got, want, end_of(error));
}

/* Did it come to an end by itself, or as it was to? */
static enum play_outcome check_end(struct play *play, const struct object *expect, const struct rig_ran *ran,
				   const struct rig_run *run)
{
	bool hangs = expect && object_flag(expect, "hangs", false);
	char text[200], limit[32];

	play->state->crashed |= ran->wall_timed_out;
	if (ran->wall_timed_out)
		return play_fail(play, NULL, NULL, "it still ran after %.1f s of real time, and was killed",
				 (double)run->wall_limit_ms / 1e3);
	if (ran->timed_out)
		return hangs ? PLAY_OK
			     : play_fail(play, NULL, NULL, "it still ran after %s on the board's clock, and was killed",
					 time_text(run->limit_us, limit));
	end_text(ran, NULL, text, sizeof(text));
	if (hangs)
		return play_fail(play, "it hangs", text, "it ended after %s, expected it to hang", took(ran, limit));
	if (run->signal && !ran->signalled)
		return play_fail(play, NULL, text, "it ended (%s) before it could be interrupted", text);
	if (!WIFSIGNALED(ran->status) || (run->signal && WTERMSIG(ran->status) == run->signal))
		return PLAY_OK;
	play->state->crashed = true;
	return play_fail(play, NULL, text, "it died of %s", text);
}

static enum play_outcome check(struct play *play, const struct step *step, const struct play_job *job,
			       const struct rig_run *run, const struct rig_ran *ran, struct play_call *call,
			       const char *meaning)
{
	const struct object *expect = step->expect;
	const char *out = play->step->output ? play->step->output : "", *error = play->step->error;
	const struct value *hangs = expect ? object_value(expect, "hangs") : NULL;
	enum play_outcome r = check_end(play, expect, ran, run);

	(void)job;
	if (!error)
		error = "";
	if (!r && !(hangs && hangs->flag))
		r = check_exit(play, expect, ran, call->rules.succeeded, meaning, *error ? error : out,
			       run->signal != 0);
	if (!expect || r)
		return r;
	r = check_text(play, expect, "stdout", out, true);
	if (!r)
		r = check_text(play, expect, "stderr", error, true);
	if (!r)
		r = check_text(play, expect, "output", call->output, true);
	if (!r)
		r = check_text(play, expect, "not-output", call->output, false);
	/* What is not kept may have it. */
	if (!r && call->cut && object_given(expect, "not-output"))
		r = play_error(play, "it says too much to know that 'not-output' is not among it");
	if (!r && !ran->timed_out)
		r = check_times(play, expect, ran);
	if (!r && object_given(expect, "retries"))
		r = check_retries(play, expect, call);
	return r;
}

/* --- running --- */

/* The contents that flash is to have. False on ENOMEM. */
static bool set_wanted(struct play_call *call, const struct play_job *job)
{
	struct rules_call *c = &call->rules;
	struct dfuse_element e;
	size_t count = 0;

	if (!job->file || job->raw)
		return true;
	if (!file_is_dfuse(job->file)) {
		c->wanted = job->has_address ? job->file->data : NULL;
		c->wanted_address = job->address;
		c->wanted_length = file_payload(job->file);
		return true;
	}
	while (file_element(job->file, count, &e))
		count++;
	call->parts = calloc(count + 1, sizeof(*call->parts));
	for (size_t i = 0; call->parts && file_element(job->file, i, &e); i++) {
		if (i)
			call->parts[c->other_count++] = (struct rules_part){ e.address, e.data, e.length };
		else
			c->wanted = e.data, c->wanted_address = e.address, c->wanted_length = e.length;
	}
	c->others = call->parts;
	return call->parts != NULL;
}

static struct play_call *new_call(struct play *play)
{
	struct play_state *s = play->state;
	struct play_call *more = realloc(s->calls, (s->call_count + 1) * sizeof(*more));

	if (!more)
		return NULL;
	s->calls = more;
	more[s->call_count] = (struct play_call){ .step = (unsigned)s->step_index };
	return &more[s->call_count++];
}

static void set_interrupt(struct rig_run *run, const struct object *arguments)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGKILL };
	const struct object *o = arguments ? object_value(arguments, "interrupt")->object : NULL;

	if (!o)
		return;
	run->signal = signals[object_number(o, "signal", 0)];
	run->signal_after_us = object_number(o, "after", 0);
	run->signal_after_requests = (unsigned)object_number(o, "requests", 0);
}

/* Until the scenario's time is up, or the step's; at least 1: 0 would be no limit. */
static uint64_t limit_of(const struct play *play, const struct object *expect)
{
	uint64_t now = play->rig->ops->now_us(play->rig);
	uint64_t left = play->state->limit_us > now ? play->state->limit_us - now : 1;
	uint64_t within = expect && object_given(expect, "within")
				  ? play_limit_us(play, object_number(expect, "within", 0))
				  : left;

	return within < left ? within + 1 : left;
}

static bool succeeded(const struct play *play, const struct play_job *job, const struct rig_ran *ran,
		      const char **meaning)
{
	*meaning = NULL;
	if (!WIFEXITED(ran->status))
		return false;
	if (job->host)
		return WEXITSTATUS(ran->status) == 0;
	return tool_succeeded(play->options->tool, WEXITSTATUS(ran->status), meaning);
}

/* What has become of the tool, into the result's step and the call. False on ENOMEM. */
static bool keep(struct play *play, struct play_call *call, const struct rig_ran *ran,
		 const struct tool_output *streams)
{
	struct result_step *rs = play->step;

	rs->output = tool_output_text(streams, false);
	rs->error = tool_output_text(streams, true);
	call->cut = tool_output_cut(streams);
	rs->exit_status = WIFEXITED(ran->status) ? WEXITSTATUS(ran->status) : 128 + WTERMSIG(ran->status);
	if (!rs->output || !rs->error || asprintf(&call->output, "%s%s", rs->output, rs->error) < 0) {
		call->output = NULL;
		return false;
	}
	call->rules.output = call->output;
	return true;
}

/* The board that the tool was to work on: the one of the serial number that it was given. Where all have the same, the step's. */
static unsigned board_of(struct play *play, const struct step *step, const struct tool_call *call)
{
	struct rig_status status;
	unsigned own = play_board(step);

	if (!call->serial || !(play->rig->ops->can & RIG_STATE))
		return own;
	if (!play->rig->ops->status(play->rig, own, &status) && !strcasecmp(status.serial, call->serial))
		return own;
	for (unsigned i = 1; play->rig->ops->profile(play->rig, i); i++)
		if (!play->rig->ops->status(play->rig, i, &status) && !strcasecmp(status.serial, call->serial))
			return i;
	return own;
}

static const uint8_t *flash_in(const struct snapshot *s, unsigned board)
{
	return s && board <= s->boards ? s->board[board - 1].flash : NULL;
}

/* Messages are matched against: they are to be in English, unless the adapter knows better. The array alone is to be freed. */
static const char **environment_of(const struct play *play, const struct play_job *job)
{
	static const char *const none[] = { NULL };
	const char *const *own = job->host ? NULL : tool_environment(play->options->tool);
	const char **all;
	size_t count = 0;

	if (!own)
		own = none;
	while (own[count])
		count++;
	all = calloc(count + 2, sizeof(*all));
	if (!all)
		return NULL;
	all[0] = "LC_ALL=C";
	for (size_t i = 0, n = 1; i < count; i++)
		all[!strncmp(own[i], "LC_ALL=", 7) ? 0 : n++] = own[i];
	return all;
}

static enum play_outcome run(struct play *play, const struct step *step, struct play_job *job, char **words,
			     struct tool_output *streams)
{
	struct rig *rig = play->rig;
	unsigned board = board_of(play, step, &job->call);
	const struct snapshot *before = snapshot_take(play, SNAPSHOT_BEFORE_TOOL), *after;
	struct play_call *call = before ? new_call(play) : NULL;
	struct rig_run run = { .words = words,
			       .folder = play->options->folder,
			       .serial = job->call.serial,
			       .wrote = tool_output_wrote,
			       .warned = tool_output_warned,
			       .context = streams,
			       .limit_us = limit_of(play, step->expect),
			       .wall_limit_ms = play_wall_left_ms(play) };
	struct rig_ran ran;
	char why[RIG_WHY];
	const char *meaning, **environment;
	bool failed, at_step = step->expect && object_given(step->expect, "within");

	if (!call)
		return play_error(play, "%s", strerror(ENOMEM));
	set_interrupt(&run, job->arguments);
	environment = environment_of(play, job);
	run.environment = environment;
	erases_of_job(&job->erases, job, rig->ops->profile(rig, board));
	run.erases = job->erases.list;
	run.erase_count = job->erases.count;
	if (!environment || job->erases.no_memory) {
		free(environment);
		return play_error(play, "%s", strerror(ENOMEM));
	}
	failed = rig->ops->run(rig, &run, &ran, why) || ran.exec_failed;
	free(environment);
	if (failed)
		return play_error(play, "%s", why);
	if (ran.timed_out && at_step)
		run.limit_us--;
	after = snapshot_take(play, "after-tool");
	if (!after || !keep(play, call, &ran, streams))
		return play_error(play, "%s", strerror(ENOMEM));
	call->rules.first = before->behind;
	call->rules.count = after->exchanges - before->behind;
	call->rules.call = job->call;
	call->rules.raw = job->raw;
	call->rules.board = board;
	call->rules.before = flash_in(before, board);
	call->rules.after = flash_in(after, board);
	call->rules.ended = WIFEXITED(ran.status);
	call->rules.succeeded = succeeded(play, job, &ran, &meaning);
	if (!set_wanted(call, job))
		return play_error(play, "%s", strerror(ENOMEM));
	return check(play, step, job, &run, &ran, call, meaning);
}

bool play_may_have(struct play *play, const struct step *step, const struct file *file, const uint32_t *address)
{
	const struct board_rig *board = rig_choice_board(play->options->rig);
	char why[BOARD_FIT_WHY];

	if (!board || !board_fit_file(board, step, file, address, why))
		return true;
	play_error(play, "%s", why);
	return false;
}

enum play_outcome play_tool(struct play *play, const struct step *step, struct play_job *job)
{
	struct tool_output *streams = calloc(1, sizeof(*streams));
	char **words = job->words ? job->words : tool_words(play->options->tool, &job->call, play->options->tool_path);
	enum play_outcome r;

	if (streams && words)
		play->step->command = shell_quoted(words);
	if (streams && words && play->step->command)
		r = run(play, step, job, words, streams);
	else
		r = play_error(play, "%s", strerror(ENOMEM));
	if (!job->words && words)
		tool_words_free(words);
	if (streams)
		play->step->warnings = streams->warnings;
	free(streams);
	erases_free(&job->erases);
	return r;
}
