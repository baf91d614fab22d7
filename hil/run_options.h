/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of `dfuhil run`. */
#ifndef DFUBENCH_RUN_OPTIONS_H
#define DFUBENCH_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "rig.h"

#define RUN_OPTIONS_WHY 512
#define RUN_WORDS 64 /* of an option that may be given several times */

struct run_words {
	const char *word[RUN_WORDS + 1]; /* NULL ends */
	unsigned count;
};

enum run_colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* All strings are argv's. NULL: not given. */
struct run_options {
	struct run_words tools, tool_paths, matches, tags, faults;
	const char *tools_folder, *rig, *junit, *json, *html, *capture_folder;
	bool time_given;
	enum rig_time time;
	double scale;
	unsigned parallel; /* 0: not given */
	uint64_t seed;
	unsigned repeat;
	unsigned shard, shards; /* from 1; 1 of 1 if not given */
	uint64_t deadline_ms;   /* 0: none */
	bool list, fail_fast, strict, tap, verbose, quiet;
	enum run_colour colour;
	char **paths; /* what stands after the options, NULL ends */
};

/* 0; 1: help was asked for; -EINVAL with why[]: the option, its value and what it may be. argv is reordered. */
int run_options_parse(struct run_options *, int argc, char **argv, char why[RUN_OPTIONS_WHY]);
void run_options_help(FILE *);
/* For what goes there: as asked for, else on a terminal that NO_COLOR does not forbid it. */
bool run_options_coloured(const struct run_options *, FILE *);

#endif
