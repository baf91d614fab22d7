// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RTC (RM0090 chapter 26): calendar, alarms to the second, wake-up timer, backup registers. Kept over resets while there is power. It
 * goes by the clock that RCC_BDCR gives it, and by its prescalers; what takes an edge of that clock or two takes two.
 */
#include "soc_internal.h"
#include <string.h>

enum {
	TR,
	DR,
	CR,
	ISR,
	PRER,
	WUTR,
	CALIBR,
	ALRMAR,
	ALRMBR,
	WPR,
	SSR,
	SHIFTR,
	TSTR,
	TSDR,
	TSSSR,
	CALR,
	TAFCR,
	ALRMASSR,
	ALRMBSSR,
	BACKUP = 20
};

#define INITS (1u << 4)
#define RSF (1u << 5)
#define INITF (1u << 6)
#define INIT (1u << 7)
#define ALRF(n) (1u << (8 + (n)))
#define WUTF (1u << 10)
#define WUTWF (1u << 2)
#define BYPSHAD (1u << 5)
#define ALRE(n) (1u << (8 + (n)))
#define ALRIE(n) (1u << (12 + (n)))
#define WUTE (1u << 10)
#define WUTIE (1u << 14)
#define ADD1H (1u << 16)
#define SUB1H (1u << 17)
#define IN_INIT_MODE 0xD0u /* of CR: DCE, FMT, REFCKON (RM0090 26.6.3) */
#define WUCKSEL 7u
#define DBP (1u << 8)
#define EXTI_ALARM 17
#define EXTI_WAKEUP 22
#define US_PER_S UINT64_C(1000000)
#define DAY 86400u
#define RESET_DR 0x2101u /* Monday, 1 January 2000 */

static const uint32_t masks[BACKUP] = {
	[TR] = 0x007F7F7F,   [DR] = 0x00FFFF3F,     [CR] = 0x00FCFFFF,       [PRER] = 0x007F7FFF,
	[WUTR] = 0x0000FFFF, [CALIBR] = 0x0000009F, [ALRMAR] = UINT32_MAX,   [ALRMBR] = UINT32_MAX,
	[CALR] = 0x0000E1FF, [TAFCR] = 0x0007FF9F,  [ALRMASSR] = 0x0F007FFF, [ALRMBSSR] = 0x0F007FFF,
};

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

/* Cycles of RTCCLK in a second of the calendar. */
static uint64_t cycles_a_second(const struct rtc *r)
{
	return (uint64_t)((r->regs[PRER] >> 16 & 0x7F) + 1) * ((r->regs[PRER] & 0x7FFF) + 1);
}

/* Since base_s; it stands still in initialization mode, and without a clock. */
static uint64_t cycles_since(const struct soc *s)
{
	const struct rtc *r = &s->rtc;
	uint64_t now = soc_now_us(s), us = now > r->base_us ? now - r->base_us : 0;

	if (r->regs[ISR] & INIT)
		return r->base_cycles;
	return r->base_cycles + us / US_PER_S * r->hz + us % US_PER_S * r->hz / US_PER_S;
}

