/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways into lock-up (DDI 0403 B1.5.15), by CASE. Something is said before, nothing after.
 */
#include "program.h"

void on_hard(void)
{
	say_hex("hard", HFSR);
#if CASE == 1
	__asm volatile("udf #1");
#elif CASE == 2
	__asm volatile("svc 1");
#elif CASE == 3
	REG(0xB0000000) = 1;
#elif CASE == 4
	SET(msp, 0xB0000100);
	__asm volatile("push {r0}");
#elif CASE == 8
	REG(0x20000000) = 1;
#endif
	say("not reached\n");
	finish();
}

void on_nmi(void)
{
	say("nmi\n");
	__asm volatile("udf #1");
	say("not reached\n");
	finish();
}

int main(void)
{
	say("begins\n");
#if CASE == 5
	ICSR = 1u << 31;
	BARRIER();
#elif CASE == 6
	__asm volatile("cpsid f\n\tisb");
	__asm volatile("udf #1");
#elif CASE == 7
	VTOR = 0xB0000000;
	BARRIER();
	__asm volatile("udf #1");
#else
#if CASE == 8 /* the MPU minds HardFault too */
	region(0, 0x20000000, AP(READS) | SIZE(5));
	mpu_on(PRIVDEFENA | HFNMIENA);
#endif
	__asm volatile("udf #1");
#endif
	say("not reached\n");
	return 0;
}
