// SPDX-License-Identifier: GPL-2.0-or-later
/* The report for programs: all results with all that is known of them, as one JSON document (dfuhil(1), JSON). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"
#include "outfile.h"
#include "report.h"
#include "results.h"

struct report_json {
	struct report report;
	struct results results;
	const struct report_plan *plan;
};

static int json_begin(struct report *report, const struct report_plan *plan)
{
	((struct report_json *)report)->plan = plan;
	return 0;
}

static int json_running(struct report *report, const char *scenario, const char *tool)
{
	(void)report;
	(void)scenario;
	(void)tool;
	return 0;
}

static int json_result(struct report *report, const struct result *result)
{
	return results_keep(&((struct report_json *)report)->results, result);
}

static int json_end(struct report *report, bool interrupted)
{
	struct report_json *r = (struct report_json *)report;
	json_t *json;
	size_t length;
	char *text;
	int error;

	results_sort(&r->results);
	json = document_new(r->plan, &r->results, interrupted);
	if (!json)
		return -ENOMEM;
	text = json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	if (!text)
		return -ENOMEM;
	length = strlen(text);
	text[length++] = '\n'; /* in the place of the NUL */
	error = outfile_write(report->path, text, length, report->why);
	free(text);
	return error;
}

static void json_free(struct report *report)
{
	results_free(&((struct report_json *)report)->results);
	free(report);
}

static const struct report_ops json_ops = {
	.name = "JSON",
	.begin = json_begin,
	.running = json_running,
	.result = json_result,
	.end = json_end,
	.free = json_free,
};

struct report *report_json_new(const char *path)
{
	struct report_json *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->report.ops = &json_ops;
	r->report.path = path;
	return &r->report;
}
