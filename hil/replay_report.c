// SPDX-License-Identifier: GPL-2.0-or-later
/* What a replay found: for people, for programs, and as results for the reports that `dfuhil run` writes too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dfuse.h"
#include "replay.h"
#include "report.h"
#include "text.h"
#include "writer.h"

#define LINE_BYTES 192
#define SHOWN 20u
#define EXCHANGES_MOST 50000u

static const struct exchange *exchange_of(const struct replay *r, size_t item)
{
	return r->recording.items[item].exchange;
}

/* "data, byte 17" */
static void what(const struct difference *d, char *out, size_t size)
{
	snprintf(out, size, "%s", difference_name(d->kind));
	if (d->has_offset && d->count > 1)
		snprintf(out, size, "%s, %zu bytes, the first is number %zu", difference_name(d->kind), d->count,
			 d->offset);
	else if (d->has_offset)
		snprintf(out, size, "%s, byte %zu", difference_name(d->kind), d->offset);
}

static size_t requests_with(const struct replay *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->difference_count; i++)
		n += !i || r->differences[i].item != r->differences[i - 1].item;
	return n;
}

static size_t after_gap(const struct replay *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->difference_count; i++)
		n += r->differences[i].after_gap;
	return n;
}

/* Of a difference behind a gap, and of the gap: a clause for people. */
static const char *gap_text(const struct replay *r, char *out, size_t size)
{
	if (r->gap > 1)
		snprintf(out, size, "may follow from what the recording lacks before packet %llu",
			 (unsigned long long)r->gap);
	else
		snprintf(out, size, "may follow from what the recording lacks, and nobody knows where");
	return out;
}

static void prepared_text(const struct replay *r, unsigned board, char *out, size_t size)
{
	if (r->prepared[board] == SIZE_MAX)
		snprintf(out, size, "with the contents of a file");
	else if (r->prepared[board])
		snprintf(out, size, "with %zu bytes that the recording reads before it writes them",
			 r->prepared[board]);
	else
		snprintf(out, size, "blank");
	if (r->locked[board])
		snprintf(out + strlen(out), size - strlen(out), ", and protected from reading");
}

static void print_difference(const struct replay *r, const struct difference *d, FILE *f, const char *bold,
			     const char *plain)
{
	const struct recorded *i = &r->recording.items[d->item];
	const struct exchange *x = i->exchange;
	char line[LINE_BYTES], kind[LINE_BYTES];

	what(d, kind, sizeof(kind));
	fprintf(f, "\n%spacket %zu%s, %llu.%06llu s, board %u, session %u: %s: %s%s%s\n", bold, x->packet, plain,
		(unsigned long long)(x->start_us / 1000000), (unsigned long long)(x->start_us % 1000000), i->board,
		i->session, recorded_text(i, line, sizeof(line)), bold, kind, plain);
	fprintf(f, "    expected: %s\n    got:      %s\n", d->expected, d->got);
	if (d->after_gap)
		fprintf(f, "    %s\n", gap_text(r, line, sizeof(line)));
}

static void print_deviation(const struct replay *r, FILE *f)
{
	const struct exchange *x;
	char line[LINE_BYTES];

	if (r->deviant == SIZE_MAX)
		return;
	x = exchange_of(r, r->deviant);
	fprintf(f, "largest deviation of time: %.3f ms, at packet %zu (%s)%s\n", (double)r->deviation_us / 1000,
		x->packet, recorded_text(&r->recording.items[r->deviant], line, sizeof(line)),
		r->options->judge_time ? "" : "; not judged without --tolerance");
}

static size_t cut_requests(const struct replay *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->recording.count; i++)
		n += r->recording.items[i].kind == RECORDED_REQUEST && r->answered[i] &&
		     replay_is_cut(exchange_of(r, i));
	return n;
}

