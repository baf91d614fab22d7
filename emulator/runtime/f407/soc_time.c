// SPDX-License-Identifier: GPL-2.0-or-later
/* Cycles, microseconds, and timers in cycles. */
#include "soc_internal.h"

#define US_PER_S UINT64_C(1000000)

uint64_t soc_now(const struct soc *s)
{
	return s->parts.core->cycles(s->parts.core_context);
}

/* Whole seconds apart, so that nothing overflows. */
static uint64_t cycles_to_us(const struct soc *s, uint64_t cycles, bool up)
{
	uint64_t rest = cycles % s->hz * US_PER_S;

	return cycles / s->hz * US_PER_S + rest / s->hz + (up && rest % s->hz);
}

static uint64_t us_to_cycles(const struct soc *s, uint64_t us)
{
	if (us / US_PER_S > UINT64_MAX / 4 / s->hz)
		return UINT64_MAX / 4; /* never, in effect */
	return us / US_PER_S * s->hz + us % US_PER_S * s->hz / US_PER_S;
}

uint64_t soc_now_us(const struct soc *s)
{
	uint64_t now = soc_now(s);

	return s->base_us + (now > s->base_cycle ? cycles_to_us(s, now - s->base_cycle, false) : 0);
}

uint64_t soc_cycle_at(const struct soc *s, uint64_t us)
{
	return us <= s->base_us ? s->base_cycle : s->base_cycle + us_to_cycles(s, us - s->base_us);
}

uint64_t soc_us_at(const struct soc *s, uint64_t cycle)
{
	return cycle <= s->base_cycle ? s->base_us : s->base_us + cycles_to_us(s, cycle - s->base_cycle, true);
}

uint32_t soc_hclk_hz(const struct soc *s)
{
	return s->hz;
}

void soc_start_clock(struct soc *s, uint64_t now_us, uint32_t hz)
{
	s->hz = hz;
	s->base_cycle = soc_now(s);
	s->base_us = now_us;
}

/* What is under way takes as long as it would have: part of a microsecond goes with it. */
void soc_set_clock(struct soc *s, uint32_t hz)
{
	uint64_t now = soc_now(s), us = soc_now_us(s), part;

	if (hz == s->hz)
		return;
	part = now - soc_cycle_at(s, us); /* cycles since that microsecond */
	for (struct soc_timer *t = s->timers; t; t = t->next) {
		uint64_t left = t->at > now ? t->at - now : 0;

		t->at = now + left / s->hz * hz + left % s->hz * hz / s->hz;
	}
	s->base_us = us;
	s->base_cycle = now - part * hz / s->hz;
	s->hz = hz;
	s->parts.core->halt(s->parts.core_context);
}

void soc_disarm(struct soc *s, struct soc_timer *t)
{
	if (t->at == SOC_NEVER)
		return;
	for (struct soc_timer **at = &s->timers; *at; at = &(*at)->next) {
		if (*at == t) {
			*at = t->next;
			break;
		}
	}
	t->at = SOC_NEVER;
}

void soc_arm(struct soc *s, struct soc_timer *t, uint64_t at_cycle)
{
	struct soc_timer **at = &s->timers;

	soc_disarm(s, t);
	if (at_cycle == SOC_NEVER)
		return;
	t->at = at_cycle;
	while (*at && (*at)->at <= at_cycle)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
	if (s->timers == t)
		s->parts.core->halt(s->parts.core_context);
}

void soc_arm_after(struct soc *s, struct soc_timer *t, uint64_t cycles)
{
	soc_arm(s, t, soc_now(s) + cycles);
}

void soc_arm_after_us(struct soc *s, struct soc_timer *t, uint64_t us)
{
	uint64_t cycles = us_to_cycles(s, us);

	soc_arm_after(s, t, cycles ? cycles : 1); /* a cycle may take longer than a microsecond */
}

void soc_disarm_all(struct soc *s)
{
	while (s->timers)
		soc_disarm(s, s->timers);
}

uint64_t soc_next(const struct soc *s)
{
	return s->timers ? s->timers->at : SOC_NEVER;
}

void soc_fire(struct soc *s)
{
	uint64_t now = soc_now(s);

	while (s->timers && s->timers->at <= now) {
		struct soc_timer *t = s->timers;

		s->timers = t->next;
		t->at = SOC_NEVER;
		t->fire(s, t->unit);
	}
}
