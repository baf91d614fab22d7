// SPDX-License-Identifier: GPL-2.0-or-later
/* IWDG (RM0090 chapter 21), which counts LSI's 32 kHz, and WWDG (chapter 22), which counts PCLK1. */
#include "soc_internal.h"

#define LSI_HZ 32000u

enum { KR, PR, RLR, SR };
enum { WCR, WCFR, WSR };
#define WDGA (1u << 7)
#define EWI (1u << 9)
#define WWDG_IRQ 0

/* IWDG */

static void bark(struct soc *s, unsigned unit)
{
	(void)unit;
	s->parts.user->reset(s->parts.user_context, RESET_WATCHDOG);
}

static void count_from(struct soc *s, uint32_t counter)
{
	struct watchdogs *w = &s->dogs;
	unsigned shift = 2 + (w->pr < 6 ? w->pr : 6);

	soc_arm_after_us(s, &w->iwdg, ((uint64_t)(counter + 1) << shift) * 1000000 / LSI_HZ);
}

/* It counts from what was loaded before, else from all ones, whatever RLR has (RM0090 21.3). */
static void start(struct soc *s)
{
	struct watchdogs *w = &s->dogs;

	if (w->iwdg_runs)
		return;
	w->iwdg_runs = true;
	rcc_wants_lsi(s);
	count_from(s, w->loaded);
}

static void iwdg_key(struct soc *s, uint32_t value)
{
	struct watchdogs *w = &s->dogs;

	w->iwdg_open = value == 0x5555;
	if (value == 0xCCCC)
		start(s);
	if (value != 0xAAAA)
		return;
	w->loaded = w->rlr;
	if (w->iwdg_runs)
		count_from(s, w->loaded);
}

/* PVU and RVU (RM0090 21.4.4): up for five cycles of LSI; what is written meanwhile is lost. */
static bool is_updating(const struct soc *s, unsigned which)
{
	return soc_now_us(s) < s->dogs.updated_us[which];
}

static void update(struct soc *s, unsigned which, uint32_t *reg, uint32_t value)
{
	if (!s->dogs.iwdg_open || is_updating(s, which))
		return;
	*reg = value;
	s->dogs.updated_us[which] = soc_now_us(s) + 5 * 1000000 / LSI_HZ;
}

uint32_t iwdg_read(struct soc *s, unsigned unit, uint32_t offset)
{
	(void)unit;
	switch (offset / 4) {
	case PR:
		return s->dogs.pr;
	case RLR:
		return s->dogs.rlr;
	case SR:
		return (is_updating(s, 0) ? 1 : 0) | (is_updating(s, 1) ? 2 : 0);
	default:
		return 0;
	}
}

void iwdg_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	struct watchdogs *w = &s->dogs;

	(void)unit;
	switch (offset / 4) {
	case KR:
		iwdg_key(s, value & mask & 0xFFFF);
		return;
	case PR:
		update(s, 0, &w->pr, value & 7);
		return;
	case RLR:
		update(s, 1, &w->rlr, value & 0xFFF);
		return;
	}
}

void iwdg_reset(struct soc *s, unsigned unit)
{
	(void)s, (void)unit; /* RCC cannot: see watchdogs_start() */
}

/* WWDG */

static uint64_t wwdg_tick(const struct soc *s)
{
	return (UINT64_C(4096) << (s->dogs.cfr >> 7 & 3)) * rcc_pclk_div(s, ON_APB1);
}

static uint32_t wwdg_counter(const struct soc *s)
{
	uint64_t gone = s->dogs.cr & WDGA ? (soc_now(s) - s->dogs.base) / wwdg_tick(s) : 0;

	return (s->dogs.cr - (uint32_t)gone) & 0x7F;
}

/* It resets when the counter goes from 0x40 to 0x3F; one before that comes the warning. */
static void wwdg_arm(struct soc *s)
{
	struct watchdogs *w = &s->dogs;
	uint32_t counter = wwdg_counter(s);

	if (!(w->cr & WDGA))
		return;
	w->cr = WDGA | counter;
	w->base = soc_now(s);
	soc_arm_after(s, &w->wwdg, (counter > 0x40 ? counter - 0x40 : 1) * wwdg_tick(s));
}

static void wwdg_fired(struct soc *s, unsigned unit)
{
	(void)unit;
	if (wwdg_counter(s) < 0x40) {
		s->parts.user->reset(s->parts.user_context, RESET_WINDOW_WATCHDOG);
		return;
	}
	s->dogs.sr = 1;
	soc_irq(s, WWDG_IRQ, 0, s->dogs.cfr & EWI);
	wwdg_arm(s);
}

uint32_t wwdg_read(struct soc *s, unsigned unit, uint32_t offset)
{
	(void)unit;
	switch (offset / 4) {
	case WCR:
		return (s->dogs.cr & WDGA) | wwdg_counter(s);
	case WCFR:
		return s->dogs.cfr;
	default:
		return offset / 4 == WSR ? s->dogs.sr : 0;
	}
}

void wwdg_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	struct watchdogs *w = &s->dogs;
	bool early = w->cr & WDGA && wwdg_counter(s) > (w->cfr & 0x7F);

	(void)unit;
	switch (offset / 4) {
	case WCR:
		w->cr = (value & 0x7F) | ((w->cr | value) & WDGA);
		w->base = soc_now(s);
		if (w->cr & WDGA && (early || !(w->cr & 0x40)))
			s->parts.user->reset(s->parts.user_context, RESET_WINDOW_WATCHDOG);
		else
			wwdg_arm(s);
		return;
	case WCFR:
		w->cfr = (soc_merge(w->cfr, value, mask) & 0x3FF) | (w->cfr & EWI); /* which a reset alone clears */
		wwdg_arm(s);
		return;
	case WSR:
		w->sr &= value | ~mask;
		soc_irq(s, WWDG_IRQ, 0, w->sr && w->cfr & EWI);
		return;
	}
}

void wwdg_reset(struct soc *s, unsigned unit)
{
	(void)unit;
	soc_disarm(s, &s->dogs.wwdg);
	s->dogs.cr = s->dogs.cfr = 0x7F;
	s->dogs.sr = 0;
	s->dogs.wwdg = (struct soc_timer){ .at = SOC_NEVER, .fire = wwdg_fired };
	soc_irq(s, WWDG_IRQ, 0, false);
}

/* Option byte WDG_SW 0: IWDG runs from reset on (RM0090 3.7.1). */
void watchdogs_start(struct soc *s)
{
	struct watchdogs *w = &s->dogs;

	w->iwdg = (struct soc_timer){ .at = SOC_NEVER, .fire = bark };
	w->iwdg_open = false;
	w->pr = 0;
	w->rlr = w->loaded = 0xFFF;
	w->updated_us[0] = w->updated_us[1] = 0;
	w->iwdg_runs = false;
	if (!(s->flash_registers.loaded & 1u << 5))
		start(s);
}
