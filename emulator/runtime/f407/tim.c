// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TIM1 to 14 (RM0090 chapters 17 to 20) as counters that count up, with update and compare events. Counting costs nothing: the
 * counter is worked out when someone looks, and a timer is armed for events that make interrupts.
 */
#include "soc_internal.h"
#include <string.h>

enum {
	CR1,
	CR2,
	SMCR,
	DIER,
	SR,
	EGR,
	CCMR1,
	CCMR2,
	CCER,
	CNT,
	PSC,
	ARR,
	RCR,
	CCR1,
	CCR2,
	CCR3,
	CCR4,
	BDTR,
	DCR,
	DMAR,
	OR,
	REGS
};

#define CEN (1u << 0)
#define UDIS (1u << 1)
#define URS (1u << 2)
#define OPM (1u << 3)
#define UIF (1u << 0)
#define UG (1u << 0)
#define CHANNELS 4

static const struct {
	enum soc_bus bus;
	uint8_t update_irq, compare_irq, channels;
	bool wide;
} tims[TIMS] = {
	{ ON_APB2, 25, 27, 4, false }, { ON_APB1, 28, 28, 4, true },  { ON_APB1, 29, 29, 4, false },
	{ ON_APB1, 30, 30, 4, false }, { ON_APB1, 50, 50, 4, true },  { ON_APB1, 54, 54, 0, false },
	{ ON_APB1, 55, 55, 0, false }, { ON_APB2, 44, 46, 4, false }, { ON_APB2, 24, 24, 2, false },
	{ ON_APB2, 25, 25, 1, false }, { ON_APB2, 26, 26, 1, false }, { ON_APB1, 43, 43, 2, false },
	{ ON_APB1, 44, 44, 1, false }, { ON_APB1, 45, 45, 1, false },
};

static void irqs(struct soc *s, unsigned unit)
{
	const struct tim *t = &s->tim[unit];
	uint32_t up = t->regs[SR] & t->regs[DIER];

	soc_irq(s, tims[unit].update_irq, 2 * unit, up & UIF);
	soc_irq(s, tims[unit].compare_irq, 2 * unit + 1, up & 0x1E);
}

/* Cycles of HCLK in one count. A timer's clock is twice that of its bus, if that is divided (RM0090 7.2). */
static uint64_t tick(const struct soc *s, unsigned unit)
{
	uint32_t div = rcc_pclk_div(s, tims[unit].bus);

	return (uint64_t)(s->tim[unit].psc + 1) * (div > 1 ? div / 2 : 1);
}

static uint64_t period(const struct tim *t)
{
	return (uint64_t)t->arr + 1;
}

/* With nothing to count to it stands (RM0090 18.4.12). */
static bool runs(const struct tim *t)
{
	return t->regs[CR1] & CEN && t->arr;
}

/* by_hand: UG, which URS keeps from interrupting. */
static void overflow(struct tim *t, bool by_hand)
{
	if (t->regs[CR1] & UDIS)
		return;
	t->psc = t->regs[PSC]; /* preloaded until now */
	t->arr = t->regs[ARR];
	if (!by_hand || !(t->regs[CR1] & URS))
		t->regs[SR] |= UIF;
}

/* Brings count and flags up to now. A whole period at most needs a look at compare channels: more sets all of them. */
static void catch_up(struct soc *s, unsigned unit)
{
	struct tim *t = &s->tim[unit];
	uint64_t now = soc_now(s), each = tick(s, unit), ticks, to;

	if (!runs(t) || now <= t->base) {
		t->base = now > t->base ? now : t->base;
		return;
	}
	ticks = (now - t->base) / each;
	t->base += ticks * each;
	to = t->count + ticks;
	for (unsigned i = 0; i < tims[unit].channels; i++) {
		uint64_t at = t->regs[CCR1 + i];

		if (at <= t->count)
			at += period(t); /* in the next round */
		if (ticks && at <= to && t->regs[CCR1 + i] <= t->arr)
			t->regs[SR] |= 2u << i;
	}
	if (to < period(t)) {
		t->count = (uint32_t)to;
		return;
	}
	to -= period(t);
	if (t->regs[CR1] & OPM) {
		t->regs[CR1] &= ~CEN;
		to = 0;
	}
	overflow(t, false);
	t->count = (uint32_t)(to % period(t));
}

/* Counts from one to the other; one that is beyond has it at the next. */
static uint64_t counts(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 1;
}

/* The next event that makes an interrupt. */
static void arm(struct soc *s, unsigned unit)
{
	struct tim *t = &s->tim[unit];
	uint64_t nearest = UINT64_MAX;

	irqs(s, unit);
	soc_disarm(s, &t->event);
	if (!runs(t))
		return;
	if (t->regs[DIER] & UIF && !(t->regs[SR] & UIF) && !(t->regs[CR1] & UDIS))
		nearest = counts(t->count, period(t));
	for (unsigned i = 0; i < tims[unit].channels; i++) {
		uint64_t at = t->regs[CCR1 + i];

		if (!(t->regs[DIER] >> (i + 1) & 1) || t->regs[SR] >> (i + 1) & 1 || at > t->arr)
			continue;
		at += at <= t->count ? period(t) : 0;
		nearest = counts(t->count, at) < nearest ? counts(t->count, at) : nearest;
	}
	if (nearest != UINT64_MAX)
		soc_arm(s, &t->event, t->base + nearest * tick(s, unit));
}

static void event(struct soc *s, unsigned unit)
{
	catch_up(s, unit);
	arm(s, unit);
}

uint32_t tim_read(struct soc *s, unsigned unit, uint32_t offset)
{
	struct tim *t = &s->tim[unit];
	unsigned reg = offset / 4;

	if (reg >= REGS)
		return 0;
	catch_up(s, unit);
	if (reg == SR || reg == CR1)
		arm(s, unit);
	return reg == CNT ? t->count : reg == EGR ? 0 : t->regs[reg];
}

void tim_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	struct tim *t = &s->tim[unit];
	uint32_t top = tims[unit].wide ? UINT32_MAX : 0xFFFF;
	unsigned reg = offset / 4;

	if (reg >= REGS)
		return;
	catch_up(s, unit);
	switch (reg) {
	case SR:
		t->regs[SR] &= value | ~mask;
		break;
	case EGR:
		if (value & UG) {
			t->count = 0;
			t->base = soc_now(s);
			overflow(t, true);
		}
		t->regs[SR] |= value & mask & 0x1E;
		break;
	case CNT:
		t->count = soc_merge(t->count, value, mask) & top;
		t->base = soc_now(s);
		break;
	case ARR:
		t->regs[ARR] = soc_merge(t->regs[ARR], value, mask) & top;
		if (!(t->regs[CR1] & 0x80)) /* ARPE */
			t->arr = t->regs[ARR];
		break;
	case CCR1:
	case CCR2:
	case CCR3:
	case CCR4:
		t->regs[reg] = soc_merge(t->regs[reg], value, mask) & top;
		break;
	default:
		t->regs[reg] = soc_merge(t->regs[reg], value, mask & 0xFFFF);
		break;
	}
	arm(s, unit);
}

void tim_reset(struct soc *s, unsigned unit)
{
	struct tim *t = &s->tim[unit];

	soc_disarm(s, &t->event);
	memset(t, 0, sizeof(*t));
	t->arr = t->regs[ARR] = tims[unit].wide ? UINT32_MAX : 0xFFFF;
	t->event = (struct soc_timer){ .at = SOC_NEVER, .fire = event, .unit = unit };
	t->base = soc_now(s);
	irqs(s, unit);
}
