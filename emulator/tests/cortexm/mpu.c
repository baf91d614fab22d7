/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MPU: its registers, what its regions let pass and to whom, every instruction that accesses memory, code, frames, and how a
 * MemManage fault is told of and escalated.
 */
#include "program.h"

static uint32_t area[1024] __attribute__((aligned(4096)));
volatile uint32_t resume_at, step, status, where, quiet;

void told(const char *name, uint32_t *frame, uint32_t lr);
void told(const char *name, uint32_t *frame, uint32_t lr)
{
	status = CFSR;
	where = MMFAR;
	if (!quiet) {
		say_hex(name, CFSR);
		if (CFSR & 0x80)
			say_hex(" mmfar", MMFAR - (uint32_t)area);
		say_hex(" hfsr", HFSR);
		say_hex(" lr", lr);
		say_hex(" xpsr", frame[7] & 0x0700FFFF);
		say_hex(" active", SHCSR & 0xFFF);
		say_hex(" offset", frame[6] - step);
	}
	frame[6] = resume_at & ~1u;
	frame[7] = (frame[7] & 0xF80FFFFF & ~0x0600FC00u) | 0x01000000;
	CFSR = CFSR;
	HFSR = HFSR;
}

FAULT_HANDLER(on_hard)
FAULT_HANDLER(on_memory)
FAULT_HANDLER(on_bus)
FAULT_HANDLER(on_usage)

/* Ends a time without privileges. */
void on_svc(void)
{
	SET(control, GET(control) & ~1u);
}

static void off(void)
{
	MPU_CTRL = 0;
	for (unsigned i = 0; i < 8; i++)
		region(i, 0, 0);
}

/* Flash, SRAM and peripherals for all. */
static void open_to_all(void)
{
	region(0, 0x08000000, AP(READS) | SIZE(20));
	region(1, 0x20000000, AP(FULL) | XN | SIZE(18));
	region(2, 0x40000000, AP(FULL) | XN | SIZE(29));
}

static void registers(void)
{
	say("-- registers\n");
	say_hex("type", MPU_TYPE);
	MPU_TYPE = 5;
	say_hex("type", MPU_TYPE);
	for (unsigned i = 0; i < 8; i++)
		region(i, 0x20000000 + 0x100 * i, AP(i) | (SIZE(8 + i) & ~1u));
	for (unsigned i = 0; i < 8; i++) {
		MPU_RNR = i;
		say_hex("rbar", MPU_RBAR);
		say_hex("rasr", MPU_RASR);
	}
	MPU_RBAR = 0x20001000 | 0x10 | 3;
	say_hex("rnr", MPU_RNR);
	say_hex("rbar", MPU_RBAR);
	MPU_RASR = 0xFFFFFFFE;
	say_hex("rasr", MPU_RASR);
	REG(0xE000EDA4) = 0x20002000 | 0x10 | 6;
	REG(0xE000EDA8) = AP(2) | 6 << 1;
	REG(0xE000EDAC) = 0x20003000 | 0x10 | 1;
	REG(0xE000EDB0) = AP(1) | 7 << 1;
	REG(0xE000EDB4) = 0x20004020;
	say_hex("rnr", MPU_RNR);
	for (unsigned i = 0; i < 8; i++)
		say_hex("alias", REG(0xE000ED9C + 4 * i));
	MPU_RNR = 6;
	say_hex("six", REG(0xE000EDA4));
	say_hex("six", REG(0xE000EDB8));
	MPU_CTRL = 0xFFFFFFFC;
	say_hex("ctrl", MPU_CTRL);
	off();
}

/* --- data --- */

/* 0, or what is said of the fault; 8000 if the address is told as it is. */
static __attribute__((noinline)) uint32_t load(uint32_t address)
{
	status = 0;
	__asm volatile("ldr r2, =2f\n\tldr r3, =resume_at\n\tstr r2, [r3]\n\tldrb r2, [%0]\n2:" ::"r"(address)
		       : "r2", "r3", "memory");
	return status | (status && where == address) << 15;
}

static __attribute__((noinline)) uint32_t store(uint32_t address)
{
	status = 0;
	__asm volatile("ldr r2, =2f\n\tldr r3, =resume_at\n\tstr r2, [r3]\n\tstrb r2, [%0]\n2:" ::"r"(address)
		       : "r2", "r3", "memory");
	return status | (status && where == address) << 15;
}

