// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs: verdicts on what was said on the bus. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pattern.h"
#include "verbs.h"

const char *const requests_whole[] = { "tool", "scenario", NULL };
static const char *const severities[] = { "note", "warning", NULL }; /* worse than an error is nothing */

static const struct field count_fields[] = {
	{ .name = "pattern", .type = FIELD_PATTERN, .required = true, .help = "which requests" },
	{ .name = "exactly", .type = FIELD_NUMBER, .help = "so many" },
	{ .name = "at-least", .type = FIELD_NUMBER, .help = "so many or more" },
	{ .name = "at-most", .type = FIELD_NUMBER, .help = "so many or less" },
	{ .type = FIELD_END },
};
const struct field requests_fields[] = {
	{ .name = "contains",
	  .type = FIELD_PATTERN,
	  .many = true,
	  .filled = true,
	  .help = "these, in this order; others may be between" },
	{ .name = "absent", .type = FIELD_PATTERN, .many = true, .filled = true, .help = "none of these" },
	{ .name = "first", .type = FIELD_PATTERN, .help = "the first DFU request" },
	{ .name = "last", .type = FIELD_PATTERN, .help = "the last DFU request" },
	{ .name = "count",
	  .type = FIELD_OBJECT,
	  .many = true,
	  .filled = true,
	  .fields = count_fields,
	  .help = "how many of a kind" },
	FIELD_OF,
	{ .type = FIELD_END },
};
const struct field findings_fields[] = {
	{ .name = "has", .type = FIELD_RULE, .many = true, .filled = true, .help = "these rules were broken" },
	{ .name = "none", .type = FIELD_RULE, .many = true, .filled = true, .help = "these rules were kept" },
	{ .name = "at-most",
	  .type = FIELD_CHOICE,
	  .choices = severities,
	  .help = "nothing worse than note or warning" },
	FIELD_OF,
	{ .type = FIELD_END },
};

bool requests_tool_before(const struct step *step, const struct scenario *s)
{
	return tool_before(step, s) || object_number(step->arguments, "of", 0) == 1;
}

void check_requests(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	static const char *const verdicts[] = { "contains", "absent", "first", "last", "count", NULL };
	static const char *const limits[] = { "exactly", "at-least", "at-most", NULL };
	const struct value *count = object_value(step->arguments, "count");

	(void)needs;
	if (!given_of(step->arguments, verdicts))
		STEP_WRONG(step, problems, "step 'requests' needs contains, absent, first, last or count");
	for (size_t i = 0; i < count->count; i++)
		if (count->list[i].object && !given_of(count->list[i].object, limits))
			STEP_WRONG(step, problems, "'count' of 'requests' needs exactly, at-least or at-most");
	if (!requests_tool_before(step, s))
		STEP_WRONG(step, problems, "no step before this runs a tool; 'of: scenario' means all since the start");
}

bool requests_of(struct play *play, const struct step *step, struct requests_part *p)
{
	p->transcript = play->rig->ops->transcript(play->rig);
	p->first = 0;
	p->end = p->transcript->count;
	if (p->transcript->damage) {
		play_error(play, "the capture cannot be read: %s", p->transcript->damage);
		return false;
	}
	if (object_number(step->arguments, "of", 0) == 1)
		return true;
	if (!play->state->call_count) {
		play_error(play, "no tool has run yet");
		return false;
	}
	p->first = play->state->calls[play->state->call_count - 1].rules.first;
	p->end = p->first + play->state->calls[play->state->call_count - 1].rules.count;
	return true;
}

static const char *said(const struct exchange *e, char out[300])
{
	return e ? exchange_text(e, out, 300) : "no DFU request at all";
}

static struct pattern *parse(struct play *play, const char *text)
{
	char why[PATTERN_WHY];
	size_t column;
	struct pattern *p = pattern_parse(text, &column, why);

	if (!p)
		play_error(play, "pattern '%s': %s", text, why);
	return p;
}

const struct exchange *requests_find(struct play *play, const struct requests_part *part, const char *text, size_t *at)
{
	struct pattern *p = parse(play, text);
	const struct exchange *found = NULL;

	while (p && !found && *at < part->end) {
		const struct exchange *e = &part->transcript->exchanges[(*at)++];

		if (pattern_matches(p, e))
			found = e;
	}
	pattern_free(p);
	return found;
}

static bool broken(const struct play *play)
{
	return play->step->verdict == VERDICT_ERROR;
}

static enum play_outcome check_contains(struct play *play, const struct requests_part *part, const struct value *list)
{
	size_t at = part->first;
	const struct exchange *before = NULL;
	char text[300];

	for (size_t i = 0; i < list->count; i++) {
		const struct exchange *e = requests_find(play, part, list->list[i].text, &at);

		if (!e && broken(play))
			return PLAY_ERROR;
		if (!e && !before)
			return play_fail(play, list->list[i].text, NULL, "no request is '%s' (%zu were made)",
					 list->list[i].text, part->end - part->first);
		if (!e)
			return play_fail(play, list->list[i].text, said(before, text), "no request after %s is '%s'",
					 said(before, text), list->list[i].text);
		before = e;
	}
	return PLAY_OK;
}

static enum play_outcome check_absent(struct play *play, const struct requests_part *part, const struct value *list)
{
	char text[300];

