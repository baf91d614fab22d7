/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the board as it was (replay_prepare.c) and sending (replay_rig.c). */
#ifndef DFUBENCH_REPLAY_INTERNAL_H
#define DFUBENCH_REPLAY_INTERNAL_H

#include "replay.h"

#define REPLAY_COME_US UINT64_C(5000000) /* until a board must be there */

struct stage {
	struct replay *replay;
	struct rig *rig;
	const char *folder;
	char said[RIG_WHY]; /* by the sender */
	size_t said_length;
};

static inline bool stage_can(const struct stage *s, unsigned what)
{
	return (s->rig->ops->can & what) == what;
}

/* The boards are in their bootloader, with what they held. is_new: nobody had them before. 0; HIL_UNFIT or HIL_USAGE with why. */
int replay_begin(struct stage *, bool is_new, char why[REPLAY_WHY]);

#endif
