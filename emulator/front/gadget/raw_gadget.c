// SPDX-License-Identifier: GPL-2.0-or-later
/* raw_gadget: to come. */
#include "front.h"

const struct front_ops raw_gadget_front = { .name = "raw-gadget",
					    .summary = "likewise by the raw_gadget module, byte for byte",
					    .missing = "everything" };
