/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways in which `dfuhil history` shows what it has read: for people, for programs, as a page. */
#ifndef DFUBENCH_HISTORY_SHOW_H
#define DFUBENCH_HISTORY_SHOW_H

#include <stdio.h>
#include "history_options.h"
#include "history_view.h"

/* What was read: for SHOW_RUN the jobs, for erases and wear those, for a page all but the jobs. */
struct history_shown {
	const struct history_options *options;
	const char *path; /* of the history */
	int64_t now;
	struct history_view view;
	struct history_wear_view wear;
	const struct view_run *run;
	struct view_job *jobs;
	size_t job_count;
};

/* Each 0 or -ENOMEM. */
int history_print(FILE *, const struct history_shown *);
int history_print_wear(FILE *, const struct history_shown *);
int history_print_erases(FILE *, const struct history_shown *);
int history_json(FILE *, const struct history_shown *);
int history_page(FILE *, const struct history_shown *);

/* "412 ms", "1.23 s", "2 min 3 s"; 0: "". Returns text. */
#define TIME_TEXT 32
const char *history_time(uint64_t us, char text[TIME_TEXT]);
/* Percent, where little is not nothing and nearly all not all. */
unsigned history_percent(unsigned part, unsigned whole);
/* Cases that are flaky, the worst first; that fail now, the one that did so last first. To be freed; NULL on ENOMEM. */
const struct view_case **history_flakes(const struct history_view *, size_t *count);
const struct view_case **history_first_bad(const struct history_view *, size_t *count);
const char *
history_state(const struct view_run *); /* of one without an end: "running", "killed", "unfinished": nobody knows */
/* Who is to blame for a run: "tool, board"; "". */
const char *history_blamed(const struct view_run *, char text[32]);

#endif