static uint32_t digit(uint32_t result)
{
	return result == 0 ? 0 : result == 0x8082 ? 1 : 15;
}

/* Four digits: loads and stores, privileged and not. */
static uint32_t rights(uint32_t address)
{
	uint32_t digits = digit(load(address)) << 12 | digit(store(address)) << 8;
	SET(control, 1);
	uint32_t l = load(address), s = store(address);
	__asm volatile("svc 0" ::: "memory");
	return digits | digit(l) << 4 | digit(s);
}

static void permissions(void)
{
	say("-- permissions\n");
	uint32_t at = (uint32_t)area;
	quiet = 1;
	open_to_all();
	mpu_on(0);
	for (unsigned ap = 0; ap < 8; ap++) {
		if (ap == 4)
			continue;
		region(7, at + 0x100, AP(ap) | SIZE(5));
		say_hex("ap", ap);
		say_hex(" before", rights(at + 0xFF));
		say_hex(" first", rights(at + 0x100));
		say_hex(" last", rights(at + 0x11F));
		say_hex(" behind", rights(at + 0x120));
	}
	say("without it, and the map behind\n");
	region(7, 0, 0);
	region(1, 0, 0);
	region(1, 0x20000000, AP(FULL) | SIZE(16)); /* the stack is in it */
	say_hex(" there", rights(at));
	say_hex(" outside", rights(0x20018000));
	mpu_on(PRIVDEFENA);
	say_hex(" outside", rights(0x20018000));
	say("private peripherals are theirs\n");
	region(6, 0xE0000000, AP(FULL) | SIZE(29));
	say_hex(" scb", load(0xE000ED08));
	SET(control, 1);
	uint32_t l = load(0xE000ED08);
	__asm volatile("svc 0" ::: "memory");
	say_hex(" scb", l);
	region(6, 0xE0000000, AP(NONE) | SIZE(29));
	say_hex(" scb", load(0xE000ED08));
	say_hex(" vendor", load(0xE0100000));
	off();
}

static void regions(void)
{
	say("-- regions\n");
	uint32_t at = (uint32_t)area;
	mpu_on(PRIVDEFENA);
	say("subregions\n");
	for (unsigned log2 = 6; log2 <= 12; log2++) {
		region(3, at, AP(NONE) | SIZE(log2) | (log2 < 8 ? 0 : SRD(0x5A)));
		uint32_t map = 0;
		for (unsigned i = 0; i < 8; i++) {
			uint32_t part = at + (i << (log2 - 3)), end = part + (1u << (log2 - 3)) - 1;
			region(2, 0, 0); /* or QEMU knows of one in each KiB: deviates.c */
			map |= digit(load(part)) << (4 * i) | digit(store(end)) << (4 * i + 1);
		}
		say_hex("", map);
		say_hex(" behind", digit(load(at + (1u << log2))));
	}
	say("the higher number counts\n");
	region(2, at, AP(READS) | SIZE(10));
	region(3, at + 0x100, AP(FULL) | SIZE(8));
	region(4, at + 0x140, AP(NONE) | SIZE(5));
	region(5, at + 0x100, AP(PRIVILEGED) | SIZE(8) | SRD(0xF0));
	for (unsigned i = 0; i < 0x500; i += 0x20)
		say_hex("", digit(load(at + i)) << 4 | digit(store(at + i)));
	say("not on\n");
	region(5, at + 0x100, (AP(NONE) | SIZE(8)) & ~1u);
	say_hex("", load(at + 0x100));
	say("all of it\n");
	region(0, 0, AP(FULL) | SIZE(32));
	region(2, 0, 0);
	say_hex("", rights(at));
	say("as registers change\n");
	off();
	mpu_on(PRIVDEFENA);
	for (unsigned i = 0; i < 4; i++) {
		region(7, at, AP(i & 1 ? NONE : FULL) | SIZE(5));
		say_hex("", load(at));
		say_hex("", load(at + 28));
	}
	off();
	say_hex("off", load(at));
	quiet = 0;
}

/* --- every instruction --- */

