/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the fault filter share. Not for its users: see fault.h. */
#ifndef DFUBENCH_FAULT_INTERNAL_H
#define DFUBENCH_FAULT_INTERNAL_H

#include "fault.h"
#include "prng.h"

/* A transfer as a rule looks at it. */
struct sight {
	uint32_t requests; /* FAULT_BITs */
	bool has_block, has_address;
	uint16_t block;
	uint32_t first, last; /* addresses, both included */
	enum dfu_state state;
};

struct entry {
	struct entry *next;
	unsigned id;
	struct fault_rule rule;
	struct prng prng;
	uint32_t matches, fired;
	struct bench_event timed; /* of a rule that waits for no transfer */
	struct fault *fault;
};

struct act;        /* fault_board.c */
struct fault_held; /* fault.c */

struct fault {
	struct usbdev dev;   /* first: a struct usbdev * of ours is a struct fault * */
	struct usbhost host; /* towards the device below */
	struct usbdev *below;
	struct bench *bench;
	const struct mcu_profile *profile;
	const struct fault_ops *ops;
	void *context;
	struct prng prng;
	struct entry *entries;
	unsigned entry_count, last_id;
	struct fault_held *held;
	struct act *acts;
	unsigned era;          /* counts bus resets */
	struct sight buffered; /* the download that the next GETSTATUS starts; requests is 0 without */
	enum dfu_state arrival_state;
	bool hse_stuck;
	bool suspended;
	struct bench_event hse_event;
	void (*listener)(void *context, const struct fault_event *);
	void *listener_context;
};

void fault_tell(struct fault *, enum fault_event_type, const struct entry *);
/* Towards the host, if the board has its pull-up on and its clock runs. */
void fault_show(struct fault *);

/* --- fault_match.c --- */
struct sight fault_look(const struct fault *, const struct usb_urb *);
/* among: the requests that count now. Probability and count are left to fault_fires(). */
bool fault_matches(const struct fault *, const struct fault_rule *, const struct sight *, uint32_t among);
/* All else holds: does the rule hit this time? It counts, and its listener is told. */
bool fault_fires(struct fault *, struct entry *);

/* --- fault_board.c --- */
/* Rules that act on the board, for a transfer on its way to it. */
void fault_board_rules(struct fault *, const struct sight *, uint32_t among);
void fault_watch_execution(struct fault *, const struct usb_urb *);
void fault_timed_is_due(struct bench_event *);
void fault_hse_has_locked(struct bench_event *);
void fault_acts_free(struct fault *);

#endif
