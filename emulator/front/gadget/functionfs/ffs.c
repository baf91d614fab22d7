// SPDX-License-Identifier: GPL-2.0-or-later
/* One mounted FunctionFS. */
#include "ffs.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "endpoint.h"
#include "ffs_probe.h"
#include "worker.h"

#define ENDPOINTS 30u
#define IN_BYTES 2048u
#define PARTING_MS 50u
#define CONFIGURE_AGAIN_US 50000u /* a device that has just been reset may not hear yet */
#define CONFIGURE_TRIES 20u

/* struct usb_functionfs_event of linux/usb/functionfs.h, whose other names clash with those of describe.h */
enum { EVENT_BIND, EVENT_UNBIND, EVENT_ENABLE, EVENT_DISABLE, EVENT_SETUP, EVENT_SUSPEND, EVENT_RESUME };
struct event {
	uint8_t setup[8];
	uint8_t type;
	uint8_t pad[3];
};

/* What the control transfer of the host is at. */
enum phase {
	PHASE_NONE,
	PHASE_DATA,   /* OUT data comes */
	PHASE_DEVICE, /* the device has it */
	PHASE_TAKEN,  /* likewise, but the host has its answer already */
	PHASE_ANSWER, /* the host takes the answer */
};

struct ffs {
	const struct front_env *env;
	struct export *export;
	char folder[PATH_MAX];
	int ep0;
	int edges; /* epoll: something has happened at ep0 since it was looked at last */
	struct worker *control;
	enum phase phase;
	struct usb_setup setup;
	struct usb_urb urb, configure;
	struct bench_event again; /* to configure */
	unsigned tries;
	bool configuring, configured;
	bool looking;          /* look() is on the stack */
	uint8_t configuration; /* bConfigurationValue of the only one */
	size_t length;         /* to be moved now */
	uint8_t data[UINT16_MAX];
	struct endpoint *endpoints[ENDPOINTS];
};

static void look(struct ffs *f);

/* On the thread. */

static long control_read(void *context)
{
	struct ffs *f = context;
	ssize_t n = read(f->ep0, f->data, f->length);

	return n < 0 ? -errno : n;
}

static long control_write(void *context)
{
	struct ffs *f = context;
	ssize_t n = write(f->ep0, f->data, f->length);

	return n < 0 ? -errno : n;
}

/* Endpoints. */

static void free_endpoints(struct ffs *f)
{
	for (unsigned i = 0; i < ENDPOINTS; i++) {
		int fd;

		if (!f->endpoints[i])
			continue;
		fd = f->endpoints[i]->fd;
		endpoint_free(f->endpoints[i]);
		f->endpoints[i] = NULL;
		close(fd);
	}
}