#define FAULTS(instruction, a, b) \
	do { \
		say("- " instruction "\n"); \
		register uint32_t r0_ __asm("r0") = (uint32_t)(a), r1_ __asm("r1") = (uint32_t)(b); \
		__asm volatile("ldr r2, =1f\n" \
			       "ldr r3, =step\n" \
			       "str r2, [r3]\n" \
			       "ldr r2, =2f\n" \
			       "ldr r3, =resume_at\n" \
			       "str r2, [r3]\n" \
			       "movs r2, #2\n" \
			       "movs r3, #3\n" \
			       "b 1f\n" \
			       ".ltorg\n" \
			       ".balign 4\n" \
			       "1: " instruction "\n" \
			       "2: nop\n" \
			       : "+r"(r0_), "+r"(r1_)::"r2", "r3", "r4", "r5", "r12", "lr", "memory", "cc"); \
		uint32_t after_[2] = { r0_, r1_ }; \
		say_hex(" r0", after_[0] - (uint32_t)area); \
		say_hex(" r1", after_[1]); \
	} while (0)

#define ON_PROCESS_STACK(instruction) \
	"msr psp, r0\n\tmovs r4, #2\n\tmsr control, r4\n\tisb\n\t" instruction \
	"\n2:\tmovs r4, #0\n\tmsr control, r4\n\tisb"

static void instructions(uint32_t at)
{
	FAULTS("ldr r1, [r0]", at, 5);
	FAULTS("ldr r1, [r0, #4]", at - 4, 5);
	FAULTS("ldrh r1, [r0, #2]", at, 5);
	FAULTS("ldrb r1, [r0, #3]", at, 5);
	FAULTS("ldrsh r1, [r0, r1]", at - 2, 2);
	FAULTS("ldrsb r1, [r0, r1]", at - 5, 5);
	FAULTS("ldr r1, [r0, r1]", at - 4, 8);
	FAULTS("ldrh r1, [r0, r1]", at, 4);
	FAULTS("ldrb r1, [r0, r1]", at, 7);
	FAULTS("str r1, [r0]", at, 5);
	FAULTS("strh r1, [r0]", at, 5);
	FAULTS("strb r1, [r0]", at, 5);
	FAULTS("str r1, [r0, r1]", at, 4);
	FAULTS("strh r1, [r0, r1]", at, 4);
	FAULTS("strb r1, [r0, r1]", at, 4);
	FAULTS("ldr.w r1, [r0, #8]", at, 5);
	FAULTS("ldr.w r1, [r0, #-8]", at + 8, 5);
	FAULTS("ldr r1, [r0, #4]!", at, 5);
	FAULTS("ldr r1, [r0, #-4]!", at + 4, 5);
	FAULTS("ldr r1, [r0], #4", at, 5);
	FAULTS("ldr r1, [r0], #-200", at, 5);
	FAULTS("ldr.w r1, [r0, r1, lsl #3]", at - 16, 2);
	FAULTS("ldrsb.w r1, [r0, #9]", at, 2);
	FAULTS("ldrsh r1, [r0], #2", at, 2);
	FAULTS("str.w r1, [r0, #12]", at, 5);
	FAULTS("str r1, [r0, #-4]!", at + 8, 5);
	FAULTS("strb r1, [r0], #1", at + 31, 5);
	FAULTS("strh.w r1, [r0, r1, lsl #1]", at, 2);
	FAULTS("ldm r0!, {r4, r5, r12}", at, 5);
	FAULTS("ldm r0!, {r4, r5, r12}", at - 8, 5);
	FAULTS("ldm.w r0, {r4, r5, r12}", at - 4, 5);
	FAULTS("ldmdb r0!, {r4, r5, r12}", at + 40, 5);
	FAULTS("stm r0!, {r1, r2, r3}", at, 5);
	FAULTS("stm r0!, {r1, r2, r3}", at - 8, 5);
	FAULTS("stmdb r0!, {r1, r2, r3}", at + 40, 5);
	FAULTS("stmdb r0!, {r1, r2, r3}", at + 12, 5);
	FAULTS("ldrd r4, r5, [r0]", at, 5);
	FAULTS("ldrd r4, r5, [r0, #-4]", at, 5);
	FAULTS("ldrd r4, r5, [r0, #8]!", at, 5);
	FAULTS("strd r4, r5, [r0], #16", at, 5);
	FAULTS("strd r4, r5, [r0, #-8]!", at + 16, 5);
	FAULTS("ldrex r1, [r0, #4]", at, 5);
	FAULTS("ldrexb r1, [r0]", at, 5);
	FAULTS("ldrexh r1, [r0]", at, 5);
	FAULTS("ldrex r1, [r0]\n\tstrex r1, r2, [r0]", at, 5);
	FAULTS("tbb [r0, r1]", at, 5);
	FAULTS("tbh [r0, r1, lsl #1]", at, 5);
	FAULTS("vldr s0, [r0]", at, 5);
	FAULTS("vldr d0, [r0, #8]", at, 5);
	FAULTS("vstr s0, [r0, #8]", at, 5);
	FAULTS("vldm r0!, {s0-s3}", at, 5);
	FAULTS("vldm r0!, {d0-d1}", at - 8, 5);
	FAULTS("vstm r0!, {s0-s3}", at - 8, 5);
	FAULTS("vstmdb r0!, {d0-d1}", at + 16, 5);
	FAULTS("ldrt r1, [r0, #4]", at, 5);
	FAULTS("strt r1, [r0, #4]", at, 5);
	FAULTS("pld [r0]", at, 5);
	FAULTS("ldr r1, [r0, #1]", at, 5);
	FAULTS("ldr r1, [r0]", at + 30, 5);
	FAULTS("cmp r0, r0\n\titt eq\n\tldreq r1, [r0, #4]\n\tmoveq r0, #1", at, 5);
	FAULTS("cmp r0, r0\n\tittt eq\n\tmoveq r1, #1\n\tstreq r1, [r0, #4]\n\tmoveq r0, #1", at, 5);
	FAULTS("cmp r0, r0\n\tite ne\n\tldrne r1, [r0, #4]\n\tmoveq r1, #7", at, 5);
	SET(control, 0); /* frames without the FPU's registers fit beside it */
	FAULTS(ON_PROCESS_STACK("pop {r1, r2}"), at, 5);
	FAULTS(ON_PROCESS_STACK("push {r0-r12, lr}"), at + 72, 5);
	FAULTS(ON_PROCESS_STACK("ldr r1, [sp, #4]"), at, 5);
	FAULTS(ON_PROCESS_STACK("str r1, [sp, #8]"), at, 5);
}

