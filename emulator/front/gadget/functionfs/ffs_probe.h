/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling FunctionFS what the device is, and the user what this kernel makes of it. */
#ifndef DFUBENCH_FFS_PROBE_H
#define DFUBENCH_FFS_PROBE_H

#include "describe.h"
#include "front.h"

/* ep0: of a fresh FunctionFS. 0, or -errno with why[]; what will be missing is said by warn(), unless it has been said before
 * (*told). */
int ffs_probe(const struct front_env *, int ep0, const struct usb_description *, bool *told, char why[FRONT_WHY]);

#endif
