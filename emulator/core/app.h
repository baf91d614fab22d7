/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs on the MCU when the ROM does not: the interface that application engines implement (see runtime/). */
#ifndef DFUBENCH_APP_H
#define DFUBENCH_APP_H

#include <stdbool.h>
#include <stdint.h>
#include "usbdev.h"

struct bench;
struct mcu;

/* A fault of the core, with the registers as they were before it (ARMv7-M B1.5, B3.2). */
struct mcu_fault {
	unsigned exception; /* 3 HardFault, 4 MemManage, 5 BusFault, 6 UsageFault */
	bool lockup;        /* it could not be taken: the core stands still until reset */
	uint32_t cfsr, hfsr, mmfar, bfar;
	uint32_t r[16], xpsr; /* r[13]: SP; r[15]: of the instruction */
};

struct mcu_app_ops {
	/* The CPU has loaded MSP and PC from the vector table at vector; unless it executes, both were found sane. Returns the application's USB
	 * device, not yet attached (mcu attaches it after the profile's app_attach_us, at its speed or else full speed, unless
	 * the application does so itself), or NULL: it runs without USB.
	 * The device lives until stop(). */
	struct usbdev *(*start)(void *context, struct mcu *, uint32_t vector);
	/* Reset or power-off: pending transfers of its device complete with USB_GONE before this returns. */
	void (*stop)(void *context, struct mcu *);
	/* A pin has moved that does not end it: VBUS, BOOT0, BOOT1. NULL: it takes no notice. */
	void (*pin)(void *context, struct mcu *);
	bool attaches_itself; /* usbdev_attach() and usbdev_detach() are the application's */
	bool executes;        /* code: what a reset makes of a vector table, whatever it has, shows there */
};

#endif
