/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions that Unicorn executes otherwise than the machine has it, before they are executed: special registers and hints, accesses
 * that are to be aligned, exclusive ones, the FPU, divisions.
 */
#include "unicorn.h"

static void read_register(struct cpu *c, unsigned n, uint32_t *value)
{
	uc_reg_read(engine_of(c)->uc, unicorn_ids[n], value);
}

static void look_at_system(struct cpu *c, uint32_t insn, unsigned size)
{
	struct engine *e = engine_of(c);
	bool is_hint = size == 2 ? insn >> 8 == 0xBF : insn >> 16 == 0xF3AF && (insn & 0xFF00) == 0x8000;
	if (is_hint) {
		unsigned which = size == 2 ? insn >> 4 & 0xF : insn & 0xFF;
		if (which == 4)
			c->event = true; /* SEV */
		if (which < 1 || which > 3)
			return;
		e->event = which == 1 ? EVENT_SKIPPED : EVENT_HINT; /* YIELD */
		c->insn = insn;
		c->insn_size = size;
		uc_emu_stop(e->uc);
		return;
	}
	bool is_mrs = insn >> 16 == 0xF3EF && (insn & 0xF000) == 0x8000;
	bool is_msr = size == 4 && insn >> 21 == 0xF380 >> 5 && (insn & 0xD000) == 0x8000;
	bool is_cps = size == 2 && (insn & 0xFFE8) == 0xB660;
	if (!is_mrs && !is_msr && !is_cps)
		return;
	uint32_t rn = 0;
	unicorn_registers(c);
	if (is_msr)
		rn = c->r[insn >> 16 & 0xF];
	special_execute(c, insn, rn, &e->fix);
	e->fixes = true;
	e->control_spoilt |= is_msr && (insn & 0xFF) == 20;
}

void unicorn_fix(struct cpu *c)
{
	struct engine *e = engine_of(c);
	e->fixes = false;
	if (e->rounding) {
		uint32_t fpscr;
		uc_reg_read(e->uc, UC_ARM_REG_FPSCR, &fpscr);
		fpscr |= e->rounding;
		uc_reg_write(e->uc, UC_ARM_REG_FPSCR, &fpscr);
		e->rounding = 0;
	}
	if (e->fix.rd >= 0 && e->fix.rd < 15)
		uc_reg_write(e->uc, unicorn_ids[e->fix.rd], &e->fix.value);
	if (e->fix.fixes_sp)
		uc_reg_write(e->uc, UC_ARM_REG_R13, &c->r[13]);
}

/* LDREX and STREX: an exception in between makes the store fail (A3.4, B1.5.6), which Unicorn does not know of. */
static void look_at_exclusive(struct cpu *c, uint32_t insn)
{
	bool load = insn >> 20 & 1;
	if (load) {
		c->monitor = true;
		return;
	}
	bool open = c->monitor;
	c->monitor = false;
	if (open)
		return;
	unicorn_give_up(c, EVENT_SKIPPED, insn);
	unsigned rd = (insn >> 16 & 0xFFF0) == 0xE840 ? insn >> 8 & 0xF : insn & 0xF;
	c->r[rd] = 1;
}

/* The lowest bits of the address of an access that is to be aligned to words, or 0. */
static uint32_t misaligned(struct cpu *c, uint32_t insn, unsigned size)
{
	unsigned rn = size == 2 ? insn >> 8 & 7 : insn >> 16 & 0xF;
	uint32_t base = 0, top = insn >> 16, mask = 3;
	if (size == 4 && (top & 0xFFE0) == 0xE8C0 && (insn & 0xF0) != 0x40 && (insn & 0xF0) != 0x50)
		return 0; /* TBB, TBH */
	if (rn == 15)
		return 0;
	read_register(c, rn, &base);
	if (size == 4 && (top & 0xFFE0) == 0xE8C0)
		mask = insn & 0x10 ? 1 : 0;
	return base & mask;
}

static void look_aligned(struct cpu *c, uint32_t insn, unsigned size)
{
	uint32_t top = insn >> 16;
	if (size == 4 && top >> 9 == 0xEC00 >> 9 && ((top & 0xFFE0) == 0xEC40 || (insn & 0xE00) != 0xA00))
		return; /* VMOV of two registers; no coprocessor of ours */
	if (misaligned(c, insn, size)) {
		unicorn_give_up(c, EVENT_USAGE, CFSR_UNALIGNED);
		return;
	}
	bool exclusive = size == 4 && ((top & 0xFFE0) == 0xE840 || ((top & 0xFFE0) == 0xE8C0 && (insn & 0xE0) == 0x40));
	if (exclusive)
		look_at_exclusive(c, insn);
}

/* Single loads and stores, with CCR.UNALIGN_TRP: DDI 0403 A5.2.4, A5.3.7 to A5.3.10. */
static void look_at_memory(struct cpu *c, uint32_t insn, unsigned size)
{
	uint32_t address = 0, base, index = 0;
	unsigned width; /* log2 */
	if (size == 2) {
		unsigned op = insn >> 11;
		read_register(c, insn >> 3 & 7, &base);
		if (op == 0x0C || op == 0x0D) {
			width = 2;
			address = base + (insn >> 6 & 31) * 4;
		} else if (op == 0x0E || op == 0x0F) {
			return; /* of a byte */
		} else if (op == 0x10 || op == 0x11) {
			width = 1;
			address = base + (insn >> 6 & 31) * 2;
		} else {
			static const uint8_t widths[] = { 2, 1, 0, 0, 2, 1, 0, 1 };
			read_register(c, insn >> 6 & 7, &index);
			width = widths[insn >> 9 & 7];
			address = base + index;
		}
	} else {
		unsigned rn = insn >> 16 & 0xF;
		if (rn == 15)
			return;
		width = insn >> 21 & 3;
		read_register(c, rn, &base);
		if (insn >> 23 & 1) {
			address = base + (insn & 0xFFF);
		} else if (!(insn & 0x800)) {
			read_register(c, insn & 0xF, &index);
			address = base + (index << (insn >> 4 & 3));
		} else {
			uint32_t offset = insn >> 9 & 1 ? insn & 0xFF : 0u - (insn & 0xFF);
			address = base + (insn >> 10 & 1 ? offset : 0);
		}
	}
	if (address & ((1u << width) - 1))
		unicorn_give_up(c, EVENT_USAGE, CFSR_UNALIGNED);
}

