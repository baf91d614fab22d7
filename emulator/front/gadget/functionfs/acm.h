/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's serial port behind the kernel's own ACM function, whose tty its data goes through: for kernels without gadgetfs. What
 * the host asks of the function ends in the kernel, so that the device is configured without being asked.
 */
#ifndef DFUBENCH_ACM_H
#define DFUBENCH_ACM_H

#include <stdbool.h>
#include "export.h"
#include "front.h"

struct acm;

/* path: of the tty; in, out: the device's endpoints. NULL with why[]. All must outlive it. */
struct acm *acm_new(const struct front_env *, struct export *, const char *path, uint8_t in, uint8_t out,
		    char why[FRONT_WHY]);
/* Once, when it is to be known by acm_complete(): configures the device. */
void acm_start(struct acm *);
void acm_free(struct acm *); /* NULL is fine */
/* The device has left: the tty is closed, for good, transfers are taken back. NULL is fine. */
void acm_gone(struct acm *);
/* True: the transfer was its own. */
bool acm_complete(struct acm *, struct usb_urb *);

#endif
