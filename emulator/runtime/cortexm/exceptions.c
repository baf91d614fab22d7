/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exception model of ARMv7-M (DDI 0403 B1.5): priorities, entry, return, faults and their escalation, lock-up; and the time that
 * entry and return take, in which an exception may arrive late.
 */
#include <string.h>
#include "engine.h"

/* DDI 0439D 3.9.2. ASSUMED: late and lazy. A vector that is fetched alone takes six cycles where handlers chain; the words are as
 * many, late or not. */
const struct cpu_times cpu_times_m4 = { .enter = 12, .leave = 10, .chain = 6, .late = 6, .fp = 17, .lazy = 17 };

void exception_reset(struct cpu *c)
{
	memset(&c->pending, 0, sizeof c->pending);
	memset(&c->active, 0, sizeof c->active);
	memset(&c->enabled, 0, sizeof c->enabled);
	memset(c->priority, 0, sizeof c->priority);
	for (unsigned n = 0; n < EXCEPTION_IRQ; n++)
		set_put(&c->enabled, n, true);
	for (unsigned n = EXCEPTION_IRQ; n < EXCEPTIONS; n++)
		set_put(&c->pending, n, set_has(&c->line, n));
}

int exception_priority(const struct cpu *c, unsigned n)
{
	return n == EXCEPTION_NMI ? -2 : n == EXCEPTION_HARD ? -1 : c->priority[n];
}

static int group_of(const struct cpu *c, int priority)
{
	return priority < 0 ? priority : priority & ~((2 << (c->aircr >> 8 & 7)) - 1);
}

/* ExecutionPriority(), B1.5.4. */
int execution_priority(const struct cpu *c, bool mind_primask)
{
	int lowest = 256;
	for (unsigned w = 0; w < EXCEPTION_WORDS; w++)
		for (uint64_t set = c->active.word[w]; set; set &= set - 1) {
			int p = group_of(c, exception_priority(c, w * 64 + (unsigned)__builtin_ctzll(set)));
			lowest = p < lowest ? p : lowest;
		}
	if (c->basepri && group_of(c, (int)c->basepri) < lowest)
		lowest = group_of(c, (int)c->basepri);
	if (c->primask && mind_primask && lowest > 0)
		lowest = 0;
	if (c->faultmask && lowest > -1)
		lowest = -1;
	return lowest;
}

static unsigned highest_pending(const struct cpu *c)
{
	unsigned best = 0;
	int best_priority = 256;
	for (unsigned w = 0; w < EXCEPTION_WORDS; w++)
		for (uint64_t set = c->pending.word[w] & c->enabled.word[w]; set; set &= set - 1) {
			unsigned n = w * 64 + (unsigned)__builtin_ctzll(set);
			if (exception_priority(c, n) < best_priority) {
				best = n;
				best_priority = exception_priority(c, n);
			}
		}
	return best;
}

unsigned exception_due(const struct cpu *c, bool mind_primask)
{
	unsigned n = highest_pending(c);
	return n && group_of(c, exception_priority(c, n)) < execution_priority(c, mind_primask) ? n : 0;
}

void exception_pend(struct cpu *c, unsigned n)
{
	if (!set_has(&c->pending, n) && (c->scr & SCR_SEVONPEND))
		c->event = true;
	set_put(&c->pending, n, true);
	c->horizon = 0;
}

void exception_unpend(struct cpu *c, unsigned n)
{
	set_put(&c->pending, n, n >= EXCEPTION_IRQ && set_has(&c->line, n) && !set_has(&c->active, n));
	c->horizon = 0;
}

void stack_select(struct cpu *c)
{
	bool psp = !c->ipsr && (c->control & CONTROL_SPSEL);
	if (psp != c->on_psp) {
		uint32_t sp = c->r[13];
		c->r[13] = c->other_sp;
		c->other_sp = sp;
		c->on_psp = psp;
	}
}

/* ITAdvance(), A7.3.2: ITSTATE is bits 15-10 and 26-25 of xPSR. */
uint32_t it_advance(uint32_t xpsr)
{
	uint32_t it = (xpsr >> 8 & 0xFC) | (xpsr >> 25 & 3);
	it = it & 7 ? (it & 0xE0) | (it << 1 & 0x1F) : 0;
	return (xpsr & ~XPSR_IT) | (it & 0xFC) << 8 | (it & 3) << 25;
}

