// SPDX-License-Identifier: GPL-2.0-or-later
/* One mounted gadgetfs: the controller's file has events and the control pipe, others are endpoints. */
#include "gadgetfs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>
#include "gadgetfs_endpoints.h"
#include "gadgetfs_layout.h"
#include "udc.h"
#include "worker.h"

#define NAMES 64u
#define PARTING_MS 50u
#define LATE_MS 100u
#define QUIT_TRIES 20u
#define CONFIGURE_AGAIN_US 50000u /* a device that has just been reset may not hear yet; a host waits that long, too */
#define CONFIGURE_TRIES 20u

/* struct usb_gadgetfs_event of linux/usb/gadgetfs.h, whose other names clash with those of describe.h */
enum { EVENT_NOP, EVENT_CONNECT, EVENT_DISCONNECT, EVENT_SETUP, EVENT_SUSPEND };
struct event {
	uint8_t setup[8];
	uint32_t type;
};

/* What the control transfer of the host is at. */
enum phase {
	PHASE_NONE,
	PHASE_DATA,   /* OUT data comes */
	PHASE_DEVICE, /* the device has it */
	PHASE_TAKEN,  /* likewise, but the host has its answer already */
};

struct gadgetfs {
	const struct front_env *env;
	struct export *export;
	const char *folder, *udc;
	bool mounted;
	char (*names)[GADGETFS_NAME]; /* of endpoints' files */
	size_t name_count;
	struct gadgetfs_layout layout;
	int ep0;
	struct worker *control;
	struct bench_event again; /* to configure */
	unsigned tries;
	enum phase phase;
	bool looking, drop, held; /* held: the kernel takes a request for the one under way that is over */
	struct usb_setup setup;
	struct usb_urb urb;
	uint8_t data[UINT16_MAX];
	uint64_t asked_ms;
	bool late;            /* the last answer: the host may have given it up */
	uint64_t answered_ms; /* 0: not since the beginning */
	struct gadgetfs_endpoints *endpoints;
	uint8_t configuration, alt[USB_MAX_INTERFACES];
};

static void look(struct gadgetfs *g);

static uint64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* On the threads. */

static long control_read(void *context)
{
	struct gadgetfs *g = context;
	ssize_t n = read(g->ep0, g->data, g->setup.length);

	return n < 0 ? -errno : n;
}

/* Requests. */

static bool is_set_configuration(const struct gadgetfs *g)
{
	return g->setup.type == 0x00 && g->setup.request == USB_REQUEST_SET_CONFIGURATION;
}

static void take_back(struct gadgetfs *g)
{
	bool has_it = g->phase == PHASE_DEVICE || g->phase == PHASE_TAKEN;

	g->phase = PHASE_NONE;
	if (bench_is_scheduled(&g->again))
		bench_cancel(g->env->bench, &g->again);
	else if (has_it)
		export_cancel(g->export, &g->urb);
}

/* Out of the request that the kernel takes for the one under way: refused, or what it brings is dropped. queued: it has not been read
 * yet. True: that befell one which is in the queue still. */
static bool quit(const struct gadgetfs *g, bool queued)
{
	int flags = fcntl(g->ep0, F_GETFL);
	bool done = false;
	uint8_t data[1];

	fcntl(g->ep0, F_SETFL, flags | O_NONBLOCK);
	for (unsigned i = 0; i < QUIT_TRIES && !done; i++) {
		ssize_t n = read(g->ep0, data, 1);

		if (n < 0 && errno == EAGAIN)
			n = write(g->ep0, data, 1);
		done = n >= 0 || (errno != EIDRM && errno != ESRCH);
		if (done) {
			queued = queued && (n >= 0 || errno == EL2HLT);
		} else if (errno == EIDRM) { /* one more has taken its place */
			queued = true;
		} else {
			poll(NULL, 0, 1); /* for data that is on its way */
		}
	}
	fcntl(g->ep0, F_SETFL, flags);
	/* What cannot be refused, as SET_CONFIGURATION, is acknowledged, and not lost. */
	return done ? queued : read(g->ep0, data, 0) > 0;
}

/* The host has given the request up, by another one that is in the queue. That is lost: the kernel takes what we do now for an answer
 * to it; and when it is read, for the one under way. So is one more that comes before that. */
