/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports: each is told of the run as it goes, and writes in its own way. One file each: report_*.c. */
#ifndef DFUBENCH_REPORT_H
#define DFUBENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "result.h"

struct report;

#define REPORT_WHY 640

/* What is going to run. */
struct report_plan {
	size_t jobs;
	const char *const *tools; /* names, NULL ends */
	const char *rig, *time;
	uint64_t seed;             /* --seed; each result has the one made of it */
	const char *const *faults; /* --fault, NULL ends; or NULL */
	bool colour;               /* of the stream, for those that write for people */
	bool live;                 /* a progress line may be kept up to date on the stream */
	bool verbose, quiet;       /* at most one of them */
};

struct report_ops {
	const char *name;
	/* Every member is required; end comes after begin, unless one of the others has failed. 0 or -errno; a report that fails is told of once, and the run ends with that. */
	int (*begin)(struct report *, const struct report_plan *);
	int (*running)(struct report *, const char *scenario, const char *tool); /* has just started */
	int (*result)(struct report *,
		      const struct result *);          /* in the order in which they end; valid during the call */
	int (*end)(struct report *, bool interrupted); /* writes what is to be written; files appear whole */
	void (*free)(struct report *);
};
struct report {
	const struct report_ops *ops;
	const char *path;     /* of the file; NULL: none */
	char why[REPORT_WHY]; /* of a failure, "" for no more than the error says */
};

/* path: "-" is stdout; the caller's, as the plan with its strings is until free. NULL on ENOMEM. */
struct report *report_console_new(FILE *);
struct report *report_tap_new(FILE *);
struct report *report_junit_new(const char *path);
struct report *report_json_new(const char *path);
struct report *report_html_new(const char *path);

#endif
