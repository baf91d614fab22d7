// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said when all has run. */
#include "console_summary.h"
#include <stdlib.h>
#include <string.h>
#include "text.h"

struct look {
	const char *word, *colour, *sum; /* in the sums: "3 failed" */
};

static const struct look looks[RESULTS_VERDICTS] = {
	[VERDICT_PASSED] = { "ok", "\033[32m", "passed" },
	[VERDICT_FAILED] = { "FAIL", "\033[1;31m", "failed" },
	[VERDICT_SKIPPED] = { "skip", "\033[33m", "skipped" },
	[VERDICT_EXPECTED_FAILURE] = { "xfail", "\033[36m", "failed as expected" },
	[VERDICT_UNEXPECTED_PASS] = { "XPASS", "\033[1;31m", "passed unexpectedly" },
	[VERDICT_ERROR] = { "ERROR", "\033[1;35m", "with errors" },
};

static void put_word(FILE *out, enum verdict verdict, bool colour, int width)
{
	const struct look *look = &looks[verdict];

	fprintf(out, "%s%-*s%s", colour ? look->colour : "", width, look->word, colour ? "\033[0m" : "");
}

void console_word(FILE *out, enum verdict verdict, bool colour)
{
	put_word(out, verdict, colour, 5);
}

/* The worst of the repeats decides. */
static int worse(enum verdict verdict)
{
	static const int rank[RESULTS_VERDICTS] = {
		[VERDICT_SKIPPED] = 0,         [VERDICT_PASSED] = 1, [VERDICT_EXPECTED_FAILURE] = 2,
		[VERDICT_UNEXPECTED_PASS] = 3, [VERDICT_FAILED] = 4, [VERDICT_ERROR] = 5,
	};

	return rank[verdict];
}

static int column_width(const char *tool)
{
	return strlen(tool) < 7 ? 7 : (int)strlen(tool);
}

/* One cell: the results of a scenario, from index i on, with a tool. */
static void cell(FILE *out, const struct results *r, size_t first, size_t end, const char *tool, bool colour, bool last)
{
	int width;

	const struct result *worst = NULL;
	unsigned bad = 0, count = 0;
	char note[32] = "";

	for (size_t i = first; i < end; i++) {
		if (strcmp(r->list[i]->tool, tool) != 0)
			continue;
		count++;
		bad += verdict_is_bad(r->list[i]->verdict);
		if (!worst || worse(r->list[i]->verdict) > worse(worst->verdict))
			worst = r->list[i];
	}
	if (bad && count > 1)
		snprintf(note, sizeof(note), " %u/%u", bad, count);
	if (worst)
		put_word(out, worst->verdict, colour, 0);
	else
		fputc('-', out);
	width = last ? 0 : column_width(tool) - (int)(worst ? strlen(looks[worst->verdict].word) : 1);
	fprintf(out, "%-*s%s", width, note, last ? "" : "  ");
}

static void matrix(FILE *out, const struct results *r, const struct report_plan *plan)
{
	size_t width = 8, end;

	for (size_t i = 0; i < r->count; i++)
		if (strlen(r->list[i]->id) > width)
			width = strlen(r->list[i]->id);
	fprintf(out, "\n%-*s", (int)width, "");
	for (size_t t = 0; plan->tools[t]; t++)
		fprintf(out, "  %-*s", plan->tools[t + 1] ? column_width(plan->tools[t]) : 0, plan->tools[t]);
	fputc('\n', out);
	for (size_t i = 0; i < r->count; i = end) {
		for (end = i; end < r->count && !strcmp(r->list[end]->id, r->list[i]->id);)
			end++;
		fprintf(out, "%-*s  ", (int)width, r->list[i]->id);
		for (size_t t = 0; plan->tools[t]; t++)
			cell(out, r, i, end, plan->tools[t], plan->colour, !plan->tools[t + 1]);
		fputc('\n', out);
	}
}

/* A finding of the tool under test: a scripted host's are none of its doing. */
static bool is_of_tool(const struct result *r, size_t finding)
{
	const struct result_finding *f = &r->findings[finding];
	const char *step = f->step < r->step_count ? r->steps[f->step].text : NULL;

	return f->rule && f->severity && f->summary && (!step || strncmp(step, "host ", 5) != 0);
}

static bool has(const struct result *r, const char *rule)
{
	for (size_t i = 0; i < r->finding_count; i++)
		if (is_of_tool(r, i) && !strcmp(r->findings[i].rule, rule))
			return true;
	return false;
}

/* Has the rule been told for that tool before result `index`, or before its finding `number`? */
static bool seen_before(const struct results *r, size_t index, size_t number, const char *rule)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(r->list[i]->tool, r->list[index]->tool) && has(r->list[i], rule))
			return true;
	for (size_t i = 0; i < number; i++)
		if (is_of_tool(r->list[index], i) && !strcmp(r->list[index]->findings[i].rule, rule))
			return true;
	return false;
}

static size_t times(const struct results *r, const char *tool, const char *rule)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += !strcmp(r->list[i]->tool, tool) && has(r->list[i], rule);
	return n;
}

