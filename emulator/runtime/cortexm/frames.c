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
	f |= privileged(c) ? 0 : 2;
	f |= c->ipsr ? 0 : 8;
	f |= now > -1 ? 0x10 : 0;
	f |= exception_is_enabled(c, EXCEPTION_MEMORY) && exception_priority(c, EXCEPTION_MEMORY) < now ? 0x20 : 0;
	f |= exception_is_enabled(c, EXCEPTION_BUS) && exception_priority(c, EXCEPTION_BUS) < now ? 0x40 : 0;
	f |= (c->demcr & DEMCR_MON_EN) && exception_priority(c, EXCEPTION_DEBUG) < now ? 0x100 : 0;
	c->fpccr = f;
}

static bool fp_save(struct cpu *c, uint32_t at)
{
	engine_fp_load(c);
	bool ok = true;
	for (unsigned i = 0; i < 16 && ok; i++)
		ok = memory_write(c, at + 4 * i, 4, c->s[i]);
	return ok && memory_write(c, at + 64, 4, c->fpscr);
}

bool frame_push(struct cpu *c)
{
	bool fp = c->control & CONTROL_FPCA;
	uint32_t sp = c->r[13], align = sp & 4 && (fp || (c->ccr & CCR_STKALIGN)) ? 4 : 0;
	uint32_t frame = (sp - (fp ? 0x68 : 0x20)) & ~align;
	const uint32_t words[8] = { c->r[0],  c->r[1],  c->r[2],  c->r[3],
				    c->r[12], c->r[14], c->r[15], (c->xpsr & ~0x3FFu) | align << 7 | c->ipsr };
	c->r[13] = frame;
	bool ok = true;
	for (unsigned i = 0; i < 8 && ok; i++)
		ok = memory_write(c, frame + 4 * i, 4, words[i]);
	if (fp && ok) {
		if (c->fpccr & FPCCR_LSPEN)
			lazy_begin(c, frame);
		else
			ok = fp_save(c, frame + 0x20);
	}
	c->r[14] = 0xFFFFFFE1u | (fp ? 0 : EXC_RETURN_NO_FP) | (c->ipsr ? 0 : c->control & CONTROL_SPSEL ? 0xC : 8);
	return ok;
}

bool frame_fp(struct cpu *c, uint32_t *cfsr)
{
	unsigned access = c->cpacr >> 20 & 0xF;
	if (access != 0xF && (access != 5 || !privileged(c))) {
		*cfsr = CFSR_NOCP;
		return false;
	}
	if (c->fpccr & FPCCR_LSPACT) {
		c->fpccr &= ~FPCCR_LSPACT;
		if (!fp_save(c, c->fpcar)) {
			*cfsr = CFSR_LSPERR;
			return false;
		}
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

bool frame_pop(struct cpu *c, uint32_t frame, bool fp, uint32_t *psr)
{
	uint32_t words[8];
	for (unsigned i = 0; i < 8; i++)
		if (!memory_read(c, frame + 4 * i, 4, &words[i]))
			return false;
	if (fp && (c->fpccr & FPCCR_LSPACT)) {
		c->fpccr &= ~FPCCR_LSPACT;
	} else if (fp) {
		engine_fp_load(c);
		for (unsigned i = 0; i < 16; i++)
			if (!memory_read(c, frame + 0x20 + 4 * i, 4, &c->s[i]))
				return false;
		if (!memory_read(c, frame + 0x60, 4, &c->fpscr))
			return false;
		engine_fp_store(c);
	}
	memcpy(c->r, words, 4 * sizeof words[0]);
	c->r[12] = words[4];
	c->r[14] = words[5];
	c->r[15] = words[6] & ~1u;
	*psr = words[7];
	return true;
}
