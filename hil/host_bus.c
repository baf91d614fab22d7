// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel lists in sysfs. */
#include "host_bus.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST "/sys/bus/usb/devices"
#define UDEV_US 2000000u /* after the kernel, on a busy machine */

/* Without its newline. A device that goes takes its files away while one reads: false. */
static bool attribute(const char *device, const char *name, char *text, size_t size)
{
	char path[320];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), LIST "/%.200s/%s", device, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return true;
}

static bool number(const char *device, const char *name, int base, unsigned *out)
{
	char text[32], *end;

	if (!attribute(device, name, text, sizeof(text)))
		return false;
	*out = (unsigned)strtoul(text, &end, base);
	return end != text;
}

static bool read_device(const char *name, struct host_device *d)
{
	unsigned vendor, product, configuration;
	char node[64];

	*d = (struct host_device){ 0 };
	if (!number(name, "busnum", 10, &d->bus) || !number(name, "devnum", 10, &d->address) ||
	    !number(name, "idVendor", 16, &vendor) || !number(name, "idProduct", 16, &product))
		return false;
	d->vendor = (uint16_t)vendor;
	d->product = (uint16_t)product;
	snprintf(node, sizeof(node), "/dev/bus/usb/%03u/%03u", d->bus, d->address);
	snprintf(d->port, sizeof(d->port), "%.31s", name);
	if (!attribute(name, "serial", d->serial, sizeof(d->serial)))
		d->serial[0] = 0;
	d->configured = number(name, "bConfigurationValue", 10, &configuration) && !access(node, F_OK);
	return true;
}

size_t host_devices(struct host_device out[HOST_DEVICES])
{
	DIR *list = opendir(LIST);
	struct dirent *entry;
	size_t count = 0;

	/* Interfaces have a colon in their names, root hubs are of no interest. */
	while (list && count < HOST_DEVICES && (entry = readdir(list)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && !strchr(entry->d_name, ':'))
			count += read_device(entry->d_name, &out[count]);
	if (list)
		closedir(list);
	return count;
}

int host_device_access(const struct host_device *d)
{
	char node[64];

	snprintf(node, sizeof(node), "/dev/bus/usb/%03u/%03u", d->bus, d->address);
	return access(node, R_OK | W_OK) ? -errno : 0;
}

bool host_device_is_ready(const struct host_device *d, uint64_t now_us, struct host_refused *refused)
{
	if (!d->configured)
		return false;
	if (host_device_access(d) != -EACCES)
		return true;
	if (refused->bus != d->bus || refused->address != d->address)
		*refused = (struct host_refused){ d->bus, d->address, now_us };
	return now_us - refused->since_us >= UDEV_US;
}

bool host_device_is_listed(const struct host_device *wanted)
{
	struct host_device devices[HOST_DEVICES];
	size_t count = host_devices(devices);

	for (size_t i = 0; i < count; i++)
		if (devices[i].bus == wanted->bus && devices[i].address == wanted->address)
			return true;
	return false;
}
