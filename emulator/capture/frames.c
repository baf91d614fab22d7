/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files to packets: which format it is, and where the next packet begins if the last one does not say so. */
#include "frames.h"
#include <errno.h>
#include <string.h>
#include "pcapng_format.h"

#define GIVE_UP 1 /* beside 0 and -errno: nothing more can be read */

static uint32_t word(const struct frames *f, const uint8_t *b)
{
	if (f->pcapng.big_endian)
		return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

void frames_init(struct frames *f, struct capture_damage *damage)
{
	memset(f, 0, sizeof(*f));
	f->damage = damage;
}

void frames_free(struct frames *f)
{
	window_free(&f->window);
}

static void note_break(struct frames *f, uint64_t at, uint64_t bytes, const char *why)
{
	struct capture_damage *d = f->damage;

	if (!d->breaks++) {
		d->break_at = at;
		d->break_why = why;
	}
	d->skipped_bytes += bytes;
}

static void note_cut_off(struct frames *f)
{
	f->damage->truncated = true;
	f->damage->truncated_at = window_offset(&f->window);
}

static int detect(struct frames *f)
{
	struct capture_damage *d = f->damage;
	size_t have;
	const uint8_t *b = window_peek(&f->window, PCAP_FILE_HEADER_BYTES, &have);

	if (!have) {
		d->empty = !f->window.no_memory && !f->window.error;
	} else if (have >= 4 && word(f, b) == PCAPNG_SECTION) {
		f->format = CAPTURE_PCAPNG;
		pcapng_reader_init(&f->pcapng, b, 0);
		return 0;
	} else if (!pcap_decode_file(b, have, &f->pcap)) {
		f->format = CAPTURE_PCAP;
		window_skip(&f->window, PCAP_FILE_HEADER_BYTES);
		return 0;
	} else {
		d->no_capture = true;
		if (have < PCAP_FILE_HEADER_BYTES && pcap_has_magic(b, have))
			d->break_why = "its header is cut off";
		if (have >= 2 && b[0] == 0x1f && b[1] == 0x8b)
			d->break_why = "it is compressed: gunzip does it";
		else if (have >= 4 && b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd)
			d->break_why = "it is compressed: zstd -d does it";
	}
	return GIVE_UP;
}

/* The length of a block that is whole and looks like one; 0 if none begins there. */
static size_t block_at(struct frames *f, size_t at)
{
	size_t have, length;
	const uint8_t *b = window_peek(&f->window, at + 12, &have);
	uint32_t type;

	if (have < at + 12)
		return 0;
	type = word(f, b + at);
	if (type == PCAPNG_SECTION) {
		bool before = f->pcapng.big_endian;

		f->pcapng.big_endian = b[at + 8] == 0x1a;
		length = word(f, b + at + 4);
		f->pcapng.big_endian = before;
	} else if ((type >= PCAPNG_INTERFACE && type <= PCAPNG_ENHANCED_PACKET) || type == PCAPNG_SECRETS) {
		length = word(f, b + at + 4);
	} else {
		return 0;
	}
	if (length < 12 || length % 4 || length > FRAME_BYTES)
		return 0;
	b = window_peek(&f->window, at + length, &have);
	/* Of a section in the other byte order both lengths read the same, whatever they are. */
	if (have < at + length || memcmp(b + at + 4, b + at + length - 4, 4))
		return 0;
	return type == PCAPNG_ENHANCED_PACKET && (length < 32 || word(f, b + at + 20) > length - 32) ? 0 : length;
}

/* Passes over what is broken, up to the next block. GIVE_UP if there is none. */
static int pass_over_blocks(struct frames *f, const char *why)
{
	uint64_t from = window_offset(&f->window);
	size_t have;

	for (;;) {
		const uint8_t *b = window_peek(&f->window, 16, &have);

		if (!b && f->window.no_memory)
			return -ENOMEM;
		if (have < 16) {
			window_skip(&f->window, have);
			break;
		}
		window_skip(&f->window, 1);
		if (block_at(f, 0))
			break;
	}
	note_break(f, from, window_offset(&f->window) - from, why);
	window_peek(&f->window, 1, &have);
	return have ? 0 : GIVE_UP;
}

/* The block is not whole: because the file ends there, or because its length is wrong and others follow. */
static int cut_off_block(struct frames *f, size_t left)
{
	for (size_t at = 1; at + 12 <= left; at++)
		if (block_at(f, at)) {
			uint64_t from = window_offset(&f->window);

			window_skip(&f->window, at);
			note_break(f, from, at, "block longer than the file");
			return 0;
		}
	note_cut_off(f);
	return GIVE_UP;
}

static void keep_application(struct frames *f)
{
	size_t n = f->pcapng.application_length;

	if (!f->pcapng.application)
		return;
	if (n > sizeof(f->application) - 1)
		n = sizeof(f->application) - 1;
	for (size_t i = 0; i < n; i++) {
		char c = f->pcapng.application[i];

		f->application[i] = c;
		if (c < ' ' || c > '~')
			f->application[i] = c ? '?' : '\0';
	}
	f->application[n] = '\0';
}

/* What the recorder says it lost: as packets tell it, and as the statistics at the end do. */
static void count_dropped(struct frames *f)
{
	uint64_t statistics = 0;

	for (unsigned i = 0; i < f->pcapng.interface_count; i++)
		statistics += f->pcapng.interfaces[i].dropped;
	f->damage->gap_anywhere |= statistics > f->pcapng.dropped;
	if (statistics > f->damage->dropped)
		f->damage->dropped = statistics;
	if (f->pcapng.dropped > f->damage->dropped)
		f->damage->dropped = f->pcapng.dropped;
}

/* 0, GIVE_UP or -ENOMEM; *given tells whether there was a packet in the block. */
static int read_block(struct frames *f, struct frame *out, bool *given)
{
	size_t have, length;
	const uint8_t *b = window_peek(&f->window, 12, &have);
	struct pcapng_packet p;
	bool big_endian = f->pcapng.big_endian;
	int more;

	if (!have)
		return f->window.no_memory ? -ENOMEM : GIVE_UP;
	if (have < 12) {
		note_cut_off(f);
		return GIVE_UP;
	}
	if (word(f, b) == PCAPNG_SECTION)
		f->pcapng.big_endian = b[8] == 0x1a;
	length = word(f, b + 4);
	f->pcapng.big_endian = big_endian;
	if (length < 12 || length % 4 || length > FRAME_BYTES)
		return pass_over_blocks(f, "impossible block length");
	b = window_peek(&f->window, length, &have);
	if (!b)
		return -ENOMEM;
	if (have < length)
		return cut_off_block(f, have);
	pcapng_reader_move(&f->pcapng, b, length);
	more = pcapng_reader_next(&f->pcapng, &p);
	if (more < 0) {
		f->pcapng.big_endian = big_endian;
		if (!f->pcapng.in_section) {
			f->damage->no_capture = true;
			f->damage->break_why = f->pcapng.error;
			return GIVE_UP;
		}
		/* A block whose frame is right can be passed over as a whole. */
		if (memcmp(b + 4, b + length - 4, 4))
			return pass_over_blocks(f, f->pcapng.error);
		note_break(f, window_offset(&f->window), length, f->pcapng.error);
		window_skip(&f->window, length);
		return 0;
	}
	keep_application(f);
	count_dropped(f);
	f->unread = length;
	if (!more)
		return 0;
	*out = (struct frame){
		.offset = window_offset(&f->window),
		.link_type = p.link_type,
		.big_endian = p.big_endian,
		.has_time = p.has_time,
		.time_us = p.time_us,
		.data = p.data,
		.captured = p.captured,
		.original = p.original,
	};
	*given = true;
	return 0;
}

/* How far the clock may run on between two packets, when looking for one: a day. */
#define NEAR_SECONDS 86400

static bool is_near(const struct frames *f, uint32_t seconds)
{
	return !f->last_seconds || (seconds >= f->last_seconds - 1 && seconds - f->last_seconds + 1 <= NEAR_SECONDS);
}

/* A packet begins there, and another one, or the end of the file, follows it. */
static bool packet_at(struct frames *f, size_t at)
{
	struct pcap_packet p;
	size_t have, next;
	const uint8_t *b;

	for (unsigned i = 0; i < 2; i++) {
		b = window_peek(&f->window, at + PCAP_PACKET_HEADER_BYTES, &have);
		if (have < at + PCAP_PACKET_HEADER_BYTES)
			return i && have == at;
		pcap_decode_packet(&f->pcap, b + at, &p);
		if (!pcap_is_sound(&f->pcap, &p, FRAME_BYTES) || !is_near(f, p.seconds) || !p.captured ||
		    (p.captured > p.original && p.original))
			return false;
		next = at + PCAP_PACKET_HEADER_BYTES + p.captured;
		if (!i) {
			window_peek(&f->window, next, &have);
			if (have < next)
				return false;
		}
		at = next;
	}
	return true;
}

static int pass_over_packets(struct frames *f, const char *why)
{
	uint64_t from = window_offset(&f->window);
	size_t have;

	for (;;) {
		const uint8_t *b = window_peek(&f->window, PCAP_PACKET_HEADER_BYTES + 1, &have);

		if (!b && f->window.no_memory)
			return -ENOMEM;
		if (have <= PCAP_PACKET_HEADER_BYTES) {
			window_skip(&f->window, have);
			break;
		}
		window_skip(&f->window, 1);
		if (packet_at(f, 0))
			break;
	}
	note_break(f, from, window_offset(&f->window) - from, why);
	window_peek(&f->window, 1, &have);
	return have ? 0 : GIVE_UP;
}

static int cut_off_packet(struct frames *f, size_t left)
{
	for (size_t at = 1; at + PCAP_PACKET_HEADER_BYTES < left; at++)
		if (packet_at(f, at)) {
			uint64_t from = window_offset(&f->window);

			window_skip(&f->window, at);
			note_break(f, from, at, "packet longer than the file");
			return 0;
		}
	note_cut_off(f);
	return GIVE_UP;
}

static int read_pcap(struct frames *f, struct frame *out, bool *given)
{
	size_t have, length;
	const uint8_t *b = window_peek(&f->window, PCAP_PACKET_HEADER_BYTES, &have);
	struct pcap_packet p;

	if (!have)
		return f->window.no_memory ? -ENOMEM : GIVE_UP;
	if (have < PCAP_PACKET_HEADER_BYTES) {
		note_cut_off(f);
		return GIVE_UP;
	}
	pcap_decode_packet(&f->pcap, b, &p);
	if (!pcap_is_sound(&f->pcap, &p, FRAME_BYTES))
		return pass_over_packets(f, "impossible packet header");
	length = PCAP_PACKET_HEADER_BYTES + p.captured;
	b = window_peek(&f->window, length, &have);
	if (!b)
		return -ENOMEM;
	if (have < length)
		return cut_off_packet(f, have);
	f->last_seconds = p.seconds;
	*out = (struct frame){
		.offset = window_offset(&f->window),
		.link_type = f->pcap.link_type,
		.big_endian = f->pcap.big_endian,
		.has_time = true,
		.time_us = pcap_time_us(&f->pcap, &p),
		.data = b + PCAP_PACKET_HEADER_BYTES,
		.captured = p.captured,
		.original = p.original,
	};
	f->unread = length;
	*given = true;
	return 0;
}

int frames_next(struct frames *f, struct frame *out)
{
	bool given = false;
	int result = f->finished ? GIVE_UP : 0;

	while (!result && !given) {
		window_skip(&f->window, f->unread);
		f->unread = 0;
		if (f->format == CAPTURE_UNKNOWN)
			result = detect(f);
		else if (f->format == CAPTURE_PCAPNG)
			result = read_block(f, out, &given);
		else
			result = read_pcap(f, out, &given);
	}
	f->finished |= result == GIVE_UP;
	f->damage->read_error = f->window.error;
	return result < 0 ? result : given;
}
