// SPDX-License-Identifier: GPL-2.0-or-later
/* The tty of the kernel's ACM function. */
#include "acm.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "endpoint.h"

#define TTY_BYTES 512u
#define AGAIN_US 50000u
#define TRIES 20u

struct acm {
	const struct front_env *env;
	struct export *export;
	char path[32];
	int tty;
	uint8_t in_address, out_address;
	struct endpoint *in, *out;
	struct usb_urb configure;
	bool configuring;
	struct bench_event again;
	unsigned tries;
};

static void hung_up(void *context, int fd, uint32_t events);

static void warn(const struct acm *a, const char *what, const char *why)
{
	char line[FRONT_WHY];

	snprintf(line, sizeof(line), "gadget: %s%s", what, why);
	a->env->warn(a->env->context, line);
}

static int open_tty(struct acm *a)
{
	struct termios raw;
	int r;

	a->tty = open(a->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (a->tty < 0)
		return -errno;
	/* No echo: the other end is a device, not a person. */
	if (!tcgetattr(a->tty, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(a->tty, TCSANOW, &raw);
	}
	r = loop_watch(a->env->loop, a->tty, 0, hung_up, a);
	if (!r)
		return 0;
	close(a->tty);
	a->tty = -1;
	return r;
}

static void close_tty(struct acm *a)
{
	bench_cancel(a->env->bench, &a->again);
	endpoint_free(a->in);
	endpoint_free(a->out);
	a->in = a->out = NULL;
	if (a->configuring)
		export_cancel(a->export, &a->configure);
	a->configuring = false;
	if (a->tty >= 0) {
		loop_unwatch(a->env->loop, a->tty);
		tcflush(a->tty, TCIOFLUSH); /* or closing waits for a host that is gone */
		close(a->tty);
	}
	a->tty = -1;
}

/* Nobody is told when the host configures the function: the device is configured from the start. */
static void configure(struct bench_event *event)
{
	struct acm *a = event->context;
	const struct usb_description *d = export_description(a->export);

	if (!d)
		return;
	a->configuring = true;
	a->configure = (struct usb_urb){
		.setup = { .request = USB_REQUEST_SET_CONFIGURATION, .value = d->configurations[0].bytes[5] },
	};
	export_submit(a->export, &a->configure);
}

void acm_start(struct acm *a)
{
	a->tries = 0;
	configure(&a->again);
}

static void configured(struct acm *a)
{
	int error;

	a->configuring = false;
	/* It comes right behind the reset, which firmware may take its time for: a host would ask again, too. */
	if (a->configure.result == USB_SILENT && ++a->tries < TRIES) {
		bench_after(a->env->bench, &a->again, AGAIN_US);
		return;
	}
	if (a->configure.result == USB_SILENT || a->configure.result == USB_STALL)
		warn(a, "the device does not let itself be configured", "");
	if (a->configure.result != USB_ACK)
		return;
	a->in = endpoint_new(a->env->loop, a->export, a->in_address, TTY_BYTES, a->tty, 0, endpoint_file_move, &error);
	if (a->in)
		a->out = endpoint_new(a->env->loop, a->export, a->out_address, TTY_BYTES, a->tty, 0, endpoint_file_move,
				      &error);
	if (!a->out) {
		warn(a, "no serial port: ", strerror(-error));
		return;
	}
	endpoint_start(a->in);
	endpoint_start(a->out);
}

/* The host has reset the bus, or configures the function no more: that much is seen of it. */
static void hung_up(void *context, int fd, uint32_t events)
{
	struct acm *a = context;
	int r;

	(void)fd;
	if (!(events & (POLLHUP | POLLERR)))
		return;
	close_tty(a);
	export_reset(a->export);
	if (!export_description(a->export))
		return; /* it has left */
	r = open_tty(a);
	if (r)
		warn(a, "the serial port is gone: ", strerror(-r));
	else
		acm_start(a);
}

bool acm_complete(struct acm *a, struct usb_urb *urb)
{
	if (!a)
		return false;
	if (urb != &a->configure)
		return endpoint_complete(a->in, urb) || endpoint_complete(a->out, urb);
	configured(a);
	return true;
}

struct acm *acm_new(const struct front_env *env, struct export *export, const char *path, uint8_t in, uint8_t out,
		    char why[FRONT_WHY])
{
	struct acm *a = calloc(1, sizeof(*a));
	int r;

	if (!a) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	a->env = env;
	a->export = export;
	a->in_address = in;
	a->out_address = out;
	a->again = (struct bench_event){ .fire = configure, .context = a };
	snprintf(a->path, sizeof(a->path), "%s", path);
	r = open_tty(a);
	if (!r)
		return a;
	snprintf(why, FRONT_WHY, "cannot open '%s': %s", path, strerror(-r));
	free(a);
	return NULL;
}

void acm_gone(struct acm *a)
{
	if (a)
		close_tty(a);
}

void acm_free(struct acm *a)
{
	acm_gone(a);
	free(a);
}
