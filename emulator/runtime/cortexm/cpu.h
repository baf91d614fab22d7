/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Cortex-M4F: registers, exceptions, NVIC, SysTick, SCB, FPU (ARMv7-M Architecture Reference Manual, DDI 0403; PM0214). It counts
 * one clock cycle an instruction, and those of struct cpu_times, always: the same code with the same input at the same cycle does the
 * same. No I/O, no clock of its own: the owner runs it for so many cycles, and moves its interrupt lines.
 */
#ifndef DFUBENCH_CPU_H
#define DFUBENCH_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu;

#define CPU_IRQS 82 /* of an STM32F407 (RM0090 table 62); lines above read as zero */

/* Plain memory. data outlives the cpu. Writes to memory that is not writable go to cpu_bus_ops.write, as do those to where nothing
 * is. base and size_bytes: multiples of 4096 (an engine may need pages); below 1 MiB there is the alias alone. */
struct cpu_memory {
	uint32_t base, size_bytes;
	uint8_t *data;
	bool writable;
	bool data_only; /* not on the bus that instructions come by */
};

/* Everything else but the private peripherals at 0xE0000000, which are the cpu's (to 0xE003FFFF). size: 1, 2 or 4 bytes, aligned to it or not. False:
 * a bus fault. Called with cpu_cycles() at the instruction: may move interrupt lines and call cpu_halt(). */
struct cpu_bus_ops {
	bool (*read)(void *context, uint32_t address, unsigned size, uint32_t *value);
	bool (*write)(void *context, uint32_t address, unsigned size, uint32_t value);
};

enum cpu_stop {
	CPU_RAN,    /* all cycles are used up */
	CPU_SLEEPS, /* WFI or WFE, or sleep on exit, with nothing pending that would wake it */
	CPU_HALTED, /* cpu_halt(), or cpu_halt_at_faults() */
	CPU_RESETS, /* AIRCR.SYSRESETREQ (or VECTRESET) */
	CPU_LEFT,   /* PC is in the range of cpu_watch() */
	CPU_LOCKUP, /* a fault at priority -1 or above (B1.5.15); see cpu_fault() */
};

/* The last fault that was taken: the registers before it. Where it was escalated, hfsr has FORCED. */
struct cpu_fault {
	unsigned exception; /* 4 MemManage, 5 BusFault, 6 UsageFault, 3 HardFault from the start; 0: none since reset */
	uint32_t cfsr, hfsr, mmfar, bfar;
	uint32_t r[16], xpsr; /* r[15]: of the instruction */
	uint64_t count;       /* faults since reset */
};

/* Cycles that exceptions take, where memory has no wait states (Cortex-M4 Technical Reference Manual, DDI 0439D 3.9.2). */
struct cpu_times {
	unsigned enter; /* up to the first instruction of the handler */
	unsigned leave; /* from the instruction that returns to the next one of what was interrupted */
	unsigned chain; /* from there to the first instruction of another handler */
	unsigned late;  /* at least, to the handler of a more urgent one that arrives meanwhile */
	unsigned fp;    /* more, where 17 words of the FPU are pushed or popped */
	unsigned lazy;  /* the same, where an instruction of the FPU has them saved late */
};
extern const struct cpu_times cpu_times_m4; /* what a new one has */

/* NULL with errno ENOMEM, or ENOSYS: this build has no engine (cpu_missing() says what to install). */
struct cpu *cpu_new(const struct cpu_memory *, size_t count, const struct cpu_bus_ops *, void *context);
void cpu_free(struct cpu *);                                /* NULL is fine */
const char *cpu_missing(void);                              /* NULL: there is an engine */
const char *cpu_engine(void);                               /* "unicorn 2.0.1" */
void cpu_set_times(struct cpu *, const struct cpu_times *); /* kept over resets */

/* Reset, then SP and PC as given, thread mode, privileged, VTOR 0, interrupts off in the NVIC. The memory at 0 is an alias:
 * cpu_alias(). */
void cpu_reset(struct cpu *, uint32_t sp, uint32_t pc)
	__attribute__((visibility("hidden"))); /* libunicorn has one of its own, which it is to call */
/* Address 0 (size_bytes long) shows what is at base: memory of cpu_new(), or nothing with size 0 (RM0090 2.4, SYSCFG_MEMRMP). */
void cpu_alias(struct cpu *, uint32_t base, uint32_t size_bytes);
/* Running code from there stops with CPU_LEFT (the ROM's own code, which is not there). */
void cpu_watch(struct cpu *, uint32_t base, uint32_t size_bytes);
/* Someone else than the cpu has written to plain memory: what was translated of it is stale. */
void cpu_changed(struct cpu *, uint32_t address, uint32_t size_bytes);

/* Runs up to so many cycles, and says how many it took (a sleeping cpu uses none: let time pass with cpu_skip()). It may overrun by a
 * few cycles, not by chance. It may stop on the way into a handler or out of one: registers are then partly those of before. */
enum cpu_stop cpu_run(struct cpu *, uint64_t cycles, uint64_t *used);
/* Cycles pass asleep: SysTick and CYCCNT go on. At most cpu_next(). */
void cpu_skip(struct cpu *, uint64_t cycles);
/* The same with its clock stopped, as a chip does to a core that sleeps deeply (SCR.SLEEPDEEP): SysTick and CYCCNT stand. */
void cpu_skip_stopped(struct cpu *, uint64_t cycles);
bool cpu_sleeps_deeply(const struct cpu *);
/* Cycles until SysTick fires; UINT64_MAX: never. */
uint64_t cpu_next(const struct cpu *);
uint64_t cpu_cycles(const struct cpu *); /* since cpu_new(); inside of bus callbacks too */
uint64_t
cpu_starts(const struct cpu *); /* how often execution began anew since cpu_new(): each costs as many instructions do */
void cpu_halt(struct cpu *);    /* from a callback: cpu_run() returns after this instruction */
bool cpu_wakes(const struct cpu *); /* something pending would end its sleep */

/* Level of an interrupt line: while high and not active it is pending; a rising edge pends it. */
void cpu_irq(struct cpu *, unsigned number, bool level);
/* An event from outside, for WFE (DDI 0403 B1.5.18). */
void cpu_event(struct cpu *);

void cpu_fault(const struct cpu *, struct cpu_fault *);
/* cpu_run() returns with CPU_HALTED after each of the first so many faults since reset, before their handler: the next one may be a
 * lock-up, and cpu_fault() has but the last. 0, without it: after none. */
void cpu_halt_at_faults(struct cpu *, unsigned most);
/* r0-r15 (13: the stack in use), xpsr at 16, msp 17, psp 18, control 19, primask 20, basepri 21, faultmask 22 */
uint32_t cpu_register(const struct cpu *, unsigned number);

#endif