static void abandon(struct gadgetfs *g)
{
	worker_interrupt(g->control);
	take_back(g);
	g->held = false;
	g->drop = g->ep0 >= 0 && quit(g, true);
}

static void finished(struct gadgetfs *g, bool given_up)
{
	g->phase = PHASE_NONE;
	g->answered_ms = wall_ms();
	if (given_up)
		abandon(g);
	look(g);
}

/* Neither of these waits for the host. */
static void answer(struct gadgetfs *g, size_t length)
{
	ssize_t n = g->setup.type & 0x80 ? write(g->ep0, g->data, length) : read(g->ep0, g->data, 0);

	g->late = wall_ms() - g->asked_ms > LATE_MS;
	finished(g, n < 0 && errno == EIDRM);
}

/* Moving data in the wrong direction is how gadgetfs is told to stall. SET_CONFIGURATION has been answered for us. */
static void refuse(struct gadgetfs *g)
{
	ssize_t n;

	if (is_set_configuration(g))
		n = read(g->ep0, g->data, 0);
	else if (g->setup.type & 0x80)
		n = read(g->ep0, g->data, 1);
	else
		n = write(g->ep0, g->data, 1);
	finished(g, n < 0 && errno == EIDRM);
}

/* What the device has said yes to, for the controller. */
static void follow(struct gadgetfs *g)
{
	const struct usb_setup *s = &g->setup;

	if (is_set_configuration(g)) {
		g->configuration = (uint8_t)s->value;
		memset(g->alt, 0, sizeof(g->alt));
		gadgetfs_endpoints_open(g->endpoints, g->configuration, g->alt);
	} else if (s->type == 0x01 && s->request == USB_REQUEST_SET_INTERFACE && s->index < USB_MAX_INTERFACES) {
		g->alt[s->index] = (uint8_t)s->value;
		gadgetfs_endpoints_open(g->endpoints, g->configuration, g->alt);
	}
}

static void submit(struct gadgetfs *g)
{
	struct usb_setup s = g->setup;

	if ((s.type & 0x1f) == 0x02) {
		const struct gadgetfs_endpoint *e = gadgetfs_of_host(&g->layout, (uint8_t)s.index);

		s.index = e ? e->device : s.index;
	}
	g->urb = (struct usb_urb){ .setup = s, .data = g->data, .length = s.length };
	export_submit(g->export, &g->urb);
}

static void configure_again(struct bench_event *event)
{
	submit(event->context);
}

static void answer_device(struct gadgetfs *g)
{
	const struct usb_urb *urb = &g->urb;

	switch (urb->result) {
	case USB_ACK:
		follow(g);
		answer(g, urb->actual < urb->length ? urb->actual : urb->length);
		break;
	case USB_CANCELLED:
	case USB_GONE:
		g->phase = PHASE_NONE;
		break;
	case USB_SILENT: /* no controller can be silent to order; the host is to see a failure all the same */
		if (is_set_configuration(g) && ++g->tries < CONFIGURE_TRIES) {
			bench_after(g->env->bench, &g->again, CONFIGURE_AGAIN_US);
			break;
		}
		refuse(g);
		break;
	case USB_STALL:
		refuse(g);
		break;
	}
}

bool gadgetfs_complete(struct gadgetfs *g, struct usb_urb *urb)
{
	if (!g)
		return false;
	if (urb == &g->urb) {
		if (g->phase == PHASE_TAKEN)
			finished(g, false);
		else if (g->phase == PHASE_DEVICE)
			answer_device(g);
		return true;
	}
	return gadgetfs_endpoints_complete(g->endpoints, urb);
}

static void ask_device(struct gadgetfs *g, enum phase phase)
{
	g->phase = phase;
	g->tries = 0;
	submit(g);
}

/* The host has its acknowledgement already: what the device thinks of the data cannot be told any more. */
static void data_came(void *context, long result)
{
	struct gadgetfs *g = context;

	if (result == g->setup.length)
		ask_device(g, PHASE_TAKEN);
	else
		finished(g, result == -EIDRM);
}

static void handle_setup(struct gadgetfs *g, const uint8_t setup[8])
{
	g->setup = usb_setup_decode(setup);
	g->asked_ms = wall_ms();
	g->late = false;
	if (!g->setup.length || g->setup.type & 0x80) {
		ask_device(g, PHASE_DEVICE);
		return;
	}
	g->phase = PHASE_DATA;
	worker_begin(g->control, control_read, data_came, g);
}

