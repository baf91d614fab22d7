// SPDX-License-Identifier: GPL-2.0-or-later
/* EXTI (RM0090 chapter 12) and SYSCFG (chapter 9): which pins make interrupts, and what is at address 0. */
#include "soc_internal.h"

#define LINES 0x7FFFFFu
#define RTC_WAKEUP 22

enum { IMR, EMR, RTSR, FTSR, SWIER, PR };
enum { MEMRMP, PMC, EXTICR1, EXTICR4 = 5, CMPCR = 8 };

static const uint32_t masks[] = {
	[MEMRMP] = 3,           [PMC] = 1u << 23,   [EXTICR1] = 0xFFFF, [EXTICR1 + 1] = 0xFFFF,
	[EXTICR1 + 2] = 0xFFFF, [EXTICR4] = 0xFFFF, [CMPCR] = 1
};

static unsigned irq_of(unsigned line)
{
	static const uint8_t above[] = {
		[0] = 1, [1] = 41, [2] = 42, [3] = 62, [4] = 76, [5] = 2, [6] = 3
	}; /* 16 to 22 */

	if (line < 5)
		return 6 + line;
	if (line < 10)
		return 23;
	return line < 16 ? 40 : above[line - 16];
}

static void update(struct soc *s, uint32_t lines)
{
	for (unsigned line = 0; line < 23; line++)
		if (lines >> line & 1)
			soc_irq(s, irq_of(line), line, s->exti.pr & s->exti.imr & 1u << line);
}

static void pend(struct soc *s, uint32_t lines)
{
	s->exti.pr |= lines;
	update(s, lines);
}

/* Lines in event mode end WFE (RM0090 12.2.3). */
static void tell_events(struct soc *s, uint32_t lines)
{
	if (lines & s->exti.emr)
		s->parts.core->event(s->parts.core_context);
}

bool exti_is_irq(unsigned number)
{
	for (unsigned line = 0; line < 23; line++)
		if (irq_of(line) == number)
			return true;
	return false;
}

void exti_pin(struct soc *s, unsigned port, uint16_t before, uint16_t after)
{
	const struct exti *e = &s->exti;
	uint32_t lines = 0, changed = before ^ after;

	for (unsigned pin = 0; pin < 16; pin++) {
		if (!(changed >> pin & 1) || (e->syscfg[EXTICR1 + pin / 4] >> 4 * (pin % 4) & 15) != port)
			continue;
		if ((after >> pin & 1 ? e->rtsr : e->ftsr) >> pin & 1)
			lines |= 1u << pin;
	}
	tell_events(s, lines);
	if (lines)
		pend(s, lines);
}

void exti_line(struct soc *s, unsigned line)
{
	if (!(s->exti.rtsr >> line & 1))
		return;
	tell_events(s, 1u << line);
	pend(s, 1u << line);
}

uint32_t exti_read(struct soc *s, unsigned unit, uint32_t offset)
{
	const struct exti *e = &s->exti;

	(void)unit;
	switch (offset / 4) {
	case IMR:
		return e->imr;
	case EMR:
		return e->emr;
	case RTSR:
		return e->rtsr;
	case FTSR:
		return e->ftsr;
	case SWIER:
		return e->swier;
	case PR:
		return e->pr;
	default:
		return 0;
	}
}

void exti_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	struct exti *e = &s->exti;

	(void)unit;
	value &= LINES;
	switch (offset / 4) {
	case IMR:
		e->imr = soc_merge(e->imr, value, mask);
		update(s, LINES);
		return;
	case EMR:
		e->emr = soc_merge(e->emr, value, mask);
		return;
	case RTSR:
		e->rtsr = soc_merge(e->rtsr, value, mask);
		return;
	case FTSR:
		e->ftsr = soc_merge(e->ftsr, value, mask);
		return;
	case SWIER: /* from 0 to 1 (RM0090 12.3.5) */
		value &= mask & ~e->swier;
		e->swier |= value;
		tell_events(s, value);
		pend(s, value & e->imr);
		return;
	case PR:
		e->pr &= ~(value & mask);
		e->swier &= ~(value & mask);
		update(s, value & mask);
		return;
	}
}

void exti_reset(struct soc *s, unsigned unit)
{
	struct exti *e = &s->exti;

	(void)unit;
	e->imr = e->emr = e->rtsr = e->ftsr = e->swier = e->pr = 0;
	update(s, LINES);
}

uint32_t syscfg_read(struct soc *s, unsigned unit, uint32_t offset)
{
	unsigned reg = offset / 4;

	(void)unit;
	if (reg == CMPCR)
		return s->exti.syscfg[CMPCR] & 1 ? 0x101 : 0; /* the compensation cell is ready at once */
	return reg < CMPCR ? s->exti.syscfg[reg] : 0;
}

void syscfg_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	unsigned reg = offset / 4;

	(void)unit;
	if (reg > CMPCR)
		return;
	s->exti.syscfg[reg] = soc_merge(s->exti.syscfg[reg], value, mask & masks[reg]);
	if (reg == MEMRMP)
		soc_show_at_0(s, s->exti.syscfg[MEMRMP]);
}

void syscfg_reset(struct soc *s, unsigned unit)
{
	(void)unit;
	for (unsigned i = 0; i <= CMPCR; i++)
		s->exti.syscfg[i] = 0;
	soc_show_at_0(s, 0);
}
