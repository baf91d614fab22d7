/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbfs, transfers: URBs (submit, discard, reap) and the synchronous CONTROL and BULK ioctls (linux/usbdevice_fs.h). */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "remote.h"
#include "usbfs.h"

#define SETUP_BYTES 8u
#define CONTROL_MAX_BYTES 4096u  /* usbfs: PAGE_SIZE, for the data stage of USBDEVFS_CONTROL */
#define MEMORY_BYTES (16u << 20) /* usbfs: usbfs_memory_mb, for all transfers together */
#define RECIPIENT_MASK 0x1Fu
#define RECIPIENT_INTERFACE 1u
#define RECIPIENT_ENDPOINT 2u
#define TYPE_MASK 0x60u
#define TYPE_VENDOR 0x40u
#define ENDPOINT_CONTROL 0u
#define ENDPOINT_BULK 2u
#define ENDPOINT_INTERRUPT 3u

static void unlink_pending(struct transfer *t)
{
	if (!t->link)
		return;
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	t->link = NULL;
	t->next = NULL;
}

struct transfer *transfer_new(struct port *p, struct handle *h, size_t room)
{
	struct transfer *t;

	/* What the bus does for itself is little, and must not fail. */
	if (h && (room > MEMORY_BYTES || p->bus->transfer_bytes + sizeof(*t) + room > MEMORY_BYTES))
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t)
		t->bytes = calloc(1, room + 8);
	if (!t || !t->bytes) {
		free(t);
		return NULL;
	}
	t->port = p;
	t->handle = h;
	t->memory = sizeof(*t) + room;
	p->bus->transfer_bytes += t->memory;
	t->urb.data = t->bytes;
	t->urb.context = t;
	t->cancel_status = -ENOENT;
	return t;
}

void transfer_control(struct transfer *t, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
		      uint16_t length)
{
	t->urb.endpoint = 0;
	t->urb.setup = (struct usb_setup){ type, request, value, index, length };
	t->urb.length = length;
	t->in = usb_urb_is_in(&t->urb) && length > 0;
}

static void timed_out(struct bench_event *e)
{
	transfer_cancel(e->context, -ETIMEDOUT);
}

void transfer_start(struct transfer *t, uint64_t timeout_ms)
{
	struct port *p = t->port;

	t->next = p->transfers;
	if (t->next)
		t->next->link = &t->next;
	t->link = &p->transfers;
	p->transfers = t;
	if (timeout_ms) {
		t->timeout.fire = timed_out;
		t->timeout.context = t;
		bench_at(p->bus->bench, &t->timeout, bus_now_us(p->bus) + bus_wall_ms(p->bus, timeout_ms));
	}
	p->dev->ops->submit(p->dev, &t->urb);
}

void transfer_cancel(struct transfer *t, int status)
{
	struct port *p = t->port;

	t->cancel_status = status;
	p->dev->ops->cancel(p->dev, &t->urb);
}

void transfer_take_back(struct transfer *t)
{
	transfer_cancel(t, -ENOENT);
}

void transfer_free(struct transfer *t)
{
	if (!t)
		return;
	unlink_pending(t);
	bench_cancel(t->port->bus->bench, &t->timeout);
	t->port->bus->transfer_bytes -= t->memory;
	free(t->bytes);
	free(t);
}

/* Status of an URB as the host controller drivers report it (Documentation/driver-api/usb/error-codes.rst). */
static int status_of(const struct transfer *t)
{
	switch (t->urb.result) {
	case USB_ACK:
		return 0;
	case USB_STALL:
		return -EPIPE;
	case USB_SILENT:
		return -EPROTO;
	case USB_CANCELLED:
		return t->cancel_status;
	case USB_GONE:
		return -ESHUTDOWN;
	}
	return -EIO;
}

bool usbfs_complete(struct port *p, struct usb_urb *urb)
{
	for (struct transfer *t = p->transfers; t; t = t->next) {
		if (&t->urb != urb)
			continue;
		unlink_pending(t);
		bench_cancel(p->bus->bench, &t->timeout);
		t->status = status_of(t);
		p->bus->counts.transfers++;
		t->done(t);
		return true;
	}
	return false;
}

/* --- URBs --- */

static void set_ready(struct handle *h, bool ready)
{
	if (h->ready == ready || !h->node)
		return;
	h->ready = ready;
	node_set_writable(h->node, ready);
}

