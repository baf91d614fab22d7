// SPDX-License-Identifier: GPL-2.0-or-later
/* The conversation: hello, a device that comes and goes, and what is read and written. */
#include "session_internal.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Behind a packet's header: 1 MiB of data and the header of a bulk transfer. The library alone would take 128 MiB. */
#define BODY_MOST ((1u << 20) + 64u)
#define HEADER_SHORT 12u /* with ids of 32 bits */
#define HEADER_LONG 16u
/* Answers that the peer has not read. Few, for the library walks its queue to append to it. */
#define OUTPUT_BYTES (1u << 20)
#define OUTPUT_PACKETS 256
#define HELLO_TICKS (10000 / SESSION_TICK_MS)
#define ACK_TICKS (1000 / SESSION_TICK_MS)

static void enter(struct session *s, enum session_state state)
{
	s->state = state;
	s->ticks = 0;
}

void session_wake(struct session *s)
{
	if (!s->busy && !s->closing && usbredirparser_has_data_to_write(s->parser))
		s->ops->wake(s->context);
}

bool session_is_full(const struct session *s)
{
	return usbredirparser_has_data_to_write(s->parser) >= OUTPUT_PACKETS ||
	       usbredirparser_get_bufferered_output_size(s->parser) >= OUTPUT_BYTES;
}

bool session_has_device(const struct session *s)
{
	return s->state == SESSION_CONNECTED;
}

const char *session_why(const struct session *s)
{
	return s->why;
}

/* --- the device --- */

void session_send_info(struct session *s)
{
	usbredirparser_send_ep_info(s->parser, &s->info.endpoints);
	usbredirparser_send_interface_info(s->parser, &s->info.interfaces);
}

/* What a host has to know of a device before it comes is what its first configuration will be: of one that is not
 * configured there would be nothing to tell. */
static void announce(struct session *s)
{
	const struct usb_description *d = export_description(s->export);
	struct usb_redir_device_connect_header device;

	if (s->state != SESSION_IDLE || !d)
		return;
	transfers_forget(s);
	info_fill(&s->info, d, &d->configurations[0], s->alts);
	session_send_info(s);
	info_device(d, &device);
	usbredirparser_send_device_connect(s->parser, &device);
	enter(s, SESSION_CONNECTED);
}

void session_attach(struct session *s)
{
	announce(s);
	session_wake(s);
}

void session_detach(struct session *s)
{
	if (s->state == SESSION_REFUSED)
		enter(s, SESSION_IDLE);
	if (s->state != SESSION_CONNECTED)
		return;
	usbredirparser_send_device_disconnect(s->parser);
	enter(s, usbredirparser_peer_has_cap(s->parser, usb_redir_cap_device_disconnect_ack) ? SESSION_LEAVING
											     : SESSION_IDLE);
	session_wake(s);
}

void session_complete(struct session *s, struct usb_urb *urb)
{
	transfers_complete(s, urb);
	session_wake(s);
}

/* --- what the parser tells --- */

static void hello(void *priv, struct usb_redir_hello_header *header)
{
	struct session *s = priv;

	(void)header;
	enter(s, SESSION_IDLE);
	s->ops->hello(s->context);
	announce(s);
}

static void disconnect_ack(void *priv)
{
	struct session *s = priv;

	if (s->state != SESSION_LEAVING)
		return;
	enter(s, SESSION_IDLE);
	announce(s);
}

static void filter_reject(void *priv)
{
	struct session *s = priv;

	if (s->state != SESSION_CONNECTED)
		return;
	/* First: the device may leave in what follows, and the next one is to be announced. */
	enter(s, SESSION_REFUSED);
	transfers_take_back(s);
	export_reset(s->export);
	s->ops->say(s->context, "the guest refuses the device: no controller of that speed, or a filter forbids it");
}

static void filter_filter(void *priv, struct usbredirfilter_rule *rules, int count)
{
	(void)priv, (void)count; /* the peer applies them, and says so */
	free(rules);
}

static void log_line(void *priv, int level, const char *line)
{
	struct session *s = priv;

	if (level == usbredirparser_error)
		snprintf(s->why, sizeof(s->why), "%s", line);
}

/* --- bytes --- */

