/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results that were kept for a report that is written at the end, and what several reports say of one in the same words. */
#ifndef DFUBENCH_RESULTS_H
#define DFUBENCH_RESULTS_H

#include <stdio.h>
#include "result.h"

struct results {
	struct result **list;
	size_t count;
};

int results_keep(struct results *, const struct result *); /* a copy. 0 or -ENOMEM */
/* By scenario, then tool, then repeat. */
void results_sort(struct results *);
void results_free(struct results *); /* members, not the struct */

#define RESULTS_VERDICTS 6
/* How many there are of each; tool NULL: of all. */
void results_count(const struct results *, const char *tool, size_t counts[RESULTS_VERDICTS]);
/* The names of the tools, as they stand in the sorted list, each once. Index i; NULL: no more. */
const char *results_tool(const struct results *, size_t i);

/* The step that decided it; NULL: none did. */
const struct result_step *result_failed_step(const struct result *);
/* "FILE:LINE:COLUMN" of that step, else "FILE:LINE" or "FILE". To be freed; NULL on ENOMEM. */
char *result_place(const struct result *);
/* What went wrong: place and step, message, expected and got, command, output, last requests, findings. Lines begin with indent.
 * Clean text (text.h). */
void result_explain(FILE *, const struct result *, const char *indent);
/* The findings alone. */
void result_findings(FILE *, const struct result *, const char *indent);
/* What the rig had to say about the runs of the tool, a line each. */
void result_warnings(FILE *, const struct result *, const char *indent);

#endif
