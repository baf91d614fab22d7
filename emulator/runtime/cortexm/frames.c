/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames on the stack (DDI 0403 B1.5.6 to B1.5.8), and the registers of the FPU that are saved in them late.
 */
#include <string.h>
#include "engine.h"

/* UpdateFPCCR(), B1.5.7. */
static void lazy_begin(struct cpu *c, uint32_t frame)
{
	c->fpcar = (frame + 0x20) & ~7u;
	uint32_t f = (c->fpccr & (FPCCR_ASPEN | FPCCR_LSPEN)) | FPCCR_LSPACT;
	int now = execution_priority(c, true);
	f |= privileged(c) ? 0 : FPCCR_USER;
	f |= c->ipsr ? 0 : FPCCR_THREAD;
	f |= now > -1 ? FPCCR_HFRDY : 0;
	f |= exception_is_enabled(c, EXCEPTION_MEMORY) && exception_priority(c, EXCEPTION_MEMORY) < now ? FPCCR_MMRDY
													: 0;
	f |= exception_is_enabled(c, EXCEPTION_BUS) && exception_priority(c, EXCEPTION_BUS) < now ? FPCCR_BFRDY : 0;
	f |= (c->demcr & DEMCR_MON_EN) && exception_priority(c, EXCEPTION_DEBUG) < now ? FPCCR_MONRDY : 0;
	c->fpccr = f;
}

/* 0, or the bit of CFSR: that of the BusFault, or eight below it that of the MemManage fault. */
static uint32_t store(struct cpu *c, uint32_t at, uint32_t word, struct mpu_by by, uint32_t bus)
{
	struct span span;
	if (!mpu_passes(c, at, MPU_WRITE, by, &span))
		return bus >> 8;
	return memory_write(c, at, 4, word) ? 0 : bus;
}

static uint32_t load(struct cpu *c, uint32_t at, uint32_t *word, struct mpu_by by)
{
	struct span span;
	if (!mpu_passes(c, at, MPU_READ, by, &span))
		return CFSR_MUNSTKERR;
	return memory_read(c, at, 4, word) ? 0 : CFSR_UNSTKERR;
}

static uint32_t fp_save(struct cpu *c, uint32_t at, struct mpu_by by, uint32_t bus)
{
	uint32_t fault = 0;
	engine_fp_load(c);
	for (unsigned i = 0; i < 16 && !fault; i++)
		fault = store(c, at + 4 * i, c->s[i], by, bus);
	return fault ? fault : store(c, at + 64, c->fpscr, by, bus);
}

uint32_t frame_push(struct cpu *c)
{
	bool fp = c->control & CONTROL_FPCA;
	uint32_t sp = c->r[13], align = sp & 4 && (fp || (c->ccr & CCR_STKALIGN)) ? 4 : 0;
	uint32_t frame = (sp - (fp ? 0x68 : 0x20)) & ~align;
	const uint32_t words[8] = { c->r[0],  c->r[1],  c->r[2],  c->r[3],
				    c->r[12], c->r[14], c->r[15], (c->xpsr & ~0x3FFu) | align << 7 | c->ipsr };
	c->r[13] = frame;
	struct mpu_by by = mpu_now(c);
	uint32_t fault = 0;
	for (unsigned i = 0; i < 8 && !fault; i++)
		fault = store(c, frame + 4 * i, words[i], by, CFSR_STKERR);
	if (fp && !fault) {
		if (c->fpccr & FPCCR_LSPEN)
			lazy_begin(c, frame);
		else
			fault = fp_save(c, frame + 0x20, by, CFSR_STKERR);
	}
	c->r[14] = 0xFFFFFFE1u | (fp ? 0 : EXC_RETURN_NO_FP) | (c->ipsr ? 0 : c->control & CONTROL_SPSEL ? 0xC : 8);
	return fault;
}

bool frame_fp(struct cpu *c, uint32_t *cfsr)
{
	unsigned access = c->cpacr >> 20 & 0xF;
	if (access != 0xF && (access != 5 || !privileged(c))) {
		*cfsr = CFSR_NOCP;
		return false;
	}
	if (c->fpccr & FPCCR_LSPACT) {
		/* As privileged as what the registers are of was. */
		struct mpu_by by = { !(c->fpccr & FPCCR_USER), !(c->fpccr & FPCCR_HFRDY) };
		uint32_t fault = fp_save(c, c->fpcar, by, CFSR_LSPERR);
		if (fault && exception_lazy_fault(c, fault)) {
			*cfsr = 0;
			return false;
		}
		c->fpccr &= ~FPCCR_LSPACT;
		/* ASSUMED: it takes as long as it would have before, behind this instruction, and cannot be interrupted. */
		c->phase = PHASE_SAVE;
		c->phase_ends = c->now + c->times.lazy;
		c->horizon = 0;
	}
	if ((c->fpccr & FPCCR_ASPEN) && !(c->control & CONTROL_FPCA)) {
		c->control |= CONTROL_FPCA;
		engine_fp_load(c);
		c->fpscr = (c->fpscr & ~0x07C00000u) | (c->fpdscr & 0x07C00000u);
		engine_fp_store(c);
	}
	return true;
}

uint32_t frame_pop(struct cpu *c, uint32_t frame, bool fp, bool to_thread, uint32_t *psr)
{
	struct mpu_by by = mpu_now(c);
	uint32_t words[8], fault = 0;
	by.privileged = !to_thread || !(c->control & CONTROL_NPRIV);
	for (unsigned i = 0; i < 8 && !fault; i++)
		fault = load(c, frame + 4 * i, &words[i], by);
	if (fault)
		return fault;
	if (fp && (c->fpccr & FPCCR_LSPACT)) {
		c->fpccr &= ~FPCCR_LSPACT;
	} else if (fp) {
		engine_fp_load(c);
		for (unsigned i = 0; i < 16 && !fault; i++)
			fault = load(c, frame + 0x20 + 4 * i, &c->s[i], by);
		fault = fault ? fault : load(c, frame + 0x60, &c->fpscr, by);
		if (fault)
			return fault;
		engine_fp_store(c);
	}
	memcpy(c->r, words, 4 * sizeof words[0]);
	c->r[12] = words[4];
	c->r[14] = words[5];
	c->r[15] = words[6] & ~1u;
	*psr = words[7];
	return 0;
}
