/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of `dfuhil rig check` share: steps, each with what it does, expects and sees, and how to mend what is wrong. */
#ifndef DFUBENCH_RIG_CHECK_H
#define DFUBENCH_RIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include "board_usb.h"
#include "console_port.h"
#include "rig.h"
#include "wires.h"

enum rig_check_verdict { RIG_CHECK_OK, RIG_CHECK_WARNING, RIG_CHECK_FAILED, RIG_CHECK_SKIPPED };

#define RIG_CHECK_MENDS 8
#define RIG_CHECK_STEPS 24

struct rig_check_step {
	const char *name;
	char does[200], expects[200], saw[640];
	enum rig_check_verdict verdict;
	char mends[RIG_CHECK_MENDS][400];
	unsigned mend_count;
};

struct rig_check {
	const struct board_rig *rig;
	struct wires *wires;
	struct console_port *console;
	struct rig_check_step steps[RIG_CHECK_STEPS];
	unsigned count;
	bool failed;
	char port[32]; /* where the board is, once it was seen */
	bool blank;    /* its flash holds no application */
	bool no_reset; /* it was seen not to follow */
	void (*told)(const struct rig_check *, const struct rig_check_step *); /* of each step that is over */
};

/* For who has claimed the board already, as rig_choice_check() does: all steps, without a word. False with why: what the first that
 * failed saw. */
bool rig_check_is_fit(const struct board_rig *, char why[RIG_WHY]);

/* --- rig_check.c --- */
struct rig_check_step *rig_check_begin(struct rig_check *, const char *name);
void rig_check_end(struct rig_check *, struct rig_check_step *, enum rig_check_verdict, const char *saw, ...)
	__attribute__((format(printf, 4, 5)));
void rig_check_mend(struct rig_check_step *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- rig_check_board.c --- */
/* All that is done to the board, once its wires are open. */
void rig_check_board(struct rig_check *);

#endif
