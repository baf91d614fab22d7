/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Application stub: the USB serial port (CDC-ACM, USB PSTN 1.2) that a board shows when it runs its user code. A stub: no
 * code of the flash runs. What the host writes to the port comes back as it was written, at once. On its console, which is not
 * that port, it says one line when it starts: "application at 0x08000000", where its vector table is.
 */
#ifndef DFUBENCH_CDC_H
#define DFUBENCH_CDC_H

#include "app.h"

enum cdc_identity {
	/* 0483:5740, ST's virtual COM port. ASSUMED: strings and endpoints, in which ST's examples differ. */
	CDC_STM32_VCP,
	/* f055:9800, MicroPython's number for serial port and disk together. Here the port alone, laid out as MicroPython
	 * lays out its port-only mode (f055:9802; ASSUMED: from memory): tools look for the number, and there is no disk. */
	CDC_PYBOARD,
};

struct cdc_app;

/* serial is the text of iSerialNumber, copied. NULL on ENOMEM. */
struct cdc_app *cdc_app_new(enum cdc_identity, const char *serial);
void cdc_app_free(struct cdc_app *); /* stopped before; NULL is fine */

/* For mcu_set_app(); the context is the struct cdc_app. */
extern const struct mcu_app_ops cdc_app_ops;

#endif
