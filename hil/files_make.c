// SPDX-License-Identifier: GPL-2.0-or-later
/* The contents of a scenario's files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "files_internal.h"
#include "prng.h"

#define TARGET_NAME_BYTES 255u
/* Valid as stack pointer on every part: the first of its RAM is there on all of them. */
#define STACK_POINTER 0x20001000u
#define CODE_OFFSET 0x100u

void bytes_put(struct bytes *b, const void *data, size_t length)
{
	if (b->failed || length > FILES_BYTES - b->length) {
		b->failed = true;
		return;
	}
	if (b->length + length > b->room) {
		size_t room = 2 * (b->length + length) + 512;
		uint8_t *more = realloc(b->data, room);

		if (!more) {
			b->failed = true;
			return;
		}
		b->data = more;
		b->room = room;
	}
	if (length)
		memcpy(b->data + b->length, data, length);
	b->length += length;
}

static void put_number(struct bytes *b, uint64_t value, unsigned size)
{
	uint8_t le[8];

	for (unsigned i = 0; i < size; i++)
		le[i] = (uint8_t)(value >> 8 * i);
	bytes_put(b, le, size);
}

static const struct file *need(struct files *f, const char *name, const char *beside, const char *what,
			       char why[FILES_WHY])
{
	char reason[FILES_WHY];
	const struct file *file = files_get(f, name, beside, reason);

	if (!file)
		files_refuse(why, "'%s' needs '%s': %.300s", what, name, reason);
	return file;
}

static void make_noise(struct bytes *b, const struct object *o, uint64_t size)
{
	struct prng prng = { object_number(o, "seed", 1) };
	uint64_t left = 0;

	for (uint64_t i = 0; i < size && !b->failed; i++) {
		uint8_t byte;

		if (i % 8 == 0)
			left = prng_next(&prng);
		byte = (uint8_t)(left >> 8 * (i % 8));
		if (object_given(o, "fill"))
			byte = (uint8_t)object_number(o, "fill", 0);
		bytes_put(b, &byte, 1);
	}
}

static int make_sized(struct bytes *b, const struct object *o, const char *name, char why[FILES_WHY])
{
	uint64_t size = object_number(o, "size", 0);

	if (size > FILES_BYTES)
		return files_refuse(why, "'%s' would have %llu bytes, the most is %u", name, (unsigned long long)size,
				    FILES_BYTES);
	if (object_number(o, "fill", 0) > 0xff)
		return files_refuse(why, "'%s': fill 0x%llx is no byte", name,
				    (unsigned long long)object_number(o, "fill", 0));
	make_noise(b, o, size);
	if (object_flag(o, "bootable", false) && !b->failed) {
		uint64_t at = object_number(o, "at", 0x08000000);
		struct bytes table = { 0 };

		if (size < 16)
			return files_refuse(why, "'%s' cannot be bootable with %llu bytes: it needs 16", name,
					    (unsigned long long)size);
		put_number(&table, STACK_POINTER, 4);
		put_number(&table, at + (size > CODE_OFFSET ? CODE_OFFSET : 8) + 1, 4);
		if (!table.failed)
			memcpy(b->data, table.data, 8);
		b->failed |= table.failed;
		free(table.data);
	}
	return 0;
}

/* Where an offset that may count from the end lies; -1: outside. */
static int64_t place(int64_t offset, size_t length)
{
	int64_t at = offset < 0 ? (int64_t)length + offset : offset;

	return at < 0 || at > (int64_t)length ? -1 : at;
}

static int make_part(struct files *f, struct bytes *b, const struct object *o, const char *name, const char *beside,
		     char why[FILES_WHY])
{
	const struct file *whole = need(f, object_text(o, "of", ""), beside, name, why);
	int64_t from;
	uint64_t size;

	if (!whole)
		return -EINVAL;
	from = place((int64_t)object_number(o, "from", 0), whole->length);
	size = object_number(o, "size", from < 0 ? 0 : whole->length - (uint64_t)from);
	if (from < 0 || size > whole->length - (uint64_t)from)
		return files_refuse(why, "'%s' wants %llu bytes at %lld of '%s', which has %zu", name,
				    (unsigned long long)size, (long long)object_number(o, "from", 0), whole->name,
				    whole->length);
	bytes_put(b, whole->data + from, (size_t)size);
	return 0;
}

static int make_joined(struct files *f, struct bytes *b, const struct object *o, const char *name, const char *beside,
		       char why[FILES_WHY])
{
	const struct value *join = object_value(o, "join");

	for (size_t i = 0; i < join->count; i++) {
		const struct file *part = need(f, join->list[i].text, beside, name, why);

		if (!part)
			return -EINVAL;
		bytes_put(b, part->data, part->length);
	}
	return 0;
}

/* DFU 1.1 appendix B; UM0391 2.4 for DfuSe, which has a bcdDFU of its own. */
static void put_suffix(struct bytes *b, const struct object *o, uint16_t bcd_dfu)
{
	put_number(b, o ? object_number(o, "device", 0xffff) : 0xffff, 2);
	put_number(b, o ? object_number(o, "product", 0xdf11) : 0xdf11, 2);
	put_number(b, o ? object_number(o, "vendor", 0x0483) : 0x0483, 2);
	put_number(b, bcd_dfu, 2);
	bytes_put(b, "UFD\x10", 4);
	if (!b->failed)
		put_number(b, dfu_crc(0xffffffffu, b->data, b->length), 4);
}

