// SPDX-License-Identifier: GPL-2.0-or-later
/* What went wrong, in words: the same in all reports. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "results.h"
#include "text.h"

#define REQUESTS_SHOWN 8
#define LINES_SHOWN 12 /* of what a tool wrote */

const struct result_step *result_failed_step(const struct result *r)
{
	for (size_t i = 0; i < r->step_count; i++)
		if (verdict_is_bad(r->steps[i].verdict))
			return &r->steps[i];
	return NULL;
}

char *result_place(const struct result *r)
{
	const struct result_step *step = result_failed_step(r);

	if (step && step->file && step->line)
		return text_format("%s:%u:%u", step->file, step->line, step->column);
	return r->line ? text_format("%s:%u", r->file, r->line) : strdup(r->file);
}

/* "INDENT  LABEL: TEXT"; further lines under the first. label NULL: none. */
static void labelled(FILE *out, const char *indent, const char *label, const char *text)
{
	char *clean = text ? text_clean(text) : NULL, *line = clean, *end;
	size_t length = clean ? strlen(clean) : 0;
	int width = label ? strlen(label) < 10 ? 10 : (int)strlen(label) + 1 : 0;

	if (!clean)
		return;
	while (length && clean[length - 1] == '\n')
		clean[--length] = 0;
	fprintf(out, "%s  %-*s", indent, width, label ? label : "");
	while ((end = strchr(line, '\n'))) {
		fprintf(out, "%.*s\n%s  %-*s", (int)(end - line), line, indent, width, "");
		line = end + 1;
	}
	fprintf(out, "%s\n", line);
	free(clean);
}

/* What a tool wrote, its last lines, each behind a bar so that nobody takes it for ours. */
static void quoted(FILE *out, const char *indent, const char *label, const char *text)
{
	const char *tail = text ? text_tail(text, LINES_SHOWN) : "", *end;

	if (!*tail)
		return;
	fprintf(out, "%s  %s%s\n", indent, label, tail > text ? " (its end)" : "");
	for (const char *line = tail; *line; line = *end ? end + 1 : end) {
		const char *last, *p;
		char *raw, *clean;

		end = line + strcspn(line, "\n");
		/* Of a progress bar that is drawn anew behind each carriage return: the last. */
		last = end > line && end[-1] == '\r' ? end - 1 : end;
		for (p = last; p > line && p[-1] != '\r';)
			p--;
		raw = strndup(p, (size_t)(last - p));
		clean = raw ? text_clean(raw) : NULL;
		fprintf(out, "%s  | %s\n", indent, clean ? clean : "");
		free(raw);
		free(clean);
	}
}

static void requests(FILE *out, const char *indent, const struct result *r, const struct result_step *step)
{
	size_t first = 0, end = r->exchange_count;

	/* Of the step, or if it had none those before it. */
	if (step && step->first_exchange + step->exchange_count < end)
		end = step->first_exchange + step->exchange_count;
	if (step && step->exchange_count && step->first_exchange < end)
		first = step->first_exchange;
	if (end - first > REQUESTS_SHOWN)
		first = end - REQUESTS_SHOWN;
	if (first == end)
		return;
	fprintf(out, "%s  last requests:\n", indent);
	for (size_t i = first; i < end; i++) {
		const struct result_exchange *e = &r->exchanges[i];
		char *clean = text_clean(e->text ? e->text : "");

		fprintf(out, "%s    %9.3f s  #%zu ", indent, (double)e->start_us / 1e6, i);
		if (e->board > 1)
			fprintf(out, "board %u: ", e->board);
		fprintf(out, "%s\n", clean ? clean : "");
		free(clean);
	}
}

void result_warnings(FILE *out, const struct result *r, const char *indent)
{
	for (size_t i = 0; i < r->step_count; i++) {
		char *clean = r->steps[i].warnings ? text_clean(r->steps[i].warnings) : NULL, *rest = NULL;

		for (char *line = clean ? strtok_r(clean, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
			fprintf(out, "%swarning: %s [step %zu]\n", indent, line, i + 1);
		free(clean);
	}
}

void result_findings(FILE *out, const struct result *r, const char *indent)
{
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct result_finding *f = &r->findings[i];
		char *clean = text_clean(f->text && *f->text ? f->text : f->summary ? f->summary : "");

		fprintf(out, "%s%s: %s [%s]", indent, f->severity ? f->severity : "finding", clean ? clean : "",
			f->rule ? f->rule : "");
		if (f->exchange >= 0)
			fprintf(out, ", request #%ld", f->exchange);
		if (f->times > 1)
			fprintf(out, ", %u times", f->times);
		fputc('\n', out);
		free(clean);
	}
}

void result_explain(FILE *out, const struct result *r, const char *indent)
{
	const struct result_step *step = result_failed_step(r);
	char *place = result_place(r), *deeper = text_format("%s  ", indent);
	char *text = step && step->text ? text_clean(step->text) : NULL;

	fprintf(out, "%s%s: %s\n", indent, place ? place : r->file, text ? text : r->name);
	labelled(out, indent, NULL, step && step->message ? step->message : r->message);
	if (step && step->message && r->message && !strstr(r->message, step->message))
		labelled(out, indent, NULL, r->message);
	if (step) {
		labelled(out, indent, "expected:", step->expected);
		labelled(out, indent, "got:", step->got);
		labelled(out, indent, "application:", step->application);
		labelled(out, indent, "command:", step->command);
		quoted(out, indent, "stdout:", step->output);
		quoted(out, indent, "stderr:", step->error);
	}
	requests(out, indent, r, step);
	if (deeper) {
		result_warnings(out, r, deeper);
		result_findings(out, r, deeper);
	}
	if (r->capture)
		labelled(out, indent, "capture:", r->capture);
	free(place);
	free(deeper);
	free(text);
}
