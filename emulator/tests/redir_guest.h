/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other side of usbredir, for tests: a usb-guest of libusbredirparser, over memory, that writes down what it is told. */
#ifndef DFUBENCH_TESTS_REDIR_GUEST_H
#define DFUBENCH_TESTS_REDIR_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <usbredirparser.h>
#include "session.h"

#define GUEST_ANSWERS 4096
#ifndef GUEST_BYTES
#define GUEST_BYTES (8u << 20)
#endif
#define GUEST_CAPS_ALL 0x7e /* without streams */

/* A pipe of memory; room: what it takes, less than its size to be slow on purpose. */
struct pipe_of_bytes {
	uint8_t *bytes;
	size_t used, room;
};

struct guest_answer {
	uint32_t type; /* usb_redir_... */
	uint64_t id;
	uint8_t status, endpoint;
	int value; /* configuration or alternate setting */
	int length;
	uint8_t data[512]; /* the beginning */
};

struct guest {
	struct usbredirparser *parser;
	struct pipe_of_bytes in, out; /* for the guest, from the guest */
	size_t in_read;
	char order[64]; /* e i C D a: ep_info, interface_info, connect, disconnect, a hello */
	unsigned connects, disconnects, complaints, wakes, hellos;
	char said[256];
	struct usb_redir_device_connect_header device;
	struct usb_redir_ep_info_header endpoints;
	struct usb_redir_interface_info_header interfaces;
	struct guest_answer answers[GUEST_ANSWERS];
	unsigned answer_count;
};

static inline void guest_note(struct guest *g, char what)
{
	size_t used = strlen(g->order);

	if (used + 1 < sizeof(g->order))
		g->order[used] = what;
}

static inline struct guest_answer *guest_add(struct guest *g, uint32_t type, uint64_t id, uint8_t status,
					     uint8_t endpoint)
{
	struct guest_answer *a = &g->answers[g->answer_count < GUEST_ANSWERS ? g->answer_count : GUEST_ANSWERS - 1];

	*a = (struct guest_answer){ .type = type, .id = id, .status = status, .endpoint = endpoint };
	g->answer_count++;
	return a;
}

/* --- its parser --- */

static inline void guest_log(void *priv, int level, const char *line)
{
	struct guest *g = priv;

	if (level != usbredirparser_error)
		return;
	g->complaints++;
	strncpy(g->said, line, sizeof(g->said) - 1);
}

static inline int guest_read(void *priv, uint8_t *data, int count)
{
	struct guest *g = priv;
	size_t n = g->in.used - g->in_read;

	if (n > (size_t)count)
		n = (size_t)count;
	if (n)
		memcpy(data, g->in.bytes + g->in_read, n);
	g->in_read += n;
	return (int)n;
}

static inline int pipe_put(struct pipe_of_bytes *p, const uint8_t *data, size_t count)
{
	size_t n = p->room - p->used < count ? p->room - p->used : count;

	if (n)
		memcpy(p->bytes + p->used, data, n);
	p->used += n;
	return (int)n;
}

static inline int guest_write(void *priv, uint8_t *data, int count)
{
	return pipe_put(&((struct guest *)priv)->out, data, (size_t)count);
}

static inline void guest_hello(void *priv, struct usb_redir_hello_header *h)
{
	(void)h;
	guest_note(priv, 'h');
}

static inline void guest_connect(void *priv, struct usb_redir_device_connect_header *h)
{
	struct guest *g = priv;

	guest_note(g, 'C');
	g->connects++;
	g->device = *h;
}

static inline void guest_disconnect(void *priv)
{
	guest_note(priv, 'D');
	((struct guest *)priv)->disconnects++;
}

static inline void guest_interfaces(void *priv, struct usb_redir_interface_info_header *h)
{
	guest_note(priv, 'i');
	((struct guest *)priv)->interfaces = *h;
}

static inline void guest_endpoints(void *priv, struct usb_redir_ep_info_header *h)
{
	guest_note(priv, 'e');
	((struct guest *)priv)->endpoints = *h;
}

static inline void guest_configuration(void *priv, uint64_t id, struct usb_redir_configuration_status_header *h)
{
	guest_add(priv, usb_redir_configuration_status, id, h->status, 0)->value = h->configuration;
}

static inline void guest_setting(void *priv, uint64_t id, struct usb_redir_alt_setting_status_header *h)
{
	guest_add(priv, usb_redir_alt_setting_status, id, h->status, h->interface)->value = h->alt;
}

