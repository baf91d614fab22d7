/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core as its owner sees it: cycles, lines, sleep, faults. What programs see of it is it_cortexm.sh's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cpu_scene.h"

static void an_instruction_is_a_cycle(void **state)
{
	struct fixture *f = START(state, straight);
	uint64_t used;

	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(reg(f, 15), FLASH + CODE + 2 * i);
		assert_int_equal(cpu_run(f->cpu, 1, &used), CPU_RAN);
		assert_int_equal(used, 1);
	}
	assert_int_equal(reg(f, 0), 2);
	assert_int_equal(reg(f, 1), 0x20);
	restart(f);
	assert_int_equal(cpu_run(f->cpu, 3, &used), CPU_RAN);
	assert_int_equal(used, 3);
	assert_int_equal(reg(f, 15), FLASH + CODE + 6);
	assert_int_equal(run(f, 1000), CPU_RAN);
	assert_int_equal(cpu_cycles(f->cpu), 4 + 3 + 1000);
	assert_int_equal(reg(f, 1), 0x20);
}

/* In no time, as its firmware would in a handler of faults for the rest of a scenario. */
static void an_endless_loop_is_not_executed_but_for_its_cycles(void **state)
{
	static const uint16_t waits[] = {
		0x481D, /* ldr r0, [pc, #116]: SysTick */
		0x491E, /* ldr r1, [pc, #120]: its reload */
		0x6041, /* str r1, [r0, #4] */
		0x2107, /* movs r1, #7: on, with interrupt */
		0x6001, /* str r1, [r0, #0] */
		0xE7FE, /* b . */
	};
	struct fixture *f = START(state, waits);
	uint64_t used, before;

	put(f, CODE + 120, 0xE000E010);
	put(f, CODE + 124, 0xFFFFFF);
	put(f, 4 * 15, FLASH + SERVED + 1);
	restart(f);
	before = cpu_cycles(f->cpu);
	assert_int_equal(cpu_run(f->cpu, UINT64_C(1000000000000), &used), CPU_RAN);
	assert_int_equal(used, UINT64_C(1000000000000));
	assert_int_equal(cpu_cycles(f->cpu), before + used);
	assert_int_equal(reg(f, 15), FLASH + CODE + 10);
	restart(f);
	assert_int_equal(run(f, 5 + 0xFFFFFF - 2), CPU_RAN);
	assert_int_equal(reg(f, 15), FLASH + CODE + 10);
	for (unsigned i = 0; i < 20 && reg(f, 15) != FLASH + SERVED; i++)
		run(f, 1);
	assert_int_equal(reg(f, 15), FLASH + SERVED);
}

static const uint16_t device[] = {
	0xF240, 0x0100, /* movw r1, #0 */
	0xF2C4, 0x0100, /* movt r1, #16384 */
	0x6808,         /* ldr r0, [r1, #0] */
	0x3001,         /* adds r0, #1 */
	0x6048,         /* str r0, [r1, #4] */
	0x7248,         /* strb r0, [r1, #9] */
	0x88CA,         /* ldrh r2, [r1, #6] */
	0xF8D1, 0x3001, /* ldr.w r3, [r1, #1] */
	0xE7FE,         /* b . */
};

static void the_bus_is_asked_at_the_cycle_of_the_instruction(void **state)
{
	struct fixture *f = START(state, device);

	f->answer = 0x11223344;
	assert_int_equal(run(f, 20), CPU_RAN);
	assert_access(f, 0, (struct access){ 3, 0x40000000, 0x11223344, 4, false });
	assert_access(f, 1, (struct access){ 5, 0x40000004, 0x11223345, 4, true });
	assert_access(f, 2, (struct access){ 6, 0x40000009, 0x45, 1, true });
	assert_access(f, 3, (struct access){ 7, 0x40000006, 0x11223344, 2, false });
	assert_int_equal(reg(f, 2), 0x3344);
	/* What is not aligned comes in pieces that are. */
	assert_access(f, 4, (struct access){ 8, 0x40000000, 0x11223344, 4, false });
	assert_access(f, 5, (struct access){ 8, 0x40000004, 0x11223344, 4, false });
	assert_int_equal(f->count, 6);
	assert_int_equal(reg(f, 3), 0x44112233);
}

static void a_halt_is_after_the_instruction(void **state)
{
	struct fixture *f = START(state, device);

	f->answer = 7;
	f->halts = true;
	assert_int_equal(run(f, 20), CPU_HALTED);
	assert_int_equal(reg(f, 0), 7);
	assert_int_equal(reg(f, 15), FLASH + CODE + 10);
	assert_int_equal(cpu_cycles(f->cpu), 3);
	assert_int_equal(run(f, 20), CPU_HALTED);
	assert_int_equal(cpu_cycles(f->cpu), 5);
}

