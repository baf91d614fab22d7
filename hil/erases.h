/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is going to be erased, as far as it is known before: by the command of a tool, a script, a recording. */
#ifndef DFUBENCH_ERASES_H
#define DFUBENCH_ERASES_H

#include "profile.h"
#include "rig.h"

struct erases {
	struct rig_erase *list; /* NULL: none */
	size_t count;
	bool no_memory; /* some are missing */
};

struct play_job;
struct host_script;
struct exchange;

void erases_free(struct erases *); /* members, not the struct */

/* By a tool that does what the adapter's words ask for. */
void erases_of_job(struct erases *, const struct play_job *, const struct mcu_profile *);
/* longest: of the files that it names, none is longer. */
void erases_of_script(struct erases *, const struct host_script *, size_t longest, const struct mcu_profile *);
void erases_of_exchange(struct erases *, const struct exchange *, const struct mcu_profile *);

#endif
