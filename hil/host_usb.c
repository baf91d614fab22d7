// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's end of USB for hosts of this program's own, over usbfs itself: libusb lists all of the machine's devices, by way of udev,
 * before it opens one, and cannot be linked statically. Errors are told in its words, which people know.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "host_serial.h"
#include "host_usb.h"
#include "host_wait.h"

#define DEVICES "/sys/bus/usb/devices"
#define LOOK_AGAIN_US 20000u
#define DFU_CLASS 0xfe
#define DFU_SUBCLASS 1
#define SETUP_SIZE 8
#define DESCRIPTORS_MAX 4096

struct device {
	char name[64]; /* its folder in sysfs: "1-1" */
	unsigned bus, address;
};

struct host_usb {
	int fd;               /* -1: none */
	bool known;           /* device is the one that is or was open */
	struct device device; /* names are used again, addresses are not */
	uint8_t interface;
	bool serial; /* a serial port, with these: */
	struct host_serial_port port;
	bool port_was_bound; /* to a driver, which is to have it back */
	bool gone;
	struct host_wait wait;
};

int host_usb_signal(const struct host_usb *h)
{
	(void)h;
	return host_wait_signal();
}

struct host_usb *host_usb_new(char why[HOST_USB_WHY])
{
	struct host_usb *h = calloc(1, sizeof(*h));

