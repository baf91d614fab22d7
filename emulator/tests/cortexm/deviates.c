/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where QEMU 7.2 does otherwise than the architecture says; a case each, by CASE. The file `deviations` has what is said of them.
 */
#include "program.h"

static volatile uint32_t ticks;
uint32_t words[4], area[64] __attribute__((aligned(256)));

static void status(const char *name)
{
	say_hex(name, CFSR);
	say_hex("hfsr", HFSR);
	finish();
}

void refused(uint32_t *frame);
void refused(uint32_t *frame)
{
	if (CASE == 17 && !ticks++) { /* goes on behind it, and leaves the status */
		frame[6] += 2;
		return;
	}
	say_hex("memory", CFSR);
	say_hex("mmfar", MMFAR - (uint32_t)area);
	say_hex("pc", frame[6] - (uint32_t)area);
	finish();
}

__attribute__((naked)) void on_memory(void)
{
	__asm volatile("mrs r0, msp\n\tb refused");
}

void on_usage(void)
{
	status("usage");
}

void on_bus(void)
{
	status("bus");
}

void on_hard(void)
{
	status("hard");
}

void on_systick(void)
{
	if (++ticks == 5) {
		SYST_CSR = 0;
		SCR = 0;
	}
}

void on_debug(void)
{
	status("debug");
}

__attribute__((naked)) void on_pendsv(void)
{
	__asm volatile("ldr r0, =0xF1234567\n\tbx r0");
}

__attribute__((naked)) void on_svc(void)
{
	__asm volatile("ldr r0, [sp, #28]\n"
		       "bic r0, #0x01000000\n"
		       "str r0, [sp, #28]\n"
		       "bx lr\n");
}

__attribute__((naked)) void on_irq0(void)
{
	__asm volatile("bx lr");
}

int main(void)
{
	SHCSR = 0x70000;
#if CASE == 1 /* a breakpoint without a debugger */
	__asm volatile("bkpt #1");
#elif CASE == 2  /* STREX that is not aligned, while the monitor is open */
	__asm volatile("clrex\n\tstrex r1, r0, [%0]" ::"r"((uint32_t)words + 2) : "r1");
	say_hex("cfsr", CFSR);
#elif CASE == 3  /* a return to where T is clear */
	__asm volatile(".balign 4\n\tsvc 0\n\tnop");
#elif CASE == 4  /* SLEEPONEXIT */
	SYST_RVR = 2000000; /* 12 ms of QEMU's, which may be late to look */
	SYST_CVR = 0;
	SCR = 2;
	SYST_CSR = 7;
	__asm volatile("wfi");
	say_hex("ticks", ticks);
#elif CASE == 5  /* BFHFNMIGN */
	CCR |= 0x100;
	__asm volatile("cpsid f\n\tisb");
	__asm volatile("ldr r0, [%0]\n\tstr r0, [%0]" ::"r"(0xB0000000) : "r0");
	say("went on\n");
#elif CASE == 6  /* priorities have four bits */
	SET(basepri, 0xFF);
	say_hex("basepri", GET(basepri));
#elif CASE == 7  /* FPCCR has no bit 10 */
	CPACR = 0xF00000;
	BARRIER();
	SET(control, 4);
	SYST_RVR = 1000;
	SYST_CVR = 0;
	SYST_CSR = 7;
	while (!ticks)
		;
	SYST_CSR = 0;
	say_hex("fpccr", FPCCR & 0x400);
#elif CASE == 8  /* a vector that cannot be read: those from 32 on lie behind SRAM */
	volatile uint32_t *end = (uint32_t *)0x2002FF80;
	for (unsigned i = 0; i < 32; i++)
		end[i] = REG(0x08000000 + 4 * i);
	VTOR = (uint32_t)end;
	BARRIER();
	NVIC_ISER0 = 1u << 20;
	pend(20);
#elif CASE == 9  /* a breakpoint for DebugMonitor */
	REG(0xE000EDFC) = 1u << 16;
	__asm volatile("bkpt #1");
#elif CASE == 10 /* a return by a value that never is one */
	REG(0xE000ED24) = 0x70000;
	ICSR = 1u << 28;
	BARRIER();
#elif CASE == 11 /* exceptions take time: two instructions, a handler of one, 12 cycles to it and 10 back */
	uint32_t begin, end;
	NVIC_ISER0 = 1;
	REG(0xE000EDFC) = 1u << 24;
	REG(0xE0001000) = 1;
	BARRIER();
	__asm volatile("ldr %0, [%2]\n\tstr %3, [%4]\n\tldr %1, [%2]"
		       : "=&r"(begin), "=&r"(end)
		       : "r"(0xE0001004), "r"(1), "r"(0xE000E200)
		       : "memory");
	say_hex("cycles", end - begin);
#elif CASE == 12 /* a part of a region that is switched off, then one that is on */
	region(0, (uint32_t)area, AP(NONE) | SIZE(8) | SRD(1));
	mpu_on(PRIVDEFENA);
	*(volatile uint32_t *)&area[0];
	*(volatile uint32_t *)&area[8];
	say("went on\n");
#elif CASE == 13 /* a double, of which the second word is in a region */
	CPACR = 0xF00000;
	region(0, (uint32_t)area + 32, AP(NONE) | SIZE(5));
	mpu_on(PRIVDEFENA);
	__asm volatile("vldr d0, [%0]" ::"r"((uint32_t)area + 28) : "s0", "s1");
	say("went on\n");
#elif CASE == 14 /* a word that is not aligned, with its last byte in a region */
	region(0, (uint32_t)area + 32, AP(READS) | SIZE(5));
	mpu_on(PRIVDEFENA);
	__asm volatile("str %0, [%0]" ::"r"((uint32_t)area + 29) : "memory");
	say("went on\n");
#elif CASE == 15 || CASE == 16 /* code runs into a region, by an instruction or by half of one */
	uint16_t *code = (uint16_t *)area;
	for (unsigned i = 0; i < 24; i++)
		code[i] = 0xBF00;                /* nop */
	code[24] = 0x4770;                       /* bx lr */
	code[15] = CASE == 15 ? 0xBF00 : 0xF3AF; /* nop.w */
	code[16] = CASE == 15 ? 0xBF00 : 0x8000;
	region(0, (uint32_t)area + 32, AP(FULL) | XN | SIZE(5));
	mpu_on(PRIVDEFENA);
	((void (*)(void))((uint32_t)area + 1))();
	say("went on\n");
#elif CASE == 17               /* code that is refused, with the status of data that was */
	region(0, (uint32_t)area, AP(NONE) | SIZE(8));
	mpu_on(PRIVDEFENA);
	__asm volatile("ldr r0, [%0]\n\tnop\n\tadds %0, #1\n\tbx %0" ::"r"(area) : "r0");
#endif
	return 0;
}
