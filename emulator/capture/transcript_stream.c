/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records to exchanges to DFU, while they come. */
#include "transcript_stream.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "pairs.h"

#define INCARNATIONS_MOST 4096

struct transcript_stream {
	struct capture_reader *reader;
	struct transcript_facts facts;
	struct incarnations devices;
	struct boards boards;
	struct pairs *pairs;
	bool begun, ended;
	uint64_t last_us;
};

struct transcript_stream *transcript_stream_new(struct capture_reader *reader, const struct transcript_facts *facts)
{
	struct transcript_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->reader = reader;
	s->facts = facts ? *facts : transcript_facts_of(NULL);
	s->boards.serials = s->facts.serials;
	s->begun = s->facts.has_origin;
	if (!incarnations_init(&s->devices, INCARNATIONS_MOST))
		s->pairs = pairs_new(&s->devices);
	if (s->pairs)
		return s;
	transcript_stream_free(s);
	return NULL;
}

void transcript_stream_free(struct transcript_stream *s)
{
	if (!s)
		return;
	pairs_free(s->pairs);
	incarnations_free(&s->devices);
	boards_free(&s->boards);
	free(s);
}

static void board_was_heard(struct transcript_stream *s, const struct incarnation *i)
{
	for (size_t n = 0; n < s->boards.count; n++)
		if (s->boards.all[n].number == i->board)
			s->boards.all[n].last = i->last;
}

static int interpret(struct transcript_stream *s, struct exchange *x)
{
	struct incarnation *i;

	if (is_set_usb_address(x)) {
		i = incarnations_at(&s->devices, x->bus, (uint8_t)(x->setup.value & 0x7f));
		if (i)
			i->state = DFU_STATE_UNKNOWN;
	}
	i = incarnations_get(&s->devices, x->incarnation);
	if (!i)
		return 0;
	if (!i->board && is_in_dfu_mode(i) && is_dfu_request(&x->setup)) {
		int error = boards_number(&s->boards, i);

		if (error)
			return error;
	} else if (!i->board && !is_in_dfu_mode(i)) {
		boards_number_application(&s->boards, i);
	}
	board_was_heard(s, i);
	transcript_interpret(x, i, &s->facts);
	return 0;
}

int transcript_stream_next(struct transcript_stream *s, struct exchange *x)
{
	struct capture_record r;

	while (!pairs_take(s->pairs, x)) {
		int more;

		if (s->ended)
			return 0;
		more = capture_reader_next(s->reader, &r);
		if (more < 0)
			return more;
		if (!more) {
			s->ended = true;
			pairs_end(s->pairs);
			continue;
		}
		if (!s->begun) {
			s->begun = true;
			s->facts.origin_us = r.time_us;
		}
		if (r.time_us > s->facts.origin_us && r.time_us - s->facts.origin_us > s->last_us)
			s->last_us = r.time_us - s->facts.origin_us;
		more = pairs_feed(s->pairs, &r, r.time_us > s->facts.origin_us ? r.time_us - s->facts.origin_us : 0);
		if (more)
			return more;
	}
	return interpret(s, x) ? -ENOMEM : 1;
}

uint64_t transcript_stream_origin_us(const struct transcript_stream *s)
{
	return s->facts.origin_us;
}

uint64_t transcript_stream_last_us(const struct transcript_stream *s)
{
	return s->last_us;
}

uint64_t transcript_stream_others(const struct transcript_stream *s)
{
	return pairs_others(s->pairs);
}

struct capture_damage transcript_stream_damage(const struct transcript_stream *s)
{
	struct capture_damage d = *capture_reader_damage(s->reader);

	pairs_damage(s->pairs, &d);
	return d;
}

bool transcript_stream_device(const struct transcript_stream *s, unsigned incarnation, struct transcript_device *out)
{
	const struct incarnation *i = incarnations_get(&s->devices, incarnation);

	if (!i)
		return false;
	*out = (struct transcript_device){
		.bus = i->bus,
		.address = i->address,
		.serial = i->serial,
		.dfu_mode = is_in_dfu_mode(i),
		.board = i->board,
		.transfer_size_bytes = i->transfer_size_bytes,
	};
	if (i->has_descriptor) {
		out->vendor = (uint16_t)(i->descriptor[8] | i->descriptor[9] << 8);
		out->product = (uint16_t)(i->descriptor[10] | i->descriptor[11] << 8);
	}
	return true;
}
