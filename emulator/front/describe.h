/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Enumerate a device once, as a Linux hub driver does, and keep what it said: for fronts that must have descriptors
 * before their client asks (sysfs tree, gadget, usbredir). Runs in bench time; the device may be hostile.
 */
#ifndef DFUBENCH_DESCRIBE_H
#define DFUBENCH_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench.h"
#include "usbdev.h"

/* Descriptor types and standard requests (USB 2.0 tables 9-4, 9-5). */
#define USB_DT_DEVICE 1u
#define USB_DT_CONFIGURATION 2u
#define USB_DT_STRING 3u
#define USB_DT_INTERFACE 4u
#define USB_DT_ENDPOINT 5u
#define USB_REQUEST_SET_ADDRESS 5u
#define USB_REQUEST_GET_DESCRIPTOR 6u
#define USB_REQUEST_SET_CONFIGURATION 9u
#define USB_REQUEST_SET_INTERFACE 11u

/* What Linux takes of a device; the rest is ignored. */
#define USB_MAX_CONFIGURATIONS 8u
#define USB_MAX_INTERFACES 32u

struct usb_configuration {
	uint8_t *bytes; /* a configuration descriptor and what follows; at least 9 bytes */
	size_t length;  /* as got from the device: wTotalLength may claim more, never less */
	char *name;     /* text of iConfiguration; NULL if there is none */
};

struct usb_interface_name {
	uint8_t configuration; /* bConfigurationValue */
	uint8_t interface, alt;
	char *text;
};

/* Texts are UTF-8 without control over their content: a device may put anything but NUL there. NULL: none. */
struct usb_description {
	enum usb_speed speed;
	uint8_t device[18];    /* bNumConfigurations lowered to configuration_count where they differ */
	uint8_t configuration; /* bConfigurationValue that is set; 0: not configured */
	size_t configuration_count;
	struct usb_configuration configurations[USB_MAX_CONFIGURATIONS];
	char *manufacturer, *product, *serial;
	bool has_strings;
	uint16_t language; /* wIndex to ask for more of them with */
	/* Of the configuration set: of alternate setting 0, or of all, as asked for. */
	struct usb_interface_name *interface_names;
	size_t interface_name_count;
};

/* A deep copy, to be freed; NULL on ENOMEM. */
struct usb_description *usb_description_copy(const struct usb_description *);
void usb_description_free(struct usb_description *); /* NULL is fine */

/* The configuration of this bConfigurationValue, or NULL. */
const struct usb_configuration *usb_description_configuration(const struct usb_description *, uint8_t value);
/* Text of an interface's alternate setting under the configuration set, or NULL: none, or not asked for. */
const char *usb_description_interface_name(const struct usb_description *, uint8_t interface, uint8_t alt);

/* What a string descriptor says, as Linux converts it: to be freed; NULL for nothing, or ENOMEM. */
char *usb_string_text(const uint8_t *bytes, size_t length);

/* Walk the descriptors of a configuration: the next one of this type at or after *offset, which then stands behind it.
 * NULL at the end, or where a bLength leads nowhere. What is returned has its bLength bytes, at least minimum. */
const uint8_t *usb_configuration_next(const struct usb_configuration *, size_t *offset, uint8_t type, uint8_t minimum);
/* The interface descriptor of (interface, alt), or NULL. *offset then stands behind it, *end where the next interface
 * descriptor begins; both may be NULL. */
const uint8_t *usb_configuration_interface(const struct usb_configuration *, uint8_t interface, uint8_t alt,
					   size_t *offset, size_t *end);

struct describe;

/* The outcome, once for each start that is not cancelled: NULL means failure, describe_error() says why. The
 * description is describe's, until the next start or describe_free(). Called from bench_advance(); may call
 * describe_free(). */
typedef void describe_done(void *context, const struct usb_description *);

/* The bench must outlive it; the device until describe_cancel() or the outcome. address: 1..127, asserted. NULL:
 * ENOMEM. */
struct describe *describe_new(struct bench *, struct usbdev *, uint8_t address, describe_done *done, void *context);
/* Another address, from the next enumeration on. */
void describe_at(struct describe *, uint8_t address);
/* From the next start on, the texts of all alternate settings are wanted. A Linux host asks for those of the first alone. */
void describe_want_all_names(struct describe *);
/* The device has just been plugged in: debounce, reset, enumerate, configure. Starting again drops what was known. */
void describe_start(struct describe *);
/* The same without debouncing, for a port that is merely reset. */
void describe_restart(struct describe *);
/* Nobody wants the outcome any more. A pending transfer is taken back. */
void describe_cancel(struct describe *);
void describe_free(struct describe *); /* cancels; NULL is fine */

/* The host that owns the port hands completions here first. True: the transfer was describe's. */
bool describe_complete(struct describe *, struct usb_urb *);
bool describe_is_running(const struct describe *);
const struct usb_description *describe_result(const struct describe *); /* NULL unless the last start succeeded */
const char *
describe_error(const struct describe *); /* of the last try that failed: lower case, no full stop; "" if none */

#endif
