/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes an application run: an engine for each board, behind mcu_app_ops. The stub runs no code; the firmware engine executes what
 * is in the flash; the program has one more, which is a process (qemu.h). Time is the bench's: an engine schedules itself on it, and
 * whatever comes from outside (a packet, a pin, a command) first brings it up to bench_now_us().
 */
#ifndef DFUBENCH_ENGINE_H
#define DFUBENCH_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "app.h"
#include "cdc.h"
#include "mcu.h"

struct engine;

enum engine_state {
	ENGINE_STOPPED, /* no application runs */
	ENGINE_RUNS,
	ENGINE_WAITS,     /* WFI or WFE, until a time that is known */
	ENGINE_SLEEPS,    /* the same, with nothing pending: only something from outside can wake it */
	ENGINE_LOCKED_UP, /* until reset */
};

struct engine_status {
	const char *name; /* of the engine */
	bool runs_code;   /* it has a console that hears */
	bool has_pins;    /* and LEDs and a button */
	enum engine_state state;
	bool has_core; /* the following: */
	uint32_t pc, sp, hclk_hz;
	uint64_t cycles;        /* since the application began */
	unsigned leds;          /* a bit for each, see engine_led_name() */
	uint64_t faults;        /* since the application began */
	struct mcu_fault fault; /* the last of them */
};

struct engine_options {
	uint64_t seed;
	/* A clock of the wall in nanoseconds: firmware then runs only as fast as leaves some of the processor to others, and the rest
	 * of its cycles pass unused. NULL: every cycle is executed, whatever that takes; and the same happens each time. */
	uint64_t (*wall_ns)(void);
	double scale; /* bench time per wall time, with wall_ns */
};

/* Every member is required. */
struct engine_ops {
	const struct mcu_app_ops *app; /* its context is the engine */
	void (*free)(struct engine *);
	size_t (*console)(struct engine *, const uint8_t *bytes, size_t length);
	int (*button)(struct engine *, bool pressed);
	void (*status)(struct engine *, struct engine_status *);
};

struct engine {
	const struct engine_ops *ops;
};

/* A USB serial port that echoes; no code runs. NULL on ENOMEM. */
struct engine *engine_stub_new(enum cdc_identity, const char *serial);
/* Executes the flash. Both outlive it. NULL with errno: ENOMEM; ENOSYS: this build cannot, see engine_lacks(); ENOTSUP: the profile's
 * chip is not modelled. */
struct engine *engine_firmware_new(struct mcu *, const struct engine_options *);
const char *engine_lacks(void); /* NULL: firmware can be run */
/* The chip of this profile is modelled. */
bool engine_knows(const struct mcu_profile *);
/* Nothing runs any more; NULL is fine. */
void engine_close(struct engine *);

/* Bytes come in on the serial console: how many of them anyone takes (0: nobody listens). */
size_t engine_console(struct engine *, const uint8_t *bytes, size_t length);
/* The user's button. 0; -ENOTSUP: the engine has none. */
int engine_button(struct engine *, bool pressed);
void engine_status(struct engine *, struct engine_status *);
const char *engine_state_name(enum engine_state);
#define ENGINE_LEDS 4
const char *engine_led_name(unsigned led);

#endif
