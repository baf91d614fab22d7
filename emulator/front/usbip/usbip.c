// SPDX-License-Identifier: GPL-2.0-or-later
/* The USB/IP server: devices by bus id, connections until they import one, and who has which. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "export.h"
#include "front.h"
#include "usbip_listen.h"
#include "usbip_session.h"
#include "usbip_wire.h"

#define ROOM 1024u
#define BUSNUM 1u
#define ADDRESSES 127u
/* Connections that have not imported: so many, and so long by the wall's clock. */
#define PEERS_MOST 4096u
#define HANDSHAKE_US 10000000u
#define ACCEPTS_PER_TURN 64u
#define RETRY_US 1000000u /* when there is no descriptor left for one more */
/* A host that vanished is noticed after a minute: its board is free again. */
#define KEEPALIVE_IDLE_S 30
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_PROBES 3
#define UNSENT_MS 60000u
/* Complaints about peers: so many in such a time, by the wall's clock. */
#define COMPLAINTS_MOST 10u
#define COMPLAINTS_US 10000000u

/* A device and its place on the bus. */
struct place {
	struct front *front;
	unsigned number; /* from 1: 1-NUMBER */
	struct export *export;
	struct client *client; /* who has it, or NULL */
};

/* A connection that has imported a device. */
struct client {
	struct front *front;
	struct client *next, **link;
	struct place *place; /* NULL: the device went, and the last replies are on their way */
	struct usbip_session *session;
	unsigned number;        /* of the place, and */
	char name[LISTEN_NAME]; /* the peer's address: for complaints */
};

/* A device list as it goes out, for all who asked while it was true. */
struct list {
	unsigned users;
	size_t length;
	uint8_t bytes[];
};

/* A connection that has imported nothing (yet). */
struct peer {
	struct front *front;
	struct peer *newer, *older;
	int fd;
	uint8_t request[USBIP_REQUEST_BYTES];
	size_t got;
	struct list *list;                        /* the answer, or NULL and */
	uint8_t answer[USBIP_DEVLIST_HEAD_BYTES]; /* this one */
	size_t length, sent;
	bool answered; /* waits for it to hang up */
	struct bench_event deadline;
};

struct front {
	const struct front_env *env;
	int fd;
	char bound[LISTEN_NAME];
	struct place *places[ROOM];
	unsigned place_count; /* places beyond have never been used */
	struct client *clients;
	struct usbip_memory memory;
	struct list *list; /* NULL: to be made */
	struct peer *oldest, *newest;
	unsigned peer_count, peers_most;
	struct bench_event retry; /* to accept */
	struct bench_event complaints_over;
	unsigned complaints;
};

static uint64_t wall_us(const struct front *f, uint64_t us)
{
	return loop_bench_us(f->env->loop, us);
}

/* A peer can make as many mistakes as it likes; not as many lines. */
static void complain(struct front *f, const char *what)
{
	char line[FRONT_WHY];

	if (!bench_is_scheduled(&f->complaints_over))
		bench_after(f->env->bench, &f->complaints_over, wall_us(f, COMPLAINTS_US));
	if (++f->complaints > COMPLAINTS_MOST)
		return;
	snprintf(line, sizeof(line), "%s%s", what,
		 f->complaints == COMPLAINTS_MOST ? " (and nothing more of this kind for 10 s)" : "");
	f->env->warn(f->env->context, line);
}

static void complaints_over(struct bench_event *e)
{
	struct front *f = e->context;

	f->complaints = 0;
}

/* ---- the device list ---- */

static void list_release(struct list *list)
{
	if (list && !--list->users)
		free(list);
}

static void list_is_stale(struct front *f)
{
	list_release(f->list);
	f->list = NULL;
}

static void record_of(const struct place *p, const struct usb_description *d, struct usbip_device *record)
{
	const struct usb_configuration *c = &d->configurations[0];
	const uint8_t *b = d->device, *interface;
	size_t offset = 0;

	memset(record, 0, sizeof(*record));
	snprintf(record->path, sizeof(record->path), "/dfuemu/%u-%u", BUSNUM, p->number);
	snprintf(record->busid, sizeof(record->busid), "%u-%u", BUSNUM, p->number);
	record->busnum = BUSNUM;
	record->devnum = p->number;
	record->speed = d->speed;
	record->bcd_device = (uint16_t)(b[12] | b[13] << 8);
	record->vendor = (uint16_t)(b[8] | b[9] << 8);
	record->product = (uint16_t)(b[10] | b[11] << 8);
	record->device_class = b[4];
	record->subclass = b[5];
	record->protocol = b[6];
	record->configuration_count = b[17];
	if (!d->configuration_count)
		return;
	/* It is not configured; a host would choose this one, and lists show what is in it. */
	record->configuration = c->bytes[5];
	while ((interface = usb_configuration_next(c, &offset, 4, 9)) && record->interface_count < 255) {
		if (interface[3]) /* alternate settings but the first */
			continue;
		record->interfaces[record->interface_count].interface_class = interface[5];
		record->interfaces[record->interface_count].subclass = interface[6];
		record->interfaces[record->interface_count].protocol = interface[7];
		record->interface_count++;
	}
}

