// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The firmware engine in time: one event of the bench brings the core up. While it runs that comes every quantum; while it sleeps,
 * when its next timer is due. What the firmware does to the outside takes effect when it is brought up: a quantum late at most.
 */
#include "firmware.h"

/* With a clock of the wall: the part of it that is ours, what may be saved up, and how often to look at it. */
#define WALL_PERCENT 60
#define WALL_SAVED_NS 5000000
#define WALL_CYCLES 20000u

/* What fetches from the flash while that is busy waits (RM0090 3.6). */
static bool is_stalled(const struct firmware *f)
{
	uint32_t pc = cpu_register(f->cpu, 15);
	const struct mcu_profile *p = mcu_profile(f->mcu);

	return soc_holds_core(f->soc) ||
	       (soc_flash_is_busy(f->soc) && (pc < p->flash_size_bytes || pc - p->flash_base < p->flash_size_bytes));
}

static bool is_idle(const struct firmware *f)
{
	return f->locked_up || (f->asleep && !cpu_wakes(f->cpu)) || is_stalled(f) || soc_power(f->soc) == SOC_STANDBY;
}

/* Whether SysTick counts while it is idle. */
static bool ticks(const struct firmware *f)
{
	return !f->locked_up && !is_stalled(f) && soc_power(f->soc) == SOC_SLEEPS;
}

void firmware_schedule(struct firmware *f)
{
	uint64_t now_us = bench_now_us(f->bench), cycle, next;

	if (!f->runs) {
		bench_cancel(f->bench, &f->event);
		return;
	}
	if (f->after || f->fresh) {
		bench_at(f->bench, &f->event, now_us);
		return;
	}
	if (!is_idle(f)) {
		bench_at(f->bench, &f->event, now_us + f->quantum_us);
		return;
	}
	cycle = soc_next(f->soc);
	next = ticks(f) ? cpu_next(f->cpu) : UINT64_MAX;
	if (next != UINT64_MAX && cpu_cycles(f->cpu) + next < cycle)
		cycle = cpu_cycles(f->cpu) + next;
	if (cycle == SOC_NEVER) {
		bench_cancel(f->bench, &f->event);
		return;
	}
	/* With it goes what is to be done then, in one look. */
	next = soc_us_at(f->soc, cycle) + QUANTUM_LEAST_US;
	bench_at(f->bench, &f->event, next > now_us + f->quantum_us ? next : now_us + f->quantum_us);
}

static void skip(struct firmware *f, uint64_t cycles)
{
	uint64_t next = cpu_next(f->cpu);

	if (soc_power(f->soc))
		cpu_skip_stopped(f->cpu, cycles);
	else
		cpu_skip(f->cpu, next < cycles ? next : cycles);
	f->polls = false;
	f->polled_count = 0;
}

static void tell_faults(struct firmware *f)
{
	struct cpu_fault fault;
	struct mcu_fault told;

	cpu_fault(f->cpu, &fault);
	if (fault.count == f->faults)
		return;
	f->faults = fault.count;
	if (f->faults > FAULTS_TOLD || f->after == AFTER_LOCKUP)
		return;
	firmware_fault(f, &told);
	mcu_tell_fault(f->mcu, &told);
}

static void execute(struct firmware *f, uint64_t cycles)
{
	uint64_t used, before = f->options.wall_ns ? f->options.wall_ns() : 0;

	if (before && cycles > WALL_CYCLES)
		cycles = WALL_CYCLES;
	f->asleep = false;
	if (soc_power(f->soc)) {
		soc_wake(f->soc);
		cpu_irq(f->cpu, OTG_IRQ, f->otg_level);
	}
	switch (cpu_run(f->cpu, cycles, &used)) {
	case CPU_RAN:
	case CPU_HALTED:
		break;
	case CPU_SLEEPS:
		f->asleep = true;
		if (cpu_sleeps_deeply(f->cpu))
			soc_sleep_deeply(f->soc);
		break;
	case CPU_RESETS:
		f->after = AFTER_RESET;
		f->cause = RESET_SOFTWARE;
		break;
	case CPU_LEFT:
		f->after = AFTER_ROM;
		break;
	case CPU_LOCKUP:
		f->locked_up = true;
		f->after = AFTER_LOCKUP;
		break;
	}
	tell_faults(f);
	if (before)
		f->allowed_ns -= (int64_t)(f->options.wall_ns() - before);
}

