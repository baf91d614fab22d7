/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 64-byte header that Linux's usbmon puts before each transfer in a capture (LINKTYPE_USB_LINUX_MMAPPED, 220; Linux
 * Documentation/usb/usbmon.rst, struct usbmon_packet). The fields here are in host order.
 */
#ifndef DFUBENCH_USBMON_H
#define DFUBENCH_USBMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "usbdev.h"

#define LINKTYPE_USB_LINUX_MMAPPED 220
#define USBMON_HEADER_BYTES 64

enum usbmon_transfer { USBMON_ISOCHRONOUS, USBMON_INTERRUPT, USBMON_CONTROL, USBMON_BULK };

/* Status values of Linux, whatever machine this is (Documentation/driver-api/usb/error-codes.rst). */
#define USBMON_OK 0
#define USBMON_ENOENT (-2)        /* taken back by the host */
#define USBMON_EPIPE (-32)        /* STALL */
#define USBMON_EPROTO (-71)       /* no handshake */
#define USBMON_ECONNRESET (-104)  /* taken back by the host, asynchronously: in foreign captures */
#define USBMON_ESHUTDOWN (-108)   /* the device left */
#define USBMON_ETIMEDOUT (-110)   /* in foreign captures */
#define USBMON_EINPROGRESS (-115) /* of a submission */

struct usbmon_header {
	uint64_t id;      /* ties a completion to its submission */
	char type;        /* 'S' submission, 'C' completion, 'E' submission refused */
	uint8_t transfer; /* enum usbmon_transfer */
	uint8_t endpoint; /* with the direction in bit 7, for control pipes too */
	uint8_t device;   /* address on the bus */
	uint16_t bus;
	char flag_setup; /* 0: setup is there; '-': it is not */
	char flag_data;  /* 0: data follows; '<' an IN submission, '>' an OUT completion: none by nature */
	int64_t seconds; /* since the epoch */
	int32_t microseconds;
	int32_t status;
	uint32_t length;   /* of the transfer: asked for in 'S', moved in 'C' */
	uint32_t captured; /* bytes that follow the header */
	uint8_t setup[8];
	int32_t interval, start_frame;
	uint32_t transfer_flags, descriptors;
};

/* Little-endian, as in the sections that pcapng.h writes. */
void usbmon_encode(const struct usbmon_header *, uint8_t out[USBMON_HEADER_BYTES]);
/* The byte order is that of the section. 0, or -EINVAL if size is too small for the header or for the data it announces
 * (a capture may hold less than length, never less than captured). */
int usbmon_decode(const uint8_t *packet, size_t size, bool big_endian, struct usbmon_header *);

int32_t usbmon_status(enum usb_result); /* of a completion */

#endif
