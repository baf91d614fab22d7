/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scenario file, read and checked as a whole (dfu-scenario(5)). */
#ifndef DFUBENCH_SCENARIO_H
#define DFUBENCH_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include "value.h"

struct verb;
struct yaml;

struct step {
	const struct verb *verb;
	struct mark mark;
	struct object *arguments; /* of verb->fields */
	struct object *expect;    /* of expect_fields; NULL: not given. Of verbs that run a tool alone */
	unsigned board;           /* from 1; 0: not given, which is 1 */
	const char *note;         /* what it is for, in the writer's words; NULL */
	unsigned needs;           /* rig_can: of the verb, and of its arguments */
};

/* A tool for which the scenario is known to fail, and why. */
struct expected_failure {
	const char *tool;      /* name of an adapter */
	const char *why;       /* with the reference */
	const char *reference; /* NULL: none */
	const char *versions;  /* a regular expression for those that do; NULL: all */
	const char *message;   /* one for how the failure is told; NULL: whatever it is */
};

struct scenario {
	char *path;       /* as given on the command line */
	const char *name; /* a sentence */
	const char *why;  /* one line */
	const char *id;   /* path without folder names above the suite and without .yaml: "start/dfuerror" */
	struct object
		*top; /* of scenario_fields: references, tags, needs, tools, board, bystanders, files, limit ... */
	struct step *steps;
	size_t step_count;
	struct expected_failure *expected_failures;
	size_t expected_failure_count;
	struct yaml *yaml; /* keeps the marks alive */
	unsigned needs;    /* rig_can: of the steps, the boards, bystanders, faults and `needs` */
};

extern const struct field scenario_fields[];
extern const struct field expect_fields[];

/* NULL: problems have been told. A scenario with problems is not returned. */
struct scenario *scenario_load(const char *path, struct problems *);
struct scenario *scenario_parse(const char *name, const char *text, size_t length, struct problems *); /* from memory */
/* Of a file that is open already, which is taken over; NULL is passed through. */
struct scenario *scenario_read(struct yaml *, struct problems *);
void scenario_free(struct scenario *);
/* Each *.yaml in a folder and those below it, sorted by path, without hidden ones; or path itself if it is a file. found() returns
 * false to end it. A folder without any is a problem. False: problems told, or ended. */
bool scenario_find(const char *path, bool (*found)(void *context, const char *path), void *context, struct problems *);
/* Path of a FIELD_FILE that is no made or written one: relative to the scenario's folder; to be freed. NULL on ENOMEM. */
char *scenario_path(const struct scenario *, const char *name);
/* Does a step know a file of that name: made under `files`, written by an earlier step, or on disk? Tells if not. */
void scenario_check_name(const struct scenario *, const struct step *, const char *name, struct mark,
			 struct problems *);
bool scenario_has_tag(const struct scenario *, const char *tag);

#endif