static void user_bits(uint32_t at)
{
	FAULTS("ldrt r1, [r0]", at, 5);
	FAULTS("ldrbt r1, [r0, #1]", at, 5);
	FAULTS("ldrsbt r1, [r0, #2]", at, 5);
	FAULTS("ldrht r1, [r0, #2]", at, 5);
	FAULTS("ldrsht r1, [r0, #2]", at, 5);
	FAULTS("strt r1, [r0]", at, 5);
	FAULTS("strbt r1, [r0]", at, 5);
	FAULTS("strht r1, [r0]", at, 5);
	FAULTS("ldr r1, [r0]", at, 5);
	FAULTS("str r1, [r0]", at, 5);
	FAULTS("ldrt r1, [r0]", 0xE000ED08, 5);
	FAULTS("strt r1, [r0]", 0xE000ED08, 5);
	FAULTS("ldr r1, [r0]", 0xE000ED08, 5);
}

static void each(void)
{
	uint32_t at = (uint32_t)area + 0x200;
	say("-- instructions\n");
	region(7, at, AP(NONE) | SIZE(5));
	mpu_on(PRIVDEFENA);
	instructions(at);
	say("-- by halves\n");
	region(7, 0, 0);
	area[0x80] = 0x11223344;
	region(7, at, AP(READS) | SIZE(5));
	instructions(at);
	say("-- as if unprivileged\n");
	region(3, 0x20000000, AP(FULL) | SIZE(18));
	region(7, at, AP(PRIVILEGED) | SIZE(5));
	user_bits(at);
	region(7, at, AP(USER_READS) | SIZE(5));
	user_bits(at);
	off();
	say("off\n");
	user_bits(at);
}

/* --- code --- */

