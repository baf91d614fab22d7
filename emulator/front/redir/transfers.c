// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of the peer as transfers of the device, and what comes of them as packets. Each is answered exactly once. */
#include "session_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TRANSFERS_MOST 1024u
#define BYTES_MOST (16u << 20) /* as Linux lends to all users of usbfs together */
#define DATA_MOST (1u << 20)   /* of one transfer */

#define GET_CONFIGURATION 8u
#define GET_INTERFACE 10u
#define SET_INTERFACE 11u

struct transfer {
	struct usb_urb urb; /* first: a struct usb_urb * of ours is a struct transfer * */
	struct transfer *next, **link;
	struct request request;
	size_t memory;
	uint8_t *packet; /* the parser's; NULL: the data is in room[] */
	uint8_t room[];
};

static uint8_t status_of(enum usb_result result)
{
	switch (result) {
	case USB_ACK:
		return usb_redir_success;
	case USB_STALL:
		return usb_redir_stall;
	case USB_CANCELLED:
		return usb_redir_cancelled;
	case USB_SILENT:
	case USB_GONE:
		break;
	}
	return usb_redir_ioerror;
}

/* --- answers --- */

static void answer_configuration(struct session *s, uint64_t id, uint8_t status, uint8_t value)
{
	struct usb_redir_configuration_status_header h = { .status = status, .configuration = value };

	usbredirparser_send_configuration_status(s->parser, id, &h);
}

static void answer_setting(struct session *s, const struct request *r, uint8_t status, uint8_t alt)
{
	struct usb_redir_alt_setting_status_header h = { .status = status,
							 .interface = r->header.interface,
							 .alt = alt };

	usbredirparser_send_alt_setting_status(s->parser, r->id, &h);
}

static uint8_t alt_of(const struct session *s, uint8_t interface)
{
	return interface < INFO_INTERFACES ? s->alts[interface] : 0;
}

/* actual: bytes moved; data: what came in, if anything. */
static void answer(struct session *s, struct request *r, uint8_t status, uint8_t *data, size_t actual)
{
	int count = (int)actual;

	switch (r->type) {
	case usb_redir_control_packet: {
		bool in = (r->header.control.endpoint & 0x80) != 0;

		r->header.control.status = status;
		r->header.control.length = (uint16_t)actual;
		usbredirparser_send_control_packet(s->parser, r->id, &r->header.control, in && count ? data : NULL,
						   in ? count : 0);
		return;
	}
	case usb_redir_bulk_packet: {
		bool in = (r->header.bulk.endpoint & 0x80) != 0;

		r->header.bulk.status = status;
		r->header.bulk.length = (uint16_t)actual;
		r->header.bulk.length_high = (uint16_t)(actual >> 16);
		usbredirparser_send_bulk_packet(s->parser, r->id, &r->header.bulk, in && count ? data : NULL,
						in ? count : 0);
		return;
	}
	case usb_redir_interrupt_packet:
		r->header.interrupt.status = status;
		r->header.interrupt.length = (uint16_t)actual;
		usbredirparser_send_interrupt_packet(s->parser, r->id, &r->header.interrupt, NULL, 0);
		return;
	case usb_redir_set_configuration:
		answer_configuration(s, r->id, status, s->configuration);
		return;
	case usb_redir_get_configuration:
		answer_configuration(s, r->id, status, count ? data[0] : s->configuration);
		return;
	case usb_redir_set_alt_setting:
		answer_setting(s, r, status, alt_of(s, r->header.interface));
		return;
	case usb_redir_get_alt_setting:
		answer_setting(s, r, status, count ? data[0] : alt_of(s, r->header.interface));
		return;
	}
	abort();
}

/* What the device has accepted changes what it is: endpoints come and go. */
static void remember(struct session *s, const struct usb_setup *setup)
{
	const struct usb_description *d = export_description(s->export);

	if (setup->type == 0x00 && setup->request == USB_REQUEST_SET_CONFIGURATION) {
		s->configuration = (uint8_t)setup->value;
		memset(s->alts, 0, sizeof(s->alts));
	} else if (setup->type == 0x01 && setup->request == SET_INTERFACE && setup->index < INFO_INTERFACES) {
		s->alts[setup->index] = (uint8_t)setup->value;
	} else {
		return;
	}
	if (!d)
		return;
	info_fill(&s->info, d, usb_description_configuration(d, s->configuration), s->alts);
	session_send_info(s);
}

/* --- transfers --- */

static void transfer_free(struct session *s, struct transfer *t)
{
	if (t->link) {
		*t->link = t->next;
		if (t->next)
			t->next->link = t->link;
		s->transfer_count--;
		s->transfer_bytes -= t->memory;
	}
	if (t->packet)
		usbredirparser_free_packet_data(s->parser, t->packet);
	free(t);
}

