// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of a gadgetfs, each an endpoint. */
#include "gadgetfs_endpoints.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "endpoint.h"

#define CLEAR_FEATURE 1u
#define HALT_US 20000u /* until the device is told that its halt is over */

struct slot {
	struct endpoint *endpoint; /* NULL: not there */
	struct gadgetfs_endpoints *owner;
	struct bench_event halted;
	struct usb_urb clear;
	bool clearing;
};

struct gadgetfs_endpoints {
	const struct front_env *env;
	struct export *export;
	const char *folder;
	const struct gadgetfs_layout *layout;
	struct slot slots[GADGETFS_ENDPOINTS];
};

static bool is_in(const struct endpoint *e)
{
	return (e->address & 0x80) != 0;
}

/* On the thread. handle: bytes of a packet. A transfer of the device's that ends before it is full, with a full packet, ended with an
 * empty one. */
static long move(void *context)
{
	const struct endpoint *e = context;
	ssize_t n;

	if (!is_in(e)) {
		n = read(e->fd, endpoint_data(e), e->length);
		return n < 0 ? -errno : n; /* 0: an empty packet */
	}
	n = write(e->fd, endpoint_data(e), e->length);
	if (n > 0 && e->length < e->size && e->length % e->handle == 0 && write(e->fd, endpoint_data(e), 0) < 0)
		n = -1;
	return n < 0 ? -errno : n;
}

/* Halts. Moving data in the wrong direction is how gadgetfs is told of one; that the host clears it, the controller keeps to itself.
 * So the device is told on its own: what it has then, the kernel holds back until the host has cleared its side. */

static void clear(struct bench_event *event)
{
	struct slot *s = event->context;

	s->clearing = true;
	s->clear = (struct usb_urb){
		.setup = { .type = 0x02, .request = CLEAR_FEATURE, .index = s->endpoint->address },
	};
	export_submit(s->owner->export, &s->clear);
}

static void halt(struct slot *s)
{
	struct endpoint *e = s->endpoint;
	ssize_t n = is_in(e) ? read(e->fd, endpoint_data(e), 1) : write(e->fd, endpoint_data(e), 1);

	(void)n; /* -EBADMSG */
	bench_after(s->owner->env->bench, &s->halted, HALT_US);
}

static void cleared(struct slot *s)
{
	s->clearing = false;
	if (s->clear.result == USB_ACK && s->endpoint)
		endpoint_start(s->endpoint);
}

/* Opening and closing. */

static void close_one(struct gadgetfs_endpoints *g, struct slot *s)
{
	struct endpoint *e = s->endpoint;
	int fd;

	bench_cancel(g->env->bench, &s->halted);
	s->endpoint = NULL;
	if (s->clearing)
		export_cancel(g->export, &s->clear);
	s->clearing = false;
	if (!e)
		return;
	fd = e->fd;
	endpoint_free(e);
	close(fd);
}

void gadgetfs_endpoints_close(struct gadgetfs_endpoints *g)
{
	for (unsigned i = 0; i < GADGETFS_ENDPOINTS; i++)
		close_one(g, &g->slots[i]);
}

/* The kernel's side of it: opened, and told what it is like. -errno. */
static int open_file(const struct gadgetfs_endpoints *g, const struct gadgetfs_endpoint *to, const uint8_t *b)
{
	uint8_t told[4 + 7] = { 0 };
	const uint32_t tag = 1;
	char path[PATH_MAX];
	int fd, error;

	if (!to || !to->name[0])
		return -ENXIO;
	snprintf(path, sizeof(path), "%s/%s", g->folder, to->name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	memcpy(told, &tag, sizeof(tag));
	memcpy(told + 4, b, 7);
	told[4] = 7;
	told[4 + 2] = to->host;
	if (write(fd, told, sizeof(told)) >= 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/* What a device sends is passed on in pieces of two packets, as Linux's own cdc-acm asks for it. */
static void open_one(struct gadgetfs_endpoints *g, struct slot *s, const uint8_t *b)
{
	size_t packet = (size_t)(b[4] | (b[5] & 0x07) << 8);
	int fd = open_file(g, gadgetfs_of_device(g->layout, b[2]), b), error = fd;
	char line[96];

	if (!packet)
		packet = 1;
	if (fd >= 0)
		s->endpoint = endpoint_new(g->env->loop, g->export, b[2], b[2] & 0x80 ? 2 * packet : packet, fd,
					   (uint16_t)packet, move, &error);
	if (s->endpoint) {
		endpoint_start(s->endpoint);
		return;
	}
	snprintf(line, sizeof(line), "gadget: endpoint 0x%02x does not work: %s", b[2],
		 error == -ENXIO ? "the controller has none like it" : strerror(-error));
	g->env->warn(g->env->context, line);
	if (fd >= 0)
		close(fd);
}

void gadgetfs_endpoints_open(struct gadgetfs_endpoints *g, uint8_t configuration, const uint8_t alt[USB_MAX_INTERFACES])
{
	const struct usb_description *d = export_description(g->export);
	const struct usb_configuration *c = d ? usb_description_configuration(d, configuration) : NULL;
	unsigned count = 0;

	gadgetfs_endpoints_close(g);
	for (unsigned n = 0; c && n < USB_MAX_INTERFACES; n++) {
		size_t at, end;
		const uint8_t *b;

		if (!usb_configuration_interface(c, (uint8_t)n, alt[n], &at, &end))
			continue;
		while (count < GADGETFS_ENDPOINTS && (b = usb_configuration_next(c, &at, USB_DT_ENDPOINT, 7)) &&
		       at <= end)
			open_one(g, &g->slots[count++], b);
	}
}

bool gadgetfs_endpoints_complete(struct gadgetfs_endpoints *g, struct usb_urb *urb)
{
	for (unsigned i = 0; i < GADGETFS_ENDPOINTS; i++) {
		struct slot *s = &g->slots[i];

		if (urb == &s->clear) {
			cleared(s);
			return true;
		}
		if (endpoint_complete(s->endpoint, urb)) {
			if (urb->result == USB_STALL && s->endpoint)
				halt(s);
			return true;
		}
	}
	return false;
}

struct gadgetfs_endpoints *gadgetfs_endpoints_new(const struct front_env *env, struct export *export,
						  const char *folder, const struct gadgetfs_layout *layout)
{
	struct gadgetfs_endpoints *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->env = env;
	g->export = export;
	g->folder = folder;
	g->layout = layout;
	for (unsigned i = 0; i < GADGETFS_ENDPOINTS; i++) {
		g->slots[i].owner = g;
		g->slots[i].halted = (struct bench_event){ .fire = clear, .context = &g->slots[i] };
	}
	return g;
}

void gadgetfs_endpoints_free(struct gadgetfs_endpoints *g)
{
	if (!g)
		return;
	gadgetfs_endpoints_close(g);
	free(g);
}
