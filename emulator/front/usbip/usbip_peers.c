// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections to the USB/IP server until they import a device: who may come, for how long, and what they are told. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "usbip_accept.h"
#include "usbip_internal.h"

/* Connections that have not imported: so many, and so long by the wall's clock. */
#define PEERS_MOST 4096u
#define HANDSHAKE_US 10000000u
#define ACCEPTS_PER_TURN 64u
#define RETRY_US 1000000u /* when there is no descriptor left for one more */

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
	usbip_list_release(p->list);
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
			if (loop_watch(p->front->env->loop, p->fd, POLLIN | POLLOUT, peer_ready, p))
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
	if (loop_watch(p->front->env->loop, p->fd, POLLIN, peer_ready, p))
		peer_close(p);
}

static void answer_devlist(struct peer *p)
{
	p->list = usbip_list(p->front);
	if (!p->list) {
		peer_close(p);
		return;
	}
	p->length = p->list->length;
	peer_send(p);
}

static void answer_import(struct peer *p, const char *busid)
{
	struct place *place = usbip_find_place(p->front, busid);
	struct usbip_reply reply = { .code = USBIP_IMPORT };

	if (!place || !export_description(place->export))
		reply.status = USBIP_NO_DEVICE;
	else if (place->client)
		reply.status = USBIP_BUSY;
	if (!reply.status) {
		usbip_import(place, peer_take(p));
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
		usbip_name_of(p->fd, name);
		snprintf(line, sizeof(line), "%s is hung up on: %s", name, why);
		usbip_complain(p->front, line);
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

	if (p->answered && (events & POLLOUT)) {
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

	if (!p || loop_watch(f->env->loop, fd, POLLIN, peer_ready, p)) {
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
	bench_after(f->env->bench, &p->deadline, usbip_wall_us(f, HANDSHAKE_US));
}

/* ---- the listening socket ---- */

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
		int accepted = usbip_accept(fd);

		if (accepted >= 0) {
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
		usbip_complain(f, "no descriptor is left for one more connection");
		loop_unwatch(f->env->loop, fd);
		bench_after(f->env->bench, &f->retry, usbip_wall_us(f, RETRY_US));
		return;
	}
}

static void listen_again(struct bench_event *e)
{
	struct front *f = e->context;

	if (loop_watch(f->env->loop, f->fd, POLLIN, listen_ready, f))
		bench_after(f->env->bench, &f->retry, usbip_wall_us(f, RETRY_US));
}

int usbip_peers_open(struct front *f)
{
	struct rlimit limit;

	f->retry = (struct bench_event){ .fire = listen_again, .context = f };
	f->peers_most = PEERS_MOST;
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < 2 * PEERS_MOST)
		f->peers_most = (unsigned)limit.rlim_cur / 2;
	return loop_watch(f->env->loop, f->fd, POLLIN, listen_ready, f);
}

void usbip_peers_close(struct front *f)
{
	loop_unwatch(f->env->loop, f->fd);
	bench_cancel(f->env->bench, &f->retry);
	while (f->oldest)
		peer_close(f->oldest);
}