/* data: the parser's, or NULL for room of that many bytes. It takes its own way from here, and the data with it. */
static void begin(struct session *s, struct request *r, uint8_t endpoint, const struct usb_setup *setup, uint8_t *data,
		  size_t length)
{
	size_t memory = sizeof(struct transfer) + length;
	struct transfer *t = NULL;

	if (s->transfer_count < TRANSFERS_MOST && s->transfer_bytes + memory <= BYTES_MOST)
		t = malloc(sizeof(*t) + (data ? 0 : length));
	if (!t) {
		if (data)
			usbredirparser_free_packet_data(s->parser, data);
		answer(s, r, usb_redir_ioerror, NULL, 0);
		return;
	}
	*t = (struct transfer){ .request = *r, .memory = memory, .packet = data };
	t->urb = (struct usb_urb){ .endpoint = endpoint, .data = data ? data : t->room, .length = length };
	if (setup)
		t->urb.setup = *setup;
	if (!data)
		memset(t->room, 0, length);
	t->next = s->transfers;
	if (t->next)
		t->next->link = &t->next;
	t->link = &s->transfers;
	s->transfers = t;
	s->transfer_count++;
	s->transfer_bytes += memory;
	export_submit(s->export, &t->urb);
}

static void finish(struct session *s, struct transfer *t)
{
	if (!s->closing) {
		if (t->urb.result == USB_ACK && !t->urb.endpoint)
			remember(s, &t->urb.setup);
		answer(s, &t->request, status_of(t->urb.result), t->urb.data,
		       t->urb.actual < t->urb.length ? t->urb.actual : t->urb.length);
	}
	transfer_free(s, t);
}

static void refuse(struct session *s, struct request *r, uint8_t *data)
{
	if (data)
		usbredirparser_free_packet_data(s->parser, data);
	answer(s, r, usb_redir_inval, NULL, 0);
}

/* Packets for a device that is not there (any more) are those of a peer that does not know yet: it waits for no answer. */
static bool is_late(struct session *s, uint8_t *data)
{
	if (session_has_device(s))
		return false;
	if (data)
		usbredirparser_free_packet_data(s->parser, data);
	return true;
}

static void control_packet(void *priv, uint64_t id, struct usb_redir_control_packet_header *h, uint8_t *data, int count)
{
	struct session *s = priv;
	struct request r = { .type = usb_redir_control_packet, .id = id, .header.control = *h };
	const struct usb_setup setup = { h->requesttype, h->request, h->value, h->index, h->length };
	/* The address is the controller's to give, on the other side, and ours on this one. */
	bool address = h->requesttype == 0x00 && h->request == USB_REQUEST_SET_ADDRESS;

	(void)count; /* the parser has seen to it that it is the length, or 0 */
	if (is_late(s, data))
		return;
	if ((h->endpoint & 0x7f) || ((h->endpoint ^ h->requesttype) & 0x80) || address)
		refuse(s, &r, data);
	else
		begin(s, &r, 0, &setup, data, h->length);
}

static bool has_endpoint(const struct session *s, uint8_t endpoint, uint8_t type)
{
	return !(endpoint & 0x70) && s->info.endpoints.type[info_index(endpoint)] == type;
}

static void bulk_packet(void *priv, uint64_t id, struct usb_redir_bulk_packet_header *h, uint8_t *data, int count)
{
	struct session *s = priv;
	struct request r = { .type = usb_redir_bulk_packet, .id = id, .header.bulk = *h };
	size_t length = h->length;

	(void)count;
	if (usbredirparser_peer_has_cap(s->parser, usb_redir_cap_32bits_bulk_length))
		length |= (size_t)h->length_high << 16;
	if (is_late(s, data))
		return;
	if (!has_endpoint(s, h->endpoint, usb_redir_type_bulk) || h->stream_id || length > DATA_MOST)
		refuse(s, &r, data);
	else
		begin(s, &r, h->endpoint, NULL, data, length);
}

static void interrupt_packet(void *priv, uint64_t id, struct usb_redir_interrupt_packet_header *h, uint8_t *data,
			     int count)
{
	struct session *s = priv;
	struct request r = { .type = usb_redir_interrupt_packet, .id = id, .header.interrupt = *h };

	(void)count;
	if (is_late(s, data))
		return;
	if (!has_endpoint(s, h->endpoint, usb_redir_type_interrupt))
		refuse(s, &r, data);
	else
		begin(s, &r, h->endpoint, NULL, data, h->length);
}

static void standard(struct session *s, uint32_t type, uint64_t id, uint8_t interface, struct usb_setup setup)
{
	struct request r = { .type = type, .id = id, .header.interface = interface };

	if (!is_late(s, NULL))
		begin(s, &r, 0, &setup, NULL, setup.length);
}

