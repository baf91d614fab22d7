/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pattern over requests, as people write it in a scenario:
 *
 *	OP [key=value]... [in STATE[|STATE...]] [-> ACK|STALL|SILENT|GONE|CANCELLED|STATE]
 *
 *	CLRSTATUS in dfuIDLE            ERASE address=0x08004000
 *	WRITE block=2 length<2048       GETSTATUS -> dfuDNBUSY        SET_INTERFACE alt=1
 *
 * OP: a name of dfuse_op_name(), DNLOAD or UPLOAD for any of their kinds, a standard request by its USB 2.0 name, or ANY. Keys:
 * block, length, address, alt, value, index, poll (ms), data (hexadecimal prefix), board; operators = != < <= > >=; ranges
 * a-b. Case does not matter.
 */
#ifndef DFUBENCH_PATTERN_H
#define DFUBENCH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include "transcript.h"

struct pattern;
#define PATTERN_WHY 256

/* NULL: why[] has the mistake and what would do; *column (from 1) where. */
struct pattern *pattern_parse(const char *text, size_t *column, char why[PATTERN_WHY]);
void pattern_free(struct pattern *);
bool pattern_matches(const struct pattern *, const struct exchange *);

#endif