static void enable(struct fixture *f, unsigned irq)
{
	static const uint16_t enabling[] = {
		0xF24E, 0x1100, /* movw r1, #57600 */
		0xF2CE, 0x0100, /* movt r1, #57344 */
		0x6008,         /* str r0, [r1, #0] */
		0xE7FE,         /* b . */
	};
	uint16_t move = (uint16_t)(0x2000 | 1u << irq); /* movs r0, # */

	memcpy(f->flash + 0x400, &move, sizeof move);
	memcpy(f->flash + 0x402, enabling, sizeof enabling);
	cpu_changed(f->cpu, FLASH + 0x400, 32);
	cpu_reset(f->cpu, RAM + sizeof f->ram, FLASH + 0x401);
	assert_int_equal(run(f, 5), CPU_RAN);
}

static void a_line_that_is_high_is_served_until_it_is_low(void **state)
{
	struct fixture *f = START(state, counting);

	cpu_irq(f->cpu, 5, true);
	assert_int_equal(run(f, 9), CPU_RAN);
	assert_int_equal(reg(f, 0), 3); /* it is not enabled */
	enable(f, 5);
	/* The handler is nothing but its return: again and again, and the program does not come to run. */
	assert_int_equal(run(f, ENTER - 1), CPU_RAN);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(reg(f, 16) & 0x1FF, 16 + 5);
		assert_int_equal(reg(f, 15), FLASH + SERVED);
		assert_int_equal(run(f, 1 + CHAIN), CPU_RAN);
	}
	cpu_irq(f->cpu, 5, false); /* once more, since it was active */
	assert_int_equal(run(f, 1 + LEAVE), CPU_RAN);
	assert_int_equal(reg(f, 16) & 0x1FF, 0);
	/* While it is active an edge makes it pending again, a level does not. */
	cpu_irq(f->cpu, 5, true);
	assert_int_equal(run(f, ENTER), CPU_RAN);
	assert_int_equal(reg(f, 16) & 0x1FF, 16 + 5);
	cpu_irq(f->cpu, 5, false);
	cpu_irq(f->cpu, 5, true);
	cpu_irq(f->cpu, 5, false);
	assert_int_equal(run(f, 1 + CHAIN), CPU_RAN);
	assert_int_equal(reg(f, 16) & 0x1FF, 16 + 5);
	assert_int_equal(run(f, 1 + LEAVE), CPU_RAN);
	assert_int_equal(reg(f, 16) & 0x1FF, 0);
}

static const uint16_t sleeping[] = {
	0xBF30, /* wfi */
	0x3001, /* adds r0, #1 */
	0xE7FC, /* b.n .-4 */
};

static void asleep_time_passes_as_the_owner_says(void **state)
{
	struct fixture *f = START(state, sleeping);
	uint64_t used;

	assert_int_equal(cpu_run(f->cpu, 100, &used), CPU_SLEEPS);
	assert_int_equal(used, 1);
	assert_int_equal(cpu_next(f->cpu), UINT64_MAX);
	assert_false(cpu_wakes(f->cpu));
	assert_int_equal(cpu_run(f->cpu, 100, &used), CPU_SLEEPS);
	assert_int_equal(used, 0);
	cpu_skip(f->cpu, 1000);
	assert_int_equal(cpu_cycles(f->cpu), 1001);
	assert_int_equal(run(f, 100), CPU_SLEEPS);
	assert_int_equal(reg(f, 0), 0);
	cpu_irq(f->cpu, 0, true); /* not enabled */
	assert_false(cpu_wakes(f->cpu));
}

static const uint16_t timed[] = {
	0xF24E, 0x0110, /* movw r1, #57360 */
	0xF2CE, 0x0100, /* movt r1, #57344 */
	0x2263,         /* movs r2, #99 */
	0x604A,         /* str r2, [r1, #4] */
	0x608A,         /* str r2, [r1, #8] */
	0x2207,         /* movs r2, #7 */
	0x600A,         /* str r2, [r1, #0] */
	0xE7FE,         /* b . */
};

static void systick_comes_at_its_cycle(void **state)
{
	struct fixture *f = START(state, timed);

	/* Seven instructions; the last sets it off, and the counter takes 99 at the next cycle: 0 is reached 100 later. */
	assert_int_equal(run(f, 7), CPU_RAN);
	assert_int_equal(cpu_next(f->cpu), 100);
	assert_int_equal(run(f, 99), CPU_RAN);
	assert_int_equal(cpu_next(f->cpu), 1);
	assert_int_equal(run(f, 1 + ENTER), CPU_RAN);
	assert_int_equal(reg(f, 16) & 0x1FF, 15);
	assert_int_equal(cpu_next(f->cpu), 100 - ENTER);
	assert_int_equal(run(f, 1 + LEAVE), CPU_RAN);
	assert_int_equal(reg(f, 16) & 0x1FF, 0);
	assert_int_equal(run(f, cpu_next(f->cpu) + ENTER - 1), CPU_RAN);
	assert_int_equal(reg(f, 16) & 0x1FF, 0);
	assert_int_equal(run(f, 1), CPU_RAN);
	assert_int_equal(reg(f, 16) & 0x1FF, 15);
}

