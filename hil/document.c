// SPDX-License-Identifier: GPL-2.0-or-later
/* A run as JSON. */
#include "document.h"

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

static json_t *faults(const struct report_plan *plan)
{
	json_t *json = json_array();

	for (size_t i = 0; plan->faults && plan->faults[i]; i++)
		json_array_append_new(json, json_string(plan->faults[i]));
	return json;
}

json_t *document_new(const struct report_plan *plan, const struct results *results, bool interrupted)
{
	json_t *list = json_array(), *json;

	for (size_t i = 0; i < results->count; i++)
		json_array_append_new(list, result_to_json(results->list[i]));
	json = json_pack("{s:i, s:s, s:s, s:s?, s:s?, s:I, s:o, s:o, s:I, s:b, s:o, s:o}", "format", 1, "program",
			 "dfuhil", "version", DFUBENCH_VERSION, "rig", plan->rig, "time", plan->time, "seed",
			 (json_int_t)plan->seed, "tools", tools(plan), "faults", faults(plan), "planned",
			 (json_int_t)plan->jobs, "interrupted", interrupted, "summary", summary(results), "results",
			 list);
	if (json && json_array_size(list) != results->count) {
		json_decref(json);
		json = NULL;
	}
	return json;
}
