/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an instruction is about to read or write (DDI 0403 A5.2, A5.3, A6.6), before it does: what the MPU refuses has no effect.
 */
#include "unicorn.h"

struct access {
	uint32_t address, count; /* count: of units, one behind the other; 0: it accesses nothing */
	uint32_t unit;
	bool write, as_user;
};

static uint32_t reg(struct cpu *c, unsigned n)
{
	uint32_t value = 0;
	uc_reg_read(engine_of(c)->uc, unicorn_ids[n], &value);
	return value;
}

/* A base register, or the PC of an instruction as such. */
static uint32_t base_of(struct cpu *c, unsigned n, uint32_t pc)
{
	return n == 15 ? (pc + 4) & ~3u : reg(c, n);
}

static struct access one(uint32_t address, uint32_t unit, bool write)
{
	return (struct access){ address, 1, unit, write, false };
}

static struct access words(uint32_t address, uint32_t count, bool write)
{
	return (struct access){ address, count, 4, write, false };
}

static struct access of_short(struct cpu *c, uint32_t op, uint32_t pc)
{
	static const uint8_t units[] = { 4, 2, 1, 1, 4, 2, 1, 2 };
	uint32_t imm = op >> 6 & 31, count = (uint32_t)__builtin_popcount(op & 0xFF);
	bool load = op >> 11 & 1;
	switch (op >> 12) {
	case 4:
		return one(base_of(c, 15, pc) + 4 * (op & 0xFF), 4, false);
	case 5:
		return one(reg(c, op >> 3 & 7) + reg(c, op >> 6 & 7), units[op >> 9 & 7], (op >> 9 & 7) < 3);
	case 6:
		return one(reg(c, op >> 3 & 7) + 4 * imm, 4, !load);
	case 7:
		return one(reg(c, op >> 3 & 7) + imm, 1, !load);
	case 8:
		return one(reg(c, op >> 3 & 7) + 2 * imm, 2, !load);
	case 9:
		return one(reg(c, 13) + 4 * (op & 0xFF), 4, !load);
	case 0xB: /* PUSH, POP */
		count += op >> 8 & 1;
		return load ? words(reg(c, 13), count, false) : words(reg(c, 13) - 4 * count, count, true);
	default:
		return words(reg(c, op >> 8 & 7), count, !load);
	}
}

/* Load and store multiple, dual, exclusive; table branch. */
static struct access of_many(struct cpu *c, uint32_t insn, uint32_t pc)
{
	uint32_t top = insn >> 16, n = top & 15, imm = 4 * (insn & 0xFF);
	uint32_t count = (uint32_t)__builtin_popcount(insn & 0xFFFF);
	bool load = top >> 4 & 1;
	if (!(top & 0x40))
		return words(reg(c, n) - (top & 0x100 ? 4 * count : 0), count, !load);
	if (top & 0x120) {
		uint32_t offset = top & 0x80 ? imm : 0u - imm;
		return words(base_of(c, n, pc) + (top & 0x100 ? offset : 0), 2, !load);
	}
	if (!(top & 0x80))
		return one(reg(c, n) + imm, 4, !load);
	unsigned op = insn >> 4 & 15;
	if (load && op < 2) /* TBB, TBH: the PC is not rounded */
		return one((n == 15 ? pc + 4 : reg(c, n)) + (reg(c, insn & 15) << op), 1u << op, false);
	return one(reg(c, n), op & 1 ? 2 : 1, !load);
}

static struct access of_single(struct cpu *c, uint32_t insn, uint32_t pc)
{
	uint32_t top = insn >> 16, n = top & 15, unit = 1u << (top >> 5 & 3), offset = insn & 0xFF;
	bool load = top >> 4 & 1;
	if (load && unit < 4 && (insn >> 12 & 15) == 15) /* PLD and other hints */
		return (struct access){ 0 };
	if (n == 15) {
		offset = top & 0x80 ? insn & 0xFFF : 0u - (insn & 0xFFF);
		return one(base_of(c, n, pc) + offset, unit, false);
	}
	if (top & 0x80)
		return one(reg(c, n) + (insn & 0xFFF), unit, !load);
	if (!(insn & 0x800))
		return one(reg(c, n) + (reg(c, insn & 15) << (insn >> 4 & 3)), unit, !load);
	offset = insn & 0x200 ? offset : 0u - offset;
	struct access a = one(reg(c, n) + (insn & 0x400 ? offset : 0), unit, !load);
	a.as_user = unicorn_is_as_user(insn);
	return a;
}

static struct access of_fpu(struct cpu *c, uint32_t insn, uint32_t pc)
{
	uint32_t top = insn >> 16, n = top & 15, imm = 4 * (insn & 0xFF);
	bool load = top >> 4 & 1, twice = insn >> 8 & 1;
	if ((insn & 0xE00) != 0xA00 || !(top & 0x1A0))
		return (struct access){ 0 }; /* no coprocessor of ours; VMOV of two registers */
	if ((top & 0x120) == 0x100)
		return words(base_of(c, n, pc) + (top & 0x80 ? imm : 0u - imm), twice ? 2 : 1, !load);
	return words(reg(c, n) - (top & 0x100 ? imm : 0), (insn & 0xFF) & ~(uint32_t)twice, !load);
}

static struct access access_of(struct cpu *c, uint32_t insn, unsigned size, uint32_t pc)
{
	if (size == 2)
		return of_short(c, insn, pc);
	switch (insn >> 25) {
	case 0xE800 >> 9:
		return of_many(c, insn, pc);
	case 0xF800 >> 9:
		return of_single(c, insn, pc);
	default:
		return of_fpu(c, insn, pc);
	}
}

bool unicorn_is_as_user(uint32_t insn)
{
	return (insn & 0xFE800F00u) == 0xF8000E00u && (insn >> 16 & 15) != 15;
}

/* First halfwords of what may access memory. */
bool unicorn_accesses(unsigned op)
{
	return op >> 11 == 9 || (op >> 12 >= 5 && op >> 12 <= 9) || (op & 0xF600) == 0xB400 || op >> 12 == 0xC ||
	       op >> 9 == 0xE800 >> 9 || op >> 9 == 0xF800 >> 9 || op >> 9 == 0xEC00 >> 9;
}

void unicorn_look_at_access(struct cpu *c, uint32_t insn, unsigned size, uint32_t pc)
{
	struct access a = access_of(c, insn, size, pc);
	enum mpu_access how = a.write ? MPU_WRITE : MPU_READ;
	uint32_t bytes = a.unit * a.count, where;
	if (!bytes || (!a.as_user && mpu_knows(c, a.address, bytes, how)))
		return;
	if (!mpu_look(c, a.address, bytes, how, a.as_user, &where))
		unicorn_give_up(c, EVENT_MEMORY, where);
}
