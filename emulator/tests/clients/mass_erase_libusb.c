// SPDX-License-Identifier: GPL-2.0-or-later
/* A mass erase by way of libusb: mass_erase_libusb sync | async | spin TIMEOUT_MS [PAUSE_MS] */
#define _GNU_SOURCE
#include <libusb.h>
#include <stdbool.h>
#include "mass_erase.h"

struct board {
	libusb_context *usb;
	libusb_device_handle *handle;
	unsigned timeout_ms;
	bool spins; /* asks whether there is something, and never waits */
};

static int control_sync(void *device, uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length)
{
	struct board *b = device;

	return libusb_control_transfer(b->handle, type, request, value, 0, data, length, b->timeout_ms);
}

static void LIBUSB_CALL done(struct libusb_transfer *t)
{
	*(int *)t->user_data = 1;
}

/* As a client with an event loop of its own does it: submitted, and events handled in slices until it is done. */
static int control_async(void *device, uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length)
{
	struct board *b = device;
	struct libusb_transfer *t = libusb_alloc_transfer(0);
	struct timeval slice = { 0, b->spins ? 0 : 700000 };
	uint8_t buffer[LIBUSB_CONTROL_SETUP_SIZE + 64];
	int completed = 0, r;

	if (!t || length > 64)
		return LIBUSB_ERROR_NO_MEM;
	libusb_fill_control_setup(buffer, type, request, value, 0, length);
	if (!(type & 0x80) && length)
		memcpy(buffer + LIBUSB_CONTROL_SETUP_SIZE, data, length);
	libusb_fill_control_transfer(t, b->handle, buffer, done, &completed, b->timeout_ms);
	r = libusb_submit_transfer(t);
	while (!r && !completed)
		r = libusb_handle_events_timeout_completed(b->usb, &slice, &completed);
	if (r)
		die("events", r);
	if (t->status == LIBUSB_TRANSFER_COMPLETED) {
		r = t->actual_length;
		if (type & 0x80)
			memcpy(data, buffer + LIBUSB_CONTROL_SETUP_SIZE, (size_t)r);
	} else {
		r = t->status == LIBUSB_TRANSFER_TIMED_OUT ? LIBUSB_ERROR_TIMEOUT : LIBUSB_ERROR_IO;
	}
	libusb_free_transfer(t);
	return r;
}

int main(int argc, char **argv)
{
	struct board b = { .timeout_ms = argc > 2 ? (unsigned)atoi(argv[2]) : 0 };
	struct dfuse d = { control_async, &b };
	int r;

	if (argc < 3)
		die("usage", argc);
	if (!strcmp(argv[1], "sync"))
		d.control = control_sync;
	b.spins = !strcmp(argv[1], "spin");
	r = libusb_init(&b.usb);
	if (r)
		die("libusb_init", r);
	b.handle = libusb_open_device_with_vid_pid(b.usb, 0x0483, 0xdf11);
	if (!b.handle)
		die("no board", 0);
	r = libusb_claim_interface(b.handle, 0);
	if (r)
		die("claim", r);
	mass_erase(&d, LIBUSB_ERROR_TIMEOUT, argc > 3 ? (unsigned)atoi(argv[3]) : 0);
	libusb_close(b.handle);
	libusb_exit(b.usb);
	return 0;
}
