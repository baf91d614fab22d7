// SPDX-License-Identifier: GPL-2.0-or-later
/* A client without any USB library: sysfs, a device node, and ioctls. flash_raw list | flash FILE | read FILE LENGTH */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "dfuse_raw.h"

#define DEVICES "/sys/bus/usb/devices"

static int attribute(const char *device, const char *name, char *text, size_t size)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
	f = fopen(path, "r");
	if (!f)
		return -1;
	if (!fgets(text, (int)size, f))
		*text = 0;
	fclose(f);
	text[strcspn(text, "\n")] = 0;
	return 0;
}

/* Prints if not finding; else the path of the first board's node. */
static int walk(char *node, size_t size)
{
	DIR *dir = opendir(DEVICES);
	struct dirent *entry;

	if (!dir)
		die(DEVICES, errno);
	while ((entry = readdir(dir))) {
		char vendor[16], product[16], serial[64], bus[8], number[8];

		if (strchr(entry->d_name, ':') || attribute(entry->d_name, "idVendor", vendor, sizeof(vendor)) ||
		    attribute(entry->d_name, "idProduct", product, sizeof(product)) ||
		    attribute(entry->d_name, "busnum", bus, sizeof(bus)) ||
		    attribute(entry->d_name, "devnum", number, sizeof(number)))
			continue;
		if (attribute(entry->d_name, "serial", serial, sizeof(serial)))
			*serial = 0;
		if (!node) {
			printf("%s:%s %s\n", vendor, product, serial);
		} else if (!strcmp(vendor, "0483") && !strcmp(product, "df11")) {
			snprintf(node, size, "/dev/bus/usb/%03d/%03d", atoi(bus), atoi(number));
			closedir(dir);
			return 0;
		}
	}
	closedir(dir);
	return node ? -1 : 0;
}

static int control(void *device, uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length)
{
	struct usbdevfs_ctrltransfer c = { .bRequestType = type,
					   .bRequest = request,
					   .wValue = value,
					   .wLength = length,
					   .timeout = TIMEOUT_MS,
					   .data = data };
	int r = ioctl(*(int *)device, USBDEVFS_CONTROL, &c);

	return r < 0 ? -errno : r;
}

int main(int argc, char **argv)
{
	struct usbdevfs_setinterface setting = { 0, 0 };
	unsigned interface = 0;
	char node[64];
	int fd;
	struct dfuse d = { control, &fd };

	if (argc == 2 && !strcmp(argv[1], "list"))
		return walk(NULL, 0);
	if (argc < 3 || walk(node, sizeof(node)))
		die("no board", argc);
	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(node, errno);
	if (ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface) || ioctl(fd, USBDEVFS_SETINTERFACE, &setting))
		die("cannot claim the interface", errno);
	if (argc == 3 && !strcmp(argv[1], "flash"))
		dfuse_flash(&d, argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "read"))
		dfuse_read(&d, argv[2], (size_t)atoi(argv[3]));
	else
		die("usage", argc);
	if (ioctl(fd, USBDEVFS_RELEASEINTERFACE, &interface))
		die("cannot release the interface", errno);
	return 0;
}
