/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pattern over requests, as people write it in a scenario:
 *
 *	OP [KEY=VALUE]... [in STATE[|STATE...]] [-> OUTCOME[|OUTCOME...]]
 *
 *	CLRSTATUS in dfuIDLE            ERASE address=0x08004000
 *	WRITE block=2 length<2048       GETSTATUS -> dfuDNBUSY        SET_INTERFACE alt=1
 *	GETSTATUS -> errTARGET          ANY -> SILENT|CANCELLED
 *
 * OP: a name of dfuse_op_name(), DNLOAD or UPLOAD for any of their kinds, DFU for any DFU request, a standard request by its USB 2.0
 * name (but SET_USB_ADDRESS: SET_ADDRESS is DfuSe's), or ANY. Several are separated by |. Keys: block, length (wLength), address,
 * alt, value, index, poll (ms), data (hexadecimal prefix of what moved), board; operators = != < <= > >=; after = and != a range
 * a-b will do. A key that a request does not have (the address of an ABORT) matches nothing. STATE: as DFU 1.1 spells it, or
 * unknown. OUTCOME: ACK, STALL, SILENT (no answer at all), GONE, CANCELLED (the host took it back), a state: the one that a
 * GETSTATUS or GETSTATE reports, for others the one that it leads to; or a status of GETSTATUS. Case does not matter.
 */
#ifndef DFUBENCH_PATTERN_H
#define DFUBENCH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include "transcript.h"

struct pattern;
#define PATTERN_WHY 512

/* NULL: why[] has the mistake and what would do; *column (from 1) where. */
struct pattern *pattern_parse(const char *text, size_t *column, char why[PATTERN_WHY]);
void pattern_free(struct pattern *);
bool pattern_matches(const struct pattern *, const struct exchange *);

#endif
