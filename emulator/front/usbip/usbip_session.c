// SPDX-License-Identifier: GPL-2.0-or-later
/* Transfers between a stream socket and a device. One read takes what there is, one write gives what is due. */
#include "usbip_session.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "usbip_wire.h"

#define READ_BYTES 65536u
#define QUEUE_FIRST 1024u
#define QUEUE_KEPT 65536u /* what an empty queue may hold on to */

/* Linux's numbers, whatever ours are (Documentation/driver-api/usb/error-codes.rst). */
enum wire_status {
	WIRE_OK = 0,
	WIRE_NO_MEMORY = -12,
	WIRE_INVALID = -22,
	WIRE_STALL = -32,
	WIRE_PROTOCOL = -71,
	WIRE_CANCELLED = -104,
	WIRE_GONE = -108,
	WIRE_SHORT = -121,
};

struct transfer {
	struct usb_urb urb;
	struct usbip_session *session;
	struct transfer *next, **link; /* among those under way */
	uint32_t seqnum;
	bool in, short_not_ok;
	size_t room; /* of data; a control transfer may move less */
	uint8_t data[];
};

struct queue {
	uint8_t *bytes;
	size_t start, end, size;
};

enum state {
	STATE_OPEN,
	STATE_GONE, /* the device is: the last replies go out */
	STATE_OVER, /* the owner knows */
};

struct usbip_session {
	const struct front_env *env;
	struct usbip_memory *memory;
	struct export *export; /* not in STATE_GONE and later */
	uint32_t devid;
	int fd;
	const struct usbip_session_ops *ops;
	void *context;
	enum state state;
	bool reading;     /* ready() is on the stack */
	bool shut;        /* nothing more goes out */
	bool failed;      /* peer or memory */
	bool said;        /* why[] is set */
	uint32_t watched; /* events */
	char why[USBIP_WHY];

	/* What of a message is there already: its head, then the data, then what is of no use. */
	uint8_t head[USBIP_MESSAGE_BYTES];
	size_t head_bytes;
	struct transfer *filling;
	size_t filled, skip;
	uint32_t refused; /* seqnum of the transfer that is answered once `skip` bytes have passed */
	int32_t refusal;  /* and its status */

	struct transfer *pending; /* newest first */
	unsigned pending_count;
	size_t pending_bytes;
	struct transfer *unlinking; /* just being cancelled */
	struct queue queue;
	struct bench_event due; /* to send, or in STATE_GONE to end */
};

static size_t queued(const struct queue *q)
{
	return q->end - q->start;
}

static bool queue_room(struct queue *q, size_t length)
{
	size_t size = q->size ? q->size : QUEUE_FIRST, used = queued(q);
	uint8_t *bytes;

	if (q->size - q->end >= length)
		return true;
	while (size < used + length)
		size *= 2;
	if (size == q->size && q->start >= size / 2) { /* little has to move, for much room */
		memmove(q->bytes, q->bytes + q->start, used);
	} else {
		if (size == q->size)
			size *= 2;
		bytes = malloc(size);
		if (!bytes)
			return false;
		if (used)
			memcpy(bytes, q->bytes + q->start, used);
		free(q->bytes);
		q->bytes = bytes;
		q->size = size;
	}
	q->start = 0;
	q->end = used;
	return true;
}

static void queue_took(struct queue *q, size_t length)
{
	q->start += length;
	if (q->start != q->end)
		return;
	q->start = q->end = 0;
	if (q->size <= QUEUE_KEPT)
		return;
	free(q->bytes);
	*q = (struct queue){ .bytes = NULL };
}

static void fail(struct usbip_session *s, const char *why)
{
	if (s->failed)
		return;
	s->failed = true;
	if (!why)
		return;
	s->said = true;
	snprintf(s->why, sizeof(s->why), "%s", why);
}

static void end(struct usbip_session *s)
{
	if (s->state == STATE_OVER)
		return;
	s->state = STATE_OVER;
	bench_cancel(s->env->bench, &s->due);
	loop_unwatch(s->env->loop, s->fd);
	s->ops->over(s->context, s, s->said ? s->why : NULL); /* s may be no more */
}

