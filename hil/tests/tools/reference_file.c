// SPDX-License-Identifier: GPL-2.0-or-later
/* dfu-reference: firmware files, raw or DfuSe (UM0391), with their suffix (DFU 1.1 appendix B). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "reference.h"

#define SUFFIX 16u
#define PREFIX 11u
#define TARGET 274u
#define ELEMENT 8u
#define SIZE_MAX_BYTES (64u << 20)

static uint32_t u32(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static uint16_t u16(const uint8_t *b)
{
	return (uint16_t)(b[0] | b[1] << 8);
}

/* As DFU has it: without the last inversion. */
static uint32_t crc(const uint8_t *data, size_t length)
{
	uint32_t c = UINT32_MAX;

	while (length--) {
		c ^= *data++;
		for (int i = 0; i < 8; i++)
			c = c >> 1 ^ (c & 1 ? UINT32_C(0xEDB88320) : 0);
	}
	return c;
}

static enum outcome load(struct image *image, const char *path)
{
	FILE *f = fopen(path, "rb");
	long size;

	if (!f)
		return fail(BAD_FILE, "cannot open '%s': %s", path, strerror(errno));
	if (fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || size > (long)SIZE_MAX_BYTES || fseek(f, 0, SEEK_SET)) {
		fclose(f);
		return fail(BAD_FILE, "'%s' cannot be read, or is too large", path);
	}
	image->size = (size_t)size;
	image->bytes = malloc(image->size + 1);
	if (!image->bytes || fread(image->bytes, 1, image->size, f) != image->size) {
		fclose(f);
		return fail(BAD_FILE, "cannot read '%s'", path);
	}
	fclose(f);
	return image->size ? DONE : fail(BAD_FILE, "'%s' is empty", path);
}

static enum outcome strip_suffix(struct image *image, const char *path)
{
	const uint8_t *s = image->bytes + image->size - SUFFIX;
	uint32_t is, should;

	if (image->size < SUFFIX || memcmp(s + 8, "UFD", 3) || s[11] < SUFFIX || s[11] > image->size)
		return DONE;
	is = crc(image->bytes, image->size - 4);
	should = u32(s + 12);
	if (is != should && !mutant(M_NO_CRC))
		return fail(BAD_FILE, "'%s' is damaged: its CRC is 0x%08x, and 0x%08x in the suffix", path, is, should);
	image->has_ids = true;
	image->product = u16(s + 2);
	image->vendor = u16(s + 4);
	if (!mutant(M_SUFFIX_WRITTEN))
		image->size -= s[11];
	return DONE;
}

static enum outcome add(struct image *image, struct element e)
{
	struct element *more = realloc(image->elements, (image->count + 1) * sizeof(*more));

	if (!more)
		return fail(BAD_FILE, "out of memory");
	image->elements = more;
	more[image->count++] = e;
	return DONE;
}

static enum outcome read_dfuse(struct image *image, const char *path)
{
	const uint8_t *at = image->bytes + PREFIX, *end = image->bytes + image->size;

	if (image->bytes[5] != 1)
		return fail(BAD_FILE, "'%s' is DfuSe of version %u, not 1", path, image->bytes[5]);
	if (!image->has_ids)
		return fail(BAD_FILE, "'%s' is DfuSe without a suffix: it is cut off", path);
	for (unsigned targets = image->bytes[10]; targets; targets--) {
		uint32_t elements;
		uint8_t alt;

		if ((size_t)(end - at) < TARGET || memcmp(at, "Target", 6))
			return fail(BAD_FILE, "'%s': a target was expected at byte %zu", path,
				    (size_t)(at - image->bytes));
		alt = at[6];
		elements = u32(at + 270);
		at += TARGET;
		for (; elements; elements--) {
			uint32_t length;

			if ((size_t)(end - at) < ELEMENT || (length = u32(at + 4)) > (size_t)(end - at) - ELEMENT)
				return fail(BAD_FILE, "'%s': the element at byte %zu ends after the file", path,
					    (size_t)(at - image->bytes));
			if (!length && !mutant(M_EMPTY_BLOCK))
				fprintf(stderr, "dfu-reference: '%s': the element at byte %zu is empty\n", path,
					(size_t)(at - image->bytes));
			else if ((!mutant(M_ONE_ELEMENT) || !image->count) &&
				 add(image, (struct element){ alt, u32(at), at + ELEMENT, length }))
				return BAD_FILE;
			at += ELEMENT + length;
		}
	}
	return image->count ? DONE : fail(BAD_FILE, "'%s' has nothing to write in it", path);
}

enum outcome image_read(struct image *image, const char *path, uint8_t alt, bool has_address, uint32_t address)
{
	enum outcome o;

	memset(image, 0, sizeof(*image));
	o = load(image, path);
	if (!o)
		o = strip_suffix(image, path);
	if (o)
		return o;
	image->is_dfuse = image->size >= PREFIX && !memcmp(image->bytes, "DfuSe", 5);
	if (mutant(M_DFUSE_RAW) && image->is_dfuse) {
		image->is_dfuse = false;
		has_address = true;
		address = 0x08000000;
	}
	if (image->is_dfuse)
		return read_dfuse(image, path);
	if (!has_address)
		return fail(BAD_USAGE, "'%s' has no addresses in it: --address is missing", path);
	if (mutant(M_IGNORES_ADDRESS))
		address = 0x08000000;
	if (!image->size)
		return fail(BAD_FILE, "'%s' has nothing to write in it", path);
	return add(image, (struct element){ alt, address, image->bytes, image->size });
}

void image_free(struct image *image)
{
	free(image->bytes);
	free(image->elements);
}
