/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the rig in this process share. */
#ifndef DFUBENCH_RIG_DESK_H
#define DFUBENCH_RIG_DESK_H

#include "board_signs.h"
#include "desk.h"
#include "options.h"
#include "private_bus.h"
#include "rig.h"

#define DESK_WORDS 64 /* of the command line that describes the desk */

struct desk_rig {
	struct rig rig;    /* first */
	char why[RIG_WHY]; /* it failed; a scenario ends then */
	char *words[DESK_WORDS + 1];
	int word_count;
	struct options options;
	struct say say;
	char *said; /* what say has written */
	size_t said_length;
	struct desk *desk;
	struct private_bus *bus;
	int ports[PRIVATE_BUS_PORTS + 1]; /* of the boards, by their number; 0: none */
	int nothing;                      /* /dev/null */
	int recorded;                     /* the capture, to be read */

	struct rig_event *events;
	size_t event_count, event_room;
	enum reset_cause causes[PRIVATE_BUS_PORTS + 1];
	struct board_signs signs[PRIVATE_BUS_PORTS + 1];

	struct transcript transcript;
	size_t capture_length;
	bool has_transcript;

	/* the tool that runs */
	const struct rig_run *run;
	struct rig_ran *ran;
	unsigned requests;
	int pipes[2][2]; /* its stdout and stderr: our end, and the tool's until it has started; -1: closed */
	struct bench_event limit, interrupt;
};

static inline struct desk_rig *desk_of(struct rig *rig)
{
	return (struct desk_rig *)rig;
}

/* --- rig_desk_possible.c --- */
/* 0, or -errno with why. */
int desk_possible(char why[RIG_WHY]);
/* --- rig_desk_tool.c --- */
void desk_tool_setup(struct desk_rig *); /* once, when the desk is there */
int desk_run(struct rig *, const struct rig_run *, struct rig_ran *, char why[RIG_WHY]);

#endif