/* What can go out now does. */
static void flush(struct usbip_session *s)
{
	struct queue *q = &s->queue;
	ssize_t n;

	while (queued(q) && !s->failed) {
		n = send(s->fd, q->bytes + q->start, queued(q), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0 && errno != EINTR)
			fail(s, NULL);
		else if (n > 0)
			queue_took(q, (size_t)n);
	}
	if (s->state != STATE_GONE || s->shut || s->failed)
		return;
	/* A socket that is closed with something unread resets the connection, and takes away what the peer has not read. */
	s->shut = true;
	shutdown(s->fd, SHUT_WR);
}

static void ready(void *context, int fd, uint32_t events);

/* Flushes, and waits for what is to be waited for. Last: s may be no more. */
static void settle(struct usbip_session *s)
{
	uint32_t events;

	flush(s);
	if (s->failed) {
		end(s);
		return;
	}
	events = queued(&s->queue) < USBIP_QUEUE_BYTES ? POLLIN : 0;
	if (queued(&s->queue))
		events |= POLLOUT;
	if (events == s->watched)
		return;
	s->watched = events;
	if (loop_watch(s->env->loop, s->fd, events, ready, s)) {
		fail(s, "out of memory");
		end(s);
	}
}

static void due(struct bench_event *event)
{
	struct usbip_session *s = event->context;

	if (s->state == STATE_GONE)
		end(s);
	else
		settle(s);
}

/* Everything that happens at one moment goes out together. */
static void send_soon(struct usbip_session *s)
{
	if (!s->reading && s->state == STATE_OPEN && !bench_is_scheduled(&s->due))
		bench_after(s->env->bench, &s->due, 0);
}

static void reply(struct usbip_session *s, const struct usbip_message *m, const uint8_t *data)
{
	if (!queue_room(&s->queue, USBIP_MESSAGE_BYTES + (data ? m->actual : 0))) {
		fail(s, "out of memory");
		send_soon(s);
		return;
	}
	usbip_message_encode(m, s->queue.bytes + s->queue.end);
	s->queue.end += USBIP_MESSAGE_BYTES;
	if (data) {
		memcpy(s->queue.bytes + s->queue.end, data, m->actual);
		s->queue.end += m->actual;
	}
	send_soon(s);
}

static void refuse(struct usbip_session *s, uint32_t seqnum, int32_t status)
{
	const struct usbip_message m = { .command = USBIP_SUBMITTED, .seqnum = seqnum, .status = status };

	reply(s, &m, NULL);
}

/* ---- transfers ---- */

static struct transfer *transfer_new(struct usbip_session *s, const struct usbip_message *m)
{
	struct transfer *t;

	if (s->pending_count == USBIP_PENDING_MOST || s->pending_bytes + m->length > USBIP_PENDING_BYTES ||
	    (s->memory->used + m->length > USBIP_ALL_BYTES && s->pending_bytes + m->length > USBIP_OWN_BYTES))
		return NULL;
	t = malloc(sizeof(*t) + m->length);
	if (!t)
		return NULL;
	*t = (struct transfer){ .session = s };
	if (m->in) /* what goes out comes whole */
		memset(t->data, 0, m->length);
	t->seqnum = m->seqnum;
	t->in = m->in;
	t->room = m->length;
	t->short_not_ok = m->flags & USBIP_SHORT_NOT_OK;
	t->urb.data = t->data;
	t->urb.length = m->length;
	t->urb.context = t;
	t->next = s->pending;
	t->link = &s->pending;
	if (t->next)
		t->next->link = &t->next;
	s->pending = t;
	s->pending_count++;
	s->pending_bytes += m->length;
	s->memory->used += m->length;
	return t;
}

/* No longer the session's. */
static void transfer_let_go(struct transfer *t)
{
	struct usbip_session *s = t->session;

	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	s->pending_count--;
	s->pending_bytes -= t->room;
	s->memory->used -= t->room;
	t->session = NULL;
}

static void transfer_free(struct transfer *t)
{
	if (t->session)
		transfer_let_go(t);
	free(t);
}

