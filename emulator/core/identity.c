/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UID to serial number and back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "identity.h"

/* Newer ROMs count the low byte up, without a carry as far as the samples show (SER-7). */
static uint32_t mark_sum(const struct mcu_profile *p, uint32_t sum, uint8_t mark)
{
	return p->serial_rule == SERIAL_UID_SUM_PLUS_0A ? (sum & ~0xffu) | ((sum + mark) & 0xff) : sum;
}

void mcu_serial_of(const struct mcu_profile *p, const struct mcu_identity *identity, char out[13])
{
	const uint32_t *uid = identity->uid;

	if (p->serial_rule == SERIAL_CONSTANT)
		snprintf(out, 13, "%s", p->serial_constant);
	else /* SER-1 */
		snprintf(out, 13, "%08X%04X", (unsigned)mark_sum(p, uid[0] + uid[2], 0x0a), (unsigned)(uid[1] >> 16));
}

static bool is_lot_character(unsigned c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/* Wafer coordinate that, taken from half of the sum, leaves two characters of a lot number (SER-8); 0 if there is none. */
static unsigned coordinate_of(unsigned half)
{
	for (unsigned i = 1; i < 0x80 && i <= half; i++)
		if (is_lot_character((half - i) & 0xff) && is_lot_character((half - i) >> 8))
			return i;
	return 0;
}

int mcu_identity_of_serial(const struct mcu_profile *p, const char *serial, struct mcu_identity *identity)
{
	uint32_t sum = 0, lot = 0, wafer;

	if (p->serial_rule == SERIAL_CONSTANT) {
		if (strcmp(serial, p->serial_constant))
			return -EINVAL;
		*identity = (struct mcu_identity){ { 0x002e0040, 0x30365105, 0x32343735 } };
		return 0;
	}
	for (unsigned i = 0; i < 12; i++) {
		static const char digits[] = "0123456789ABCDEF0123456789abcdef";
		const char *digit = serial[i] ? strchr(digits, serial[i]) : NULL;
		uint32_t value = digit ? (uint32_t)(digit - digits) & 15 : 0;

		if (!digit)
			return -EINVAL;
		if (i < 8)
			sum = sum << 4 | value;
		else
			lot = lot << 4 | value;
	}
	if (serial[12])
		return -EINVAL;
	sum = mark_sum(p, sum, (uint8_t)-0x0a);
	wafer = coordinate_of(sum >> 16) << 16 | coordinate_of(sum & 0xffff);
	*identity = (struct mcu_identity){ { wafer, lot << 16 | 'Q' << 8 | 5, sum - wafer } };
	return 0;
}