static struct list *list_make(const struct front *f)
{
	struct usbip_reply reply = { .code = USBIP_DEVLIST };
	struct usbip_device *record = malloc(sizeof(*record));
	struct list *list = NULL;
	size_t size = USBIP_DEVLIST_HEAD_BYTES;

	/* Twice the same, for the size is known only when all are. */
	for (int pass = 0; record && pass < 2; pass++) {
		if (pass) {
			list = malloc(sizeof(*list) + size);
			if (!list)
				break;
			list->users = 1;
			list->length = usbip_reply_encode(&reply, list->bytes);
		}
		for (unsigned i = 0; i < f->place_count; i++) {
			const struct place *p = f->places[i];
			const struct usb_description *d = p ? export_description(p->export) : NULL;

			if (!d)
				continue;
			record_of(p, d, record);
			if (pass) {
				list->length += usbip_device_encode(record, true, list->bytes + list->length);
				continue;
			}
			reply.count++;
			size += USBIP_DEVICE_BYTES + record->interface_count * (size_t)USBIP_INTERFACE_BYTES;
		}
	}
	free(record);
	return list;
}

/* ---- connections that have imported ---- */

static void name_of(int fd, char name[LISTEN_NAME])
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getpeername(fd, (struct sockaddr *)&address, &length))
		snprintf(name, LISTEN_NAME, "a client");
	else
		usbip_address_text(&address, length, name);
}

static void client_free(struct client *c)
{
	struct place *p = c->place;

	/* The device may leave while transfers are taken back; that is nothing to this client any more. */
	if (p)
		p->client = NULL;
	usbip_session_free(c->session);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	free(c);
	if (p)
		export_reset(p->export); /* for the next one */
}

static void client_is_over(void *context, struct usbip_session *session, const char *why)
{
	struct client *c = context;

	(void)session;
	if (why) {
		char line[FRONT_WHY];

		snprintf(line, sizeof(line), "%.60s, which had %u-%u, is hung up on: %s", c->name, BUSNUM, c->number,
			 why);
		complain(c->front, line);
	}
	client_free(c);
}

static const struct usbip_session_ops client_ops = { .over = client_is_over };

/* The connection becomes a client's, or is closed. */
static int client_new(struct place *p, int fd)
{
	const struct usbip_reply reply = { .code = USBIP_IMPORT, .status = USBIP_OK };
	uint8_t bytes[USBIP_DEVLIST_HEAD_BYTES + USBIP_DEVICE_BYTES];
	struct client *c = calloc(1, sizeof(*c));
	struct usbip_device *record = malloc(sizeof(*record));
	size_t length;
	int r = -ENOMEM;

	if (!c || !record) {
		close(fd);
		goto out;
	}
	c->front = p->front;
	c->number = p->number;
	name_of(fd, c->name);
	c->session = usbip_session_new(p->front->env, &p->front->memory, p->export, BUSNUM << 16 | p->number, fd,
				       &client_ops, c, &r);
	if (!c->session)
		goto out;
	record_of(p, export_description(p->export), record);
	length = usbip_reply_encode(&reply, bytes);
	length += usbip_device_encode(record, false, bytes + length);
	r = usbip_session_send(c->session, bytes, length);
	if (r) {
		usbip_session_free(c->session);
		goto out;
	}
	c->next = p->front->clients;
	c->link = &p->front->clients;
	if (c->next)
		c->next->link = &c->next;
	p->front->clients = c;
	c->place = p;
	p->client = c;
	c = NULL;
out:
	free(record);
	free(c);
	return r;
}

/* ---- connections that have not ---- */

/* What remains is the descriptor. */
static int peer_take(struct peer *p)
{
	struct front *f = p->front;
	int fd = p->fd;

	*(p->older ? &p->older->newer : &f->oldest) = p->newer;
	*(p->newer ? &p->newer->older : &f->newest) = p->older;
	f->peer_count--;
	bench_cancel(f->env->bench, &p->deadline);
	loop_unwatch(f->env->loop, fd);
	list_release(p->list);
	free(p);
	return fd;
}

static void peer_close(struct peer *p)
{
	close(peer_take(p));
}

static void peer_is_late(struct bench_event *e)
{
	peer_close(e->context);
}

static void peer_ready(void *context, int fd, uint32_t events);