static void set_configuration(void *priv, uint64_t id, struct usb_redir_set_configuration_header *h)
{
	standard(priv, usb_redir_set_configuration, id, 0,
		 (struct usb_setup){ 0x00, USB_REQUEST_SET_CONFIGURATION, h->configuration, 0, 0 });
}

static void get_configuration(void *priv, uint64_t id)
{
	standard(priv, usb_redir_get_configuration, id, 0, (struct usb_setup){ 0x80, GET_CONFIGURATION, 0, 0, 1 });
}

static void set_alt_setting(void *priv, uint64_t id, struct usb_redir_set_alt_setting_header *h)
{
	standard(priv, usb_redir_set_alt_setting, id, h->interface,
		 (struct usb_setup){ 0x01, SET_INTERFACE, h->alt, h->interface, 0 });
}

static void get_alt_setting(void *priv, uint64_t id, struct usb_redir_get_alt_setting_header *h)
{
	standard(priv, usb_redir_get_alt_setting, id, h->interface,
		 (struct usb_setup){ 0x81, GET_INTERFACE, 0, h->interface, 1 });
}

static void cancel_data_packet(void *priv, uint64_t id)
{
	struct session *s = priv;

	for (struct transfer *t = s->transfers; t; t = t->next)
		if (t->request.id == id) {
			export_cancel(s->export, &t->urb);
			return;
		}
	/* It has been answered already: the answer is on its way. */
}

/* --- receivers --- */

static void receiver_status(struct session *s, uint8_t endpoint, uint64_t id, uint8_t status)
{
	struct usb_redir_interrupt_receiving_status_header h = { .status = status, .endpoint = endpoint };

	usbredirparser_send_interrupt_receiving_status(s->parser, id, &h);
}

/* A loop, since a device that has data at once completes within export_submit(). */
static void receiver_go_on(struct session *s, struct receiver *r)
{
	unsigned size = s->info.endpoints.max_packet_size[info_index(r->endpoint)];

	if (r->starting)
		return;
	r->starting = true;
	/* Bits 12 and 11: further packets in a microframe. */
	size = (size & 0x7ff) * (1 + (size >> 11 & 3));
	while (r->running && !r->under_way && !session_is_full(s)) {
		r->under_way = true;
		r->urb = (struct usb_urb){ .endpoint = r->endpoint,
					   .data = r->data,
					   .length = size < RECEIVER_BYTES ? size : RECEIVER_BYTES };
		export_submit(s->export, &r->urb);
	}
	r->starting = false;
}

static void receiver_done(struct session *s, struct receiver *r)
{
	struct usb_redir_interrupt_packet_header h = { .endpoint = r->endpoint, .length = (uint16_t)r->urb.actual };

	r->under_way = false;
	if (!r->running || s->closing)
		return;
	if (r->urb.result == USB_ACK) {
		usbredirparser_send_interrupt_packet(s->parser, r->packet++, &h, h.length ? r->data : NULL, h.length);
		receiver_go_on(s, r);
		return;
	}
	/* Whatever ends it but the peer's wish is told as a stall. */
	r->running = false;
	receiver_status(s, r->endpoint, 0, usb_redir_stall);
}

static void start_interrupt_receiving(void *priv, uint64_t id, struct usb_redir_start_interrupt_receiving_header *h)
{
	struct session *s = priv;
	struct receiver **place = &s->receivers[h->endpoint & 0x0f];

	if (is_late(s, NULL))
		return;
	if (!(h->endpoint & 0x80) || !has_endpoint(s, h->endpoint, usb_redir_type_interrupt)) {
		receiver_status(s, h->endpoint, id, usb_redir_inval);
		return;
	}
	if (!*place)
		*place = calloc(1, sizeof(**place));
	receiver_status(s, h->endpoint, id, *place ? usb_redir_success : usb_redir_ioerror);
	if (!*place || (*place)->running)
		return;
	(*place)->endpoint = h->endpoint;
	(*place)->running = true;
	(*place)->packet = 0;
	receiver_go_on(s, *place);
}

static void receiver_stop(struct session *s, struct receiver *r)
{
	r->running = false;
	if (r->under_way)
		export_cancel(s->export, &r->urb);
}

static void stop_interrupt_receiving(void *priv, uint64_t id, struct usb_redir_stop_interrupt_receiving_header *h)
{
	struct session *s = priv;
	struct receiver *r = s->receivers[h->endpoint & 0x0f];

	if (is_late(s, NULL))
		return;
	if (r && r->endpoint == h->endpoint)
		receiver_stop(s, r);
	receiver_status(s, h->endpoint, id, usb_redir_success);
}

/* --- what no device here has --- */

