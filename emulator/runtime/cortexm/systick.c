/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SysTick (DDI 0403 B3.3), by the cycle: nothing counts, what it would read is computed. Its other clock is HCLK/8 (PM0214 4.5).
 */
#include "machine.h"

enum { ENABLE = 1, TICKINT = 2, CLKSOURCE = 4, COUNTFLAG = 0x10000 };

static uint64_t divider(const struct systick *t)
{
	return t->control & CLKSOURCE ? 1 : 8;
}

static uint32_t value(const struct cpu *c)
{
	const struct systick *t = &c->systick;
	if (!(t->control & ENABLE) || t->zero_at == NEVER)
		return t->value;
	if (c->now - t->wrapped_at < divider(t) && c->now >= t->wrapped_at)
		return 0;
	return (uint32_t)((t->zero_at - c->now + divider(t) - 1) / divider(t)) & 0xFFFFFF;
}

/* From now on it counts down from so much; 0: it takes LOAD first. */
static void count_from(struct cpu *c, uint32_t from)
{
	struct systick *t = &c->systick;
	t->value = from;
	t->wrapped_at = from ? NEVER : c->now;
	t->zero_at = !(t->control & ENABLE) || (!from && !t->load)
			     ? NEVER
			     : c->now + (from ? from : (uint64_t)t->load + 1) * divider(t);
	c->horizon = 0;
}

void systick_update(struct cpu *c)
{
	struct systick *t = &c->systick;
	while (c->now >= t->zero_at) {
		t->control |= COUNTFLAG;
		if (t->control & TICKINT)
			exception_pend(c, EXCEPTION_SYSTICK);
		t->wrapped_at = t->zero_at;
		t->value = 0;
		t->zero_at = t->load ? t->zero_at + ((uint64_t)t->load + 1) * divider(t) : NEVER;
	}
}

void systick_stand(struct cpu *c, uint64_t cycles)
{
	struct systick *t = &c->systick;
	if (t->zero_at != NEVER)
		t->zero_at += cycles;
	if (t->wrapped_at != NEVER)
		t->wrapped_at += cycles;
}

uint32_t systick_read(struct cpu *c, uint32_t address)
{
	struct systick *t = &c->systick;
	systick_update(c);
	switch (address & 0xF) {
	case 0: {
		uint32_t control = t->control;
		t->control &= ~(uint32_t)COUNTFLAG;
		return control;
	}
	case 4:
		return t->load;
	case 8:
		return value(c);
	default:
		/* STCALIB of an STM32F407 (RM0090 12.1.2): 18750 ticks of HCLK/8 at 150 MHz are 1 ms; SKEW as PM0214 4.5.4 has it. */
		return 0x4000493E;
	}
}

void systick_write(struct cpu *c, uint32_t address, uint32_t written)
{
	struct systick *t = &c->systick;
	systick_update(c);
	switch (address & 0xF) {
	case 0: {
		uint32_t from = value(c);
		t->control = (t->control & COUNTFLAG) | (written & 7);
		count_from(c, from);
		break;
	}
	case 4:
		t->load = written & 0xFFFFFF;
		if ((t->control & ENABLE) && t->zero_at == NEVER)
			count_from(c, 0);
		break;
	case 8:
		t->control &= ~(uint32_t)COUNTFLAG;
		count_from(c, 0);
		break;
	default:
		break;
	}
}