static int32_t status_of(const struct transfer *t)
{
	switch (t->urb.result) {
	case USB_ACK:
		return t->in && t->short_not_ok && t->urb.actual < t->urb.length ? WIRE_SHORT : WIRE_OK;
	case USB_STALL:
		return WIRE_STALL;
	case USB_SILENT:
		return WIRE_PROTOCOL;
	case USB_CANCELLED:
		return WIRE_CANCELLED;
	case USB_GONE:
		return WIRE_GONE;
	}
	return WIRE_PROTOCOL;
}

void usbip_session_complete(struct usb_urb *urb)
{
	struct transfer *t = urb->context;
	struct usbip_session *s = t->session;
	struct usbip_message m = { .command = USBIP_SUBMITTED, .seqnum = t->seqnum, .status = status_of(t) };

	if (!s) { /* nobody waits for it any more */
		transfer_free(t);
		return;
	}
	if (t == s->unlinking && urb->result == USB_CANCELLED) {
		s->unlinking = NULL;
	} else if (s->state != STATE_OVER) {
		assert(urb->actual <= t->room);
		m.actual = urb->result == USB_ACK ? (uint32_t)urb->actual : 0;
		reply(s, &m, t->in ? t->data : NULL);
	}
	transfer_free(t);
}

/* All of it is there. */
static void start(struct usbip_session *s)
{
	struct transfer *t = s->filling;

	s->filling = NULL;
	export_submit(s->export, &t->urb);
}

static void refuse_later(struct usbip_session *s, const struct usbip_message *m, int32_t status)
{
	s->skip = m->data_bytes + m->packet_bytes;
	s->refused = m->seqnum;
	s->refusal = status;
	if (!s->skip)
		refuse(s, m->seqnum, status);
}

/* The setup's direction counts for the device, the message's for what follows it: they must be the same. */
static bool fits(const struct usbip_message *m, const struct usb_setup *setup)
{
	return !setup->length || m->in == ((setup->type & 0x80) != 0);
}

static void submit(struct usbip_session *s, const struct usbip_message *m)
{
	struct usb_setup setup = usb_setup_decode(m->setup);
	struct transfer *t;

	if (m->packet_bytes || (!m->endpoint && !fits(m, &setup))) {
		refuse_later(s, m, WIRE_INVALID);
		return;
	}
	t = transfer_new(s, m);
	if (!t) {
		refuse_later(s, m, WIRE_NO_MEMORY);
		return;
	}
	if (m->endpoint) {
		t->urb.endpoint = (uint8_t)(m->endpoint | (m->in ? 0x80 : 0));
	} else {
		if (setup.length > m->length)
			setup.length = (uint16_t)m->length;
		t->urb.setup = setup;
		t->urb.length = setup.length;
	}
	s->filling = t;
	s->filled = 0;
	if (!m->data_bytes)
		start(s);
}

static void take_back(struct usbip_session *s, const struct usbip_message *m)
{
	struct usbip_message answer = { .command = USBIP_UNLINKED, .seqnum = m->seqnum };
	struct transfer *t = s->pending;

	while (t && t->seqnum != m->unlink)
		t = t->next;
	if (t) {
		s->unlinking = t;
		export_cancel(s->export, &t->urb);
		answer.status = s->unlinking ? WIRE_OK : WIRE_CANCELLED;
		s->unlinking = NULL;
	}
	reply(s, &answer, NULL);
}

/* ---- what comes in ---- */

static void take_message(struct usbip_session *s)
{
	struct usbip_message m;
	char why[USBIP_WHY];

	s->head_bytes = 0;
	if (usbip_message_decode(s->head, sizeof(s->head), &m, why) != USBIP_DONE) {
		fail(s, why);
		return;
	}
	if (m.devid != s->devid) {
		snprintf(why, sizeof(why), "device 0x%08x: must be 0x%08x", m.devid, s->devid);
		fail(s, why);
	} else if (m.command == USBIP_SUBMIT) {
		submit(s, &m);
	} else if (m.command == USBIP_UNLINK) {
		take_back(s, &m);
	} else {
		fail(s, "a reply: must be a request");
	}
}

