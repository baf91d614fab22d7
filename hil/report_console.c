// SPDX-License-Identifier: GPL-2.0-or-later
/* The report for people: each result as it comes, and at the end the matrix, the findings and the sums. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include "console_summary.h"
#include "report.h"
#include "results.h"
#include "text.h"

struct report_console {
	struct report report;
	FILE *stream;
	const struct report_plan *plan;
	struct results results;
	size_t bad;
	struct timespec started;
	bool line; /* a progress line stands on the terminal */
};

static int flush(const struct report_console *r)
{
	if (fflush(r->stream))
		return -errno;
	return ferror(r->stream) ? -EIO : 0;
}

static int console_begin(struct report *report, const struct report_plan *plan)
{
	struct report_console *r = (struct report_console *)report;

	r->plan = plan;
	clock_gettime(CLOCK_MONOTONIC, &r->started);
	return 0;
}

static void wipe(struct report_console *r)
{
	if (r->line)
		fputs("\r\033[K", r->stream);
	r->line = false;
}

static unsigned width_of(FILE *stream)
{
	struct winsize size;

	return ioctl(fileno(stream), TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;
}

static void progress(struct report_console *r, const char *scenario, const char *tool)
{
	unsigned width = width_of(r->stream);
	char *text, *clean;

	if (!r->plan->live)
		return;
	text = text_format("[%zu/%zu]%s %s (%s)", r->results.count, r->plan->jobs, r->bad ? " failures," : "", scenario,
			   tool);
	clean = text ? text_clean(text) : NULL;
	wipe(r);
	if (clean) {
		/* A line that wraps could not be wiped. */
		fprintf(r->stream, "%.*s", (int)width - 1, clean);
		r->line = true;
	}
	free(text);
	free(clean);
}

static int console_running(struct report *report, const char *scenario, const char *tool)
{
	struct report_console *r = (struct report_console *)report;

	progress(r, scenario, tool);
	return flush(r);
}

static void steps(const struct report_console *r, const struct result *result)
{
	for (size_t i = 0; i < result->step_count; i++) {
		const struct result_step *s = &result->steps[i];
		char *clean = text_clean(s->text ? s->text : "");

		console_word(r->stream, s->verdict, r->plan->colour);
		fprintf(r->stream, "  %9.3f s  %s\n", (double)s->start_us / 1e6, clean ? clean : "");
		if (s->command)
			fprintf(r->stream, "%*s$ %s\n", 22, "", s->command);
		free(clean);
	}
}

static void put_result(const struct report_console *r, const struct result *result)
{
	char *clean;

	console_word(r->stream, result->verdict, r->plan->colour);
	fprintf(r->stream, " %s", result->id);
	if (r->plan->tools[0] && r->plan->tools[1])
		fprintf(r->stream, " (%s)", result->tool);
	if (result->repeat > 1)
		fprintf(r->stream, " repeat %u", result->repeat);
	if (result->verdict == VERDICT_SKIPPED || result->verdict == VERDICT_EXPECTED_FAILURE) {
		clean = text_clean(result->message ? result->message : "");
		fprintf(r->stream, ": %s", clean ? clean : "");
		free(clean);
	}
	fputc('\n', r->stream);
	if (r->plan->verbose) {
		fprintf(r->stream, "      %s\n", result->name);
		steps(r, result);
	}
	if (verdict_is_bad(result->verdict) || (r->plan->verbose && result->verdict == VERDICT_EXPECTED_FAILURE))
		result_explain(r->stream, result, "      ");
	else
		result_warnings(r->stream, result, "      ");
	if (r->plan->verbose && !verdict_is_bad(result->verdict) && result->verdict != VERDICT_EXPECTED_FAILURE)
		result_findings(r->stream, result, "      ");
}

static int console_result(struct report *report, const struct result *result)
{
	struct report_console *r = (struct report_console *)report;
	int error = results_keep(&r->results, result);

	r->bad += verdict_is_bad(result->verdict);
	wipe(r);
	if (verdict_is_bad(result->verdict) || !r->plan->quiet)
		put_result(r, result);
	return error ? error : flush(r);
}

static int console_end(struct report *report, bool interrupted)
{
	struct report_console *r = (struct report_console *)report;
	struct timespec now;

	wipe(r);
	results_sort(&r->results);
	clock_gettime(CLOCK_MONOTONIC, &now);
	console_summary(r->stream, &r->results, r->plan, interrupted,
			(double)(now.tv_sec - r->started.tv_sec) + (double)(now.tv_nsec - r->started.tv_nsec) / 1e9);
	return flush(r);
}

static void console_free(struct report *report)
{
	struct report_console *r = (struct report_console *)report;

	wipe(r);
	fflush(r->stream);
	results_free(&r->results);
	free(r);
}

static const struct report_ops console_ops = {
	.name = "console",
	.begin = console_begin,
	.running = console_running,
	.result = console_result,
	.end = console_end,
	.free = console_free,
};

struct report *report_console_new(FILE *stream)
{
	struct report_console *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->report.ops = &console_ops;
	r->stream = stream;
	return &r->report;
}
