// SPDX-License-Identifier: GPL-2.0-or-later
/* GPIO: pins as far as levels go (RM0090 chapter 8). Alternate functions drive nothing that anyone could see here. */
#include "soc_internal.h"

enum { MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR, AFRL, AFRH, REGS };
#define PORT_A 0
#define PORT_B 1
#define PORT_D 3
#define LED_PIN 12

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
	default:
		if (reg >= REGS)
			return;
		g->regs[reg] = soc_merge(g->regs[reg], value, mask);
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
