/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: descriptor files, and a device made from whatever they let through. */
#include <stdint.h>
#include <stdlib.h>
#include "fake_host.h"
#include "fixed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fixed_descriptors *d;
	struct fixed_error error;
	struct fake_host host;
	struct usb_urb urb, in[15];
	struct fixed *f;
	static uint8_t b[65535];

	if (fixed_parse((const char *)data, size, &d, &error))
		return 0;
	fake_host_init(&host);
	f = fixed_new(d);
	if (f) {
		struct usbdev *dev = fixed_usbdev(f);

		usbdev_connect(dev, &host.host);
		fixed_plug(f);
		fake_host_control(dev, &urb, 0x80, 6, 0x0100, 0, b, 18);
		for (unsigned c = 0; c < d->device[17]; c++) {
			fake_host_control(dev, &urb, 0x80, 6, (uint16_t)(0x0200 | c), 0, b, 65535);
			fake_host_control(dev, &urb, 0x00, 9, d->configurations[c][5], 0, NULL, 0);
		}
		for (unsigned i = 0; i < 256; i++)
			fake_host_control(dev, &urb, 0x80, 6, (uint16_t)(0x0300 | i), 0x0409, b, 255);
		for (unsigned i = 0; i < 32; i++)
			fake_host_control(dev, &urb, 0x01, 11, 1, (uint16_t)i, NULL, 0);
		for (unsigned i = 0; i < 15; i++)
			fake_host_submit(dev, &in[i], (uint8_t)(0x81 + i), b, 8);
		fixed_free(f);
		for (unsigned i = 0; i < 15; i++)
			if (!fake_host_is_done(&in[i]))
				abort();
	}
	fixed_descriptors_free(d);
	return 0;
}
