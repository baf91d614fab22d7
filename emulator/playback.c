// SPDX-License-Identifier: GPL-2.0-or-later
/* From a capture to the devices in it, each with its lives. */
#include "playback.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "playback_internal.h"

#define ENUMERATION_US 230000u /* as in recorded.c: what comes before the first request to an address */
#define CLASS_HUB 9

/* One stay of a device at one address, as the transcript tells them apart. */
struct stay {
	struct recorded_life life;
	size_t filled, first, last; /* exchanges */
	uint8_t bus, address;
	uint8_t device[18];
	bool has_device, has_dfu;
	unsigned board;
	char serial[SERIAL_TEXT];
};

static void read_serial(struct stay *s)
{
	const struct recorded_exchange *x = s->device[16]
						    ? recorded_descriptor(&s->life, 0x80,
									  (uint16_t)(0x0300 | s->device[16]), 0x0409)
						    : NULL;
	size_t n = 0;

	if (!x || x->result != USB_ACK)
		return;
	for (size_t at = 2; at + 1 < x->length && at + 1 < x->data[0] && n < SERIAL_TEXT - 1; at += 2)
		s->serial[n++] = x->data[at + 1] || x->data[at] < 0x20 || x->data[at] > 0x7e ? '?' : (char)x->data[at];
}

/* That a device left shows in a transfer that found it gone, or follows from what it was told last: to start what it has been
 * given (DFU 1.1 7.2, AN3156 6), or to come back in DFU mode. */
static bool leaves(const struct transcript *t, const struct stay *s)
{
	const struct exchange *last = NULL;
	bool leave = false;

	for (size_t n = s->first; n <= s->last; n++) {
		const struct exchange *x = &t->exchanges[n];

		if (x->bus != s->bus || x->device != s->address)
			continue;
		if (x->complete && x->result == USB_GONE)
			return true;
		if (x->op == OP_NONE)
			continue;
		leave |= x->op == OP_LEAVE && x->result == USB_ACK;
		last = x;
	}
	return last && ((leave && last->op == OP_GETSTATUS && last->has_reply && last->reply_state == DFU_MANIFEST) ||
			last->op == OP_DETACH);
}

static struct recorded_exchange exchange_of(const struct exchange *x)
{
	return (struct recorded_exchange){
		.packet = x->packet,
		.start_us = x->start_us,
		.end_us = x->end_us,
		.setup = x->setup,
		.complete = x->complete,
		.result = x->result,
		.actual = x->actual,
		.data = x->data,
		.length = x->length,
	};
}

static unsigned count_stays(const struct transcript *t)
{
	unsigned most = 0;

	for (size_t n = 0; n < t->count; n++)
		if (t->exchanges[n].incarnation > most)
			most = t->exchanges[n].incarnation;
	return most;
}

/* stays: count_stays() of them, zeroed. r->exchanges has room for all. */
static void collect_stays(struct playback *r, struct stay *stays, unsigned count)
{
	const struct transcript *t = &r->transcript;
	size_t used = 0;

	for (size_t n = 0; n < t->count; n++) {
		const struct exchange *x = &t->exchanges[n];
		struct stay *s = x->incarnation ? &stays[x->incarnation - 1] : NULL;

		if (!s)
			continue;
		if (!s->life.count++) {
			s->first = n;
			s->bus = x->bus;
			s->address = x->device;
		}
		s->last = n;
		if (x->board)
			s->board = x->board;
	}
	for (unsigned i = 0; i < count; i++) {
		stays[i].life.exchanges = r->exchanges + used;
		used += stays[i].life.count;
	}
	for (size_t n = 0; n < t->count; n++) {
		const struct exchange *x = &t->exchanges[n];
		struct stay *s = x->incarnation ? &stays[x->incarnation - 1] : NULL;

		if (s)
			r->exchanges[(size_t)(s->life.exchanges - r->exchanges) + s->filled++] = exchange_of(x);
	}
	for (unsigned i = 0; i < count; i++) {
		struct stay *s = &stays[i];
		const struct recorded_exchange *x = recorded_descriptor(&s->life, 0x80, 0x0100, 0);

		s->has_device = x && x->result == USB_ACK && x->length >= sizeof(s->device);
		if (s->has_device)
			memcpy(s->device, x->data, sizeof(s->device));
		s->has_dfu = recorded_has_dfu(&s->life);
		s->life.leaves = s->life.count && leaves(t, s);
		read_serial(s);
	}
}

/* The device that went before this stay began, and is it by all that can be known. */
static struct player *who_came_back(struct playback *r, const struct stay *s)
{
	for (unsigned i = 0; i < r->player_count; i++) {
		struct player *p = &r->players[i];
		bool same_serial = s->serial[0] && !strcmp(p->serial, s->serial);
		bool same_board = s->board && p->board == s->board;

		if (p->bus != s->bus || p->last >= s->first)
			continue;
		if (same_board || same_serial || p->at == s->address)
			return p;
		if ((!s->board || !p->board) && p->lives[p->life_count - 1].leaves)
			return p;
	}
	return NULL;
}

static bool is_hub(const struct stay *s)
{
	return s->has_device && s->device[4] == CLASS_HUB;
}

static void say_unplayable(const struct playback *r, const struct stay *s)
{
	const char *missing = recorded_missing(&s->life);
	bool dfu = false;

	for (size_t i = 0; i < s->life.count; i++)
		dfu |= (s->life.exchanges[i].setup.type & 0x7f) == 0x21;
	if (dfu)
		say_warning(r->say, "%s: device %u of bus %u is not played: %s", r->name, s->address, s->bus, missing);
	else
		say_event(r->say, "%s: device %u of bus %u is not played: %s", r->name, s->address, s->bus, missing);
}

