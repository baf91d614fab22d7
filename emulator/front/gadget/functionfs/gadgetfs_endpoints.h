/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The endpoints of a gadgetfs other than 0: those of the alternate settings that are set. */
#ifndef DFUBENCH_GADGETFS_ENDPOINTS_H
#define DFUBENCH_GADGETFS_ENDPOINTS_H

#include <stdbool.h>
#include <stdint.h>
#include "export.h"
#include "front.h"
#include "gadgetfs_layout.h"

struct gadgetfs_endpoints;

/* folder: of their files. All must outlive it. NULL on ENOMEM. */
struct gadgetfs_endpoints *gadgetfs_endpoints_new(const struct front_env *, struct export *, const char *folder,
						  const struct gadgetfs_layout *);
void gadgetfs_endpoints_free(struct gadgetfs_endpoints *); /* closes; NULL is fine */
/* These instead of those before: of the configuration, its interfaces set to alt[]. What does not work is warned of. */
void gadgetfs_endpoints_open(struct gadgetfs_endpoints *, uint8_t configuration, const uint8_t alt[USB_MAX_INTERFACES]);
void gadgetfs_endpoints_close(struct gadgetfs_endpoints *); /* all; transfers are taken back */
/* True: the transfer was an endpoint's. */
bool gadgetfs_endpoints_complete(struct gadgetfs_endpoints *, struct usb_urb *);

#endif
