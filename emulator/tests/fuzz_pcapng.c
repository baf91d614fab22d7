/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: reading captures, down to names for people. */
#include <stdlib.h>
#include <string.h>
#include "dfuse_names.h"
#include "pcapng.h"
#include "usbmon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum; /* so that every byte is looked at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcapng_reader r;
	struct pcapng_packet p;
	struct usbmon_header h;
	struct usb_setup setup;
	char out[40];

	pcapng_reader_init(&r, data, size);
	while (pcapng_reader_next(&r, &p) == 1) {
		for (size_t i = 0; i < p.captured; i++)
			sum += p.data[i];
		if (usbmon_decode(p.data, p.captured, p.big_endian, &h))
			continue;
		setup = usb_setup_decode(h.setup);
		dfuse_name_setup(&setup, out, sizeof(out));
		dfuse_name_payload(&setup, p.data + USBMON_HEADER_BYTES, h.captured, out, sizeof(out));
		sum += (unsigned)strlen(out);
	}
	for (size_t i = 0; i < r.application_length; i++)
		sum += (unsigned)r.application[i];
	if (r.at > size || (!r.error && !r.truncated && r.at != size))
		abort();
	return 0;
}
