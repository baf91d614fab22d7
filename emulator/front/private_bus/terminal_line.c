/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes through a terminal that is open: its pseudo-terminal on one side, bulk transfers and class requests on the other. */
#include "terminals_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_AGAIN_US 500000u /* after an error on the bus */
#define REQUEST_CLEAR_FEATURE 1u
#define LISTEN_AGAIN_US 1000u /* a frame: no device has more to tell than that */
#define NOTIFICATION_HEADER 8u
#define SERIAL_STATE 0x20u
#define STATE_DCD 1u

/* --- requests --- */

void terminal_request(struct terminal *t, const struct call_info *c, uint8_t request, uint16_t value, const void *data,
		      size_t length, void (*done)(struct transfer *))
{
	struct transfer *x = transfer_new(t->port, NULL, length);

	if (!x) {
		if (c)
			answer_error(t->bus, c->id, -ENOMEM);
		return;
	}
	transfer_control(x, 0x21, request, value, t->control, (uint16_t)length);
	if (length)
		memcpy(x->urb.data, data, length);
	x->terminal = t;
	if (c)
		x->call = *c;
	x->done = done;
	transfer_start(x, CONTROL_MS);
}

void terminal_request_done(struct transfer *x)
{
	if (x->call.id)
		answer_error(x->port->bus, x->call.id, terminal_is_gone(x->status) ? -EIO : x->status);
	transfer_free(x);
}

/* --- to the tool --- */

void terminal_watch_for(struct terminal *t)
{
	uint32_t events = (t->out_length < TERMINAL_OUT_ROOM ? EPOLLIN : 0) | (t->in_length ? EPOLLOUT : 0);

	bus_watch_for(t->bus, t->watch, events);
}

void terminal_deliver(struct terminal *t)
{
	ssize_t n;

	if (t->master < 0 || !t->in_length)
		return;
	n = t->closing ? (ssize_t)t->in_length : write(t->master, t->in_data, t->in_length);
	if (n <= 0) {
		terminal_watch_for(t); /* the tool does not read: there is room when it does */
		return;
	}
	t->dirty = true;
	t->in_length -= (size_t)n;
	memmove(t->in_data, t->in_data + n, t->in_length);
	terminal_watch_for(t);
	terminal_read_on(t);
}

void terminals_deliver(struct private_bus *bus)
{
	for (struct terminal *t = bus->terminals; t; t = t->next)
		terminal_deliver(t);
}

static void cleared(struct transfer *x)
{
	struct terminal *t = x->terminal;
	int status = x->status;

	transfer_free(x);
	if (!status)
		terminal_read_on(t);
}

static void read_again(struct bench_event *e)
{
	terminal_read_on(e->context);
}

static void read_done(struct transfer *x)
{
	struct terminal *t = x->terminal;
	int status = x->status;

	t->reading = NULL;
	if (!status && x->urb.actual) {
		memcpy(t->in_data + t->in_length, x->urb.data, x->urb.actual);
		t->in_length += x->urb.actual;
		t->credit -= t->bus->vtime ? x->urb.actual : 0;
	}
	transfer_free(x);
	if (terminal_is_gone(status))
		return;
	if (!status) {
		terminal_read_on(t);
	} else if (status == -EPIPE) {
		struct transfer *clear = transfer_new(t->port, NULL, 0);

		if (!clear)
			return;
		transfer_control(clear, 0x02, REQUEST_CLEAR_FEATURE, 0, t->in, 0);
		clear->terminal = t;
		clear->done = cleared;
		transfer_start(clear, CONTROL_MS);
	} else {
		t->read_again.fire = read_again;
		t->read_again.context = t;
		bench_after(t->bus->bench, &t->read_again, READ_AGAIN_US);
	}
}

static struct transfer *in(struct terminal *t, uint8_t endpoint, size_t length, void (*done)(struct transfer *))
{
	struct transfer *x = transfer_new(t->port, NULL, length);

	if (!x)
		return NULL;
	x->urb.endpoint = endpoint;
	x->urb.length = length;
	x->in = true;
	x->terminal = t;
	x->done = done;
	return x;
}

void terminal_read_on(struct terminal *t)
{
	struct transfer *x;

	if (t->master < 0 || t->closing || t->reading || bench_is_scheduled(&t->read_again))
		return;
	t->starved = (t->bus->vtime ? t->credit : TERMINAL_IN_ROOM - t->in_length) < t->in_bytes;
	if (t->starved)
		return;
	x = in(t, t->in, t->in_bytes, read_done);
	t->reading = x;
	if (x)
		transfer_start(x, 0);
}

static void listen_again(struct bench_event *);

