/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filter: record transfers into a capture. */
#include <stdlib.h>
#include <string.h>
#include "trace.h"

#define SET_ADDRESS 5
#define GET_DESCRIPTOR 6
#define TRANSFER_FLAG_IN 0x0200 /* URB_DIR_IN of Linux */

/* A transfer on its way; the URB itself is not ours to write to. */
struct pending {
	struct pending *next;
	const struct usb_urb *urb;
	uint64_t id;
};

struct endpoint_kind {
	bool known;
	uint8_t transfer; /* enum usbmon_transfer */
	uint8_t interval;
};

struct trace {
	struct usbdev dev;   /* first: a struct usbdev * of ours is a struct trace * */
	struct usbhost host; /* towards the device below */
	struct usbdev *below;
	struct bench *bench;
	struct capture *capture;
	struct pending *pending, *spare;
	uint8_t bus;
	uint8_t address; /* as learnt; 0: not yet */
	bool paused;
	void (*completed)(void *context, const struct usb_urb *);
	void *context;
	struct endpoint_kind kinds[32]; /* by number, IN from 16 on; learnt from configuration descriptors that pass */
};

static struct trace *trace_of_dev(struct usbdev *dev)
{
	return (struct trace *)dev;
}

static struct trace *trace_of_host(struct usbhost *host)
{
	return (struct trace *)((char *)host - offsetof(struct trace, host));
}

static void trace_forget(struct trace *t)
{
	t->address = 0;
	memset(t->kinds, 0, sizeof(t->kinds));
}

static unsigned kind_index(uint8_t endpoint)
{
	return (endpoint & 0x0fu) + (endpoint & 0x80 ? 16 : 0);
}

/* Bytes of a device, or of a filter that spoils them: nothing here is trusted. */
static void learn_endpoints(struct trace *t, const uint8_t *d, size_t length)
{
	static const uint8_t transfers[4] = { USBMON_CONTROL, USBMON_ISOCHRONOUS, USBMON_BULK, USBMON_INTERRUPT };

	for (size_t at = 0; length - at >= 2 && d[at] >= 2 && d[at] <= length - at; at += d[at]) {
		struct endpoint_kind *kind;

		if (d[at + 1] != 5 || d[at] < 7)
			continue;
		kind = &t->kinds[kind_index(d[at + 2])];
		kind->known = true;
		kind->transfer = transfers[d[at + 3] & 3];
		kind->interval = d[at + 6];
	}
}

static bool is_set_address(const struct usb_urb *urb)
{
	return !(urb->endpoint & 0x0f) && urb->setup.type == 0x00 && urb->setup.request == SET_ADDRESS;
}

static void learn(struct trace *t, const struct usb_urb *urb)
{
	const struct usb_setup *s = &urb->setup;

	if ((urb->endpoint & 0x0f) || urb->result != USB_ACK)
		return;
	if (is_set_address(urb))
		t->address = (uint8_t)(s->value & 0x7f);
	if (s->type == 0x80 && s->request == GET_DESCRIPTOR && s->value >> 8 == 2 && urb->actual <= urb->length)
		learn_endpoints(t, urb->data, urb->actual);
}

static struct usbmon_header header_of(const struct trace *t, const struct usb_urb *urb, uint64_t id, char type)
{
	struct usbmon_header h = {
		.id = id,
		.type = type,
		.transfer = USBMON_CONTROL,
		.endpoint = (uint8_t)((urb->endpoint & 0x0f) | (usb_urb_is_in(urb) ? 0x80 : 0)),
		.device = t->address,
		.bus = t->bus,
		.flag_setup = '-',
		.transfer_flags = usb_urb_is_in(urb) ? TRANSFER_FLAG_IN : 0,
	};

	if (urb->endpoint & 0x0f) {
		const struct endpoint_kind *kind = &t->kinds[kind_index(urb->endpoint)];

		h.transfer = kind->known ? kind->transfer : USBMON_BULK;
		if (h.transfer == USBMON_INTERRUPT || h.transfer == USBMON_ISOCHRONOUS)
			h.interval = kind->interval;
	} else if (type == 'S') {
		h.flag_setup = 0;
		usb_setup_encode(&urb->setup, h.setup);
	}
	return h;
}