struct element {
	uint32_t address;
	uint8_t alt;
	const char *target; /* NULL: unnamed */
	const struct file *file;
};

static size_t same_target(const struct element *e, size_t count)
{
	size_t n = 1;

	while (n < count && e[n].alt == e->alt && (!e[n].target || (e->target && !strcmp(e[n].target, e->target))))
		n++;
	return n;
}

/* UM0391 2.1 to 2.4: prefix, then for each target a prefix and its elements, then the suffix. */
static void put_dfuse(struct bytes *b, const struct element *elements, size_t count, const struct object *o)
{
	size_t start = b->length, targets = 0, size;

	bytes_put(b, "DfuSe\x01", 6);
	put_number(b, 0, 4); /* DFUImageSize and bTargets are known at the end */
	put_number(b, 0, 1);
	for (size_t i = 0, n; i < count; i += n, targets++) {
		char name[TARGET_NAME_BYTES] = "";
		size_t bytes = 0;

		n = same_target(elements + i, count - i);
		for (size_t j = i; j < i + n; j++)
			bytes += 8 + elements[j].file->length;
		if (elements[i].target)
			snprintf(name, sizeof(name), "%s", elements[i].target);
		bytes_put(b, "Target", 6);
		put_number(b, elements[i].alt, 1);
		put_number(b, elements[i].target != NULL, 4);
		bytes_put(b, name, sizeof(name));
		put_number(b, bytes, 4);
		put_number(b, n, 4);
		for (size_t j = i; j < i + n; j++) {
			put_number(b, elements[j].address, 4);
			put_number(b, elements[j].file->length, 4);
			bytes_put(b, elements[j].file->data, elements[j].file->length);
		}
	}
	if (b->failed)
		return;
	size = b->length - start;
	for (unsigned i = 0; i < 4; i++)
		b->data[start + 6 + i] = (uint8_t)(size >> 8 * i);
	b->data[start + 10] = (uint8_t)targets;
	put_suffix(b, o, 0x011a);
}

static int make_dfuse(struct files *f, struct bytes *b, const struct object *o, const char *name, const char *beside,
		      char why[FILES_WHY])
{
	const struct value *list = object_value(o, "dfuse");
	struct element *elements = calloc(list->count + 1, sizeof(*elements));

	for (size_t i = 0; elements && i < list->count; i++) {
		const struct object *e = list->list[i].object;
		const struct file *file = need(f, object_text(e, "of", ""), beside, name, why);

		if (!file || object_number(e, "alt", 0) > 0xff) {
			if (file)
				files_refuse(why, "'%s': alt %llu is more than 255", name,
					     (unsigned long long)object_number(e, "alt", 0));
			free(elements);
			return -EINVAL;
		}
		elements[i] = (struct element){ (uint32_t)object_number(e, "address", 0),
						(uint8_t)object_number(e, "alt", 0), object_text(e, "target", NULL),
						file };
	}
	if (elements)
		put_dfuse(b, elements, list->count, o);
	b->failed |= !elements;
	free(elements);
	return 0;
}

static int make_changed(struct files *f, struct bytes *b, const struct object *o, const char *name, const char *beside,
			char why[FILES_WHY])
{
	const struct file *original = need(f, object_text(o, "copy", ""), beside, name, why);
	const struct value *set = object_value(o, "set");

	if (!original)
		return -EINVAL;
	bytes_put(b, original->data, original->length);
	for (size_t i = 0; i < set->count && !b->failed; i++) {
		const struct value *bytes = object_value(set->list[i].object, "hex");
		int64_t offset = (int64_t)object_number(set->list[i].object, "at", 0), at = place(offset, b->length);

		if (at < 0 || bytes->length > b->length - (size_t)at)
			return files_refuse(why, "'%s': %zu bytes at %lld are not within '%s', which has %zu", name,
					    bytes->length, (long long)offset, original->name, original->length);
		memcpy(b->data + at, bytes->bytes, bytes->length);
	}
	return 0;
}

void files_make_wrapped(struct bytes *b, const struct file *raw, uint32_t address, uint8_t alt)
{
	/* A suffix is no part of what is flashed. */
	const struct file payload = { .data = raw->data, .length = file_payload(raw) };
	const struct element element = { address, alt, NULL, &payload };

	put_dfuse(b, &element, 1, NULL);
}

int files_make(struct files *f, const struct value *entry, struct bytes *b, char why[FILES_WHY])
{
	const struct object *o = entry->object;
	const char *name = entry->key, *beside = entry->mark.file;
	const struct file *other;

	if (object_given(o, "of"))
		return make_part(f, b, o, name, beside, why);
	if (object_given(o, "copy"))
		return make_changed(f, b, o, name, beside, why);
	if (object_given(o, "join"))
		return make_joined(f, b, o, name, beside, why);
	if (object_given(o, "dfuse"))
		return make_dfuse(f, b, o, name, beside, why);
	if (object_given(o, "dfu-suffix")) {
		other = need(f, object_text(o, "dfu-suffix", ""), beside, name, why);
		if (!other)
			return -EINVAL;
		bytes_put(b, other->data, other->length);
		put_suffix(b, o, 0x0100);
		return 0;
	}
	if (object_given(o, "hex")) {
		bytes_put(b, object_value(o, "hex")->bytes, object_value(o, "hex")->length);
		return 0;
	}
	if (object_given(o, "size"))
		return make_sized(b, o, name, why);
	return files_refuse(
		why, "'%s' does not say what is in it: size, hex, of, join, dfuse, dfu-suffix, copy or path", name);
}
