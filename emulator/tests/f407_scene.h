/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chip without a core, for tests: they do what firmware would, register by register, and let cycles pass. */
#ifndef DFUBENCH_TESTS_F407_SCENE_H
#define DFUBENCH_TESTS_F407_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "bench.h"
#include "f407/soc.h"
#include "prng.h"

#define RCC 0x40023800u
#define RCC_AHB1ENR (RCC + 0x30)
#define RCC_APB1ENR (RCC + 0x40)
#define RCC_APB2ENR (RCC + 0x44)
#define RCC_CSR (RCC + 0x74)
#define PWR 0x40007000u
#define GPIOA 0x40020000u
#define GPIOB 0x40020400u
#define GPIOD 0x40020C00u

struct f407 {
	struct mcu_profile profile;
	struct mcu_identity identity;
	struct flash *flash;
	struct soc *soc;
	uint64_t cycles;
	bool irq[CPU_IRQS];
	uint32_t alias;
	char said[4096];
	unsigned leds, resets, forgotten, unknowns, touches, events;
	enum reset_cause cause;
	uint32_t unknown;
	struct {
		enum mcu_event_type type;
		uint32_t address, length;
	} touched;
};

static uint64_t scene_cycles(void *context)
{
	return ((struct f407 *)context)->cycles;
}

static void scene_irq(void *context, unsigned number, bool level)
{
	((struct f407 *)context)->irq[number] = level;
}

static void scene_alias(void *context, uint32_t base, uint32_t size)
{
	((struct f407 *)context)->alias = size ? base : UINT32_MAX;
}

static void scene_changed(void *context, uint32_t address, uint32_t size)
{
	(void)context, (void)address, (void)size;
}

static void scene_halt(void *context)
{
	(void)context;
}

static void scene_say(void *context, const char *line)
{
	struct f407 *s = context;

	strncat(s->said, line, sizeof(s->said) - strlen(s->said) - 2);
	strcat(s->said, "|");
}

static void scene_led(void *context, unsigned led, bool on)
{
	struct f407 *s = context;

	s->leds = on ? s->leds | 1u << led : s->leds & ~(1u << led);
}

static void scene_reset(void *context, enum reset_cause cause)
{
	struct f407 *s = context;

	s->resets++;
	s->cause = cause;
}

static void scene_forget(void *context)
{
	((struct f407 *)context)->forgotten++;
}

static void scene_touched(void *context, enum mcu_event_type type, uint32_t address, uint32_t length)
{
	struct f407 *s = context;

	s->touches++;
	s->touched.type = type;
	s->touched.address = address;
	s->touched.length = length;
}

static void scene_unknown(void *context, uint32_t address, bool write)
{
	struct f407 *s = context;

	(void)write;
	s->unknowns++;
	s->unknown = address;
}

static void scene_event(void *context)
{
	((struct f407 *)context)->events++;
}

static const struct soc_core scene_core = {
	scene_cycles, scene_irq, scene_alias, scene_changed, scene_halt, scene_event
};
static const struct soc_user scene_user = { scene_say,    scene_led,     scene_reset,
					    scene_forget, scene_touched, scene_unknown };

static inline void f407_open_as(struct f407 *s, const char *profile, unsigned causes, bool jumped)
{
	struct prng prng = { .state = 1 };

	memset(s, 0, sizeof(*s));
	s->profile = *mcu_profile_find(profile);
	s->identity = (struct mcu_identity){ { 0x002e0040, 0x30365105, 0x32343735 } };
	s->flash = flash_new(&s->profile, &prng);
	s->soc = soc_new(&(const struct soc_parts){
		.flash = s->flash,
		.profile = &s->profile,
		.identity = &s->identity,
		.seed = 1,
		.core = &scene_core,
		.core_context = s,
		.user = &scene_user,
		.user_context = s,
	});
	assert_non_null(s->soc);
	soc_power_on(s->soc, 0);
	soc_reset(s->soc, 0, causes, jumped);
}

static inline void f407_open(struct f407 *s)
{
	f407_open_as(s, "f407", 1u << RESET_POWER_ON, false);
}

static inline void f407_close(struct f407 *s)
{
	soc_stop(s->soc, soc_us_at(s->soc, s->cycles), false);
	soc_free(s->soc);
	flash_free(s->flash);
}

/* Timers fire at their cycle, as they do between instructions. */
static inline void f407_pass(struct f407 *s, uint64_t cycles)
{
	uint64_t to = s->cycles + cycles, next;

	while ((next = soc_next(s->soc)) <= to) {
		s->cycles = next > s->cycles ? next : s->cycles;
		soc_fire(s->soc);
	}
	s->cycles = to;
}

static inline void f407_pass_us(struct f407 *s, uint64_t us)
{
	uint64_t hz = soc_hclk_hz(s->soc);

	f407_pass(s, us * (hz / 1000000));
}

static inline uint32_t rd(struct f407 *s, uint32_t address)
{
	uint32_t value;

	assert_true(soc_read(s->soc, address, 4, &value));
	return value;
}

static inline void wr(struct f407 *s, uint32_t address, uint32_t value)
{
	assert_true(soc_write(s->soc, address, 4, value));
}

static inline void set_bits(struct f407 *s, uint32_t address, uint32_t bits)
{
	wr(s, address, rd(s, address) | bits);
}

#endif
