/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The USB devices that programs of this machine can see and open, by its kernel's own list of them. */
#ifndef DFUBENCH_HOST_BUS_H
#define DFUBENCH_HOST_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_device {
	unsigned bus, address; /* the node in /dev/bus/usb */
	uint16_t vendor, product;
	bool configured; /* the kernel is through with it */
	char port[32];   /* its folder in sysfs: "1-1.2", the second port of what is in the first of bus 1 */
	char serial[64]; /* "": it has none */
};

#define HOST_DEVICES 256

/* Their number; more than HOST_DEVICES are left out. Without USB there are none. */
size_t host_devices(struct host_device out[HOST_DEVICES]);
/* May its node be opened for reading and writing? 0 or -errno. */
int host_device_access(const struct host_device *);
/* The kernel is through with it, and whoever sets the rights of its node, too: it may be opened, or that has been refused for longer
 * than udev takes. refused: of the calls before, zero at first. */
struct host_refused {
	unsigned bus, address;
	uint64_t since_us;
};
bool host_device_is_ready(const struct host_device *, uint64_t now_us, struct host_refused *refused);
/* By its node: still, or again. */
bool host_device_is_listed(const struct host_device *);

#endif
