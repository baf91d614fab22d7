/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Submissions wait for their completions; completions that came too early wait for their submissions, a few of them. */
#include "pairs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "transcript_stream.h"
#include "usbpcap.h"

#define EARLY 32
#define OVERTAKEN 2      /* then the answer is lost, and not late in a file that is out of order */
#define DATA_MOST 65535u /* wLength has 16 bits */

struct slot {
	uint64_t id;
	uint16_t bus;
	unsigned overtaken; /* so many later ones to the same device were answered */
	struct exchange x;
	uint8_t *data;
	size_t room;
};

struct early {
	struct capture_record record;
	uint64_t time_us;
	uint8_t *data;
};

struct pairs {
	struct incarnations *devices;
	struct slot slots[TRANSCRIPT_PENDING + 2];
	struct slot *idle[TRANSCRIPT_PENDING + 2], *pending[TRANSCRIPT_PENDING + 2], *ready[TRANSCRIPT_PENDING + 2];
	unsigned idle_count, pending_count, ready_count; /* pending: the oldest first; ready: the next first */
	struct slot *taken;
	struct early early[EARLY];
	unsigned early_count;
	size_t count, others;
	uint64_t no_submission, no_completion, under_way;
	uint64_t first_packet; /* of the first submission */
	uint64_t gap_before;   /* the first answer after that whose request is missing */
};

struct pairs *pairs_new(struct incarnations *devices)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->devices = devices;
	for (unsigned i = 0; i < TRANSCRIPT_PENDING + 2; i++)
		p->idle[p->idle_count++] = &p->slots[i];
	return p;
}

void pairs_free(struct pairs *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < TRANSCRIPT_PENDING + 2; i++)
		free(p->slots[i].data);
	for (unsigned i = 0; i < p->early_count; i++)
		free(p->early[i].data);
	free(p);
}

static int append(struct slot *s, const uint8_t *data, size_t length)
{
	struct exchange *x = &s->x;

	if (length > DATA_MOST - x->length)
		length = DATA_MOST - x->length;
	if (!length)
		return 0;
	if (x->length + length > s->room) {
		size_t room = x->length + length < 4096 ? 4096 : DATA_MOST;
		uint8_t *p = realloc(s->data, room);

		if (!p)
			return -ENOMEM;
		s->data = p;
		s->room = room;
	}
	memcpy(s->data + x->length, data, length);
	x->length += length;
	x->data = s->data;
	return 0;
}

static void make_ready(struct pairs *p, unsigned n)
{
	p->ready[p->ready_count++] = p->pending[n];
	p->pending_count--;
	memmove(&p->pending[n], &p->pending[n + 1], (p->pending_count - n) * sizeof(p->pending[0]));
}

/* Of a device that is no board its request makes no difference; nor does one of before the recording began. */
static void no_submission(struct pairs *p, const struct early *e)
{
	const struct incarnation *i = incarnations_at(p->devices, (uint8_t)e->record.bus, e->record.device);
	uint64_t packet = e->record.packet;

	p->no_submission++;
	if (!p->count || packet < p->first_packet || (i && i->has_configuration && !is_in_dfu_mode(i)))
		return;
	if (!p->gap_before || packet < p->gap_before)
		p->gap_before = packet;
}

/* Without a completion. */
static void give_up(struct pairs *p, unsigned n)
{
	p->no_completion++;
	make_ready(p, n);
}

static unsigned find(const struct pairs *p, const struct capture_record *r)
{
	unsigned n = 0;

	while (n < p->pending_count && (p->pending[n]->id != r->id || p->pending[n]->bus != r->bus))
		n++;
	return n;
}

static size_t moved(const struct exchange *x, const struct capture_record *r)
{
	if (!r->length_unknown)
		return r->length < x->setup.length ? r->length : x->setup.length;
	if (r->result != USB_ACK)
		return 0;
	return x->setup.type & 0x80 ? x->length : x->setup.length;
}

/* To the device of that one, before it. */
static void overtake(struct pairs *p, unsigned n, const struct slot *s)
{
	while (n-- > 0)
		if (p->pending[n]->bus == s->bus && p->pending[n]->x.device == s->x.device &&
		    ++p->pending[n]->overtaken == OVERTAKEN)
			give_up(p, n);
}

static int complete(struct pairs *p, unsigned n, const struct capture_record *r, const uint8_t *data, uint64_t time_us)
{
	struct slot *s = p->pending[n];
	struct exchange *x = &s->x;
	int error = 0;

	x->complete = true;
	x->end_us = time_us;
	x->packet_end = r->packet;
	x->result = r->result;
	x->raw_status = r->status;
	x->actual = moved(x, r);
	if (x->setup.type & 0x80 && x->length < x->actual)
		error = append(s, data, r->captured < x->actual - x->length ? r->captured : x->actual - x->length);
	else if (x->length > x->setup.length)
		x->length = x->setup.length;
	if (!error)
		error = incarnations_completed(p->devices, x, r->link_type == LINKTYPE_USBPCAP);
	make_ready(p, n);
	overtake(p, n, s);
	return error;
}