static void look_at_divide(struct cpu *c, uint32_t insn)
{
	uint32_t divisor = 1;
	read_register(c, insn & 0xF, &divisor);
	if (!divisor)
		unicorn_give_up(c, EVENT_USAGE, CFSR_DIVBYZERO);
}

static void look_at_fpu(struct cpu *c, uint32_t insn)
{
	uint32_t cfsr;
	/* Coprocessors 10 and 11, by bits 11-9; in Thumb all of the rest is not there. */
	if ((insn & 0xE00) != 0xA00) {
		unicorn_give_up(c, EVENT_USAGE, CFSR_NOCP);
		return;
	}
	if (!frame_fp(c, &cfsr))
		unicorn_give_up(c, cfsr ? EVENT_USAGE : EVENT_AGAIN, cfsr);
}

/* VCVT of fixed-point numbers to floating-point ones rounds to nearest, whatever FPSCR says (A7.7, VCVT between floating-point and fixed-point). */
static void look_at_rounding(struct cpu *c, uint32_t insn)
{
	struct engine *e = engine_of(c);
	uint32_t fpscr, nearest;
	if ((insn & 0xE50) != 0xA40)
		return;
	uc_reg_read(e->uc, UC_ARM_REG_FPSCR, &fpscr);
	e->rounding = fpscr & FPSCR_RMODE;
	if (!e->rounding)
		return;
	nearest = fpscr & ~FPSCR_RMODE;
	uc_reg_write(e->uc, UC_ARM_REG_FPSCR, &nearest);
	e->fix = (struct special){ .rd = -1 };
	e->fixes = true;
}

/* First halfwords, DDI 0403 A5. */
unsigned unicorn_looks_of(unsigned op)
{
	if ((op & 0xFFE8) == 0xB660)
		return LOOK_SYSTEM;
	if ((op & 0xFF0F) == 0xBF00 && op != 0xBF00)
		return LOOK_SYSTEM;
	if (op == 0xF3EF || (op & 0xFFE0) == 0xF380 || op == 0xF3AF)
		return LOOK_SYSTEM;
	if (op >> 12 == 0xC)
		return LOOK_ALIGNED;
	if (op >> 9 == 0xE800 >> 9)
		return op & 0x40 ? LOOK_ALIGNED : (op & 0xF) == 13 ? 0 : LOOK_ALIGNED;
	if (op >> 9 == 0xEC00 >> 9)
		return LOOK_FPU | ((op & 0xF) == 13 ? 0 : LOOK_ALIGNED);
	if ((op & 0xFFBE) == 0xEEBA)
		return LOOK_FPU | LOOK_ROUNDING;
	if (op >> 8 == 0xEE || op >> 8 == 0xFE || op >> 9 == 0xFC00 >> 9)
		return LOOK_FPU;
	if (op >> 12 == 5 || op >> 13 == 3 || op >> 12 == 8)
		return LOOK_MEMORY;
	if (op >> 9 == 0xF800 >> 9 && (op >> 5 & 3) != 3)
		return LOOK_MEMORY;
	if ((op & 0xFFD0) == 0xFB90)
		return LOOK_DIVIDE;
	return 0;
}

void unicorn_look_for(struct cpu *c)
{
	engine_of(c)->look = (uint8_t)(LOOK_SYSTEM | LOOK_ALIGNED | LOOK_ROUNDING |
				       (exception_minds_fp(c) ? LOOK_FPU : 0) |
				       (c->ccr & CCR_UNALIGN_TRP ? LOOK_MEMORY : 0) |
				       (c->ccr & CCR_DIV_0_TRP ? LOOK_DIVIDE : 0) | (mpu_minds(c) ? LOOK_ACCESS : 0) |
				       (engine_of(c)->fixes ? LOOK_ANY : 0));
}

void unicorn_look(struct cpu *c, uint32_t address, unsigned looks)
{
	struct engine *e = engine_of(c);
	uint32_t op = unicorn_op(c, address), insn = op;
	unsigned size = unicorn_length(op);
	if (size == 4)
		insn = op << 16 | unicorn_op(c, address + 2);
	c->insn_size = size;
	if ((looks & LOOK_FPU) && exception_minds_fp(c))
		look_at_fpu(c, insn);
	if (!e->frozen && (looks & LOOK_ALIGNED))
		look_aligned(c, insn, size);
	if (!e->frozen && (looks & LOOK_ROUNDING))
		look_at_rounding(c, insn);
	if (!e->frozen && (looks & LOOK_SYSTEM))
		look_at_system(c, insn, size);
	if (!e->frozen && (looks & e->look & LOOK_MEMORY))
		look_at_memory(c, insn, size);
	if (!e->frozen && (looks & e->look & LOOK_DIVIDE))
		look_at_divide(c, insn);
	if (!e->frozen && (looks & e->look & LOOK_ACCESS))
		unicorn_look_at_access(c, insn, size, address);
	unicorn_look_for(c);
}
