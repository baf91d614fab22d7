/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs of this folder share.
 */
#ifndef CORTEXM_PROGRAM_H
#define CORTEXM_PROGRAM_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define NVIC_ISER0 REG(0xE000E100)
#define NVIC_ICER0 REG(0xE000E180)
#define NVIC_ISPR0 REG(0xE000E200)
#define NVIC_ICPR0 REG(0xE000E280)
#define NVIC_IABR0 REG(0xE000E300)
#define NVIC_IPR(n) (*(volatile uint8_t *)(0xE000E400 + (n)))
#define ICSR REG(0xE000ED04)
#define VTOR REG(0xE000ED08)
#define AIRCR REG(0xE000ED0C)
#define SCR REG(0xE000ED10)
#define CCR REG(0xE000ED14)
#define SHPR(exception) (*(volatile uint8_t *)(0xE000ED18 + (exception)-4))
#define SHCSR REG(0xE000ED24)
#define CFSR REG(0xE000ED28)
#define HFSR REG(0xE000ED2C)
#define MMFAR REG(0xE000ED34)
#define BFAR REG(0xE000ED38)
#define CPACR REG(0xE000ED88)
#define MPU_TYPE REG(0xE000ED90)
#define MPU_CTRL REG(0xE000ED94)
#define MPU_RNR REG(0xE000ED98)
#define MPU_RBAR REG(0xE000ED9C)
#define MPU_RASR REG(0xE000EDA0)
#define FPCCR REG(0xE000EF34)
#define FPCAR REG(0xE000EF38)
#define FPDSCR REG(0xE000EF3C)
#define STIR REG(0xE000EF00)
#define SYST_CSR REG(0xE000E010)
#define SYST_RVR REG(0xE000E014)
#define SYST_CVR REG(0xE000E018)

void say(const char *text);
void say_hex(const char *name, uint32_t value);
void finish(void) __attribute__((noreturn));

#define GET(register) \
	({ \
		uint32_t got_; \
		__asm volatile("mrs %0, " #register : "=r"(got_)); \
		got_; \
	})
#define SET(register, value) __asm volatile("msr " #register ", %0\n\tisb" ::"r"((uint32_t)(value)) : "memory")
#define BARRIER() __asm volatile("dsb\n\tisb" ::: "memory")

static inline uint32_t ipsr(void)
{
	return GET(ipsr);
}

/* Of the MPU: MPU_CTRL, then parts of MPU_RASR. */
enum { MPU_ENABLE = 1, HFNMIENA = 2, PRIVDEFENA = 4 };
enum { NONE = 0, PRIVILEGED = 1, USER_READS = 2, FULL = 3, PRIVILEGED_READS = 5, READS = 6 };
#define SIZE(log2) (((log2)-1) << 1 | 1)
#define AP(ap) ((uint32_t)(ap) << 24)
#define XN (1u << 28)
#define SRD(parts) ((uint32_t)(parts) << 8)

static inline void region(unsigned number, uint32_t base, uint32_t attributes)
{
	MPU_RNR = number;
	MPU_RASR = 0;
	MPU_RBAR = base;
	MPU_RASR = attributes;
	BARRIER();
}

static inline void mpu_on(uint32_t control)
{
	MPU_CTRL = control | MPU_ENABLE;
	BARRIER();
}

static inline void pend(unsigned irq)
{
	NVIC_ISPR0 = 1u << irq;
	BARRIER();
}

/* Calls told(name, frame, EXC_RETURN), which the program has. */
#define FAULT_HANDLER(name) \
	__attribute__((naked)) void name(void) \
	{ \
		__asm volatile("tst lr, #4\n" \
			       "ite eq\n" \
			       "mrseq r1, msp\n" \
			       "mrsne r1, psp\n" \
			       "ldr r0, =1f\n" \
			       "mov r2, lr\n" \
			       "push {r4, lr}\n" \
			       "bl told\n" \
			       "pop {r4, pc}\n" \
			       "1: .asciz \"" #name "\"\n" \
			       ".balign 4\n"); \
	}

#endif
