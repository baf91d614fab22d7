/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcapng blocks: writing. */
#include <string.h>
#include "pcapng.h"
#include "pcapng_format.h"

/* Counts everything, keeps what fits: the same code measures and writes. */
struct out {
	uint8_t *bytes;
	size_t size, length;
};

static void put_bytes(struct out *o, const void *bytes, size_t n)
{
	if (n && o->length <= o->size && n <= o->size - o->length)
		memcpy(o->bytes + o->length, bytes, n);
	o->length += n;
}

static void put_u32(struct out *o, uint32_t v)
{
	put_bytes(o, (const uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) }, 4);
}

static void put_u16(struct out *o, uint16_t v)
{
	put_bytes(o, (const uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8) }, 2);
}

static void put_padding(struct out *o, size_t length)
{
	put_bytes(o, (const uint8_t[3]){ 0 }, pcapng_padded(length) - length);
}

static size_t option_size(const char *text)
{
	return text ? 4 + pcapng_padded(strlen(text)) : 0;
}

static void put_option(struct out *o, uint16_t code, const char *text)
{
	size_t length;

	if (!text)
		return;
	length = strlen(text);
	put_u16(o, code);
	put_u16(o, (uint16_t)length);
	put_bytes(o, text, length);
	put_padding(o, length);
}

size_t pcapng_format_start(const struct pcapng_origin *origin, uint8_t *out, size_t size)
{
	struct out o = { out, size, 0 };
	uint32_t section = 28 + 4 +
			   (uint32_t)(option_size(origin->hardware) + option_size(origin->os) +
				      option_size(origin->application));
	uint32_t interface = 20 + 8 + 4 + (uint32_t)option_size(origin->interface);

	put_u32(&o, PCAPNG_SECTION);
	put_u32(&o, section);
	put_u32(&o, PCAPNG_MAGIC);
	put_u16(&o, 1); /* version 1.0 */
	put_u16(&o, 0);
	put_u32(&o, 0xffffffff); /* section length unknown: it grows */
	put_u32(&o, 0xffffffff);
	put_option(&o, PCAPNG_SHB_HARDWARE, origin->hardware);
	put_option(&o, PCAPNG_SHB_OS, origin->os);
	put_option(&o, PCAPNG_SHB_USERAPPL, origin->application);
	put_u32(&o, PCAPNG_END_OF_OPTIONS);
	put_u32(&o, section);

	put_u32(&o, PCAPNG_INTERFACE);
	put_u32(&o, interface);
	put_u16(&o, origin->link_type);
	put_u16(&o, 0);
	put_u32(&o, 0); /* no snapshot limit */
	put_option(&o, PCAPNG_IF_NAME, origin->interface);
	put_u16(&o, PCAPNG_IF_TSRESOL);
	put_u16(&o, 1);
	put_u32(&o, 6); /* 10^-6 s, padded */
	put_u32(&o, PCAPNG_END_OF_OPTIONS);
	put_u32(&o, interface);
	return o.length;
}

size_t pcapng_format_packet(uint64_t time_us, const uint8_t *header, size_t header_length, const uint8_t *data,
			    size_t data_length, size_t original, uint8_t *out, size_t size)
{
	struct out o = { out, size, 0 };
	size_t captured = header_length + data_length;
	uint32_t total = (uint32_t)(32 + pcapng_padded(captured));

	put_u32(&o, PCAPNG_ENHANCED_PACKET);
	put_u32(&o, total);
	put_u32(&o, 0); /* the one interface */
	put_u32(&o, (uint32_t)(time_us >> 32));
	put_u32(&o, (uint32_t)time_us);
	put_u32(&o, (uint32_t)captured);
	put_u32(&o, (uint32_t)original);
	put_bytes(&o, header, header_length);
	put_bytes(&o, data, data_length);
	put_padding(&o, captured);
	put_u32(&o, total);
	return o.length;
}
