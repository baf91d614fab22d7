/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking into a real board, between rig_board_look.c and rig_board_load.c: from what it was doing to dfuIDLE, and back. */
#ifndef DFUBENCH_RIG_BOARD_LOOK_H
#define DFUBENCH_RIG_BOARD_LOOK_H

#include "rig_board_internal.h"

/* The longest that an F4 is busy for, a mass erase with x8, takes 32 s (DS8626). */
#define BUSY_US UINT64_C(35000000)

/* What the board was doing. */
enum doing {
	DOES_OTHER,
	DOES_DFU,
	DOES_FRESH_DFU,
	DOES_NOTHING_NEW, /* it was not touched */
};
struct look {
	struct dfu_client *client;
	struct host_device device;
	enum doing doing;
	enum dfu_state state;
	uint32_t pointer;
	bool high[WIRES], in_reset, left, app_listed;
};

/* All return 0 or -errno with why. */
/* Whatever is about to be done to it: it is the one that is meant. */
int look_check_identity(struct board *b, struct host_device *d);
void look_wait_gone(struct board *b, const struct host_device *was, uint64_t limit_us);
int look_client_error(struct board *b, const struct dfu_client *c, int error, const char *what);
int look_open_client(struct board *b, struct look *l);
/* In dfuIDLE when it returns 0. gently: not at the price of a state that nothing can bring back; then -EAGAIN. To be ended in any
 * case. */
int look_begin(struct board *b, struct look *l, bool gently);
/* error: of what was done, which is what is told. */
int look_end(struct board *b, struct look *l, int error);
int look_read_all(struct board *b, struct look *l);
int look_read_options(struct board *b, struct look *l);
bool look_may_start(const struct board *b); /* an application, by what is known to be in the flash */
/* What is in it, if that is not known. */
int look_refresh(struct board *b, bool gently);

#endif
