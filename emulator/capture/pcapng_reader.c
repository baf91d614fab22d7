/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcapng blocks: reading, with every length checked before it is used. */
#include <errno.h>
#include <string.h>
#include "pcapng.h"
#include "pcapng_format.h"

static uint32_t get(const struct pcapng_reader *r, size_t at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)r->data[at + (r->big_endian ? bytes - 1 - i : i)] << 8 * i;
	return value;
}

/* 64 bits as options have them. */
static uint64_t get_wide(const struct pcapng_reader *r, const uint8_t *value)
{
	size_t at = (size_t)(value - r->data);
	uint64_t first = get(r, at, 4), second = get(r, at + 4, 4);

	return r->big_endian ? first << 32 | second : second << 32 | first;
}

static int broken(struct pcapng_reader *r, const char *error)
{
	r->error = error;
	return -EINVAL;
}

struct option {
	uint16_t code;
	const uint8_t *value;
	size_t length;
};

/* The option at *at of a block body that ends at end. 1, 0 when there is no other, -EINVAL. */
static int next_option(struct pcapng_reader *r, size_t *at, size_t end, struct option *o)
{
	if (end - *at < 4)
		return 0;
	o->code = (uint16_t)get(r, *at, 2);
	o->length = get(r, *at + 2, 2);
	o->value = r->data + *at + 4;
	if (o->code == PCAPNG_END_OF_OPTIONS)
		return 0;
	if (pcapng_padded(o->length) > end - *at - 4)
		return broken(r, "option longer than its block");
	*at += 4 + pcapng_padded(o->length);
	return 1;
}

static int read_section(struct pcapng_reader *r, size_t at, size_t end)
{
	struct option o;
	int more;

	if (end - at < 16)
		return broken(r, "section header too short");
	if (get(r, at + 4, 2) != 1)
		return broken(r, "unknown major version of the format");
	r->in_section = true;
	r->interface_count = 0;
	r->application = NULL;
	r->application_length = 0;
	at += 16;
	while ((more = next_option(r, &at, end, &o)) > 0) {
		if (o.code != PCAPNG_SHB_USERAPPL)
			continue;
		r->application = (const char *)o.value;
		r->application_length = o.length;
	}
	return more;
}

static int read_interface(struct pcapng_reader *r, size_t at, size_t end)
{
	struct pcapng_interface *i;
	struct option o;
	int more;

	if (end - at < 8)
		return broken(r, "interface description too short");
	if (r->interface_count == PCAPNG_MAX_INTERFACES)
		return broken(r, "too many interfaces");
	i = &r->interfaces[r->interface_count];
	*i = (struct pcapng_interface){ .link_type = (uint16_t)get(r, at, 2),
					.snaplen = get(r, at + 4, 4),
					.resolution = 6 };
	at += 8;
	while ((more = next_option(r, &at, end, &o)) > 0) {
		if (o.code == PCAPNG_IF_TSRESOL && o.length == 1)
			i->resolution = o.value[0];
		else if (o.code == PCAPNG_IF_TSOFFSET && o.length == 8)
			i->offset_s = (int64_t)get_wide(r, o.value);
	}
	if (!more)
		r->interface_count++;
	return more;
}

/* if_tsresol: a power of ten, or of two if the top bit is set. Saturates. */
static uint64_t to_us(uint64_t ticks, uint8_t resolution)
{
	unsigned n = resolution & 0x7f;
	uint64_t seconds, fraction;

	if (!(resolution & 0x80)) {
		for (; n > 6; n--)
			ticks /= 10;
		for (; n < 6; n++)
			ticks = ticks > UINT64_MAX / 10 ? UINT64_MAX : ticks * 10;
		return ticks;
	}
	if (n > 63)
		return 0;
	seconds = ticks >> n;
	fraction = ticks & ((UINT64_C(1) << n) - 1);
	for (; n > 40; n--) /* so that the product stays within 64 bits */
		fraction >>= 1;
	if (seconds > UINT64_MAX / 1000000 - 1)
		return UINT64_MAX;
	return seconds * 1000000 + (fraction * 1000000 >> n);
}

/* Interface time to microseconds since 1970. */
static uint64_t time_of(const struct pcapng_interface *i, uint64_t ticks)
{
	uint64_t time_us = to_us(ticks, i->resolution);

	if (!i->offset_s || i->offset_s > INT64_MAX / 1000000 || i->offset_s < INT64_MIN / 1000000)
		return time_us;
	return time_us + (uint64_t)(i->offset_s * 1000000);
}

static int give(struct pcapng_reader *r, struct pcapng_packet *p, size_t at, size_t end)
{
	if (p->captured > end - at)
		return broken(r, "packet longer than its block");
	p->link_type = r->interfaces[p->interface].link_type;
	p->big_endian = r->big_endian;
	p->data = r->data + at;
	return 1;
}

