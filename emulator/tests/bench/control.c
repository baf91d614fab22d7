// SPDX-License-Identifier: GPL-2.0-or-later
/* A client for the benchmark: many control transfers one after the other, or one mass erase without sleeps; with libusb. */
#include <libusb-1.0/libusb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMEOUT_MS 60000

static void die(const char *what, int result)
{
	fprintf(stderr, "control: %s: %s\n", what, libusb_error_name(result));
	exit(1);
}

static int transfer(libusb_device_handle *h, uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length)
{
	int r = libusb_control_transfer(h, type, request, value, 0, data, length, TIMEOUT_MS);

	if (r != length)
		die("control transfer", r);
	return r;
}

/* Nothing but GET_DESCRIPTOR(device). */
static void count_transfers(libusb_device_handle *h, long count)
{
	uint8_t descriptor[18];

	for (long i = 0; i < count; i++)
		transfer(h, LIBUSB_ENDPOINT_IN, LIBUSB_REQUEST_GET_DESCRIPTOR, LIBUSB_DT_DEVICE << 8, descriptor,
			 sizeof(descriptor));
}

/* The answer to the second GETSTATUS comes when the flash is erased; in between there is no sleep. */
static void mass_erase(libusb_device_handle *h)
{
	struct timespec from, to;
	uint8_t erase = 0x41, status[6];

	transfer(h, 0x21, 4, 0, NULL, 0); /* CLRSTATUS: the ROM starts in dfuERROR */
	transfer(h, 0x21, 1, 0, &erase, 1);
	clock_gettime(CLOCK_MONOTONIC, &from);
	transfer(h, 0xA1, 3, 0, status, sizeof(status));
	transfer(h, 0xA1, 3, 0, status, sizeof(status));
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (status[4] != 5)
		die("state after the erase", status[4]);
	printf("%.6f\n", (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
}

int main(int argc, char **argv)
{
	libusb_device_handle *h;
	libusb_context *context;
	bool mass = argc == 2 && !strcmp(argv[1], "mass");
	int r;

	if (argc != 2) {
		fputs("usage: control COUNT|mass\n", stderr);
		return 2;
	}
	r = libusb_init(&context);
	if (r)
		die("libusb_init", r);
	h = libusb_open_device_with_vid_pid(context, 0x0483, mass ? 0xdf11 : 0x374b);
	if (!h)
		die("open", LIBUSB_ERROR_NO_DEVICE);
	if (mass)
		mass_erase(h);
	else
		count_transfers(h, atol(argv[1]));
	libusb_close(h);
	libusb_exit(context);
	return 0;
}
