/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the rig of a real board share. */
#ifndef DFUBENCH_RIG_BOARD_INTERNAL_H
#define DFUBENCH_RIG_BOARD_INTERNAL_H

#include <time.h>
#include "board_lock.h"
#include "board_usb.h"
#include "console_port.h"
#include "dfu_client.h"
#include "history.h"
#include "rig_board.h"
#include "usbmon_tap.h"
#include "wires.h"

#define BOARD_SECTORS 1024u

struct board {
	struct rig rig; /* first */
	struct rig_ops ops;
	const struct board_rig *file;
	const struct mcu_profile *profile;
	struct wires *wires;
	struct board_lock *turn; /* to be in the ROM */
	char why[RIG_WHY];       /* of what failed last */

	/* Levels at the board, as they were asked for; when they came to be, by now_us(). */
	bool high[WIRES];
	uint64_t changed_us[WIRES];
	bool in_reset, unplugged;
	bool looking;    /* resets are our own: what was said before them still counts */
	bool booted_rom; /* BOOT0 was high at the last reset */
	bool left;       /* something in the bootloader has started the application since */
	struct host_refused refused;
	char port[32];      /* where the board is; "": not known yet */
	char serial[64];    /* of its ROM */
	uint64_t start_us;  /* CLOCK_MONOTONIC at opening */
	uint64_t origin_us; /* time of day then */

	/* What is in it, as last looked at. */
	uint8_t *flash;
	bool flash_known, options_known;
	uint8_t options[OPTION_MAX_BYTES], options_before[OPTION_MAX_BYTES];
	bool options_changed; /* by this rig: put back when it is closed */
	enum rdp_level rdp;
	bool touched; /* since the last reset: by a tool, which may have left it busy */
	bool stuck;   /* since then: it does not answer */

	struct usbmon_tap *tap; /* NULL */
	struct transcript nothing;
	struct rig_event *events;
	size_t event_count;

	struct console_port *console; /* NULL */

	/* erases of each sector so far in all, and those of this run */
	struct history *history; /* NULL: no limit is to be kept */
	unsigned sector_count;
	uint64_t worn[BOARD_SECTORS];
	unsigned erased[BOARD_SECTORS], saved[BOARD_SECTORS];
	size_t counted; /* exchanges of which the erases are counted */
	bool warned;
	uint64_t slowest_us[BOARD_SECTORS];
};

static inline struct board *board_of(struct rig *rig)
{
	return (struct board *)rig;
}

/* --- rig_board_wires.c --- */
/* Into why; returns error. */
int board_fail(struct board *, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
uint64_t board_clock_us(clockid_t);
uint64_t board_now_us(const struct board *);
bool board_is_ready(struct board *, const struct host_device *); /* as host_device_is_ready() */
/* Waits, and listens to usbmon and console meanwhile. */
void board_pause(struct board *, uint64_t us);
void board_idles(struct board *); /* the wires have just been opened, which has brought all to idle */
int board_wire(struct board *, enum wire, bool high); /* with the times of the file; 0 or -errno with why */
int board_reset(struct board *);                      /* a pulse on NRST, or what stands for it */
/* Where the board is, from where it is seen now. */
void board_learn(struct board *, const struct host_device *);

/* --- rig_board_look.c --- */
/* Into the bootloader, whatever the board does, and which one it is: for the start. */
int board_enter(struct board *, struct host_device *);
int board_peek(struct rig *, unsigned board);
int board_flash_load(struct rig *, unsigned board, uint32_t address, const uint8_t *data, size_t length);
int board_flash_read(struct rig *, unsigned board, uint32_t address, uint8_t *data, size_t length);
int board_options_load(struct rig *, unsigned board, const uint8_t *bytes);
int board_options_read(struct rig *, unsigned board, uint8_t bytes[OPTION_MAX_BYTES]);
int board_status(struct rig *, unsigned board, struct rig_status *);
/* At the start: flash and option bytes, read protection taken away where the file allows it. */
int board_look(struct board *);

/* --- rig_board_tool.c --- */
bool board_crowded(struct rig *);
int board_run(struct rig *, const struct rig_run *, struct rig_ran *, char why[RIG_WHY]);

/* --- rig_board_record.c --- */
int board_record_open(struct board *, const char *capture); /* 0, also where nothing is recorded */
const struct transcript *board_transcript(struct rig *);
const struct rig_event *board_events(struct rig *, size_t *count);
int board_wear_open(struct board *);
int board_wear_check(struct board *, unsigned sector); /* before it is erased; -EDQUOT with why */
void board_wear_count(struct board *, unsigned sector, uint64_t took_us);
/* What a tool is about to erase, where nobody will hear of it. */
void board_wear_foresee(struct board *, const struct rig_erase *, size_t count);
void board_wear_save(struct board *); /* with what tools have erased, by the transcript */
/* For people; NULL: no sector is at the limit where that is to be told. */
const char *board_wear_warning(const struct board *, char out[RIG_WHY]);

#endif