static void peer_send(struct peer *p)
{
	const uint8_t *bytes = p->list ? p->list->bytes : p->answer;
	ssize_t n;

	while (p->sent < p->length) {
		n = send(p->fd, bytes + p->sent, p->length - p->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (loop_watch(p->front->env->loop, p->fd, EPOLLIN | EPOLLOUT, peer_ready, p))
				peer_close(p);
			return;
		}
		if (n < 0) {
			peer_close(p);
			return;
		}
		p->sent += (size_t)n;
	}
	/* It is to have all of it before the socket is closed, and closes first. */
	shutdown(p->fd, SHUT_WR);
	if (loop_watch(p->front->env->loop, p->fd, EPOLLIN, peer_ready, p))
		peer_close(p);
}

static void answer_devlist(struct peer *p)
{
	struct front *f = p->front;

	if (!f->list)
		f->list = list_make(f);
	if (!f->list) {
		peer_close(p);
		return;
	}
	p->list = f->list;
	p->list->users++;
	p->length = p->list->length;
	peer_send(p);
}

static struct place *find_place(const struct front *f, const char *busid)
{
	char *end, text[USBIP_BUSID];
	unsigned long number;

	if (strncmp(busid, "1-", 2))
		return NULL;
	number = strtoul(busid + 2, &end, 10);
	snprintf(text, sizeof(text), "%u-%lu", BUSNUM, number);
	return number >= 1 && number <= f->place_count && !strcmp(text, busid) ? f->places[number - 1] : NULL;
}

static void answer_import(struct peer *p, const char *busid)
{
	struct place *place = find_place(p->front, busid);
	struct usbip_reply reply = { .code = USBIP_IMPORT };

	if (!place || !export_description(place->export))
		reply.status = USBIP_NO_DEVICE;
	else if (place->client)
		reply.status = USBIP_BUSY;
	if (!reply.status) {
		client_new(place, peer_take(p));
		return;
	}
	p->length = usbip_reply_encode(&reply, p->answer);
	peer_send(p);
}

static void peer_asked(struct peer *p)
{
	struct usbip_request request;
	char why[USBIP_WHY], name[LISTEN_NAME], line[FRONT_WHY];
	size_t used;

	switch (usbip_request_decode(p->request, p->got, &request, &used, why)) {
	case USBIP_MORE:
		return;
	case USBIP_BAD:
		name_of(p->fd, name);
		snprintf(line, sizeof(line), "%s is hung up on: %s", name, why);
		complain(p->front, line);
		peer_close(p);
		return;
	case USBIP_DONE:
		break;
	}
	p->answered = true;
	if (request.code == USBIP_DEVLIST)
		answer_devlist(p);
	else
		answer_import(p, request.busid);
}

static void peer_ready(void *context, int fd, uint32_t events)
{
	struct peer *p = context;
	uint8_t nothing[4096];
	ssize_t n;

	if (p->answered && (events & EPOLLOUT)) {
		peer_send(p);
		return;
	}
	/* No byte more than the request: what follows an import is for the session to read. */
	if (p->answered)
		n = recv(fd, nothing, sizeof(nothing), MSG_DONTWAIT);
	else
		n = recv(fd, p->request + p->got,
			 (p->got < USBIP_HEAD_BYTES ? USBIP_HEAD_BYTES : USBIP_REQUEST_BYTES) - p->got, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
		peer_close(p);
	} else if (n > 0 && !p->answered) {
		p->got += (size_t)n;
		peer_asked(p);
	}
}

/* Takes fd over. */
static void peer_new(struct front *f, int fd)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (!p || loop_watch(f->env->loop, fd, EPOLLIN, peer_ready, p)) {
		free(p);
		close(fd);
		return;
	}
	p->front = f;
	p->fd = fd;
	p->older = f->newest;
	*(p->older ? &p->older->newer : &f->oldest) = p;
	f->newest = p;
	f->peer_count++;
	p->deadline = (struct bench_event){ .fire = peer_is_late, .context = p };
	bench_after(f->env->bench, &p->deadline, wall_us(f, HANDSHAKE_US));
}

/* ---- the listening socket ---- */

static void set_up(int fd)
{
	const int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S, probes = KEEPALIVE_PROBES;
	const unsigned unsent = UNSENT_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unsent, sizeof(unsent));
}

/* Connections that idle must not keep others out: the oldest goes for the newest. */
static void make_room(struct front *f, bool one_less)
{
	if (f->oldest && (one_less || f->peer_count >= f->peers_most))
		peer_close(f->oldest);
}

