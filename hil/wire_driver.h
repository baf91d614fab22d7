/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What switches a wire: one row of wire_drivers[] and one file each (wire_*.c). A driver whose library is not in the build is
 * there all the same, and says what it lacks: files are right or wrong wherever they are read. Not for users of wires: see wires.h.
 */
#ifndef DFUBENCH_WIRE_DRIVER_H
#define DFUBENCH_WIRE_DRIVER_H

#include "value.h"
#include "wires.h"

enum wire_drive { DRIVE_PUSH_PULL, DRIVE_OPEN_DRAIN, DRIVE_OPEN_SOURCE };
enum wire_bias { BIAS_AS_IS, BIAS_DISABLED, BIAS_PULL_UP, BIAS_PULL_DOWN };

/* One wire as a rig file has it. Members that its driver has no use for are 0 or NULL. */
struct wire_file {
	enum wire wire;
	const struct wire_driver *driver;
	bool active_low;       /* the line is high, or the relay pulled, for low at the board */
	bool idle_high;        /* level at the board */
	enum wire_drive drive; /* gpio */
	enum wire_bias bias;   /* gpio */
	char *device;          /* chip; serial number of the relays; serial port; the hub's location; NULL: whichever */
	char *line;            /* gpio: name or offset */
	unsigned number;       /* of the relay or the hub's port, from 1 */
	unsigned speed;        /* relay-serial: baud */
	char **on, **off;      /* command: words for high and for low, NULL ends */
	char *place, *coordinator,
		*name;     /* labgrid; place: NULL: the board's; the others: labgrid-client's own choice */
	bool io;           /* labgrid: a digital output, not the supply */
	uint64_t limit_us; /* of one start of a program */
};

struct wire_driver {
	const char *name;  /* its key in a rig file */
	const char *needs; /* what it is built upon, with its version, or starts: "libgpiod 1.6"; NULL: nothing */
	const char *lacks; /* why it is not in this build, and what to install; NULL: it is */
	/* Gets hold of what switches, idling it where that cannot be had without driving it. State, or NULL with *error and why. */
	void *(*open)(const struct wire_file *, int *error, char why[WIRES_WHY]);
	/* Level at the board; returns when it is so, as far as can be known. 0 or -errno with why; -ENODEV: what switches is gone. */
	int (*set)(void *state, bool high, char why[WIRES_WHY]);
	void (*close)(void *state); /* leaves the level as it is, as far as it is up to us */
};

extern const struct wire_driver wire_gpio, wire_relay_hid, wire_relay_serial, wire_hub, wire_command, wire_labgrid;
extern const struct wire_driver *const wire_drivers[]; /* NULL ends */

/* Is the line to be high, or the relay to be pulled, for that level at the board? */
static inline bool wire_active(const struct wire_file *f, bool high)
{
	return high != f->active_low;
}

/* --- wire_file.c --- */

bool wire_is_port_path(const char *text); /* "1-1.2" */

extern const struct field wire_fields[]; /* of one wire */

/* From an object of wire_fields; mistakes are told. NULL on ENOMEM; what is wrong is left as it may be. */
struct wire_file *wire_file_read(enum wire, const struct object *, struct problems *);
void wire_file_free(struct wire_file *);                                 /* NULL is fine */
bool wire_file_same(const struct wire_file *, const struct wire_file *); /* are both the same line, relay or port? */
void wire_file_text(const struct wire_file *, char *text, size_t size);  /* "line 3 of gpiochip2, active low" */

#endif
