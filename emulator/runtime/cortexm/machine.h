/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a Cortex-M4F: what its files share. An engine (engine.h) executes instructions on r0-r15, the flags and the FPU; all
 * else (exceptions, masks, stacks, the private peripherals, time) is here, and knows no engine.
 */
#ifndef DFUBENCH_CORTEXM_MACHINE_H
#define DFUBENCH_CORTEXM_MACHINE_H

#include "cpu.h"

enum exception {
	EXCEPTION_NMI = 2,
	EXCEPTION_HARD,
	EXCEPTION_MEMORY,
	EXCEPTION_BUS,
	EXCEPTION_USAGE,
	EXCEPTION_SVC = 11,
	EXCEPTION_DEBUG,
	EXCEPTION_PENDSV = 14,
	EXCEPTION_SYSTICK,
	EXCEPTION_IRQ,
	EXCEPTIONS = EXCEPTION_IRQ + CPU_IRQS
};
#define EXCEPTION_WORDS ((EXCEPTIONS + 63) / 64)

/* A set of exceptions, by number. */
struct exception_set {
	uint64_t word[EXCEPTION_WORDS];
};

static inline bool set_has(const struct exception_set *s, unsigned n)
{
	return s->word[n / 64] >> n % 64 & 1;
}

static inline void set_put(struct exception_set *s, unsigned n, bool in)
{
	if (in)
		s->word[n / 64] |= UINT64_C(1) << n % 64;
	else
		s->word[n / 64] &= ~(UINT64_C(1) << n % 64);
}

/* Bits of registers, by their names in DDI 0403. */
#define XPSR_APSR 0xF80F0000u
#define XPSR_T 0x01000000u
#define XPSR_IT 0x0600FC00u
#define CONTROL_NPRIV 1u
#define CONTROL_SPSEL 2u
#define CONTROL_FPCA 4u
#define CCR_NONBASETHRDENA 0x001u
#define CCR_USERSETMPEND 0x002u
#define CCR_UNALIGN_TRP 0x008u
#define CCR_DIV_0_TRP 0x010u
#define CCR_BFHFNMIGN 0x100u
#define CCR_STKALIGN 0x200u
#define SCR_SLEEPONEXIT 0x02u
#define SCR_SLEEPDEEP 0x04u
#define SCR_SEVONPEND 0x10u
#define CFSR_IACCVIOL 0x00000001u
#define CFSR_DACCVIOL 0x00000002u
#define CFSR_MUNSTKERR 0x00000008u
#define CFSR_MSTKERR 0x00000010u
#define CFSR_MLSPERR 0x00000020u
#define CFSR_MMARVALID 0x00000080u
#define CFSR_IBUSERR 0x00000100u
#define CFSR_PRECISERR 0x00000200u
#define CFSR_UNSTKERR 0x00000800u
#define CFSR_STKERR 0x00001000u
#define CFSR_LSPERR 0x00002000u
#define CFSR_BFARVALID 0x00008000u
#define CFSR_UNDEFINSTR 0x00010000u
#define CFSR_INVSTATE 0x00020000u
#define CFSR_INVPC 0x00040000u
#define CFSR_NOCP 0x00080000u
#define CFSR_UNALIGNED 0x01000000u
#define CFSR_DIVBYZERO 0x02000000u
#define HFSR_VECTTBL 0x00000002u
#define HFSR_FORCED 0x40000000u
#define HFSR_DEBUGEVT 0x80000000u
#define FPCCR_LSPACT 0x00000001u
#define FPCCR_USER 0x00000002u
#define FPCCR_THREAD 0x00000008u
#define FPCCR_HFRDY 0x00000010u
#define FPCCR_MMRDY 0x00000020u
#define FPCCR_BFRDY 0x00000040u
#define FPCCR_MONRDY 0x00000100u
#define FPCCR_LSPEN 0x40000000u
#define FPCCR_ASPEN 0x80000000u
#define FPSCR_RMODE 0x00C00000u
#define DEMCR_MON_EN 0x00010000u
#define DEMCR_TRCENA 0x01000000u
#define EXC_RETURN_NO_FP 0x10u

#define NEVER UINT64_MAX

struct systick {
	uint32_t control, load, value; /* value: while it stands */
	uint64_t zero_at;              /* the cycle at which it reaches 0 next; NEVER */
	uint64_t wrapped_at;           /* the last at which it did */
};

