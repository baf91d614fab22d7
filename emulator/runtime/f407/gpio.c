// SPDX-License-Identifier: GPL-2.0-or-later
/* GPIO: pins as far as levels go (RM0090 chapter 8). Alternate functions drive nothing that anyone could see here. */
#include "soc_internal.h"

enum { MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR, AFRL, AFRH, REGS };
#define PORT_A 0
#define PORT_B 1
#define PORT_D 3
#define LED_PIN 12
#define WKUP_PIN 0
#define LCKK (1u << 16)

/* Bits 0, 2, 4 ... of a register with two bits a pin, together. */
static uint16_t low_bits(uint32_t x)
{
	x &= 0x55555555;
	x = (x | x >> 1) & 0x33333333;
	x = (x | x >> 2) & 0x0F0F0F0F;
	x = (x | x >> 4) & 0x00FF00FF;
	return (uint16_t)(x | x >> 8);
}

static void tell_leds(struct soc *s)
{
	const struct gpio *g = &s->gpio[PORT_D];
	unsigned leds = (unsigned)(g->output & g->regs[ODR]) >> LED_PIN & 15, changed = leds ^ s->leds;

	s->leds = leds;
	for (unsigned i = 0; i < SOC_LEDS; i++)
		if (changed >> i & 1)
			s->parts.user->led(s->parts.user_context, i, leds >> i & 1);
}

/* Levels again. A line that nothing drives and nothing pulls is low; open drain as of I2C is pulled up on the board. */
static void settle(struct soc *s, unsigned port)
{
	struct gpio *g = &s->gpio[port];
	uint16_t before = g->idr, odr = (uint16_t)g->regs[ODR];
	uint16_t pulled = (uint16_t)((g->driven & g->level) | (~g->driven & (g->up | g->open_drain)));
	uint16_t out = g->output, pushed = (uint16_t)(out & (~g->open_drain | ~odr));

	g->idr = (uint16_t)(((pushed & odr) | (~pushed & pulled)) & ~g->analog);
	if (g->idr != before)
		exti_pin(s, port, before, g->idr);
	if (port == PORT_D)
		tell_leds(s);
}

static void configure(struct soc *s, unsigned port)
{
	struct gpio *g = &s->gpio[port];
	uint16_t low = low_bits(g->regs[MODER]), high = low_bits(g->regs[MODER] >> 1);

	g->output = low & (uint16_t)~high;
	g->analog = low & high;
	g->open_drain = (uint16_t)g->regs[OTYPER];
	g->up = low_bits(g->regs[PUPDR]) & (uint16_t)~low_bits(g->regs[PUPDR] >> 1);
	settle(s, port);
}

void gpio_dark(struct soc *s)
{
	s->gpio[PORT_D].output = 0;
	tell_leds(s);
}

uint32_t gpio_read(struct soc *s, unsigned unit, uint32_t offset)
{
	unsigned reg = offset / 4;

	if (reg == IDR)
		return s->gpio[unit].idr;
	return reg < REGS && reg != BSRR ? s->gpio[unit].regs[reg] : 0;
}

/* The bits of a configuration register that are not locked (RM0090 8.3.6). */
static uint32_t unlocked(const struct gpio *g, unsigned reg)
{
	static const uint8_t width[REGS] = {
		[MODER] = 2, [OTYPER] = 1, [OSPEEDR] = 2, [PUPDR] = 2, [AFRL] = 4, [AFRH] = 4
	};
	uint32_t pins = reg == AFRH ? g->regs[LCKR] >> 8 : g->regs[LCKR], locked = 0;
	unsigned bits = width[reg];

	if (!(g->regs[LCKR] & LCKK))
		return reg == OTYPER ? 0xFFFF : UINT32_MAX;
	for (unsigned pin = 0; pin < 16 && bits * pin < 32; pin++)
		if (pins >> pin & 1)
			locked |= ((1u << bits) - 1) << bits * pin;
	return reg == OTYPER ? ~locked & 0xFFFF : ~locked;
}

/* 1, 0 and 1 with the same pins, in whole words, lock these until the next reset (RM0090 8.4.8). */
static void write_lock(struct gpio *g, uint32_t value, uint32_t mask)
{
	uint32_t pins = value & 0xFFFF;
	bool key = value & LCKK;

	if (g->regs[LCKR] & LCKK)
		return;
	if (mask != UINT32_MAX || (g->locking && pins != (g->regs[LCKR] & 0xFFFF)) || key != !(g->locking & 1))
		g->locking = 0;
	else
		g->locking++;
	if (mask == UINT32_MAX && !g->locking && key)
		g->locking = 1; /* it may begin anew */
	g->regs[LCKR] = soc_merge(g->regs[LCKR], pins, mask & 0xFFFF);
	if (g->locking == 3)
		g->regs[LCKR] |= LCKK;
}

void gpio_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	struct gpio *g = &s->gpio[unit];
	unsigned reg = offset / 4;

	switch (reg) {
	case IDR:
		return;
	case BSRR:
		value &= mask;
		g->regs[ODR] = ((g->regs[ODR] & ~(value >> 16)) | value) & 0xFFFF; /* set wins */
		settle(s, unit);
		return;
	case ODR:
		g->regs[ODR] = soc_merge(g->regs[ODR], value, mask) & 0xFFFF;
		settle(s, unit);
		return;
	case LCKR:
		write_lock(g, value, mask);
		return;
	default:
		if (reg >= REGS)
			return;
		g->regs[reg] = soc_merge(g->regs[reg], value, mask & unlocked(g, reg));
		if (reg <= PUPDR)
			configure(s, unit);
		return;
	}
}

void gpio_reset(struct soc *s, unsigned unit)
{
	struct gpio *g = &s->gpio[unit];

	for (unsigned i = 0; i < REGS; i++)
		g->regs[i] = 0;
	g->locking = 0;
	if (unit == PORT_A) /* SWD and JTAG */
		g->regs[MODER] = 0xA8000000, g->regs[OSPEEDR] = 0x0C000000, g->regs[PUPDR] = 0x64000000;
	if (unit == PORT_B)
		g->regs[MODER] = 0x280, g->regs[OSPEEDR] = 0xC0, g->regs[PUPDR] = 0x100;
	configure(s, unit);
}

void gpio_drive(struct soc *s, unsigned port, unsigned pin, bool level)
{
	struct gpio *g = &s->gpio[port];
	uint16_t bit = (uint16_t)(1u << pin);

	if (port == PORT_A && pin == WKUP_PIN)
		pwr_pin(s, level && !(g->level & bit));
	g->driven |= bit;
	g->level = level ? g->level | bit : g->level & (uint16_t)~bit;
	settle(s, port);
}

void soc_button(struct soc *s, bool pressed)
{
	gpio_drive(s, PORT_A, 0, pressed);
}

void soc_pin(struct soc *s, enum mcu_pin pin, bool high)
{
	if (pin == PIN_VBUS) {
		gpio_drive(s, PORT_A, 9, high);
		if (s->parts.otg)
			otg_fs_vbus(s->parts.otg, high);
	}
	if (pin == PIN_BOOT1)
		gpio_drive(s, PORT_B, 2, high);
}

unsigned soc_leds(const struct soc *s)
{
	return s->leds;
}

const char *soc_led_name(unsigned led)
{
	static const char *const names[SOC_LEDS] = { "green", "orange", "red", "blue" };

	return led < SOC_LEDS ? names[led] : "?";
}