static size_t take_some(struct usbip_session *s, const uint8_t *bytes, size_t length)
{
	size_t n;

	if (s->skip) {
		n = length < s->skip ? length : s->skip;
		s->skip -= n;
		if (!s->skip)
			refuse(s, s->refused, s->refusal);
	} else if (s->filling) {
		n = s->filling->room - s->filled;
		n = length < n ? length : n;
		memcpy(s->filling->data + s->filled, bytes, n);
		s->filled += n;
		if (s->filled == s->filling->room)
			start(s);
	} else {
		n = sizeof(s->head) - s->head_bytes;
		n = length < n ? length : n;
		memcpy(s->head + s->head_bytes, bytes, n);
		s->head_bytes += n;
		if (s->head_bytes == sizeof(s->head))
			take_message(s);
	}
	return n;
}

static void take(struct usbip_session *s, const uint8_t *bytes, size_t length)
{
	while (length && !s->failed && s->state == STATE_OPEN) { /* else what comes is of no use */
		size_t n = take_some(s, bytes, length);

		bytes += n;
		length -= n;
	}
}

static void ready(void *context, int fd, uint32_t events)
{
	struct usbip_session *s = context;
	uint8_t bytes[READ_BYTES];
	ssize_t n;

	s->reading = true;
	if (events & ~(uint32_t)POLLOUT) {
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0) {
			take(s, bytes, (size_t)n);
		} else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
			flush(s); /* it may have closed its half alone */
			fail(s, NULL);
		}
	}
	s->reading = false;
	settle(s);
}

/* ---- from import to end ---- */

struct usbip_session *usbip_session_new(const struct front_env *env, struct usbip_memory *memory, struct export *export,
					uint32_t devid, int fd, const struct usbip_session_ops *ops, void *context,
					int *error)
{
	struct usbip_session *s = calloc(1, sizeof(*s));

	*error = -ENOMEM;
	if (!s) {
		close(fd);
		return NULL;
	}
	*s = (struct usbip_session){ .env = env,
				     .memory = memory,
				     .export = export,
				     .devid = devid,
				     .fd = fd,
				     .ops = ops,
				     .context = context,
				     .watched = POLLIN };
	s->due = (struct bench_event){ .fire = due, .context = s };
	*error = loop_watch(env->loop, fd, POLLIN, ready, s);
	if (!*error)
		return s;
	close(fd);
	free(s);
	return NULL;
}

void usbip_session_free(struct usbip_session *s)
{
	if (!s)
		return;
	s->state = STATE_OVER;
	bench_cancel(s->env->bench, &s->due);
	loop_unwatch(s->env->loop, s->fd);
	if (s->filling)
		transfer_free(s->filling);
	while (s->pending) {
		struct transfer *t = s->pending;

		s->unlinking = t;
		export_cancel(s->export, &t->urb);
		if (s->pending == t)
			transfer_let_go(t);
	}
	close(s->fd);
	free(s->queue.bytes);
	free(s);
}

int usbip_session_send(struct usbip_session *s, const uint8_t *bytes, size_t length)
{
	if (!queue_room(&s->queue, length))
		return -ENOMEM;
	memcpy(s->queue.bytes + s->queue.end, bytes, length);
	s->queue.end += length;
	send_soon(s);
	return 0;
}

void usbip_session_gone(struct usbip_session *s)
{
	if (s->filling)
		transfer_free(s->filling);
	s->filling = NULL;
	while (s->pending) { /* a device that leaves may still have one in its hands, further up the stack */
		struct transfer *t = s->pending;

		if (s->state == STATE_OPEN)
			refuse(s, t->seqnum, WIRE_GONE);
		transfer_let_go(t);
	}
	s->export = NULL;
	if (s->state == STATE_OVER)
		return;
	s->state = STATE_GONE;
	bench_after(s->env->bench, &s->due, loop_bench_us(s->env->loop, USBIP_LINGER_US));
	if (!s->reading)
		settle(s);
}
