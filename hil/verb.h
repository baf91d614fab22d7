/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a step of a scenario does: a verb is one row of a table and one function. */
#ifndef DFUBENCH_VERB_H
#define DFUBENCH_VERB_H

#include "play.h"
#include "scenario.h"
#include "tool.h"

#define VERB_WHY 320

struct verb {
	const char *name;
	const struct field *fields; /* of its arguments; NULL: it takes none */
	const char
		*scalar; /* the field that a bare value (`boot0: high`, `wait: 2s`) stands for; NULL: there is none */
	unsigned needs;  /* rig_can that it always needs; more may follow from arguments: see check */
	bool runs_tool;  /* may have `expect` */
	int operation;   /* enum operation that the tool must have; -1: none */
	/* More than the table can say, after reading: problems are told; adds to *needs. NULL: nothing more. */
	void (*check)(const struct step *, const struct scenario *, unsigned *needs, struct problems *);
	/* Does it. PLAY_OK, or a failure told by play_fail(). */
	enum play_outcome (*run)(struct play *, const struct step *);
	const char *help; /* one sentence for lists; dfu-scenario(5) has the rest */
};

/* Why a step cannot be done with that tool; NULL: it can, as far as is known before it runs. */
const char *verb_tool_lacks(const struct step *, const struct scenario *, const struct tool *, char why[VERB_WHY]);

extern const struct verb verbs[]; /* name NULL ends */
const struct verb *verb_find(const char *name);
extern const char *const *const verb_names; /* NULL ends */

#endif
