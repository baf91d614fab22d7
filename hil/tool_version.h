/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking a tool for its version. */
#ifndef DFUBENCH_TOOL_VERSION_H
#define DFUBENCH_TOOL_VERSION_H

#include "tool.h"

#define TOOL_VERSION_WHY 512

/* Runs the tool outside of any rig, for 20 s at most. The version, to be freed; NULL: the adapter does not know how to ask
 * (why is ""), or why. *missing: the program cannot be run at all. */
char *tool_version(const struct tool *, bool *missing, char why[TOOL_VERSION_WHY]);

#endif