static inline void guest_iso_status(void *priv, uint64_t id, struct usb_redir_iso_stream_status_header *h)
{
	guest_add(priv, usb_redir_iso_stream_status, id, h->status, h->endpoint);
}

static inline void guest_interrupt_status(void *priv, uint64_t id,
					  struct usb_redir_interrupt_receiving_status_header *h)
{
	guest_add(priv, usb_redir_interrupt_receiving_status, id, h->status, h->endpoint);
}

static inline void guest_streams(void *priv, uint64_t id, struct usb_redir_bulk_streams_status_header *h)
{
	guest_add(priv, usb_redir_bulk_streams_status, id, h->status, 0);
}

static inline void guest_data(struct guest *g, struct guest_answer *a, int length, uint8_t *data, int count)
{
	a->length = length;
	if (count)
		memcpy(a->data, data, (size_t)count < sizeof(a->data) ? (size_t)count : sizeof(a->data));
	usbredirparser_free_packet_data(g->parser, data);
}

static inline void guest_control(void *priv, uint64_t id, struct usb_redir_control_packet_header *h, uint8_t *data,
				 int count)
{
	guest_data(priv, guest_add(priv, usb_redir_control_packet, id, h->status, h->endpoint), h->length, data, count);
}

static inline void guest_bulk(void *priv, uint64_t id, struct usb_redir_bulk_packet_header *h, uint8_t *data, int count)
{
	guest_data(priv, guest_add(priv, usb_redir_bulk_packet, id, h->status, h->endpoint),
		   h->length | h->length_high << 16, data, count);
}

static inline void guest_interrupt(void *priv, uint64_t id, struct usb_redir_interrupt_packet_header *h, uint8_t *data,
				   int count)
{
	guest_data(priv, guest_add(priv, usb_redir_interrupt_packet, id, h->status, h->endpoint), h->length, data,
		   count);
}

/* caps: bits of usb_redir_cap_... */
static inline void guest_init(struct guest *g, uint32_t caps)
{
	memset(g, 0, sizeof(*g));
	g->in = (struct pipe_of_bytes){ .bytes = malloc(GUEST_BYTES), .room = GUEST_BYTES };
	g->out = (struct pipe_of_bytes){ .bytes = malloc(GUEST_BYTES), .room = GUEST_BYTES };
	g->parser = usbredirparser_create();
	if (!g->in.bytes || !g->out.bytes || !g->parser)
		abort();
	g->parser->priv = g;
	g->parser->log_func = guest_log;
	g->parser->read_func = guest_read;
	g->parser->write_func = guest_write;
	g->parser->hello_func = guest_hello;
	g->parser->device_connect_func = guest_connect;
	g->parser->device_disconnect_func = guest_disconnect;
	g->parser->interface_info_func = guest_interfaces;
	g->parser->ep_info_func = guest_endpoints;
	g->parser->configuration_status_func = guest_configuration;
	g->parser->alt_setting_status_func = guest_setting;
	g->parser->iso_stream_status_func = guest_iso_status;
	g->parser->interrupt_receiving_status_func = guest_interrupt_status;
	g->parser->bulk_streams_status_func = guest_streams;
	g->parser->control_packet_func = guest_control;
	g->parser->bulk_packet_func = guest_bulk;
	g->parser->interrupt_packet_func = guest_interrupt;
	usbredirparser_init(g->parser, "a guest", &caps, USB_REDIR_CAPS_SIZE, 0);
}

static inline void guest_free(struct guest *g)
{
	usbredirparser_destroy(g->parser);
	free(g->in.bytes);
	free(g->out.bytes);
}

/* What has arrived is looked at; 0 or what the parser says. */
static inline int guest_look(struct guest *g)
{
	int r = usbredirparser_do_read(g->parser);

	memmove(g->in.bytes, g->in.bytes + g->in_read, g->in.used - g->in_read);
	g->in.used -= g->in_read;
	g->in_read = 0;
	return r;
}

/* --- the session's side --- */

static inline int guest_takes(void *context, const uint8_t *bytes, size_t count)
{
	return pipe_put(&((struct guest *)context)->in, bytes, count);
}

static inline void guest_is_woken(void *context)
{
	((struct guest *)context)->wakes++;
}

static inline void guest_is_greeted(void *context)
{
	((struct guest *)context)->hellos++;
}

static inline void guest_hears(void *context, const char *line)
{
	strncpy(((struct guest *)context)->said, line, sizeof(((struct guest *)context)->said) - 1);
}

static const struct session_ops guest_session_ops = {
	.write = guest_takes,
	.wake = guest_is_woken,
	.hello = guest_is_greeted,
	.say = guest_hears,
};

#endif
