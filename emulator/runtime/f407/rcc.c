// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RCC: clock tree, resets, clock gates (RM0090 chapter 7). Oscillators and PLLs are ready at once. HSE is 8 MHz, as on the
 * Discovery; LSE is there.
 */
#include "soc_internal.h"
#include <string.h>

#define HSI_HZ 16000000u
#define HSE_HZ 8000000u
#define HZ_LEAST 10000u
#define HZ_MOST 400000000u

enum {
	CR,
	PLLCFGR,
	CFGR,
	CIR,
	AHB1RSTR = 4,
	APB2RSTR = 9,
	AHB1ENR = 12,
	AHB2ENR,
	APB1ENR = 16,
	APB2ENR,
	BDCR = 28,
	CSR
};

#define HSION (1u << 0)
#define HSEON (1u << 16)
#define PLLON (1u << 24)
#define PLLI2SON (1u << 26)
#define READY_OF(on) ((on) << 1)
#define RMVF (1u << 24)
#define BDRST (1u << 16)

static const struct {
	enum reset_cause cause;
	uint32_t flags; /* of RCC_CSR: the chip pulls NRST low itself, whatever the cause (RM0090 7.1.1) */
} csr_flags[] = {
	{ RESET_POWER_ON, 0x0E000000 },          { RESET_PIN, 1u << 26 },
	{ RESET_OPTION_BYTES, 5u << 26 },        { RESET_UNPROTECT, 5u << 26 },
	{ RESET_NOT_EXECUTABLE, 5u << 26 },      { RESET_SOFTWARE, 5u << 26 },
	{ RESET_WATCHDOG, 1u << 29 | 1u << 26 }, { RESET_WINDOW_WATCHDOG, 1u << 30 | 1u << 26 },
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

void rcc_power_on(struct soc *s)
{
	s->rcc.bdcr = 0;
}

void rcc_start(struct soc *s, unsigned causes, bool jumped)
{
	uint32_t *r = s->rcc.regs;

	memset(r, 0, sizeof(s->rcc.regs));
	s->rcc.flags = 0;
	for (size_t i = 0; i < sizeof(csr_flags) / sizeof(csr_flags[0]); i++)
		if (causes >> csr_flags[i].cause & 1)
			s->rcc.flags |= csr_flags[i].flags;
	r[CR] = 0x83;
	r[PLLCFGR] = 0x24003010;
	r[AHB1ENR] = 1u << 20; /* CCMDATARAMEN */
	if (jumped && s->parts.profile->bootloader_id <= 0x90)
		r[AHB1ENR] = 0;                                                              /* f407.md LV-5 */
	r[20] = 0x7E6791FF, r[21] = 0xF1, r[22] = 1, r[24] = 0x36FEC9FF, r[25] = 0x00075F33; /* the LPENRs */
	r[0x84 / 4] = 0x20003000;
	set_clock(s);
	if (s->parts.otg)
		otg_fs_clock(s->parts.otg, false);
}

static uint32_t with_ready(uint32_t value, uint32_t on)
{
	return value & on ? value | READY_OF(on) : value & ~READY_OF(on);
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

/* SYSCLK switches at once, if its source runs; CFGR says which it is. */
static void switch_clock(struct soc *s)
{
	static const uint32_t on[] = { HSION, HSEON, PLLON };
	uint32_t *r = s->rcc.regs, want = r[CFGR] & 3;

	if (want < 3 && r[CR] & on[want])
		r[CFGR] = (r[CFGR] & ~0xCu) | want << 2;
	set_clock(s);
}

static void write_cr(struct soc *s, uint32_t value)
{
	static const uint32_t in_use[] = { HSION, HSEON, PLLON, HSION };
	uint32_t *r = s->rcc.regs;

	value |= in_use[r[CFGR] >> 2 & 3]; /* what drives SYSCLK cannot be switched off */
	value = with_ready(with_ready(with_ready(with_ready(value, HSION), HSEON), PLLON), PLLI2SON);
	r[CR] = value;
	switch_clock(s);
}

static void write_bdcr(struct soc *s, uint32_t value, uint32_t mask)
{
	if (!rtc_may_write(s))
		return;
	value = soc_merge(s->rcc.bdcr, value, mask);
	if (value & BDRST) {
		rtc_power_on(s);
		s->rcc.bdcr = BDRST;
		return;
	}
	s->rcc.bdcr = with_ready(value & 0x8305, 1);
}

uint32_t rcc_read(struct soc *s, unsigned unit, uint32_t offset)
{
	unsigned reg = offset / 4;

	(void)unit;
	if (reg == BDCR)
		return s->rcc.bdcr;
	if (reg == CSR)
		return (s->rcc.regs[CSR] & 3) | s->rcc.flags;
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
	merged = soc_merge(old, value, mask);
	switch (reg) {
	case CR:
		write_cr(s, merged);
		return;
	case CFGR:
		r[CFGR] = (merged & ~0xCu) | (old & 0xC);
		switch_clock(s);
		return;
	case CIR: /* no interrupt: what is ready has been so before anyone could wait for it */
		r[CIR] = merged & 0x3F00;
		return;
	case BDCR:
		write_bdcr(s, value, mask);
		return;
	case CSR:
		if (merged & RMVF) {
			s->rcc.flags = 0;
			s->parts.user->forget_resets(s->parts.user_context);
		}
		r[CSR] = with_ready(merged & 1, 1);
		return;
	default:
		r[reg] = merged;
		break;
	}
	if (reg == PLLCFGR)
		set_clock(s);
	if (reg >= AHB1RSTR && reg <= APB2RSTR)
		reset_blocks(s, reg, merged & ~old);
	if (reg == AHB2ENR && s->parts.otg)
		otg_fs_clock(s->parts.otg, merged >> 7 & 1);
}

void rcc_reset(struct soc *s, unsigned unit)
{
	(void)s, (void)unit; /* rcc_start(): the others need their clocks first */
}
