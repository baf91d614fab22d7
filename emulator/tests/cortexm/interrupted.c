/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts from outside and SysTick come into code of all kinds; where each came, and in which cycle, is told. For runs that are to
 * be the same: cortexm_run's cycle counter and lines are used, which no other machine has.
 */
#include "program.h"

static volatile uint32_t count, letters[8] __attribute__((aligned(32)));
static float sum;

void came(uint32_t *frame, uint32_t lr);
void came(uint32_t *frame, uint32_t lr)
{
	say_hex("cycle", REG(0x40020004));
	say_hex(" exception", ipsr());
	say_hex(" pc", frame[6]);
	say_hex(" xpsr", frame[7]);
	say_hex(" lr", lr);
	say_hex(" r4", count);
	if (ipsr() >= 16)
		REG(0x40020000) = ipsr() - 16;
	sum += 1.5f;
	count++;
}

__attribute__((naked)) void on_irq0(void)
{
	__asm volatile("tst lr, #4\n"
		       "ite eq\n"
		       "mrseq r0, msp\n"
		       "mrsne r0, psp\n"
		       "mov r1, lr\n"
		       "b came\n");
}

void on_irq1(void) __attribute__((alias("on_irq0")));
void on_irq2(void) __attribute__((alias("on_irq0")));
void on_irq3(void) __attribute__((alias("on_irq0")));
void on_systick(void) __attribute__((alias("on_irq0")));

/* Goes on behind the ldm that follows. */
__attribute__((naked)) void on_memory(void)
{
	__asm volatile("ldr r0, [sp, #24]\n\tadds r0, #8\n\tstr r0, [sp, #24]\n\tbx lr");
}

static uint32_t work(uint32_t seed)
{
	uint32_t crc = seed;
	uint64_t product = seed;
	for (int i = 0; i < 64; i++) {
		crc = crc & 1 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
		product = product * crc + (crc % 7 < 3 ? crc / 3 : 5);
		__asm volatile("cmp %0, #0\n\titete mi\n\taddmi %0, #1\n\taddpl %0, #2\n\taddmi %0, #3\n\taddpl %0, #4"
			       : "+r"(crc)::"cc");
		volatile uint32_t *to = letters + 4;
		__asm volatile("stmdb %0!, {r0-r3}\n\tldm.w %0!, {r0-r3}" : "+r"(to)::"r0", "r1", "r2", "r3", "memory");
		sum = sum * 0.5f + (float)(crc & 0xFF);
	}
	return (uint32_t)(product >> 32) ^ crc;
}

int main(void)
{
	CPACR = 0xF00000;
	BARRIER();
#ifdef WITH_MPU
	region(0, 0x20000000, AP(FULL) | XN | SIZE(15));
	region(5, (uint32_t)letters, AP(READS) | SIZE(5)); /* the stmdb of each round is refused */
	SHCSR = 0x10000;
	mpu_on(PRIVDEFENA);
#endif
	NVIC_ISER0 = 0xF;
	NVIC_IPR(0) = 0x40;
	NVIC_IPR(1) = 0x80;
	NVIC_IPR(2) = 0xC0;
	SHPR(15) = 0xF0;
	SYST_RVR = 4999;
	SYST_CVR = 0;
	SYST_CSR = 7;
	uint32_t state = 1;
	while (count < 64)
		state = work(state);
	SYST_CSR = 0;
	say_hex("state", state);
	return 0;
}
