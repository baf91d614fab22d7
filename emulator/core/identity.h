/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The unique id of a part, and the serial number that the ROM makes of it (f407.md SER rows). */
#ifndef DFUBENCH_IDENTITY_H
#define DFUBENCH_IDENTITY_H

#include <stdint.h>
#include "profile.h"

struct mcu_identity {
	uint32_t uid[3]; /* words at uid_address, +4, +8 */
};

/* Serial of a UID by the profile's rule; out has room for 13 bytes. */
void mcu_serial_of(const struct mcu_profile *, const struct mcu_identity *, char out[13]);
/* A UID that yields this serial of 12 hex digits (either case), with a plausible lot and wafer; -EINVAL if it is not of
 * that form, or if the profile's serial is a constant and this is another. */
int mcu_identity_of_serial(const struct mcu_profile *, const char *serial, struct mcu_identity *);

#endif
