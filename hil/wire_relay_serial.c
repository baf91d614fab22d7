// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Relays behind a USB serial converter, as LCUS-1 and its kin: A0, the relay's number, 1 or 0, and the sum of these as a checksum,
 * at 9600 baud. They answer nothing: what is known is that the bytes have left.
 */
#include <errno.h>
#include <libserialport.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "wire_driver.h"

#define START 0xa0
#define LIMIT_MS 2000
#define PAUSE_MS 20

/* What went wrong, as it stands in errno or in the library's own words. -errno with why. */
static int told(enum sp_return r, const char *what, const struct wire_file *f, char why[WIRES_WHY])
{
	int error = r == SP_ERR_FAIL && sp_last_error_code() ? sp_last_error_code() : r == SP_ERR_MEM ? ENOMEM : EINVAL;
	const char *help = "";

	if (error == EACCES)
		help = ": you may not open it (group dialout)";
	else if (error == ENOTTY)
		help = ": no serial port";
	else if (error == ENOENT)
		help = ": is the relay plugged in?";
	else if (error == EIO || error == ENXIO || error == ENODEV)
		help = ": has the relay been unplugged?";
	snprintf(why, WIRES_WHY, "cannot %s '%.200s': %s%s", what, f->device, strerror(error), help);
	return error == EIO || error == ENXIO ? -ENODEV : -error;
}

static enum sp_return set_up(struct sp_port *port, unsigned speed)
{
	enum sp_return r = sp_set_baudrate(port, (int)speed);

	if (!r)
		r = sp_set_bits(port, 8);
	if (!r)
		r = sp_set_parity(port, SP_PARITY_NONE);
	if (!r)
		r = sp_set_stopbits(port, 1);
	return r ? r : sp_set_flowcontrol(port, SP_FLOWCONTROL_NONE);
}

/* The port is opened for each command: other relays of the same board may be another wire, or another rig's, and an open port is
 * nobody else's. */
static void *relay_open(const struct wire_file *f, int *error, char why[WIRES_WHY])
{
	(void)error;
	(void)why;
	return (void *)f;
}

/* The library knows ports by the names that the kernel gives them: not by those of /dev/serial/by-id. */
static enum sp_return find_port(const char *device, struct sp_port **port)
{
	char *real = realpath(device, NULL), path[PATH_MAX];
	enum sp_return r;

	if (!real)
		return SP_ERR_FAIL;
	snprintf(path, sizeof(path), "/sys/class/tty/%s", strrchr(real, '/') + 1);
	r = sp_get_port_by_name(access(path, F_OK) ? device : real, port);
	free(real);
	/* What is no serial port is told in words only. */
	errno = r == SP_ERR_ARG ? ENOTTY : errno;
	return r == SP_ERR_ARG ? SP_ERR_FAIL : r;
}

static int send_command(struct sp_port *port, const struct wire_file *f, bool pull, char why[WIRES_WHY])
{
	unsigned char bytes[4] = { START, (unsigned char)f->number, pull };
	enum sp_return n = set_up(port, f->speed);

	if (n)
		return told(n, "set up", f, why);
	bytes[3] = (unsigned char)(bytes[0] + bytes[1] + bytes[2]);
	n = sp_blocking_write(port, bytes, sizeof(bytes), LIMIT_MS);
	if (n < 0)
		return told(n, "write to", f, why);
	if (n != sizeof(bytes)) {
		snprintf(why, WIRES_WHY, "'%.200s' takes nothing", f->device);
		return -ETIMEDOUT;
	}
	n = sp_drain(port);
	return n < 0 ? told(n, "write to", f, why) : 0;
}

static int relay_set(void *state, bool high, char why[WIRES_WHY])
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000l };
	const struct wire_file *f = state;
	struct sp_port *port = NULL;
	enum sp_return failed;
	int r = 0;

	failed = find_port(f->device, &port);
	for (int i = 0; !failed && (failed = sp_open(port, SP_MODE_WRITE)); i++) {
		if (sp_last_error_code() != EBUSY || i >= LIMIT_MS / PAUSE_MS)
			break;
		nanosleep(&pause, NULL);
		failed = SP_OK;
	}
	if (failed) {
		r = told(failed, "open", f, why);
	} else {
		r = send_command(port, f, wire_active(f, high), why);
		sp_close(port);
	}
	if (port)
		sp_free_port(port);
	return r;
}

static void relay_close(void *state)
{
	(void)state;
}

const struct wire_driver wire_relay_serial = {
	.name = "relay-serial",
	.needs = "libserialport " SP_PACKAGE_VERSION_STRING,
	.open = relay_open,
	.set = relay_set,
	.close = relay_close,
};
