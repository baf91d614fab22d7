/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WFI, WFE, SEV, SEVONPEND, and what wakes whom.
 */
#include "program.h"

static volatile uint32_t ticks;

/* Once: how often it would come in the meantime depends on the machine. */
void on_systick(void)
{
	ticks++;
	SYST_CSR = 0;
}

void on_irq0(void)
{
	say("irq0\n");
}

static void tick(uint32_t after)
{
	SYST_CSR = 0;
	SYST_RVR = after;
	SYST_CVR = 0;
	ticks = 0;
	SYST_CSR = 7;
}

int main(void)
{
	NVIC_ISER0 = 1;
	say("wfi\n");
	for (uint32_t i = 1; i <= 3; i++) {
		tick(20000 * i);
		while (!ticks) {
			__asm volatile("cpsid i");
			if (!ticks)
				__asm volatile("wfi");
			__asm volatile("cpsie i\n\tisb");
		}
		say_hex("tick", i);
	}
	say("wfi with primask\n");
	__asm volatile("cpsid i");
	NVIC_ISPR0 = 1;
	BARRIER();
	__asm volatile("wfi");
	say_hex("awake, pending", NVIC_ISPR0);
	__asm volatile("cpsie i\n\tisb");
	say("wfi.w with something at once\n");
	__asm volatile("cpsid i");
	tick(5000);
	__asm volatile("wfi.w");
	say_hex("awake, pending", ICSR >> 26 & 1);
	__asm volatile("cpsie i\n\tisb");
	SYST_CSR = 0;
	say("sev, wfe\n");
	__asm volatile("sev\n\twfe");
	say("sev.w, wfe.w\n");
	__asm volatile("sev.w\n\twfe.w");
	say("an exception is an event\n");
	pend(0);
	__asm volatile("wfe");
	say("wfe until a tick\n");
	tick(20000);
	while (!ticks)
		__asm volatile("wfe");
	SYST_CSR = 0;
	say("sevonpend\n");
	NVIC_ICER0 = 1;
	__asm volatile("sev\n\twfe"); /* the register is clear now */
	SCR = 0x10;
	pend(0);
	__asm volatile("wfe");
	say("awake\n");
	NVIC_ICPR0 = 1;
	SCR = 0;
	NVIC_ISER0 = 1;
	say("yield, nop\n");
	__asm volatile("yield\n\tnop\n\tnop.w\n\tyield.w");
	__asm volatile("cmp %0, %0\n\titt eq\n\tyieldeq\n\tseveq\n\twfe" ::"r"(0) : "cc");
	return 0;
}