/* Acknowledging what is over would leave a transfer at the controller, which the kernel does not survive when the device leaves. */
static void drop_setup(struct gadgetfs *g, const uint8_t setup[8])
{
	struct usb_setup s = usb_setup_decode(setup);

	g->held = s.length && !(s.type & 0x80);
	g->drop = !g->held && quit(g, false);
}

/* Nothing of before is worth anything any more. */
static void forget(struct gadgetfs *g)
{
	if (g->control)
		worker_interrupt(g->control);
	if (g->endpoints)
		gadgetfs_endpoints_close(g->endpoints);
	g->configuration = 0;
	memset(g->alt, 0, sizeof(g->alt));
	g->drop = g->held = false;
	take_back(g);
}

static void handle_event(struct gadgetfs *g, const struct event *e)
{
	bool drop = g->drop;

	g->drop = false;
	switch (e->type) {
	case EVENT_SETUP:
		if (drop)
			drop_setup(g, e->setup);
		else
			handle_setup(g, e->setup);
		break;
	case EVENT_DISCONNECT: /* a reset of the bus, too */
		forget(g);
		export_reset(g->export);
		break;
	default:
		g->drop = drop;
		break;
	}
}

/* Nothing where the device has left meanwhile. */
static bool has_event(const struct gadgetfs *g)
{
	struct pollfd ready = { .fd = g->ep0, .events = POLLIN };

	return poll(&ready, 1, 0) > 0 && ready.revents & POLLIN;
}

/* Take the events that there are. Not while a request waits for its answer: then reading is part of that. */
static void look(struct gadgetfs *g)
{
	struct event event;

	/* What a request that is over at once leads to comes after the events that are read already. */
	if (g->looking)
		return;
	g->looking = true;
	while (g->phase == PHASE_NONE && has_event(g)) {
		ssize_t n = read(g->ep0, &event, sizeof(event));

		if (n == (ssize_t)sizeof(event))
			handle_event(g, &event);
		else if (n >= 0 || (errno != EIDRM && errno != EINTR))
			break;
	}
	g->looking = false;
}

static void stirred(void *context, int fd, uint32_t events)
{
	struct gadgetfs *g = context;

	(void)fd;
	/* It says so once. */
	if (events & POLLHUP && (g->phase != PHASE_NONE || g->held))
		abandon(g);
	look(g);
}

/* On and off the bus. */

static int failed(char why[FRONT_WHY], const char *what, int error)
{
	snprintf(why, FRONT_WHY, "gadgetfs: %s: %s", what, strerror(error));
	return -error;
}

static int mount_it(struct gadgetfs *g, char why[FRONT_WHY])
{
	if (!mount("gadgetfs", g->folder, "gadgetfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) {
		g->mounted = true;
		return 0;
	}
	if (errno == ENODEV)
		snprintf(why, FRONT_WHY, "this kernel has no gadgetfs (is the module gadgetfs there?)");
	else
		failed(why, "cannot mount it", errno);
	return -EIO;
}

/* The write puts the device on the bus. */
static int begin(struct gadgetfs *g, char why[FRONT_WHY])
{
	char path[PATH_MAX], driver[UDC_NAME];
	int r = udc_driver(UDC_CLASS, g->udc, driver);

	if (r)
		return failed(why, "what drives the controller", -r);
	snprintf(path, sizeof(path), "%s/%s", g->folder, driver);
	g->ep0 = open(path, O_RDWR | O_CLOEXEC);
	if (g->ep0 < 0)
		return failed(why, "cannot open the controller's file", errno); /* EBUSY: another program's */
	if (write(g->ep0, g->layout.bytes, g->layout.length) < 0)
		return failed(why, "it refuses the device", errno);
	return 0;
}

/* Neither gadgetfs nor dummy_hcd takes an answer back that nobody fetches, which the kernel does not survive when it is closed; the
 * controller does, when it stops. */
static void stop_controller(const struct gadgetfs *g)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), UDC_CLASS "/%s/soft_connect", g->udc);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = fd >= 0 ? write(fd, "disconnect", 10) : -1;
	(void)n; /* where it cannot be stopped, closing is all that there is */
	if (fd >= 0)
		close(fd);
}

