/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A core as its owner sees it (cpu.h): the loop between the engine and the exception model.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine.h"

struct cpu *cpu_new(const struct cpu_memory *memory, size_t count, const struct cpu_bus_ops *ops, void *context)
{
	struct cpu *c = calloc(1, sizeof *c);
	struct cpu_memory *copy = calloc(count ? count : 1, sizeof *copy);
	if (!c || !copy) {
		free(c);
		free(copy);
		errno = ENOMEM;
		return NULL;
	}
	memcpy(copy, memory, count * sizeof *copy);
	c->memory = copy;
	c->memory_count = count;
	c->ops = ops;
	c->context = context;
	c->times = cpu_times_m4;
	int error = engine_new(c);
	if (error) {
		free(copy);
		free(c);
		errno = -error;
		return NULL;
	}
	cpu_reset(c, 0, 0);
	return c;
}

void cpu_free(struct cpu *c)
{
	if (!c)
		return;
	engine_free(c);
	free(c->memory);
	free(c);
}

const char *cpu_missing(void)
{
	return engine_missing();
}

const char *cpu_engine(void)
{
	return engine_name();
}

void cpu_set_times(struct cpu *c, const struct cpu_times *times)
{
	c->times = *times;
}

void cpu_reset(struct cpu *c, uint32_t sp, uint32_t pc)
{
	memset(c->r, 0, sizeof c->r);
	c->r[13] = sp & ~3u;
	c->r[14] = 0xFFFFFFFF;
	c->r[15] = pc & ~1u;
	c->xpsr = pc & 1 ? XPSR_T : 0;
	c->other_sp = 0;
	c->on_psp = c->monitor = false;
	c->ipsr = c->control = c->primask = c->basepri = c->faultmask = 0;
	memset(c->s, 0, sizeof c->s);
	c->fpscr = 0;
	engine_fp_store(c);
	c->phase = PHASE_NONE;
	c->sleeping = c->sleeps_for_event = c->event = c->halted = c->resets = c->locked = false;
	memset(&c->fault, 0, sizeof c->fault);
	exception_reset(c);
	scs_reset(c);
	c->horizon = 0;
}

void cpu_alias(struct cpu *c, uint32_t base, uint32_t size_bytes)
{
	c->alias_base = base;
	c->alias_size = size_bytes;
	c->alias_stale = true;
	c->horizon = 0;
}

void cpu_watch(struct cpu *c, uint32_t base, uint32_t size_bytes)
{
	c->watch_base = base;
	c->watch_size = size_bytes;
	c->horizon = 0;
}

void cpu_changed(struct cpu *c, uint32_t address, uint32_t size_bytes)
{
	engine_changed(c, address, size_bytes);
}

uint64_t cpu_cycles(const struct cpu *c)
{
	return c->now;
}

uint64_t cpu_starts(const struct cpu *c)
{
	return c->starts;
}

void cpu_halt(struct cpu *c)
{
	c->halted = true;
	c->horizon = 0;
}

void cpu_irq(struct cpu *c, unsigned number, bool level)
{
	if (number >= CPU_IRQS || set_has(&c->line, EXCEPTION_IRQ + number) == level)
		return;
	set_put(&c->line, EXCEPTION_IRQ + number, level);
	if (level)
		exception_pend(c, EXCEPTION_IRQ + number);
}

/* What ends WFI: anything that would be taken if PRIMASK were clear (B1.5.19); WFE: an event, and what ends WFI. */
bool cpu_wakes(const struct cpu *c)
{
	return exception_due(c, false) || (c->sleeps_for_event && c->event);
}

void cpu_skip(struct cpu *c, uint64_t cycles)
{
	c->now += cycles;
	systick_update(c);
}

void cpu_skip_stopped(struct cpu *c, uint64_t cycles)
{
	systick_stand(c, cycles);
	scs_stand(c, cycles);
	c->now += cycles;
}

bool cpu_sleeps_deeply(const struct cpu *c)
{
	return c->sleeping && c->scr & SCR_SLEEPDEEP;
}

void cpu_event(struct cpu *c)
{
	c->event = true;
}

uint64_t cpu_next(const struct cpu *c)
{
	return c->systick.zero_at == NEVER ? UINT64_MAX : c->systick.zero_at > c->now ? c->systick.zero_at - c->now : 0;
}

void cpu_fault(const struct cpu *c, struct cpu_fault *f)
{
	*f = c->fault;
}

void cpu_halt_at_faults(struct cpu *c, unsigned most)
{
	c->halting_faults = most;
}

static void past(struct cpu *c)
{
	c->r[15] += c->insn_size;
	c->xpsr = it_advance(c->xpsr);
}

static void hint(struct cpu *c)
{
	past(c);
	c->sleeps_for_event = (c->insn & 0xFF) == 0x20 || (c->insn & 0xFF) == 2; /* WFE */
	c->sleeping = true;
}

