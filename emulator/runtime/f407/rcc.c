// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RCC: clock tree, resets, clock gates (RM0090 chapter 7). Oscillators and PLLs are ready at once. HSE is 8 MHz, as on the
 * Discovery; LSE is there.
 */
#include "soc_internal.h"
#include <string.h>

#define HSI_HZ 16000000u
#define LSE_HZ 32768u
#define LSI_HZ 32000u
#define HSE_HZ 8000000u
#define HZ_LEAST 10000u
#define HZ_MOST 400000000u

enum {
	CR,
	PLLCFGR,
	CFGR,
	CIR,
	AHB1RSTR,
	APB2RSTR = 9,
	AHB1ENR = 12,
	AHB2ENR,
	APB1ENR = 16,
	APB2ENR,
	BDCR = 28,
	CSR,
	SSCGR = 32,
	PLLI2SCFGR
};

/* What can be written of each register, but for the rules in the functions below (RM0090 7.3). */
static const uint32_t masks[0x24] = {
	[CR] = 0x050D00F9,           [PLLCFGR] = 0x0F437FFF,      [CFGR] = 0xFFFFFCF3,         [AHB1RSTR] = 0x226011FF,
	[AHB1RSTR + 1] = 0x000000F1, [AHB1RSTR + 2] = 0x00000001, [AHB1RSTR + 4] = 0x36FEC9FF, [APB2RSTR] = 0x00075933,
	[AHB1ENR] = 0x7E7411FF,      [AHB2ENR] = 0x000000F1,      [AHB2ENR + 1] = 0x00000001,  [APB1ENR] = 0x36FEC9FF,
	[APB2ENR] = 0x00075F33,      [20] = 0x7E6791FF, /* the LPENRs */
	[21] = 0x000000F1,           [22] = 0x00000001,           [24] = 0x36FEC9FF,           [25] = 0x00075F33,
	[SSCGR] = 0xCFFFFFFF,        [PLLI2SCFGR] = 0x70007FC0,
};

#define HSION (1u << 0)
#define HSEON (1u << 16)
#define PLLON (1u << 24)
#define PLLI2SON (1u << 26)
#define HSEBYP (1u << 18)
#define PLL_FROM_HSE (1u << 22)
#define LSEON (1u << 0)
#define LSEBYP (1u << 2)
#define RTCSEL (3u << 8)
#define READY_OF(on) ((on) << 1)
#define RCC_IRQ 5
#define RMVF (1u << 24)
#define RTCEN (1u << 15)
#define BDRST (1u << 16)

static const struct {
	enum reset_cause cause;
	uint32_t flags; /* of RCC_CSR: the chip pulls NRST low itself, whatever the cause (RM0090 7.1.1) */
} csr_flags[] = {
	{ RESET_POWER_ON, 0x0E000000 },           { RESET_PIN, 1u << 26 },
	{ RESET_OPTION_BYTES, 5u << 26 },         { RESET_UNPROTECT, 5u << 26 },
	{ RESET_NOT_EXECUTABLE, 5u << 26 },       { RESET_SOFTWARE, 5u << 26 },
	{ RESET_WATCHDOG, 1u << 29 | 1u << 26 },  { RESET_WINDOW_WATCHDOG, 1u << 30 | 1u << 26 },
	{ RESET_LOW_POWER, 1u << 31 | 1u << 26 }, { RESET_STANDBY, 0x0E000000 }, /* a power reset (RM0090 7.1.2) */
};

static unsigned divider(uint32_t code, unsigned top, const uint16_t *of)
{
	return code & top ? of[code & (top - 1)] : 1;
}

static uint32_t pll_hz(const uint32_t *regs)
{
	uint32_t cfg = regs[PLLCFGR], m = cfg & 63, n = cfg >> 6 & 511, p = ((cfg >> 16 & 3) + 1) * 2;
	uint64_t source = cfg & 1u << 22 ? HSE_HZ : HSI_HZ;

	return m && n ? (uint32_t)(source * n / m / p) : HSI_HZ;
}

