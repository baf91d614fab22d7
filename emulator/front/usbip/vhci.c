// SPDX-License-Identifier: GPL-2.0-or-later
/* vhci: to come. */
#include "front.h"

const struct front_ops vhci_front = { .name = "vhci",
				      .summary = "plug the boards into this machine by its vhci_hcd",
				      .missing = "everything" };
