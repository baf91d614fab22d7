// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig of a real board: what usbmon has heard, what that did to the flash, and how worn its sectors are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "protection.h"
#include "rig_board_internal.h"

/* --- recording --- */

static enum tap_owner owner(void *context, unsigned bus, unsigned address)
{
	struct board *b = context;
	struct host_device devices[HOST_DEVICES];
	size_t count = host_devices(devices);

	for (size_t i = 0; i < count; i++) {
		const struct host_device *d = &devices[i];

		if (d->bus != bus || d->address != address)
			continue;
		if (*b->port)
			return strcmp(b->port, d->port) ? TAP_OTHERS : TAP_OURS;
		return *b->serial && !strcasecmp(b->serial, d->serial) ? TAP_OURS : TAP_OTHERS;
	}
	return TAP_UNKNOWN;
}

int board_record_open(struct board *b, const char *capture)
{
	char device[32], why[USBMON_TAP_WHY];

	if (!(b->ops.can & RIG_TRANSCRIPT))
		return 0;
	usbmon_tap_device(*b->port ? b->port : NULL, device);
	b->tap = usbmon_tap_open(strcmp(b->file->usbmon, "auto") ? b->file->usbmon : device, capture, owner, b, why);
	return b->tap ? 0 : board_fail(b, -EIO, "%s", why);
}

const struct transcript *board_transcript(struct rig *rig)
{
	struct board *b = board_of(rig);
	struct transcript_facts facts = transcript_facts_of(b->profile);
	const char *serials[] = { b->serial, NULL };

	if (!b->tap)
		return &b->nothing;
	facts.serials = *b->serial ? serials : NULL;
	return usbmon_tap_transcript(b->tap, &facts, b->origin_us);
}

/* --- what that did --- */

static bool add_event(struct board *b, size_t *room, const struct mcu_event *e)
{
	if (b->event_count == *room) {
		size_t more = *room ? 2 * *room : 64;
		struct rig_event *events = realloc(b->events, more * sizeof(*events));

		if (!events)
			return false;
		b->events = events;
		*room = more;
	}
	b->events[b->event_count++] = (struct rig_event){ .board = 1, .event = *e };
	return true;
}

/* How it ended: by the first GETSTATUS behind it that no longer says dfuDNBUSY. NULL: nobody knows. */
static const struct exchange *outcome_of(const struct transcript *t, size_t at)
{
	for (size_t i = at + 1; i < t->count; i++) {
		const struct exchange *x = &t->exchanges[i];

		if (x->device != t->exchanges[at].device)
			continue;
		if (x->op == OP_GETSTATUS && x->has_reply && x->reply_state == DFU_DNBUSY)
			continue;
		if (x->op == OP_GETSTATUS && !x->has_reply)
			continue;
		return x->op == OP_GETSTATUS ? x : NULL;
	}
	return NULL;
}

static int sector_at(const struct board *b, uint32_t address, uint32_t *from, uint32_t *size)
{
	uint32_t at = b->profile->flash_base;
	int number = 0;

	for (const struct flash_sectors *s = b->profile->sectors; s->count; s++)
		for (uint32_t i = 0; i < s->count; i++, number++, at += s->size_bytes)
			if (address >= at && address - at < s->size_bytes) {
				*from = at;
				*size = s->size_bytes;
				return number;
			}
	return -1;
}

/* For each operation on the flash that somebody has ordered. certain: it is known to have been done. */
static void each_operation(struct board *b, size_t from_exchange,
			   void (*done)(struct board *, void *, const struct mcu_event *, bool certain), void *context)
{
	const struct transcript *t = board_transcript(&b->rig);

	for (size_t i = from_exchange; i < t->count; i++) {
		const struct exchange *x = &t->exchanges[i], *end;
		struct mcu_event e = { .address = x->target, .length = (uint32_t)x->actual };
		uint32_t from, size;
		int sector;
		bool good;

		if ((x->op != OP_ERASE && x->op != OP_MASS_ERASE && x->op != OP_WRITE) || !x->complete ||
		    x->result != USB_ACK)
			continue;
		end = outcome_of(t, i);
		good = end && end->reply_state != DFU_ERROR;
		e.at_us = end ? end->end_us - x->end_us : 0;
		e.type = x->op == OP_WRITE ? MCU_EVENT_PROGRAMMED : MCU_EVENT_ERASED;
		if (end && !good) /* refused, or failed: nobody has heard of a part of it */
			continue;
		if (x->op == OP_MASS_ERASE) {
			e.address = b->profile->flash_base;
			e.length = b->profile->flash_size_bytes;
		} else {
			sector = sector_at(b, x->target, &from, &size);
			if (sector < 0)
				continue;
			/* Without a word the ROM leaves protected sectors alone (AN3156, write protection). */
			if (b->options_known && protection_covers(b->profile, b->options, (unsigned)sector))
				continue;
			if (x->op == OP_ERASE) {
				e.address = from;
				e.length = size;
			}
		}
		done(b, context, &e, good);
	}
}

struct events {
	size_t room;
};

static void keep_event(struct board *b, void *context, const struct mcu_event *e, bool certain)
{
	struct events *events = context;
	struct mcu_event kept = *e;

	/* An erase that nobody has seen the end of may be one that was cut. */
	if (!certain)
		kept.type = MCU_EVENT_CUT;
	kept.at_us = 0;
	add_event(b, &events->room, &kept);
}

