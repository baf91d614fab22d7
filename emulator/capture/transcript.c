/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole captures to transfers. */
#include "transcript.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "pairs.h"
#include "transcript_internal.h"

struct reading {
	struct transcript *t;
	size_t room;
	uint8_t *bytes; /* of all data stages: never more than the capture has */
	size_t used;
	struct incarnations devices;
	struct pairs *pairs;
	size_t records;
};

static int make_room(struct reading *r)
{
	size_t room = r->room ? r->room * 2 : 64;
	void *p;

	if (r->t->count < r->room)
		return 0;
	p = realloc(r->t->exchanges, room * sizeof(*r->t->exchanges));
	if (!p)
		return -ENOMEM;
	r->t->exchanges = p;
	r->room = room;
	return 0;
}

static int take_ready(struct reading *r)
{
	struct exchange x;

	while (pairs_take(r->pairs, &x)) {
		int error = make_room(r);

		if (error)
			return error;
		if (x.length) {
			memcpy(r->bytes + r->used, x.data, x.length);
			x.data = r->bytes + r->used;
			r->used += x.length;
		}
		r->t->exchanges[r->t->count++] = x;
	}
	return 0;
}

static int read_records(struct reading *r, struct capture_reader *reader, bool has_origin)
{
	struct transcript *t = r->t;
	struct capture_record record;
	int more, error = 0;

	while (!error && (more = capture_reader_next(reader, &record)) > 0) {
		if (!r->records++ && !has_origin)
			t->origin_us = record.time_us;
		error = pairs_feed(r->pairs, &record,
				   record.time_us > t->origin_us ? record.time_us - t->origin_us : 0);
		if (!error)
			error = take_ready(r);
	}
	if (error || more)
		return error ? error : more;
	pairs_end(r->pairs);
	return take_ready(r);
}

/* All that is wrong, in one line. */
static int tell_damage(struct reading *r, struct capture_damage d)
{
	char text[CAPTURE_DAMAGE_TEXT];
	size_t used = 0, room = 16 * CAPTURE_DAMAGE_TEXT;

	d.under_way = 0;
	if (!capture_damage_text(&d, 0, text)[0])
		return 0;
	r->t->words = malloc(room);
	if (!r->t->words)
		return -ENOMEM;
	for (unsigned i = 0; i < 16 && capture_damage_text(&d, i, text)[0]; i++) {
		size_t length = strlen(text);

		memcpy(r->t->words + used, i ? "; " : "", i ? 2 : 0);
		used += i ? 2 : 0;
		memcpy(r->t->words + used, text, length);
		used += length;
	}
	r->t->words[used] = '\0';
	r->t->damage = r->t->words;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct exchange *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static void interpret(struct reading *r, const struct transcript_facts *facts)
{
	struct transcript *t = r->t;

	if (t->count)
		qsort(t->exchanges, t->count, sizeof(*t->exchanges), by_number);
	for (size_t n = 0; n < t->count; n++) {
		struct exchange *x = &t->exchanges[n];
		struct incarnation *i;

		if (is_set_usb_address(x)) {
			i = incarnations_find(&r->devices, x->bus, (uint8_t)(x->setup.value & 0x7f), n);
			if (i)
				i->state = DFU_STATE_UNKNOWN;
		}
		i = incarnations_get(&r->devices, x->incarnation);
		if (!i)
			continue;
		transcript_interpret(x, i, facts);
		if (is_in_dfu_mode(i) && i->transfer_size_bytes)
			t->transfer_size_bytes = i->transfer_size_bytes;
	}
}

static int read_capture(struct reading *r, struct capture_reader *reader, const struct transcript_facts *facts)
{
	struct transcript *t = r->t;
	struct capture_damage damage;
	int error = read_records(r, reader, facts->has_origin);

	if (error)
		return error;
	damage = *capture_reader_damage(reader);
	pairs_damage(r->pairs, &damage);
	t->packets = capture_reader_packets(reader);
	t->others = pairs_others(r->pairs);
	t->lost = damage.foreign + damage.malformed + damage.no_submission;
	error = incarnations_number_boards(&r->devices, facts->serials);
	if (!error)
		error = tell_damage(r, damage);
	if (error)
		return error;
	interpret(r, facts);
	return damage.no_capture || damage.empty || (t->packets && !r->records) ? -EINVAL : 0;
}

struct transcript_facts transcript_facts_of(const struct mcu_profile *p)
{
	if (!p)
		return (struct transcript_facts){ .default_pointer = 0x08000000 };
	return (struct transcript_facts){
		.transfer_size_bytes = p->transfer_size_bytes,
		.default_pointer = p->default_pointer,
		.erase_sets_pointer = p->erase_sets_pointer,
		.errors_set_pointer = p->errors_set_pointer,
		.clrstatus_to_error = p->clrstatus_rule == CLRSTATUS_TO_ERROR,
		.stall_keeps_state = p->wrong_state == WRONG_STATE_STALL_STAYS,
		.abort_keeps_error = !p->abort_leaves_error,
	};
}

int transcript_read(struct transcript *t, const uint8_t *data, size_t length, const struct transcript_facts *facts)
{
	struct transcript_facts otherwise = transcript_facts_of(NULL);
	struct capture_reader *reader = capture_reader_from_memory(data, length);
	struct reading r = { .t = t };
	int error = -ENOMEM;

	if (!facts)
		facts = &otherwise;
	memset(t, 0, sizeof(*t));
	t->origin_us = facts->has_origin ? facts->origin_us : 0;
	r.bytes = malloc(length ? length : 1);
	t->memory = r.bytes;
	if (r.bytes && reader && !incarnations_init(&r.devices, 0))
		r.pairs = pairs_new(&r.devices);
	if (r.pairs)
		error = read_capture(&r, reader, facts);
	pairs_free(r.pairs);
	incarnations_free(&r.devices);
	capture_reader_free(reader);
	return error;
}

void transcript_free(struct transcript *t)
{
	free(t->exchanges);
	free(t->memory);
	free(t->words);
	memset(t, 0, sizeof(*t));
}
