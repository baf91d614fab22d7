/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The application engine that starts qemu-system-arm, for firmware that needs a core and its first USART and no more: it has no USB, no
 * LEDs and no button, and a clock of its own, the wall's. See runtime/engine.h.
 */
#ifndef DFUBENCH_QEMU_H
#define DFUBENCH_QEMU_H

#include "engine.h"
#include "mcu.h"

struct qemu_options {
	double scale; /* bench time per wall time */
	/* QEMU has failed, and the application stands still: why. Called in the middle of things. */
	void (*warn)(void *context, const char *line);
	void *context;
};

/* The board outlives it. NULL with errno: ENOMEM; ENOTSUP: there is no such machine for the profile's chip. */
struct engine *engine_qemu_new(struct mcu *, const struct qemu_options *);
const char *qemu_lacks(void); /* NULL: it can be started */

#endif