const struct rig_event *board_events(struct rig *rig, size_t *count)
{
	struct board *b = board_of(rig);
	struct events events = { 0 };

	free(b->events);
	b->events = NULL;
	b->event_count = 0;
	if (b->tap)
		each_operation(b, 0, keep_event, &events);
	*count = b->event_count;
	return b->events;
}

/* --- wear --- */

static uint32_t sector_address(const struct board *b, unsigned wanted)
{
	uint32_t at = b->profile->flash_base;
	unsigned number = 0;

	for (const struct flash_sectors *s = b->profile->sectors; s->count; s++)
		for (uint32_t i = 0; i < s->count; i++, number++, at += s->size_bytes)
			if (number == wanted)
				return at;
	return at;
}

/* By its serial number, or else by its port. */
static const char *wear_name(const struct board *b)
{
	return *b->serial ? b->serial : b->port;
}

int board_wear_open(struct board *b)
{
	char why[HISTORY_WHY];

	b->sector_count = protection_sector_count(b->profile);
	if (b->sector_count > BOARD_SECTORS)
		b->sector_count = BOARD_SECTORS;
	if (!b->file->wear_warn && !b->file->wear_stop)
		return 0;
	b->history = history_open(NULL, why);
	if (!b->history)
		return board_fail(b, -EIO, "the board's wear is not known: %s", why);
	for (unsigned i = 0; i < b->sector_count; i++) {
		int64_t worn = history_wear(b->history, wear_name(b), sector_address(b, i), why);

		if (worn < 0)
			return board_fail(b, (int)worn, "the board's wear is not known: %s", why);
		b->worn[i] = (uint64_t)worn;
	}
	return 0;
}

int board_wear_check(struct board *b, unsigned sector)
{
	if (!b->history || !b->file->wear_stop || sector >= b->sector_count ||
	    b->worn[sector] + b->erased[sector] < b->file->wear_stop)
		return 0;
	return board_fail(b, -EDQUOT,
			  "sector %u of the board %s has been erased %llu times, and the rig file has it stop at %u "
			  "('wear'): nothing is written to it any more",
			  sector, wear_name(b), (unsigned long long)(b->worn[sector] + b->erased[sector]),
			  b->file->wear_stop);
}

void board_wear_count(struct board *b, unsigned sector, uint64_t took_us)
{
	if (sector >= b->sector_count)
		return;
	b->erased[sector]++;
	if (took_us > b->slowest_us[sector])
		b->slowest_us[sector] = took_us;
}

/* Also one of which the end is not known: it has worn the sector. */
static void count_operation(struct board *b, void *context, const struct mcu_event *e, bool certain)
{
	(void)context, (void)certain;
	if (e->type != MCU_EVENT_ERASED)
		return;
	for (unsigned i = 0; i < b->sector_count; i++) {
		uint32_t at = sector_address(b, i);

		if (at >= e->address && at - e->address < e->length)
			board_wear_count(b, i, e->length < b->profile->flash_size_bytes ? e->at_us : 0);
	}
}

/* Written down before, for whoever is killed meanwhile. That it then erases less wears nothing. */
void board_wear_foresee(struct board *b, const struct rig_erase *erases, size_t count)
{
	if (b->tap || !count)
		return;
	for (unsigned i = 0; i < b->sector_count; i++) {
		uint64_t from = sector_address(b, i), to = sector_address(b, i + 1);

		for (size_t k = 0; k < count; k++) {
			uint64_t length = erases[k].length ? erases[k].length : 1;

			if (erases[k].address < to && from < erases[k].address + length)
				board_wear_count(b, i, 0);
		}
	}
	board_wear_save(b);
}

/* What has come since the last time: whoever is killed later has written it down. */
void board_wear_save(struct board *b)
{
	char why[HISTORY_WHY];

	if (!b->history)
		return;
	if (b->tap) {
		each_operation(b, b->counted, count_operation, NULL);
		b->counted = board_transcript(&b->rig)->count;
	}
	for (unsigned i = 0; i < b->sector_count; i++) {
		if (b->erased[i] == b->saved[i])
			continue;
		if (history_wear_add(b->history, wear_name(b), sector_address(b, i), b->erased[i] - b->saved[i],
				     b->slowest_us[i], why)) {
			fprintf(stderr, "dfuhil: the board's wear could not be written down: %s\n", why);
			return;
		}
		b->saved[i] = b->erased[i];
		b->slowest_us[i] = 0;
	}
}

const char *board_wear_warning(const struct board *b, char out[RIG_WHY])
{
	unsigned most = 0;

	for (unsigned i = 1; i < b->sector_count; i++)
		if (b->worn[i] + b->erased[i] > b->worn[most] + b->erased[most])
			most = i;
	if (!b->history || !b->file->wear_warn || b->worn[most] + b->erased[most] < b->file->wear_warn)
		return NULL;
	snprintf(out, RIG_WHY, "sector %u of the board %s has been erased %llu times; the rig file has it stop at %u",
		 most, wear_name(b), (unsigned long long)(b->worn[most] + b->erased[most]), b->file->wear_stop);
	return out;
}