static void listen_ready(void *context, int fd, uint32_t events)
{
	struct front *f = context;
	bool tried = false;

	(void)events;
	for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
		int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (accepted >= 0) {
			set_up(accepted);
			make_room(f, false);
			peer_new(f, accepted);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
			return;
		if (!tried && f->oldest) {
			tried = true;
			make_room(f, true);
			continue;
		}
		complain(f, "no descriptor is left for one more connection");
		loop_unwatch(f->env->loop, fd);
		bench_after(f->env->bench, &f->retry, wall_us(f, RETRY_US));
		return;
	}
}

static void listen_again(struct bench_event *e)
{
	struct front *f = e->context;

	if (loop_watch(f->env->loop, f->fd, EPOLLIN, listen_ready, f))
		bench_after(f->env->bench, &f->retry, wall_us(f, RETRY_US));
}

/* ---- the front ---- */

static struct front *front_open(const struct front_env *env, const struct front_options *options, char why[FRONT_WHY])
{
	struct front *f = calloc(1, sizeof(*f));
	struct rlimit limit;
	char line[FRONT_WHY];
	bool loopback;

	if (!f) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	f->env = env;
	f->retry = (struct bench_event){ .fire = listen_again, .context = f };
	f->complaints_over = (struct bench_event){ .fire = complaints_over, .context = f };
	f->peers_most = PEERS_MOST;
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < 2 * PEERS_MOST)
		f->peers_most = (unsigned)limit.rlim_cur / 2;
	f->fd = usbip_listen(options->listen, f->bound, &loopback, why);
	if (f->fd < 0) {
		free(f);
		return NULL;
	}
	if (loop_watch(env->loop, f->fd, EPOLLIN, listen_ready, f)) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		close(f->fd);
		free(f);
		return NULL;
	}
	if (!loopback) {
		snprintf(line, sizeof(line),
			 "listening on %s: USB/IP has no authentication, whoever reaches that port has the boards",
			 f->bound);
		env->warn(env->context, line);
	}
	return f;
}

static void place_ready(void *context, const struct usb_description *d)
{
	struct place *p = context;

	(void)d;
	list_is_stale(p->front);
}

static void place_gone(void *context)
{
	struct place *p = context;
	struct client *c = p->client;

	list_is_stale(p->front);
	if (!c)
		return;
	p->client = NULL;
	c->place = NULL;
	usbip_session_gone(c->session);
}

static void place_complete(void *context, struct usb_urb *urb)
{
	(void)context;
	usbip_session_complete(urb);
}

static const struct export_ops place_ops = {
	.ready = place_ready,
	.gone = place_gone,
	.complete = place_complete,
};

static int front_plug(struct front *f, struct usbdev *device)
{
	struct place *p;
	unsigned i = f->place_count;

	/* A number is used again only when there is no other left, as with boards. */
	if (i == ROOM)
		for (i = 0; i < ROOM && f->places[i];)
			i++;
	if (i == ROOM)
		return -ENOSPC;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->front = f;
	p->number = i + 1;
	p->export = export_new(f->env, device, (uint8_t)(1 + i % ADDRESSES), &place_ops, p);
	if (!p->export) {
		free(p);
		return -ENOMEM;
	}
	f->places[i] = p;
	if (i == f->place_count)
		f->place_count++;
	return 0;
}

static struct place *place_of(const struct front *f, const struct usbdev *device)
{
	for (unsigned i = 0; i < f->place_count; i++)
		if (f->places[i] && export_device(f->places[i]->export) == device)
			return f->places[i];
	return NULL;
}

static void front_unplug(struct front *f, struct usbdev *device)
{
	struct place *p = place_of(f, device);

	if (!p)
		return;
	if (p->client)
		client_free(p->client);
	export_free(p->export);
	f->places[p->number - 1] = NULL;
	free(p);
	list_is_stale(f);
}

static unsigned front_address(const struct front *f, const struct usbdev *device)
{
	const struct place *p = place_of(f, device);

	return p && export_description(p->export) ? 1 + (p->number - 1) % ADDRESSES : 0;
}

static void front_tell(const struct front *f, char text[FRONT_WHY])
{
	snprintf(text, FRONT_WHY, "listening on %s", f->bound);
}

static void front_close(struct front *f)
{
	loop_unwatch(f->env->loop, f->fd);
	close(f->fd);
	bench_cancel(f->env->bench, &f->retry);
	bench_cancel(f->env->bench, &f->complaints_over);
	while (f->oldest)
		peer_close(f->oldest);
	while (f->clients)
		client_free(f->clients);
	for (unsigned i = 0; i < f->place_count; i++)
		if (f->places[i])
			front_unplug(f, export_device(f->places[i]->export));
	list_is_stale(f);
	free(f);
}

const struct front_ops usbip_front = {
	.name = "usbip",
	.summary = "USB/IP server, for usbip attach",
	.room = ROOM,
	.open = front_open,
	.plug = front_plug,
	.unplug = front_unplug,
	.address = front_address,
	.tell = front_tell,
	.close = front_close,
};