/* Where there is no code: nowhere to be executed by the MPU or the default map (B3.1), or nothing at all. */
static void no_code(struct cpu *c)
{
	struct span span;
	bool xn = !mpu_passes(c, c->r[15], MPU_FETCH, mpu_now(c), &span);
	if (xn)
		exception_fetch_fault(c);
	else
		exception_fault(c, EXCEPTION_BUS, CFSR_IBUSERR);
}

static bool left(const struct cpu *c)
{
	return c->r[15] - c->watch_base < c->watch_size;
}

/* A vector that looks like EXC_RETURN is none: only instructions return (B1.5.8). */
static bool may_return(const struct cpu *c)
{
	return c->ipsr && c->now != c->entered_at;
}

static void act(struct cpu *c, enum event event)
{
	switch (event) {
	case EVENT_HORIZON:
		break;
	case EVENT_SVC:
		past(c);
		exception_svc(c);
		break;
	case EVENT_BREAKPOINT:
		exception_breakpoint(c);
		break;
	case EVENT_UNDEFINED:
		exception_fault(c, EXCEPTION_USAGE, CFSR_UNDEFINSTR);
		break;
	case EVENT_STATE:
		exception_fault(c, EXCEPTION_USAGE, CFSR_INVSTATE);
		break;
	case EVENT_FETCH:
		if (may_return(c) && c->r[15] >> 28 == 0xF) /* a return by a value that engines do not know for one */
			exception_leave(c, c->r[15]);
		else if (!left(c))
			no_code(c);
		break;
	case EVENT_HINT:
		hint(c);
		break;
	case EVENT_BUS:
		exception_bus_fault(c, c->insn);
		break;
	case EVENT_USAGE:
		exception_fault(c, EXCEPTION_USAGE, c->insn);
		break;
	case EVENT_MEMORY:
		exception_memory_fault(c, c->insn);
		break;
	case EVENT_DENIED:
		exception_fetch_fault(c);
		break;
	case EVENT_AGAIN:
		break;
	case EVENT_SKIPPED:
		past(c);
		break;
	case EVENT_RETURN:
		if (may_return(c)) {
			exception_leave(c, c->r[15]);
		} else {
			c->r[15] &= ~1u;
			no_code(c);
		}
		break;
	}
}

/* `b .` is at the PC: nothing changes but the time. */
static bool is_endless(const struct cpu *c)
{
	uint32_t left;
	bool writable;
	const uint8_t *p = c->xpsr & XPSR_IT ? NULL : memory_plain(c, c->r[15], &left, &writable);
	return p && left >= 2 && p[0] == 0xFE && p[1] == 0xE7;
}

static enum cpu_stop run_to(struct cpu *c, uint64_t limit)
{
	uint32_t spun = 1; /* a round of such a loop has been executed here */
	for (;;) {
		systick_update(c);
		if (c->alias_stale) {
			c->alias_stale = false;
			engine_map(c);
		}
		if (c->resets || c->locked)
			return c->resets ? CPU_RESETS : CPU_LOCKUP;
		if (c->phase) {
			if (!exception_pass(c, limit))
				return CPU_RAN;
			spun = 1;
			continue;
		}
		if (c->halted) {
			c->halted = false;
			return CPU_HALTED;
		}
		if (c->sleeping) {
			if (!cpu_wakes(c))
				return CPU_SLEEPS;
			c->sleeping = false;
			if (c->sleeps_for_event)
				c->event = false;
		}
		unsigned n = exception_due(c, true);
		if (n) {
			exception_enter(c, n);
			continue;
		}
		if (left(c))
			return CPU_LEFT;
		if (c->now >= limit)
			return CPU_RAN;
		if (c->r[15] >=
		    0xF0000000u) { /* by a vector or a popped PC: no instruction has branched to an EXC_RETURN */
			c->now++;
			no_code(c);
			continue;
		}
		uint64_t horizon = limit < c->systick.zero_at ? limit : c->systick.zero_at;
		uint32_t pc = c->r[15];
		bool endless = is_endless(c);
		if (endless && pc == spun) { /* how most handlers of faults end */
			c->now = horizon;
			continue;
		}
		c->horizon = endless ? c->now + 1 : horizon;
		c->starts++;
		act(c, engine_run(c));
		spun = endless && c->r[15] == pc ? pc : 1;
	}
}

enum cpu_stop cpu_run(struct cpu *c, uint64_t cycles, uint64_t *used)
{
	uint64_t start = c->now;
	enum cpu_stop stop = run_to(c, cycles < NEVER - start ? start + cycles : NEVER);
	if (used)
		*used = c->now - start;
	return stop;
}

uint32_t cpu_register(const struct cpu *c, unsigned number)
{
	switch (number) {
	case 16:
		return c->xpsr | c->ipsr;
	case 17:
		return c->on_psp ? c->other_sp : c->r[13];
	case 18:
		return c->on_psp ? c->r[13] : c->other_sp;
	case 19:
		return c->control;
	case 20:
		return c->primask;
	case 21:
		return c->basepri;
	case 22:
		return c->faultmask;
	default:
		return number < 16 ? c->r[number] : 0;
	}
}
