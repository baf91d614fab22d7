/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status files of vhci_hcd as text: which ports there are, and what is in them. No I/O. */
#ifndef DFUBENCH_VHCI_STATUS_H
#define DFUBENCH_VHCI_STATUS_H

#include <stdbool.h>

#define VHCI_BUSID 32

/* Of the driver (enum usbip_device_status in usbip_common.h). */
enum vhci_state { VHCI_FREE = 4, VHCI_ENUMERATING = 5, VHCI_USED = 6, VHCI_ERROR = 7 };

struct vhci_port {
	unsigned number;        /* what attach and detach take */
	bool super_speed;       /* of the hub that takes no others */
	unsigned state;         /* enum vhci_state, or what a later driver has */
	char busid[VHCI_BUSID]; /* of the device on this machine, as "3-1"; "" or "0-0": none */
};

/* The first port described at or after *text, which then stands behind its line. False: there is none. Lines that describe
 * none are passed over. */
bool vhci_next_port(const char **text, struct vhci_port *);

#endif
