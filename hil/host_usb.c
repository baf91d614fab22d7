// SPDX-License-Identifier: GPL-2.0-or-later
/* libusb for a scripted host. Transfers are asynchronous ones, so that a signal can take them back. */
#include <errno.h>
#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "host_serial.h"
#include "host_usb.h"
#include "host_wait.h"

#define LOOK_AGAIN_US 20000u
#define DFU_CLASS 0xfe
#define DFU_SUBCLASS 1

struct host_usb {
	libusb_context *context;
	libusb_device_handle *handle;
	libusb_device *device; /* referenced; that of the handle, or one that is gone */
	uint8_t interface;
	bool serial; /* a serial port, with these: */
	struct host_serial_port port;
	bool gone;
	int completed; /* the transfer that is under way */
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
	int rc = h ? libusb_init(&h->context) : LIBUSB_ERROR_NO_MEM;

	if (rc) {
		snprintf(why, HOST_USB_WHY, "libusb does not start: %s", libusb_strerror((enum libusb_error)rc));
		free(h);
		return NULL;
	}
	host_wait_begin(&h->wait);
	return h;
}

void host_usb_free(struct host_usb *h)
{
	if (!h)
		return;
	host_usb_close(h);
	libusb_exit(h->context);
	host_wait_end(&h->wait);
	free(h);
}

void host_usb_close(struct host_usb *h)
{
	if (h->handle) {
		if (!h->gone && h->serial)
			host_serial_end(h, &h->port);
		if (!h->gone)
			libusb_release_interface(h->handle, h->interface);
		if (!h->gone && h->serial)
			libusb_release_interface(h->handle, h->port.data_interface);
		libusb_close(h->handle);
		h->handle = NULL;
	}
	if (h->device) {
		libusb_unref_device(h->device);
		h->device = NULL;
	}
	h->gone = h->serial = false;
}

bool host_usb_is_serial(const struct host_usb *h)
{
	return h->serial;
}

