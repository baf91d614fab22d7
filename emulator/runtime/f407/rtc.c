// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RTC (RM0090 chapter 26): calendar, wake-up timer, backup registers. Kept over resets while there is power. It counts whole seconds,
 * and its prescalers are taken as set for one; alarms are not there.
 */
#include "soc_internal.h"
#include <string.h>

enum { TR, DR, CR, ISR, PRER, WUTR, WPR = 9, SSR, BACKUP = 20 };

#define INITS (1u << 4)
#define RSF (1u << 5)
#define INITF (1u << 6)
#define INIT (1u << 7)
#define WUTF (1u << 10)
#define WUTE (1u << 10)
#define WUTIE (1u << 14)
#define DBP (1u << 8)
#define LSE_HZ 32768u
#define EXTI_WAKEUP 22
#define DAY 86400u
#define RESET_DR 0x2101u /* Monday, 1 January 2000 */

static uint32_t bcd(uint32_t n)
{
	return n / 10 << 4 | n % 10;
}

static uint32_t binary(uint32_t b)
{
	return (b >> 4) * 10 + (b & 15);
}

static unsigned days_in(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && year % 4 == 0 ? 29 : days[(month - 1) % 12];
}

static uint64_t seconds_of(uint32_t tr, uint32_t dr)
{
	unsigned year = binary(dr >> 16 & 0xFF), month = binary(dr >> 8 & 0x1F), day = binary(dr & 0x3F);
	uint64_t days = day ? day - 1 : 0;

	for (unsigned y = 0; y < year; y++)
		days += y % 4 ? 365 : 366;
	for (unsigned m = 1; m < month && m <= 12; m++)
		days += days_in(year, m);
	return days * DAY + binary(tr >> 16 & 0x3F) * 3600u + binary(tr >> 8 & 0x7F) * 60u + binary(tr & 0x7F);
}

static uint64_t now_s(const struct soc *s)
{
	return s->rtc.base_s + (soc_now_us(s) - s->rtc.base_us) / 1000000;
}

static uint32_t time_now(const struct soc *s)
{
	uint32_t t = (uint32_t)(now_s(s) % DAY);

	return bcd(t / 3600) << 16 | bcd(t / 60 % 60) << 8 | bcd(t % 60);
}

/* The day of the week goes on from the one that was set. */
static uint32_t date_now(const struct soc *s)
{
	uint32_t days = (uint32_t)(now_s(s) / DAY), since = days - (uint32_t)(s->rtc.base_s / DAY);
	uint32_t weekday = ((s->rtc.regs[DR] >> 13 & 7) + 6 + since) % 7 + 1;
	unsigned year = 0, month = 1;

	for (; days >= (year % 4 ? 365u : 366u); year++)
		days -= year % 4 ? 365 : 366;
	for (; days >= days_in(year, month); month++)
		days -= days_in(year, month);
	return bcd(year % 100) << 16 | weekday << 13 | bcd(month) << 8 | bcd(days + 1);
}

bool rtc_may_write(const struct soc *s)
{
	return s->pwr[0] & DBP;
}

static void arm_wakeup(struct soc *s)
{
	static const uint8_t clocks[] = { 16, 8, 4, 2 };
	struct rtc *r = &s->rtc;
	uint64_t n = (uint64_t)(r->regs[WUTR] & 0xFFFF) + 1;
	uint32_t select = r->regs[CR] & 7;

	soc_disarm(s, &r->wakeup);
	if (!(r->regs[CR] & WUTE))
		return;
	if (select < 4)
		n = n * clocks[select] * 1000000 / LSE_HZ;
	else
		n = (n + (select >= 6 ? 0x10000 : 0)) * 1000000;
	soc_arm_after_us(s, &r->wakeup, n ? n : 1);
}

static void wakeup(struct soc *s, unsigned unit)
{
	(void)unit;
	s->rtc.regs[ISR] |= WUTF;
	if (s->rtc.regs[CR] & WUTIE)
		exti_line(s, EXTI_WAKEUP);
	arm_wakeup(s);
}

uint32_t rtc_read(struct soc *s, unsigned unit, uint32_t offset)
{
	const struct rtc *r = &s->rtc;
	unsigned reg = offset / 4;
	bool setting = r->regs[ISR] & INIT;

	(void)unit;
	if (reg >= BACKUP)
		return reg < BACKUP + 20 ? r->backup[reg - BACKUP] : 0;
	switch (reg) {
	case TR:
		return setting ? r->regs[TR] : time_now(s);
	case DR:
		return setting ? r->regs[DR] : date_now(s);
	case ISR: /* alarms and wake-up may be written at any time; registers are in step */
		return (r->regs[ISR] & (INIT | WUTF)) | 7 | RSF | (setting ? INITF : 0) |
		       (r->regs[DR] >> 16 & 0xFF ? INITS : 0);
	case SSR: /* counts down from PREDIV_S */
		return (r->regs[PRER] & 0x7FFF) -
		       (uint32_t)((soc_now_us(s) - r->base_us) % 1000000 * ((r->regs[PRER] & 0x7FFF) + 1) / 1000000);
	case WPR:
		return 0;
	default:
		return r->regs[reg];
	}
}

/* Keys CA and 53, one after the other (RM0090 26.3.5). */
static void key(struct rtc *r, uint32_t value)
{
	bool second = r->unlock == 0xCA && value == 0x53;

	r->locked = !second;
	r->unlock = (uint8_t)value;
}

static void write_isr(struct soc *s, uint32_t value, uint32_t mask)
{
	struct rtc *r = &s->rtc;
	bool was = r->regs[ISR] & INIT, is;

	if (!(value & WUTF) && mask & WUTF)
		r->regs[ISR] &= ~WUTF;
	if (r->locked)
		return;
	r->regs[ISR] = (r->regs[ISR] & ~(INIT & mask)) | (value & INIT & mask);
	is = r->regs[ISR] & INIT;
	if (!was && is) {
		r->regs[TR] = time_now(s);
		r->regs[DR] = date_now(s);
	} else if (was && !is) {
		r->base_s = seconds_of(r->regs[TR], r->regs[DR]);
		r->base_us = soc_now_us(s);
	}
}

void rtc_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	struct rtc *r = &s->rtc;
	unsigned reg = offset / 4;

	(void)unit;
	if (!rtc_may_write(s))
		return;
	if (reg >= BACKUP) {
		if (reg < BACKUP + 20)
			r->backup[reg - BACKUP] = soc_merge(r->backup[reg - BACKUP], value, mask);
		return;
	}
	if (reg == WPR)
		key(r, value & mask & 0xFF);
	else if (reg == ISR)
		write_isr(s, value, mask);
	else if (!r->locked && ((reg != TR && reg != DR && reg != PRER) || r->regs[ISR] & INIT))
		r->regs[reg] = soc_merge(r->regs[reg], value, mask);
	if (reg == CR)
		arm_wakeup(s);
}

void rtc_reset(struct soc *s, unsigned unit)
{
	(void)s, (void)unit; /* the backup domain knows no system reset */
}

void rtc_power_on(struct soc *s)
{
	struct rtc *r = &s->rtc;

	soc_disarm(s, &r->wakeup);
	memset(r, 0, sizeof(*r));
	r->wakeup = (struct soc_timer){ .at = SOC_NEVER, .fire = wakeup };
	r->regs[DR] = RESET_DR;
	r->regs[PRER] = 0x007F00FF;
	r->regs[WUTR] = 0xFFFF;
	r->locked = true;
	r->base_us = soc_now_us(s);
}

void rtc_resume(struct soc *s)
{
	s->rtc.locked = true;
	arm_wakeup(s);
}