static void start_iso_stream(void *priv, uint64_t id, struct usb_redir_start_iso_stream_header *h)
{
	struct session *s = priv;
	struct usb_redir_iso_stream_status_header status = { .status = usb_redir_inval, .endpoint = h->endpoint };

	if (!is_late(s, NULL))
		usbredirparser_send_iso_stream_status(s->parser, id, &status);
}

static void stop_iso_stream(void *priv, uint64_t id, struct usb_redir_stop_iso_stream_header *h)
{
	struct session *s = priv;
	struct usb_redir_iso_stream_status_header status = { .status = usb_redir_success, .endpoint = h->endpoint };

	if (!is_late(s, NULL))
		usbredirparser_send_iso_stream_status(s->parser, id, &status);
}

static void iso_packet(void *priv, uint64_t id, struct usb_redir_iso_packet_header *h, uint8_t *data, int count)
{
	struct session *s = priv;

	(void)id, (void)h, (void)count;
	if (data)
		usbredirparser_free_packet_data(s->parser, data);
}

static void bulk_streams(struct session *s, uint64_t id, uint32_t endpoints, uint32_t count)
{
	struct usb_redir_bulk_streams_status_header status = { .endpoints = endpoints,
							       .no_streams = count,
							       .status = usb_redir_inval };

	if (!is_late(s, NULL))
		usbredirparser_send_bulk_streams_status(s->parser, id, &status);
}

static void alloc_bulk_streams(void *priv, uint64_t id, struct usb_redir_alloc_bulk_streams_header *h)
{
	bulk_streams(priv, id, h->endpoints, h->no_streams);
}

static void free_bulk_streams(void *priv, uint64_t id, struct usb_redir_free_bulk_streams_header *h)
{
	bulk_streams(priv, id, h->endpoints, 0);
}

/* Capabilities that we do not claim: the parser refuses these itself. */
static void start_bulk_receiving(void *priv, uint64_t id, struct usb_redir_start_bulk_receiving_header *h)
{
	(void)priv, (void)id, (void)h;
}

static void stop_bulk_receiving(void *priv, uint64_t id, struct usb_redir_stop_bulk_receiving_header *h)
{
	(void)priv, (void)id, (void)h;
}

static void reset(void *priv)
{
	struct session *s = priv;

	if (is_late(s, NULL))
		return;
	export_reset(s->export); /* takes all transfers back */
	s->configuration = 0;
	memset(s->alts, 0, sizeof(s->alts));
}

void transfers_callbacks(struct usbredirparser *p)
{
	p->reset_func = reset;
	p->set_configuration_func = set_configuration;
	p->get_configuration_func = get_configuration;
	p->set_alt_setting_func = set_alt_setting;
	p->get_alt_setting_func = get_alt_setting;
	p->start_iso_stream_func = start_iso_stream;
	p->stop_iso_stream_func = stop_iso_stream;
	p->start_interrupt_receiving_func = start_interrupt_receiving;
	p->stop_interrupt_receiving_func = stop_interrupt_receiving;
	p->alloc_bulk_streams_func = alloc_bulk_streams;
	p->free_bulk_streams_func = free_bulk_streams;
	p->cancel_data_packet_func = cancel_data_packet;
	p->control_packet_func = control_packet;
	p->bulk_packet_func = bulk_packet;
	p->iso_packet_func = iso_packet;
	p->interrupt_packet_func = interrupt_packet;
	p->start_bulk_receiving_func = start_bulk_receiving;
	p->stop_bulk_receiving_func = stop_bulk_receiving;
}

/* --- for the session --- */

void transfers_complete(struct session *s, struct usb_urb *urb)
{
	struct receiver *r = s->receivers[urb->endpoint & 0x0f];

	if (r && urb == &r->urb)
		receiver_done(s, r);
	else
		finish(s, (struct transfer *)urb);
}

bool transfers_resume(struct session *s)
{
	bool paused = false;

	for (unsigned i = 0; i < RECEIVERS; i++) {
		struct receiver *r = s->receivers[i];

		if (r && r->running && !r->under_way)
			receiver_go_on(s, r);
		paused |= r && r->running && !r->under_way;
	}
	return paused;
}

void transfers_forget(struct session *s)
{
	for (unsigned i = 0; i < RECEIVERS; i++)
		if (s->receivers[i])
			s->receivers[i]->running = false;
	s->configuration = 0;
	memset(s->alts, 0, sizeof(s->alts));
}

void transfers_take_back(struct session *s)
{
	while (s->transfers) {
		const struct transfer *first = s->transfers;

		export_cancel(s->export, &s->transfers->urb);
		assert(s->transfers != first); /* usbdev.h: it has completed */
	}
	for (unsigned i = 0; i < RECEIVERS; i++)
		if (s->receivers[i])
			receiver_stop(s, s->receivers[i]);
}
