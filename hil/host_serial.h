/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A serial port on USB: CDC-ACM (USB CDC 1.2, PSTN 1.2), as a scripted host finds, sets up and lets go of it. */
#ifndef DFUBENCH_HOST_SERIAL_H
#define DFUBENCH_HOST_SERIAL_H

#include "host_usb.h"

#define HOST_SERIAL_DESCRIPTORS 4096

struct host_serial_port {
	uint8_t control_interface, data_interface; /* bInterfaceNumber */
	uint8_t in, out;                           /* bEndpointAddress, bulk */
};

/* The first in a configuration descriptor with all that follows it. False: there is none. */
bool host_serial_find(const uint8_t *configuration, size_t length, struct host_serial_port *);
/* 115200 baud, 8N1; DTR and RTS on. A device that refuses these requests need not have them (PSTN 1.2 table 4). */
enum host_end host_serial_begin(struct host_usb *, const struct host_serial_port *);
void host_serial_end(struct host_usb *, const struct host_serial_port *); /* DTR and RTS off */

#endif