bool host_usb_is_open(const struct host_usb *h)
{
	return h->handle != NULL;
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

static bool find_interface(libusb_device *device, uint8_t *number)
{
	struct libusb_config_descriptor *configuration;
	bool found = false;

	if (libusb_get_active_config_descriptor(device, &configuration))
		return false;
	for (unsigned i = 0; i < configuration->bNumInterfaces && !found; i++) {
		const struct libusb_interface *interface = &configuration->interface[i];

		for (int a = 0; a < interface->num_altsetting && !found; a++) {
			found = interface->altsetting[a].bInterfaceClass == DFU_CLASS &&
				interface->altsetting[a].bInterfaceSubClass == DFU_SUBCLASS;
			*number = interface->altsetting[a].bInterfaceNumber;
		}
	}
	libusb_free_config_descriptor(configuration);
	return found;
}

/* All that answer to the description; the first is kept open. Their number, with what is wrong if it is not 1. */
static unsigned look(struct host_usb *h, uint16_t vendor, uint16_t product, const char *serial, char why[HOST_USB_WHY])
{
	libusb_device **list;
	ssize_t count = libusb_get_device_list(h->context, &list);
	unsigned found = 0;
	char others[256] = "";

	for (ssize_t i = 0; i < count; i++) {
		struct libusb_device_descriptor d;
		libusb_device_handle *handle;
		unsigned char text[128] = "";
		int rc;

		if (libusb_get_device_descriptor(list[i], &d) || d.idVendor != vendor || d.idProduct != product)
			continue;
		rc = libusb_open(list[i], &handle);
		if (rc) {
			snprintf(why, HOST_USB_WHY, "device %04x:%04x cannot be opened: %s", vendor, product,
				 libusb_strerror((enum libusb_error)rc));
			continue;
		}
		if (d.iSerialNumber)
			libusb_get_string_descriptor_ascii(handle, d.iSerialNumber, text, sizeof(text));
		snprintf(others + strlen(others), sizeof(others) - strlen(others), "%s%s", *others ? ", " : "", text);
		if ((serial && strcasecmp(serial, (const char *)text)) || found++) {
			libusb_close(handle);
			continue;
		}
		h->handle = handle;
		h->device = libusb_ref_device(list[i]);
	}
	if (count >= 0)
		libusb_free_device_list(list, 1);
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

static bool drop(struct host_usb *h)
{
	h->gone = true; /* nothing to release */
	host_usb_close(h);
	return false;
}

/* The configuration as the device gives it: parsed by libusb, a union descriptor would be among what it leaves unparsed. */
static bool find_serial(libusb_device_handle *handle, struct host_serial_port *port)
{
	uint8_t bytes[HOST_SERIAL_DESCRIPTORS];
	struct libusb_config_descriptor *active;
	int size = LIBUSB_ERROR_NOT_FOUND;
	uint8_t value;

	if (libusb_get_active_config_descriptor(libusb_get_device(handle), &active))
		return false;
	value = active->bConfigurationValue;
	libusb_free_config_descriptor(active);
	for (uint8_t i = 0; i < 8 && size < 0; i++) {
		int n = libusb_get_descriptor(handle, LIBUSB_DT_CONFIG, i, bytes, sizeof(bytes));

		if (n < 9)
			return false;
		size = bytes[5] == value ? n : size;
	}
	return size > 0 && host_serial_find(bytes, (size_t)size, port);
}

static bool claim_serial(struct host_usb *h, const char *name, char why[HOST_USB_WHY])
{
	enum host_end end;
	int rc;

	if (!find_serial(h->handle, &h->port)) {
		snprintf(why, HOST_USB_WHY, "device %s has no serial port (CDC-ACM)", name);
		return drop(h);
	}
	h->interface = h->port.control_interface;
	libusb_set_auto_detach_kernel_driver(h->handle, 1);
	rc = libusb_claim_interface(h->handle, h->interface);
	if (!rc && h->port.data_interface != h->interface)
		rc = libusb_claim_interface(h->handle, h->port.data_interface);
	if (rc) {
		snprintf(why, HOST_USB_WHY, "the serial port of %s cannot be claimed: %s", name,
			 libusb_strerror((enum libusb_error)rc));
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

static bool claim(struct host_usb *h, const char *name, char why[HOST_USB_WHY])
{
	int rc;

	if (!find_interface(h->device, &h->interface)) {
		snprintf(why, HOST_USB_WHY, "device %s has no DFU interface", name);
		return drop(h);
	}
	rc = libusb_claim_interface(h->handle, h->interface);
	if (!rc)
		return true;
	snprintf(why, HOST_USB_WHY, "interface %u of %s cannot be claimed: %s", h->interface, name,
		 libusb_strerror((enum libusb_error)rc));
	return drop(h);
}

static bool open_with(struct host_usb *h, uint16_t vendor, uint16_t product, const char *serial, uint64_t within_us,
		      char why[HOST_USB_WHY], bool (*take)(struct host_usb *, const char *name, char why[HOST_USB_WHY]))
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
	return found == 1 ? take(h, name, why) : drop(h);
}

bool host_usb_open(struct host_usb *h, uint16_t vendor, uint16_t product, const char *serial, uint64_t within_us,
		   char why[HOST_USB_WHY])
{
	return open_with(h, vendor, product, serial, within_us, why, claim);
}

bool host_usb_open_serial(struct host_usb *h, uint16_t vendor, uint16_t product, const char *serial, uint64_t within_us,
			  char why[HOST_USB_WHY])
{
	return open_with(h, vendor, product, serial, within_us, why, claim_serial);
}

bool host_usb_open_at(struct host_usb *h, unsigned bus, unsigned address, char why[HOST_USB_WHY])
{
	libusb_device **list;
	ssize_t count;
	char name[32];
	int rc = LIBUSB_ERROR_NO_DEVICE;

	host_usb_close(h);
	count = libusb_get_device_list(h->context, &list);
	for (ssize_t i = 0; i < count; i++) {
		if (libusb_get_bus_number(list[i]) != bus || libusb_get_device_address(list[i]) != address)
			continue;
		rc = libusb_open(list[i], &h->handle);
		if (!rc)
			h->device = libusb_ref_device(list[i]);
		else
			h->handle = NULL;
		break;
	}
	if (count >= 0)
		libusb_free_device_list(list, 1);
	snprintf(name, sizeof(name), "%03u/%03u", bus, address);
	if (!rc)
		return claim(h, name, why);
	snprintf(why, HOST_USB_WHY, "device %s cannot be opened: %s", name, libusb_strerror((enum libusb_error)rc));
	return drop(h);
}

/* Requests */

static enum host_end ended(struct host_usb *h, int rc)
{
	switch (rc) {
	case LIBUSB_SUCCESS:
		return HOST_OK;
	case LIBUSB_ERROR_PIPE:
		return HOST_STALL;
	case LIBUSB_ERROR_TIMEOUT:
		return HOST_LATE;
	case LIBUSB_ERROR_NO_DEVICE:
	case LIBUSB_ERROR_NOT_FOUND:
		h->gone = true;
		return HOST_GONE;
	default:
		return HOST_BROKEN;
	}
}

static int error_of(enum libusb_transfer_status status)
{
	switch (status) {
	case LIBUSB_TRANSFER_COMPLETED:
		return LIBUSB_SUCCESS;
	case LIBUSB_TRANSFER_STALL:
		return LIBUSB_ERROR_PIPE;
	case LIBUSB_TRANSFER_TIMED_OUT:
		return LIBUSB_ERROR_TIMEOUT;
	case LIBUSB_TRANSFER_NO_DEVICE:
		return LIBUSB_ERROR_NO_DEVICE;
	default:
		return LIBUSB_ERROR_IO;
	}
}

static void done(struct libusb_transfer *transfer)
{
	*(int *)transfer->user_data = 1;
}

/* Until something happens to libusb, or a signal comes. */
static void wait_for_events(struct host_usb *h)
{
	const struct libusb_pollfd **fds = libusb_get_pollfds(h->context);
	struct pollfd list[32];
	struct timeval left;
	uint64_t limit_us = 1000000;
	nfds_t count = 0;

	for (; fds && fds[count] && count < sizeof(list) / sizeof(list[0]); count++)
		list[count] = (struct pollfd){ .fd = fds[count]->fd, .events = fds[count]->events };
	libusb_free_pollfds(fds);
	/* 0: libusb has a descriptor for its timeouts as well */
	if (libusb_get_next_timeout(h->context, &left) == 1)
		limit_us = (uint64_t)left.tv_sec * 1000000 + (uint64_t)left.tv_usec;
	else if (count)
		limit_us = UINT64_C(3600000000);
	host_wait_poll(&h->wait, list, count, limit_us);
}

/* The transfer is filled in, but for how it ends. An error of libusb. */
static int carry_out(struct host_usb *h, struct libusb_transfer *transfer, size_t *actual)
{
	bool cancelled = false;
	int rc;

	transfer->callback = done;
	transfer->user_data = &h->completed;
	h->completed = 0;
	rc = h->gone ? LIBUSB_ERROR_NO_DEVICE : libusb_submit_transfer(transfer);
	if (rc)
		return rc;
	while (!h->completed) {
		wait_for_events(h);
		if (host_wait_signal() && !cancelled)
			cancelled = !libusb_cancel_transfer(transfer);
		libusb_handle_events_timeout_completed(h->context, &(struct timeval){ 0, 0 }, &h->completed);
	}
	*actual = (size_t)transfer->actual_length;
	return error_of(transfer->status);
}

enum host_end host_usb_control(struct host_usb *h, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
			       uint8_t *data, uint16_t length, uint64_t timeout_us, size_t *actual)
{
	struct libusb_transfer *transfer = libusb_alloc_transfer(0);
	unsigned char *buffer = malloc(LIBUSB_CONTROL_SETUP_SIZE + (size_t)length);
	bool in = type & LIBUSB_ENDPOINT_IN;
	int rc = LIBUSB_ERROR_NO_MEM;

	*actual = 0;
	if (transfer && buffer) {
		libusb_fill_control_setup(buffer, type, request, value, index, length);
		if (!in && length)
			memcpy(buffer + LIBUSB_CONTROL_SETUP_SIZE, data, length);
		libusb_fill_control_transfer(transfer, h->handle, buffer, NULL, NULL,
					     (unsigned)((timeout_us + 999) / 1000));
		rc = carry_out(h, transfer, actual);
		if (in && *actual)
			memcpy(data, libusb_control_transfer_get_data(transfer), *actual);
	}
	libusb_free_transfer(transfer);
	free(buffer);
	return ended(h, rc);
}

static enum host_end bulk(struct host_usb *h, uint8_t endpoint, uint8_t *data, size_t length, uint64_t timeout_us,
			  size_t *actual)
{
	struct libusb_transfer *transfer = libusb_alloc_transfer(0);
	int rc = LIBUSB_ERROR_NO_MEM;

	*actual = 0;
	if (transfer) {
		libusb_fill_bulk_transfer(transfer, h->handle, endpoint, data, (int)length, NULL, NULL,
					  (unsigned)((timeout_us + 999) / 1000));
		rc = carry_out(h, transfer, actual);
	}
	libusb_free_transfer(transfer);
	return ended(h, rc);
}

enum host_end host_usb_write(struct host_usb *h, const uint8_t *data, size_t length, uint64_t timeout_us,
			     size_t *actual)
{
	return bulk(h, h->port.out, (uint8_t *)data, length, timeout_us, actual);
}

enum host_end host_usb_read(struct host_usb *h, uint8_t *data, size_t length, uint64_t timeout_us, size_t *actual)
{
	return bulk(h, h->port.in, data, length, timeout_us, actual);
}

enum host_end host_usb_set_interface(struct host_usb *h, uint8_t alternate)
{
	int rc = h->gone ? LIBUSB_ERROR_NO_DEVICE
			 : libusb_set_interface_alt_setting(h->handle, h->interface, alternate);

	/* The kernel does not send one that the descriptors do not have. */
	return rc == LIBUSB_ERROR_NOT_FOUND ? HOST_BROKEN : ended(h, rc);
}

/* The kernel does not change it while an interface is in use. */
enum host_end host_usb_set_configuration(struct host_usb *h, uint8_t value)
{
	int rc = h->gone ? LIBUSB_ERROR_NO_DEVICE : libusb_release_interface(h->handle, h->interface);

	if (!rc)
		rc = libusb_set_configuration(h->handle, value);
	if (!h->gone && rc != LIBUSB_ERROR_NO_DEVICE)
		libusb_claim_interface(h->handle, h->interface);
	return ended(h, rc);
}

enum host_end host_usb_reset(struct host_usb *h)
{
	return ended(h, h->gone ? LIBUSB_ERROR_NO_DEVICE : libusb_reset_device(h->handle));
}

bool host_usb_wait_gone(struct host_usb *h, uint64_t within_us)
{
	uint64_t until = host_wait_now_us() + within_us;

	while (h->device) {
		libusb_device **list;
		ssize_t count = libusb_get_device_list(h->context, &list);
		bool there = false;

		for (ssize_t i = 0; i < count; i++)
			there |= list[i] == h->device;
		if (count >= 0)
			libusb_free_device_list(list, 1);
		if (!there && count >= 0)
			break;
		if (host_wait_now_us() >= until || !host_usb_sleep(h, LOOK_AGAIN_US))
			return false;
	}
	h->gone = true;
	return true;
}

bool host_usb_wait_there(struct host_usb *h, uint16_t vendor, uint16_t product, uint64_t within_us)
{
	uint64_t until = host_wait_now_us() + within_us;

	for (;;) {
		libusb_device **list;
		ssize_t count = libusb_get_device_list(h->context, &list);
		struct libusb_device_descriptor d;
		bool there = false;

		for (ssize_t i = 0; i < count; i++)
			there |= !libusb_get_device_descriptor(list[i], &d) && d.idVendor == vendor &&
				 d.idProduct == product;
		if (count >= 0)
			libusb_free_device_list(list, 1);
		if (there)
			return true;
		if (host_wait_now_us() >= until || !host_usb_sleep(h, LOOK_AGAIN_US))
			return false;
	}
}
