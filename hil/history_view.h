/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is looked at of the history: the runs that a filter lets through, what became of each scenario in them, and what follows from
 * that. A value, read once; all that shows it (history_text.c, history_json.c, history_html.c) finds the same in it.
 */
#ifndef DFUBENCH_HISTORY_VIEW_H
#define DFUBENCH_HISTORY_VIEW_H

#include "history.h"
#include "run_mark.h"

struct history_filter {
	const char *rig, *tool; /* NULL: any */
	const char *scenario;   /* pattern as of fnmatch(3); NULL: any */
	int64_t since, until;   /* of the start of a run: since <= start < until */
	unsigned last;          /* runs of each rig and tool; 0: all */
};

/* What became of a scenario in a run, all attempts together. */
enum cell_state {
	CELL_PASSED,
	CELL_FAILED,  /* all that was not the rig's fault */
	CELL_FLAKY,   /* some passed, some failed */
	CELL_RIG,     /* the rig failed, and nothing else is known */
	CELL_SKIPPED, /* or has not run at all */
	CELL_STATES
};
const char *cell_name(enum cell_state); /* "passed" */

struct view_run {
	int64_t id, started, ended; /* ended 0: state tells why */
	enum run_state state;
	char *rig, *serial, *tool, *version, *host, *summary; /* "": not known */
	int exit_status;
	unsigned cells[CELL_STATES]; /* scenarios */
	unsigned blamed[4];          /* scenarios, by enum blame */
};

struct view_cell {
	size_t run;                            /* index */
	unsigned passed, failed, rig, skipped; /* attempts */
	enum cell_state state;
	enum blame blame;
	bool passes_emulated;            /* the emulated board passed what failed here */
	char *message, *place, *capture; /* of the first that failed; NULL */
	uint64_t wall_us;                /* of all attempts that passed or failed */
};

#define NO_CELL SIZE_MAX

/* A scenario with a tool on a rig. */
struct view_case {
	char *rig, *tool, *scenario;
	struct view_cell *cells; /* by run */
	size_t cell_count;
	unsigned runs, passed, failed, flaky; /* runs that count, as of struct history_record */
	/* Flaky runs, and those in which it failed while it passed in the runs before and after, with the same version of the
	 * tool. */
	unsigned flakes;
	size_t last_flake;           /* index; NO_CELL */
	size_t first_bad, last_good; /* as of struct history_record: indices; NO_CELL */
	uint64_t wall_us;            /* an attempt, on average */
};

struct history_view {
	struct view_run *runs; /* in the order in which they began */
	size_t run_count;
	struct view_case *cases; /* by rig, tool, scenario */
	size_t case_count;
};

/* 0, or -errno with why. The view is to be freed either way. */
int history_view_load(struct history *, const struct history_filter *, struct history_view *, char why[HISTORY_WHY]);
void history_view_free(struct history_view *); /* members, not the struct */

/* What differs between the last run that was good and the first that was not: "dfu-util 0.11 -> 0.12"; "" nothing known. */
const char *history_view_change(const struct history_view *, const struct view_case *, char *text, size_t size);

/* One job of a run, in order. */
struct view_job {
	char *scenario, *verdict, *emulated, *blame, *message, *place, *capture; /* "" none */
	unsigned repeat, attempt;
	uint64_t board_us, wall_us;
};
/* The jobs of a run, to be freed. 0 or -errno with why. */
int history_view_jobs(struct history *, int64_t run, struct view_job **, size_t *count, char why[HISTORY_WHY]);
void history_view_jobs_free(struct view_job *, size_t count);

struct view_day {
	int64_t day;
	unsigned erases;
	uint64_t slowest_us; /* 0: none was timed */
};
struct view_sector {
	char *serial;
	uint32_t address;
	int64_t erases; /* in all */
	struct view_day *days;
	size_t day_count;
	size_t slowest; /* index; SIZE_MAX: no erase was timed */
	double per_day; /* erases in the last 30 days that are known, a day */
};
struct history_wear_view {
	struct view_sector *sectors; /* by serial number and address */
	size_t count;
};
/* since, until: of the days, in UTC. serial NULL: any. 0 or -errno with why; to be freed either way. */
int history_wear_view_load(struct history *, const char *serial, int64_t since, int64_t until,
			   struct history_wear_view *, char why[HISTORY_WHY]);
void history_wear_view_free(struct history_wear_view *);

#endif