static void remember(struct cpu *c, unsigned exception)
{
	memcpy(c->fault.r, c->r, sizeof c->fault.r);
	c->fault.xpsr = c->xpsr | c->ipsr;
	c->fault.exception = exception;
	c->fault.count++;
	if (c->fault.count <= c->halting_faults)
		cpu_halt(c);
}

static void remember_status(struct cpu *c)
{
	c->fault.cfsr = c->cfsr;
	c->fault.hfsr = c->hfsr;
	c->fault.mmfar = c->mmfar;
	c->fault.bfar = c->bfar;
}

static void lock_up(struct cpu *c)
{
	c->locked = true;
	remember_status(c);
}

bool exception_is_enabled(const struct cpu *c, unsigned n)
{
	return n == EXCEPTION_MEMORY  ? c->shcsr >> 16 & 1
	       : n == EXCEPTION_BUS   ? c->shcsr >> 17 & 1
	       : n == EXCEPTION_USAGE ? c->shcsr >> 18 & 1
				      : true;
}

/* The exception that a synchronous one becomes (B1.5.4, priority escalation); 0: lock-up. */
static unsigned escalate(struct cpu *c, unsigned n)
{
	int now = execution_priority(c, true);
	if (n != EXCEPTION_HARD) {
		if (exception_is_enabled(c, n) && group_of(c, exception_priority(c, n)) < now)
			return n;
		c->hfsr |= HFSR_FORCED;
	}
	return now > -1 ? EXCEPTION_HARD : 0;
}

/* ExceptionTaken(), B1.5.6. */
static void take(struct cpu *c, unsigned n)
{
	uint32_t vector;
	if (!memory_read(c, c->vtor + 4 * n, 4, &vector)) {
		c->hfsr |= HFSR_VECTTBL;
		if (n == EXCEPTION_HARD || n == EXCEPTION_NMI || execution_priority(c, true) <= -1 ||
		    !memory_read(c, c->vtor + 4 * EXCEPTION_HARD, 4, &vector)) {
			lock_up(c);
			return;
		}
		n = EXCEPTION_HARD;
	}
	set_put(&c->pending, n, false);
	set_put(&c->active, n, true);
	c->ipsr = n;
	c->control &= ~(CONTROL_FPCA | CONTROL_SPSEL);
	stack_select(c);
	c->r[15] = vector & ~1u;
	c->entered_at = c->now;
	c->xpsr = (c->xpsr & XPSR_APSR) | (vector & 1 ? XPSR_T : 0);
	c->monitor = false;
	c->event = true;
	remember_status(c);
	c->horizon = 0;
}

/* So many cycles from now its handler begins. Until then it is pending, as it stays if another arrives. */
static void begin(struct cpu *c, unsigned n, unsigned cycles)
{
	uint64_t from = c->phase == PHASE_SAVE && c->phase_ends > c->now ? c->phase_ends : c->now;
	c->phase = PHASE_ENTER;
	c->entering = n;
	c->phase_ends = from + cycles;
	set_put(&c->pending, n, true);
	remember_status(c);
	c->horizon = 0;
}

/* What is to be taken where pushing or popping for n has faulted with these bits (B1.5.6, derived exceptions); 0: lock-up. The other is
 * left pending. */
static unsigned derived(struct cpu *c, unsigned n, uint32_t cfsr)
{
	unsigned fault = cfsr & 0xFF ? EXCEPTION_MEMORY : EXCEPTION_BUS;
	c->cfsr |= cfsr;
	remember(c, fault);
	unsigned other = escalate(c, fault);
	if (!other)
		return 0;
	if (n && exception_priority(c, n) < exception_priority(c, other)) {
		set_put(&c->pending, other, true);
		return n;
	}
	if (n && n != other)
		set_put(&c->pending, n, true);
	return other;
}

