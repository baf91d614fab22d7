// SPDX-License-Identifier: GPL-2.0-or-later
/* A device, its socket, and whoever is at the other end just now. */
#include "place.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "export.h"
#include "listen.h"
#include "session.h"

#define INPUT_BYTES 65536u
#define PATIENCE_TICKS 5 /* after a peer that was none */
#define LINES 8          /* about a peer at once; then one in */
#define LINE_PAUSE_MS 2000

struct place {
	const struct front_env *env;
	struct usbdev *device;
	struct export *export;
	char *path;
	bool listens;
	struct listener listener;
	void (*alarm)(void *context);
	void *context;
	struct session *session; /* with fd; NULL: nobody is there */
	int fd;
	bool deaf;          /* the listener is left alone until the next tick */
	bool greeted;       /* the peer has said hello */
	unsigned patience;  /* ticks until the next try to connect */
	unsigned lines;     /* that may still be said at once */
	uint64_t spoken_ms; /* since when they have been fewer */
	unsigned swallowed; /* lines since the last that was said */
	uint8_t input[INPUT_BYTES];
	size_t input_from, input_to; /* what the session could not take yet */
};

static uint64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

/* A peer that comes and goes, or talks nonsense for ever, does not fill the screen. */
static void tell(struct place *p, void (*by)(void *, const char *), const char *text)
{
	uint64_t now = wall_ms();
	char line[FRONT_WHY];

	while (p->lines < LINES && now - p->spoken_ms >= LINE_PAUSE_MS) {
		p->lines++;
		p->spoken_ms += LINE_PAUSE_MS;
	}
	if (!p->lines) {
		p->swallowed++;
		return;
	}
	if (p->lines-- == LINES)
		p->spoken_ms = now;
	if (p->swallowed)
		snprintf(line, sizeof(line), "'%s': %s (and %u lines more)", p->path, text, p->swallowed);
	else
		snprintf(line, sizeof(line), "'%s': %s", p->path, text);
	by(p->env->context, line);
	p->swallowed = 0;
}

static void arrived(void *context, int listener, uint32_t events);

static void hang_up(struct place *p)
{
	if (!p->session)
		return;
	session_free(p->session);
	p->session = NULL;
	loop_unwatch(p->env->loop, p->fd);
	close(p->fd);
	p->fd = -1;
	p->input_from = p->input_to = 0;
	if (p->listens)
		loop_watch(p->env->loop, p->listener.fd, POLLIN, arrived, p);
	else
		p->alarm(p->context);
}

/* why may be the session's: NULL if nothing was wrong. */
static void lose(struct place *p, const char *why)
{
	char text[SESSION_WHY + 40] = "the guest has gone";
	bool greeted = p->greeted;

	if (why)
		snprintf(text, sizeof(text), "hung up: %s", why);
	hang_up(p);
	if (why)
		p->patience = PATIENCE_TICKS;
	if (why || greeted)
		tell(p, why ? p->env->warn : p->env->note, text);
}

/* --- the connection --- */

static void ready(void *context, int fd, uint32_t events);

static void watch(struct place *p, bool more_to_write)
{
	uint32_t events = p->input_from == p->input_to ? POLLIN : 0;

	if (more_to_write || !events)
		events |= POLLOUT;
	loop_watch(p->env->loop, p->fd, events, ready, p);
}

