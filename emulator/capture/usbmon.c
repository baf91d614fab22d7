/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbmon packet headers, to bytes and back. */
#include <errno.h>
#include <string.h>
#include "usbmon.h"

static void put(uint8_t *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *in, unsigned bytes, bool big_endian)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)in[big_endian ? bytes - 1 - i : i] << 8 * i;
	return value;
}

void usbmon_encode(const struct usbmon_header *h, uint8_t out[USBMON_HEADER_BYTES])
{
	put(out, h->id, 8);
	out[8] = (uint8_t)h->type;
	out[9] = h->transfer;
	out[10] = h->endpoint;
	out[11] = h->device;
	put(out + 12, h->bus, 2);
	out[14] = (uint8_t)h->flag_setup;
	out[15] = (uint8_t)h->flag_data;
	put(out + 16, (uint64_t)h->seconds, 8);
	put(out + 24, (uint32_t)h->microseconds, 4);
	put(out + 28, (uint32_t)h->status, 4);
	put(out + 32, h->length, 4);
	put(out + 36, h->captured, 4);
	memcpy(out + 40, h->setup, 8);
	put(out + 48, (uint32_t)h->interval, 4);
	put(out + 52, (uint32_t)h->start_frame, 4);
	put(out + 56, h->transfer_flags, 4);
	put(out + 60, h->descriptors, 4);
}

int usbmon_decode(const uint8_t *packet, size_t size, bool big_endian, struct usbmon_header *h)
{
	if (size < USBMON_HEADER_BYTES)
		return -EINVAL;
	h->id = get(packet, 8, big_endian);
	h->type = (char)packet[8];
	h->transfer = packet[9];
	h->endpoint = packet[10];
	h->device = packet[11];
	h->bus = (uint16_t)get(packet + 12, 2, big_endian);
	h->flag_setup = (char)packet[14];
	h->flag_data = (char)packet[15];
	h->seconds = (int64_t)get(packet + 16, 8, big_endian);
	h->microseconds = (int32_t)get(packet + 24, 4, big_endian);
	h->status = (int32_t)get(packet + 28, 4, big_endian);
	h->length = (uint32_t)get(packet + 32, 4, big_endian);
	h->captured = (uint32_t)get(packet + 36, 4, big_endian);
	memcpy(h->setup, packet + 40, 8);
	h->interval = (int32_t)get(packet + 48, 4, big_endian);
	h->start_frame = (int32_t)get(packet + 52, 4, big_endian);
	h->transfer_flags = (uint32_t)get(packet + 56, 4, big_endian);
	h->descriptors = (uint32_t)get(packet + 60, 4, big_endian);
	return h->captured > size - USBMON_HEADER_BYTES ? -EINVAL : 0;
}

int32_t usbmon_status(enum usb_result result)
{
	switch (result) {
	case USB_ACK:
		return USBMON_OK;
	case USB_STALL:
		return USBMON_EPIPE;
	case USB_SILENT:
		return USBMON_EPROTO;
	case USB_CANCELLED:
		return USBMON_ENOENT;
	case USB_GONE:
		return USBMON_ESHUTDOWN;
	}
	return USBMON_EPROTO;
}
