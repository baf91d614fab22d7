/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rig files, beside what rig.h says of them. */
#ifndef DFUBENCH_RIG_CHOICE_H
#define DFUBENCH_RIG_CHOICE_H

#include "rig.h"
#include "value.h"

struct yaml;

extern const struct field rig_fields[];

/* Of a rig file that is open already, which is taken over; NULL is passed through. */
struct rig_choice *rig_choice_read(struct yaml *, struct problems *);
/* Of kind board: what its file says; else NULL. The choice's. */
struct board_rig;
const struct board_rig *rig_choice_board(const struct rig_choice *);
/* "virtual", "real", "x20" as the rig file has it; NULL: it does not say. */
const char *rig_choice_time(const struct rig_choice *);
/* A bus that nobody else sees: scenarios can run beside each other, and in any time. */
bool rig_choice_is_private(const struct rig_choice *);

bool rig_choice_emulates(const struct rig_choice *); /* with what is in this program */

/* Before anything runs: can it be used here, and what is it? 0; or -errno with why, and what to do. */
int rig_choice_check(struct rig_choice *, char why[RIG_WHY]);
/* Where the rig has a clock of its own, that one instead. After rig_choice_check(). */
void rig_choice_clock(const struct rig_choice *, enum rig_time *, double *scale);
/* Why a scenario for such boards does not fit what is there; NULL: it does. Of kind board board_fit.h says more. */
const char *rig_choice_differs(const struct rig_choice *, const char *profile, enum rig_application, char why[RIG_WHY]);

#endif
