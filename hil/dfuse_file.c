// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading the formats of firmware files: DfuSe (UM0391) and the DFU suffix (DFU 1.1 appendix B). */
#include <string.h>
#include "files.h"

#define PREFIX_BYTES 11u
#define TARGET_BYTES 274u
#define ELEMENT_BYTES 8u
#define SUFFIX_BYTES 16u

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

uint32_t dfu_crc(uint32_t crc, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
	}
	return crc;
}

bool file_is_dfuse(const struct file *f)
{
	return f->length >= PREFIX_BYTES && !memcmp(f->data, "DfuSe", 5);
}

size_t file_payload(const struct file *f)
{
	const uint8_t *suffix = f->data + f->length - SUFFIX_BYTES;

	if (f->length < SUFFIX_BYTES || memcmp(suffix + 8, "UFD", 3) || suffix[11] < SUFFIX_BYTES ||
	    suffix[11] > f->length || get32(suffix + 12) != dfu_crc(0xffffffffu, f->data, f->length - 4))
		return f->length;
	return f->length - suffix[11];
}

bool file_element(const struct file *f, size_t index, struct dfuse_element *element)
{
	size_t at = PREFIX_BYTES, count = 0;

	if (!file_is_dfuse(f))
		return false;
	for (unsigned target = 0; target < f->data[10]; target++) {
		const uint8_t *t = f->data + at;

		if (f->length - at < TARGET_BYTES || memcmp(t, "Target", 6))
			return false;
		at += TARGET_BYTES;
		for (uint32_t i = 0; i < get32(t + 270); i++) {
			const uint8_t *e = f->data + at;
			size_t length;

			if (f->length - at < ELEMENT_BYTES)
				return false;
			length = get32(e + 4);
			at += ELEMENT_BYTES;
			if (length > f->length - at)
				return false;
			at += length;
			if (count++ == index) {
				*element = (struct dfuse_element){ get32(e), t[6], e + ELEMENT_BYTES, length };
				return true;
			}
		}
	}
	return false;
}