static void make_endpoint(struct ffs *f, unsigned i, const uint8_t *b)
{
	size_t packet = (size_t)(b[4] | (b[5] & 0x07) << 8);
	char path[PATH_MAX + 16];
	int fd, error;

	snprintf(path, sizeof(path), "%s/ep%02x", f->folder, b[2]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	error = -errno;
	if (fd >= 0)
		f->endpoints[i] = endpoint_new(f->env->loop, f->export, b[2],
					       b[2] & 0x80 ? IN_BYTES
					       : packet    ? packet
							   : 1,
					       fd, 0, endpoint_file_move, &error);
	if (f->endpoints[i]) {
		endpoint_start(f->endpoints[i]);
		return;
	}
	snprintf(path, sizeof(path), "gadget: endpoint 0x%02x does not work: %s", b[2], strerror(-error));
	f->env->warn(f->env->context, path);
	if (fd >= 0)
		close(fd);
}

/* FunctionFS does not tell alternate settings apart: the endpoints of all are there at once, by their addresses. */
static void make_endpoints(struct ffs *f)
{
	const struct usb_description *d = export_description(f->export);
	const struct usb_configuration *c = d ? usb_description_configuration(d, f->configuration) : NULL;
	unsigned count = 0;
	const uint8_t *b;

	free_endpoints(f);
	for (size_t at = 0; c && count < ENDPOINTS && (b = usb_configuration_next(c, &at, USB_DT_ENDPOINT, 7));)
		make_endpoint(f, count++, b);
}

/* Requests. */

static void finished(struct ffs *f)
{
	f->phase = PHASE_NONE;
	look(f);
}

static void answered(void *context, long result)
{
	(void)result; /* a host that did not wait for it asks again */
	finished(context);
}

static void answer(struct ffs *f, worker_call *call, size_t length)
{
	f->phase = PHASE_ANSWER;
	f->length = length;
	worker_begin(f->control, call, answered, f);
}

/* Moving data in the wrong direction is how FunctionFS is told to stall. */
static void refuse(struct ffs *f)
{
	ssize_t n;

	if (f->setup.type & 0x80)
		n = read(f->ep0, f->data, 1);
	else
		n = write(f->ep0, f->data, 1);
	(void)n; /* -EL2HLT; or the host has given up meanwhile */
	finished(f);
}

static void answer_device(struct ffs *f)
{
	const struct usb_urb *urb = &f->urb;

	switch (urb->result) {
	case USB_ACK:
		if (f->setup.type & 0x80)
			answer(f, control_write, urb->actual < urb->length ? urb->actual : urb->length);
		else
			answer(f, control_read, 0);
		break;
	case USB_CANCELLED:
	case USB_GONE:
		f->phase = PHASE_NONE;
		break;
	case USB_STALL:
	case USB_SILENT: /* no controller can be silent to order; the host is to see a failure all the same */
		refuse(f);
		break;
	}
}

static void configure(struct bench_event *event)
{
	struct ffs *f = event->context;

	f->configuring = true;
	f->configure = (struct usb_urb){
		.setup = { .request = USB_REQUEST_SET_CONFIGURATION, .value = f->configuration },
	};
	export_submit(f->export, &f->configure);
}

static void configured(struct ffs *f)
{
	f->configuring = false;
	if (f->configure.result == USB_ACK)
		make_endpoints(f);
	else if (f->configure.result == USB_SILENT && ++f->tries < CONFIGURE_TRIES)
		bench_after(f->env->bench, &f->again, CONFIGURE_AGAIN_US);
}

bool ffs_complete(struct ffs *f, struct usb_urb *urb)
{
	if (!f)
		return false;
	if (urb == &f->configure) {
		configured(f);
		return true;
	}
	if (urb == &f->urb) {
		if (f->phase == PHASE_TAKEN)
			finished(f);
		else if (f->phase == PHASE_DEVICE)
			answer_device(f);
		return true;
	}
	for (unsigned i = 0; i < ENDPOINTS; i++)
		if (endpoint_complete(f->endpoints[i], urb))
			return true;
	return false;
}

static void ask_device(struct ffs *f, enum phase phase)
{
	f->phase = phase;
	f->urb = (struct usb_urb){ .setup = f->setup, .data = f->data, .length = f->setup.length };
	export_submit(f->export, &f->urb);
}

/* The host has its acknowledgement already: what the device thinks of the data cannot be told any more. */
static void data_came(void *context, long result)
{
	struct ffs *f = context;

	if (result == f->setup.length)
		ask_device(f, PHASE_TAKEN);
	else
		finished(f);
}

static void handle_setup(struct ffs *f, const uint8_t setup[8])
{
	f->setup = usb_setup_decode(setup);
	if (!f->setup.length || f->setup.type & 0x80) {
		ask_device(f, PHASE_DEVICE);
		return;
	}
	f->phase = PHASE_DATA;
	f->length = f->setup.length;
	worker_begin(f->control, control_read, data_came, f);
}

/* SET_CONFIGURATION, or SET_INTERFACE: the kernel does not say which, nor which setting. */
static void enabled(struct ffs *f)
{
	if (f->configured)
		return;
	f->configured = true;
	f->tries = 0;
	configure(&f->again);
}

static void disabled(struct ffs *f)
{
	bench_cancel(f->env->bench, &f->again);
	free_endpoints(f);
	f->configured = false;
	export_reset(f->export);
}

static void handle_event(struct ffs *f, const struct event *e)
{
	switch (e->type) {
	case EVENT_SETUP:
		handle_setup(f, e->setup);
		break;
	case EVENT_ENABLE:
		enabled(f);
		break;
	case EVENT_DISABLE: /* reset, unplugged, or not configured any more */
		disabled(f);
		break;
	default:
		break;
	}
}

/* Take the events that there are. Not while a request waits for its answer: then reading is part of that. */
static void look(struct ffs *f)
{
	struct event events[8];
	struct epoll_event edge;

	/* What a request that is over at once leads to comes after the events that are read already. */
	if (f->looking)
		return;
	f->looking = true;
	while (f->phase == PHASE_NONE) {
		ssize_t n = read(f->ep0, events, sizeof(events));

		/* A new event ends a request that waits; that one is told first. */
		if (n < 0 && (errno == EIDRM || errno == EINTR))
			continue;
		if (n <= 0)
			break;
		/* What woke us for these is no news. */
		epoll_wait(f->edges, &edge, 1, 0);
		for (size_t i = 0; i < (size_t)n / sizeof(events[0]); i++)
			handle_event(f, &events[i]);
	}
	f->looking = false;
}

/* Has the host given up the request that the device has? */
static bool is_abandoned(struct ffs *f)
{
	/* For IN there is a way to ask: data that cannot be read is refused without effect, unless the request is over
	 * anyhow. By the bare system call, as a sanitizer would look at the data first. */
	if (f->setup.type & 0x80 && f->setup.length)
		return syscall(SYS_write, f->ep0, (void *)1, (size_t)1) < 0 && errno == EIDRM;
	return true;
}

static void stirred(void *context, int fd, uint32_t events)
{
	struct ffs *f = context;
	struct epoll_event edge;

	(void)events;
	/* The loop may have seen an edge that look() has taken since: then there is no news, and a request that waits for its
	 * status would be acknowledged by looking. */
	if (epoll_wait(fd, &edge, 1, 0) != 1)
		return;
	if (f->phase == PHASE_DEVICE && is_abandoned(f)) {
		export_cancel(f->export, &f->urb);
		f->phase = PHASE_NONE;
	}
	look(f);
}

static int watch(struct ffs *f)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int error;

	f->edges = epoll_create1(EPOLL_CLOEXEC);
	if (f->edges < 0 || epoll_ctl(f->edges, EPOLL_CTL_ADD, f->ep0, &event))
		return -errno;
	f->control = worker_new(f->env->loop, &error);
	return f->control ? loop_watch(f->env->loop, f->edges, POLLIN, stirred, f) : error;
}