static uint64_t now_s(const struct soc *s)
{
	return s->rtc.base_s + cycles_since(s) / cycles_a_second(&s->rtc);
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

/* What has gone by is done with: from now on it may go at another speed, or stand. */
static void take_stock(struct soc *s)
{
	struct rtc *r = &s->rtc;
	uint64_t cycles = cycles_since(s), second = cycles_a_second(r);
	uint32_t time = time_now(s), date = date_now(s);

	r->regs[TR] = time;
	r->regs[DR] = date;
	r->base_s += cycles / second;
	r->base_cycles = cycles % second;
	r->base_us = soc_now_us(s);
}

/* When two cycles of RTCCLK from now are over. SOC_NEVER: it has no clock. */
static uint64_t two_cycles_on(const struct soc *s)
{
	uint32_t hz = s->rtc.hz;

	return hz ? soc_now_us(s) + (2 * US_PER_S + hz - 1) / hz : SOC_NEVER;
}

bool rtc_may_write(const struct soc *s)
{
	return s->pwr[0] & DBP;
}

/* A flag goes up: the line to EXTI is that and its enable bit, and rises if it was not up yet (RM0090 5.3.7). */
static void raise_flag(struct soc *s, uint32_t flag, uint32_t enable, unsigned line)
{
	struct rtc *r = &s->rtc;
	bool was = r->regs[ISR] & flag;

	r->regs[ISR] |= flag;
	if (was || !(r->regs[CR] & enable))
		return;
	exti_line(s, line);
	pwr_event(s);
}

/* Wake-up timer */

static void arm_wakeup(struct soc *s)
{
	static const uint8_t clocks[] = { 16, 8, 4, 2 };
	struct rtc *r = &s->rtc;
	uint64_t n = (uint64_t)(r->regs[WUTR] & 0xFFFF) + 1;
	uint32_t select = r->regs[CR] & WUCKSEL;

	soc_disarm(s, &r->wakeup);
	if (!(r->regs[CR] & WUTE) || !r->hz)
		return;
	if (select < 4)
		n = n * clocks[select] * US_PER_S / r->hz;
	else
		n = (n + (select >= 6 ? 0x10000 : 0)) * cycles_a_second(r) * US_PER_S / r->hz;
	soc_arm_after_us(s, &r->wakeup, n ? n : 1);
}

static void wakeup(struct soc *s, unsigned unit)
{
	(void)unit;
	raise_flag(s, WUTF, WUTIE, EXTI_WAKEUP);
	arm_wakeup(s);
}

/* Alarms, looked at when a second begins. Fractions of it are taken as masked. */

static void arm_alarms(struct soc *s)
{
	struct rtc *r = &s->rtc;
	uint64_t second = cycles_a_second(r), us;

	soc_disarm(s, &r->second);
	if (!(r->regs[CR] & (ALRE(0) | ALRE(1))) || !r->hz || r->regs[ISR] & INIT)
		return;
	us = ((second - cycles_since(s) % second) * US_PER_S + r->hz - 1) / r->hz;
	soc_arm_after_us(s, &r->second, us ? us : 1);
}

static bool matches(const struct soc *s, uint32_t alarm)
{
	uint32_t time = time_now(s), date = date_now(s), differs = (alarm ^ time) & 0x7F7F7F;

	if (!(alarm >> 7 & 1) && differs & 0x7F)
		return false;
	if (!(alarm >> 15 & 1) && differs & 0x7F00)
		return false;
	if (!(alarm >> 23 & 1) && differs & 0x7F0000)
		return false;
	if (alarm >> 31)
		return true;
	return alarm >> 30 & 1 ? (alarm >> 24 & 15) == (date >> 13 & 7) : (alarm >> 24 & 0x3F) == (date & 0x3F);
}

static void begin_second(struct soc *s, unsigned unit)
{
	const uint32_t *regs = s->rtc.regs;

	(void)unit;
	for (unsigned n = 0; n < 2; n++)
		if (regs[CR] & ALRE(n) && matches(s, regs[ALRMAR + n]))
			raise_flag(s, ALRF(n), ALRIE(n), EXTI_ALARM);
	arm_alarms(s);
}

void rtc_clock(struct soc *s)
{
	struct rtc *r = &s->rtc;
	uint32_t hz = rcc_rtc_hz(s);

	if (hz == r->hz)
		return;
	take_stock(s);
	r->hz = hz;
	if (r->rsf_us == SOC_NEVER)
		r->rsf_us = two_cycles_on(s);
	if (r->initf_us == SOC_NEVER)
		r->initf_us = two_cycles_on(s);
	arm_wakeup(s);
	arm_alarms(s);
}

/* Registers */

static bool may_set(const struct soc *s)
{
	return s->rtc.regs[ISR] & INIT && soc_now_us(s) >= s->rtc.initf_us;
}

static bool is_in_step(const struct soc *s)
{
	const struct rtc *r = &s->rtc;

	return !(r->regs[ISR] & INIT) && !(r->regs[CR] & BYPSHAD) && soc_now_us(s) >= r->rsf_us;
}

static bool may_set_wakeup(const struct soc *s)
{
	return !(s->rtc.regs[CR] & WUTE) && soc_now_us(s) >= s->rtc.wutwf_us;
}

static uint32_t read_isr(const struct soc *s)
{
	const struct rtc *r = &s->rtc;
	uint32_t isr = r->regs[ISR] & (INIT | WUTF | ALRF(0) | ALRF(1));

	for (unsigned n = 0; n < 2; n++)
		isr |= r->regs[CR] & ALRE(n) ? 0 : 1u << n; /* ALRAWF, ALRBWF */
	return isr | (may_set_wakeup(s) ? WUTWF : 0) | (is_in_step(s) ? RSF : 0) | (may_set(s) ? INITF : 0) |
	       (date_now(s) >> 16 & 0xFF ? INITS : 0);
}

/* Shadow registers (RM0090 26.3.6) know nothing after a reset, until RSF; one that is read holds those above it, until DR is read. */
static uint32_t read_shadow(struct soc *s, unsigned reg)
{
	struct rtc *r = &s->rtc;
	bool setting = r->regs[ISR] & INIT, bypass = setting || r->regs[CR] & BYPSHAD;
	uint32_t value, second = (uint32_t)(cycles_since(s) % cycles_a_second(r));

	r->cold = r->cold && !bypass && !is_in_step(s);
	if (r->cold)
		return reg == DR ? RESET_DR : 0;
	if (reg == SSR) /* counts down from PREDIV_S */
		value = (r->regs[PRER] & 0x7FFF) - second / ((r->regs[PRER] >> 16 & 0x7F) + 1);
	else if (!bypass && r->held >> reg & 1)
		value = r->shadow[reg];
	else
		value = setting ? r->regs[reg] : reg == TR ? time_now(s) : date_now(s);
	if (bypass || reg == DR) {
		r->held = 0;
		return value;
	}
	if (!r->held)
		r->shadow[DR] = date_now(s);
	if (reg == SSR && !(r->held >> TR & 1))
		r->shadow[TR] = time_now(s);
	r->held |= reg == SSR ? 1u << TR | 1u << DR : 1u << DR;
	return value;
}

uint32_t rtc_read(struct soc *s, unsigned unit, uint32_t offset)
{
	const struct rtc *r = &s->rtc;
	unsigned reg = offset / 4;

	(void)unit;
	if (reg >= BACKUP)
		return reg < BACKUP + 20 ? r->backup[reg - BACKUP] : 0;
	switch (reg) {
	case TR:
	case DR:
	case SSR:
		return read_shadow(s, reg);
	case ISR:
		return read_isr(s);
	case WPR:
	case SHIFTR:
		return 0;
	default:
		return reg < BACKUP ? r->regs[reg] : 0;
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

	r->regs[ISR] &= ~(~value & mask & (WUTF | ALRF(0) | ALRF(1))); /* these need no key */
	if (r->locked)
		return;
	if (~value & mask & RSF)
		r->rsf_us = two_cycles_on(s);
	is = mask & INIT ? value & INIT : was;
	if (!was && is) {
		take_stock(s);
		r->regs[ISR] |= INIT;
		r->initf_us = two_cycles_on(s);
	} else if (was && !is) {
		r->base_s = seconds_of(r->regs[TR], r->regs[DR]);
		r->base_cycles = 0;
		r->base_us = soc_now_us(s);
		r->regs[ISR] &= ~INIT;
		r->rsf_us = two_cycles_on(s);
		arm_wakeup(s);
	}
	arm_alarms(s);
}

static void write_cr(struct soc *s, uint32_t value, uint32_t mask)
{
	struct rtc *r = &s->rtc;
	uint32_t old = r->regs[CR], adjust = value & mask & (ADD1H | SUB1H), risen;

	mask &= masks[CR] & (may_set(s) ? UINT32_MAX : ~IN_INIT_MODE) & (may_set_wakeup(s) ? UINT32_MAX : ~WUCKSEL);
	r->regs[CR] = soc_merge(old, value, mask);
	if (adjust && !(r->regs[ISR] & INIT)) {
		take_stock(s);
		if (adjust & ADD1H)
			r->base_s += 3600;
		else if (r->regs[TR] >> 16 & 0x3F)
			r->base_s -= 3600;
		r->regs[DR] = date_now(s);
	}
	if (old & WUTE && !(r->regs[CR] & WUTE))
		r->wutwf_us = r->hz ? two_cycles_on(s) : 0;
	if ((old ^ r->regs[CR]) & (WUTE | WUCKSEL))
		arm_wakeup(s);
	arm_alarms(s);
	risen = r->regs[CR] & ~old;
	if (risen & WUTIE && r->regs[ISR] & WUTF)
		exti_line(s, EXTI_WAKEUP);
	for (unsigned n = 0; n < 2; n++)
		if (risen & ALRIE(n) && r->regs[ISR] & ALRF(n))
			exti_line(s, EXTI_ALARM);
}

/* Whether a register that is none of those above may be written now (RM0090 26.6). */
static bool is_open(const struct soc *s, unsigned reg)
{
	const struct rtc *r = &s->rtc;

	switch (reg) {
	case TR:
	case DR:
	case PRER:
	case CALIBR:
		return !r->locked && may_set(s);
	case WUTR:
		return !r->locked && may_set_wakeup(s);
	case ALRMAR:
	case ALRMASSR:
		return !r->locked && (!(r->regs[CR] & ALRE(0)) || may_set(s));
	case ALRMBR:
	case ALRMBSSR:
		return !r->locked && (!(r->regs[CR] & ALRE(1)) || may_set(s));
	case TAFCR:
		return true;
	default:
		return !r->locked;
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
	else if (reg == CR && !r->locked)
		write_cr(s, value, mask);
	else if (reg != CR && is_open(s, reg))
		r->regs[reg] = soc_merge(r->regs[reg], value, mask & masks[reg]);
}

void rtc_reset(struct soc *s, unsigned unit)
{
	(void)s, (void)unit; /* the backup domain knows no system reset */
}

void rtc_power_on(struct soc *s)
{
	struct rtc *r = &s->rtc;

	soc_disarm(s, &r->wakeup);
	soc_disarm(s, &r->second);
	memset(r, 0, sizeof(*r));
	r->wakeup = (struct soc_timer){ .at = SOC_NEVER, .fire = wakeup };
	r->second = (struct soc_timer){ .at = SOC_NEVER, .fire = begin_second };
	r->regs[DR] = RESET_DR;
	r->regs[PRER] = 0x007F00FF;
	r->regs[WUTR] = 0xFFFF;
	r->locked = true;
	r->base_us = soc_now_us(s);
	r->rsf_us = r->initf_us = SOC_NEVER;
}

/* A system reset leaves all of it, and its unlocking, but INIT and RSF (RM0090 26.3.5, 26.6.4). */
void rtc_resume(struct soc *s)
{
	struct rtc *r = &s->rtc;

	if (r->regs[ISR] & INIT)
		r->base_us = soc_now_us(s);
	r->regs[ISR] &= ~INIT;
	r->cold = true;
	r->held = 0;
	rtc_clock(s);
	r->rsf_us = two_cycles_on(s);
	arm_wakeup(s);
	arm_alarms(s);
}
