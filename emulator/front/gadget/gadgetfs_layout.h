/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device by the endpoints of a controller, as gadgetfs tells them by the names of its files: what it is told of the device, and
 * which file stands for which endpoint. Pure: bytes and names to bytes.
 */
#ifndef DFUBENCH_GADGETFS_LAYOUT_H
#define DFUBENCH_GADGETFS_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include "describe.h"

#define GADGETFS_ENDPOINTS 30u
#define GADGETFS_CONTROL_BYTES 256u /* RBUF_SIZE of the kernel's inode.c: its control pipe brings no more */
#define GADGETFS_NAME 16u           /* with the NUL: what the kernel has room for */

struct gadgetfs_endpoint {
	uint8_t device, host;     /* bEndpointAddress of either side */
	char name[GADGETFS_NAME]; /* "": the controller has none for it */
};

struct gadgetfs_layout {
	uint8_t *bytes; /* to be written to the controller's file; the owner's, to be freed */
	size_t length;
	struct gadgetfs_endpoint endpoints[GADGETFS_ENDPOINTS];
	unsigned count;
};

/* Of the first configuration. Endpoints keep their address where the controller has it for their kind, and get another of that
 * direction where not. 0; -EINVAL: gadgetfs takes no such device; -EMSGSIZE: no configuration as long; -ENOMEM. */
int gadgetfs_layout(const struct usb_description *, const char (*names)[GADGETFS_NAME], size_t name_count,
		    struct gadgetfs_layout *);
/* The endpoint of this address, on the device's side or the host's; NULL: none. */
const struct gadgetfs_endpoint *gadgetfs_of_device(const struct gadgetfs_layout *, uint8_t address);
const struct gadgetfs_endpoint *gadgetfs_of_host(const struct gadgetfs_layout *, uint8_t address);

#endif