/* Enhanced packet blocks, and the obsolete ones, which have interface and drops in the place of the interface. */
static int read_packet(struct pcapng_reader *r, size_t at, size_t end, bool old, struct pcapng_packet *p)
{
	struct option o;
	uint32_t drops = 0;
	int given, more;

	if (end - at < 20)
		return broken(r, "packet block too short");
	p->interface = get(r, at, old ? 2 : 4);
	if (old)
		drops = get(r, at + 2, 2);
	if (p->interface >= r->interface_count)
		return broken(r, "packet of an interface that was not described");
	p->has_time = true;
	p->time_us = time_of(&r->interfaces[p->interface], (uint64_t)get(r, at + 4, 4) << 32 | get(r, at + 8, 4));
	p->captured = get(r, at + 12, 4);
	p->original = get(r, at + 16, 4);
	given = give(r, p, at + 20, end);
	if (given < 0)
		return given;
	r->dropped += drops == 0xffff ? 0 : drops;
	at += 20 + pcapng_padded(p->captured);
	while (at < end && (more = next_option(r, &at, end, &o)) > 0)
		if (!old && o.code == PCAPNG_EPB_DROPCOUNT && o.length == 8)
			r->dropped += get_wide(r, o.value);
	r->error = NULL; /* options of a packet that is whole are no reason to refuse it */
	return given;
}

/* Its length is that of the block and the interface's limit. */
static int read_simple(struct pcapng_reader *r, size_t at, size_t end, struct pcapng_packet *p)
{
	uint32_t limit;

	if (end - at < 4)
		return broken(r, "packet block too short");
	if (!r->interface_count)
		return broken(r, "packet of an interface that was not described");
	limit = r->interfaces[0].snaplen;
	p->interface = 0;
	p->has_time = false;
	p->time_us = 0;
	p->original = get(r, at, 4);
	p->captured = limit && limit < p->original ? limit : p->original;
	return give(r, p, at + 4, end);
}

static int read_statistics(struct pcapng_reader *r, size_t at, size_t end)
{
	struct option o;
	uint32_t interface;
	uint64_t dropped = 0;
	int more;

	if (end - at < 12)
		return broken(r, "interface statistics too short");
	interface = get(r, at, 4);
	at += 12;
	while ((more = next_option(r, &at, end, &o)) > 0)
		if ((o.code == PCAPNG_ISB_IFDROP || o.code == PCAPNG_ISB_OSDROP) && o.length == 8)
			dropped += get_wide(r, o.value);
	if (!more && interface < r->interface_count)
		r->interfaces[interface].dropped = dropped;
	return more;
}

void pcapng_reader_init(struct pcapng_reader *r, const uint8_t *data, size_t size)
{
	memset(r, 0, sizeof(*r));
	r->data = data;
	r->size = size;
}

void pcapng_reader_move(struct pcapng_reader *r, const uint8_t *data, size_t size)
{
	r->data = data;
	r->size = size;
	r->at = 0;
	r->error = NULL;
	r->truncated = false;
	r->application = NULL;
	r->application_length = 0;
}

int pcapng_reader_next(struct pcapng_reader *r, struct pcapng_packet *p)
{
	if (r->error)
		return -EINVAL;
	while (r->at < r->size) {
		size_t left = r->size - r->at, length, at, end;
		uint32_t type;
		int result = 0;

		if (left < 12)
			break;
		type = get(r, r->at, 4); /* that of a section reads the same either way */
		if (type == PCAPNG_SECTION) {
			r->big_endian = false;
			if (get(r, r->at + 8, 4) != PCAPNG_MAGIC)
				r->big_endian = true;
			if (get(r, r->at + 8, 4) != PCAPNG_MAGIC)
				return broken(r, "section without its byte-order magic");
		} else if (!r->in_section) {
			return broken(r, "not a pcapng file");
		}
		length = get(r, r->at + 4, 4);
		if (length < 12 || length % 4)
			return broken(r, "impossible block length");
		if (length > left)
			break;
		if (get(r, r->at + length - 4, 4) != length)
			return broken(r, "the two lengths of a block differ");
		at = r->at + 8;
		end = r->at + length - 4;
		if (type == PCAPNG_SECTION)
			result = read_section(r, at, end);
		else if (type == PCAPNG_INTERFACE)
			result = read_interface(r, at, end);
		else if (type == PCAPNG_ENHANCED_PACKET)
			result = read_packet(r, at, end, false, p);
		else if (type == PCAPNG_OLD_PACKET)
			result = read_packet(r, at, end, true, p);
		else if (type == PCAPNG_SIMPLE_PACKET)
			result = read_simple(r, at, end, p);
		else if (type == PCAPNG_STATISTICS)
			result = read_statistics(r, at, end);
		if (result < 0)
			return result;
		r->at += length;
		if (result)
			return 1;
	}
	if (r->at < r->size) {
		if (!r->in_section)
			return broken(r, "not a pcapng file");
		r->truncated = true;
	}
	return 0;
}
