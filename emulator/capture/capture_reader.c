/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of usbmon and USBPcap to records of one kind. */
#include "capture_reader.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "frames.h"
#include "usbpcap.h"

#define LINKTYPE_USB_LINUX 189 /* the older header, without what follows the SETUP packet */
#define OLD_HEADER_BYTES 48
#define ISOCHRONOUS_DESCRIPTOR_BYTES 16

#define UNNAMED_MOST 64

/* Linux, Documentation/driver-api/usb/error-codes.rst: what no board of ours is recorded with. */
#define ENODEV_LINUX (-19)
#define EREMOTEIO_LINUX (-121)

struct capture_reader {
	struct frames frames;
	struct capture_damage damage;
	uint64_t packets, last_us;
	uint64_t missing; /* places at which something is missing, so far */
	uint64_t unnamed[UNNAMED_MOST];
	unsigned unnamed_count; /* ids of USBPcap's, of requests without SETUP that are under way */
};

static enum usb_result usbmon_result(int32_t status, bool qemu)
{
	switch (status) {
	case USBMON_OK:
		return USB_ACK;
	case EREMOTEIO_LINUX: /* short, which is no error to us; QEMU has it for all that failed, and a STALL is most of it */
		return qemu ? USB_STALL : USB_ACK;
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

static bool is_whole(const struct frame *f)
{
	return f->captured >= f->original;
}

static bool is_submission(const struct capture_record *r)
{
	return r->event == CAPTURE_SUBMITTED;
}

/* 0, or -EINVAL: not usable. */
static int from_usbmon(const struct frame *f, struct capture_record *r)
{
	size_t header = f->link_type == LINKTYPE_USB_LINUX ? OLD_HEADER_BYTES : USBMON_HEADER_BYTES, skip;
	uint8_t bytes[USBMON_HEADER_BYTES] = { 0 };
	struct usbmon_header h;
	bool qemu;

	if (f->captured < header)
		return -EINVAL;
	memcpy(bytes, f->data, header);
	usbmon_decode(bytes, sizeof(bytes), f->big_endian, &h); /* its complaint is of data that are elsewhere */
	if ((h.type != 'S' && h.type != 'C' && h.type != 'E') || h.transfer > USBMON_BULK)
		return -EINVAL;
	/* QEMU (hw/usb/pcap.c) counts the header in. */
	qemu = h.captured >= header && h.captured == f->captured;
	r->id = h.id;
	r->event = h.type == 'S' ? CAPTURE_SUBMITTED : h.type == 'C' ? CAPTURE_COMPLETED : CAPTURE_REFUSED;
	r->transfer = (enum usbmon_transfer)h.transfer;
	r->endpoint = h.endpoint;
	r->bus = h.bus;
	r->device = h.device & 0x7f;
	r->has_setup = is_submission(r) && r->transfer == USBMON_CONTROL && !h.flag_setup;
	if (r->has_setup)
		r->setup = usb_setup_decode(h.setup);
	r->status = is_submission(r) ? 0 : h.status;
	r->result = is_submission(r) ? USB_ACK : usbmon_result(h.status, qemu);
	r->length = qemu && r->has_setup ? r->setup.length : h.length;
	skip = header;
	if (r->transfer == USBMON_ISOCHRONOUS && header == USBMON_HEADER_BYTES)
		skip += h.descriptors < 128 ? h.descriptors * ISOCHRONOUS_DESCRIPTOR_BYTES : 0;
	if (skip > f->captured)
		skip = f->captured;
	r->data = f->data + skip;
	r->captured = f->captured - skip;
	if (!qemu && h.captured < r->captured)
		r->captured = h.captured;
	else if (!qemu && h.captured > f->captured - header && is_whole(f))
		return -EINVAL;
	/* QEMU leaves in the buffer what was there before. */
	if (qemu && !is_submission(r) && r->result != USB_ACK) {
		r->captured = 0;
		r->length = 0;
	}
	r->length_unknown = qemu && !is_submission(r) && !(r->endpoint & 0x80) && r->transfer == USBMON_CONTROL;
	return 0;
}

static unsigned find_unnamed(const struct capture_reader *c, const struct usbpcap_header *h)
{
	unsigned n = 0;

	while (n < c->unnamed_count && c->unnamed[n] != h->id)
		n++;
	return n;
}

/* Requests whose function USBPcap does not know have no SETUP, but the host controller's driver makes control transfers of some, and they
 * complete as these: such an answer is nobody's. */
static void note_unnamed(struct capture_reader *c, const struct usbpcap_header *h)
{
	unsigned n = find_unnamed(c, h);

	if (n < c->unnamed_count)
		c->unnamed[n] = c->unnamed[--c->unnamed_count];
	if (h->completed || h->transfer != USBPCAP_UNKNOWN)
		return;
	if (c->unnamed_count == UNNAMED_MOST)
		memmove(&c->unnamed[0], &c->unnamed[1], --c->unnamed_count * sizeof(c->unnamed[0]));
	c->unnamed[c->unnamed_count++] = h->id;
}

/* 0; 1: no transfer, which is no fault; -EINVAL: not usable. */
static int from_usbpcap(struct capture_reader *c, const struct frame *f, struct capture_record *r)
{
	struct usbpcap_header h;
	bool control, unnamed;

	if (usbpcap_decode(f->data, f->captured, &h))
		return -EINVAL;
	unnamed = c->unnamed_count && find_unnamed(c, &h) < c->unnamed_count;
	if (unnamed || h.transfer == USBPCAP_UNKNOWN)
		note_unnamed(c, &h);
	control = h.transfer == USBPCAP_CONTROL;
	if (h.transfer > USBPCAP_BULK || (unnamed && control && h.completed))
		return 1;
	r->id = h.id;
	r->event = h.completed ? CAPTURE_COMPLETED : CAPTURE_SUBMITTED;
	r->transfer = (enum usbmon_transfer)h.transfer;
	r->endpoint = h.endpoint;
	r->bus = h.bus;
	r->device = (uint8_t)(h.device & 0x7f);
	r->status = h.completed ? h.status : 0;
	r->result = h.completed ? usbpcap_result(h.status) : USB_ACK;
	r->data = f->data + h.length;
	r->captured = f->captured - h.length;
	r->length = h.data_length;
	if (r->captured > h.data_length)
		r->captured = h.data_length;
	else if (r->captured < h.data_length && is_whole(f))
		return -EINVAL;
	if (control && h.stage == USBPCAP_DATA) {
		r->event = CAPTURE_DATA_STAGE;
	} else if (control && h.stage == USBPCAP_SETUP && !h.completed) {
		if (r->captured < 8)
			return -EINVAL;
		r->has_setup = true;
		r->setup = usb_setup_decode(r->data);
		/* USBPcap makes up the SETUP of what is asked of Windows, and this one for the device (USBPcapURB.c). */
		if (!r->setup.type && r->setup.request == USBPCAP_SET_INTERFACE)
			r->setup.type = 1;
		r->endpoint = (uint8_t)((h.endpoint & 0x7f) | (r->setup.type & 0x80));
		r->length = r->setup.length;
		r->data += 8;
		r->captured -= 8;
	} else if (control && !h.completed) {
		return 1; /* the status stage on its way to the device: nothing new */
	}
	r->length_unknown = h.completed && !h.data_length;
	return 0;
}

static void note_first(uint64_t *count, uint64_t *first, uint64_t packet)
{
	if (!(*count)++)
		*first = packet;
}

static void note_gap(struct capture_reader *c, uint64_t packet)
{
	if (!c->damage.gap_before)
		c->damage.gap_before = packet;
}

/* As the packet comes, whatever is in it. */
static void account(struct capture_reader *c, const struct frame *f, struct capture_record *r)
{
	uint64_t time_us = f->has_time ? f->time_us : c->last_us;
	uint64_t missing = c->frames.pcapng.dropped + c->damage.breaks;

	*r = (struct capture_record){
		.packet = ++c->packets, .offset = f->offset, .time_us = time_us, .link_type = f->link_type
	};
	if (!is_whole(f))
		note_first(&c->damage.cut, &c->damage.cut_first, r->packet);
	if (missing > c->missing)
		note_gap(c, r->packet);
	c->missing = missing;
}

/* USBPcap dates back what it has no SETUP of, which is told when it completes. */
static void note_order(struct capture_reader *c, const struct capture_record *r)
{
	if (r->time_us < c->last_us)
		note_first(&c->damage.disordered, &c->damage.disordered_first, r->packet);
	c->last_us = r->time_us;
}

int capture_reader_next(struct capture_reader *c, struct capture_record *r)
{
	struct frame f;
	int more;

	while ((more = frames_next(&c->frames, &f)) > 0) {
		int usable;

		account(c, &f, r);
		switch (f.link_type) {
		case LINKTYPE_USB_LINUX:
		case LINKTYPE_USB_LINUX_MMAPPED:
			usable = from_usbmon(&f, r);
			break;
		case LINKTYPE_USBPCAP:
			usable = from_usbpcap(c, &f, r);
			break;
		default:
			if (!c->damage.foreign++)
				c->damage.foreign_link = f.link_type;
			note_order(c, r);
			continue;
		}
		if (usable <= 0)
			note_order(c, r);
		if (!usable)
			return 1;
		if (usable < 0) {
			note_first(&c->damage.malformed, &c->damage.malformed_first, r->packet);
			note_gap(c, r->packet);
		}
	}
	return more;
}

static struct capture_reader *reader_new(void)
{
	struct capture_reader *c = calloc(1, sizeof(*c));

	if (c)
		frames_init(&c->frames, &c->damage);
	return c;
}

struct capture_reader *capture_reader_from_fd(int fd)
{
	struct capture_reader *c = reader_new();

	if (c)
		window_from_fd(&c->frames.window, fd);
	return c;
}

struct capture_reader *capture_reader_from_memory(const uint8_t *data, size_t length)
{
	struct capture_reader *c = reader_new();

	if (c)
		window_from_memory(&c->frames.window, data, length);
	return c;
}

void capture_reader_free(struct capture_reader *c)
{
	if (!c)
		return;
	frames_free(&c->frames);
	free(c);
}

const struct capture_damage *capture_reader_damage(const struct capture_reader *c)
{
	return &c->damage;
}

enum capture_format capture_reader_format(const struct capture_reader *c)
{
	return c->frames.format;
}

uint64_t capture_reader_packets(const struct capture_reader *c)
{
	return c->packets;
}

uint64_t capture_reader_offset(const struct capture_reader *c)
{
	return window_offset(&c->frames.window) + c->frames.unread;
}

const char *capture_reader_application(const struct capture_reader *c)
{
	return c->frames.application;
}