	if (!h) {
		snprintf(why, HOST_USB_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	h->fd = -1;
	host_wait_begin(&h->wait);
	return h;
}

void host_usb_free(struct host_usb *h)
{
	if (!h)
		return;
	host_usb_close(h);
	host_wait_end(&h->wait);
	free(h);
}

void host_usb_close(struct host_usb *h)
{
	unsigned interface = h->interface, data = h->port.data_interface;
	struct usbdevfs_ioctl back = { .ifno = (int)interface, .ioctl_code = USBDEVFS_CONNECT };

	if (h->fd >= 0) {
		if (!h->gone && h->serial) {
			host_serial_end(h, &h->port);
			ioctl(h->fd, USBDEVFS_RELEASEINTERFACE, &data);
		}
		if (!h->gone)
			ioctl(h->fd, USBDEVFS_RELEASEINTERFACE, &interface);
		/* cdc-acm takes the other one with it */
		if (!h->gone && h->port_was_bound)
			ioctl(h->fd, USBDEVFS_IOCTL, &back);
		close(h->fd);
		h->fd = -1;
	}
	h->known = false;
	h->gone = h->serial = h->port_was_bound = false;
}

bool host_usb_is_serial(const struct host_usb *h)
{
	return h->serial;
}

bool host_usb_is_open(const struct host_usb *h)
{
	return h->fd >= 0;
}

uint8_t host_usb_interface(const struct host_usb *h)
{
	return h->interface;
}

bool host_usb_sleep(struct host_usb *h, uint64_t us)
{
	return host_wait_sleep(&h->wait, us);
}

/* Opening */

/* The first line of a file of sysfs; false if there is none, as for a device that is just leaving. */
static bool attribute(const char *device, const char *name, char *text, size_t size)
{
	char path[256];
	FILE *file;
	bool fine;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	fine = fgets(text, (int)size, file);
	fclose(file);
	text[fine ? strcspn(text, "\n") : 0] = 0;
	return fine;
}

static bool number(const char *device, const char *name, int base, unsigned *value)
{
	char text[32], *end;

	if (!attribute(device, name, text, sizeof(text)))
		return false;
	*value = (unsigned)strtoul(text, &end, base);
	return end != text;
}

static const char *reason(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "Access denied (insufficient permissions)";
	case EBUSY:
		return "Resource busy";
	case ENODEV:
	case ENOENT:
		return "No such device (it may have been disconnected)";
	default:
		return strerror(error);
	}
}

/* usbfs gives the device descriptor and all configurations, each with its own. */
static bool find_interface(int fd, unsigned configuration, uint8_t *interface)
{
	uint8_t bytes[DESCRIPTORS_MAX];
	ssize_t size = pread(fd, bytes, sizeof(bytes), 0);
	unsigned current = 0;

	for (ssize_t at = 0; at + 2 <= size && bytes[at] >= 2 && at + bytes[at] <= size; at += bytes[at]) {
		const uint8_t *d = bytes + at;

		if (d[0] >= 9 && d[1] == 2) /* USB 2.0 table 9-5: a configuration; 9-10: its bConfigurationValue */
			current = d[5];
		if (d[0] >= 9 && d[1] == 4 && current == configuration && d[5] == DFU_CLASS && d[6] == DFU_SUBCLASS) {
			*interface = d[2];
			return true;
		}
	}
	return false;
}

static int open_node(const struct device *device)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/bus/usb/%03u/%03u", device->bus, device->address);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* All that answer to the description; the first is kept open. Their number, with what is wrong if it is not 1. */
static unsigned look(struct host_usb *h, uint16_t vendor, uint16_t product, const char *serial, char why[HOST_USB_WHY])
{
	DIR *folder = opendir(DEVICES);
	struct dirent *entry;
	unsigned found = 0;
	char others[256] = "";

	while (folder && (entry = readdir(folder))) {
		struct device device;
		unsigned id, other;
		char text[128];
		int fd;

		if (entry->d_name[0] == '.' || strchr(entry->d_name, ':') ||
		    snprintf(device.name, sizeof(device.name), "%s", entry->d_name) >= (int)sizeof(device.name) ||
		    !number(device.name, "idVendor", 16, &id) || !number(device.name, "idProduct", 16, &other) ||
		    id != vendor || other != product || !number(device.name, "busnum", 10, &device.bus) ||
		    !number(device.name, "devnum", 10, &device.address))
			continue;
		fd = open_node(&device);
		if (fd < 0) {
			snprintf(why, HOST_USB_WHY, "device %04x:%04x cannot be opened: %s", vendor, product,
				 reason(errno));
			continue;
		}
		if (!attribute(device.name, "serial", text, sizeof(text)))
			*text = 0;
		snprintf(others + strlen(others), sizeof(others) - strlen(others), "%s%s", *others ? ", " : "", text);
		if ((serial && strcasecmp(serial, text)) || found++) {
			close(fd);
			continue;
		}
		h->fd = fd;
		h->device = device;
		h->known = true;
	}
	if (folder)
		closedir(folder);
	if (found > 1)
		snprintf(why, HOST_USB_WHY, "there are %u devices %04x:%04x (serial numbers %s): say which", found,
			 vendor, product, others);
	else if (!found && *others)
		snprintf(why, HOST_USB_WHY, "no device %04x:%04x has serial number %s (there is %s)", vendor, product,
			 serial, others);
	else if (!found && !*why)
		snprintf(why, HOST_USB_WHY, "there is no device %04x:%04x", vendor, product);
	return found;
}

static bool claim(struct host_usb *h)
{
	unsigned interface = h->interface;

	return !ioctl(h->fd, USBDEVFS_CLAIMINTERFACE, &interface);
}

static bool drop(struct host_usb *h)
{
	h->gone = true; /* nothing to release */
	host_usb_close(h);
	return false;
}

static bool take(struct host_usb *h, const char *name, char why[HOST_USB_WHY])
{
	unsigned configuration;

	if (!number(h->device.name, "bConfigurationValue", 10, &configuration) ||
	    !find_interface(h->fd, configuration, &h->interface))
		snprintf(why, HOST_USB_WHY, "device %s has no DFU interface", name);
	else if (claim(h))
		return true;
	else
		snprintf(why, HOST_USB_WHY, "interface %u of %s cannot be claimed: %s", h->interface, name,
			 reason(errno));
	return drop(h);
}

/* A driver that has it makes way until close. */
static bool claim_from_driver(struct host_usb *h, unsigned interface)
{
	struct usbdevfs_ioctl leave = { .ifno = (int)interface, .ioctl_code = USBDEVFS_DISCONNECT };

	h->port_was_bound |= ioctl(h->fd, USBDEVFS_IOCTL, &leave) >= 0;
	return !ioctl(h->fd, USBDEVFS_CLAIMINTERFACE, &interface);
}

/* What usbfs reads is the device descriptor, and then all configurations. */
static bool find_serial(struct host_usb *h)
{
	uint8_t bytes[DESCRIPTORS_MAX];
	ssize_t size = pread(h->fd, bytes, sizeof(bytes), 0);
	unsigned configuration;

	if (!number(h->device.name, "bConfigurationValue", 10, &configuration))
		return false;
	for (ssize_t at = 18, length; at + 9 <= size; at += length) {
		length = bytes[at + 2] | bytes[at + 3] << 8;
		if (length < 9 || length > size - at)
			return false;
		if (bytes[at + 5] == configuration)
			return host_serial_find(bytes + at, (size_t)length, &h->port);
	}
	return false;
}

static bool take_serial(struct host_usb *h, const char *name, char why[HOST_USB_WHY])
{
	enum host_end end;

	if (!find_serial(h)) {
		snprintf(why, HOST_USB_WHY, "device %s has no serial port (CDC-ACM)", name);
		return drop(h);
	}
	h->interface = h->port.control_interface;
	if (!claim_from_driver(h, h->interface) ||
	    (h->port.data_interface != h->interface && !claim_from_driver(h, h->port.data_interface))) {
		snprintf(why, HOST_USB_WHY, "the serial port of %s cannot be claimed: %s", name, reason(errno));
		return drop(h);
	}
	h->serial = true;
	end = host_serial_begin(h, &h->port);
	if (end == HOST_OK)
		return true;
	snprintf(why, HOST_USB_WHY, "the serial port of %s cannot be set up: %s", name, host_end_name(end));
	host_usb_close(h);
	return false;
}

static bool open_with(struct host_usb *h, uint16_t vendor, uint16_t product, const char *serial, uint64_t within_us,
		      char why[HOST_USB_WHY],
		      bool (*take_it)(struct host_usb *, const char *name, char why[HOST_USB_WHY]))
{
	uint64_t until = host_wait_now_us() + within_us;
	unsigned found;
	char name[16];

	host_usb_close(h);
	for (;;) {
		*why = 0;
		found = look(h, vendor, product, serial, why);
		if (found)
			break;
		if (host_wait_now_us() >= until || !host_usb_sleep(h, LOOK_AGAIN_US))
			return false;
	}
	snprintf(name, sizeof(name), "%04x:%04x", vendor, product);
	return found == 1 ? take_it(h, name, why) : drop(h);
}

bool host_usb_open(struct host_usb *h, uint16_t vendor, uint16_t product, const char *serial, uint64_t within_us,
		   char why[HOST_USB_WHY])
{
	return open_with(h, vendor, product, serial, within_us, why, take);
}

bool host_usb_open_serial(struct host_usb *h, uint16_t vendor, uint16_t product, const char *serial, uint64_t within_us,
			  char why[HOST_USB_WHY])
{
	return open_with(h, vendor, product, serial, within_us, why, take_serial);
}

bool host_usb_open_at(struct host_usb *h, unsigned bus, unsigned address, char why[HOST_USB_WHY])
{
	DIR *folder = opendir(DEVICES);
	struct dirent *entry;
	struct device device;
	char name[32];
	int error = ENODEV;

	host_usb_close(h);
	while (folder && h->fd < 0 && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.' || strchr(entry->d_name, ':') ||
		    snprintf(device.name, sizeof(device.name), "%s", entry->d_name) >= (int)sizeof(device.name) ||
		    !number(device.name, "busnum", 10, &device.bus) ||
		    !number(device.name, "devnum", 10, &device.address) || device.bus != bus ||
		    device.address != address)
			continue;
		h->fd = open_node(&device);
		error = errno;
		h->device = device;
		break;
	}
	if (folder)
		closedir(folder);
	snprintf(name, sizeof(name), "%03u/%03u", bus, address);
	h->known = h->fd >= 0;
	if (h->known)
		return take(h, name, why);
	snprintf(why, HOST_USB_WHY, "device %s cannot be opened: %s", name, reason(error));
	return drop(h);
}

