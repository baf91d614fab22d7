// SPDX-License-Identifier: GPL-2.0-or-later
/* Option bytes: layouts and levels. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include "option_bytes.h"

#define LEVEL_2 0xCCu /* RDP-1 */
#define BANKS (sizeof(((struct mcu_profile *)0)->option_banks) / sizeof(struct option_bank))

size_t option_bytes_size(const struct mcu_profile *p)
{
	size_t size = 0;

	for (size_t i = 0; i < BANKS; i++)
		size += p->option_banks[i].size_bytes;
	assert(size <= OPTION_MAX_BYTES && p->rdp_offset < size);
	return size;
}

/* Of each byte as the chip stores it, the byte of the given ones that says what it is, and whether it is the complement. */
static size_t option_source(enum option_layout layout, size_t i, uint8_t *flip)
{
	*flip = 0;
	switch (layout) {
	case OPTIONS_HALFWORDS_TWICE:
		*flip = i & 2 ? 0xFF : 0;
		return i & ~(size_t)6;
	case OPTIONS_BYTES:
		*flip = i & 1 ? 0xFF : 0;
		return i & ~(size_t)1;
	case OPTIONS_WORDS:
		*flip = i & 4 ? 0xFF : 0;
		return i & ~(size_t)4;
	case OPTIONS_PLAIN:
		break;
	}
	return i;
}

void option_bytes_make(const struct mcu_profile *p, const uint8_t *in, uint8_t *out)
{
	uint8_t made[OPTION_MAX_BYTES], flip;
	size_t size = option_bytes_size(p), from;

	for (size_t i = 0; i < size; i++) {
		from = option_source(p->option_layout, i, &flip);
		made[i] = in[from] ^ flip;
	}
	memcpy(out, made, size);
}

bool option_bytes_ok(const struct mcu_profile *p, const uint8_t *bytes)
{
	uint8_t made[OPTION_MAX_BYTES];

	option_bytes_make(p, bytes, made);
	return memcmp(made, bytes, option_bytes_size(p)) == 0;
}

enum rdp_level option_bytes_level(const struct mcu_profile *p, const uint8_t *bytes)
{
	uint8_t rdp = bytes[p->rdp_offset];

	if (!option_bytes_ok(p, bytes))
		return RDP_LEVEL_1;
	if (rdp == p->rdp_open)
		return RDP_LEVEL_0;
	return rdp == LEVEL_2 && p->rdp_level_2 ? RDP_LEVEL_2 : RDP_LEVEL_1;
}

int option_bytes_bank(const struct mcu_profile *p, uint32_t address, size_t length, size_t *offset)
{
	*offset = 0;
	for (size_t i = 0; i < BANKS && p->option_banks[i].size_bytes; i++) {
		if (p->option_banks[i].base == address)
			return p->option_banks[i].size_bytes == length ? 0 : -EINVAL;
		*offset += p->option_banks[i].size_bytes;
	}
	return -EFAULT;
}
