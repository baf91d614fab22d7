/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the firmware engine share. */
#ifndef DFUBENCH_FIRMWARE_H
#define DFUBENCH_FIRMWARE_H

#include "bench.h"
#include "engine.h"
#include "soc.h"

/* Each time that nothing of interest to the outside has happened the quantum doubles: less to do for whoever keeps the bench's time. */
#define QUANTUM_LEAST_US 50u
#define QUANTUM_MOST_US 3200u
/* And it is halved when the core had to begin anew more often than that: what interrupts itself all the time takes ours for it, and
 * others are to be heard meanwhile. */
#define QUANTUM_STARTS 4000u

/* So many reads in a row of up to so many registers, none of which has changed, and no write but of what was read there: the firmware
 * polls. It sees nothing new before a timer fires or something comes from outside, so until then its cycles pass unused. */
#define POLL_READS 64u
#define POLL_REGISTERS 8u

#define OTG_IRQ 67u

#define FAULTS_TOLD 16u /* of one run of an application: it may fault for ever */

enum after { AFTER_NOTHING, AFTER_RESET, AFTER_ROM, AFTER_LOCKUP };

struct firmware {
	struct engine engine; /* first: a struct engine * of ours is a struct firmware * */
	struct mcu *mcu;
	struct bench *bench;
	struct engine_options options;
	struct cpu *cpu;
	struct soc *soc;
	struct otg_fs *otg;
	struct bench_event event;
	uint32_t vector;
	bool runs;   /* between start() and stop() */
	bool fresh;  /* and nothing of it has been done yet */
	bool inside; /* the core is on the stack */
	bool jumps;  /* it is being stopped because it jumps to the ROM */
	bool asleep, locked_up, button, otg_level;
	unsigned leds, told_leds; /* a bit for each */
	enum after after;         /* what is to be done once nothing is on the stack */
	enum reset_cause cause;
	uint64_t began_us, began_cycle, powered_us;
	uint64_t faults;  /* seen */
	uint64_t outside; /* counts what the firmware does that others may notice */
	struct {
		uint32_t address, value;
	} polled[POLL_REGISTERS];
	unsigned polled_next, polled_count; /* the one to be replaced; reads in a row */
	bool polls;
	uint64_t quantum_us; /* until the next look */
	uint64_t reached_us; /* with a clock of the wall: what has been brought up to, */
	int64_t allowed_ns;  /* and how much of the wall's time it may still take */
};

/* --- firmware.c --- */
void firmware_begin(struct firmware *); /* the reset that start() has asked for */
void firmware_tell_leds(struct firmware *);
void firmware_fault(const struct firmware *, struct mcu_fault *);

/* --- firmware_run.c --- */
void firmware_bring_up(struct firmware *, uint64_t to_us);
/* For whatever comes from outside: up to now, and soon again. Nothing from within the core. */
void firmware_sync(struct firmware *);
void firmware_fire(struct bench_event *);
void firmware_schedule(struct firmware *);
enum engine_state firmware_state(const struct firmware *);

#endif
