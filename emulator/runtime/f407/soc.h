/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An STM32F407 around its core: memory map, clocks, interrupt lines and peripherals, as far as common firmware looks at them (RM0090;
 * chapters are named in the files). Registers that are not modelled keep what is written to them, and are told once.
 *
 * Time is the core's cycles at HCLK, which RCC sets; soc_cycle_at() and soc_us_at() say how they go with the bench's time. Everything
 * that takes time is a timer in cycles: the owner runs the core to soc_next(), calls soc_fire(), and goes on.
 */
#ifndef DFUBENCH_SOC_H
#define DFUBENCH_SOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cortexm/cpu.h"
#include "f407/otg_fs.h"
#include "flash.h"
#include "identity.h"
#include "mcu.h"
#include "profile.h"

struct soc;

#define SOC_NEVER UINT64_MAX
#define SOC_MEMORIES 5
#define SOC_LEDS 4

/* The core, as the chip sees it. Every member is required. */
struct soc_core {
	uint64_t (*cycles)(void *context);
	void (*irq)(void *context, unsigned number, bool level);
	void (*alias)(void *context, uint32_t base, uint32_t size_bytes);      /* what shows at 0 */
	void (*changed)(void *context, uint32_t address, uint32_t size_bytes); /* memory, by someone else */
	void (*halt)(void *context);  /* soc_next() or the clock has changed: look again */
	void (*event)(void *context); /* an EXTI line in event mode, for WFE */
};

/* The board around it. Called in the middle of an instruction: look, do not touch. Every member is required. */
struct soc_user {
	/* A line on any of the USARTs. */
	void (*say)(void *context, const char *line);
	/* 0 to 3: PD12 green, PD13 orange, PD14 red, PD15 blue (UM1472). */
	void (*led)(void *context, unsigned led, bool on);
	/* By a watchdog, or in or out of deep sleep: the core is not to go on. */
	void (*reset)(void *context, enum reset_cause);
	/* RCC_CSR.RMVF */
	void (*forget_resets)(void *context);
	/* Flash or option bytes: erased, programmed, options, cut. */
	void (*touched)(void *context, enum mcu_event_type, uint32_t address, uint32_t length);
	/* A register that is not modelled, once for reading and for writing. */
	void (*unknown)(void *context, uint32_t address, bool write);
};

struct soc_parts {
	struct flash *flash;
	const struct mcu_profile *profile;
	const struct mcu_identity *identity;
	struct otg_fs *otg; /* NULL: its registers are not there */
	uint64_t seed;
	const struct soc_core *core;
	void *core_context;
	const struct soc_user *user;
	void *user_context;
};

/* What parts point to outlives it. NULL on ENOMEM. Call soc_power_on() and soc_reset() before anything else. */
struct soc *soc_new(const struct soc_parts *);
void soc_free(struct soc *); /* NULL is fine */
/* Of the core: as long as the soc lives. */
void soc_memory(struct soc *, struct cpu_memory out[SOC_MEMORIES]);
uint8_t *soc_ram(struct soc *, size_t *size_bytes); /* SRAM, from 0x20000000 */

/* CCM and the backup domain forget (VBAT is wired to the supply). */
void soc_power_on(struct soc *, uint64_t now_us);
/* A system reset at that time; causes: a bit for each enum reset_cause since RMVF. jumped: not a reset, but the ROM's jump to the
 * application, which leaves AHB1ENR 0 with ROMs that do so (f407.md LV-5). */
void soc_reset(struct soc *, uint64_t now_us, unsigned causes, bool jumped);
/* Reset or power ends it all at that time: an operation on the flash is cut; finish: or runs to its end. */
void soc_stop(struct soc *, uint64_t now_us, bool finish);

/* The bus, as cpu_bus_ops. False: bus fault. */
bool soc_read(struct soc *, uint32_t address, unsigned size, uint32_t *value);
bool soc_write(struct soc *, uint32_t address, unsigned size, uint32_t value);

/* What the chip is while the core sleeps deeply (SCR.SLEEPDEEP), as PWR_CR.PDDS says: stopped, with interrupts of EXTI alone, until
 * soc_wake(), which is for when the core goes on; or standing by, for which there is no way out but reset. */
enum soc_power { SOC_SLEEPS, SOC_STOPPED, SOC_STANDBY };
enum soc_power soc_sleep_deeply(struct soc *);
void soc_wake(struct soc *);
enum soc_power soc_power(const struct soc *);

uint64_t soc_next(const struct soc *); /* cycle of the next timer; SOC_NEVER: none */
void soc_fire(struct soc *);           /* all timers that are due */
uint32_t soc_hclk_hz(const struct soc *);
uint64_t soc_cycle_at(const struct soc *, uint64_t us); /* the last one at or before that time */
uint64_t soc_us_at(const struct soc *, uint64_t cycle); /* the first microsecond at or after it */
bool soc_flash_is_busy(const struct soc *);             /* what fetches from the flash waits (RM0090 3.6) */
bool soc_holds_core(const struct soc *); /* the bus stalls: nothing is executed until a timer of soc_next() */
void soc_refresh_flash(struct soc *);    /* someone else may have changed the flash */

void soc_pin(struct soc *, enum mcu_pin, bool high); /* VBUS (PA9), BOOT1 (PB2) */
void soc_button(struct soc *, bool pressed);         /* B1, the user's: PA0, high when pressed */
unsigned soc_leds(const struct soc *);               /* a bit for each */
const char *soc_led_name(unsigned led);
/* Bytes come in on all USARTs that receive, one after the other at their speed. How many of them any USART takes. */
size_t soc_console(struct soc *, const uint8_t *bytes, size_t length);

#endif
