/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fault of an application in words, with what a debugger would show of it. */
#ifndef DFUBENCH_FAULT_TEXT_H
#define DFUBENCH_FAULT_TEXT_H

#include "rig.h"

/* Lines, the first with what and where. board: its number, 0 where there is one alone. To be freed; NULL on ENOMEM. */
char *fault_text(const struct rig_fault *, unsigned board);

#endif
