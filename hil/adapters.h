/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The adapters that there are, by name: a scenario that names another one would quietly be skipped, or be expected to pass. */
#ifndef DFUBENCH_ADAPTERS_H
#define DFUBENCH_ADAPTERS_H

#include <stddef.h>
#include "scenario.h"

struct adapters {
	char **names; /* NULL ends, unless there is none */
	size_t count;
	bool folder; /* one was read: without it nothing is known of the others */
};

/* 0 or -ENOMEM. A folder that cannot be read, and files in it that are no adapters, are passed over. */
int adapters_add(struct adapters *, const char *name);
int adapters_add_folder(struct adapters *, const char *folder);
void adapters_clear(struct adapters *); /* members, not the struct */
/* `tools` and `expected-failure` of a scenario. */
void adapters_check(const struct adapters *, const struct scenario *, struct problems *);

#endif
