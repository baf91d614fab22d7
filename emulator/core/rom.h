/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bootloader in system memory as a USB device: descriptors and DfuSe machine of the profile over the memories of the
 * board (f407.md ID, MAP, RDP, EX, USB rows). It executes one operation at a time; until that is over it services
 * nothing on USB, unless the profile's busy_rule says otherwise.
 */
#ifndef DFUBENCH_ROM_H
#define DFUBENCH_ROM_H

#include "bench.h"
#include "dfu_machine.h"
#include "flash.h"
#include "mcu.h"
#include "profile.h"
#include "usbdev.h"

struct rom;

/* The board around the ROM. Every member is required. */
struct rom_ops {
	int (*read_ram)(void *context, uint32_t address, uint8_t *data, size_t length);        /* 0 or -EFAULT */
	int (*write_ram)(void *context, uint32_t address, const uint8_t *data, size_t length); /* 0, -EFAULT, -ENOMEM */
	void (*state)(void *context, enum dfu_state, enum dfu_status);                         /* has just changed */
	/* MCU_EVENT_ERASED, _PROGRAMMED, _OPTIONS or _CUT has just happened. */
	void (*touched)(void *context, enum mcu_event_type, uint32_t address, uint32_t length);
	/* The ROM gives up control for good: the board calls rom_stop() in here. */
	void (*leave)(void *context, uint32_t pointer);
	void (*reset)(void *context, enum reset_cause); /* RESET_OPTION_BYTES, RESET_UNPROTECT */
};

/* serial has 12 digits and is copied; all else must outlive the ROM. NULL on ENOMEM. */
struct rom *rom_new(struct bench *, const struct mcu_profile *, const char *serial, struct flash *,
		    const struct rom_ops *, void *context);
void rom_free(struct rom *); /* stopped before; NULL is fine */

/* The CPU enters the ROM: fresh DFU state, not on the bus yet. */
void rom_start(struct rom *);
void rom_attach(struct rom *); /* pull-up on */
/* Reset, power-off, another interface, or gone to the application: pending transfers complete with USB_GONE, the pull-up
 * goes, a flash operation under way is cut short. */
void rom_stop(struct rom *);
/* A host has reset the port or sent something: the other boot interfaces are off (BOOT-9, BOOT-10). */
bool rom_has_seen_host(const struct rom *);

struct usbdev *rom_usb(struct rom *);
const struct dfu_machine *rom_dfu(const struct rom *);

#endif
