/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole captures to transfers. */
#include "transcript.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "pairs.h"
#include "transcript_internal.h"

#define CHUNK_BYTES ((size_t)1 << 20)

/* Data stages; they stay where they are. */
struct chunk {
	struct chunk *next;
	uint8_t bytes[];
};

struct reading {
	struct transcript *t;
	size_t room;
	size_t used, chunk_room; /* of the chunk in t->memory */
	size_t held, most;       /* bytes of memory; most 0: any */
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
	if (r->most && r->held + (room - r->room) * sizeof(*r->t->exchanges) > r->most)
		return -EFBIG;
	p = realloc(r->t->exchanges, room * sizeof(*r->t->exchanges));
	if (!p)
		return -ENOMEM;
	r->t->exchanges = p;
	r->held += (room - r->room) * sizeof(*r->t->exchanges);
	r->room = room;
	return 0;
}

static int keep_data(struct reading *r, struct exchange *x)
{
	size_t room = x->length > CHUNK_BYTES ? x->length : CHUNK_BYTES;
	struct chunk *c = r->t->memory;

	if (!x->length)
		return 0;
	if (!c || r->chunk_room - r->used < x->length) {
		if (r->most && r->held + room > r->most)
			return -EFBIG;
		c = malloc(sizeof(*c) + room);
		if (!c)
			return -ENOMEM;
		c->next = r->t->memory;
		r->t->memory = c;
		r->held += room;
		r->chunk_room = room;
		r->used = 0;
	}
	memcpy(c->bytes + r->used, x->data, x->length);
	x->data = c->bytes + r->used;
	r->used += x->length;
	return 0;
}

static int take_ready(struct reading *r)
{
	struct exchange x;

	while (pairs_take(r->pairs, &x)) {
		int error = make_room(r);

		if (!error)
			error = keep_data(r, &x);
		if (error)
			return error;
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

static int read_capture(struct reading *r, const struct transcript_source *source)
{
	struct transcript_facts facts = source->facts ? *source->facts : transcript_facts_of(NULL);
	struct capture_reader *reader = source->reader;
	struct transcript *t = r->t;
	struct capture_damage damage;
	int error;

	t->origin_us = facts.has_origin ? facts.origin_us : 0;
	error = read_records(r, reader, facts.has_origin);
	if (error)
		return error;
	damage = *capture_reader_damage(reader);
	pairs_damage(r->pairs, &damage);
	t->packets = capture_reader_packets(reader);
	t->others = pairs_others(r->pairs);
	t->lost = damage.foreign + damage.malformed + damage.no_submission;
	t->gap = damage.gap_anywhere ? 1 : damage.gap_before;
	error = incarnations_number_boards(&r->devices, facts.serials);
	if (!error)
		error = tell_damage(r, damage);
	if (error)
		return error;
	if (t->count)
		qsort(t->exchanges, t->count, sizeof(*t->exchanges), by_number);
	incarnations_assign(&r->devices, t->exchanges, t->count);
	if (source->choose)
		facts = source->choose(source->context, t);
	interpret(r, &facts);
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

int transcript_read_from(struct transcript *t, const struct transcript_source *source)
{
	struct reading r = { .t = t, .most = source->most_bytes };
	int error = -ENOMEM;

	memset(t, 0, sizeof(*t));
	if (!incarnations_init(&r.devices, 0))
		r.pairs = pairs_new(&r.devices);
	if (r.pairs)
		error = read_capture(&r, source);
	pairs_free(r.pairs);
	incarnations_free(&r.devices);
	return error;
}

int transcript_read(struct transcript *t, const uint8_t *data, size_t length, const struct transcript_facts *facts)
{
	struct transcript_source source = { .reader = capture_reader_from_memory(data, length), .facts = facts };
	int error;

	memset(t, 0, sizeof(*t));
	if (!source.reader)
		return -ENOMEM;
	error = transcript_read_from(t, &source);
	capture_reader_free(source.reader);
	return error;
}

void transcript_free(struct transcript *t)
{
	for (struct chunk *c = t->memory, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(t->exchanges);
	free(t->words);
	memset(t, 0, sizeof(*t));
}
