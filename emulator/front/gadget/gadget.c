// SPDX-License-Identifier: GPL-2.0-or-later
/* gadget: to come. */
#include "front.h"

const struct front_ops gadget_front = {
	.name = "gadget",
	.summary = "a Linux gadget on a USB device controller of this machine (FunctionFS)",
	.missing = "everything"
};