/* What passes while no instruction does. */
enum phase {
	PHASE_NONE,
	PHASE_ENTER, /* the frame is there, the handler to begin is c->entering unless another arrives */
	PHASE_LEAVE, /* the frame is about to be popped, unless another arrives */
	PHASE_SAVE,  /* registers of the FPU go where lazy stacking had kept room for them */
};

#define MPU_REGIONS 8
#define MPU_WINDOWS 4

enum mpu_access { MPU_READ, MPU_WRITE, MPU_FETCH };

/* What the MPU is known to let pass, for the mode and priority that are. */
struct mpu_passed {
	struct window {
		uint32_t first, more; /* more: addresses behind it; 0: nothing is known */
	} windows[MPU_WINDOWS];
	unsigned next;
};

struct mpu {
	uint32_t control, number, base[MPU_REGIONS], attributes[MPU_REGIONS];
	struct mpu_passed passed[2]; /* reads, writes */
	unsigned passed_by;          /* who they are known of */
};

struct cpu {
	const struct cpu_bus_ops *ops;
	void *context;
	struct cpu_memory *memory;
	size_t memory_count;
	uint32_t alias_base, alias_size, watch_base, watch_size;
	bool alias_stale; /* the engine's map is to follow */

	/* Registers. The engine has its own while it runs, and brings these up to date where it returns. r[13] is the stack in
	 * use, other_sp the one that is not. */
	uint32_t r[16], xpsr, other_sp;
	bool on_psp, monitor; /* monitor: the local exclusive one */
	bool as_user;         /* while LDRT or STRT accesses a private peripheral */
	uint32_t ipsr, control, primask, basepri, faultmask;
	uint32_t s[32], fpscr; /* engine_fp_load() and _store() */

	uint64_t now;             /* cycles: instructions begun */
	uint64_t starts;          /* of the engine */
	uint64_t entered_at;      /* when the last exception was */
	uint64_t horizon;         /* where the engine is to return; 0: before the next instruction */
	uint32_t insn, insn_size; /* what an event is about */

	struct cpu_times times;
	enum phase phase;
	uint64_t phase_ends;
	unsigned entering;
	uint32_t leaving; /* EXC_RETURN */

	struct exception_set pending, active, enabled, line;
	uint8_t priority[EXCEPTIONS];
	uint32_t vtor, aircr, scr, ccr, shcsr, cfsr, hfsr, dfsr, mmfar, bfar, cpacr, actlr;
	uint32_t fpccr, fpcar, fpdscr;
	uint32_t demcr, dwt_control, cyccnt; /* cyccnt: what to add to now, or its value where it stands */
	struct systick systick;
	struct mpu mpu;
	uint32_t itm[4]; /* TER, TPR, TCR, and the last thing written to a port */

	bool sleeping, sleeps_for_event, event; /* event: the event register (B1.5.18) */
	bool halted, resets, locked;
	struct cpu_fault fault;
	unsigned halting_faults;
	void *engine;
};

/* --- exceptions.c: B1.5 --- */
void exception_reset(struct cpu *);
int exception_priority(const struct cpu *, unsigned exception); /* -2 to 255 */
int execution_priority(const struct cpu *, bool mind_primask);
/* The one to be taken now; 0: none. */
unsigned exception_due(const struct cpu *, bool mind_primask);
void exception_pend(struct cpu *, unsigned exception);
void exception_unpend(struct cpu *, unsigned exception);
/* r[15] is where to come back to. */
void exception_enter(struct cpu *, unsigned exception);
void exception_leave(struct cpu *, uint32_t exc_return);
/* Time of the phase passes, up to the limit and to the next thing to happen. False: the limit is reached, the phase goes on. */
bool exception_pass(struct cpu *, uint64_t limit);
void exception_svc(struct cpu *);
void exception_breakpoint(struct cpu *);
/* A fault of the instruction at r[15], with its bits of CFSR. */
void exception_fault(struct cpu *, unsigned exception, uint32_t cfsr);
void exception_bus_fault(struct cpu *, uint32_t address);
void exception_memory_fault(struct cpu *, uint32_t address);
void exception_fetch_fault(struct cpu *); /* by the MPU or the default map */
/* Of the lazy save (B1.5.7): pends it, escalated as FPCCR says. True: it is to be taken now. */
bool exception_lazy_fault(struct cpu *, uint32_t cfsr);
bool exception_is_enabled(const struct cpu *, unsigned exception); /* one of faults, by SHCSR */
/* An instruction of the FPU is to be told of. */
static inline bool exception_minds_fp(const struct cpu *c)
{
	return !(c->control & CONTROL_FPCA) || (c->fpccr & FPCCR_LSPACT) || (c->cpacr & 0xF00000) != 0xF00000;
}

