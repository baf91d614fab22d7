/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What FunctionFS wants to be told of a device, made from what the device says of itself. Pure: bytes to bytes. */
#ifndef DFUBENCH_FFS_DESCRIPTORS_H
#define DFUBENCH_FFS_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "describe.h"

struct ffs_blob {
	uint8_t *bytes; /* the owner's, to be freed */
	size_t length;
};

enum ffs_kinds {
	FFS_ALL,            /* everything that some kernel takes */
	FFS_NO_DFU,         /* not the DFU functional descriptor */
	FFS_STANDARD_ALONE, /* nothing of a class */
};

/* What is written to ep0 first. Interfaces without a text lose their iInterface, the others get numbers from 1 on. *left_out:
 * descriptors of the device that no kernel takes, or that kinds rules out. 0; -EINVAL: there is no interface in it;
 * -ENOMEM. */
int ffs_descriptors(const struct usb_description *, const struct usb_configuration *, enum ffs_kinds, struct ffs_blob *,
		    unsigned *left_out);
/* What is written next: the texts, by the same numbers. */
int ffs_strings(const struct usb_description *, const struct usb_configuration *, struct ffs_blob *);

bool ffs_has_dfu(const struct usb_configuration *); /* a DFU functional descriptor */
unsigned ffs_highest_alt(const struct usb_configuration *);

/* A serial port of the abstract control model: the endpoints of its data. False: it is none. */
bool ffs_acm(const struct usb_configuration *, uint8_t *in, uint8_t *out);

#endif
