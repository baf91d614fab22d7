// SPDX-License-Identifier: GPL-2.0-or-later
/* A play's result beyond its steps: what the rules find, the time line, and what became of the flash. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dfuse.h"
#include "play_internal.h"
#include "protection.h"
#include "verb.h"

#define EXCHANGES_MOST 50000u /* on a time line */

/* --- steps in words --- */

static void put_value(FILE *out, const struct field *f, const struct value *v, bool first)
{
	if (f->many) {
		fprintf(out, "%s ", f->name);
		for (size_t i = 0; i < v->count; i++)
			fprintf(out, "%s%s", i ? ", " : "", v->list[i].text ? v->list[i].text : "...");
		return;
	}
	switch (f->type) {
	case FIELD_BOOL:
		fprintf(out, v->flag ? "%s" : "%s no", f->name);
		return;
	case FIELD_ADDRESS:
		fprintf(out, "at 0x%08llx", (unsigned long long)v->number);
		return;
	case FIELD_OBJECT:
	case FIELD_MAP:
		fputs(f->name, out);
		return;
	default:
		/* A text of several lines is known by its first. */
		fprintf(out, first ? "%s%.*s" : "%s %.*s", first ? "" : f->name,
			v->text ? (int)strcspn(v->text, "\n") : 0, v->text ? v->text : "");
	}
}

char *step_text(const struct step *step)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	bool first = true;

	if (!out)
		return NULL;
	fputs(step->verb->name, out);
	for (unsigned i = 0; step->arguments && step->arguments->fields[i].type != FIELD_END; i++) {
		const struct field *f = &step->arguments->fields[i];
		const struct value *v = &step->arguments->values[i];

		if (!v->given)
			continue;
		fputs(first ? " " : ", ", out);
		put_value(out, f, v, step->verb->scalar && !strcmp(f->name, step->verb->scalar));
		first = false;
	}
	if (step->board)
		fprintf(out, " (board %u)", step->board);
	if (step->note)
		fprintf(out, ": %.*s", (int)strcspn(step->note, "\n"), step->note);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* --- findings --- */

int play_judge(struct play *play, size_t first, struct finding **findings, size_t *count)
{
	struct rules_call *calls;
	struct rules_input input = { .profile = play->rig->ops->profile(play->rig, 1) };
	const struct mcu_profile **boards;
	int r;

	*findings = NULL;
	*count = 0;
	if (!(play->rig->ops->can & RIG_TRANSCRIPT) || first >= play->state->call_count)
		return 0;
	while (play->rig->ops->profile(play->rig, (unsigned)input.board_count + 1))
		input.board_count++;
	calls = calloc(play->state->call_count, sizeof(*calls));
	boards = calloc(input.board_count + 1, sizeof(*boards));
	if (!calls || !boards) {
		free(calls);
		free(boards);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < input.board_count; i++)
		boards[i] = play->rig->ops->profile(play->rig, i + 1);
	input.boards = boards;
	for (size_t i = first; i < play->state->call_count; i++)
		calls[input.call_count++] = play->state->calls[i].rules;
	input.transcript = play->rig->ops->transcript(play->rig);
	input.calls = calls;
	r = rules_judge(&input, findings, count);
	free(calls);
	free(boards);
	return r;
}

static bool fill_finding(struct result_finding *out, const struct finding *f, const struct play *play)
{
	out->rule = strdup(f->rule->id);
	out->severity = strdup(severity_name(f->rule->severity));
	out->summary = strdup(f->rule->summary);
	out->explanation = strdup(f->rule->explanation);
	out->citation = strdup(f->rule->citation);
	out->text = strdup(f->text);
	out->exchange = f->exchange == SIZE_MAX ? -1 : (long)f->exchange;
	out->step = f->call < play->state->call_count ? play->state->calls[f->call].step : 0;
	out->times = f->times;
	return out->rule && out->severity && out->summary && out->explanation && out->citation && out->text;
}

static bool fill_findings(struct play *play)
{
	struct result *r = play->result;
	struct finding *findings;
	size_t count;
	bool good = !play_judge(play, 0, &findings, &count);

	r->findings = good ? calloc(count + 1, sizeof(*r->findings)) : NULL;
	good = r->findings != NULL;
	for (size_t i = 0; good && i < count; i++)
		good = fill_finding(&r->findings[r->finding_count++], &findings[i], play);
	free(findings);
	return good;
}

static bool overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
	return a < b + b_length && b < a + a_length;
}

/* Does a flash step look at some of what the call was to write? */
static bool looks_at(const struct play *play, const struct object *o, const struct rules_call *call)
{
	uint64_t from = object_number(o, "address", play->rig->ops->profile(play->rig, 1)->flash_base);
	uint64_t length = object_number(o, "length", UINT32_MAX);
	bool looks = overlap(from, length, call->wanted_address, call->wanted_length);

	/* A DfuSe file says itself where its parts are. */
	if (object_given(o, "equals") && !object_given(o, "address"))
		return true;
	for (size_t i = 0; i < call->other_count && !looks; i++)
		looks = overlap(from, length, call->others[i].address, call->others[i].length);
	return looks;
}

