/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of the memories of one board, as far as its DFU requests and answers tell: which sectors were erased, written, read. */
#ifndef DFUBENCH_PICTURE_H
#define DFUBENCH_PICTURE_H

#include "layout.h"
#include "transcript.h"

#define PICTURE_SECTORS 16384 /* more are not kept track of */

struct picture_mark {
	uint32_t erased;        /* times, mass erases too */
	uint64_t written, read; /* bytes */
};

struct picture {
	struct layout layout;
	struct picture_mark *marks;        /* of all sectors, span after span */
	uint32_t first_mark[LAYOUT_SPANS]; /* of each span */
	uint32_t mark_count;
	uint64_t sectors_erased, mass_erases, unprotected;
	uint64_t blocks_written, bytes_written, blocks_read, bytes_read;
	uint64_t failed;          /* operations that ended in dfuERROR */
	uint32_t lowest, highest; /* of what was written; nothing yet: lowest > highest */
	bool has_left;
	uint32_t left_to;
	uint64_t told_us, taken_us; /* sums of bwPollTimeout while busy, and of the time until it no longer was */
	/* a command that was given, and of which GETSTATUS has not told the end */
	enum dfuse_op pending;
	uint32_t pending_target;
	size_t pending_length;
	bool pending_has_target;
	uint64_t busy_since_us;
};

void picture_init(struct picture *);
void picture_free(struct picture *);                          /* members, not the struct */
int picture_layout(struct picture *, const char *text);       /* a layout string: 0, also if it is none; -ENOMEM */
void picture_feed(struct picture *, const struct exchange *); /* of this board, in their order */

#endif