/* Requests */

static enum host_end ended(struct host_usb *h, int error)
{
	switch (error) {
	case 0:
		return HOST_OK;
	case EPIPE:
		return HOST_STALL;
	case ETIMEDOUT:
		return HOST_LATE;
	case ENODEV:
	case ESHUTDOWN:
		h->gone = true;
		return HOST_GONE;
	default:
		return HOST_BROKEN;
	}
}

struct host_request {
	struct usbdevfs_urb urb;
	uint64_t until_us; /* 0: no limit */
	int error;         /* that it could not be begun with, or that nothing more comes back with */
	bool back, given_up, late;
	uint8_t buffer[]; /* setup packet and data */
};

/* timeout_us: 0 for none, as with libusb. */
static void submit(struct host_usb *h, struct host_request *r, uint64_t timeout_us)
{
	r->until_us = timeout_us ? host_wait_now_us() + timeout_us : 0;
	if (h->gone)
		r->error = ENODEV;
	else if (ioctl(h->fd, USBDEVFS_SUBMITURB, &r->urb))
		r->error = errno;
}

struct host_request *host_usb_begin(struct host_usb *h, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
				    const uint8_t *data, uint16_t length, uint64_t timeout_us)
{
	struct host_request *r = calloc(1, sizeof(*r) + SETUP_SIZE + length);

	if (!r)
		return NULL;
	r->urb = (struct usbdevfs_urb){ .type = USBDEVFS_URB_TYPE_CONTROL,
					.buffer = r->buffer,
					.buffer_length = SETUP_SIZE + length,
					.usercontext = r };
	memcpy(r->buffer,
	       (const uint8_t[SETUP_SIZE]){ type, request, value & 0xff, value >> 8, index & 0xff, index >> 8,
					    length & 0xff, length >> 8 },
	       SETUP_SIZE);
	if (!(type & 0x80) && length)
		memcpy(r->buffer + SETUP_SIZE, data, length);
	submit(h, r, timeout_us);
	return r;
}