/* Does the scenario itself look at what that step was to write, behind it and before the next tool? */
static bool has_verdict(const struct play *play, unsigned step)
{
	const struct scenario *s = play->options->scenario;
	const struct rules_call *call = NULL;

	for (size_t i = 0; i < play->state->call_count; i++)
		if (play->state->calls[i].step == step)
			call = &play->state->calls[i].rules;
	for (size_t i = step + 1; i < s->step_count && !s->steps[i].verb->runs_tool; i++)
		if (!strcmp(s->steps[i].verb->name, "flash") && (!call || looks_at(play, s->steps[i].arguments, call)))
			return true;
	return false;
}

void judge_findings(struct play *play)
{
	struct result *r = play->result;

	for (size_t i = 0; i < r->finding_count; i++) {
		const struct result_finding *f = &r->findings[i];
		bool lie = !strcmp(f->rule, "success-but-differs") && !has_verdict(play, f->step);

		if (!lie && !(play->options->strict && !strcmp(f->severity, "error")))
			continue;
		r->verdict = VERDICT_FAILED;
		r->line = f->step < r->step_count ? r->steps[f->step].line : 0;
		free(r->message);
		if (asprintf(&r->message, "%s: %s", f->rule, f->text) < 0)
			r->message = NULL;
		return;
	}
}

/* --- time line --- */

static const char *outcome_name(const struct exchange *e)
{
	if (!e->complete)
		return "PENDING";
	switch (e->result) {
	case USB_ACK:
		return "ACK";
	case USB_STALL:
		return "STALL";
	case USB_CANCELLED:
		return "CANCELLED";
	case USB_GONE:
		return "GONE";
	default:
		return "SILENT";
	}
}

static bool fill_exchange(struct result_exchange *out, const struct exchange *e)
{
	char text[512], *body = text;

	exchange_text(e, text, sizeof(text));
	if (*body == '#') {
		body += strcspn(body, " ");
		body += *body == ' ';
	}
	out->start_us = e->start_us;
	out->end_us = e->end_us;
	out->board = e->board;
	out->text = strdup(body);
	out->op = strdup(e->op == OP_NONE ? "" : dfuse_op_name(e->op));
	out->state = strdup(e->after == DFU_STATE_UNKNOWN ? "" : dfu_state_name(e->after));
	out->outcome = strdup(outcome_name(e));
	return out->text && out->op && out->state && out->outcome;
}

static bool fill_exchanges(struct play *play)
{
	const struct transcript *t = play->rig->ops->can & RIG_TRANSCRIPT ? play->rig->ops->transcript(play->rig)
									  : NULL;
	size_t count = !t ? 0 : t->count < EXCHANGES_MOST ? t->count : EXCHANGES_MOST;
	struct result *r = play->result;

	r->exchanges = calloc(count + 1, sizeof(*r->exchanges));
	if (!r->exchanges)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!fill_exchange(&r->exchanges[r->exchange_count++], &t->exchanges[i]))
			return false;
	return true;
}

/* --- flash --- */

static void count_events(struct play *play, struct result_sector *sectors, size_t count)
{
	size_t n;
	const struct rig_event *events = play->rig->ops->events(play->rig, &n);

	for (size_t i = 0; i < n; i++) {
		const struct mcu_event *e = &events[i].event;
		uint64_t end = (uint64_t)e->address + e->length;

		if (events[i].board != 1)
			continue;
		for (size_t s = 0; s < count; s++) {
			uint64_t from = sectors[s].address, to = from + sectors[s].size;
			uint64_t low = e->address > from ? e->address : from, high = end < to ? end : to;

			if (low >= high)
				continue;
			sectors[s].erased += e->type == MCU_EVENT_ERASED;
			if (e->type == MCU_EVENT_PROGRAMMED)
				sectors[s].written += (uint32_t)(high - low);
		}
	}
}

static bool is_blank(const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (data[i] != 0xff)
			return false;
	return true;
}

static bool fill_sectors(struct play *play)
{
	struct rig *rig = play->rig;
	const struct mcu_profile *profile = rig->ops->profile(rig, 1);
	const struct snapshot *start = snapshot_find(play, SNAPSHOT_START), *end;
	struct result *r = play->result;
	size_t count = protection_sector_count(profile), at = 0;

	if ((rig->ops->can & (RIG_READ | RIG_STATE)) != (RIG_READ | RIG_STATE))
		return true;
	end = snapshot_take(play, "end");
	if (end && (!end->board[0].flash || !start->board[0].flash))
		return true;
	r->sectors = end ? calloc(count + 1, sizeof(*r->sectors)) : NULL;
	if (!r->sectors)
		return false;
	for (const struct flash_sectors *s = profile->sectors; s->count; s++)
		for (uint32_t i = 0; i < s->count && at + s->size_bytes <= profile->flash_size_bytes; i++) {
			const uint8_t *now = end->board[0].flash + at;

			r->sectors[r->sector_count] = (struct result_sector){
				.address = profile->flash_base + (uint32_t)at,
				.size = s->size_bytes,
				.is_protected = protection_covers(profile, end->board[0].options,
								  (unsigned)r->sector_count),
				.blank = is_blank(now, s->size_bytes),
				.touched = memcmp(now, start->board[0].flash + at, s->size_bytes) != 0,
			};
			r->sector_count++;
			at += s->size_bytes;
		}
	count_events(play, r->sectors, r->sector_count);
	return true;
}

bool result_fill(struct play *play)
{
	return fill_findings(play) && fill_exchanges(play) && fill_sectors(play);
}