void exception_enter(struct cpu *c, unsigned n)
{
	bool eager = (c->control & CONTROL_FPCA) && !(c->fpccr & FPCCR_LSPEN);
	uint32_t fault = frame_push(c);
	if (fault)
		n = derived(c, n, fault);
	if (n)
		begin(c, n, c->times.enter + (eager ? c->times.fp : 0));
	else
		lock_up(c);
}

static void enter_fault(struct cpu *c, unsigned exception)
{
	unsigned n = escalate(c, exception);
	if (n)
		exception_enter(c, n);
	else
		lock_up(c);
}

void exception_fault(struct cpu *c, unsigned exception, uint32_t cfsr)
{
	remember(c, exception);
	c->cfsr |= cfsr;
	enter_fault(c, exception);
}

void exception_bus_fault(struct cpu *c, uint32_t address)
{
	c->bfar = address;
	exception_fault(c, EXCEPTION_BUS, CFSR_PRECISERR | CFSR_BFARVALID);
}

void exception_memory_fault(struct cpu *c, uint32_t address)
{
	c->mmfar = address;
	exception_fault(c, EXCEPTION_MEMORY, CFSR_DACCVIOL | CFSR_MMARVALID);
}

void exception_fetch_fault(struct cpu *c)
{
	c->cfsr &= ~CFSR_MMARVALID; /* B3.5, ValidateAddress(): MMFAR is not its */
	exception_fault(c, EXCEPTION_MEMORY, CFSR_IACCVIOL);
}

bool exception_lazy_fault(struct cpu *c, uint32_t cfsr)
{
	bool memory = cfsr & 0xFF;
	unsigned n = memory ? EXCEPTION_MEMORY : EXCEPTION_BUS;
	engine_peek(c);
	remember(c, n);
	c->cfsr |= cfsr;
	if (!(c->fpccr & (memory ? FPCCR_MMRDY : FPCCR_BFRDY))) {
		n = EXCEPTION_HARD;
		c->hfsr |= HFSR_FORCED;
		if (!(c->fpccr & FPCCR_HFRDY)) {
			lock_up(c);
			return true;
		}
	}
	remember_status(c);
	set_put(&c->pending, n, true);
	c->horizon = 0;
	return exception_due(c, true) != 0;
}

void exception_svc(struct cpu *c)
{
	unsigned n = escalate(c, EXCEPTION_SVC);
	if (n != EXCEPTION_SVC)
		remember(c, EXCEPTION_HARD);
	if (n)
		exception_enter(c, n);
	else
		lock_up(c);
}

/* C1.6.1: without a debugger, DebugMonitor or a HardFault. */
void exception_breakpoint(struct cpu *c)
{
	c->dfsr |= 2;
	bool monitor = c->demcr & DEMCR_MON_EN;
	if (monitor && group_of(c, exception_priority(c, EXCEPTION_DEBUG)) < execution_priority(c, true)) {
		exception_enter(c, EXCEPTION_DEBUG);
		return;
	}
	c->hfsr |= HFSR_DEBUGEVT;
	remember(c, EXCEPTION_HARD);
	enter_fault(c, EXCEPTION_HARD);
}

static unsigned nested(const struct cpu *c)
{
	unsigned n = 0;
	for (unsigned w = 0; w < EXCEPTION_WORDS; w++)
		n += (unsigned)__builtin_popcountll(c->active.word[w]);
	return n;
}

static void deactivate(struct cpu *c, unsigned n)
{
	set_put(&c->active, n, false);
	if (n != EXCEPTION_NMI)
		c->faultmask = 0;
	if (n >= EXCEPTION_IRQ && set_has(&c->line, n))
		exception_pend(c, n);
}

/* The next handler runs on the frame that is already there. */
static void chain(struct cpu *c, unsigned n, uint32_t lr)
{
	c->r[14] = lr;
	if (n)
		begin(c, n, c->times.chain);
	else
		lock_up(c);
}

static void invalid_return(struct cpu *c, uint32_t lr)
{
	remember(c, EXCEPTION_USAGE);
	c->cfsr |= CFSR_INVPC;
	chain(c, escalate(c, EXCEPTION_USAGE), lr);
}