/* What usbfs writes on a reap: the data, three fields of the URB, and the URB's address. Each piece costs; two fields that
 * only isochronous URBs have lie between the last two, and get what they had. */
static int copy_back(struct transfer *t, pid_t tid, uint64_t result)
{
	struct usbdevfs_urb *u = &t->user;
	size_t head = u->type == USBDEVFS_URB_TYPE_CONTROL ? 8 : 0;
	const struct remote_piece pieces[] = {
		{ t->user_buffer + head, t->urb.data, t->in ? t->urb.actual : 0 },
		{ t->user_pointer + offsetof(struct usbdevfs_urb, status), &u->status, sizeof(u->status) },
		{ t->user_pointer + offsetof(struct usbdevfs_urb, actual_length), &u->actual_length,
		  offsetof(struct usbdevfs_urb, signr) - offsetof(struct usbdevfs_urb, actual_length) },
		{ result, &t->user_pointer, sizeof(t->user_pointer) },
	};

	u->status = t->status;
	u->actual_length = (int)t->urb.actual;
	u->error_count = 0;
	return remote_write_pieces(tid, pieces, sizeof(pieces) / sizeof(*pieces));
}

static void reap_into(struct handle *h, const struct call_info *c)
{
	struct transfer *t = h->completed;
	int err;

	h->completed = t->next;
	t->next = NULL;
	if (!h->completed) {
		h->completed_end = &h->completed;
		set_ready(h, h->port == NULL);
	}
	err = copy_back(t, c->tid, c->args[2]); /* the memory is that of whoever reaps */
	transfer_free(t);
	answer_error(h->bus, c->id, err);
}

void usbfs_reap(struct handle *h, const struct call_info *c, bool wait)
{
	if (h->completed)
		reap_into(h, c);
	else if (!h->port)
		answer_error(h->bus, c->id, -ENODEV);
	else if (!wait)
		answer_error(h->bus, c->id, -EAGAIN);
	else if (held_add(h->bus, HELD_REAP, c, h->node))
		answer_error(h->bus, c->id, -ENOMEM);
}

static void signal_completion(const struct transfer *t)
{
	siginfo_t info = { .si_signo = (int)t->user.signr, .si_errno = t->status, .si_code = SI_ASYNCIO };

	info.si_addr = (void *)(uintptr_t)t->user_pointer;
	syscall(SYS_rt_sigqueueinfo, t->call.tid, info.si_signo, &info);
}

static void urb_done(struct transfer *t)
{
	struct handle *h = t->handle;
	struct held *waiting;

	if (!h->node) { /* closed meanwhile: nobody will reap */
		transfer_free(t);
		return;
	}
	if (t->status == 0 && t->in && (t->user.flags & USBDEVFS_URB_SHORT_NOT_OK) && t->urb.actual < t->urb.length)
		t->status = -EREMOTEIO;
	if (t->user.signr)
		signal_completion(t);
	t->next = NULL;
	*h->completed_end = t;
	h->completed_end = &t->next;
	waiting = held_take(h->bus, HELD_REAP, h->node);
	if (waiting) {
		reap_into(h, &waiting->call);
		free(waiting);
	} else {
		set_ready(h, true);
	}
}

/* usbfs lets class requests through only to an interface that the caller has (devio.c, check_ctrlrecip). */
static int check_recipient(struct handle *h, uint8_t type, uint16_t index)
{
	unsigned unused;
	int interface;

	if ((type & TYPE_MASK) == TYPE_VENDOR)
		return 0;
	switch (type & RECIPIENT_MASK) {
	case RECIPIENT_INTERFACE:
		return usbfs_check_interface(h, index & 0xFFu);
	case RECIPIENT_ENDPOINT:
		if ((index & 0x7Fu) == 0)
			return 0;
		interface = usbfs_endpoint_interface(h->port, index & 0xFFu, &unused);
		if (interface < 0) /* some programs get the direction wrong, and may */
			interface = usbfs_endpoint_interface(h->port, (index & 0xFFu) ^ 0x80u, &unused);
		return interface < 0 ? interface : usbfs_check_interface(h, (unsigned)interface);
	default:
		return 0;
	}
}

/* The URB, and in the same system call its SETUP if it is where the last one's was, as programs use their buffers again.
 * If it is not, setup_at becomes 0. */
