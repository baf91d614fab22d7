// SPDX-License-Identifier: GPL-2.0-or-later
/* Verb: what the board does where its profile is not sure. No verdict: what was found goes into the result. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "verbs.h"

#define OTHER "other" /* among answers: whatever is not there */
#define SHOWN_BYTES 16

static const char *const occurrences[] = { "first", "last", NULL };
static const char *const readings[] = { "outcome", "state", "status", "poll", "length", "bytes", "taken", NULL };
enum reading { READ_OUTCOME, READ_STATE, READ_STATUS, READ_POLL, READ_LENGTH, READ_BYTES, READ_TAKEN };

const struct field measure_fields[] = {
	{ .name = "unknown", .type = FIELD_TEXT, .required = true, .help = "row of the list of unknowns: U21" },
	{ .name = "field", .type = FIELD_TEXT, .required = true, .help = "of the profile" },
	{ .name = "request", .type = FIELD_PATTERN, .required = true, .help = "which request" },
	{ .name = "occurrence",
	  .type = FIELD_CHOICE,
	  .choices = occurrences,
	  .help = "first or last of them; last without it" },
	{ .name = "reads",
	  .type = FIELD_CHOICE,
	  .required = true,
	  .choices = readings,
	  .help = "outcome, state, status, poll, length, bytes or taken" },
	{ .name = "answers", .type = FIELD_MAP, .help = "what is read: the value of the field that it means" },
	{ .name = "modelled", .type = FIELD_TEXT, .required = true, .help = "the value that the profile has" },
	{ .name = "within", .type = FIELD_NUMBER, .help = "so many percent more or less are as modelled, too" },
	FIELD_OF,
	{ .type = FIELD_END },
};

static const char *value_of(const struct object *o, const char *got)
{
	const struct value *answers = object_value(o, "answers");

	if (!answers->given)
		return got;
	for (size_t i = 0; i < answers->count; i++)
		if (!strcmp(answers->list[i].key, got))
			return answers->list[i].text;
	for (size_t i = 0; i < answers->count; i++)
		if (!strcmp(answers->list[i].key, OTHER))
			return answers->list[i].text;
	return NULL;
}

void check_measure(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	const struct value *answers = object_value(step->arguments, "answers");
	const char *modelled = object_text(step->arguments, "modelled", "");
	bool found = !answers->given;

	(void)needs;
	for (size_t i = 0; i < answers->count; i++)
		found |= answers->list[i].text && !strcmp(answers->list[i].text, modelled);
	if (!found)
		STEP_WRONG(step, problems, "'modelled' of 'measure' is '%.60s', which is none of its 'answers'",
			   modelled);
	if (!requests_tool_before(step, s))
		STEP_WRONG(step, problems, "no step before this runs a tool; 'of: scenario' means all since the start");
}

static const char *outcome_of(const struct exchange *e)
{
	static const char *const names[] = { [USB_ACK] = "ACK",
					     [USB_STALL] = "STALL",
					     [USB_SILENT] = "SILENT",
					     [USB_CANCELLED] = "CANCELLED",
					     [USB_GONE] = "GONE" };

	return e->complete ? names[e->result] : "SILENT";
}

/* False: the request has no such thing. */
static bool read_it(const struct exchange *e, enum reading reading, char text[64])
{
	switch (reading) {
	case READ_OUTCOME:
		snprintf(text, 64, "%s", outcome_of(e));
		return true;
	case READ_STATE:
		snprintf(text, 64, "%s", dfu_state_name(e->reply_state));
		return e->has_reply;
	case READ_STATUS:
		snprintf(text, 64, "%s", dfu_status_name(e->status));
		return e->has_reply && e->op == OP_GETSTATUS;
	case READ_POLL:
		snprintf(text, 64, "%" PRIu32, e->poll_ms);
		return e->has_reply && e->op == OP_GETSTATUS;
	case READ_LENGTH:
		snprintf(text, 64, "%zu", e->actual);
		return true;
	case READ_BYTES:
		*text = 0;
		for (size_t i = 0; i < e->length && i < SHOWN_BYTES; i++)
			snprintf(text + 2 * i, 64 - 2 * i, "%02x", e->data[i]);
		return true;
	case READ_TAKEN:
		snprintf(text, 64, "%" PRIu64, (e->end_us - e->start_us + 500) / 1000);
		return e->complete;
	}
	return false;
}

static bool is_close(const char *value, const char *modelled, uint64_t percent)
{
	char *end, *model_end;
	double v = strtod(value, &end), m = strtod(modelled, &model_end);

	if (!strcmp(value, modelled))
		return true;
	return percent && *value && *modelled && !*end && !*model_end && v >= m - m * (double)percent / 100 &&
	       v <= m + m * (double)percent / 100;
}

static bool keep(struct result *r, const struct object *o, const char *got)
{
	const char *value = value_of(o, got), *modelled = object_text(o, "modelled", "");
	struct result_measurement *more = realloc(r->measurements,
						  (r->measurement_count + 1) * sizeof(*r->measurements));
	struct result_measurement *m;

	if (!more)
		return false;
	r->measurements = more;
	m = &more[r->measurement_count++];
	*m = (struct result_measurement){
		.unknown = strdup(object_text(o, "unknown", "")),
		.field = strdup(object_text(o, "field", "")),
		.got = strdup(got),
		.value = value ? strdup(value) : NULL,
		.modelled = strdup(modelled),
		.same = value && is_close(value, modelled, object_number(o, "within", 0)),
	};
	return m->unknown && m->field && m->got && (!value || m->value) && m->modelled;
}

enum play_outcome run_measure(struct play *play, const struct step *step)
{
	const struct object *o = step->arguments;
	const char *pattern = object_text(o, "request", "");
	bool first = object_number(o, "occurrence", 1) == 0;
	const struct exchange *e, *found = NULL;
	enum reading reading = (enum reading)object_number(o, "reads", 0);
	struct requests_part part;
	char got[64], said[300];
	size_t at;

	if (!requests_of(play, step, &part))
		return PLAY_ERROR;
	for (at = part.first; !(first && found) && (e = requests_find(play, &part, pattern, &at));)
		found = e;
	if (play->step->verdict == VERDICT_ERROR)
		return PLAY_ERROR;
	if (!found)
		return play_fail(play, pattern, NULL, "nothing to measure: no request is '%s' (%zu were made)", pattern,
				 part.end - part.first);
	if (!read_it(found, reading, got))
		return play_fail(play, readings[reading], exchange_text(found, said, sizeof(said)),
				 "nothing to measure: %s has no %s", exchange_text(found, said, sizeof(said)),
				 readings[reading]);
	return keep(play->result, o, got) ? PLAY_OK : play_error(play, "out of memory");
}