	for (size_t i = 0; i < list->count; i++) {
		size_t at = part->first;
		const struct exchange *e = requests_find(play, part, list->list[i].text, &at);

		if (e)
			return play_fail(play, NULL, said(e, text), "%s is '%s', which must not be there",
					 said(e, text), list->list[i].text);
		if (broken(play))
			return PLAY_ERROR;
	}
	return PLAY_OK;
}

static enum play_outcome check_end(struct play *play, const struct requests_part *part, const char *text, bool first)
{
	const struct exchange *at = NULL;
	struct pattern *p;
	char got[300];
	bool match;

	if (!text)
		return PLAY_OK;
	for (size_t i = part->first; i < part->end && !(first && at); i++)
		if (part->transcript->exchanges[i].op != OP_NONE)
			at = &part->transcript->exchanges[i];
	p = parse(play, text);
	if (!p)
		return PLAY_ERROR;
	match = at && pattern_matches(p, at);
	pattern_free(p);
	return match ? PLAY_OK
		     : play_fail(play, text, said(at, got), "the %s DFU request: expected '%s', got %s",
				 first ? "first" : "last", text, said(at, got));
}

static enum play_outcome check_count(struct play *play, const struct requests_part *part, const struct object *o)
{
	const char *text = object_text(o, "pattern", "");
	uint64_t count = 0, least = object_number(o, "at-least", 0), most = object_number(o, "at-most", UINT64_MAX);
	char want[80], got[32];
	size_t used = 0;

	for (size_t at = part->first; requests_find(play, part, text, &at);)
		count++;
	if (broken(play))
		return PLAY_ERROR;
	if (object_given(o, "exactly"))
		least = most = object_number(o, "exactly", 0);
	if (count >= least && count <= most)
		return PLAY_OK;
	if (least == most)
		snprintf(want, sizeof(want), "%llu", (unsigned long long)least);
	else
		used = (size_t)snprintf(want, sizeof(want), "at least %llu", (unsigned long long)least);
	if (used && most != UINT64_MAX)
		snprintf(want + used, sizeof(want) - used, " and at most %llu", (unsigned long long)most);
	snprintf(got, sizeof(got), "%llu", (unsigned long long)count);
	return play_fail(play, want, got, "requests that are '%s': expected %s, got %s", text, want, got);
}

enum play_outcome run_requests(struct play *play, const struct step *step)
{
	const struct object *o = step->arguments;
	const struct value *count = object_value(o, "count");
	enum play_outcome r;
	struct requests_part part;

	if (!requests_of(play, step, &part))
		return PLAY_ERROR;
	r = check_end(play, &part, object_text(o, "first", NULL), true);
	if (!r)
		r = check_contains(play, &part, object_value(o, "contains"));
	if (!r)
		r = check_absent(play, &part, object_value(o, "absent"));
	for (size_t i = 0; i < count->count && !r; i++)
		r = check_count(play, &part, count->list[i].object);
	return r ? r : check_end(play, &part, object_text(o, "last", NULL), false);
}

/* --- findings --- */

void check_findings(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	static const char *const verdicts[] = { "has", "none", "at-most", NULL };

	(void)needs;
	if (!given_of(step->arguments, verdicts))
		STEP_WRONG(step, problems, "step 'findings' needs has, none or at-most");
	if (!requests_tool_before(step, s))
		STEP_WRONG(step, problems, "no step before this runs a tool");
}

static const struct finding *find_rule(const struct finding *f, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(f[i].rule->id, id))
			return &f[i];
	return NULL;
}

static enum play_outcome judge(struct play *play, const struct object *o, const struct finding *f, size_t count)
{
	const struct value *has = object_value(o, "has"), *none = object_value(o, "none");

	for (size_t i = 0; i < has->count; i++)
		if (!find_rule(f, count, has->list[i].text))
			return play_fail(play, has->list[i].text, NULL, "rule '%s' was kept, expected a finding",
					 has->list[i].text);
	for (size_t i = 0; i < none->count; i++) {
		const struct finding *found = find_rule(f, count, none->list[i].text);

		if (found)
			return play_fail(play, NULL, found->text, "rule '%s' was broken: %s", found->rule->id,
					 found->text);
	}
	for (size_t i = 0; i < count && object_given(o, "at-most"); i++)
		if ((uint64_t)f[i].rule->severity > object_number(o, "at-most", 0))
			return play_fail(play, severities[object_number(o, "at-most", 0)],
					 severity_name(f[i].rule->severity), "rule '%s' was broken (%s): %s",
					 f[i].rule->id, severity_name(f[i].rule->severity), f[i].text);
	return PLAY_OK;
}

enum play_outcome run_findings(struct play *play, const struct step *step)
{
	size_t calls = play->state->call_count, count;
	bool all = object_number(step->arguments, "of", 0) == 1;
	struct finding *findings;
	enum play_outcome r;
	struct requests_part part;

	if (!requests_of(play, step, &part))
		return PLAY_ERROR;
	if (play_judge(play, all ? 0 : calls - 1, &findings, &count))
		return play_error(play, "%s", strerror(ENOMEM));
	r = judge(play, step->arguments, findings, count);
	free(findings);
	return r;
}
