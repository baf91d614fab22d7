/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel and udev say about a USB device: the text of its uevent attribute, its properties in udev's database,
 * and the two datagrams of a NETLINK_KOBJECT_UEVENT socket (group 1: the kernel's; group 2: udevd's, for libudev).
 */
#ifndef DFUBENCH_UEVENT_H
#define DFUBENCH_UEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "describe.h"

#define UEVENT_GROUP_KERNEL 1u
#define UEVENT_GROUP_UDEV 2u
#define UEVENT_MAX_BYTES 8192u /* no datagram made here is longer; libudev's own buffer is as large */
#define USB_DEVICE_MAJOR 189u
#define ACM_TTY_MAJOR 166u /* of cdc-acm (Documentation/admin-guide/devices.txt) */
#define UEVENT_LINK_BYTES 320u

enum uevent_action { UEVENT_ADD, UEVENT_REMOVE, UEVENT_BIND, UEVENT_UNBIND, UEVENT_CHANGE };

/* All pointers are the caller's and need to live for the call only. */
struct uevent_device {
	const struct usb_description *description;
	const char *devpath;      /* below /sys: "/devices/platform/dfubench.0/usb1/1-1" */
	const char *port;         /* devpath attribute: "1", "1.2"; "0" for a root hub */
	unsigned bus, number;     /* busnum, devnum */
	const uint8_t *interface; /* interface descriptor, 9 bytes; NULL: the device itself */
	const char *driver;       /* NULL: none bound */
	uint64_t initialized_us;  /* CLOCK_MONOTONIC when udevd was done with it; 0: never seen by udevd */
	const char *terminal;     /* "ttyACM0": the terminal of that interface, whose devpath it is; NULL: none */
	unsigned minor;           /* of it */
};

static inline unsigned usb_device_minor(unsigned bus, unsigned number)
{
	return (bus - 1) * 128 + number - 1;
}

/* "usb:v0483pDF11d2200dc00..." of an interface; out has room for 64 bytes. */
void uevent_modalias(const struct uevent_device *, char out[64]);
/* Content of the uevent attribute: lines "KEY=VALUE\n". Returns the length (without the NUL), or -ENOSPC. */
int uevent_attribute(const struct uevent_device *, char *out, size_t size);
/* Content of the file under /run/udev/data. The same returns. */
int uevent_database(const struct uevent_device *, char *out, size_t size);

/* One datagram. seqnum: at least 1 (libudev refuses 0). Returns its length, or -ENOSPC. */
int uevent_kernel(const struct uevent_device *, enum uevent_action, uint64_t seqnum, uint8_t *out, size_t size);
int uevent_udev(const struct uevent_device *, enum uevent_action, uint64_t seqnum, uint8_t *out, size_t size);

/* The links of a terminal below /dev, as udev's 60-serial.rules have them: "serial/by-id/usb-...-if00", "serial/by-path/...". */
void uevent_links(const struct uevent_device *, char by_id[UEVENT_LINK_BYTES], char by_path[UEVENT_LINK_BYTES]);

/* MurmurHash2, seed 0, of the bytes of a word: the hash behind libudev's socket filters. */
uint32_t uevent_hash(const char *word);

#endif
