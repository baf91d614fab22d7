/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that `dfuhil run` reads before anything runs: scenarios, adapters, the rig; and which scenarios are meant. */
#ifndef DFUBENCH_SUITE_H
#define DFUBENCH_SUITE_H

#include "problems.h"
#include "run_options.h"
#include "scenario.h"
#include "tool.h"

struct suite {
	struct scenario **all;
	size_t count;
	const struct scenario **chosen; /* of them: by --match, --tag and --shard, by id */
	size_t chosen_count;
	struct tool *tools[RUN_WORDS];
	char *tool_versions[RUN_WORDS]; /* NULL: not known */
	const char *tool_names[RUN_WORDS + 1];
	unsigned tool_count;
	struct rig_choice *rig;
	enum rig_time time;
	double scale;
};

/* 0; -EINVAL: problems are told; -ENOMEM. Free in each case. */
int suite_load(struct suite *, const struct run_options *, struct problems *);
void suite_free(struct suite *); /* members, not the struct */
/* Virtual time needs a bus of its own; --time goes before what a rig file says. */
void suite_choose_time(const struct run_options *, const struct rig_choice *, enum rig_time *, double *scale,
		       struct problems *);

#endif
