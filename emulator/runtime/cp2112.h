/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CP2112, USB to SMBus bridge with eight GPIO lines, as its makers' AN495 "CP2112 Interface Specification" has it and as Linux's
 * hid-cp2112 uses it: a gpiochip of eight lines for libgpiod, an I2C adapter with nobody on its bus. Its one-time programmable
 * memory can be written and read back; what is on the bus stays as it is.
 */
#ifndef DFUBENCH_CP2112_H
#define DFUBENCH_CP2112_H

#include <stdbool.h>
#include "bench.h"
#include "lines.h"
#include "usbdev.h"

#define CP2112_LINES 8
#define CP2112_SERIAL_MAX 30

struct cp2112;

/* serial: ASCII, 1 to CP2112_SERIAL_MAX characters, copied; the others must outlive it. NULL on ENOMEM. Not plugged in: all lines
 * are released. */
struct cp2112 *cp2112_new(struct bench *, const char *serial, const struct lines_user *);
void cp2112_free(struct cp2112 *); /* unplugs first; NULL is fine */
struct usbdev *cp2112_usbdev(struct cp2112 *);
void cp2112_plug(struct cp2112 *,
		 bool in); /* it has its supply from the cable: without, it forgets all but that memory */
enum line_drive cp2112_drive(const struct cp2112 *, unsigned line);

#endif
