// SPDX-License-Identifier: GPL-2.0-or-later
/* Option bytes in the words of a scenario. */
#include "protection.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RDP_LEVEL_1_BYTE 0x55u /* anything but the other two */
#define KINDS 5

unsigned protection_sector_count(const struct mcu_profile *profile)
{
	unsigned count = 0;

	for (const struct flash_sectors *s = profile->sectors; s->count; s++)
		count += s->count;
	return count;
}

/* The bit of a WRP_BITS that stands for the sector, or -1. */
static int bit_of(const struct write_protection *w, unsigned sector)
{
	unsigned bit;

	if (w->kind != WRP_BITS || sector < w->first_sector)
		return -1;
	bit = (sector - w->first_sector) / w->sectors_per_bit;
	if (bit < w->bits)
		return (int)bit;
	return w->last_bit_takes_rest ? w->bits - 1 : -1;
}

bool protection_covers(const struct mcu_profile *profile, const uint8_t *options, unsigned sector)
{
	for (unsigned i = 0; i < KINDS && profile->write_protection[i].kind != WRP_NONE; i++) {
		const struct write_protection *w = &profile->write_protection[i];
		int bit = bit_of(w, sector);

		if (bit >= 0 && !(options[w->offset + bit / 8] >> bit % 8 & 1))
			return true;
		if (w->kind == WRP_AREA && sector >= w->first_sector + options[w->offset] &&
		    sector <= w->first_sector + options[w->offset + 2u])
			return true;
	}
	return false;
}

static void protect(const struct write_protection *w, uint8_t *options, unsigned sector)
{
	int bit = bit_of(w, sector);

	if (bit >= 0)
		options[w->offset + bit / 8] &= (uint8_t) ~(1u << bit % 8);
}

/* No sector: first behind last. */
static void clear(const struct write_protection *w, uint8_t *options)
{
	for (unsigned bit = 0; w->kind == WRP_BITS && bit < w->bits; bit++)
		options[w->offset + bit / 8] |= (uint8_t)(1u << bit % 8);
	if (w->kind == WRP_AREA) {
		options[w->offset] = 0xff;
		options[w->offset + 2] = 0;
	}
}

/* One run of sectors, from first on. False: the area does not reach there. */
static bool set_area(const struct write_protection *w, uint8_t *options, unsigned first, unsigned last)
{
	if (first < w->first_sector || last - w->first_sector > 0xff)
		return false;
	options[w->offset] = (uint8_t)(first - w->first_sector);
	options[w->offset + 2] = (uint8_t)(last - w->first_sector);
	return true;
}

int protection_set(const struct mcu_profile *profile, uint8_t *options, const bool sectors[PROTECTION_SECTORS],
		   char why[PROTECTION_WHY])
{
	const struct write_protection *w = profile->write_protection;
	unsigned count = protection_sector_count(profile), area = 0;

	for (unsigned i = 0; i < KINDS && w[i].kind != WRP_NONE; i++)
		clear(&w[i], options);
	for (unsigned s = 0; s < count; s++) {
		unsigned last = s;

		if (!sectors[s] || protection_covers(profile, options, s))
			continue;
		for (unsigned i = 0; i < KINDS && w[i].kind != WRP_NONE; i++)
			protect(&w[i], options, s);
		while (last + 1 < count && sectors[last + 1])
			last++;
		while (area < KINDS && w[area].kind == WRP_AREA && !protection_covers(profile, options, s))
			set_area(&w[area++], options, s, last);
	}
	for (unsigned s = 0; s < count; s++)
		if (protection_covers(profile, options, s) != sectors[s]) {
			snprintf(why, PROTECTION_WHY, "%s cannot write protect just these sectors: %u would be %s",
				 profile->name, s, sectors[s] ? "open" : "protected too");
			return -EINVAL;
		}
	option_bytes_make(profile, options, options);
	return 0;
}

bool protection_is_for_ever(const struct mcu_profile *profile, const uint8_t *options)
{
	return options[profile->rdp_offset] == RDP_LEVEL_2_BYTE;
}

int protection_set_level(const struct mcu_profile *profile, uint8_t *options, unsigned level, char why[PROTECTION_WHY])
{
	const uint8_t values[] = { profile->rdp_open, RDP_LEVEL_1_BYTE, RDP_LEVEL_2_BYTE };

	if (level < 3)
		options[profile->rdp_offset] = values[level];
	option_bytes_make(profile, options, options);
	if (level < 3 && (unsigned)option_bytes_level(profile, options) == level)
		return 0;
	snprintf(why, PROTECTION_WHY, "%s has no read protection of level %u", profile->name, level);
	return -EINVAL;
}
