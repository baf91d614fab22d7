/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures to transfers: packets, and which completion belongs to which submission. */
#include "transcript.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "pcapng.h"
#include "transcript_internal.h"
#include "usbmon.h"

#define LINKTYPE_USB_LINUX 189 /* the older header, without what follows the SETUP packet */
#define OLD_HEADER_BYTES 48
#define BUCKETS 1024
#define NONE SIZE_MAX

/* Linux, Documentation/driver-api/usb/error-codes.rst: what no board of ours is recorded with. */
#define ENODEV_LINUX (-19)
#define EREMOTEIO_LINUX (-121)

struct reading {
	struct transcript *t;
	size_t room;
	uint8_t *bytes; /* of all data stages: never more than the capture has */
	size_t used;
	/* Submissions that wait for their completion, by the id of usbmon: chains of exchange numbers, the newest first. */
	size_t *chain;
	uint64_t *ids;
	size_t buckets[BUCKETS];
	struct incarnations devices;
};

static size_t bucket_of(uint64_t id)
{
	return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 54) % BUCKETS;
}

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
	p = realloc(r->chain, room * sizeof(*r->chain));
	if (!p)
		return -ENOMEM;
	r->chain = p;
	p = realloc(r->ids, room * sizeof(*r->ids));
	if (!p)
		return -ENOMEM;
	r->ids = p;
	r->room = room;
	return 0;
}

static enum usb_result result_of(int32_t status)
{
	switch (status) {
	case USBMON_OK:
	case EREMOTEIO_LINUX: /* short, which is no error to us */
		return USB_ACK;
	case USBMON_EPIPE:
		return USB_STALL;
	case USBMON_ENOENT:
	case USBMON_ECONNRESET:
	case USBMON_ETIMEDOUT:
		return USB_CANCELLED;
	case USBMON_ESHUTDOWN:
	case ENODEV_LINUX:
		return USB_GONE;
	default:
		return USB_SILENT;
	}
}

static void keep_data(struct reading *r, struct exchange *x, const uint8_t *data, size_t length)
{
	if (!length)
		return;
	memcpy(r->bytes + r->used, data, length);
	x->data = r->bytes + r->used;
	x->length = length;
	r->used += length;
}

static int submitted(struct reading *r, const struct usbmon_header *h, uint64_t time_us, const uint8_t *data)
{
	struct transcript *t = r->t;
	size_t number = t->count, *bucket = &r->buckets[bucket_of(h->id)];
	struct exchange *x;
	int error = make_room(r);

	if (error)
		return error;
	x = &t->exchanges[number];
	*x = (struct exchange){
		.number = number,
		.packet = t->packets,
		.start_us = time_us,
		.bus = (uint8_t)h->bus,
		.device = h->device & 0x7f,
		.setup = usb_setup_decode(h->setup),
		.result = USB_SILENT,
		.before = DFU_STATE_UNKNOWN,
		.after = DFU_STATE_UNKNOWN,
	};
	if (!(x->setup.type & 0x80))
		keep_data(r, x, data, h->captured);
	r->ids[number] = h->id;
	r->chain[number] = *bucket;
	*bucket = number;
	t->count++;
	return incarnations_submitted(&r->devices, x);
}

static int completed(struct reading *r, const struct usbmon_header *h, uint64_t time_us, const uint8_t *data)
{
	size_t *link = &r->buckets[bucket_of(h->id)];
	struct exchange *x;

	while (*link != NONE && r->ids[*link] != h->id)
		link = &r->chain[*link];
	if (*link == NONE) {
		r->t->lost++; /* of before the capture began */
		return 0;
	}
	x = &r->t->exchanges[*link];
	*link = r->chain[*link];
	x->complete = true;
	x->end_us = time_us;
	x->result = result_of(h->status);
	x->actual = h->length < x->setup.length ? h->length : x->setup.length;
	if (x->setup.type & 0x80)
		keep_data(r, x, data, h->captured < x->actual ? h->captured : x->actual);
	else if (x->length > x->setup.length)
		x->length = x->setup.length;
	return incarnations_completed(&r->devices, x);
}

/* -EINVAL: no packet of usbmon. */
static int decode_header(const struct pcapng_packet *p, struct usbmon_header *h, const uint8_t **data)
{
	uint8_t longer[USBMON_HEADER_BYTES] = { 0 };

	if (p->link_type == LINKTYPE_USB_LINUX_MMAPPED) {
		*data = p->data + USBMON_HEADER_BYTES;
		return usbmon_decode(p->data, p->captured, p->big_endian, h);
	}
	if (p->link_type != LINKTYPE_USB_LINUX || p->captured < OLD_HEADER_BYTES)
		return -EINVAL;
	memcpy(longer, p->data, OLD_HEADER_BYTES);
	*data = p->data + OLD_HEADER_BYTES;
	return usbmon_decode(longer, p->captured - OLD_HEADER_BYTES + USBMON_HEADER_BYTES, p->big_endian, h);
}

static int read_packet(struct reading *r, const struct pcapng_packet *p)
{
	struct transcript *t = r->t;
	uint64_t time_us = p->time_us > t->origin_us ? p->time_us - t->origin_us : 0;
	struct usbmon_header h;
	const uint8_t *data;

	if (decode_header(p, &h, &data)) {
		t->lost++;
		return 0;
	}
	if (h.transfer != USBMON_CONTROL) {
		t->others += h.type == 'S';
		return 0;
	}
	if (h.type == 'S' && !h.flag_setup)
		return submitted(r, &h, time_us, data);
	if (h.type == 'C' || h.type == 'E')
		return completed(r, &h, time_us, data);
	t->lost++;
	return 0;
}

static int read_packets(struct reading *r, const uint8_t *data, size_t length, bool has_origin)
{
	struct transcript *t = r->t;
	struct pcapng_reader reader;
	struct pcapng_packet p;
	int more, error;

	pcapng_reader_init(&reader, data, length);
	while ((more = pcapng_reader_next(&reader, &p)) > 0) {
		if (!t->packets++ && !has_origin)
			t->origin_us = p.time_us;
		error = read_packet(r, &p);
		if (error)
			return error;
	}
	if (more < 0) {
		t->damage = reader.error;
		return -EINVAL;
	}
	if (reader.truncated)
		t->damage = "it is cut off in the middle of a packet: what comes before was read";
	else if (!length)
		t->damage = "the file is empty";
	else if (t->packets && t->lost == t->packets)
		t->damage = "there is no packet of Linux's usbmon in it (link type 220 or 189)";
	return !length || (t->packets && t->lost == t->packets) ? -EINVAL : 0;
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
	struct reading r = { .t = t };
	int error = -ENOMEM;

	if (!facts)
		facts = &otherwise;
	memset(t, 0, sizeof(*t));
	t->origin_us = facts->has_origin ? facts->origin_us : 0;
	for (size_t i = 0; i < BUCKETS; i++)
		r.buckets[i] = NONE;
	r.bytes = malloc(length ? length : 1);
	t->memory = r.bytes;
	if (r.bytes && !incarnations_init(&r.devices))
		error = read_packets(&r, data, length, facts->has_origin);
	if (error != -ENOMEM) {
		incarnations_number_boards(&r.devices, facts->serials);
		transcript_interpret(t, &r.devices, facts);
	}
	incarnations_free(&r.devices);
	free(r.chain);
	free(r.ids);
	return error;
}

void transcript_free(struct transcript *t)
{
	free(t->exchanges);
	free(t->memory);
	memset(t, 0, sizeof(*t));
}
