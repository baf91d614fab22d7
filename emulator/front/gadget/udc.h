/* SPDX-License-Identifier: GPL-2.0-or-later */
/* USB device controllers of this machine, as sysfs lists them. */
#ifndef DFUBENCH_UDC_H
#define DFUBENCH_UDC_H

#include "front.h"

#define UDC_CLASS "/sys/class/udc"
#define UDC_NAME 128 /* as long as raw-gadget takes them; with the NUL */

/* The named one, or without a name the only one; it must be free. folder: UDC_CLASS. 0, or -errno with why[]. */
int udc_choose(const char *folder, const char *name, char chosen[UDC_NAME], char why[FRONT_WHY]);
/* No other is free. */
bool udc_is_only_free(const char *folder, const char *name);
/* What uses it, in the words of a message; "" if nothing does. */
void udc_user(const char *folder, const char *name, char user[UDC_NAME]);
/* The name that its driver gives to the kind of controller: raw-gadget asks for it. 0 or -errno. */
int udc_driver(const char *folder, const char *name, char driver[UDC_NAME]);
/* A file of a line in folder/name, without its newline. Cut to fit. 0 or -errno. */
int udc_attribute(const char *folder, const char *name, const char *file, char line[UDC_NAME]);

#endif
