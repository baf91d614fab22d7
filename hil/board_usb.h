/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which device on USB is the board of a rig file, by what this machine's kernel lists. */
#ifndef DFUBENCH_BOARD_USB_H
#define DFUBENCH_BOARD_USB_H

#include "board_rig.h"
#include "host_bus.h"

#define BOARD_USB_WHY 512

/* The board in its bootloader. 0; or with why: -ENODEV it is not listed; -EXDEV what is there is another one (serial number or port);
 * -ENOTUNIQ several answer to the description. */
int board_usb_rom(const struct board_rig *, struct host_device *, char why[BOARD_USB_WHY]);
/* Also that no other device has that ID: a tool that is told no serial number would take any. -ENODEV: nobody has it. */
int board_usb_rom_alone(const struct board_rig *, struct host_device *, char why[BOARD_USB_WHY]);
/* Its application; port: where the board is, NULL: not known. -ENODEV also where the rig file does not say what it is. */
int board_usb_application(const struct board_rig *, const char *port, struct host_device *);

#endif
