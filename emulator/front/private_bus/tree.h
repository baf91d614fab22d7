/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of the private bus: a folder on disk that stands for /sys/bus, /sys/devices/platform/dfubench.0,
 * /sys/dev/char, /dev/bus/usb and /run/udev, with what Linux and udevd write there for a root hub and for the devices
 * below it. A reader never sees half an attribute, and finds a device under /sys/bus/usb/devices only once it is
 * complete.
 */
#ifndef DFUBENCH_TREE_H
#define DFUBENCH_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include "describe.h"
#include "uevent.h"

#define TREE_BUS 1u
#define TREE_ADDRESSES 127u /* device numbers, the root hub among them */
#define TREE_TERMINALS 32u  /* ttyACM0 and so on */
#define TREE_PORTS 15u      /* of the root hub, as many as an xHCI one has; a port's device is "1-PORT" */

struct tree;

/* Make a folder dfubench-UID-PID-xxxxxx, mode 0700, in base; NULL: in the first that works of $XDG_RUNTIME_DIR,
 * /dev/shm, $TMPDIR, /tmp. It is locked (flock) for the life of the tree; folders there that a dead process of this
 * user left behind are removed first. The root hub is device 1. NULL: *error is the -errno of the last place tried. */
struct tree *tree_new(const char *base, int *error);
/* The folder is empty until then: writes all that is known, once, as most of what a shell script starts never looks. 0 or
 * -errno with nothing written; the next call tries again. Changes below show at once afterwards; tree_set_configuration()
 * and tree_set_alt() call it themselves. */
int tree_show(struct tree *);
/* Takes the folder away with all that is in it; NULL is fine. Also right in a forked child when the parent has died. */
void tree_free(struct tree *);
const char *tree_root(const struct tree *); /* absolute, without symbolic links; below it sys/, dev/ and run/ */

/* All: 0 or -errno; on failure the tree is as before, unless said otherwise. -ENODEV: no such device.
 * What is described is copied. number: 2..TREE_ADDRESSES, port: 1..TREE_PORTS. -EINVAL outside, -EEXIST if either is taken.
 * denied: the node's mode lets nobody write, as of one that udev gave to somebody else. */
int tree_add_device(struct tree *, unsigned number, unsigned port, const struct usb_description *, bool denied);
/* The device leaves the tree even if removing a file of it failed. */
int tree_remove_device(struct tree *, unsigned number);
/* bConfigurationValue changes, and the interfaces with it: all stand at alternate setting 0, without driver. 0: not
 * configured. -EINVAL: no such configuration. On other failures the device may be left without interfaces. */
int tree_set_configuration(struct tree *, unsigned number, uint8_t value);
/* An interface's alternate setting. name: its text, NULL: what the description knows. -EINVAL: no such setting.
 * On other failures attributes of both settings may stand there. */
int tree_set_alt(struct tree *, unsigned number, uint8_t interface, uint8_t alt, const char *name);
/* The driver bound to an interface, "usbfs" for one claimed through the device's node; NULL: none. */
int tree_set_driver(struct tree *, unsigned number, uint8_t interface, const char *driver);

/* A terminal of an interface: /dev/ttyACM<minor>, with its links below /dev/serial, and what stands for it in sysfs. -EINVAL: no
 * such interface, -EEXIST: the minor is taken. It goes before its interface does. */
int tree_add_terminal(struct tree *, unsigned minor, unsigned number, uint8_t interface);
int tree_remove_terminal(struct tree *, unsigned minor);
/* As tree_event(), of the terminal. */
int tree_terminal_event(const struct tree *, unsigned minor, struct uevent_device *event);
/* A folder of the machine that terminals are in, "/dev" or "/sys/class/tty", gets its own entries beside ours, once; but for
 * what the machine has of that name. To be listed only. */
int tree_merge(struct tree *, const char *folder);

/* NULL: no such device. Valid until it changes. */
const struct usb_description *tree_description(const struct tree *, unsigned number);
/* What to announce of a device (interface -1) or one of its interfaces. Pointers in *event are valid until it
 * changes. */
int tree_event(const struct tree *, unsigned number, int interface, struct uevent_device *event);
/* Number of the nth interface of the configuration set, or -1 behind the last. */
int tree_interface(const struct tree *, unsigned number, unsigned nth);

#endif
