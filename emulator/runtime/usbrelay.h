/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board with 1 to 8 relays by www.dcttech.com, 16c0:05df: a feature report of 8 bytes tells its serial number and which relays
 * are energised, and switches them. As the free firmware usb-relay-firmware (J. McDowell) has it, which serves the makers' own
 * programs, and as usbrelay and usb-relay-hid use it.
 */
#ifndef DFUBENCH_USBRELAY_H
#define DFUBENCH_USBRELAY_H

#include <stdbool.h>
#include "bench.h"
#include "lines.h"
#include "usbdev.h"

#define USBRELAY_SERIAL 5 /* characters */
#define USBRELAY_RELAYS 8 /* at most */

struct usbrelay;

/* Relays are numbered from 1, as they are for the host, and so are lines. serial: USBRELAY_SERIAL characters, copied. NULL on
 * ENOMEM. Not plugged in: no relay is energised. */
struct usbrelay *usbrelay_new(struct bench *, unsigned relays, const char *serial, const struct lines_user *);
void usbrelay_free(struct usbrelay *); /* unplugs first; NULL is fine */
struct usbdev *usbrelay_usbdev(struct usbrelay *);
void usbrelay_plug(struct usbrelay *, bool in); /* coils have their supply from the cable: without, all fall */
bool usbrelay_energised(const struct usbrelay *, unsigned relay);
const char *usbrelay_serial(const struct usbrelay *); /* a host may change it */

#endif
