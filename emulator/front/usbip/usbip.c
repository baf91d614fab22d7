// SPDX-License-Identifier: GPL-2.0-or-later
/* usbip: to come. */
#include "front.h"

const struct front_ops usbip_front = { .name = "usbip",
				       .summary = "USB/IP server, for usbip attach",
				       .missing = "everything" };