static void listen_done(struct transfer *x)
{
	struct terminal *t = x->terminal;
	const uint8_t *b = x->urb.data;
	bool hang_up = false;
	int status = x->status;

	t->listening = NULL;
	if (!status && x->urb.actual >= NOTIFICATION_HEADER + 2 && b[1] == SERIAL_STATE) {
		unsigned state = b[8] | (unsigned)b[9] << 8;

		hang_up = !(t->settings.c_cflag & CLOCAL) && (t->state & ~state & STATE_DCD);
		t->state = state;
	}
	transfer_free(x);
	if (hang_up) {
		terminal_hang_up(t);
		terminal_request(t, NULL, SET_CONTROL_LINE_STATE, 0, NULL, 0, terminal_request_done);
	} else if (!status && t->master >= 0) {
		t->listen_again.fire = listen_again;
		t->listen_again.context = t;
		bench_after(t->bus->bench, &t->listen_again, LISTEN_AGAIN_US);
	}
}

static void listen(struct terminal *t)
{
	struct transfer *x = in(t, t->notify, t->notify_bytes, listen_done);

	t->listening = x;
	if (x)
		transfer_start(x, 0);
}

static void listen_again(struct bench_event *e)
{
	listen(e->context);
}

void terminal_listen(struct terminal *t)
{
	listen(t);
	terminal_read_on(t);
}

/* --- calls that wait: ioctls for what was written to go out, opens for a close to be over --- */

int terminal_hold(struct terminal *t, const struct call_info *c)
{
	struct held *h;
	int err = held_add(t->bus, HELD_TERMINAL, c, NULL);

	for (h = err ? NULL : t->bus->held; h; h = h->next)
		if (h->call.id == c->id)
			h->terminal = t;
	return err;
}

struct held *terminal_take_held(struct terminal *t, enum call call)
{
	for (struct held **at = &t->bus->held; *at; at = &(*at)->next) {
		struct held *h = *at;

		if (h->kind == HELD_TERMINAL && h->terminal == t && (call == CALL_NONE || h->call.call == call)) {
			*at = h->next;
			return h;
		}
	}
	return NULL;
}

/* What was held is made again; if it has to wait once more, so have those behind it. */
void terminal_again(struct terminal *t, enum call call)
{
	struct held *h;

	while (!t->out_length && !t->writing && !t->closing && (h = terminal_take_held(t, call))) {
		struct call_info c = h->call;

		free(h);
		if (call == CALL_IOCTL)
			terminals_ioctl(t->bus, &c);
		else
			terminal_open(t->bus, &c, t, (int)c.args[1]);
	}
}

/* --- from the tool --- */

static void write_done(struct transfer *x)
{
	struct terminal *t = x->terminal;

	/* What the device did not take is lost, and nobody is told: as with the driver. */
	t->writing = NULL;
	transfer_free(x);
	if (!t->moving)
		terminal_progress(t);
}

static void push(struct terminal *t)
{
	if (t->moving)
		return;
	t->moving = true;
	while (!t->writing && t->commit) {
		size_t n = t->commit < t->out_bytes ? t->commit : t->out_bytes;
		struct transfer *x = transfer_new(t->port, NULL, n);

		if (x) {
			memcpy(x->urb.data, t->out_data, n);
			x->urb.endpoint = t->out;
			x->urb.length = n;
			x->terminal = t;
			x->done = write_done;
			t->writing = x;
		}
		t->commit -= n;
		t->out_length -= n;
		memmove(t->out_data, t->out_data + n, t->out_length);
		if (x)
			transfer_start(x, 0);
	}
	t->moving = false;
}

void terminal_commit(struct terminal *t)
{
	t->commit = t->out_length;
	push(t);
}

/* In virtual time: as much as there is room for, and not a byte of it before the last piece is gone, when ever that came in. */
static bool is_next_piece(const struct terminal *t)
{
	return t->out_length == TERMINAL_OUT_ROOM && !t->commit && !t->writing;
}

/* All that the tool has written so far, as far as there is room. */
void terminal_pull(struct terminal *t)
{
	while (t->master >= 0 && !t->dry && t->out_length < TERMINAL_OUT_ROOM) {
		ssize_t n = read(t->master, t->out_data + t->out_length, TERMINAL_OUT_ROOM - t->out_length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			t->dry = n == 0 || errno != EAGAIN;
			break;
		}
		t->out_length += (size_t)n;
		if (!t->bus->vtime || is_next_piece(t))
			terminal_commit(t);
	}
	if (t->dry)
		terminal_commit(t);
}

/* Something has been taken, or come. */
void terminal_progress(struct terminal *t)
{
	bool full = t->out_length == TERMINAL_OUT_ROOM;

	push(t);
	if (is_next_piece(t))
		terminal_commit(t);
	if (full || t->closing)
		terminal_pull(t);
	if (t->master < 0)
		return;
	terminal_watch_for(t);
	if (t->out_length || t->writing)
		return;
	if (t->dry)
		terminal_end_closing(t);
	else
		terminal_again(t, CALL_IOCTL);
}

bool terminal_is_drained(struct terminal *t)
{
	terminal_pull(t);
	terminal_commit(t);
	return !t->out_length && !t->writing;
}