static void findings_of(FILE *out, const struct results *r, const char *tool)
{
	bool any = false;

	for (size_t i = 0; i < r->count; i++) {
		const struct result *result = r->list[i];

		for (size_t f = 0; f < result->finding_count && !strcmp(result->tool, tool); f++) {
			const struct result_finding *finding = &result->findings[f];
			size_t n;

			if (!is_of_tool(result, f) || seen_before(r, i, f, finding->rule))
				continue;
			if (!any)
				fprintf(out, "\nwhat %s does that a good host does not (dfuhil rules tells more):\n",
					tool);
			any = true;
			n = times(r, tool, finding->rule);
			fprintf(out, "  %s: %s [%s], first in %s", finding->severity, finding->summary, finding->rule,
				result->id);
			if (n > 1)
				fprintf(out, " and %zu more", n - 1);
			fputc('\n', out);
		}
	}
}

static void list_bad(FILE *out, const struct results *r, bool colour)
{
	bool any = false;

	for (size_t i = 0; i < r->count; i++) {
		const struct result *result = r->list[i];
		char *place, *message;

		if (!verdict_is_bad(result->verdict))
			continue;
		if (!any)
			fputc('\n', out);
		any = true;
		place = result_place(result);
		message = text_clean(result->message ? result->message : "");
		console_word(out, result->verdict, colour);
		fprintf(out, " %s (%s", result->id, result->tool);
		if (result->repeat > 1)
			fprintf(out, ", repeat %u", result->repeat);
		fprintf(out, "): %s: %.*s\n", place ? place : result->file, message ? (int)strcspn(message, "\n") : 0,
			message ? message : "");
		free(place);
		free(message);
	}
}

/* What fails now and then, when scenarios are repeated. */
static void flaky(FILE *out, const struct results *r)
{
	size_t end;

	for (size_t i = 0; i < r->count; i = end) {
		unsigned bad = 0;

		for (end = i; end < r->count && !strcmp(r->list[end]->id, r->list[i]->id) &&
			      !strcmp(r->list[end]->tool, r->list[i]->tool);
		     end++)
			bad += verdict_is_bad(r->list[end]->verdict);
		if (bad && bad < end - i)
			fprintf(out, "fails now and then: %s (%s), %u times of %zu\n", r->list[i]->id, r->list[i]->tool,
				bad, end - i);
	}
}

/* What boards did where their profiles are not sure. */
static void measured(FILE *out, const struct results *r)
{
	size_t differ = 0, count = 0;

	for (size_t i = 0; i < r->count; i++) {
		const struct result *result = r->list[i];

		for (size_t m = 0; m < result->measurement_count; m++) {
			const struct result_measurement *x = &result->measurements[m];

			if (!count++)
				fputs("\nmeasured, for fields of the profile that rest on an assumption:\n", out);
			differ += !x->same;
			fprintf(out, "  %-4s %s = %s", x->unknown, x->field, x->value ? x->value : x->got);
			if (x->value && strcmp(x->value, x->got) != 0)
				fprintf(out, " (%s)", x->got);
			if (!x->value)
				fprintf(out, ": none of the known answers; the profile has %s", x->modelled);
			else if (x->same)
				fputs(", as modelled", out);
			else
				fprintf(out, ": CHANGE it, the profile has %s", x->modelled);
			fputc('\n', out);
		}
	}
	if (count)
		fprintf(out, "%zu of %zu are not as modelled\n", differ, count);
}

static void sums(FILE *out, const struct results *r, const struct report_plan *plan, bool interrupted, double seconds)
{
	size_t counts[RESULTS_VERDICTS];
	const char *comma = "";

	results_count(r, NULL, counts);
	fputc('\n', out);
	if (interrupted)
		fprintf(out, "interrupted: ");
	if (r->count < plan->jobs)
		fprintf(out, "%zu of %zu ran: ", r->count, plan->jobs);
	for (unsigned i = 0; i < RESULTS_VERDICTS; i++) {
		if (!counts[i] && i != VERDICT_PASSED && i != VERDICT_FAILED)
			continue;
		fprintf(out, "%s%zu %s", comma, counts[i], looks[i].sum);
		comma = ", ";
	}
	fprintf(out, "; %.1f s", seconds);
	if (plan->time)
		fprintf(out, ", %s time", plan->time);
	fprintf(out, ", seed %llu\n", (unsigned long long)plan->seed);
}

void console_summary(FILE *out, const struct results *r, const struct report_plan *plan, bool interrupted,
		     double seconds)
{
	if (plan->tools[0] && plan->tools[1] && r->count)
		matrix(out, r, plan);
	for (size_t t = 0; plan->tools[t] && !plan->quiet; t++)
		findings_of(out, r, plan->tools[t]);
	if (!plan->quiet && r->count > 1)
		list_bad(out, r, plan->colour);
	flaky(out, r);
	measured(out, r);
	sums(out, r, plan, interrupted, seconds);
}
