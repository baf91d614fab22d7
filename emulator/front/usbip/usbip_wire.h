/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB/IP 1.1.1 as bytes (Documentation/usb/usbip_protocol of Linux): both directions, no I/O. Everything on the wire is big
 * endian, but for the 8 bytes of SETUP. A connection begins with one request and its reply; after an import that succeeded
 * both sides send messages of 48 bytes, some with data behind them.
 */
#ifndef DFUBENCH_USBIP_WIRE_H
#define DFUBENCH_USBIP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USBIP_VERSION 0x0111u
#define USBIP_PORT 3240

#define USBIP_BUSID 32 /* with its NUL */
#define USBIP_PATH 256
#define USBIP_HEAD_BYTES 8               /* of a request or reply */
#define USBIP_REQUEST_BYTES 40           /* the longest request */
#define USBIP_DEVLIST_HEAD_BYTES 12      /* before the first device */
#define USBIP_DEVICE_BYTES 312           /* of a device, without interfaces */
#define USBIP_INTERFACE_BYTES 4          /* of each, in a device list alone */
#define USBIP_MESSAGE_BYTES 48           /* of a message, without data */
#define USBIP_PACKET_BYTES 16            /* descriptor of an isochronous packet */
#define USBIP_TRANSFER_MOST 0x100000u    /* 1 MiB in one transfer; more is refused */
#define USBIP_PACKETS_MOST 1024u         /* as Linux has it */
#define USBIP_NOT_ISOCHRONOUS UINT32_MAX /* or 0 */
#define USBIP_WHY 160                    /* room for a message: lower case, no full stop */

enum usbip_verdict {
	USBIP_DONE,
	USBIP_MORE, /* what is there is fine, and not all */
	USBIP_BAD,  /* why[] says so; nobody knows where the next message begins */
};

enum usbip_code { USBIP_DEVLIST = 0x0005, USBIP_IMPORT = 0x0003 }; /* of a reply; a request has 0x8000 as well */
enum usbip_status { USBIP_OK, USBIP_FAILED, USBIP_BUSY, USBIP_DEVICE_ERROR, USBIP_NO_DEVICE };

struct usbip_request {
	enum usbip_code code;
	char busid[USBIP_BUSID]; /* of an import; ends in NUL */
};

struct usbip_reply {
	enum usbip_code code;
	uint32_t status; /* 0, or one of enum usbip_status: then nothing follows */
	uint32_t count; /* of a device list: that many devices follow, each with interfaces. An import: one, without. */
};

struct usbip_device {
	char path[USBIP_PATH], busid[USBIP_BUSID];
	uint32_t busnum, devnum, speed; /* speed: as Linux numbers them, 2 = full */
	uint16_t vendor, product, bcd_device;
	uint8_t device_class, subclass, protocol;
	uint8_t configuration, configuration_count, interface_count;
	struct {
		uint8_t interface_class, subclass, protocol;
	} interfaces[255];
};

enum usbip_command { USBIP_SUBMIT = 1, USBIP_UNLINK = 2, USBIP_SUBMITTED = 3, USBIP_UNLINKED = 4 };
#define USBIP_SHORT_NOT_OK 1u /* in flags */

/* Members that do not belong to the command are 0. */
struct usbip_message {
	enum usbip_command command;
	uint32_t seqnum, devid;
	bool in;          /* requests only: replies do not tell */
	uint8_t endpoint; /* number */
	/* USBIP_SUBMIT */
	uint32_t flags, length, packets, interval;
	uint8_t setup[8];
	/* USBIP_SUBMITTED: packets, and */
	uint32_t actual;
	int32_t status; /* USBIP_UNLINKED as well: -errno as Linux numbers them */
	/* USBIP_UNLINK */
	uint32_t unlink;
	/* What follows a USBIP_SUBMIT: the data of an OUT, then the descriptors of isochronous packets. A USBIP_SUBMITTED for
	 * an IN is followed by `actual` bytes. */
	size_t data_bytes, packet_bytes;
};

/* Requests and replies. USBIP_DONE: *used bytes were taken. */
enum usbip_verdict usbip_request_decode(const uint8_t *bytes, size_t length, struct usbip_request *, size_t *used,
					char why[USBIP_WHY]);
size_t usbip_request_encode(const struct usbip_request *, uint8_t bytes[USBIP_REQUEST_BYTES]); /* their number */
enum usbip_verdict usbip_reply_decode(const uint8_t *bytes, size_t length, struct usbip_reply *, size_t *used,
				      char why[USBIP_WHY]);
size_t usbip_reply_encode(const struct usbip_reply *, uint8_t bytes[USBIP_DEVLIST_HEAD_BYTES]);
enum usbip_verdict usbip_device_decode(const uint8_t *bytes, size_t length, bool with_interfaces, struct usbip_device *,
				       size_t *used, char why[USBIP_WHY]);
/* Room for USBIP_DEVICE_BYTES, and USBIP_INTERFACE_BYTES for each interface. */
size_t usbip_device_encode(const struct usbip_device *, bool with_interfaces, uint8_t *bytes);

/* A message takes USBIP_MESSAGE_BYTES always. */
enum usbip_verdict usbip_message_decode(const uint8_t *bytes, size_t length, struct usbip_message *,
					char why[USBIP_WHY]);
void usbip_message_encode(const struct usbip_message *, uint8_t bytes[USBIP_MESSAGE_BYTES]);

#endif
