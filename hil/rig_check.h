/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of `dfuhil rig check` share: steps, each with what it does, expects and sees, and how to mend what is wrong. */
#ifndef DFUBENCH_RIG_CHECK_H
#define DFUBENCH_RIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include "board_lock.h"
#include "board_usb.h"
#include "console_port.h"
#include "rig.h"
#include "wires.h"

enum rig_check_verdict { RIG_CHECK_OK, RIG_CHECK_WARNING, RIG_CHECK_FAILED, RIG_CHECK_SKIPPED };

#define RIG_CHECK_MENDS 10
#define RIG_CHECK_STEPS 24

struct rig_check_step {
	const char *name;
	char does[200], expects[200], saw[640];
	enum rig_check_verdict verdict;
	bool of_board; /* it failed because of the board, as far as can be known */
	char mends[RIG_CHECK_MENDS][400];
	unsigned mend_count;
};

struct rig_check {
	const struct board_rig *rig;
	struct board_lock *turn; /* to be in its bootloader */
	struct wires *wires;
	struct console_port *console;
	struct rig_check_step steps[RIG_CHECK_STEPS];
	unsigned count;
	bool failed;
	char port[32];       /* where the board is, once it was seen */
	bool blank;          /* its flash holds no application */
	bool no_reset;       /* it was seen not to follow */
	bool no_application; /* nothing came, though the flash holds something */
	void (*told)(const struct rig_check *, const struct rig_check_step *); /* of each step that is over */
};

/* For who has claimed the board already, as rig_choice_check() does: all steps, without a word. False with why: what the first that
 * failed saw, and whether that is of the board, and not of the rig. */
bool rig_check_is_fit(const struct board_rig *, bool *board, char why[RIG_WHY]);

/* --- rig_check.c --- */
struct rig_check_step *rig_check_begin(struct rig_check *, const char *name);
void rig_check_end(struct rig_check *, struct rig_check_step *, enum rig_check_verdict, const char *saw, ...)
	__attribute__((format(printf, 4, 5)));
void rig_check_mend(struct rig_check_step *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- rig_check_board.c --- */
uint64_t rig_check_now_us(void);
void rig_check_pause(struct rig_check *, uint64_t us);
bool rig_check_tried(struct rig_check *, enum wire, bool high); /* without a word; false: the wire failed */
/* As board_usb_rom(), once that has a configuration; within so long. */
int rig_check_wait_rom(struct rig_check *, struct host_device *, uint64_t within_us, char why[BOARD_USB_WHY]);
#define RIG_CHECK_GONE_US UINT64_C(3000000) /* for the host to notice */
bool rig_check_wait_rom_gone(struct rig_check *, uint64_t within_us);
const char *rig_check_port(const struct rig_check *); /* where the board is; NULL: not known yet */
/* All that is done to the board, once its wires are open. It is in its bootloader no longer. */
void rig_check_board(struct rig_check *);

/* --- rig_check_rom.c --- */
bool rig_check_state(struct rig_check *, const struct host_device *); /* right after a reset; false: nobody answers */
void rig_check_memory(struct rig_check *);

/* --- rig_check_nothing.c --- */
/* Pins that are not what the file says they are, found with nothing but what it switches. False: not found. All may be anywhere then. */
bool rig_check_mend_by_trying(struct rig_check *, struct rig_check_step *);
/* How to mend that no bootloader came up. app_before: the application was there at the start. */
void rig_check_mend_nothing(struct rig_check *, struct rig_check_step *, bool app_before);

#endif
