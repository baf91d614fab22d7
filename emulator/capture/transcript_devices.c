/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which device is at which address, by what passes on the bus; and which of them are one board that came back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "transcript_internal.h"

#define PLACES (256u << 7)
#define GET_DESCRIPTOR 6
#define SET_ADDRESS 5
#define SET_CONFIGURATION 9
#define DFUSE_VERSION 0x011a /* bcdDFUVersion of ST's extensions (UM0391) */

static size_t place_of(uint8_t bus, uint8_t address)
{
	return (size_t)bus << 7 | (address & 0x7f);
}

int incarnations_init(struct incarnations *d, size_t most)
{
	memset(d, 0, sizeof(*d));
	d->most = most;
	d->at = calloc(PLACES, sizeof(*d->at));
	return d->at ? 0 : -ENOMEM;
}

void incarnations_free(struct incarnations *d)
{
	free(d->all);
	free(d->at);
}

struct incarnation *incarnations_get(const struct incarnations *d, unsigned number)
{
	return number > d->dropped && number - d->dropped <= d->count ? &d->all[number - d->dropped - 1] : NULL;
}

struct incarnation *incarnations_at(const struct incarnations *d, uint8_t bus, uint8_t address)
{
	return incarnations_get(d, d->at[place_of(bus, address)]);
}

static void forget_half(struct incarnations *d)
{
	size_t half = d->count / 2;

	memmove(d->all, d->all + half, (d->count - half) * sizeof(*d->all));
	d->count -= half;
	d->dropped += half;
}

static int begin(struct incarnations *d, struct exchange *x)
{
	if (d->most && d->count == d->most)
		forget_half(d);
	if (d->count == d->room) {
		size_t room = d->room ? d->room * 2 : 8;
		struct incarnation *all = realloc(d->all, room * sizeof(*all));

		if (!all)
			return -ENOMEM;
		d->all = all;
		d->room = room;
	}
	d->all[d->count] = (struct incarnation){
		.bus = x->bus, .address = x->device, .first = x->number, .last = x->number, .state = DFU_STATE_UNKNOWN
	};
	x->incarnation = (unsigned)(++d->count + d->dropped);
	d->at[place_of(x->bus, x->device)] = x->incarnation;
	return 0;
}

/* DFU 1.1 3: class requests of an interface. Other classes have some of these numbers too. */
bool is_dfu_request(const struct usb_setup *s)
{
	return (s->type & 0x7f) == 0x21 && s->request <= DFU_ABORT;
}

bool is_set_usb_address(const struct exchange *x)
{
	return x->setup.type == 0 && x->setup.request == SET_ADDRESS && x->complete && x->result == USB_ACK;
}

int incarnations_submitted(struct incarnations *d, struct exchange *x)
{
	struct incarnation *i;

	if (!x->device) /* not addressed yet */
		return 0;
	i = incarnations_at(d, x->bus, x->device);
	if (!i)
		return begin(d, x);
	x->incarnation = d->at[place_of(x->bus, x->device)];
	i->last = x->number;
	return 0;
}

static void read_configuration(struct incarnation *i, const uint8_t *b, size_t length)
{
	bool mode = false;

	for (size_t at = 0; length - at >= 2 && b[at] >= 2 && b[at] <= length - at; at += b[at]) {
		const uint8_t *e = b + at;

		if (e[1] == 4 && e[0] >= 9) {
			i->has_configuration = true;
			mode = e[5] == 0xfe && e[6] == 1 && e[7] == 2; /* DFU 1.1 4.2.3 */
			i->dfu_mode |= mode;
			i->dfu_runtime |= e[5] == 0xfe && e[6] == 1 && e[7] == 1; /* DFU 1.1 4.1.2 */
		} else if (e[1] == 0x21 && e[0] >= 9 && mode) {
			i->transfer_size_bytes = (uint16_t)(e[5] | e[6] << 8);
			i->plain = (e[7] | e[8] << 8) != DFUSE_VERSION;
		}
	}
}

/* UTF-16 to what of it is ASCII. */
static void read_serial(struct incarnation *i, const uint8_t *b, size_t length)
{
	size_t n = 0;

	if (length > b[0])
		length = b[0];
	for (size_t at = 2; at + 1 < length && n < SERIAL_BYTES - 1; at += 2)
		i->serial[n++] = b[at + 1] || b[at] < 0x20 || b[at] > 0x7e ? '?' : (char)b[at];
	i->serial[n] = '\0';
}

/* Another device descriptor at the same address is another device, and so is one of a device that had gone: not every host controller
 * shows SET_ADDRESS, and Windows does not. */
static int read_device(struct incarnations *d, struct exchange *x)
{
	struct incarnation *i = incarnations_get(d, x->incarnation);

	if (!i || x->length < sizeof(i->descriptor))
		return 0;
	if (i->gone || (i->has_descriptor && memcmp(i->descriptor, x->data, sizeof(i->descriptor)))) {
		int error;

		i->last = x->number - 1; /* this one is no longer its own */
		error = begin(d, x);
		if (error)
			return error;
		i = incarnations_get(d, x->incarnation);
	}
	if (!i)
		return 0;
	memcpy(i->descriptor, x->data, sizeof(i->descriptor));
	i->has_descriptor = true;
	i->described = i->enumerated ? i->described : x->number;
	i->enumerated = true;
	return 0;
}

/* Windows gives a device that comes back the lowest address that is free, which may be the one that it had. It reads the device descriptor and
 * sets the configuration then; no program can. */
