/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a board keeps besides its main flash: identity, option bytes, OTP and wear, as a text file.
 *
 *	dfubench-state 1
 *	profile: f407-v3.1
 *	uid: 002E0040 3036303A 32343735        words at the UID's address, +4, +8
 *	option-bytes: hex digits               all banks as they are mapped, 16 bytes with f407
 *	otp: hex digits                        all blocks, then the lock bytes; empty where there is none
 *	erase-counts: 0 0 3 ...                one number for each sector
 *
 * Every line is there once, the profile before the rest; nothing else is allowed. Hex digits of either case.
 */
#ifndef DFUBENCH_STATE_H
#define DFUBENCH_STATE_H

#include <stddef.h>
#include <stdint.h>
#include "flash.h"
#include "mcu.h"

#define STATE_FILE_BYTES 16384u /* longer files are refused */
#define STATE_OTP_BYTES 2048u
#define STATE_SECTORS 1024u

struct board_state {
	const struct mcu_profile *profile;
	struct mcu_identity identity;
	uint8_t options[OPTION_MAX_BYTES];
	size_t option_bytes;
	uint8_t otp[STATE_OTP_BYTES];
	size_t otp_bytes;
	uint32_t erase_counts[STATE_SECTORS];
	unsigned sectors;
};

struct state_error {
	unsigned line, column; /* from 1; the column counts bytes */
	char text[160];
};

/* text need not end in NUL. 0; or -EINVAL with the first error, and state is undefined. */
int state_parse(const char *text, size_t length, struct board_state *, struct state_error *);
/* Allocated; NULL on ENOMEM. */
char *state_format(const struct board_state *);

/* From and into a flash of the state's profile. get fills everything but the identity. */
void state_get(struct board_state *, const struct mcu_profile *, const struct flash *);
void state_put(const struct board_state *, struct flash *);

#endif
