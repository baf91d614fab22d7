/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private peripherals (DDI 0403 B3.2 to B3.5, C1; PM0214 4): SCB, NVIC, FPU, DWT and what else is there. Registers that are not there read as zero, except that the ROM table and debug units fault nowhere.
 */
#include <string.h>
#include "machine.h"

#define PRIORITY_BITS 0xF0u /* four are there on an STM32F407 (PM0214 4.3.7) */

void scs_reset(struct cpu *c)
{
	c->aircr = 0;
	c->scr = c->shcsr = c->cfsr = c->hfsr = c->dfsr = c->mmfar = c->bfar = c->cpacr = c->actlr = 0;
	c->ccr = CCR_STKALIGN;
	c->vtor = 0;
	c->fpccr = FPCCR_ASPEN | FPCCR_LSPEN;
	c->fpcar = c->fpdscr = 0;
	c->demcr = c->dwt_control = c->cyccnt = 0;
	mpu_reset(c);
	memset(c->itm, 0, sizeof c->itm);
	memset(&c->systick, 0, sizeof c->systick);
	c->systick.zero_at = c->systick.wrapped_at = NEVER;
}

static bool counts(const struct cpu *c)
{
	return (c->dwt_control & 1) && (c->demcr & DEMCR_TRCENA);
}

void scs_stand(struct cpu *c, uint64_t cycles)
{
	if (counts(c))
		c->cyccnt -= (uint32_t)cycles;
}

/* What changes whether CYCCNT runs: it stands in between. */
static void set_counting(struct cpu *c, uint32_t *which, uint32_t value)
{
	uint32_t at = counts(c) ? c->cyccnt + (uint32_t)c->now : c->cyccnt;
	*which = value;
	c->cyccnt = counts(c) ? at - (uint32_t)c->now : at;
}

static uint32_t icsr(const struct cpu *c)
{
	unsigned best = 0, active = 0;
	bool irq = false;
	int priority = 256;
	for (unsigned n = 2; n < EXCEPTIONS; n++) {
		active += set_has(&c->active, n);
		irq |= n >= EXCEPTION_IRQ && set_has(&c->pending, n);
		if (set_has(&c->pending, n) && set_has(&c->enabled, n) && exception_priority(c, n) < priority) {
			priority = exception_priority(c, n);
			best = n;
		}
	}
	return c->ipsr | (active <= 1) << 11 | best << 12 | (uint32_t)irq << 22 |
	       (uint32_t)set_has(&c->pending, EXCEPTION_SYSTICK) << 26 |
	       (uint32_t)set_has(&c->pending, EXCEPTION_PENDSV) << 28 |
	       (uint32_t)set_has(&c->pending, EXCEPTION_NMI) << 31;
}

static void write_icsr(struct cpu *c, uint32_t value)
{
	if (value >> 31)
		exception_pend(c, EXCEPTION_NMI);
	if (value >> 28 & 1)
		exception_pend(c, EXCEPTION_PENDSV);
	else if (value >> 27 & 1)
		exception_unpend(c, EXCEPTION_PENDSV);
	if (value >> 26 & 1)
		exception_pend(c, EXCEPTION_SYSTICK);
	else if (value >> 25 & 1)
		exception_unpend(c, EXCEPTION_SYSTICK);
}

static void write_aircr(struct cpu *c, uint32_t value)
{
	if (value >> 16 != 0x05FA)
		return;
	c->aircr = value & 0x700;
	if (value & 5) /* SYSRESETREQ, VECTRESET */
		c->resets = true;
	c->horizon = 0;
}

/* SHCSR: which bit says that an exception is active, and which that it is pending. */
static const struct {
	uint8_t exception, active, pending; /* pending 0xFF: none */
} handlers[] = { { EXCEPTION_MEMORY, 0, 13 },    { EXCEPTION_BUS, 1, 14 },     { EXCEPTION_USAGE, 3, 12 },
		 { EXCEPTION_SVC, 7, 15 },       { EXCEPTION_DEBUG, 8, 0xFF }, { EXCEPTION_PENDSV, 10, 0xFF },
		 { EXCEPTION_SYSTICK, 11, 0xFF } };

static uint32_t read_shcsr(const struct cpu *c)
{
	uint32_t value = c->shcsr;
	for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
		value |= (uint32_t)set_has(&c->active, handlers[i].exception) << handlers[i].active;
		if (handlers[i].pending != 0xFF)
			value |= (uint32_t)set_has(&c->pending, handlers[i].exception) << handlers[i].pending;
	}
	return value;
}

static void write_shcsr(struct cpu *c, uint32_t value)
{
	c->shcsr = value & 0x70000;
	for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
		set_put(&c->active, handlers[i].exception, value >> handlers[i].active & 1);
		if (handlers[i].pending != 0xFF)
			set_put(&c->pending, handlers[i].exception, value >> handlers[i].pending & 1);
	}
	c->horizon = 0;
}

