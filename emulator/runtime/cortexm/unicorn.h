/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the engine on Unicorn share.
 */
#ifndef DFUBENCH_CORTEXM_UNICORN_H
#define DFUBENCH_CORTEXM_UNICORN_H

#include "engine.h"
#include "unicorn_library.h"

/* Why an instruction is looked at; a bit each. */
enum {
	LOOK_SYSTEM = 1,    /* MRS, MSR, CPS, hints: always */
	LOOK_ALIGNED = 2,   /* loads and stores that fault unaligned, or exclusive ones: always */
	LOOK_FPU = 4,       /* while the machine minds */
	LOOK_MEMORY = 8,    /* other loads and stores: CCR.UNALIGN_TRP */
	LOOK_DIVIDE = 16,   /* CCR.DIV_0_TRP */
	LOOK_ROUNDING = 32, /* VCVT from fixed-point: always */
	LOOK_ACCESS = 64,   /* all loads and stores: the MPU */
	LOOK_ANY = 128,
};

/* Where no plain memory is. */
struct gap {
	struct cpu *cpu;
	uint32_t base;
};

struct engine {
	uc_engine *uc;
	uint8_t looks[0x10000]; /* by first halfword */
	uint8_t look;           /* what is looked for now */
	/* Plain memory that code runs in. */
	const uint8_t *code;
	uint32_t code_base, code_size;
	uint32_t ring[8];   /* addresses of the last instructions begun, by now % 8 */
	uint64_t since;     /* where this run began */
	uint32_t it_origin; /* ITSTATE was not 0 at the start: the instruction, and xPSR */
	uint32_t it_xpsr;
	enum event event;
	bool running, stopping, frozen;
	bool fp_saved, control_spoilt;
	bool denied; /* the code at which on_code() is now is not to be executed */
	int native;  /* exception, 0: none */
	struct special fix;
	bool fixes;
	uint32_t rounding; /* what it was in FPSCR, before an instruction that takes none */
	struct gap *gaps;  /* the first is that of the alias */
	uint32_t alias_mapped;
	uint32_t translated; /* bytes, since all of it was dropped */
};

static inline struct engine *engine_of(struct cpu *c)
{
	return c->engine;
}

/* --- unicorn.c --- */
extern const int unicorn_ids[17]; /* r0-r15, xPSR */
/* The first halfword of an instruction, and how long that is. */
uint32_t unicorn_op(struct cpu *, uint32_t address);
static inline unsigned unicorn_length(uint32_t op)
{
	return op >= 0xE800 ? 4 : 2;
}
/* r0-r15 and xPSR as Unicorn has them, which knows no ITSTATE in a hook; T comes alone. True: T. */
bool unicorn_registers(struct cpu *);
/* The instruction that was begun last is given up. */
void unicorn_give_up(struct cpu *, enum event, uint32_t about);

/* --- unicorn_map.c --- */
uc_err unicorn_map(struct cpu *);

/* --- unicorn_access.c --- */
bool unicorn_accesses(unsigned op);
/* LDRT, STRT and their like. */
bool unicorn_is_as_user(uint32_t insn);
/* Gives up what the MPU does not let pass. */
void unicorn_look_at_access(struct cpu *, uint32_t insn, unsigned size, uint32_t address);

/* --- unicorn_look.c --- */
/* Why an instruction with that first halfword may be looked at: bits LOOK_... */
unsigned unicorn_looks_of(unsigned op);
/* From now on it is looked for what the machine minds. */
void unicorn_look_for(struct cpu *);
/* The instruction at address is about to be executed, and was counted. */
void unicorn_look(struct cpu *, uint32_t address, unsigned looks);
/* The last one did, in Unicorn, what the machine had done otherwise. */
void unicorn_fix(struct cpu *);

#endif
