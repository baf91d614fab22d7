/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that load scenarios share. Not for its users: see scenario.h. */
#ifndef DFUBENCH_SCENARIO_INTERNAL_H
#define DFUBENCH_SCENARIO_INTERNAL_H

#include "scenario.h"

struct loading {
	struct scenario *scenario;
	struct problems *problems;
	const char **outputs; /* names of files that tools have written up to this step; the objects' */
	size_t output_count, output_room;
	char kept[256]; /* of a ${file:NAME} that stays as it is */
};

extern const struct field file_fields[];

/* Is there a file of that name: made, written by an earlier step, or on disk? */
bool scenario_file_known(struct loading *, const char *name);
/* False on ENOMEM. */
bool scenario_read_steps(struct loading *);
/* `files`: each is of one kind, and made of others without going round in circles. */
void scenario_check_made(struct loading *);
/* All file names in arguments of a step; what it writes is known from then on. */
void scenario_check_files(struct loading *, const struct object *);

#endif