static uint32_t read_scb(struct cpu *c, uint32_t address)
{
	/* ID_PFR0 to ID_ISAR4 and MVFR0 to 1 of a Cortex-M4 with FPU (its technical reference manual, 4.1). */
	static const uint32_t identity[] = { 0x00000030, 0x00000200, 0x00100000, 0,          0x00100030, 0,         0,
					     0,          0x01101110, 0x02112000, 0x21232231, 0x01111131, 0x01310132 };
	switch (address) {
	case 0xE000ED00:
		return 0x410FC241;
	case 0xE000ED04:
		return icsr(c);
	case 0xE000ED08:
		return c->vtor;
	case 0xE000ED0C:
		return 0xFA050000u | c->aircr;
	case 0xE000ED10:
		return c->scr;
	case 0xE000ED14:
		return c->ccr;
	case 0xE000ED24:
		return read_shcsr(c);
	case 0xE000ED28:
		return c->cfsr;
	case 0xE000ED2C:
		return c->hfsr;
	case 0xE000ED30:
		return c->dfsr;
	case 0xE000ED34:
		return c->mmfar;
	case 0xE000ED38:
		return c->bfar;
	case 0xE000ED88:
		return c->cpacr;
	case 0xE000EDFC:
		return c->demcr;
	case 0xE000EF34:
		return c->fpccr;
	case 0xE000EF38:
		return c->fpcar;
	case 0xE000EF3C:
		return c->fpdscr;
	case 0xE000EF40:
		return 0x10110021;
	case 0xE000EF44:
		return 0x11000011;
	default:
		if (address >= 0xE000ED40 && address < 0xE000ED40 + sizeof identity)
			return identity[(address - 0xE000ED40) / 4];
		if (address >= 0xE000ED90 && address < 0xE000EDBC)
			return mpu_read(c, address);
		return 0;
	}
}

static void write_scb(struct cpu *c, uint32_t address, uint32_t value)
{
	switch (address) {
	case 0xE000ED04:
		write_icsr(c, value);
		break;
	case 0xE000ED08:
		c->vtor = value & 0xFFFFFF80u;
		break;
	case 0xE000ED0C:
		write_aircr(c, value);
		break;
	case 0xE000ED10:
		c->scr = value & 0x16;
		break;
	case 0xE000ED14:
		c->ccr = value & 0x31B;
		c->horizon = 0;
		break;
	case 0xE000ED24:
		write_shcsr(c, value);
		break;
	case 0xE000ED28:
		c->cfsr &= ~value;
		break;
	case 0xE000ED2C:
		c->hfsr &= ~value;
		break;
	case 0xE000ED30:
		c->dfsr &= ~value;
		break;
	case 0xE000ED34:
		c->mmfar = value;
		break;
	case 0xE000ED38:
		c->bfar = value;
		break;
	case 0xE000ED88:
		c->cpacr = value & 0xF00000;
		c->horizon = 0;
		break;
	case 0xE000EDFC:
		set_counting(c, &c->demcr, value & 0x010F07F1);
		break;
	case 0xE000EF00: /* STIR */
		if ((value & 0x1FF) < CPU_IRQS)
			exception_pend(c, EXCEPTION_IRQ + (value & 0x1FF));
		break;
	case 0xE000EF34:
		c->fpccr = value & 0xC000017Bu;
		c->horizon = 0;
		break;
	case 0xE000EF38:
		c->fpcar = value & ~7u;
		break;
	case 0xE000EF3C:
		c->fpdscr = value & 0x07C00000;
		break;
	default:
		if (address >= 0xE000ED90 && address < 0xE000EDBC)
			mpu_write(c, address, value);
		break;
	}
}

/* The sets of the NVIC, 32 interrupts a word. */
static uint32_t set_word(const struct exception_set *s, unsigned first)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < 32 && first + i < CPU_IRQS; i++)
		value |= (uint32_t)set_has(s, EXCEPTION_IRQ + first + i) << i;
	return value;
}

static uint32_t read_nvic(const struct cpu *c, uint32_t address)
{
	unsigned first = (address & 0x7C) * 8;
	switch (address & 0xF80) {
	case 0x100:
	case 0x180:
		return set_word(&c->enabled, first);
	case 0x200:
	case 0x280:
		return set_word(&c->pending, first);
	case 0x300:
		return set_word(&c->active, first);
	default:
		return 0;
	}
}

static void write_nvic(struct cpu *c, uint32_t address, uint32_t value)
{
	unsigned first = (address & 0x7C) * 8;
	for (unsigned i = 0; i < 32 && first + i < CPU_IRQS; i++) {
		unsigned n = EXCEPTION_IRQ + first + i;
		if (!(value >> i & 1))
			continue;
		switch (address & 0xF80) {
		case 0x100:
		case 0x180:
			set_put(&c->enabled, n, (address & 0xF80) == 0x100);
			break;
		case 0x200:
			exception_pend(c, n);
			break;
		case 0x280:
			exception_unpend(c, n);
			break;
		default:
			break;
		}
	}
	c->horizon = 0;
}