static int read_urb(struct handle *h, const struct call_info *c, struct usbdevfs_urb *u, uint8_t setup[SETUP_BYTES])
{
	const struct remote_place pieces[] = {
		{ c->args[2], u, sizeof(*u) },
		{ h->setup_at, setup, h->setup_at ? SETUP_BYTES : 0 },
	};
	ssize_t n = remote_read_pieces(c->tid, pieces, 2);

	if (n < 0)
		return (int)n;
	if ((size_t)n != sizeof(*u) + SETUP_BYTES || (uintptr_t)u->buffer != h->setup_at)
		h->setup_at = 0;
	return (size_t)n < sizeof(*u) ? -EFAULT : 0;
}

static int prepare_control(struct handle *h, struct transfer *t, const struct call_info *c,
			   const struct usbdevfs_urb *u, uint8_t setup[SETUP_BYTES])
{
	int err = h->setup_at ? 0 : remote_read(c->tid, t->user_buffer, setup, SETUP_BYTES);

	if (err)
		return err;
	h->setup_at = t->user_buffer;

	t->urb.setup = usb_setup_decode(setup);
	if ((size_t)u->buffer_length < (size_t)t->urb.setup.length + 8)
		return -EINVAL;
	transfer_control(t, t->urb.setup.type, t->urb.setup.request, t->urb.setup.value, t->urb.setup.index,
			 t->urb.setup.length);
	err = check_recipient(h, t->urb.setup.type, t->urb.setup.index);
	if (!err && !t->in)
		err = remote_read(c->tid, t->user_buffer + 8, t->urb.data, t->urb.length);
	return err;
}

static int prepare_data(struct handle *h, struct transfer *t, const struct call_info *c, const struct usbdevfs_urb *u,
			bool interrupt)
{
	unsigned type;
	int interface = usbfs_endpoint_interface(h->port, u->endpoint, &type), err;

	if (interface < 0)
		return interface;
	err = usbfs_check_interface(h, (unsigned)interface);
	if (err)
		return err;
	/* An interrupt endpoint may be served by a bulk URB (libusb 0.1 did so), not the other way round. */
	if (type != ENDPOINT_INTERRUPT && (interrupt || type != ENDPOINT_BULK))
		return -EINVAL;
	t->urb.endpoint = u->endpoint;
	t->urb.length = (size_t)u->buffer_length;
	t->in = usb_urb_is_in(&t->urb);
	return t->in ? 0 : remote_read(c->tid, t->user_buffer, t->urb.data, t->urb.length);
}

void usbfs_submit(struct handle *h, const struct call_info *c)
{
	struct private_bus *bus = h->bus;
	struct usbdevfs_urb u;
	struct transfer *t = NULL;
	uint8_t setup[SETUP_BYTES];
	int err = read_urb(h, c, &u, setup);

	if (err)
		goto out;
	err = -EINVAL;
	if (u.buffer_length < 0 || (u.buffer_length > 0 && !u.buffer))
		goto out;
	if (u.type == USBDEVFS_URB_TYPE_CONTROL && (u.endpoint & 0x7F || u.buffer_length < 8))
		goto out;
	err = -ENOMEM;
	t = transfer_new(h->port, h, (size_t)u.buffer_length);
	if (!t)
		goto out;
	t->user = u;
	t->user_pointer = c->args[2];
	t->user_buffer = (uintptr_t)u.buffer;
	t->call = *c;
	t->done = urb_done;
	if (u.type == USBDEVFS_URB_TYPE_CONTROL)
		err = prepare_control(h, t, c, &u, setup);
	else if (u.type == USBDEVFS_URB_TYPE_BULK || u.type == USBDEVFS_URB_TYPE_INTERRUPT)
		err = prepare_data(h, t, c, &u, u.type == USBDEVFS_URB_TYPE_INTERRUPT);
	else
		err = -EINVAL; /* isochronous: no device here has such endpoints */
	if (err)
		goto out;
	/* What completes at once can be reaped before the tool looks for it: answering first would send it to sleep in poll,
	 * and cost two more switches. */
	transfer_start(t, 0);
	answer_value(bus, c->id, 0);
	return;
out:
	transfer_free(t);
	answer_error(h->bus, c->id, err);
}

void usbfs_discard(struct handle *h, const struct call_info *c)
{
	for (struct transfer *t = h->port ? h->port->transfers : NULL; t; t = t->next) {
		if (t->handle == h && t->done == urb_done && t->user_pointer == c->args[2]) {
			transfer_cancel(t, -ENOENT);
			answer_value(h->bus, c->id, 0);
			return;
		}
	}
	answer_error(h->bus, c->id, -EINVAL);
}

