/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option bytes as a part has them, in the words of a scenario: level of the read protection, sectors that are write protected. */
#ifndef DFUBENCH_PROTECTION_H
#define DFUBENCH_PROTECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "option_bytes.h"

#define PROTECTION_WHY 200
#define RDP_LEVEL_2_BYTE 0xCCu
#define PROTECTION_SECTORS 1024u /* more than any part has */

unsigned protection_sector_count(const struct mcu_profile *);
/* Is the sector write protected by these option bytes? */
bool protection_covers(const struct mcu_profile *, const uint8_t *options, unsigned sector);
/* Protect exactly these sectors. 0, or -EINVAL with why[]: the part cannot. */
int protection_set(const struct mcu_profile *, uint8_t *options, const bool sectors[PROTECTION_SECTORS],
		   char why[PROTECTION_WHY]);
/* Would a real chip take them for level 2? It makes complements itself, so these do not count, nor does what the profile says. */
bool protection_is_for_ever(const struct mcu_profile *, const uint8_t *options);
/* Read protection of that level, 0 to 2; likewise. */
int protection_set_level(const struct mcu_profile *, uint8_t *options, unsigned level, char why[PROTECTION_WHY]);

#endif