static uint32_t call(uint32_t address)
{
	register uint32_t r0_ __asm("r0") = 0;
	step = address & ~1u;
	__asm volatile("ldr r2, =2f\n\tldr r3, =resume_at\n\tstr r2, [r3]\n\tblx %1\n2:"
		       : "+r"(r0_)
		       : "r"(address)
		       : "r1", "r2", "r3", "r12", "lr", "memory", "cc");
	return r0_;
}

static void code(void)
{
	uint32_t at = (uint32_t)area + 0x400;
	uint16_t *code = (uint16_t *)at;
	say("-- code\n");
	for (unsigned i = 0; i < 24; i++)
		code[i] = 0x3001; /* adds r0, #1 */
	code[24] = 0x4770;        /* bx lr */
	BARRIER();
	mpu_on(PRIVDEFENA);
	say_hex("by default", call(at | 1));
	region(7, at, AP(FULL) | XN | SIZE(6));
	say_hex("never", call(at | 1));
	region(7, at, AP(FULL) | SIZE(6));
	say_hex("by right", call(at | 1));
	region(7, at, AP(PRIVILEGED_READS) | SIZE(6));
	say_hex("read only", call(at | 1));
	region(7, at, AP(NONE) | SIZE(6));
	say_hex("no access", call(at | 1));
	code[15] = 0xF100; /* add.w r0, r0, #16 */
	code[16] = 0x0010;
	BARRIER();
	region(7, at, AP(FULL) | SIZE(5));
	region(6, at + 32, AP(FULL) | SIZE(5));
	say_hex("over a border", call((at + 30) | 1));
	region(6, 0xE0000000, AP(FULL) | SIZE(29));
	call(0xE0100001);
	region(6, 0x40000000, AP(FULL) | XN | SIZE(29));
	call(0x40000001);
	say("-- code that is not privileged\n");
	off();
	open_to_all();
	mpu_on(PRIVDEFENA);
	region(7, at, AP(PRIVILEGED) | SIZE(6));
	say_hex("privileged", call((at + 34) | 1));
	SET(control, 1);
	call((at + 34) | 1);
	__asm volatile("svc 0" ::: "memory");
	region(7, at, AP(USER_READS) | SIZE(6));
	SET(control, 1);
	uint32_t count = call((at + 34) | 1);
	__asm volatile("svc 0" ::: "memory");
	say_hex("all", count);
	region(0, 0, 0);
	say("the map behind is not for it\n");
	region(0, 0x08000000, AP(READS) | SIZE(20) | SRD(0x80));
	SET(control, 1);
	call(0x080E0001);
	__asm volatile("svc 0" ::: "memory");
	off();
}

/* --- urgent code, and escalation --- */

void on_nmi(void)
{
	say_hex("nmi", load((uint32_t)area));
}

void on_irq0(void)
{
	uint32_t at = (uint32_t)area;
	say_hex("in a handler", ipsr());
	FAULTS("ldr r1, [r0]", at, 5);
	FAULTS("str r1, [r0]", at, 5);
}

static void urgent(void)
{
	uint32_t at = (uint32_t)area;
	say("-- urgent\n");
	region(7, at, AP(NONE) | SIZE(5));
	mpu_on(PRIVDEFENA);
	__asm volatile("cpsid f\n\tisb");
	say_hex("faultmask", load(at));
	say_hex("faultmask", store(at));
	__asm volatile("cpsie f\n\tisb");
	say_hex("again", load(at));
	SET(faultmask, 1);
	say_hex("faultmask", load(at));
	SET(faultmask, 0);
	say_hex("again", load(at));
	ICSR = 1u << 31;
	BARRIER();
	say("-- escalated\n");
	SHCSR = 0;
	FAULTS("ldr r1, [r0]", at, 5);
	area[16] = 0x47704770; /* bx lr */
	region(7, at, AP(FULL) | XN | SIZE(7));
	call((at + 64) | 1);
	region(7, at, AP(NONE) | SIZE(5));
	say("-- in a handler\n");
	SHCSR = 0x70000;
	NVIC_ISER0 = 1;
	NVIC_IPR(0) = 0x80;
	pend(0);
	SHPR(4) = 0xC0;
	pend(0);
	SHPR(4) = 0;
	off();
}

int main(void)
{
	CPACR = 0xF00000;
	BARRIER();
	SHCSR = 0x70000;
	registers();
	permissions();
	regions();
	each();
	code();
	urgent();
	return 0;
}