/* RM0090 7.2, figure 21 */
static void set_clock(struct soc *s)
{
	static const uint16_t of_ahb[] = { 2, 4, 8, 16, 64, 128, 256, 512 }, of_apb[] = { 2, 4, 8, 16 };
	struct rcc *r = &s->rcc;
	uint32_t cfgr = r->regs[CFGR], hz = HSI_HZ;

	if ((cfgr >> 2 & 3) == 1)
		hz = HSE_HZ;
	else if ((cfgr >> 2 & 3) == 2)
		hz = pll_hz(r->regs);
	r->ahb_div = divider(cfgr >> 4 & 15, 8, of_ahb);
	r->apb_div[0] = divider(cfgr >> 10 & 7, 4, of_apb);
	r->apb_div[1] = divider(cfgr >> 13 & 7, 4, of_apb);
	hz /= r->ahb_div;
	soc_set_clock(s, hz < HZ_LEAST ? HZ_LEAST : hz > HZ_MOST ? HZ_MOST : hz);
}

uint32_t rcc_pclk_div(const struct soc *s, enum soc_bus bus)
{
	return bus == ON_APB1 ? s->rcc.apb_div[0] : bus == ON_APB2 ? s->rcc.apb_div[1] : 1;
}

bool rcc_is_on(const struct soc *s, const struct soc_block *b)
{
	static const uint8_t enable[] = {
		[ON_AHB1] = AHB1ENR, [ON_AHB2] = AHB2ENR, [ON_APB1] = APB1ENR, [ON_APB2] = APB2ENR
	};

	if (b->bus == ON_ALWAYS)
		return true;
	/* ASSUMED: with its clock off, too: MicroPython's machine.bootloader() remaps memory like that, and boards do follow. */
	if (b->reset == syscfg_reset)
		return true;
	if (b->reset == adc_reset) /* three of them on one row */
		return s->rcc.regs[APB2ENR] & 7u << 8;
	return s->rcc.regs[enable[b->bus]] >> b->bit & 1;
}

/* IWDG keeps it on. */
static bool lsi_runs(const struct soc *s)
{
	return s->rcc.regs[CSR] & 1 || s->dogs.iwdg_runs;
}

/* As CIR has them: LSI, LSE, HSI, HSE, PLL, PLLI2S. */
static uint32_t ready(const struct soc *s)
{
	static const uint32_t of_cr[] = { HSION, HSEON, PLLON, PLLI2SON };
	uint32_t bits = lsi_runs(s) | (s->rcc.bdcr & READY_OF(LSEON));

	for (unsigned i = 0; i < 4; i++)
		if (s->rcc.regs[CR] & READY_OF(of_cr[i]))
			bits |= 4u << i;
	return bits;
}

bool rcc_dma_is_on(const struct soc *s, unsigned unit)
{
	return s->rcc.regs[AHB1ENR] >> (21 + unit) & 1;
}

/* Both of its resets, that of the power and BDRST's (RM0090 7.1.3). */
void rcc_power_on(struct soc *s)
{
	s->rcc.bdcr = 0;
	pwr_backup_reset(s);
	rtc_power_on(s);
}

void rcc_start(struct soc *s, unsigned causes, bool jumped)
{
	uint32_t *r = s->rcc.regs;

	memset(r, 0, sizeof(s->rcc.regs));
	s->rcc.flags = s->rcc.was_ready = 0;
	soc_irq(s, RCC_IRQ, 0, false);
	for (size_t i = 0; i < sizeof(csr_flags) / sizeof(csr_flags[0]); i++)
		if (causes >> csr_flags[i].cause & 1)
			s->rcc.flags |= csr_flags[i].flags;
	r[CR] = 0x83;
	r[PLLCFGR] = 0x24003010;
	r[AHB1ENR] = 1u << 20; /* CCMDATARAMEN */
	if (jumped && s->parts.profile->bootloader_id <= 0x90)
		r[AHB1ENR] = 0; /* f407.md LV-5 */
	for (unsigned i = 20; i <= 25; i++)
		r[i] = masks[i]; /* the LPENRs: all of it */
	r[PLLI2SCFGR] = 0x20003000;
	s->rcc.was_ready = ready(s) & ~1u; /* LSI: watchdogs_start() */
	set_clock(s);
	if (s->parts.otg)
		otg_fs_clock(s->parts.otg, false);
}