void usbfs_drop_completed(struct handle *h)
{
	while (h->completed) {
		struct transfer *t = h->completed;

		h->completed = t->next;
		transfer_free(t);
	}
	h->completed_end = &h->completed;
}

/* --- synchronous ioctls --- */

static void sync_done(struct transfer *t)
{
	struct private_bus *bus = t->port->bus;
	int status = t->status;

	if (status == -ESHUTDOWN)
		status = -ENODEV;
	if (status == 0 && t->in && t->urb.actual)
		status = remote_write(t->call.tid, t->user_buffer, t->urb.data, t->urb.actual);
	if (status)
		answer_error(bus, t->call.id, status);
	else
		answer_value(bus, t->call.id, (int64_t)t->urb.actual);
	transfer_free(t);
}

void usbfs_control(struct handle *h, const struct call_info *c)
{
	struct usbdevfs_ctrltransfer ct;
	struct transfer *t = NULL;
	int err = remote_read(c->tid, c->args[2], &ct, sizeof(ct));

	if (!err && ct.wLength > CONTROL_MAX_BYTES)
		err = -EINVAL;
	if (!err)
		err = check_recipient(h, ct.bRequestType, ct.wIndex);
	if (!err) {
		t = transfer_new(h->port, h, ct.wLength);
		err = t ? 0 : -ENOMEM;
	}
	if (!err) {
		transfer_control(t, ct.bRequestType, ct.bRequest, ct.wValue, ct.wIndex, ct.wLength);
		t->user_buffer = (uintptr_t)ct.data;
		t->call = *c;
		t->done = sync_done;
		if (!t->in)
			err = remote_read(c->tid, t->user_buffer, t->urb.data, t->urb.length);
	}
	if (err) {
		transfer_free(t);
		answer_error(h->bus, c->id, err);
		return;
	}
	transfer_start(t, ct.timeout);
}

void usbfs_bulk(struct handle *h, const struct call_info *c)
{
	struct usbdevfs_bulktransfer bt;
	struct usbdevfs_urb u = { 0 };
	struct transfer *t = NULL;
	int err = remote_read(c->tid, c->args[2], &bt, sizeof(bt));

	if (!err && bt.len > INT_MAX)
		err = -EINVAL;
	if (!err) {
		t = transfer_new(h->port, h, bt.len);
		err = t ? 0 : -ENOMEM;
	}
	if (!err) {
		u.endpoint = (unsigned char)bt.ep;
		u.buffer_length = (int)bt.len;
		t->user_buffer = (uintptr_t)bt.data;
		t->call = *c;
		t->done = sync_done;
		err = prepare_data(h, t, c, &u, false);
	}
	if (err) {
		transfer_free(t);
		answer_error(h->bus, c->id, err);
		return;
	}
	transfer_start(t, bt.timeout);
}

static void simple_done(struct transfer *t)
{
	struct private_bus *bus = t->port->bus;
	int status = t->status == -ESHUTDOWN ? -ENODEV : t->status;

	if (status == 0 && t->then)
		t->then(t);
	if (t->call.id)
		answer_error(bus, t->call.id, status);
	transfer_free(t);
}

void usbfs_simple_control(struct port *p, struct handle *h, const struct call_info *c, struct usb_setup setup,
			  void (*then)(struct transfer *))
{
	struct transfer *t = transfer_new(p, h, 0);

	if (!t) {
		if (c)
			answer_error(p->bus, c->id, -ENOMEM);
		return;
	}
	transfer_control(t, setup.type, setup.request, setup.value, setup.index, 0);
	t->then = then;
	if (c)
		t->call = *c;
	t->done = simple_done;
	transfer_start(t, 5000); /* USB_CTRL_SET_TIMEOUT of the kernel */
}

bool usbfs_waits(const struct private_bus *bus, pid_t tid)
{
	for (int i = 0; i <= PRIVATE_BUS_PORTS; i++) {
		for (const struct transfer *t = bus->ports[i] ? bus->ports[i]->transfers : NULL; t; t = t->next) {
			if (t->call.tid == tid && t->call.id && t->done != urb_done)
				return true;
		}
		if (bus->ports[i] && bus->ports[i]->before_reset && bus->ports[i]->reset_call.tid == tid)
			return true;
	}
	return false;
}
