/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs on the MCU when the ROM does not: the interface that application engines implement (see runtime/). */
#ifndef DFUBENCH_APP_H
#define DFUBENCH_APP_H

#include "usbdev.h"

struct bench;
struct mcu;

struct mcu_app_ops {
	/* The CPU has loaded MSP and PC from the vector table at vector; both were found sane. Returns the application's USB
	 * device, not yet attached (mcu attaches it after the profile's app_attach_us, at its speed or else full speed), or
	 * NULL: it runs without USB.
	 * The device lives until stop(). */
	struct usbdev *(*start)(void *context, struct mcu *, uint32_t vector);
	/* Reset or power-off: pending transfers of its device complete with USB_GONE before this returns. */
	void (*stop)(void *context, struct mcu *);
};

#endif
