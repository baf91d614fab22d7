// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client with libusb that takes ST's protocol and 2048 bytes a transfer for granted, whatever the descriptors say:
 * front_libusb flash FILE | read FILE LENGTH | options FILE | leave | status | hold TIMEOUT_MS |
 * rates: transfers a second, and seconds for 64 KiB and 1 MiB, for a board that takes no time itself
 */
#define _GNU_SOURCE
#include <libusb.h>
#include "mass_erase.h"

static unsigned timeout_ms = 60000;

static int control(void *device, uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length)
{
	return libusb_control_transfer(device, type, request, value, 0, data, length, timeout_ms);
}

/* The ROM leaves in the tail of the GETSTATUS behind an empty download (AN3156 5.4): whether its answer arrives is luck. */
static void leave(const struct dfuse *d)
{
	uint8_t status[6];

	dfuse_to_idle(d);
	dfuse_command(d, 0x21, FLASH);
	dfuse_out(d, DFU_DNLOAD, 2, NULL, 0);
	d->control(d->device, 0xA1, DFU_GETSTATUS, 0, status, sizeof(status));
}

/* The board resets in the tail of the GETSTATUS, as above. */
static void options(const struct dfuse *d, const char *file)
{
	uint8_t bytes[16], status[6];
	FILE *f = fopen(file, "rb");

	if (!f || fread(bytes, 1, sizeof(bytes), f) != sizeof(bytes))
		die(file, 0);
	fclose(f);
	dfuse_to_idle(d);
	dfuse_command(d, 0x21, 0x1FFFC000);
	dfuse_out(d, DFU_DNLOAD, 2, bytes, sizeof(bytes));
	d->control(d->device, 0xA1, DFU_GETSTATUS, 0, status, sizeof(status));
}

static void status(const struct dfuse *d)
{
	uint8_t bytes[6];
	int r = d->control(d->device, 0xA1, DFU_GETSTATUS, 0, bytes, sizeof(bytes));

	if (r != (int)sizeof(bytes))
		die("GETSTATUS failed", r);
	printf("%u %u\n", bytes[4], bytes[0]);
}

static void rates(const struct dfuse *d)
{
	static const size_t sizes[] = { 65536, 1048576 };
	static uint8_t block[BLOCK];
	uint8_t mass_erase_command = 0x41;
	const int count = 2000;
	double start = now();

	dfuse_to_idle(d);
	for (int i = 0; i < count; i++)
		dfuse_state(d);
	printf("%.0f", count / (now() - start));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		dfuse_to_idle(d);
		dfuse_out(d, DFU_DNLOAD, 0, &mass_erase_command, 1);
		dfuse_execute(d);
		dfuse_command(d, 0x21, FLASH);
		start = now();
		for (size_t at = 0; at < sizes[i]; at += BLOCK) {
			dfuse_out(d, DFU_DNLOAD, (uint16_t)(2 + at / BLOCK), block, BLOCK);
			dfuse_execute(d);
		}
		printf(" %.3f", now() - start);
	}
	puts("");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	libusb_context *usb;
	libusb_device_handle *handle;
	struct dfuse d = { .control = control };
	int r = libusb_init(&usb);

	if (r)
		die("libusb_init", r);
	handle = libusb_open_device_with_vid_pid(usb, 0x0483, 0xdf11);
	if (!handle)
		die("no board", 0);
	r = libusb_claim_interface(handle, 0);
	if (r)
		die("claim", r);
	d.device = handle;
	if (!strcmp(what, "flash") && argc > 2)
		dfuse_flash(&d, argv[2]);
	else if (!strcmp(what, "read") && argc > 3)
		dfuse_read(&d, argv[2], (size_t)atoi(argv[3]));
	else if (!strcmp(what, "options") && argc > 2)
		options(&d, argv[2]);
	else if (!strcmp(what, "leave"))
		leave(&d);
	else if (!strcmp(what, "status"))
		status(&d);
	else if (!strcmp(what, "rates"))
		rates(&d);
	else if (!strcmp(what, "hold") && argc > 2) {
		timeout_ms = (unsigned)atoi(argv[2]);
		mass_erase(&d, LIBUSB_ERROR_TIMEOUT, 0);
	} else
		die("usage", argc);
	libusb_close(handle);
	libusb_exit(usb);
	return 0;
}