static uint32_t little_endian(const uint8_t *b)
{
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static size_t header_size(const struct session *s)
{
	return usbredirparser_have_peer_caps(s->parser) &&
			       usbredirparser_peer_has_cap(s->parser, usb_redir_cap_64bits_ids)
		       ? HEADER_LONG
		       : HEADER_SHORT;
}

/* A header is whole: what the library lets pass, and should not come from a stranger, ends here. */
static bool is_acceptable(struct session *s)
{
	uint32_t type = little_endian(s->header), length = little_endian(s->header + 4);
	bool greeting = s->state == SESSION_GREETING;

	if (greeting && (type != usb_redir_hello || length > BODY_MOST / 1024))
		snprintf(s->why, sizeof(s->why), "it does not begin with a hello of usbredir");
	else if (!greeting && type == usb_redir_hello)
		snprintf(s->why, sizeof(s->why), "a second hello");
	else if (length > BODY_MOST)
		snprintf(s->why, sizeof(s->why), "a packet of %u bytes: at most %u are accepted", length, BODY_MOST);
	else
		return true;
	return false;
}

/* The parser never asks for more than the rest of a header or of a body. */
static int read_some(void *priv, uint8_t *data, int count)
{
	struct session *s = priv;
	size_t n = (size_t)count;

	if (!s->in_left || (!s->header_used && !s->body_left && session_is_full(s)))
		return 0;
	if (n > s->in_left)
		n = s->in_left;
	assert(n <= (s->body_left ? s->body_left : header_size(s) - s->header_used));
	memcpy(data, s->in, n);
	if (s->body_left) {
		s->body_left -= n;
	} else {
		memcpy(s->header + s->header_used, s->in, n);
		s->header_used += n;
		if (s->header_used == header_size(s)) {
			if (!is_acceptable(s))
				return -1;
			s->header_used = 0;
			s->body_left = little_endian(s->header + 4);
		}
	}
	s->in += n;
	s->in_left -= n;
	return (int)n;
}

static int write_some(void *priv, uint8_t *data, int count)
{
	struct session *s = priv;

	int n = s->broken ? -1 : s->ops->write(s->context, data, (size_t)count);

	s->broken = n < 0;
	return n;
}

ssize_t session_feed(struct session *s, const uint8_t *bytes, size_t count)
{
	int r;

	s->in = bytes;
	s->in_left = count;
	s->why[0] = 0;
	s->busy = true;
	r = usbredirparser_do_read(s->parser);
	s->busy = false;
	if (!r)
		return (ssize_t)(count - s->in_left);
	if (!s->why[0])
		snprintf(s->why, sizeof(s->why), "it does not speak usbredir");
	return -EPROTO;
}

int session_flush(struct session *s)
{
	bool paused;

	s->busy = true;
	usbredirparser_do_write(s->parser);
	paused = transfers_resume(s);
	if (usbredirparser_has_data_to_write(s->parser))
		usbredirparser_do_write(s->parser);
	s->busy = false;
	if (s->broken)
		return -EPIPE;
	return paused || usbredirparser_has_data_to_write(s->parser);
}

bool session_is_waiting(const struct session *s)
{
	return s->state == SESSION_GREETING || s->state == SESSION_LEAVING;
}

int session_tick(struct session *s)
{
	s->ticks++;
	if (s->state == SESSION_GREETING && s->ticks >= HELLO_TICKS)
		return -ETIMEDOUT;
	if (s->state == SESSION_LEAVING && s->ticks >= ACK_TICKS) {
		enter(s, SESSION_IDLE);
		announce(s);
		session_wake(s);
	}
	return 0;
}

/* --- from new to free --- */

static const int capabilities[] = {
	usb_redir_cap_connect_device_version,  usb_redir_cap_filter,     usb_redir_cap_device_disconnect_ack,
	usb_redir_cap_ep_info_max_packet_size, usb_redir_cap_64bits_ids, usb_redir_cap_32bits_bulk_length,
};

struct session *session_new(struct export *export, const struct session_ops *ops, void *context)
{
	struct session *s = calloc(1, sizeof(*s));
	uint32_t caps[USB_REDIR_CAPS_SIZE] = { 0 };

	if (!s)
		return NULL;
	s->parser = usbredirparser_create();
	if (!s->parser) {
		free(s);
		return NULL;
	}
	s->export = export;
	s->ops = ops;
	s->context = context;
	s->parser->priv = s;
	s->parser->log_func = log_line;
	s->parser->read_func = read_some;
	s->parser->write_func = write_some;
	s->parser->hello_func = hello;
	s->parser->device_disconnect_ack_func = disconnect_ack;
	s->parser->filter_reject_func = filter_reject;
	s->parser->filter_filter_func = filter_filter;
	transfers_callbacks(s->parser);
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
		usbredirparser_caps_set_cap(caps, capabilities[i]);
	usbredirparser_init(s->parser, "dfuemu " DFUBENCH_VERSION, caps, USB_REDIR_CAPS_SIZE,
			    usbredirparser_fl_usb_host);
	return s;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	s->closing = true;
	transfers_take_back(s);
	if (s->state == SESSION_CONNECTED)
		export_reset(s->export);
	for (unsigned i = 0; i < RECEIVERS; i++)
		free(s->receivers[i]);
	usbredirparser_destroy(s->parser);
	free(s);
}