static void record_submit(struct trace *t, const struct usb_urb *urb, uint64_t id)
{
	struct usbmon_header h = header_of(t, urb, id, 'S');
	bool in = usb_urb_is_in(urb);

	h.status = USBMON_EINPROGRESS;
	h.length = (uint32_t)urb->length;
	h.flag_data = in ? '<' : 0;
	capture_packet(t->capture, bench_now_us(t->bench), &h, urb->data, in ? 0 : urb->length);
}

static void record_complete(struct trace *t, const struct usb_urb *urb, uint64_t id)
{
	struct usbmon_header h = header_of(t, urb, id, 'C');
	bool in = usb_urb_is_in(urb);

	h.status = usbmon_status(urb->result);
	h.length = (uint32_t)urb->actual;
	h.flag_data = in ? 0 : '>';
	capture_packet(t->capture, bench_now_us(t->bench), &h, urb->data, in ? urb->actual : 0);
}

static void trace_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct trace *t = trace_of_dev(dev);
	struct pending *p = t->spare;

	if (t->paused) {
		/* What a host submits before this has completed is served after it, at the new address. */
		if (is_set_address(urb))
			t->address = (uint8_t)(urb->setup.value & 0x7f);
		t->below->ops->submit(t->below, urb);
		return;
	}
	if (p)
		t->spare = p->next;
	else
		p = malloc(sizeof(*p));
	if (p) { /* without memory the transfer goes unrecorded, not undone */
		*p = (struct pending){ .next = t->pending, .urb = urb, .id = capture_next_id(t->capture) };
		t->pending = p;
		record_submit(t, urb, p->id);
	}
	t->below->ops->submit(t->below, urb);
}

static void trace_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct trace *t = trace_of_dev(dev);

	t->below->ops->cancel(t->below, urb);
}

static void trace_bus_reset(struct usbdev *dev)
{
	struct trace *t = trace_of_dev(dev);

	t->below->ops->bus_reset(t->below); /* what it cancels is recorded with the address it had */
	trace_forget(t);
}

static const struct usbdev_ops trace_dev_ops = {
	.submit = trace_submit,
	.cancel = trace_cancel,
	.bus_reset = trace_bus_reset,
};

static void trace_complete(struct usbhost *host, struct usb_urb *urb)
{
	struct trace *t = trace_of_host(host);
	struct pending **link = &t->pending, *p;

	while (*link && (*link)->urb != urb)
		link = &(*link)->next;
	p = *link;
	if (p) {
		record_complete(t, urb, p->id);
		*link = p->next;
		p->next = t->spare;
		t->spare = p;
		if (t->completed)
			t->completed(t->context, urb);
	}
	learn(t, urb); /* after its record: the status stage still went to the old address (USB 2.0 9.4.6) */
	if (t->dev.host)
		t->dev.host->ops->complete(t->dev.host, urb);
}

static void trace_attach(struct usbhost *host, struct usbdev *below)
{
	struct trace *t = trace_of_host(host);

	trace_forget(t);
	usbdev_attach(&t->dev, below->speed);
}

static void trace_detach(struct usbhost *host, struct usbdev *below)
{
	struct trace *t = trace_of_host(host);

	(void)below;
	trace_forget(t);
	usbdev_detach(&t->dev);
}

static const struct usbhost_ops trace_host_ops = {
	.complete = trace_complete,
	.attach = trace_attach,
	.detach = trace_detach,
};

struct trace *trace_new(struct bench *bench, struct usbdev *below, struct capture *capture, uint8_t bus)
{
	struct trace *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->dev.ops = &trace_dev_ops;
	t->host.ops = &trace_host_ops;
	t->below = below;
	t->bench = bench;
	t->capture = capture;
	t->bus = bus;
	usbdev_connect(below, &t->host);
	return t;
}

struct usbdev *trace_usbdev(struct trace *t)
{
	return &t->dev;
}

void trace_pause(struct trace *t, bool paused)
{
	t->paused = paused;
}

void trace_listen(struct trace *t, void (*completed)(void *, const struct usb_urb *), void *context)
{
	t->completed = completed;
	t->context = context;
}

static void free_list(struct pending *p)
{
	while (p) {
		struct pending *next = p->next;

		free(p);
		p = next;
	}
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	usbdev_connect(t->below, NULL);
	free_list(t->pending);
	free_list(t->spare);
	free(t);
}
