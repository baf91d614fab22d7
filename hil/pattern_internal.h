/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between reading a pattern (pattern.c) and matching it (pattern_match.c). */
#ifndef DFUBENCH_PATTERN_INTERNAL_H
#define DFUBENCH_PATTERN_INTERNAL_H

#include "pattern.h"

#define TERMS 8
#define PREFIX_BYTES 64
#define STATES 11
#define STATUSES 16
#define UNKNOWN_BIT (UINT32_C(1) << STATES)

/* Operations are bits of their dfuse_op; standard requests of 32 + bRequest. */
#define STANDARD_FIRST 32
#define STANDARD_COUNT 13
#define ANY_TRANSFER (UINT64_C(1) << 63)
#define BIT(n) (UINT64_C(1) << (n))
#define DNLOADS \
	(BIT(OP_SET_ADDRESS) | BIT(OP_ERASE) | BIT(OP_MASS_ERASE) | BIT(OP_UNPROTECT) | BIT(OP_UNKNOWN_COMMAND) | \
	 BIT(OP_WRITE) | BIT(OP_LEAVE))
#define UPLOADS (BIT(OP_GET) | BIT(OP_READ))

enum key { KEY_BLOCK, KEY_LENGTH, KEY_ADDRESS, KEY_ALT, KEY_VALUE, KEY_INDEX, KEY_POLL, KEY_DATA, KEY_BOARD };
enum comparison { EQUAL, DIFFERENT, LESS, AT_MOST, MORE, AT_LEAST };

struct term {
	enum key key;
	enum comparison comparison;
	uint64_t from, to; /* the same unless it is a range */
	uint8_t prefix[PREFIX_BYTES];
	size_t prefix_length;
};

struct pattern {
	uint64_t operations;
	struct term terms[TERMS];
	size_t count;
	bool has_before, has_outcome;
	uint32_t before;   /* bits of states; UNKNOWN_BIT */
	uint32_t results;  /* bits of usb_result */
	uint32_t states;   /* bits of states */
	uint32_t statuses; /* bits of bStatus */
};

#endif