struct ffs *ffs_new(const struct front_env *env, struct export *export, const char *folder,
		    const struct usb_description *d, bool *told, char why[FRONT_WHY])
{
	struct ffs *f = calloc(1, sizeof(*f));
	char path[PATH_MAX + 8];
	int r;

	if (!f) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	f->env = env;
	f->export = export;
	f->edges = -1;
	f->again = (struct bench_event){ .fire = configure, .context = f };
	f->configuration = d->configurations[0].bytes[5];
	snprintf(f->folder, sizeof(f->folder), "%s", folder);
	snprintf(path, sizeof(path), "%s/ep0", f->folder);
	f->ep0 = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (f->ep0 < 0) {
		snprintf(why, FRONT_WHY, "cannot open '%.200s': %s", path, strerror(errno));
	} else if (!ffs_probe(env, f->ep0, d, told, why)) {
		r = watch(f);
		if (!r)
			return f;
		snprintf(why, FRONT_WHY, "cannot watch FunctionFS: %s", strerror(-r));
	}
	ffs_free(f);
	return NULL;
}

void ffs_gone(struct ffs *f)
{
	if (!f)
		return;
	/* The answer that made the device leave is on its way to the host. */
	if (f->control && worker_is_busy(f->control))
		worker_wait(f->control, PARTING_MS);
	worker_interrupt(f->control);
	free_endpoints(f);
	if (f->phase == PHASE_DEVICE || f->phase == PHASE_TAKEN)
		export_cancel(f->export, &f->urb);
	bench_cancel(f->env->bench, &f->again);
	if (f->configuring)
		export_cancel(f->export, &f->configure);
	f->phase = PHASE_NONE;
	f->configured = false;
}

void ffs_free(struct ffs *f)
{
	if (!f)
		return;
	if (f->control)
		ffs_gone(f);
	worker_free(f->control);
	if (f->edges >= 0) {
		loop_unwatch(f->env->loop, f->edges);
		close(f->edges);
	}
	if (f->ep0 >= 0)
		close(f->ep0);
	free(f);
}
