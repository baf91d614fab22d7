/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rig file of kind `board`: a real board, the wires that switch it, how it is found on USB, what may be done to it. A value: made
 * once from a file that was checked as a whole, read by everybody else (wires.h, rig_board.c, rig_check.c, nightly.c).
 */
#ifndef DFUBENCH_BOARD_RIG_H
#define DFUBENCH_BOARD_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "value.h"

/* What can be switched. Levels are those at the board: BOOT0 and NRST high or low, supply and VBUS on (high) or off. */
enum wire { WIRE_BOOT0, WIRE_NRST, WIRE_POWER, WIRE_VBUS, WIRES };

/* What may be done to the board beside writing its flash; a set. RDP level 2 and the OTP area are never written on a real board. */
enum board_allows {
	ALLOWS_MASS_ERASE = 1,
	ALLOWS_OPTION_BYTES = 2,
	ALLOWS_RDP1 = 4,
};

#define BOARD_RIG_LABGRID_US 30000000u

struct wire_file; /* one wire as the file describes it: wires.h's own */

struct board_rig {
	char *path, *name, *about; /* of the file; about: NULL */
	char *profile;             /* "f407" */
	/* How it is found: its ID as ROM, and at least one of serial number (of its ROM) and port ("1-1.2", as in sysfs). */
	uint16_t vendor, product;
	char *serial, *port;
	/* What enumerates when its application runs; 0:0: nothing is known of it. */
	uint16_t app_vendor, app_product;
	/* Its serial console: a device file, or the ttyACM of the application (console_usb); NULL and false: none. */
	char *console;
	bool console_usb;
	unsigned console_speed;         /* baud */
	struct wire_file *wires[WIRES]; /* NULL: is not switched */
	/* Of those that are switched, WIRES ends: in which order all are brought to idle; power and vbus are cut and given back. */
	enum wire idle_order[WIRES + 1], off_order[3], on_order[3];
	enum wire reset_by; /* what a reset is: NRST pulsed, or the supply cut for off_us; WIRES: there is none */
	/* The whole board belongs to this place of labgrid, to be acquired and released with it; coordinator may be NULL. */
	char *place, *coordinator;
	uint64_t labgrid_us; /* one start of labgrid-client may take */
	/* us: how long NRST is held, what follows a change of BOOT0 before NRST is let go, how long the supply stays off, how long
	 * after it is on the board may be asked for anything, how long the board may take to be listed. */
	uint64_t reset_us, settle_us, off_us, on_us, listed_us;
	unsigned allows;               /* set of board_allows */
	unsigned wear_warn, wear_stop; /* erases of one sector, by the history; 0: no limit */
	char *usbmon;                  /* "/dev/usbmon1" to record from; "auto"; NULL: nothing is recorded */
};

struct yaml;

extern const struct field board_rig_fields[];

/* Is this file one of kind `board`, or meant to be? */
bool board_rig_is(struct yaml *);
/* The file stays the caller's, and problems have its lines already. NULL with problems told. */
struct board_rig *board_rig_read(struct yaml *, struct problems *);
void board_rig_free(struct board_rig *); /* NULL is fine */

#endif