static void reset_blocks(struct soc *s, unsigned reg, uint32_t bits)
{
	static const enum soc_bus bus[] = { [0] = ON_AHB1, [1] = ON_AHB2, [4] = ON_APB1, [5] = ON_APB2 };
	unsigned index = reg - AHB1RSTR;

	if (index == 2 || index == 3)
		return;
	for (unsigned bit = 0; bit < 32; bit++)
		if (bits >> bit & 1)
			soc_reset_block(s, bus[index], bit);
}

/* What has become ready interrupts, if that is enabled (RM0090 7.3.4). */
static void tell_ready(struct soc *s)
{
	uint32_t now = ready(s), *cir = &s->rcc.regs[CIR];

	*cir |= now & ~s->rcc.was_ready & *cir >> 8 & 0x3F;
	s->rcc.was_ready = now;
	soc_irq(s, RCC_IRQ, 0, *cir & 0x3F);
}

/* SYSCLK switches at once, if its source is ready; CFGR says which it is. */
static void switch_clock(struct soc *s)
{
	static const uint32_t on[] = { HSION, HSEON, PLLON };
	uint32_t *r = s->rcc.regs, want = r[CFGR] & 3;

	if (want < 3 && r[CR] & READY_OF(on[want]))
		r[CFGR] = (r[CFGR] & ~0xCu) | want << 2;
	set_clock(s);
	tell_ready(s);
	rtc_clock(s);
}

/* A PLL is ready if what it multiplies is. */
static uint32_t with_ready(uint32_t cr, bool from_hse)
{
	uint32_t on = cr & (HSION | HSEON | PLLON | PLLI2SON);

	if (!(on & (from_hse ? HSEON : HSION)))
		on &= ~(PLLON | PLLI2SON);
	return (cr & ~READY_OF(HSION | HSEON | PLLON | PLLI2SON)) | READY_OF(on);
}

static void write_cr(struct soc *s, uint32_t value)
{
	uint32_t *r = s->rcc.regs;
	bool from_hse = r[PLLCFGR] & PLL_FROM_HSE;
	const uint32_t in_use[] = { HSION, HSEON, PLLON | (from_hse ? HSEON : HSION), HSION };

	value |= in_use[r[CFGR] >> 2 &
			3]; /* what drives SYSCLK, directly or not, cannot be switched off (RM0090 7.3.1) */
	if (r[CR] & HSEON)
		value = (value & ~HSEBYP) | (r[CR] & HSEBYP);
	r[CR] = with_ready(value, from_hse);
	switch_clock(s);
}

/* All oscillators of the 1.2 V domain; it wakes by HSI (RM0090 5.3.4). */
void rcc_stop(struct soc *s)
{
	uint32_t *r = s->rcc.regs;

	r[CFGR] &= ~0xFu;
	r[CR] |= HSION | READY_OF(HSION);
	set_clock(s);
	write_cr(s, r[CR] & ~(HSEON | PLLON | PLLI2SON));
}

/* Factors are as they were when their PLL was switched on (RM0090 7.3.2, 7.3.23). */
static uint32_t unlocked_factors(const uint32_t *r, unsigned reg)
{
	uint32_t mask = UINT32_MAX;

	if (reg == PLLCFGR && r[CR] & PLLON)
		return 0;
	if (reg == PLLCFGR && r[CR] & PLLI2SON)
		mask = ~(PLL_FROM_HSE | 0x3Fu);
	if (reg == PLLI2SCFGR && r[CR] & PLLI2SON)
		mask = 0;
	return mask;
}

