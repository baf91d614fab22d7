// SPDX-License-Identifier: GPL-2.0-or-later
/* An endpoint other than 0, between the device and the kernel. */
#include "endpoint.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void moved(void *context, long result);

static bool is_in(const struct endpoint *e)
{
	return (e->address & 0x80) != 0;
}

static void submit(struct endpoint *e, size_t length)
{
	e->urb = (struct usb_urb){ .endpoint = e->address, .data = endpoint_data(e), .length = length };
	e->submitted = true;
	export_submit(e->export, &e->urb);
}

static void move(struct endpoint *e, size_t length)
{
	e->length = length;
	worker_begin(e->worker, e->move, moved, e);
}

static void moved(void *context, long result)
{
	struct endpoint *e = context;

	if (result < 0)
		return;
	if (is_in(e))
		submit(e, e->size);
	else
		submit(e, (size_t)result < e->size ? (size_t)result : e->size);
}

bool endpoint_complete(struct endpoint *e, struct usb_urb *urb)
{
	if (!e || urb != &e->urb)
		return false;
	e->submitted = false;
	if (urb->result != USB_ACK)
		return true;
	if (is_in(e))
		move(e, urb->actual < urb->length ? urb->actual : urb->length);
	else
		move(e, e->size);
	return true;
}

struct endpoint *endpoint_new(struct loop *loop, struct export *export, uint8_t address, size_t size, int fd,
			      uint16_t handle, worker_call *call, int *error)
{
	struct endpoint *e = calloc(1, sizeof(*e));

	*error = -ENOMEM;
	if (!e)
		return NULL;
	e->loop = loop;
	e->export = export;
	e->address = address;
	e->fd = fd;
	e->handle = handle;
	e->move = call;
	e->size = size;
	e->buffer = malloc(ENDPOINT_HEAD + size);
	if (e->buffer)
		e->worker = worker_new(loop, error);
	if (!e->worker) {
		free(e->buffer);
		free(e);
		return NULL;
	}
	return e;
}

void endpoint_start(struct endpoint *e)
{
	if (is_in(e))
		submit(e, e->size);
	else
		move(e, e->size);
}

void endpoint_free(struct endpoint *e)
{
	if (!e)
		return;
	worker_free(e->worker);
	if (e->submitted)
		export_cancel(e->export, &e->urb);
	free(e->buffer);
	free(e);
}

long endpoint_file_move(void *context)
{
	const struct endpoint *e = context;
	size_t left = e->length;
	ssize_t n;

	if (!is_in(e)) {
		n = read(e->fd, endpoint_data(e), left);
		return n > 0 ? n : n ? -errno : -EPIPE; /* 0: hung up */
	}
	for (const uint8_t *data = endpoint_data(e); left; data += n, left -= (size_t)n) {
		n = write(e->fd, data, left);
		if (n < 0)
			return -errno;
	}
	return (long)e->length;
}
