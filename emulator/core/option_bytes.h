/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option bytes as a part stores them: where, how doubled, and which level of readout protection they are (f407.md OB, RDP
 * rows; siblings.md SOB rows). Bytes are always those of all banks, one after the other. */
#ifndef DFUBENCH_OPTION_BYTES_H
#define DFUBENCH_OPTION_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profile.h"

enum rdp_level { RDP_LEVEL_0, RDP_LEVEL_1, RDP_LEVEL_2 };

size_t option_bytes_size(const struct mcu_profile *); /* OPTION_MAX_BYTES at most */
/* The values count, the chip makes the complements and copies. in and out may be the same. */
void option_bytes_make(const struct mcu_profile *, const uint8_t *in, uint8_t *out);
bool option_bytes_ok(const struct mcu_profile *,
		     const uint8_t *bytes); /* no value contradicts its complement or copy */
/* ASSUMED: no source for F4. What is not ok is level 1. */
enum rdp_level option_bytes_level(const struct mcu_profile *, const uint8_t *bytes);
/* Bank at that address and of that length: where it begins in the bytes of all. -EFAULT: none begins there; -EINVAL: its
 * length is another. */
int option_bytes_bank(const struct mcu_profile *, uint32_t address, size_t length, size_t *offset);

#endif