/* Priorities are bytes: whose is this one? NULL: nobody's. */
static uint8_t *priority_at(struct cpu *c, uint32_t address)
{
	unsigned n = 0;
	if (address >= 0xE000E400 && address < 0xE000E400 + CPU_IRQS)
		n = EXCEPTION_IRQ + (address - 0xE000E400);
	else if (address >= 0xE000ED18 && address < 0xE000ED24)
		n = 4 + (address - 0xE000ED18);
	bool there = n >= EXCEPTION_IRQ || (n >= EXCEPTION_MEMORY && n <= EXCEPTION_USAGE) ||
		     (n >= EXCEPTION_SVC && n <= EXCEPTION_SYSTICK && n != 13);
	return there ? &c->priority[n] : NULL;
}

static bool is_priority(uint32_t address)
{
	return (address >= 0xE000E400 && address < 0xE000E500) || (address >= 0xE000ED18 && address < 0xE000ED24);
}

static uint32_t read_word(struct cpu *c, uint32_t address)
{
	switch (address) {
	case 0xE0000E00:
		return c->itm[0];
	case 0xE0000E40:
		return c->itm[1];
	case 0xE0000E80:
		return c->itm[2];
	case 0xE0001000:
		return 0x40000000 | c->dwt_control;
	case 0xE0001004:
		return counts(c) ? c->cyccnt + (uint32_t)c->now : c->cyccnt;
	case 0xE000E004:
		return (CPU_IRQS - 1) / 32;
	case 0xE000E008:
		return c->actlr;
	default:
		break;
	}
	if (address < 0xE0000080) /* the ports of the ITM always take more */
		return 1;
	if (address >= 0xE000E010 && address < 0xE000E020)
		return systick_read(c, address);
	if (address >= 0xE000E100 && address < 0xE000E400)
		return read_nvic(c, address);
	return address >= 0xE000ED00 && address < 0xE000F000 ? read_scb(c, address) : 0;
}

static void write_word(struct cpu *c, uint32_t address, uint32_t value)
{
	switch (address) {
	case 0xE0000E00:
		c->itm[0] = value;
		return;
	case 0xE0000E40:
		c->itm[1] = value & 0xF;
		return;
	case 0xE0000E80:
		c->itm[2] = value & 0x7F0F0F;
		return;
	case 0xE0001000:
		set_counting(c, &c->dwt_control, value & 0x003F1FFF);
		return;
	case 0xE0001004:
		c->cyccnt = counts(c) ? value - (uint32_t)c->now : value;
		return;
	case 0xE000E008:
		c->actlr = value & 0x307;
		return;
	default:
		break;
	}
	if (address >= 0xE000E010 && address < 0xE000E020)
		systick_write(c, address, value);
	else if (address >= 0xE000E100 && address < 0xE000E400)
		write_nvic(c, address, value);
	else if (address >= 0xE000ED00 && address < 0xE000F000)
		write_scb(c, address, value);
}

/* Unprivileged code reaches nothing here but STIR, where CCR says so, and ITM ports (B3.2.2; C1.7.3: TPR is not looked at). */
static bool allowed(const struct cpu *c, uint32_t address)
{
	return (privileged(c) && !c->as_user) || address < 0xE0000080 ||
	       ((address & ~3u) == 0xE000EF00 && (c->ccr & CCR_USERSETMPEND));
}

bool scs_read(struct cpu *c, uint32_t address, unsigned size, uint32_t *value)
{
	*value = 0;
	if (!allowed(c, address))
		return false;
	if (is_priority(address)) {
		for (unsigned i = 0; i < size; i++) {
			const uint8_t *p = priority_at(c, address + i);
			*value |= (uint32_t)(p ? *p : 0) << 8 * i;
		}
		return true;
	}
	*value = read_word(c, address & ~3u) >> 8 * (address & 3) & (0xFFFFFFFFu >> (32 - 8 * size));
	return true;
}

bool scs_write(struct cpu *c, uint32_t address, unsigned size, uint32_t value)
{
	if (!allowed(c, address))
		return false;
	if (is_priority(address)) {
		for (unsigned i = 0; i < size; i++) {
			uint8_t *p = priority_at(c, address + i);
			if (p)
				*p = value >> 8 * i & PRIORITY_BITS;
		}
		c->horizon = 0;
		return true;
	}
	/* Bytes and halfwords of the fault status and of sets clear or set only what they carry; of all else the rest stays. */
	unsigned shift = 8 * (address & 3);
	uint32_t mask = 0xFFFFFFFFu >> (32 - 8 * size) << shift, word = address & ~3u;
	bool by_bits = (word >= 0xE000E100 && word < 0xE000E400) || word == 0xE000ED28 || word == 0xE000ED04;
	uint32_t rest = size == 4 || by_bits || word < 0xE0000080 ? 0 : read_word(c, word) & ~mask;
	write_word(c, word, rest | (value << shift & mask));
	return true;
}
