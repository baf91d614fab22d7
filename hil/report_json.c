// SPDX-License-Identifier: GPL-2.0-or-later
/* The report for programs: all results with all that is known of them, as one JSON document (dfuhil(1), JSON). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

static json_t *summary(const struct results *results)
{
	json_t *json = json_object();
	size_t counts[RESULTS_VERDICTS];

	results_count(results, NULL, counts);
	for (unsigned i = 0; i < RESULTS_VERDICTS; i++)
		json_object_set_new(json, verdict_name((enum verdict)i), json_integer((json_int_t)counts[i]));
	return json;
}

static json_t *tools(const struct report_plan *plan)
{
	json_t *json = json_array();

	for (size_t i = 0; plan->tools[i]; i++)
		json_array_append_new(json, json_string(plan->tools[i]));
	return json;
}

static int json_end(struct report *report, bool interrupted)
{
	struct report_json *r = (struct report_json *)report;
	json_t *list = json_array(), *json;
	size_t length;
	char *text;
	int error;

	results_sort(&r->results);
	for (size_t i = 0; i < r->results.count; i++)
		json_array_append_new(list, result_to_json(r->results.list[i]));
	json = json_pack("{s:i, s:s, s:s, s:s?, s:s?, s:I, s:o, s:I, s:b, s:o, s:o}", "format", 1, "program", "dfuhil",
			 "version", DFUBENCH_VERSION, "rig", r->plan->rig, "time", r->plan->time, "seed",
			 (json_int_t)r->plan->seed, "tools", tools(r->plan), "planned", (json_int_t)r->plan->jobs,
			 "interrupted", interrupted, "summary", summary(&r->results), "results", list);
	if (!json || json_array_size(list) != r->results.count) {
		json_decref(json);
		return -ENOMEM;
	}
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