static int read_input(struct place *p)
{
	ssize_t n = recv(p->fd, p->input, sizeof(p->input), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
	p->input_from = 0;
	p->input_to = (size_t)n;
	return n ? 0 : -ECONNRESET;
}

static void ready(void *context, int fd, uint32_t events)
{
	struct place *p = context;
	int left = session_flush(p->session);
	ssize_t used;

	(void)fd;
	/* Nobody is there to read what input that waits would be answered with. */
	if (left < 0 || (p->input_from < p->input_to && events & (POLLHUP | POLLERR)) ||
	    (p->input_from == p->input_to && events & (POLLIN | POLLHUP | POLLERR) && read_input(p))) {
		lose(p, NULL);
		return;
	}
	used = session_feed(p->session, p->input + p->input_from, p->input_to - p->input_from);
	if (used < 0) {
		session_flush(p->session);
		lose(p, session_why(p->session));
		return;
	}
	p->input_from += (size_t)used;
	left = session_flush(p->session);
	watch(p, left != 0);
	if (session_is_waiting(p->session))
		p->alarm(p->context);
}

static int session_write(void *context, const uint8_t *bytes, size_t count)
{
	struct place *p = context;
	ssize_t n = send(p->fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0)
		return (int)n;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

static void session_wakes(void *context)
{
	struct place *p = context;

	/* A connection that is broken is hung up from the loop, not from the middle of a transfer. */
	if (session_flush(p->session))
		watch(p, true);
	if (session_is_waiting(p->session))
		p->alarm(p->context);
}

static void session_greets(void *context)
{
	struct place *p = context;

	p->greeted = true;
	p->patience = 0;
	tell(p, p->env->note, "a guest is there");
}

static void session_says(void *context, const char *line)
{
	struct place *p = context;

	tell(p, p->env->warn, line);
}

static const struct session_ops session_ops = {
	.write = session_write,
	.wake = session_wakes,
	.hello = session_greets,
	.say = session_says,
};

static void adopt(struct place *p, int fd)
{
	p->session = session_new(p->export, &session_ops, p);
	if (!p->session || loop_watch(p->env->loop, fd, POLLIN | POLLOUT, ready, p)) {
		session_free(p->session);
		p->session = NULL;
		close(fd);
		return;
	}
	p->fd = fd;
	p->greeted = false;
	p->alarm(p->context); /* for the hello */
}

/* One guest at a time: the next waits in the queue of the socket until this one has gone. */
static void arrived(void *context, int listener, uint32_t events)
{
	struct place *p = context;
	int fd = listener_accept(&p->listener);

	(void)events;
	if (fd == -EAGAIN || fd == -EINTR || fd == -ECONNABORTED)
		return;
	if (fd >= 0)
		adopt(p, fd);
	if (fd >= 0 && !p->session)
		return;
	loop_unwatch(p->env->loop, listener);
	if (p->session)
		return;
	/* No descriptor is left for it. It goes on waiting, and would be reported for ever. */
	p->deaf = true;
	p->alarm(p->context);
}

bool place_tick(struct place *p)
{
	int fd;

	if (p->session) {
		if (session_tick(p->session)) {
			lose(p, "no hello of usbredir within 10 s");
			return true;
		}
		return session_is_waiting(p->session);
	}
	if (p->listens) {
		bool was_deaf = p->deaf;

		if (was_deaf)
			loop_watch(p->env->loop, p->listener.fd, POLLIN, arrived, p);
		p->deaf = false;
		return was_deaf; /* else the next tick would be at once */
	}
	if (p->patience && p->patience--)
		return true;
	fd = connect_to(p->path);
	if (fd >= 0)
		adopt(p, fd);
	return true;
}

/* --- the device --- */

static void device_ready(void *context, const struct usb_description *description)
{
	struct place *p = context;

	(void)description;
	if (p->session)
		session_attach(p->session);
}

static void device_gone(void *context)
{
	struct place *p = context;

	if (p->session)
		session_detach(p->session);
}

static void device_completes(void *context, struct usb_urb *urb)
{
	struct place *p = context;

	session_complete(p->session, urb);
}

static const struct export_ops export_ops = {
	.ready = device_ready,
	.gone = device_gone,
	.complete = device_completes,
};

struct usbdev *place_device(const struct place *p)
{
	return p->device;
}

bool place_is_plugged(const struct place *p)
{
	return p->session && session_has_device(p->session);
}

static int open_listener(struct place *p)
{
	char text[FRONT_WHY];
	int r = listener_open(&p->listener, p->path);

	if (!r)
		r = loop_watch(p->env->loop, p->listener.fd, POLLIN, arrived, p);
	if (!r)
		return 0;
	snprintf(text, sizeof(text), "cannot listen on '%.200s': %s", p->path,
		 r == -EEXIST       ? "there is something else of that name"
		 : r == -EADDRINUSE ? "somebody listens there already"
				    : strerror(-r));
	p->env->warn(p->env->context, text);
	return r;
}

/* It is waited for what is not there yet. What is there and no socket will not become one. */
static int check_path(const struct place *p)
{
	char text[FRONT_WHY];
	struct stat st;

	if (stat(p->path, &st) || S_ISSOCK(st.st_mode))
		return 0;
	snprintf(text, sizeof(text), "cannot connect to '%.200s': there is something else of that name", p->path);
	p->env->warn(p->env->context, text);
	return -ENOTSOCK;
}

int place_new(const struct front_env *env, struct usbdev *device, unsigned number, const struct place_address *address,
	      void (*alarm)(void *context), void *context, struct place **out)
{
	struct place *p = calloc(1, sizeof(*p));
	int r = -ENOMEM;

	if (!p)
		return -ENOMEM;
	p->env = env;
	p->device = device;
	p->listens = address->listen;
	p->listener.fd = p->fd = -1;
	p->alarm = alarm;
	p->context = context;
	p->lines = LINES;
	p->path = strdup(address->path);
	if (!p->path)
		goto out;
	r = p->listens ? open_listener(p) : check_path(p);
	if (r)
		goto out;
	p->export = export_new(env, device, (uint8_t)number, &export_ops, p);
	r = p->export ? 0 : -ENOMEM;
	if (!r && !p->listens)
		alarm(context);
out:
	if (r) {
		place_free(p);
		return r;
	}
	*out = p;
	return 0;
}

void place_free(struct place *p)
{
	if (!p)
		return;
	if (p->session) {
		session_detach(p->session);
		session_flush(p->session);
		hang_up(p);
	}
	if (p->listener.fd >= 0)
		loop_unwatch(p->env->loop, p->listener.fd);
	listener_close(&p->listener);
	export_free(p->export);
	free(p->path);
	free(p);
}
