// SPDX-License-Identifier: GPL-2.0-or-later
/* usbredir: each device has a socket, and behind it a QEMU, whatever runs in there. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "front.h"
#include "listen.h"
#include "numbered.h"
#include "place.h"
#include "session.h"

#define ROOM 64
#define LISTEN_PREFIX "listen:"
#define TOLD 4 /* names that the line for the user has */

struct front {
	const struct front_env *env;
	const char *name; /* of the first socket */
	bool listen;
	int timer;
	bool ticking;
	struct place *places[ROOM];
};

static void set_timer(struct front *f, bool on)
{
	const struct timespec every = { .tv_nsec = on ? SESSION_TICK_MS * 1000000L : 0 };

	/* The first is at once: nobody needs to wait for a socket that is there. */
	const struct itimerspec when = { .it_interval = every, .it_value = { .tv_nsec = on ? 1 : 0 } };

	timerfd_settime(f->timer, 0, &when, NULL);
	f->ticking = on;
}

static void alarm_wanted(void *context)
{
	struct front *f = context;

	if (!f->ticking)
		set_timer(f, true);
}

static void tick(void *context, int fd, uint32_t events)
{
	struct front *f = context;
	uint64_t expirations;
	bool more = false;

	(void)events;
	if (read(fd, &expirations, sizeof(expirations)) < 0)
		return;
	for (unsigned i = 0; i < ROOM; i++)
		if (f->places[i] && place_tick(f->places[i]))
			more = true;
	if (!more)
		set_timer(f, false);
}

static int check_name(const struct front *f, char why[FRONT_WHY])
{
	char *longest = numbered_path(f->name, ROOM);
	size_t length = longest ? strlen(longest) : 0;

	free(longest);
	if (length && *f->name && length <= LISTEN_PATH_MOST)
		return 0;
	if (!longest)
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
	else
		snprintf(why, FRONT_WHY,
			 "--socket '%.200s': the name must have 1 to %zu bytes, with the number of a board", f->name,
			 LISTEN_PATH_MOST);
	return -EINVAL;
}

static void redir_close(struct front *f)
{
	for (unsigned i = 0; i < ROOM; i++)
		place_free(f->places[i]);
	if (f->timer >= 0) {
		loop_unwatch(f->env->loop, f->timer);
		close(f->timer);
	}
	free(f);
}

static struct front *redir_open(const struct front_env *env, const struct front_options *options, char why[FRONT_WHY])
{
	struct front *f;
	size_t prefix = strlen(LISTEN_PREFIX);

	if (!options->socket) {
		snprintf(why, FRONT_WHY,
			 "serve redir: --socket is missing: must be the Unix socket of QEMU's chardev, or "
			 "'listen:' and the name of one to make");
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (!f) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	f->env = env;
	f->listen = !strncmp(options->socket, LISTEN_PREFIX, prefix);
	f->name = options->socket + (f->listen ? prefix : 0);
	f->timer = -1;
	if (check_name(f, why)) {
		redir_close(f);
		return NULL;
	}
	f->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (f->timer < 0 || loop_watch(env->loop, f->timer, POLLIN, tick, f)) {
		snprintf(why, FRONT_WHY, "cannot make a timer: %s", strerror(errno));
		redir_close(f);
		return NULL;
	}
	return f;
}

static int redir_plug(struct front *f, struct usbdev *device)
{
	struct place_address address = { .listen = f->listen };
	unsigned i = 0;
	char *path;
	int r;

	while (i < ROOM && f->places[i])
		i++;
	if (i == ROOM)
		return -ENOSPC;
	path = numbered_path(f->name, i + 1);
	if (!path)
		return -ENOMEM;
	address.path = path;
	r = place_new(f->env, device, i + 1, &address, alarm_wanted, f, &f->places[i]);
	free(path);
	return r;
}

static struct place **find(struct front *f, const struct usbdev *device)
{
	for (unsigned i = 0; i < ROOM; i++)
		if (f->places[i] && place_device(f->places[i]) == device)
			return &f->places[i];
	return NULL;
}

static void redir_unplug(struct front *f, struct usbdev *device)
{
	struct place **p = find(f, device);

	if (!p)
		return;
	place_free(*p);
	*p = NULL;
}

/* What the guest's controller has given it we are not told. */
static unsigned redir_address(const struct front *f, const struct usbdev *device)
{
	for (unsigned i = 0; i < ROOM; i++)
		if (f->places[i] && place_device(f->places[i]) == device)
			return place_is_plugged(f->places[i]) ? i + 1 : 0;
	return 0;
}

static void redir_tell(const struct front *f, char text[FRONT_WHY])
{
	size_t used = (size_t)snprintf(text, FRONT_WHY, f->listen ? "listening on" : "connecting to");
	unsigned count = 0;

	for (unsigned i = 0; i < ROOM; i++) {
		char *path = f->places[i] && count++ < TOLD ? numbered_path(f->name, i + 1) : NULL;

		if (path)
			used += (size_t)snprintf(text + used, FRONT_WHY - used, "%s '%s'", count > 1 ? "," : "", path);
		free(path);
	}
	if (count > TOLD)
		snprintf(text + used, FRONT_WHY - used, " and %u more", count - TOLD);
}

const struct front_ops redir_front = {
	.name = "redir",
	.summary = "usbredir, for QEMU guests",
	.room = ROOM,
	.open = redir_open,
	.plug = redir_plug,
	.unplug = redir_unplug,
	.address = redir_address,
	.tell = redir_tell,
	.close = redir_close,
};
