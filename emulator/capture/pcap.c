/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of pcap files. */
#include "pcap.h"
#include <errno.h>

#define MAGIC_MICROSECONDS 0xa1b2c3d4u
#define MAGIC_NANOSECONDS 0xa1b23c4du

static uint32_t get(const uint8_t *in, unsigned bytes, bool big_endian)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)in[big_endian ? bytes - 1 - i : i] << 8 * i;
	return value;
}

static bool is_magic(uint32_t magic)
{
	return magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS;
}

bool pcap_has_magic(const uint8_t *header, size_t size)
{
	return size >= 4 && (is_magic(get(header, 4, false)) || is_magic(get(header, 4, true)));
}

int pcap_decode_file(const uint8_t *header, size_t size, struct pcap_file *f)
{
	if (size < PCAP_FILE_HEADER_BYTES)
		return -EINVAL;
	for (unsigned order = 0; order < 2; order++) {
		uint32_t magic = get(header, 4, order);

		if (!is_magic(magic))
			continue;
		f->big_endian = order;
		f->nanoseconds = magic == MAGIC_NANOSECONDS;
		f->snaplen = get(header + 16, 4, order);
		/* The upper bits tell of checksums, which USB has none of. */
		f->link_type = (uint16_t)get(header + 20, 4, order);
		return get(header + 4, 2, order) == 2 ? 0 : -EINVAL;
	}
	return -EINVAL;
}

void pcap_decode_packet(const struct pcap_file *f, const uint8_t header[PCAP_PACKET_HEADER_BYTES],
			struct pcap_packet *p)
{
	p->seconds = get(header, 4, f->big_endian);
	p->fraction = get(header + 4, 4, f->big_endian);
	p->captured = get(header + 8, 4, f->big_endian);
	p->original = get(header + 12, 4, f->big_endian);
}

bool pcap_is_sound(const struct pcap_file *f, const struct pcap_packet *p, size_t most)
{
	return p->fraction < (f->nanoseconds ? 1000000000u : 1000000u) && p->captured <= most;
}

uint64_t pcap_time_us(const struct pcap_file *f, const struct pcap_packet *p)
{
	return (uint64_t)p->seconds * 1000000 + (f->nanoseconds ? p->fraction / 1000 : p->fraction);
}
