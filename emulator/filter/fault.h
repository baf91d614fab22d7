/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filter that goes wrong on purpose: transfers of the device below meet the rules (fault_rule.h) on their way. Without
 * rules it changes nothing. What concerns pins, cable and supply it asks of the board, as events on the bench.
 */
#ifndef DFUBENCH_FAULT_H
#define DFUBENCH_FAULT_H

#include "bench.h"
#include "dfuse.h"
#include "fault_rule.h"
#include "mcu.h"
#include "profile.h"
#include "usbdev.h"

struct fault;

#define FAULT_RULES 64 /* in one filter */

/* The board behind it. Every member is required. The actions are called from bench events alone. */
struct fault_ops {
	bool (*in_rom)(void *context);          /* the device below is the ROM */
	enum dfu_state (*state)(void *context); /* of the ROM */
	uint32_t (*pointer)(void *context);     /* of the ROM */
	void (*cable)(void *context, bool in);
	void (*power)(void *context, bool on);
	void (*reset)(void *context, bool high); /* NRST */
};

enum fault_event_type {
	FAULT_EVENT_FIRED,    /* id, rule */
	FAULT_EVENT_ATTACHED, /* as the host above sees it */
	FAULT_EVENT_DETACHED,
};
struct fault_event {
	enum fault_event_type type;
	uint64_t at_us;
	unsigned id;
	const struct fault_rule *rule; /* valid during the call */
};

struct fault_info {
	unsigned id;
	struct fault_rule rule;
	uint32_t matches, fired;
};

/* Takes the place of below's host; all but ops' context is to outlive it. seed: the same seed and the same traffic give
 * the same faults. NULL on ENOMEM. */
struct fault *fault_new(struct bench *, struct usbdev *below, const struct mcu_profile *, const struct fault_ops *,
			void *context, uint64_t seed);
/* No transfers pending; below is left without a host; what a fault was to bring back stays away. NULL is fine. */
void fault_free(struct fault *);
struct usbdev *fault_usbdev(struct fault *);

/* The rule is copied and in force from now on, after those that are there. Its id, from 1, never used again; -ENOSPC. */
int fault_add(struct fault *, const struct fault_rule *);
int fault_remove(struct fault *, unsigned id); /* 0 or -ENOENT. What has begun goes on. */
void fault_clear(struct fault *);
/* The index-th rule from 0; false: there are no more. */
bool fault_list(const struct fault *, unsigned index, struct fault_info *);

/* What is submitted meanwhile is not the host's: no rule sees it. */
void fault_suspend(struct fault *, bool suspended);

/* The board's events, for what is decided at boot. Only looks at them. */
void fault_board_event(struct fault *, const struct mcu_event *);
/* One listener; called in the middle of things: look, do not touch. NULL: none. */
void fault_listen(struct fault *, void (*event)(void *context, const struct fault_event *), void *context);

#endif
