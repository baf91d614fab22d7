/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MRS, MSR and CPS (DDI 0403 B5.2): the special registers, which are the machine's.
 */
#include "machine.h"

static uint32_t *stack_of(struct cpu *c, bool psp)
{
	return psp == c->on_psp ? &c->r[13] : &c->other_sp;
}

static uint32_t mrs(struct cpu *c, unsigned sysm)
{
	bool p = privileged(c);
	switch (sysm) {
	case 0:
	case 1:
	case 2:
	case 3:
		return (c->xpsr & XPSR_APSR) | (sysm & 1 && p ? c->ipsr : 0);
	case 5:
	case 7:
		return p ? c->ipsr : 0;
	case 8:
	case 9:
		return p ? *stack_of(c, sysm == 9) : 0;
	case 16:
		return p ? c->primask : 0;
	case 17:
	case 18:
		return p ? c->basepri : 0;
	case 19:
		return p ? c->faultmask : 0;
	case 20:
		return c->control;
	default:
		return 0;
	}
}

static void msr(struct cpu *c, unsigned sysm, uint32_t value)
{
	if (!privileged(c))
		return;
	switch (sysm) {
	case 8:
	case 9:
		*stack_of(c, sysm == 9) = value & ~3u;
		break;
	case 16:
		c->primask = value & 1;
		break;
	case 17:
		c->basepri = value & 0xF0;
		break;
	case 18:
		value &= 0xF0;
		if (value && (value < c->basepri || !c->basepri))
			c->basepri = value;
		break;
	case 19:
		if (execution_priority(c, true) > -1 || !(value & 1))
			c->faultmask = value & 1;
		mpu_changed(c);
		break;
	case 20:
		/* SPSEL is not to be changed in Handler mode. */
		c->control = (value & (CONTROL_NPRIV | CONTROL_FPCA)) |
			     ((c->ipsr ? c->control : value) & CONTROL_SPSEL);
		stack_select(c);
		mpu_changed(c);
		break;
	default:
		break;
	}
}

static void cps(struct cpu *c, unsigned imod_mask)
{
	if (!privileged(c))
		return;
	bool disable = imod_mask & 0x10;
	if (imod_mask & 2)
		c->primask = disable;
	if ((imod_mask & 1) && (!disable || execution_priority(c, true) > -1)) {
		c->faultmask = disable;
		mpu_changed(c);
	}
}

void special_execute(struct cpu *c, uint32_t insn, uint32_t rn, struct special *s)
{
	*s = (struct special){ .rd = -1 };
	if (insn <= 0xFFFF) {
		cps(c, insn & 0x13);
	} else if (insn >> 16 == 0xF3EF) {
		s->rd = insn >> 8 & 0xF;
		s->value = mrs(c, insn & 0xFF);
	} else {
		msr(c, insn & 0xFF, rn);
		s->fixes_sp = (insn & 0xFF) == 8 || (insn & 0xFF) == 9 || (insn & 0xFF) == 20;
	}
	if ((s->rd < 0 && exception_due(c, true)) || (s->fixes_sp && (insn & 0xFF) == 20))
		c->horizon = 0;
}
