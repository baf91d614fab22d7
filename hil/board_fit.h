/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May that scenario run on that real board? Known from its steps, before any of them, and from the files that tools are given. */
#ifndef DFUBENCH_BOARD_FIT_H
#define DFUBENCH_BOARD_FIT_H

#include "board_rig.h"
#include "files.h"
#include "scenario.h"
#include "transcript.h"

#define BOARD_FIT_WHY 640

/* Why not: what the rig file does not allow, what no real board is to suffer, what cannot be told of it. NULL: it may. */
const char *board_fit(const struct board_rig *, const struct scenario *, char why[BOARD_FIT_WHY]);
/* The same of a file that a tool is given in a step, once it is there: at that address, or with addresses of its own. */
const char *board_fit_file(const struct board_rig *, const struct step *, const struct file *, const uint32_t *address,
			   char why[BOARD_FIT_WHY]);
/* The same of what a recording does. */
const char *board_fit_recording(const struct board_rig *, const struct transcript *, char why[BOARD_FIT_WHY]);

#endif
