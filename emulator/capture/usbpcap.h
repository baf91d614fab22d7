/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The header that USBPcap, which records on Windows, puts before each packet (LINKTYPE_USBPCAP, 249; its page "USBPcap Capture
 * format specification"). Always little-endian.
 */
#ifndef DFUBENCH_USBPCAP_H
#define DFUBENCH_USBPCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "usbdev.h"

#define LINKTYPE_USBPCAP 249
#define USBPCAP_HEADER_BYTES 27 /* at least; control transfers have one byte more */

/* The same values as usbmon's. Others, as 0xfe for what is no transfer but news of an IRP, are no transfers. */
enum usbpcap_transfer {
	USBPCAP_ISOCHRONOUS,
	USBPCAP_INTERRUPT,
	USBPCAP_CONTROL,
	USBPCAP_BULK,
	USBPCAP_UNKNOWN = 0xff, /* of a function that USBPcap does not know */
};
#define USBPCAP_SET_INTERFACE 11 /* bRequest */
enum usbpcap_stage { USBPCAP_SETUP, USBPCAP_DATA, USBPCAP_STATUS, USBPCAP_COMPLETE };

struct usbpcap_header {
	uint16_t length; /* of the header: where the data begin */
	uint64_t id;     /* of the IRP: ties a completion to its submission */
	uint32_t status; /* USBD_STATUS, of a completion */
	uint16_t function;
	bool completed; /* PDO to FDO; else FDO to PDO, that is a submission */
	uint16_t bus, device;
	uint8_t endpoint; /* with the direction in bit 7 */
	uint8_t transfer; /* enum usbpcap_transfer */
	uint32_t data_length;
	uint8_t stage; /* enum usbpcap_stage, of a control transfer */
};

/* 0, or -EINVAL if size is too small for the header. That data_length bytes follow is for the caller to see. */
int usbpcap_decode(const uint8_t *packet, size_t size, struct usbpcap_header *);

enum usb_result usbpcap_result(uint32_t status); /* USBD_STATUS in the five words of usbdev.h */

#endif
