/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What executes instructions for a cpu: fetches, decodes, computes on r0-r15, APSR, ITSTATE and the FPU's registers, and calls memory.c
 * where there is no plain memory. It tells the machine of all else.
 */
#ifndef DFUBENCH_CORTEXM_ENGINE_H
#define DFUBENCH_CORTEXM_ENGINE_H

#include "machine.h"

enum event {
	EVENT_HORIZON, /* now has reached horizon; r[15] is the next instruction */
	EVENT_SVC,     /* the following: r[15] is the instruction, insn and insn_size say more; ITSTATE is that of it */
	EVENT_BREAKPOINT,
	EVENT_UNDEFINED,
	EVENT_STATE,   /* T is clear */
	EVENT_FETCH,   /* there is no code at r[15] */
	EVENT_HINT,    /* WFI or WFE */
	EVENT_BUS,     /* insn: the address */
	EVENT_USAGE,   /* insn: bits of CFSR */
	EVENT_MEMORY,  /* the MPU refuses an access; insn: the address */
	EVENT_DENIED,  /* it refuses that this be executed */
	EVENT_AGAIN,   /* it is to be executed once more, behind what is pending */
	EVENT_SKIPPED, /* it was done by the machine: go on behind it */
	EVENT_RETURN,  /* a branch to EXC_RETURN, which is in r[15] */
};

int engine_new(struct cpu *); /* 0 or -errno; memory is known */
void engine_free(struct cpu *);
const char *engine_missing(void);
const char *engine_name(void);
/* Executes at least one instruction unless horizon is past. now counts as instructions begin. */
enum event engine_run(struct cpu *);
void engine_map(struct cpu *); /* the alias has moved; never from a callback */
void engine_changed(struct cpu *, uint32_t address, uint32_t size_bytes);
/* While it runs too: r0-r15 and xpsr of the machine are brought up to date. */
void engine_peek(struct cpu *);
void engine_fp_load(struct cpu *); /* s and fpscr from the engine, or to it; while it runs too */
void engine_fp_store(struct cpu *);

#endif