static void write_bdcr(struct soc *s, uint32_t value, uint32_t mask)
{
	uint32_t old = s->rcc.bdcr;

	if (!rtc_may_write(s))
		return;
	value = soc_merge(old, value, mask);
	if (value & BDRST) {
		rcc_power_on(s);
		s->rcc.bdcr = BDRST;
		return;
	}
	value &= LSEON | LSEBYP | RTCSEL | RTCEN;
	if (old & RTCSEL) /* once and for all, until the domain's reset (RM0090 7.2.8) */
		value = (value & ~RTCSEL) | (old & RTCSEL);
	if (old & LSEON)
		value = (value & ~LSEBYP) | (old & LSEBYP);
	s->rcc.bdcr = value & LSEON ? value | READY_OF(LSEON) : value;
	tell_ready(s);
	rtc_clock(s);
}

/* Of the clock that RTCEN and RTCSEL let through to the RTC. 0: none. */
uint32_t rcc_rtc_hz(const struct soc *s)
{
	const uint32_t *r = s->rcc.regs;
	uint32_t divider_of_hse = r[CFGR] >> 16 & 31;

	if (!(s->rcc.bdcr & RTCEN))
		return 0;
	switch ((s->rcc.bdcr & RTCSEL) >> 8) {
	case 1:
		return s->rcc.bdcr & LSEON ? LSE_HZ : 0;
	case 2:
		return lsi_runs(s) ? LSI_HZ : 0;
	case 3:
		return r[CR] & HSEON && divider_of_hse > 1 ? HSE_HZ / divider_of_hse : 0;
	default:
		return 0;
	}
}

/* The independent watchdog has begun, which wants the LSI (RM0090 7.2.9). */
void rcc_wants_lsi(struct soc *s)
{
	tell_ready(s);
	rtc_clock(s);
}

uint32_t rcc_read(struct soc *s, unsigned unit, uint32_t offset)
{
	unsigned reg = offset / 4;

	(void)unit;
	if (reg == BDCR)
		return s->rcc.bdcr;
	if (reg == CSR)
		return (s->rcc.regs[CSR] & 1) | (lsi_runs(s) ? 2 : 0) | s->rcc.flags;
	return reg < 0x24 ? s->rcc.regs[reg] : 0;
}

void rcc_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	unsigned reg = offset / 4;
	uint32_t *r = s->rcc.regs, merged, old;

	(void)unit;
	if (reg >= 0x24)
		return;
	old = r[reg];
	merged = soc_merge(old, value,
			   reg == BDCR || reg == CSR || reg == CIR ? mask
								   : mask & masks[reg] & unlocked_factors(r, reg));
	switch (reg) {
	case CR:
		write_cr(s, merged);
		return;
	case CFGR:
		r[CFGR] = merged;
		switch_clock(s);
		return;
	case CIR:
		r[CIR] = (merged & 0x3F00) | (old & 0x3F & ~((value & mask) >> 16));
		tell_ready(s);
		return;
	case BDCR:
		write_bdcr(s, value, mask);
		return;
	case CSR:
		if (merged & RMVF) {
			s->rcc.flags = 0;
			s->parts.user->forget_resets(s->parts.user_context);
		}
		r[CSR] = merged & 1;
		rcc_wants_lsi(s);
		return;
	default:
		r[reg] = merged;
		break;
	}
	if (reg == PLLCFGR)
		write_cr(s, r[CR]); /* its source may be another */
	if (reg >= AHB1RSTR && reg <= APB2RSTR)
		reset_blocks(s, reg, merged & ~old);
	if (reg == AHB2ENR && s->parts.otg)
		otg_fs_clock(s->parts.otg, merged >> 7 & 1);
}

void rcc_reset(struct soc *s, unsigned unit)
{
	(void)s, (void)unit; /* rcc_start(): the others need their clocks first */
}
