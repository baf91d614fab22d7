/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that switches a wire: started, waited for no longer than it may take, and believed by its exit status. */
#ifndef DFUBENCH_WIRE_PROCESS_H
#define DFUBENCH_WIRE_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include "wires.h"

/* The last of what it wrote to stdout or stderr, NUL-terminated. */
struct wire_said {
	char text[2000];
	size_t length;
};

/* Its end is the end of all that it has started. out: NULL: its stdout is of no interest. 0; or -errno with why: -ENOENT and others
 * of exec, -ETIMEDOUT, -EIO for an exit status other than 0. */
int wire_process_run(char *const *words, uint64_t limit_us, struct wire_said *out, char why[WIRES_WHY]);

#endif