static const uint16_t clocked[] = {
	0xF64E, 0x51FC, /* movw r1, #60924 */
	0xF2CE, 0x0100, /* movt r1, #57344 */
	0xF04F, 0x7080, /* mov.w r0, #16777216 */
	0x6008,         /* str r0, [r1, #0] */
	0xF241, 0x0100, /* movw r1, #4096 */
	0xF2CE, 0x0100, /* movt r1, #57344 */
	0x2001,         /* movs r0, #1 */
	0x6008,         /* str r0, [r1, #0] */
	0x684A,         /* ldr r2, [r1, #4] */
	0xBF00,         /* nop */
	0xBF00,         /* nop */
	0x684B,         /* ldr r3, [r1, #4] */
	0xE7FE,         /* b . */
};

static void cyccnt_counts_cycles(void **state)
{
	struct fixture *f = START(state, clocked);

	assert_int_equal(run(f, 20), CPU_RAN);
	assert_int_equal(reg(f, 3) - reg(f, 2), 3);
}

static const uint16_t unmasked[] = {
	0x2101,         /* movs r1, #1 */
	0xF381, 0x8810, /* msr PRIMASK, r1 */
	0xF24E, 0x2200, /* movw r2, #57856 */
	0xF2CE, 0x0200, /* movt r2, #57344 */
	0x2301,         /* movs r3, #1 */
	0x6013,         /* str r3, [r2, #0] */
	0xBF00,         /* nop */
	0xBF00,         /* nop */
	0x2100,         /* movs r1, #0 */
	0xF381, 0x8810, /* msr PRIMASK, r1 */
	0x3001,         /* adds r0, #1 */
	0xE7FE,         /* b . */
};

static void what_is_unmasked_comes_before_the_next_instruction(void **state)
{
	struct fixture *f = START(state, unmasked);

	put(f, 4 * 16, FLASH + STUCK + 1);
	enable(f, 0);
	cpu_reset(f->cpu, RAM + sizeof f->ram, FLASH + 0x401);
	memcpy(f->flash + 0x40C, (const uint16_t[]){ 0xE6F8 }, 2); /* b to the code */
	cpu_changed(f->cpu, FLASH + 0x40C, 2);
	assert_int_equal(run(f, 5 + 10 + ENTER), CPU_RAN);
	uint32_t frame = reg(f, 13), pc;
	assert_int_equal(reg(f, 16) & 0x1FF, 16);
	memcpy(&pc, f->ram + (frame - RAM) + 24, sizeof pc);
	assert_int_equal(pc, FLASH + CODE + 28);
}

static const uint16_t faulting[] = {
	0x2003, /* movs r0, #3 */
	0x2105, /* movs r1, #5 */
	0xDE07, /* udf #7 */
};

static void a_fault_is_told_with_registers(void **state)
{
	struct fixture *f = START(state, faulting);
	struct cpu_fault fault;

	cpu_fault(f->cpu, &fault);
	assert_int_equal(fault.count, 0);
	assert_int_equal(run(f, 3 + ENTER), CPU_RAN);
	cpu_fault(f->cpu, &fault);
	assert_int_equal(fault.count, 1);
	assert_int_equal(fault.exception, 6);
	assert_int_equal(fault.r[0], 3);
	assert_int_equal(fault.r[1], 5);
	assert_int_equal(fault.r[15], FLASH + CODE + 4);
	assert_int_equal(fault.cfsr, 0x10000);
	assert_int_equal(fault.hfsr, 0x40000000);
	assert_int_equal(reg(f, 16) & 0x1FF, 3);
	/* The handler is as bad. */
	memcpy(f->flash + STUCK, (const uint16_t[]){ 0xDE00 }, 2);
	cpu_changed(f->cpu, FLASH + STUCK, 2);
	restart(f);
	assert_int_equal(run(f, 30), CPU_LOCKUP);
	assert_int_equal(run(f, 10), CPU_LOCKUP);
	cpu_fault(f->cpu, &fault);
	assert_int_equal(fault.count, 2);
	assert_int_equal(fault.r[15], FLASH + STUCK);
}

/* It would be returned from without an instruction, and taken again, for ever at one cycle. */
static void a_vector_returns_from_nothing(void **state)
{
	static const uint32_t vectors[] = { 0xF80002E9, 0xFFFFFFF9, 0xFFFFFFF1, 0xFFFFFFFD };

	for (unsigned i = 0; i < 4; i++) {
		struct fixture *f = START(state, faulting);

		put(f, 4 * 3, vectors[i]);
		assert_int_equal(run(f, 100), CPU_LOCKUP);
		assert_in_range(cpu_cycles(f->cpu), 3 + ENTER, 10 + ENTER);
		if (i < 3)
			cpu_free(f->cpu);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_instruction_is_a_cycle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_endless_loop_is_not_executed_but_for_its_cycles, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_bus_is_asked_at_the_cycle_of_the_instruction, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_halt_is_after_the_instruction, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_line_that_is_high_is_served_until_it_is_low, set_up, tear_down),
		cmocka_unit_test_setup_teardown(asleep_time_passes_as_the_owner_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(systick_comes_at_its_cycle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cyccnt_counts_cycles, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_unmasked_comes_before_the_next_instruction, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fault_is_told_with_registers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_vector_returns_from_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
