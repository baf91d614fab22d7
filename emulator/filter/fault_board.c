/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults of the board: cable, supply, NRST, and a clock that does not start. */
#include <stdlib.h>
#include "fault_internal.h"

#define RESET_PULSE_US 20000u
/* "Tens of seconds", or two minutes (BOOT-19, EV-28). */
#define FLAKY_LEAST_US 40000000u
#define FLAKY_MOST_US 120000000u

/* An action on the board that is due, or to be undone. */
struct act {
	struct act *next;
	struct fault *fault;
	struct bench_event event;
	enum fault_action action;
	bool undo, undoing;
	uint64_t undo_us;
};

static void set_board(struct fault *f, enum fault_action action, bool wrong)
{
	if (action == FAULT_UNPLUG)
		f->ops->cable(f->context, !wrong);
	else if (action == FAULT_POWER_CUT)
		f->ops->power(f->context, !wrong);
	else
		f->ops->reset(f->context, !wrong);
}

static void act_is_due(struct bench_event *event)
{
	struct act *a = event->context;
	struct fault *f = a->fault;
	struct act **link = &f->acts;

	set_board(f, a->action, !a->undoing);
	if (a->undo && !a->undoing) {
		a->undoing = true;
		bench_after(f->bench, &a->event, a->undo_us);
		return;
	}
	while (*link != a)
		link = &(*link)->next;
	*link = a->next;
	free(a);
}

/* Never at once: we may be inside of the board's own doings. */
static void act_later(struct fault *f, const struct fault_rule *r)
{
	struct act *a = calloc(1, sizeof(*a));

	if (!a) /* a fault that does not happen: the board is none the worse for it */
		return;
	a->fault = f;
	a->action = r->action;
	a->undo = r->has_value || r->action == FAULT_RESET;
	a->undo_us = r->has_value ? r->value : RESET_PULSE_US;
	a->event.fire = act_is_due;
	a->event.context = a;
	a->next = f->acts;
	f->acts = a;
	bench_after(f->bench, &a->event, r->after_us);
}

void fault_timed_is_due(struct bench_event *event)
{
	struct entry *e = event->context;

	if (fault_fires(e->fault, e))
		act_later(e->fault, &e->rule);
}

void fault_board_rules(struct fault *f, const struct sight *s, uint32_t among)
{
	for (struct entry *e = f->entries; e; e = e->next)
		if (fault_acts_on_board(e->rule.action) && e->rule.action != FAULT_FLAKY_HSE &&
		    !fault_rule_is_timed(&e->rule) && fault_matches(f, &e->rule, s, among) && fault_fires(f, e))
			act_later(f, &e->rule);
}

/* After the reply that starts it (EX-3): power and reset are to find the operation under way. */
void fault_watch_execution(struct fault *f, const struct usb_urb *urb)
{
	struct sight s;
	enum dfu_state state;

	if (urb->endpoint & 0x0f || (urb->setup.type & 0x60) != 0x20 || urb->result != USB_ACK ||
	    !f->ops->in_rom(f->context))
		return;
	switch (urb->setup.request) {
	case DFU_DNLOAD:
		f->buffered = fault_look(f, urb);
		f->buffered.requests &= FAULT_OPERATIONS;
		f->buffered.state = f->arrival_state;
		break;
	case DFU_GETSTATUS:
		state = f->ops->state(f->context);
		if (!f->buffered.requests || (state != DFU_DNBUSY && state != DFU_MANIFEST))
			break;
		s = f->buffered;
		f->buffered.requests = 0;
		fault_board_rules(f, &s, FAULT_OPERATIONS);
		break;
	case DFU_CLRSTATUS:
	case DFU_ABORT:
	case DFU_DETACH:
		f->buffered.requests = 0;
		break;
	}
}

/* The clock of the ROM */

void fault_hse_has_locked(struct bench_event *event)
{
	struct fault *f = event->context;

	f->hse_stuck = false;
	fault_show(f);
}

/* The ROM starts: does it find its clock? (BOOT-6, BOOT-19) */
static void try_hse(struct fault *f)
{
	for (struct entry *e = f->entries; e; e = e->next) {
		uint64_t stuck_us;

		if (e->rule.action != FAULT_FLAKY_HSE || bench_now_us(f->bench) < e->rule.from_us || !fault_fires(f, e))
			continue;
		stuck_us = e->rule.has_value ? e->rule.value : prng_between(&e->prng, FLAKY_LEAST_US, FLAKY_MOST_US);
		f->hse_stuck = true;
		bench_after(f->bench, &f->hse_event, stuck_us);
	}
}

void fault_board_event(struct fault *f, const struct mcu_event *event)
{
	if (event->type == MCU_EVENT_RESET || (event->type == MCU_EVENT_BOOTED && event->mode != MCU_ROM)) {
		f->hse_stuck = false;
		bench_cancel(f->bench, &f->hse_event);
	}
	if (event->type == MCU_EVENT_BOOTED && event->mode == MCU_ROM_STARTING)
		try_hse(f);
}

void fault_acts_free(struct fault *f)
{
	while (f->acts) {
		struct act *a = f->acts;

		f->acts = a->next;
		bench_cancel(f->bench, &a->event);
		free(a);
	}
}
