/* SPDX-License-Identifier: GPL-2.0-or-later */
/* USBPcap packet headers from bytes. */
#include "usbpcap.h"
#include <errno.h>

/* Values of USBD_STATUS (Windows: usb.h). */
#define USBD_STATUS_STALL_PID 0xc0000004u
#define USBD_STATUS_DATA_UNDERRUN 0xc0000009u
#define USBD_STATUS_ENDPOINT_HALTED 0xc0000030u
#define USBD_STATUS_ERROR_SHORT_TRANSFER 0x80000900u
#define USBD_STATUS_TIMEOUT 0xc0006000u
#define USBD_STATUS_DEVICE_GONE 0xc0007000u
#define USBD_STATUS_CANCELED 0xc0010000u

static uint64_t get(const uint8_t *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)in[i] << 8 * i;
	return value;
}

int usbpcap_decode(const uint8_t *packet, size_t size, struct usbpcap_header *h)
{
	if (size < USBPCAP_HEADER_BYTES)
		return -EINVAL;
	h->length = (uint16_t)get(packet, 2);
	h->id = get(packet + 2, 8);
	h->status = (uint32_t)get(packet + 10, 4);
	h->function = (uint16_t)get(packet + 14, 2);
	h->completed = packet[16] & 1;
	h->bus = (uint16_t)get(packet + 17, 2);
	h->device = (uint16_t)get(packet + 19, 2);
	h->endpoint = packet[21];
	h->transfer = packet[22];
	h->data_length = (uint32_t)get(packet + 23, 4);
	h->stage = USBPCAP_SETUP;
	if (h->length < USBPCAP_HEADER_BYTES || h->length > size)
		return -EINVAL;
	if (h->transfer != USBPCAP_CONTROL)
		return 0;
	if (h->length == USBPCAP_HEADER_BYTES)
		return -EINVAL;
	h->stage = packet[USBPCAP_HEADER_BYTES];
	return 0;
}

enum usb_result usbpcap_result(uint32_t status)
{
	switch (status) {
	case 0:
	case USBD_STATUS_DATA_UNDERRUN: /* short, which is no error to us */
	case USBD_STATUS_ERROR_SHORT_TRANSFER:
		return USB_ACK;
	case USBD_STATUS_STALL_PID:
	case USBD_STATUS_ENDPOINT_HALTED:
		return USB_STALL;
	case USBD_STATUS_TIMEOUT:
	case USBD_STATUS_CANCELED:
		return USB_CANCELLED;
	case USBD_STATUS_DEVICE_GONE:
		return USB_GONE;
	default:
		return USB_SILENT;
	}
}
