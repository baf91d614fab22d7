// SPDX-License-Identifier: GPL-2.0-or-later
/* Where there is no libusbgx: the front's row alone. */
#include "front.h"

const struct front_ops gadget_front = {
	.name = "gadget",
	.summary = "a Linux gadget on a USB device controller of this machine (FunctionFS)",
	.missing = "libusbgx",
};