static int set_configuration(struct incarnations *d, struct exchange *x, bool hides_addresses)
{
	struct incarnation *i = incarnations_get(d, x->incarnation), before = *i;
	int error = 0;

	if (x->setup.value && hides_addresses && before.configured && before.enumerated) {
		i->last = before.described - 1;
		error = begin(d, x);
		i = incarnations_get(d, x->incarnation);
		if (error || !i)
			return error;
		memcpy(i->descriptor, before.descriptor, sizeof(i->descriptor));
		memcpy(i->serial, before.serial, sizeof(i->serial));
		i->first = before.described;
		i->known_late = true;
		i->has_descriptor = true;
		i->has_configuration = before.has_configuration;
		i->dfu_mode = before.dfu_mode;
		i->dfu_runtime = before.dfu_runtime;
		i->plain = before.plain;
		i->transfer_size_bytes = before.transfer_size_bytes;
	}
	i->configured = x->setup.value;
	i->enumerated = false;
	return 0;
}

int incarnations_completed(struct incarnations *d, struct exchange *x, bool hides_addresses)
{
	struct incarnation *i;

	if (is_set_usb_address(x)) {
		/* A device that is still there and gets its address again had a bus reset. */
		i = incarnations_at(d, x->bus, (uint8_t)(x->setup.value & 0x7f));
		if (i && i->gone)
			d->at[place_of(x->bus, i->address)] = 0;
	}
	i = incarnations_get(d, x->incarnation);
	if (!i)
		return 0;
	i->gone |= x->result == USB_GONE;
	if (is_dfu_request(&x->setup))
		i->dfu_requests = true;
	i->enumerated &= !(x->setup.type & 0x60);
	if (x->result == USB_ACK && !x->setup.type && x->setup.request == SET_CONFIGURATION)
		return set_configuration(d, x, hides_addresses);
	if (x->result != USB_ACK || x->setup.type != 0x80 || x->setup.request != GET_DESCRIPTOR || x->length < 2)
		return 0;
	if (x->setup.value == 0x0100)
		return read_device(d, x);
	if (x->setup.value >> 8 == 2)
		read_configuration(i, x->data, x->length);
	else if (x->setup.value >> 8 == 3 && i->has_descriptor && i->descriptor[16] &&
		 (x->setup.value & 0xff) == i->descriptor[16])
		read_serial(i, x->data, x->length);
	return 0;
}

void incarnations_assign(const struct incarnations *d, struct exchange *exchanges, size_t count)
{
	for (size_t n = 0; n < d->count; n++) {
		const struct incarnation *i = &d->all[n];

		for (size_t k = i->first; i->known_late && k <= i->last && k < count; k++)
			if (exchanges[k].bus == i->bus && exchanges[k].device == i->address)
				exchanges[k].incarnation = (unsigned)(d->dropped + n + 1);
	}
}

struct incarnation *incarnations_find(struct incarnations *d, uint8_t bus, uint8_t address, size_t when)
{
	for (size_t n = d->count; n; n--) {
		struct incarnation *i = &d->all[n - 1];

		if (i->bus == bus && i->address == address && i->first < when && i->last > when)
			return i;
	}
	return NULL;
}

/* A board that may be the one that came up as i: with its serial number, or of one of which the number is not known if there is
 * but one; and it must have fallen silent before, for some ROMs give all boards the same serial number. */
static struct board *same_board(struct board *boards, size_t count, const struct incarnation *i)
{
	for (size_t n = 0; n < count; n++) {
		bool unknown = !boards[n].serial[0] || !i->serial[0];

		if (boards[n].last < i->first && (unknown ? count == 1 : !strcmp(boards[n].serial, i->serial)))
			return &boards[n];
	}
	return NULL;
}

static unsigned number_by_serial(const char *const *serials, const struct incarnation *i)
{
	for (unsigned n = 0; serials && serials[n] && i->serial[0]; n++)
		if (!strcmp(serials[n], i->serial))
			return n + 1;
	return 0;
}

void boards_free(struct boards *b)
{
	free(b->all);
}

static struct board *new_board(struct boards *b)
{
	unsigned named = 0;

	if (b->count == BOARDS_MOST)
		return &b->all[b->count - 1];
	if (b->count == b->room) {
		size_t room = b->room ? b->room * 2 : 4;
		struct board *all = realloc(b->all, room * sizeof(*all));

		if (!all)
			return NULL;
		b->all = all;
		b->room = room;
	}
	while (b->serials && b->serials[named])
		named++;
	b->all[b->count] = (struct board){ .number = named + (unsigned)b->count + 1 };
	return &b->all[b->count++];
}

int boards_number(struct boards *boards, struct incarnation *i)
{
	struct board *b;

	i->board = number_by_serial(boards->serials, i);
	if (i->board)
		return 0;
	b = same_board(boards->all, boards->count, i);
	if (!b)
		b = new_board(boards);
	if (!b)
		return -ENOMEM;
	if (i->serial[0])
		memcpy(b->serial, i->serial, SERIAL_BYTES);
	b->last = i->last;
	i->board = b->number;
	return 0;
}

void boards_number_application(const struct boards *boards, struct incarnation *i)
{
	if (i->board || !i->serial[0])
		return;
	i->board = number_by_serial(boards->serials, i);
	for (size_t k = 0; k < boards->count && !i->board; k++)
		if (!strcmp(boards->all[k].serial, i->serial))
			i->board = boards->all[k].number;
}

bool is_in_dfu_mode(const struct incarnation *i)
{
	return i->has_configuration ? i->dfu_mode : i->dfu_requests;
}

int incarnations_number_boards(struct incarnations *d, const char *const *serials)
{
	struct boards boards = { .serials = serials };
	int error = 0;

	for (size_t n = 0; n < d->count && !error; n++)
		if (is_in_dfu_mode(&d->all[n]))
			error = boards_number(&boards, &d->all[n]);
	for (size_t n = 0; n < d->count; n++)
		boards_number_application(&boards, &d->all[n]);
	boards_free(&boards);
	return error;
}