static void end(struct gadgetfs *g)
{
	if (g->ep0 >= 0)
		close(g->ep0);
	g->ep0 = -1;
}

/* The controller's endpoints are told when a gadget has it, but the gadget's descriptors are to name them: so it has it for a
 * moment, which is shorter than a host looks at. */
static int learn_names(struct gadgetfs *g, const struct usb_description *d, char why[FRONT_WHY])
{
	struct dirent *entry;
	DIR *folder;
	int r = gadgetfs_layout(d, NULL, 0, &g->layout);

	if (r)
		return failed(why, "it takes no such device", -r);
	r = begin(g, why);
	folder = r ? NULL : opendir(g->folder);
	while (folder && g->name_count < NAMES && (entry = readdir(folder)))
		if (!strncmp(entry->d_name, "ep", 2) && strlen(entry->d_name) < GADGETFS_NAME)
			strcpy(g->names[g->name_count++], entry->d_name);
	if (folder)
		closedir(folder);
	end(g);
	free(g->layout.bytes);
	g->layout.bytes = NULL;
	return r;
}

static int start(struct gadgetfs *g, const struct usb_description *d, char why[FRONT_WHY])
{
	int error;

	/* It takes the first one that is free. */
	if (!udc_is_only_free(UDC_CLASS, g->udc)) {
		snprintf(why, FRONT_WHY, "gadgetfs cannot be told which of several controllers to take");
		return -EBUSY;
	}
	g->control = worker_new(g->env->loop, &error);
	g->names = calloc(NAMES, sizeof(*g->names));
	g->endpoints = gadgetfs_endpoints_new(g->env, g->export, g->folder, &g->layout);
	if (!g->control || !g->names || !g->endpoints)
		return failed(why, "cannot begin", ENOMEM);
	if (mount_it(g, why) || learn_names(g, d, why))
		return -EIO;
	error = gadgetfs_layout(d, (const char(*)[GADGETFS_NAME])g->names, g->name_count, &g->layout);
	if (error)
		return failed(why, "it takes no such device", -error);
	if (begin(g, why))
		return -EIO;
	error = loop_watch(g->env->loop, g->ep0, POLLIN, stirred, g);
	if (error)
		return failed(why, "cannot watch it", -error);
	/* Requests come here from the first look on. */
	return fcntl(g->ep0, F_SETFL, O_RDWR | O_NONBLOCK) || read(g->ep0, g->data, sizeof(struct event)) != -1 ||
			       fcntl(g->ep0, F_SETFL, O_RDWR)
		       ? failed(why, "no first look", EIO)
		       : 0;
}

struct gadgetfs *gadgetfs_new(const struct front_env *env, struct export *export, const char *folder, const char *udc,
			      const struct usb_description *d, char why[FRONT_WHY])
{
	struct gadgetfs *g = calloc(1, sizeof(*g));

	if (!g) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	g->env = env;
	g->export = export;
	g->folder = folder;
	g->udc = udc;
	g->ep0 = -1;
	g->again = (struct bench_event){ .fire = configure_again, .context = g };
	if (!start(g, d, why))
		return g;
	gadgetfs_free(g);
	return NULL;
}

/* The answer that made the device leave is on its way to the host; nobody tells when it has arrived. */
static void part(const struct gadgetfs *g)
{
	uint64_t gone_ms = wall_ms() - g->answered_ms;

	if (g->ep0 >= 0 && g->answered_ms && gone_ms < PARTING_MS)
		poll(NULL, 0, (int)(PARTING_MS - gone_ms));
}

void gadgetfs_gone(struct gadgetfs *g)
{
	if (!g)
		return;
	part(g);
	forget(g);
	if (g->ep0 >= 0)
		loop_unwatch(g->env->loop, g->ep0);
	if (g->ep0 >= 0 && g->late)
		stop_controller(g);
	end(g);
	if (g->mounted)
		umount2(g->folder, MNT_DETACH);
	g->mounted = false;
}

void gadgetfs_free(struct gadgetfs *g)
{
	if (!g)
		return;
	gadgetfs_gone(g);
	worker_free(g->control);
	gadgetfs_endpoints_free(g->endpoints);
	free(g->layout.bytes);
	free(g->names);
	free(g);
}