void host_usb_give_up(struct host_usb *h, struct host_request *r)
{
	if (!r || r->error || r->back || r->given_up)
		return;
	r->given_up = true;
	ioctl(h->fd, USBDEVFS_DISCARDURB, &r->urb); /* it may be back already */
}

/* Until it is back, which it is soon after it has been given up; others may be so before. */
static void reap(struct host_usb *h, struct host_request *r)
{
	struct usbdevfs_urb *back;

	while (!r->back && !r->error) {
		struct pollfd fd = { .fd = h->fd, .events = POLLOUT };
		uint64_t now;

		if (!ioctl(h->fd, USBDEVFS_REAPURBNDELAY, &back)) {
			((struct host_request *)back->usercontext)->back = true;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR) {
			r->error = errno;
			return;
		}
		now = host_wait_now_us();
		if (!r->given_up && (host_wait_signal() || (r->until_us && now >= r->until_us))) {
			r->late = !host_wait_signal();
			host_usb_give_up(h, r);
		}
		host_wait_poll(&h->wait, &fd, 1,
			       r->until_us && !r->given_up ? r->until_us - now : UINT64_C(3600000000));
	}
}

static int outcome(const struct host_request *r)
{
	int error = r->error ? r->error : -r->urb.status;

	return r->late && error == ENOENT ? ETIMEDOUT : error;
}

enum host_end host_usb_end(struct host_usb *h, struct host_request *r, uint8_t *data, size_t *actual)
{
	int error;

	*actual = 0;
	if (!r)
		return HOST_BROKEN;
	reap(h, r);
	error = outcome(r);
	if (!error)
		*actual = (size_t)r->urb.actual_length;
	if ((r->buffer[0] & 0x80) && *actual)
		memcpy(data, r->buffer + SETUP_SIZE, *actual);
	free(r);
	return ended(h, error);
}

enum host_end host_usb_control(struct host_usb *h, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
			       uint8_t *data, uint16_t length, uint64_t timeout_us, size_t *actual)
{
	return host_usb_end(h, host_usb_begin(h, type, request, value, index, data, length, timeout_us), data, actual);
}

