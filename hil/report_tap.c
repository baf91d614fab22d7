// SPDX-License-Identifier: GPL-2.0-or-later
/* The Test Anything Protocol, version 13: one line for each result as it comes, with a YAML block for those that failed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"
#include "results.h"
#include "text.h"

struct report_tap {
	struct report report;
	FILE *stream;
	size_t planned, told;
};

static int flush(const struct report_tap *r)
{
	if (fflush(r->stream))
		return -errno;
	return ferror(r->stream) ? -EIO : 0;
}

static int tap_begin(struct report *report, const struct report_plan *plan)
{
	struct report_tap *r = (struct report_tap *)report;

	r->planned = plan->jobs;
	fprintf(r->stream, "TAP version 13\n1..%zu%s\n", plan->jobs, plan->jobs ? "" : " # SKIP no scenario");
	return flush(r);
}

static int tap_running(struct report *report, const char *scenario, const char *tool)
{
	(void)report;
	(void)scenario;
	(void)tool;
	return 0;
}

/* In one line, with what would begin a directive escaped. */
static void put_line(FILE *stream, const char *text)
{
	char *clean = text_clean(text);

	for (const char *p = clean; p && *p; p++) {
		if (*p == '#' || *p == '\\')
			fputc('\\', stream);
		fputc(*p == '\n' ? ' ' : *p, stream);
	}
	free(clean);
}

/* A YAML scalar in double quotes */
static void put_quoted(FILE *stream, const char *key, const char *text)
{
	char *clean = text ? text_clean(text) : NULL;

	if (!clean)
		return;
	fprintf(stream, "  %s: \"", key);
	for (const char *p = clean; *p; p++) {
		if (*p == '\n')
			fputs("\\n", stream);
		else if (*p == '\t')
			fputs("\\t", stream);
		else if (*p == '"' || *p == '\\')
			fprintf(stream, "\\%c", *p);
		else
			fputc(*p, stream);
	}
	fputs("\"\n", stream);
	free(clean);
}

static void put_block(FILE *stream, const struct result *result)
{
	const struct result_step *step = result_failed_step(result);
	char *place = result_place(result), *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	fputs("  ---\n", stream);
	put_quoted(stream, "message", result->message);
	put_quoted(stream, "verdict", verdict_name(result->verdict));
	put_quoted(stream, "at", place);
	if (step) {
		put_quoted(stream, "step", step->text);
		put_quoted(stream, "expected", step->expected);
		put_quoted(stream, "got", step->got);
		put_quoted(stream, "command", step->command);
	}
	if (memory) {
		result_explain(memory, result, "");
		fclose(memory);
		fputs("  details: |\n", stream);
		for (char *line = text, *rest; (line = strtok_r(line, "\n", &rest)); line = NULL)
			fprintf(stream, "    %s\n", line);
	}
	fputs("  ...\n", stream);
	free(text);
	free(place);
}

static int tap_result(struct report *report, const struct result *result)
{
	struct report_tap *r = (struct report_tap *)report;
	bool passed = result->verdict == VERDICT_PASSED || result->verdict == VERDICT_SKIPPED;

	fprintf(r->stream, "%sok %zu - ", passed ? "" : "not ", ++r->told);
	put_line(r->stream, result->id);
	fputs(" (", r->stream);
	put_line(r->stream, result->tool);
	if (result->repeat > 1)
		fprintf(r->stream, ", repeat %u", result->repeat);
	fputs("): ", r->stream);
	put_line(r->stream, result->name);
	if (result->verdict == VERDICT_SKIPPED || result->verdict == VERDICT_EXPECTED_FAILURE) {
		fputs(result->verdict == VERDICT_SKIPPED ? " # SKIP " : " # TODO ", r->stream);
		put_line(r->stream, result->message ? result->message : "");
	}
	fputc('\n', r->stream);
	if (!passed)
		put_block(r->stream, result);
	else
		result_warnings(r->stream, result, "# ");
	return flush(r);
}

static int tap_end(struct report *report, bool interrupted)
{
	struct report_tap *r = (struct report_tap *)report;

	if (interrupted)
		fprintf(r->stream, "Bail out! interrupted after %zu of %zu\n", r->told, r->planned);
	else if (r->told < r->planned)
		fprintf(r->stream, "Bail out! ended after %zu of %zu\n", r->told, r->planned);
	return flush(r);
}

static void tap_free(struct report *report)
{
	free(report);
}

static const struct report_ops tap_ops = {
	.name = "TAP",
	.begin = tap_begin,
	.running = tap_running,
	.result = tap_result,
	.end = tap_end,
	.free = tap_free,
};

struct report *report_tap_new(FILE *stream)
{
	struct report_tap *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->report.ops = &tap_ops;
	r->stream = stream;
	return &r->report;
}
