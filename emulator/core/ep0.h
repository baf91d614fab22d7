/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB 2.0 chapter 9 on the default control pipe, over descriptor data (f407.md ID, STR, USB rows). Shared by the ROM, by the
 * application's device and by bystanders: whatever is not a standard request goes to class_request.
 */
#ifndef DFUBENCH_EP0_H
#define DFUBENCH_EP0_H

#include <stdbool.h>
#include <stdint.h>
#include "usbdev.h"

#define EP0_MAX_INTERFACES 32

struct ep0_descriptors {
	const uint8_t *device;                /* 18 bytes */
	const uint8_t *const *configurations; /* device[17] of them, whole */
	/* String descriptor text in UTF-8 (a byte that is none counts as Latin-1) -> UTF-16LE made here; NULL = STALL.
	 * Index >= 1. The member itself may be NULL: no strings at all. */
	const char *(*string)(void *context, uint8_t index);
	/* GET_DESCRIPTOR of a class descriptor by the interface recipient (0x81); may be NULL. 0, or -1 = STALL. */
	int (*interface_descriptor)(void *context, const struct usb_setup *, const uint8_t **data, size_t *length);
	/* Quirks of one string each; index 0 = none. */
	uint8_t bytes_string_index; /* its characters are bytes, not UTF-16 */
	uint8_t short_string_index; /* no more than short_string_bytes of it are sent, whatever bLength says */
	uint8_t short_string_bytes;
	/* Remote wake-up and test mode are acknowledged though not advertised (USB-6). */
	bool accepts_unadvertised_features;
	void *context;
};

struct ep0_handlers {
	/* Class and vendor requests, to an interface or endpoint only where it exists. *actual comes as 0 and is the length
	 * of an IN reply. Only USB_ACK and USB_STALL. May be NULL: STALL. */
	enum usb_result (*class_request)(void *context, const struct usb_setup *, uint8_t *data, size_t *actual);
	/* After the fact; each may be NULL. */
	void (*configured)(void *context, uint8_t value);
	void (*alternate)(void *context, uint8_t interface, uint8_t alt);
	void *context;
};

struct ep0 {
	struct ep0_descriptors descriptors;
	struct ep0_handlers handlers;
	uint8_t address, configuration;
	uint8_t alt[EP0_MAX_INTERFACES];
	uint16_t halted_in, halted_out; /* ENDPOINT_HALT bits of endpoints 1..15 */
	bool remote_wakeup;
};

/* Both are copied; what they point at must outlive the ep0. */
void ep0_init(struct ep0 *, const struct ep0_descriptors *, const struct ep0_handlers *);
void ep0_bus_reset(struct ep0 *);
/* One whole control transfer. data has setup->length bytes: the OUT data, or room for the IN reply. */
enum usb_result ep0_control(struct ep0 *, const struct usb_setup *, uint8_t *data, size_t *actual);

/* For the other endpoints of a device: is it in the current alternate settings, and has the host halted it? */
bool ep0_has_endpoint(const struct ep0 *, uint8_t address);
bool ep0_is_halted(const struct ep0 *, uint8_t address);
void ep0_set_halted(struct ep0 *, uint8_t address, bool halted);

#endif
