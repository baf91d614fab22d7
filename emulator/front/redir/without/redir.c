// SPDX-License-Identifier: GPL-2.0-or-later
/* redir, where libusbredirparser was not found. */
#include "front.h"

const struct front_ops redir_front = { .name = "redir",
				       .summary = "usbredir, for QEMU guests",
				       .missing = "libusbredirparser" };
