/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host controller knows of a device: read from the control transfers that took place (USB 2.0 9.4 and 9.6). */
#ifndef DFUBENCH_BUS_FACTS_H
#define DFUBENCH_BUS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "usbdev.h"

/* bmAttributes of an endpoint, bits 1..0 */
enum { BUS_CONTROL, BUS_ISOCHRONOUS, BUS_BULK, BUS_INTERRUPT };

struct bus_endpoint {
	uint8_t configuration, interface, alt;
	uint8_t address, type, interval_ms;
	uint16_t packet_bytes;
};

/* Zero-initialise. */
struct bus_facts {
	uint16_t packet0_bytes; /* 0: not known */
	struct bus_endpoint *endpoints;
	size_t count, room;
	uint8_t configuration; /* 0: none is set */
	uint8_t alt[256];      /* by interface */
};

void bus_facts_reset(struct bus_facts *);  /* of the bus: the device is what it was, but not configured */
void bus_facts_forget(struct bus_facts *); /* another device; frees all */
/* A control transfer took place: actual bytes of data. */
void bus_facts_learn(struct bus_facts *, const struct usb_setup *, const uint8_t *data, size_t actual);
/* In the current configuration and alternate settings; NULL: not known. */
const struct bus_endpoint *bus_facts_find(const struct bus_facts *, uint8_t address);
/* Is it in any alternate setting of the interface? */
bool bus_facts_belongs(const struct bus_facts *, uint8_t interface, uint8_t address);

#endif
