// SPDX-License-Identifier: GPL-2.0-or-later
/* A mass erase with the synchronous ioctl of usbfs and nothing else: mass_erase_ioctl TIMEOUT_MS [PAUSE_MS [NODE]] */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "mass_erase.h"

struct board {
	int fd;
	unsigned timeout_ms;
};

static int control(void *device, uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length)
{
	const struct board *b = device;
	struct usbdevfs_ctrltransfer c = { .bRequestType = type,
					   .bRequest = request,
					   .wValue = value,
					   .wLength = length,
					   .timeout = b->timeout_ms,
					   .data = data };
	int r = ioctl(b->fd, USBDEVFS_CONTROL, &c);

	return r < 0 ? -errno : r;
}

int main(int argc, char **argv)
{
	struct board b = { .timeout_ms = argc > 1 ? (unsigned)atoi(argv[1]) : 0 };
	struct dfuse d = { control, &b };
	unsigned interface = 0;

	if (argc < 2)
		die("usage", argc);
	b.fd = open(argc > 3 ? argv[3] : "/dev/bus/usb/001/002", O_RDWR | O_CLOEXEC);
	if (b.fd < 0 || ioctl(b.fd, USBDEVFS_CLAIMINTERFACE, &interface))
		die("no board", errno);
	mass_erase(&d, -ETIMEDOUT, argc > 2 ? (unsigned)atoi(argv[2]) : 0);
	close(b.fd);
	return 0;
}