void replay_print(const struct replay *r, FILE *f, bool colour)
{
	const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";
	const struct recording *rec = &r->recording;
	size_t shown = 0, cut = cut_requests(r);
	char line[LINE_BYTES];

	fprintf(f, "%s: %zu requests to %u board%s in %u session%s, profile %s%s\n", r->options->path, r->requests,
		rec->boards, rec->boards == 1 ? "" : "s", rec->sessions, rec->sessions == 1 ? "" : "s",
		rec->profile->name, rec->profile_is_guess ? ", which nothing in the recording tells (--profile)" : "");
	if (rec->transcript.damage)
		fprintf(f, "the recording is damaged: %s\n", rec->transcript.damage);
	if (r->gap > 1)
		fprintf(f,
			"requests, or part of their data, may be missing before packet %llu, the first such place: "
			"differences from there on may follow from that\n",
			(unsigned long long)r->gap);
	else if (r->gap)
		fputs("requests may be missing, and nobody knows where: any difference may follow from that\n", f);
	for (unsigned b = 1; b <= rec->boards; b++) {
		prepared_text(r, b, line, sizeof(line));
		fprintf(f, "rig %s, %s time; flash of board %u before: %s\n", r->rig_name, r->time_name, b, line);
	}
	if (*r->note)
		fprintf(f, "%s\n", r->note);
	for (; shown < r->difference_count && (shown < SHOWN || r->options->verbose); shown++)
		print_difference(r, &r->differences[shown], f, bold, plain);
	if (shown < r->difference_count)
		fprintf(f, "\n... and %zu more (--verbose)\n", r->difference_count - shown);
	if (r->difference_count)
		fprintf(f, "\n%zu difference%s at %zu place%s, %zu of %zu requests sent\n", r->difference_count,
			r->difference_count == 1 ? "" : "s", requests_with(r), requests_with(r) == 1 ? "" : "s",
			r->sent, r->requests);
	if (after_gap(r))
		fprintf(f, "%zu of the difference%s %s\n", after_gap(r), r->difference_count == 1 ? "" : "s",
			gap_text(r, line, sizeof(line)));
	else
		fprintf(f, "no difference in %zu requests\n", r->sent - r->unknown);
	if (r->unknown)
		fprintf(f, "%zu more sent, of which the recording does not have the answer\n", r->unknown);
	if (cut)
		fprintf(f, "%zu of them sent shorter than then: the recording does not have all of the data\n", cut);
	print_deviation(r, f);
}

/* --- JSON --- */

static void write_difference(const struct replay *r, const struct difference *d, struct writer *w)
{
	const struct recorded *i = &r->recording.items[d->item];
	char line[LINE_BYTES];

	writer_object(w, NULL);
	writer_number(w, "packet", i->exchange->packet);
	writer_number(w, "exchange", i->exchange->number);
	writer_number(w, "time_us", i->exchange->start_us);
	writer_number(w, "board", i->board);
	writer_number(w, "session", i->session);
	writer_string(w, "request", recorded_text(i, line, sizeof(line)));
	writer_string(w, "kind", difference_name(d->kind));
	writer_string(w, "expected", d->expected);
	writer_string(w, "got", d->got);
	if (d->has_offset)
		writer_number(w, "offset", d->offset);
	if (d->count)
		writer_number(w, "count", d->count);
	if (d->after_gap)
		writer_bool(w, "after_gap", true);
	writer_end(w);
}

char *replay_json(const struct replay *r)
{
	const struct recording *rec = &r->recording;
	struct writer w;
	char *text;

	writer_init(&w, true);
	writer_number(&w, "format", 1);
	writer_string(&w, "program", "dfuhil");
	writer_string(&w, "version", DFUBENCH_VERSION);
	writer_string(&w, "file", r->options->path);
	writer_string(&w, "profile", rec->profile->name);
	writer_bool(&w, "profile_guessed", rec->profile_is_guess);
	writer_string(&w, "rig", r->rig_name);
	writer_string(&w, "time", r->time_name);
	if (rec->transcript.damage)
		writer_string(&w, "damage", rec->transcript.damage);
	if (r->gap)
		writer_number(&w, "gap", r->gap);
	if (*r->note)
		writer_string(&w, "note", r->note);
	writer_number(&w, "boards", rec->boards);
	writer_number(&w, "sessions", rec->sessions);
	writer_number(&w, "requests", r->requests);
	writer_number(&w, "sent", r->sent);
	writer_number(&w, "answers_unknown", r->unknown);
	writer_number(&w, "sent_shorter", cut_requests(r));
	if (r->deviant != SIZE_MAX) {
		writer_object(&w, "largest_deviation");
		writer_number(&w, "packet", exchange_of(r, r->deviant)->packet);
		writer_number(&w, "us", r->deviation_us);
		writer_end(&w);
	}
	writer_array(&w, "differences");
	for (size_t i = 0; i < r->difference_count; i++)
		write_difference(r, &r->differences[i], &w);
	writer_end(&w);
	writer_finish(&w);
	text = writer_failed(&w) ? NULL : strdup(w.text);
	writer_free(&w);
	return text;
}

/* --- as results: one for each session --- */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool fill_exchange(struct result_exchange *out, const struct exchange *x)
{
	char line[LINE_BYTES], *text = exchange_text(x, line, sizeof(line)), *space = strchr(text, ' ');

	out->start_us = x->start_us;
	out->end_us = x->end_us;
	out->board = x->board;
	out->text = strdup(space ? space + 1 : text);
	out->op = strdup(x->op != OP_NONE ? dfuse_op_name(x->op) : "");
	out->state = strdup(x->op != OP_NONE && x->after != DFU_STATE_UNKNOWN ? dfu_state_name(x->after) : "");
	out->outcome = strdup(x->complete && x->result == USB_ACK ? "ACK" : x->result == USB_STALL ? "STALL" : "none");
	return out->text && out->op && out->state && out->outcome;
}