static int add_life(struct playback *r, const struct stay *s)
{
	struct player *p = who_came_back(r, s);
	struct recorded_life *lives;

	if (!p) {
		p = &r->players[r->player_count++];
		*p = (struct player){ .recording = r,
				      .bus = s->bus,
				      .address = s->address,
				      .vendor = (uint16_t)(s->device[8] | s->device[9] << 8),
				      .product = (uint16_t)(s->device[10] | s->device[11] << 8) };
		memcpy(p->serial, s->serial, sizeof(p->serial));
	}
	lives = realloc(p->lives, (p->life_count + 1) * sizeof(*lives));
	if (!lives)
		return -ENOMEM;
	p->lives = lives;
	p->lives[p->life_count++] = s->life;
	p->last = s->last;
	p->at = s->address;
	if (s->board)
		p->board = s->board;
	return 0;
}

/* When the host began to work with a device: at the first class request that is followed. */
static uint64_t work_us(const struct playback *r)
{
	uint64_t first = UINT64_MAX;

	for (unsigned i = 0; i < r->player_count; i++)
		for (size_t l = 0; l < r->players[i].life_count; l++) {
			const struct recorded_life *life = &r->players[i].lives[l];
			size_t n = recorded_first_request(life);

			if (n < life->count && life->exchanges[n].start_us < first)
				first = life->exchanges[n].start_us;
		}
	return first;
}

/* Hosts give out addresses in the order of the ports, and may enumerate in another; what came later comes later. */
static int compare_players(const void *a, const void *b)
{
	const struct player *p = a, *q = b;

	if (p->delay_us != q->delay_us)
		return p->delay_us < q->delay_us ? -1 : 1;
	if (p->bus != q->bus)
		return p->bus < q->bus ? -1 : 1;
	return p->address < q->address ? -1 : p->address > q->address;
}

/* Up to the first class request all that comes is taken to have been on the bus before the tool started. */
static void order_players(struct playback *r)
{
	uint64_t work = work_us(r);

	for (unsigned i = 0; i < r->player_count; i++) {
		uint64_t start_us = r->players[i].lives[0].exchanges[0].start_us;

		if (start_us > work && start_us > ENUMERATION_US)
			r->players[i].delay_us = start_us - ENUMERATION_US;
	}
	qsort(r->players, r->player_count, sizeof(*r->players), compare_players);
	for (unsigned i = 0; i < r->player_count; i++)
		r->players[i].number = i + 1;
}

static int make_players(struct playback *r)
{
	unsigned count = count_stays(&r->transcript);
	struct stay *stays = calloc(count ? count : 1, sizeof(*stays));
	int error = -ENOMEM;

	r->exchanges = calloc(r->transcript.count ? r->transcript.count : 1, sizeof(*r->exchanges));
	r->players = calloc(count ? count : 1, sizeof(*r->players));
	if (!stays || !r->exchanges || !r->players)
		goto out;
	collect_stays(r, stays, count);
	error = 0;
	for (unsigned i = 0; i < count && !error; i++) {
		if (is_hub(&stays[i]))
			continue;
		if (recorded_missing(&stays[i].life))
			say_unplayable(r, &stays[i]);
		else
			error = add_life(r, &stays[i]);
	}
	order_players(r);
	for (unsigned i = 0; i < r->player_count && !error; i++) {
		struct player *p = &r->players[i];

		p->device = recorded_new(r->bench, p->lives, p->life_count, r->loose);
		if (!p->device)
			error = -ENOMEM;
		else
			recorded_listen(p->device, playback_event, p);
	}
out:
	free(stays);
	return error;
}

struct playback *playback_new(struct bench *bench, const char *name, const uint8_t *data, size_t length, bool loose,
			      const struct say *say)
{
	struct playback *r = calloc(1, sizeof(*r));
	int error;

	if (!r) {
		say_error(say, "%s: %s", name, strerror(ENOMEM));
		return NULL;
	}
	r->bench = bench;
	r->name = name;
	r->loose = loose;
	r->say = say;
	error = transcript_read(&r->transcript, data, length, NULL);
	if (error == -EINVAL)
		say_error(say, "%s: %s", name, r->transcript.damage);
	else if (r->transcript.damage)
		say_warning(say, "%s: %s", name, r->transcript.damage);
	if (!error)
		error = make_players(r);
	if (error == -ENOMEM)
		say_error(say, "%s: %s", name, strerror(ENOMEM));
	else if (!error && !r->player_count)
		say_error(say,
			  "%s: no device with its descriptors is in the recording: it must begin before the device is "
			  "plugged in",
			  name);
	if (!error && r->player_count)
		return r;
	playback_free(r);
	return NULL;
}

void playback_free(struct playback *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->player_count; i++) {
		struct player *p = &r->players[i];

		recorded_free(p->device);
		for (size_t k = 0; k < p->kept_count; k++)
			free((void *)p->kept[k].event.data);
		free(p->kept);
		free(p->lives);
	}
	free(r->players);
	free(r->exchanges);
	transcript_free(&r->transcript);
	free(r);
}

struct usbdev *playback_device(const struct playback *r, unsigned index)
{
	return index < r->player_count ? recorded_usbdev(r->players[index].device) : NULL;
}

void playback_plug(struct playback *r)
{
	for (unsigned i = 0; i < r->player_count; i++)
		recorded_plug(r->players[i].device, r->players[i].delay_us);
}
