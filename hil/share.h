/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came with this program: scenarios, adapters, descriptors. It is found from where the program itself is. */
#ifndef DFUBENCH_SHARE_H
#define DFUBENCH_SHARE_H

#include <stddef.h>
#include "problems.h"

/* "tools", "scenarios/start", "descriptors/0a5c-21e6.usb": where the program is installed or unpacked, in share/dfubench of its
 * prefix; beside the folder of a build, in fixtures/ or the tree itself. Absolute, to be freed; NULL if there is none. */
char *share_find(const char *name);
/* Likewise, but if a folder `fixtures` in or above that of the file beside has it, that one: the nearest. */
char *share_fixture(const char *beside, const char *name);

/* This program, for a process of it to run it again: the same one while this process is there, even if another has taken its place
 * on the disk. "" if /proc does not tell. */
void share_program(char *out, size_t size);

/* Scenarios of the suite by name: "conformance" is all of it, "start" a folder, "start/dfuerror" one, by its id. Absolute, to be
 * freed. NULL: there is none, and that is told, with the nearest name. */
char *share_scenarios(const char *name, struct problems *);

#endif