/* in: where what comes in goes; else out has it. */
static enum host_end bulk(struct host_usb *h, uint8_t endpoint, const uint8_t *out, uint8_t *in, size_t length,
			  uint64_t timeout_us, size_t *actual)
{
	struct host_request *r = calloc(1, sizeof(*r) + length);
	int error;

	*actual = 0;
	if (!r)
		return HOST_BROKEN;
	r->urb = (struct usbdevfs_urb){ .type = USBDEVFS_URB_TYPE_BULK,
					.endpoint = endpoint,
					.buffer = r->buffer,
					.buffer_length = (int)length,
					.usercontext = r };
	if (out)
		memcpy(r->buffer, out, length);
	submit(h, r, timeout_us);
	reap(h, r);
	error = outcome(r);
	if (!r->error)
		*actual = (size_t)r->urb.actual_length;
	if (in && *actual)
		memcpy(in, r->buffer, *actual);
	free(r);
	return ended(h, error);
}

enum host_end host_usb_write(struct host_usb *h, const uint8_t *data, size_t length, uint64_t timeout_us,
			     size_t *actual)
{
	return bulk(h, h->port.out, data, NULL, length, timeout_us, actual);
}

enum host_end host_usb_read(struct host_usb *h, uint8_t *data, size_t length, uint64_t timeout_us, size_t *actual)
{
	return bulk(h, h->port.in, NULL, data, length, timeout_us, actual);
}

enum host_end host_usb_set_interface(struct host_usb *h, uint8_t alternate)
{
	struct usbdevfs_setinterface choice = { .interface = h->interface, .altsetting = alternate };

	if (h->gone)
		return ended(h, ENODEV);
	if (!ioctl(h->fd, USBDEVFS_SETINTERFACE, &choice))
		return HOST_OK;
	return errno == ENODEV ? ended(h, ENODEV) : HOST_BROKEN;
}

/* With an interface claimed the kernel refuses it. */
enum host_end host_usb_set_configuration(struct host_usb *h, uint8_t value)
{
	unsigned interface = h->interface, configuration = value;
	int error = h->gone ? ENODEV : 0;

	if (error)
		return ended(h, error);
	if (ioctl(h->fd, USBDEVFS_RELEASEINTERFACE, &interface) ||
	    ioctl(h->fd, USBDEVFS_SETCONFIGURATION, &configuration))
		error = errno;
	if (error != ENODEV)
		claim(h);
	return error ? ended(h, error) : HOST_OK;
}

/* Interfaces that are claimed would keep the kernel from taking the device's other drivers through the reset. */
enum host_end host_usb_reset(struct host_usb *h)
{
	unsigned interface = h->interface;

	if (h->gone)
		return ended(h, ENODEV);
	ioctl(h->fd, USBDEVFS_RELEASEINTERFACE, &interface);
	if (ioctl(h->fd, USBDEVFS_RESET, NULL) || !claim(h))
		return ended(h, errno);
	return HOST_OK;
}

bool host_usb_wait_gone(struct host_usb *h, uint64_t within_us)
{
	uint64_t until = host_wait_now_us() + within_us;
	unsigned address;

	while (h->known && number(h->device.name, "devnum", 10, &address) && address == h->device.address)
		if (host_wait_now_us() >= until || !host_usb_sleep(h, LOOK_AGAIN_US))
			return false;
	h->gone = true;
	return true;
}

static bool is_there(uint16_t vendor, uint16_t product)
{
	DIR *folder = opendir(DEVICES);
	struct dirent *entry;
	bool there = false;

	while (folder && !there && (entry = readdir(folder))) {
		unsigned id, other;

		there = entry->d_name[0] != '.' && !strchr(entry->d_name, ':') &&
			number(entry->d_name, "idVendor", 16, &id) && number(entry->d_name, "idProduct", 16, &other) &&
			id == vendor && other == product;
	}
	if (folder)
		closedir(folder);
	return there;
}

bool host_usb_wait_there(struct host_usb *h, uint16_t vendor, uint16_t product, uint64_t within_us)
{
	uint64_t until = host_wait_now_us() + within_us;

	while (!is_there(vendor, product))
		if (host_wait_now_us() >= until || !host_usb_sleep(h, LOOK_AGAIN_US))
			return false;
	return true;
}
