/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking connections of TCP: what systems differ in. */
#ifndef DFUBENCH_USBIP_ACCEPT_H
#define DFUBENCH_USBIP_ACCEPT_H

/* The next connection, for nobody but us, non-blocking, without delay, and kept alive: one whose host vanished ends. -1 with
 * errno. */
int usbip_accept(int listener);

#endif