static bool fill_step(struct result_step *s, const struct replay *r, const struct difference *d)
{
	const struct recorded *i = &r->recording.items[d->item];
	char line[LINE_BYTES], kind[LINE_BYTES], gap[LINE_BYTES] = "";

	what(d, kind, sizeof(kind));
	if (d->after_gap)
		gap_text(r, gap, sizeof(gap));
	s->text = text_format("packet %zu: %s", i->exchange->packet, recorded_text(i, line, sizeof(line)));
	s->file = strdup(r->options->path);
	s->verdict = VERDICT_FAILED;
	s->message = text_format("packet %zu: another %s%s%s", i->exchange->packet, kind, *gap ? "; this " : "", gap);
	s->expected = strdup(d->expected);
	s->got = strdup(d->got);
	s->start_us = i->exchange->start_us;
	s->end_us = i->exchange->end_us;
	s->exit_status = -1;
	s->exchange_count = 1;
	return s->text && s->file && s->message && s->expected && s->got;
}

static bool fill_session(struct result *out, const struct replay *r, unsigned session)
{
	const struct recording *rec = &r->recording;
	bool ok;

	out->exchanges = calloc(rec->count + 1, sizeof(*out->exchanges));
	out->steps = calloc(r->difference_count + 1, sizeof(*out->steps));
	ok = out->exchanges && out->steps;
	for (size_t i = 0; ok && i < rec->count && out->exchange_count < EXCHANGES_MOST; i++)
		if (rec->items[i].session == session)
			ok = fill_exchange(&out->exchanges[out->exchange_count++], rec->items[i].exchange);
	for (size_t i = 0, n = 0; ok && i < r->difference_count; i++) {
		const struct difference *d = &r->differences[i];

		if (rec->items[d->item].session != session)
			continue;
		for (n = 0;
		     n + 1 < out->exchange_count && out->exchanges[n].start_us < rec->items[d->item].exchange->start_us;
		     n++)
			continue;
		out->steps[out->step_count].first_exchange = n;
		ok = fill_step(&out->steps[out->step_count++], r, d);
	}
	if (!ok || out->step_count)
		return ok;
	out->steps[0] = (struct result_step){
		.text = strdup(r->unknown ? "answered as recorded, where the recording has the answer"
					  : "all was answered as recorded"),
		.file = strdup(r->options->path),
		.verdict = VERDICT_PASSED,
		.exit_status = -1,
		.exchange_count = out->exchange_count
	};
	out->step_count = 1;
	return out->steps[0].text && out->steps[0].file;
}

static struct result *session_result(const struct replay *r, unsigned session)
{
	struct result *out = result_new();
	const char *name = file_name(r->options->path);

	if (!out)
		return NULL;
	out->id = text_format("%s/session-%u", name, session);
	out->name = text_format("%s is answered as recorded, session %u", name, session);
	out->file = strdup(r->options->path);
	out->tool = strdup("recording");
	out->rig = strdup(r->rig_name);
	out->time = strdup(r->time_name);
	out->profile = strdup(r->recording.profile->name);
	out->repeat = 1;
	out->seed = r->options->seed;
	if (out->id && out->name && out->file && out->tool && out->rig && out->time && out->profile &&
	    fill_session(out, r, session)) {
		out->verdict = out->steps[0].verdict;
		if (out->verdict != VERDICT_PASSED)
			out->message = text_format("%zu difference%s; the first: %s", out->step_count,
						   out->step_count == 1 ? "" : "s", out->steps[0].message);
		return out;
	}
	result_free(out);
	return NULL;
}

static int report_all(const struct replay *r, struct report *report, char why[REPLAY_WHY])
{
	static const char *const tools[] = { "recording", NULL };
	struct report_plan plan = { .jobs = r->recording.sessions,
				    .tools = tools,
				    .rig = r->rig_name,
				    .time = r->time_name,
				    .seed = r->options->seed };
	int error = report ? report->ops->begin(report, &plan) : -ENOMEM;

	for (unsigned s = 1; s <= r->recording.sessions && !error; s++) {
		struct result *result = session_result(r, s);

		error = result ? report->ops->result(report, result) : -ENOMEM;
		result_free(result);
	}
	if (!error)
		error = report->ops->end(report, false);
	if (error)
		snprintf(why, REPLAY_WHY, "%s", report && *report->why ? report->why : strerror(-error));
	if (report)
		report->ops->free(report);
	return error;
}

int replay_reports(const struct replay *r, char why[REPLAY_WHY])
{
	int error = 0;

	if (r->options->junit)
		error = report_all(r, report_junit_new(r->options->junit), why);
	if (!error && r->options->html)
		error = report_all(r, report_html_new(r->options->html), why);
	return error;
}
