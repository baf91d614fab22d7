/* SPDX-License-Identifier: GPL-2.0-or-later */
/* labgrid-client, started. */
#ifndef DFUBENCH_WIRE_LABGRID_H
#define DFUBENCH_WIRE_LABGRID_H

#include <stdint.h>
#include "wires.h"

struct wire_said;

/* `labgrid-client -x COORDINATOR -p PLACE WORDS`; words: NULL ends, at most 4. As wire_process_run(). */
int labgrid_client(const char *place, const char *coordinator, char *const *words, uint64_t limit_us,
		   struct wire_said *out, char why[WIRES_WHY]);

#endif
