/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors as usbredir tells them: a table of interfaces, a table of endpoints, and who the device is. */
#ifndef DFUBENCH_REDIR_INFO_H
#define DFUBENCH_REDIR_INFO_H

#include <stdint.h>
#include <usbredirparser.h>
#include "describe.h"

#define INFO_INTERFACES 32
#define INFO_ENDPOINTS 32 /* 0 to 15 out, then 0 to 15 in */

struct info {
	struct usb_redir_interface_info_header interfaces;
	struct usb_redir_ep_info_header endpoints;
};

static inline unsigned info_index(uint8_t endpoint)
{
	return (endpoint & 0x80u) >> 3 | (endpoint & 0x0fu);
}

/* configuration NULL: not configured, endpoint 0 is all there is. alts[]: the setting of each interface number. */
void info_fill(struct info *, const struct usb_description *, const struct usb_configuration *configuration,
	       const uint8_t alts[INFO_INTERFACES]);
void info_device(const struct usb_description *, struct usb_redir_device_connect_header *);

#endif
