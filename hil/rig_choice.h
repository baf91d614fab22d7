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
/* "virtual", "real", "x20" as the rig file has it; NULL: it does not say. */
const char *rig_choice_time(const struct rig_choice *);
/* A bus that nobody else sees: scenarios can run beside each other, and in any time. */
bool rig_choice_is_private(const struct rig_choice *);

#endif
