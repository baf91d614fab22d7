// SPDX-License-Identifier: GPL-2.0-or-later
/* Console, LEDs and faults of an emulated board. */
#include "board_signs.h"
#include <string.h>
#include "engine.h"

#define HARD_FAULT 3
#define HFSR_FORCED (1u << 30)

static void lit(struct board_signs *s, const char *name, bool on)
{
	for (unsigned i = 0; i < ENGINE_LEDS; i++)
		if (name && !strcmp(name, engine_led_name(i)))
			s->leds = (s->leds & ~(1u << i)) | (unsigned)on << i;
}

/* A fault that has no handler of its kind is a HardFault as well (DDI 0403 B1.5.13). */
static unsigned kinds(const struct mcu_fault *f)
{
	return 1u << (f->exception & 31) | (f->hfsr & HFSR_FORCED ? 1u << HARD_FAULT : 0) | (f->lockup ? 1u : 0);
}

/* What goes wrong after the first one goes wrong because of it; so does what runs after a reset that nobody outside has made. */
static void keep_fault(struct rig_fault *f, const struct mcu_event *e)
{
	if (!f->count || f->was_reset)
		*f = (struct rig_fault){ .at_us = e->at_us, .fault = *e->fault };
	f->count++;
	f->lockup |= e->fault->lockup;
}

static void keep_reset(struct rig_fault *f, enum reset_cause cause)
{
	bool by_itself = cause == RESET_SOFTWARE || cause == RESET_WATCHDOG || cause == RESET_WINDOW_WATCHDOG;

	if (!by_itself)
		*f = (struct rig_fault){ .count = 0 };
	else if (!f->was_reset)
		f->cause = cause;
	f->was_reset = by_itself;
}

void board_signs_heard(struct board_signs *s, const struct mcu_event *e)
{
	console_heard(&s->console, e);
	switch (e->type) {
	case MCU_EVENT_RESET:
		s->leds = 0;
		s->faults = 0;
		keep_reset(&s->fault, e->cause);
		break;
	case MCU_EVENT_LED:
		lit(s, e->name, e->high);
		break;
	case MCU_EVENT_FAULT:
		if (!e->fault)
			break;
		s->faults |= kinds(e->fault);
		keep_fault(&s->fault, e);
		break;
	default:
		break;
	}
}

void board_signs_clear(struct board_signs *s)
{
	console_text_clear(&s->console);
	*s = (struct board_signs){ .leds = 0 };
}

bool board_signs_show(const struct board_signs *s, const struct rig_sign *sign)
{
	switch (sign->kind) {
	case SIGN_LED:
		return (s->leds >> sign->led & 1) == sign->on;
	case SIGN_FAULT:
		return sign->lockup      ? s->faults & 1
		       : sign->exception ? s->faults >> sign->exception & 1
					 : s->faults != 0;
	}
	return false;
}
