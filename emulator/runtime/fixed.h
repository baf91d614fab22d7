/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bystanders: devices known by their descriptors alone, which share the bus with the board. They enumerate and answer
 * strings; class and vendor requests are STALLed, IN endpoints have nothing to say for ever, OUT endpoints swallow.
 *
 * A descriptor file is text. One item to a line, '#' starts a comment, a line that begins with a blank goes on with the
 * item above it:
 *
 *	speed full|low|high                  default full
 *	device 12 01 00 02 ...               the 18 bytes of the device descriptor
 *	configuration 09 02 20 00 ...        one for each bNumConfigurations, whole, in order
 *	string INDEX "text"                  UTF-8; \" and \\ for the two; an index without a line is STALLed
 *
 * Lengths, totals, counts and endpoints are checked against USB 2.0 9.6, and the whole file before anything is used.
 */
#ifndef DFUBENCH_FIXED_H
#define DFUBENCH_FIXED_H

#include <stddef.h>
#include <stdint.h>
#include "usbdev.h"

#define FIXED_FILE_BYTES 65536u /* longer files are refused */

struct fixed_descriptors {
	enum usb_speed speed;
	uint8_t device[18];
	uint8_t **configurations; /* device[17] of them, of wTotalLength bytes each */
	char *strings[256];       /* UTF-8 or NULL; [0] unused */
};

struct fixed_error {
	unsigned line, column; /* from 1; the column counts bytes */
	char text[160];        /* "what was wrong, what was expected" */
};

/* text need not end in NUL. 0 with *out (to be freed), or -EINVAL with the first error, or -ENOMEM. */
int fixed_parse(const char *text, size_t length, struct fixed_descriptors **out, struct fixed_error *error);
void fixed_descriptors_free(struct fixed_descriptors *); /* NULL is fine */

/* The same from a file. On error message holds "FILE:LINE:COL: ..." or "cannot open 'FILE': ...". */
int fixed_load(const char *path, struct fixed_descriptors **out, char *message, size_t size);

struct fixed;

/* The descriptors are borrowed and may serve several devices. NULL on ENOMEM. Not plugged in. */
struct fixed *fixed_new(const struct fixed_descriptors *);
void fixed_free(struct fixed *); /* unplugs first; NULL is fine */
struct usbdev *fixed_usbdev(struct fixed *);
void fixed_plug(struct fixed *);
void fixed_unplug(struct fixed *);

#endif