/* ExceptionReturn(), B1.5.8. */
void exception_leave(struct cpu *c, uint32_t exc_return)
{
	unsigned returning = c->ipsr, depth = nested(c);
	uint32_t lr = 0xF0000000u | (exc_return & 0x0FFFFFFFu), kind = exc_return & 0xF;
	bool to_thread = kind != 1, fp = !(exc_return & EXC_RETURN_NO_FP);
	if (!set_has(&c->active, returning)) {
		invalid_return(c, lr);
		return;
	}
	deactivate(c, returning);
	if ((kind != 1 && kind != 9 && kind != 0xD) || (exc_return & 0x0FFFFFE0u) != 0x0FFFFFE0u ||
	    (to_thread ? depth != 1 && !(c->ccr & CCR_NONBASETHRDENA) : depth == 1)) {
		invalid_return(c, lr);
		return;
	}
	unsigned next = exception_due(c, true);
	if (next) {
		chain(c, next, exc_return | 1);
		return;
	}
	c->phase = PHASE_LEAVE;
	c->leaving = exc_return;
	c->phase_ends = c->now + c->times.leave + (fp && !(c->fpccr & FPCCR_LSPACT) ? c->times.fp : 0);
	c->horizon = 0;
}

/* The rest of ExceptionReturn(), from PopStack() on. */
static void left(struct cpu *c)
{
	uint32_t exc_return = c->leaving, lr = 0xF0000000u | (exc_return & 0x0FFFFFFFu);
	bool to_thread = (exc_return & 0xF) != 1, psp = (exc_return & 0xF) == 0xD,
	     fp = !(exc_return & EXC_RETURN_NO_FP);
	uint32_t *sp = psp ? &c->other_sp : &c->r[13], frame = *sp, psr;
	uint32_t fault = frame_pop(c, frame, fp, to_thread, &psr);
	if (fault) {
		chain(c, derived(c, 0, fault), exc_return | 1);
		return;
	}
	bool aligned = (psr & 0x200) && (fp || (c->ccr & CCR_STKALIGN));
	*sp = (frame + (fp ? 0x68 : 0x20)) | (aligned ? 4 : 0);
	unsigned ipsr = psr & 0x1FF;
	if (to_thread ? ipsr != 0 : ipsr == 0) {
		*sp = frame;
		invalid_return(c, lr);
		return;
	}
	c->ipsr = ipsr;
	c->control = (c->control & CONTROL_NPRIV) | (psp ? CONTROL_SPSEL : 0) | (fp ? CONTROL_FPCA : 0);
	stack_select(c);
	c->xpsr = psr & (XPSR_APSR | XPSR_T | XPSR_IT);
	c->monitor = false;
	c->event = true;
	if (to_thread && nested(c) == 0 && (c->scr & SCR_SLEEPONEXIT)) {
		c->sleeping = true;
		c->sleeps_for_event = false;
	}
	c->horizon = 0;
}

/* B1.5.11, B1.5.12: what arrives meanwhile, and would preempt what is on its way, comes first. A return is given up for it. */
static void arrive(struct cpu *c)
{
	unsigned n;
	if (c->phase == PHASE_LEAVE && (n = exception_due(c, true))) {
		c->r[14] = c->leaving | 1;
		begin(c, n, c->times.late);
	} else if (c->phase == PHASE_ENTER) {
		n = highest_pending(c);
		if (group_of(c, exception_priority(c, n)) >= group_of(c, exception_priority(c, c->entering)))
			return;
		c->entering = n;
		if (c->phase_ends < c->now + c->times.late)
			c->phase_ends = c->now + c->times.late;
	}
}

bool exception_pass(struct cpu *c, uint64_t limit)
{
	if (c->now < c->phase_ends) {
		arrive(c);
		if (c->now >= limit)
			return false;
		uint64_t to = c->phase_ends < limit ? c->phase_ends : limit;
		c->now = to < c->systick.zero_at ? to : c->systick.zero_at;
		return true;
	}
	enum phase done = c->phase;
	c->phase = PHASE_NONE;
	if (done == PHASE_ENTER)
		take(c, c->entering);
	else if (done == PHASE_LEAVE)
		left(c);
	return true;
}