static void allow(struct firmware *f, uint64_t to_us)
{
	double gone_us = to_us > f->reached_us ? (double)(to_us - f->reached_us) : 0;

	f->reached_us = to_us;
	f->allowed_ns += (int64_t)(gone_us * 10 * WALL_PERCENT / f->options.scale);
	if (f->allowed_ns > WALL_SAVED_NS)
		f->allowed_ns = WALL_SAVED_NS;
}

void firmware_bring_up(struct firmware *f, uint64_t to_us)
{
	if (f->inside || !f->runs)
		return;
	f->inside = true;
	if (f->fresh)
		firmware_begin(f);
	soc_refresh_flash(f->soc);
	if (f->options.wall_ns)
		allow(f, to_us);
	while (f->runs && !f->fresh && !f->after) {
		uint64_t now = cpu_cycles(f->cpu), to = soc_cycle_at(f->soc, to_us), next = soc_next(f->soc);

		if (next <= now) {
			soc_fire(f->soc);
			continue;
		}
		if (now >= to)
			break;
		to = next < to ? next : to;
		if (f->polls || is_idle(f) || (f->options.wall_ns && f->allowed_ns <= 0))
			skip(f, to - now);
		else
			execute(f, to - now);
	}
	f->inside = false;
	firmware_tell_leds(f);
}

void firmware_sync(struct firmware *f)
{
	if (f->inside)
		return;
	firmware_bring_up(f, bench_now_us(f->bench));
	f->quantum_us = QUANTUM_LEAST_US;
	firmware_schedule(f);
}

static void come_to(struct firmware *f)
{
	struct mcu_fault fault;
	enum after after = f->after;

	f->after = AFTER_NOTHING;
	switch (after) {
	case AFTER_NOTHING:
		return;
	case AFTER_RESET:
		mcu_watchdog_reset(f->mcu, f->cause);
		return;
	case AFTER_ROM:
		f->jumps = true;
		if (mcu_software_entry(f->mcu))
			f->locked_up = true; /* level 2: no code there to fetch (f407.md RDP-3) */
		f->jumps = false;
		return;
	case AFTER_LOCKUP:
		firmware_fault(f, &fault);
		fault.lockup = true;
		mcu_lock_up(f->mcu, &fault);
		return;
	}
}

void firmware_fire(struct bench_event *e)
{
	struct firmware *f = e->context;
	uint64_t seen = f->outside, starts = cpu_starts(f->cpu);

	firmware_bring_up(f, bench_now_us(f->bench));
	come_to(f);
	if (f->outside != seen)
		f->quantum_us = QUANTUM_LEAST_US;
	else if (cpu_starts(f->cpu) - starts > QUANTUM_STARTS)
		f->quantum_us = f->quantum_us > 2 * QUANTUM_LEAST_US ? f->quantum_us / 2 : QUANTUM_LEAST_US;
	else if (f->quantum_us < QUANTUM_MOST_US)
		f->quantum_us *= 2;
	firmware_schedule(f);
}

enum engine_state firmware_state(const struct firmware *f)
{
	if (!f->runs)
		return ENGINE_STOPPED;
	if (f->locked_up)
		return ENGINE_LOCKED_UP;
	if (f->fresh || !f->asleep || cpu_wakes(f->cpu))
		return ENGINE_RUNS;
	return (!ticks(f) || cpu_next(f->cpu) == UINT64_MAX) && soc_next(f->soc) == SOC_NEVER ? ENGINE_SLEEPS
											      : ENGINE_WAITS;
}