static inline bool privileged(const struct cpu *c)
{
	return c->ipsr || !(c->control & CONTROL_NPRIV);
}

/* --- frames.c: what is pushed and popped --- */
/* PushStack() and PopStack(), B1.5.6 and B1.5.8. 0, or bits of CFSR: the stack is not there, or the MPU's. */
uint32_t frame_push(struct cpu *);
uint32_t frame_pop(struct cpu *, uint32_t frame, bool fp, bool to_thread, uint32_t *psr);
/* Before an instruction of the FPU (ExecuteFPCheck(), B1.5.7). False: it is not to be executed; bits of CFSR: it faults; 0: the fault of
 * the lazy save is pending, and comes first. */
bool frame_fp(struct cpu *, uint32_t *cfsr);
/* Makes c->r[13] the stack that CONTROL and the mode say. */
void stack_select(struct cpu *);
uint32_t it_advance(uint32_t xpsr);

/* --- memory.c: the map. False: a bus fault --- */
bool memory_read(struct cpu *, uint32_t address, unsigned size, uint32_t *value);
bool memory_write(struct cpu *, uint32_t address, unsigned size, uint32_t value);
/* Memory that is there, by the alias too: where, and how many bytes from there; NULL: none. */
uint8_t *memory_plain(const struct cpu *, uint32_t address, uint32_t *left, bool *writable);

/* --- scs.c: the private peripherals, 0xE0000000 to 0xE003FFFF --- */
void scs_reset(struct cpu *);
void scs_stand(struct cpu *, uint64_t cycles); /* so many cycles from now on are none of its counters' */
bool scs_read(struct cpu *, uint32_t address, unsigned size, uint32_t *value);
bool scs_write(struct cpu *, uint32_t address, unsigned size, uint32_t value);

/* --- mpu.c: B3.5 --- */
struct span {
	uint32_t first, last;
};

/* Who accesses: urgent ones, of a priority below 0, the MPU may not mind. */
struct mpu_by {
	bool privileged, urgent;
};

void mpu_reset(struct cpu *);
uint32_t mpu_read(struct cpu *, uint32_t address);
void mpu_write(struct cpu *, uint32_t address, uint32_t value);
void mpu_changed(struct cpu *); /* what is known is not so any more: registers, mode or priority */
struct mpu_by mpu_now(const struct cpu *);
void mpu_begin(struct cpu *);       /* instructions are to be executed: has any of that changed? */
bool mpu_minds(const struct cpu *); /* any access of now */
/* May it be accessed? The answer is the same for the whole span around it. Without an MPU too: the default map has its own. */
bool mpu_passes(const struct cpu *, uint32_t address, enum mpu_access, struct mpu_by, struct span *);
/* Reads and writes of now; as_user: as if it were not privileged. False: it faults at where. */
bool mpu_look(struct cpu *, uint32_t address, uint32_t bytes, enum mpu_access, bool as_user, uint32_t *where);
static inline bool mpu_knows(const struct cpu *c, uint32_t address, uint32_t bytes, enum mpu_access access)
{
	const struct window *w = c->mpu.passed[access].windows;
	for (unsigned i = 0; i < MPU_WINDOWS; i++)
		if (address - w[i].first < w[i].more && w[i].more - (address - w[i].first) >= bytes - 1)
			return true;
	return false;
}

/* --- systick.c --- */
void systick_update(struct cpu *); /* up to now: fires */
void systick_stand(struct cpu *, uint64_t cycles);
uint32_t systick_read(struct cpu *, uint32_t address);
void systick_write(struct cpu *, uint32_t address, uint32_t value);

/* --- special.c: MRS, MSR, CPS --- */
struct special {
	int rd; /* to be written, -1: none */
	uint32_t value;
	bool fixes_sp; /* r[13] of the machine is right, the engine's is not */
};
/* insn: 16 bits, or both halves with the first at the top. r[13] and APSR are to be up to date; rn: what the source register has. */
void special_execute(struct cpu *, uint32_t insn, uint32_t rn, struct special *);

#endif
