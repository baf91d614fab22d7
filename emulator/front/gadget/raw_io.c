// SPDX-License-Identifier: GPL-2.0-or-later
/* The ioctls of /dev/raw-gadget. */
#include "raw_io.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/usb/raw_gadget.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define DEVICE_FILE "/dev/raw-gadget"

_Static_assert(sizeof(struct usb_raw_ep_io) == RAW_HEAD, "the data follows the head");

static int result(int r)
{
	return r < 0 ? -errno : r;
}

int raw_open(char why[FRONT_WHY])
{
	int fd = open(DEVICE_FILE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		snprintf(why, FRONT_WHY, "cannot open " DEVICE_FILE ": %s: must be root", strerror(errno));
	else if (errno == ENOENT)
		snprintf(why, FRONT_WHY,
			 "there is no " DEVICE_FILE ": the module raw_gadget is not loaded (modprobe raw_gadget; "
			 "many distributions, Debian among them, do not build it)");
	else
		snprintf(why, FRONT_WHY, "cannot open " DEVICE_FILE ": %s", strerror(errno));
	return -1;
}

int raw_run(int fd, const char *driver, const char *udc, enum usb_speed speed)
{
	struct usb_raw_init init;

	memset(&init, 0, sizeof(init));
	snprintf((char *)init.driver_name, sizeof(init.driver_name), "%s", driver);
	snprintf((char *)init.device_name, sizeof(init.device_name), "%s", udc);
	init.speed = (uint8_t)(speed == USB_SPEED_IS_LOW    ? USB_SPEED_LOW
			       : speed == USB_SPEED_IS_FULL ? USB_SPEED_FULL
							    : USB_SPEED_HIGH);
	if (ioctl(fd, USB_RAW_IOCTL_INIT, &init) < 0)
		return -errno;
	return result(ioctl(fd, USB_RAW_IOCTL_RUN, 0));
}

int raw_fetch(int fd, uint8_t setup[8])
{
	struct {
		struct usb_raw_event head;
		uint8_t setup[8];
	} event = { .head = { .length = sizeof(event.setup) } };

	if (ioctl(fd, USB_RAW_IOCTL_EVENT_FETCH, &event) < 0)
		return -errno;
	memcpy(setup, event.setup, sizeof(event.setup));
	return (int)event.head.type;
}

int raw_stall(int fd)
{
	return result(ioctl(fd, USB_RAW_IOCTL_EP0_STALL, 0));
}

int raw_configure(int fd, uint8_t max_power)
{
	int r = result(ioctl(fd, USB_RAW_IOCTL_VBUS_DRAW, (unsigned long)max_power));

	return r < 0 ? r : result(ioctl(fd, USB_RAW_IOCTL_CONFIGURE, 0));
}

static long move(int fd, unsigned long request, uint16_t handle, uint8_t *buffer, size_t length, bool zero_ends)
{
	struct usb_raw_ep_io head = {
		.ep = handle,
		.flags = zero_ends ? USB_RAW_IO_FLAGS_ZERO : 0,
		.length = (uint32_t)length,
	};

	memcpy(buffer, &head, sizeof(head));
	return result(ioctl(fd, request, buffer));
}

long raw_control_read(int fd, uint8_t *buffer, size_t length)
{
	return move(fd, USB_RAW_IOCTL_EP0_READ, 0, buffer, length, false);
}

long raw_control_write(int fd, uint8_t *buffer, size_t length, bool zero_ends)
{
	return move(fd, USB_RAW_IOCTL_EP0_WRITE, 0, buffer, length, zero_ends);
}

long raw_read(int fd, uint16_t handle, uint8_t *buffer, size_t length)
{
	return move(fd, USB_RAW_IOCTL_EP_READ, handle, buffer, length, false);
}

long raw_write(int fd, uint16_t handle, uint8_t *buffer, size_t length)
{
	return move(fd, USB_RAW_IOCTL_EP_WRITE, handle, buffer, length, true);
}

int raw_enable(int fd, const uint8_t *bytes)
{
	struct usb_endpoint_descriptor descriptor;

	memset(&descriptor, 0, sizeof(descriptor));
	memcpy(&descriptor, bytes, 7);
	return result(ioctl(fd, USB_RAW_IOCTL_EP_ENABLE, &descriptor));
}

int raw_disable(int fd, uint16_t handle)
{
	return result(ioctl(fd, USB_RAW_IOCTL_EP_DISABLE, (unsigned long)handle));
}