/* A completion is of this submission only if it is not older. */
static int complete_by_early(struct pairs *p, const struct capture_record *r, uint64_t time_us)
{
	for (unsigned i = 0; i < p->early_count; i++) {
		struct early e = p->early[i];
		int error;

		if (e.record.id != r->id || e.record.bus != r->bus || e.time_us < time_us)
			continue;
		p->early[i] = p->early[--p->early_count];
		error = complete(p, p->pending_count - 1, &e.record, e.data, e.time_us);
		free(e.data);
		return error;
	}
	return 0;
}

static int submitted(struct pairs *p, const struct capture_record *r, uint64_t time_us)
{
	unsigned n = find(p, r);
	struct slot *s;
	int error;

	if (n < p->pending_count)
		give_up(p, n);
	else if (p->pending_count == TRANSCRIPT_PENDING)
		give_up(p, 0);
	if (!p->count)
		p->first_packet = r->packet;
	s = p->idle[--p->idle_count];
	s->id = r->id;
	s->bus = r->bus;
	s->x = (struct exchange){
		.number = p->count++,
		.packet = r->packet,
		.start_us = time_us,
		.bus = (uint8_t)r->bus,
		.device = r->device,
		.setup = r->setup,
		.result = USB_SILENT,
		.before = DFU_STATE_UNKNOWN,
		.after = DFU_STATE_UNKNOWN,
	};
	p->pending[p->pending_count++] = s;
	error = r->setup.type & 0x80 ? 0 : append(s, r->data, r->captured);
	if (!error)
		error = incarnations_submitted(p->devices, &s->x);
	return error || !p->early_count ? error : complete_by_early(p, r, time_us);
}

static int keep_early(struct pairs *p, const struct capture_record *r, uint64_t time_us)
{
	struct early *e;
	size_t length = r->captured < DATA_MOST ? r->captured : DATA_MOST;

	if (p->early_count == EARLY) {
		no_submission(p, &p->early[0]);
		free(p->early[0].data);
		p->early_count--;
		memmove(&p->early[0], &p->early[1], p->early_count * sizeof(p->early[0]));
	}
	e = &p->early[p->early_count];
	e->record = *r;
	e->record.captured = length;
	e->time_us = time_us;
	e->data = malloc(length ? length : 1);
	if (!e->data)
		return -ENOMEM;
	if (length)
		memcpy(e->data, r->data, length);
	p->early_count++;
	return 0;
}

static void put_back(struct pairs *p)
{
	if (p->taken)
		p->idle[p->idle_count++] = p->taken;
	p->taken = NULL;
}

int pairs_feed(struct pairs *p, const struct capture_record *r, uint64_t time_us)
{
	unsigned n;

	put_back(p);
	if (r->transfer != USBMON_CONTROL) {
		p->others += r->event == CAPTURE_SUBMITTED;
		return 0;
	}
	if (r->event == CAPTURE_SUBMITTED)
		return r->has_setup ? submitted(p, r, time_us) : 0;
	n = find(p, r);
	if (r->event == CAPTURE_DATA_STAGE)
		return n < p->pending_count ? append(p->pending[n], r->data, r->captured) : 0;
	if (n == p->pending_count)
		return keep_early(p, r, time_us);
	return complete(p, n, r, r->data, time_us);
}

void pairs_end(struct pairs *p)
{
	put_back(p);
	while (p->pending_count) {
		if (p->pending[0]->overtaken) {
			give_up(p, 0);
			continue;
		}
		p->under_way++;
		make_ready(p, 0);
	}
	while (p->early_count) {
		no_submission(p, &p->early[--p->early_count]);
		free(p->early[p->early_count].data);
	}
}

bool pairs_take(struct pairs *p, struct exchange *out)
{
	put_back(p);
	if (!p->ready_count)
		return false;
	p->taken = p->ready[0];
	p->ready_count--;
	memmove(&p->ready[0], &p->ready[1], p->ready_count * sizeof(p->ready[0]));
	*out = p->taken->x;
	return true;
}

size_t pairs_count(const struct pairs *p)
{
	return p->count;
}

size_t pairs_others(const struct pairs *p)
{
	return p->others;
}

void pairs_damage(const struct pairs *p, struct capture_damage *d)
{
	d->no_submission = p->no_submission;
	d->no_completion = p->no_completion;
	d->under_way = p->under_way;
	if (p->gap_before && (!d->gap_before || p->gap_before < d->gap_before))
		d->gap_before = p->gap_before;
}
