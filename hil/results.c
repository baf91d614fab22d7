// SPDX-License-Identifier: GPL-2.0-or-later
/* Results kept, sorted, counted. */
#include "results.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int results_keep(struct results *r, const struct result *result)
{
	struct result **list = realloc(r->list, (r->count + 1) * sizeof(struct result *));
	struct result *copy;
	json_t *json;

	if (!list)
		return -ENOMEM;
	r->list = list;
	json = result_to_json(result);
	copy = json ? result_from_json(json) : NULL;
	json_decref(json);
	if (!copy)
		return -ENOMEM;
	r->list[r->count++] = copy;
	return 0;
}

static int in_order(const void *a, const void *b)
{
	const struct result *x = *(const struct result *const *)a, *y = *(const struct result *const *)b;
	int order = strcmp(x->id, y->id);

	order = order ? order : strcmp(x->tool, y->tool);
	order = order ? order : (x->repeat > y->repeat) - (x->repeat < y->repeat);
	return order ? order : strcmp(x->file, y->file);
}

void results_sort(struct results *r)
{
	if (r->count)
		qsort(r->list, r->count, sizeof(*r->list), in_order);
}

void results_free(struct results *r)
{
	for (size_t i = 0; i < r->count; i++)
		result_free(r->list[i]);
	free(r->list);
	*r = (struct results){ NULL, 0 };
}

void results_count(const struct results *r, const char *tool, size_t counts[RESULTS_VERDICTS])
{
	memset(counts, 0, RESULTS_VERDICTS * sizeof(*counts));
	for (size_t i = 0; i < r->count; i++)
		if (!tool || !strcmp(tool, r->list[i]->tool))
			counts[r->list[i]->verdict]++;
}

const char *results_tool(const struct results *r, size_t index)
{
	for (size_t i = 0; i < r->count; i++) {
		size_t j = 0;

		while (j < i && strcmp(r->list[j]->tool, r->list[i]->tool) != 0)
			j++;
		if (j == i && !index--)
			return r->list[i]->tool;
	}
	return NULL;
}
