/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vectors, reset, and a console for the programs of this folder: USART1 of an STM32F4, as it comes out of reset.
 */
#include "program.h"

extern uint32_t data_from[], data_begin[], data_end[], bss_begin[], bss_end[], stack_top[];
int main(void);

void reset(void)
{
	for (uint32_t *to = data_begin, *from = data_from; to < data_end;)
		*to++ = *from++;
	for (uint32_t *to = bss_begin; to < bss_end;)
		*to++ = 0;
	REG(0x4001100C) = 0x2008; /* USART1: UE, TE */
	main();
	finish();
}

void finish(void)
{
	say("end\n");
	REG(0xE000ED0C) = 0x05FA0004;
	for (;;)
		;
}

void say(const char *text)
{
	for (; *text; text++)
		REG(0x40011004) = (uint8_t)*text;
}

void say_hex(const char *name, uint32_t value)
{
	char digits[10] = { 0 };
	for (int i = 0; i < 8; i++)
		digits[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
	digits[8] = '\n';
	say(name);
	say(" ");
	say(digits);
}

static void nobody(void)
{
	say_hex("unexpected exception", ipsr());
	finish();
}

#define WEAK __attribute__((weak, alias("nobody")))
WEAK void on_nmi(void);
WEAK void on_hard(void);
WEAK void on_memory(void);
WEAK void on_bus(void);
WEAK void on_usage(void);
WEAK void on_svc(void);
WEAK void on_debug(void);
WEAK void on_pendsv(void);
WEAK void on_systick(void);
WEAK void on_irq0(void);
WEAK void on_irq1(void);
WEAK void on_irq2(void);
WEAK void on_irq3(void);
WEAK void on_irq4(void);
WEAK void on_irq5(void);

__attribute__((section(".vectors"), used)) static void (*const vectors[16 + 82])(void) = {
	(void (*)(void))stack_top,
	reset,
	on_nmi,
	on_hard,
	on_memory,
	on_bus,
	on_usage,
	[11] = on_svc,
	on_debug,
	[14] = on_pendsv,
	on_systick,
	on_irq0,
	on_irq1,
	on_irq2,
	on_irq3,
	on_irq4,
	on_irq5,
	[22 ... 97] = nobody,
};
