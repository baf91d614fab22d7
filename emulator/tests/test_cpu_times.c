/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long exceptions take, and what may arrive on their way (DDI 0439D 3.9.2, DDI 0403 B1.5.11 and B1.5.12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cpu_scene.h"

enum { STORES = 0x400, HANDLERS = 0x500, LOOP = FLASH + CODE + 14, FRAME = 0x20, FP_FRAME = 0x68 };

/* Interrupts 0 to 3; 0 and 2 are as urgent, 1 is more, 3 less so. */
static const uint32_t interrupts[][2] = { { 0xE000E100, 0xF }, { 0xE000E400, 0xC0804080 } };

static const uint16_t program[] = {
	0x4A04,         /* ldr r2, [pc, #16]: the stores */
	0xCA03,         /* ldmia r2!, {r0, r1} */
	0xB108,         /* cbz r0, behind the loop */
	0x6001,         /* str r1, [r0, #0] */
	0xE7FB,         /* b back */
	0xBF00, 0xBF00, /* nop, or an instruction of the FPU */
	0x3401,         /* adds r4, #1 */
	0xE7FD,         /* b back */
	0,
};
static const uint16_t uses_fpu[] = { 0xEE00, 0x0A10 /* vmov s0, r0 */ };
static const uint16_t served_fpu[] = { 0xEE00, 0x0A10, 0x4770 /* bx lr */ };

static uint32_t handler(unsigned irq)
{
	return FLASH + HANDLERS + 16 * irq;
}

static struct fixture *start_with(void **state, const uint32_t (*stores)[2], size_t count)
{
	struct fixture *f = START(state, program);
	static const uint16_t served[] = { 0xBF00, 0x4770 /* bx lr */ };
	uint32_t at = STORES;

	put(f, CODE + 20, FLASH + STORES);
	for (unsigned i = 0; i < 2; i++, at += 8) {
		put(f, at, interrupts[i][0]);
		put(f, at + 4, interrupts[i][1]);
	}
	for (size_t i = 0; i < count; i++, at += 8) {
		put(f, at, stores[i][0]);
		put(f, at + 4, stores[i][1]);
	}
	for (unsigned i = 0; i < 4; i++) {
		put(f, 4 * (16 + i), handler(i) + 1);
		memcpy(f->flash + HANDLERS + 16 * i, served, sizeof served);
	}
	return f;
}

/* Cycles until an instruction is the next one; they are run one by one. */
static uint64_t until(struct fixture *f, uint32_t pc)
{
	uint64_t cycles = 0;

	for (; reg(f, 15) != pc && cycles < 300; cycles++)
		assert_int_equal(run(f, 1), CPU_RAN);
	assert_int_equal(reg(f, 15), pc);
	return cycles;
}

static struct fixture *start_idle(void **state)
{
	struct fixture *f = start_with(state, NULL, 0);

	until(f, LOOP);
	return f;
}

static void come(struct fixture *f, unsigned irq)
{
	cpu_irq(f->cpu, irq, true);
	cpu_irq(f->cpu, irq, false);
}

static uint32_t pushed(const struct fixture *f)
{
	return RAM + sizeof f->ram - reg(f, 17);
}

static void entry_return_and_chaining_take_their_cycles(void **state)
{
	struct fixture *f = start_idle(state);

	come(f, 0);
	assert_int_equal(until(f, handler(0)), ENTER);
	assert_int_equal(reg(f, 16) & 0x1FF, 16);
	assert_int_equal(until(f, LOOP), 2 + LEAVE);
	assert_int_equal(pushed(f), 0);
	come(f, 0);
	until(f, handler(0));
	come(f, 3);
	assert_int_equal(until(f, handler(3)), 2 + CHAIN);
	assert_int_equal(reg(f, 14), 0xFFFFFFF9);
	assert_int_equal(pushed(f), FRAME);
	assert_int_equal(until(f, LOOP), 2 + LEAVE);
	/* One that is nested. */
	come(f, 0);
	until(f, handler(0));
	come(f, 1);
	assert_int_equal(until(f, handler(1)), ENTER);
	assert_int_equal(pushed(f), 2 * FRAME);
	assert_int_equal(until(f, handler(0)), 2 + LEAVE);
}

static void faults_and_calls_take_as_long(void **state)
{
	static const uint16_t calls[] = { 0xDF01 /* svc 1 */, 0xDE00 /* udf */ };
	struct fixture *f = START(state, calls);
	put(f, 4 * 11, handler(0) + 1);
	memcpy(f->flash + HANDLERS, (const uint16_t[]){ 0x4770 }, 2);
	assert_int_equal(until(f, handler(0)), 1 + ENTER);
	assert_int_equal(until(f, FLASH + CODE + 2), 1 + LEAVE);
	assert_int_equal(until(f, FLASH + STUCK), 1 + ENTER);
}

static void one_that_arrives_late_comes_first(void **state)
{
	for (unsigned k = 0; k <= ENTER; k++) {
		struct fixture *f = start_idle(state);

		come(f, 0);
		assert_int_equal(run(f, k), CPU_RAN);
		come(f, 1);
		/* It uses the frame that is there; only its vector is to be fetched. */
		uint64_t takes = k == ENTER ? ENTER : k + CHAIN > ENTER ? CHAIN : ENTER - k;
		assert_int_equal(until(f, handler(1)), takes);
		assert_int_equal(pushed(f), k == ENTER ? 2 * FRAME : FRAME);
		assert_int_equal(reg(f, 14), k == ENTER ? 0xFFFFFFF1 : 0xFFFFFFF9);
		assert_int_equal(until(f, handler(0)), 2 + (k == ENTER ? LEAVE : CHAIN));
		assert_int_equal(until(f, LOOP), 2 + LEAVE);
		assert_int_equal(pushed(f), 0);
		cpu_free(f->cpu);
		f->cpu = NULL;
	}
}

static void one_that_is_not_more_urgent_waits(void **state)
{
	for (unsigned other = 2; other <= 3; other++) {
		struct fixture *f = start_idle(state);

		come(f, 0);
		assert_int_equal(run(f, 3), CPU_RAN);
		come(f, other);
		assert_int_equal(until(f, handler(0)), ENTER - 3);
		assert_int_equal(until(f, handler(other)), 2 + CHAIN);
		cpu_free(f->cpu);
		f->cpu = NULL;
	}
}

static void systick_arrives_late_too(void **state)
{
	static const uint32_t ticking[][2] = { { 0xE000E014, 99 }, { 0xE000E018, 0 }, { 0xE000E010, 7 } };
	struct fixture *f = start_with(state, ticking, 3);

	put(f, 4 * 15, handler(1) + 1); /* of priority 0 */
	until(f, LOOP);
	assert_int_equal(run(f, cpu_next(f->cpu) - 5), CPU_RAN);
	come(f, 0);
	assert_int_equal(until(f, handler(1)), ENTER);
	assert_int_equal(reg(f, 16) & 0x1FF, 15);
	assert_int_equal(until(f, handler(0)), 2 + CHAIN);
}

static void a_call_that_is_overtaken_stays_pending(void **state)
{
	static const uint16_t calls[] = { 0x4A04, 0xCA03, 0xB108, 0x6001, 0xE7FB, 0xDF01 /* svc 1 */, 0xBF00 };
	/* Its priority is 0x80. */
	static const uint32_t less[][2] = { { 0xE000ED1C, 0x80000000 } };
	struct fixture *f = start_with(state, less, 1);

	memcpy(f->flash + CODE, calls, sizeof calls);
	put(f, 4 * 11, handler(2) + 1);
	cpu_changed(f->cpu, FLASH, sizeof f->flash);
	until(f, FLASH + CODE + 10);
	assert_int_equal(run(f, 4), CPU_RAN);
	come(f, 1);
	assert_int_equal(until(f, handler(1)), 1 + ENTER - 4);
	assert_int_equal(until(f, handler(2)), 2 + CHAIN);
	assert_int_equal(reg(f, 16) & 0x1FF, 11);
	assert_int_equal(until(f, FLASH + CODE + 12), 2 + LEAVE);
}

static void a_return_is_given_up_for_one_that_arrives(void **state)
{
	for (unsigned k = 1; k <= LEAVE; k++) {
		struct fixture *f = start_idle(state);

		come(f, 0);
		assert_int_equal(until(f, handler(0)), ENTER);
		assert_int_equal(run(f, 2 + k), CPU_RAN);
		come(f, 3); /* less urgent than what has ended, more than what was interrupted */
		assert_int_equal(until(f, handler(3)), k == LEAVE ? ENTER : CHAIN);
		assert_int_equal(pushed(f), FRAME);
		assert_int_equal(until(f, LOOP), 2 + LEAVE);
		assert_int_equal(pushed(f), 0);
		cpu_free(f->cpu);
		f->cpu = NULL;
	}
}

/* All of the FPU's registers are pushed at once, or nothing but room for them. */
static void frames_of_the_fpu_take_longer(void **state)
{
	static const uint32_t eager[][2] = { { 0xE000ED88, 0xF00000 }, { 0xE000EF34, 0x80000000 } };

	for (unsigned lazy = 0; lazy < 2; lazy++)
		for (unsigned uses = 0; uses < 2; uses++) {
			struct fixture *f = start_with(state, eager, 2 - lazy);

			memcpy(f->flash + CODE + 10, uses_fpu, sizeof uses_fpu);
			if (uses)
				memcpy(f->flash + HANDLERS, served_fpu, sizeof served_fpu);
			cpu_changed(f->cpu, FLASH, sizeof f->flash);
			until(f, LOOP);
			come(f, 0);
			assert_int_equal(until(f, handler(0)), ENTER + (lazy ? 0 : FP));
			assert_int_equal(pushed(f), FP_FRAME);
			/* What was saved late takes the time then, and is to be popped. */
			assert_int_equal(until(f, LOOP),
					 2 + (lazy && uses ? FP : 0) + LEAVE + (lazy && !uses ? 0 : FP));
			assert_int_equal(pushed(f), 0);
			cpu_free(f->cpu);
			f->cpu = NULL;
		}
}

static void the_times_are_the_owners(void **state)
{
	static const struct cpu_times none = { 0 }, slow = { .enter = 20, .leave = 15, .chain = 9, .late = 11 };
	struct fixture *f = start_idle(state);

	cpu_set_times(f->cpu, &none);
	come(f, 0);
	assert_int_equal(run(f, 0), CPU_RAN);
	assert_int_equal(reg(f, 15), handler(0));
	come(f, 3);
	assert_int_equal(until(f, handler(3)), 2);
	assert_int_equal(run(f, 2), CPU_RAN);
	assert_int_equal(reg(f, 15), LOOP);
	cpu_set_times(f->cpu, &slow);
	come(f, 0);
	assert_int_equal(run(f, 15), CPU_RAN);
	come(f, 1);
	assert_int_equal(until(f, handler(1)), 11);
	assert_int_equal(until(f, handler(0)), 2 + 9);
	assert_int_equal(until(f, LOOP), 2 + 15);
}

static void counters_count_them(void **state)
{
	static const uint32_t counting_on[][2] = { { 0xE000EDFC, 0x01000000 }, { 0xE0001000, 1 } };
	static const uint16_t reads[] = {
		0x4801, /* ldr r0, [pc, #4]: DWT */
		0x6845, /* ldr r5, [r0, #4] */
		0x4770, /* bx lr */
		0,
	};
	struct fixture *f = start_with(state, counting_on, 2);

	memcpy(f->flash + HANDLERS, reads, sizeof reads);
	put(f, HANDLERS + 8, 0xE0001000);
	cpu_changed(f->cpu, FLASH, sizeof f->flash);
	until(f, LOOP);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t before = reg(f, 5);

		come(f, 0);
		until(f, handler(0));
		until(f, LOOP);
		if (i)
			assert_int_equal(reg(f, 5) - before, 3 + LEAVE + ENTER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entry_return_and_chaining_take_their_cycles, set_up, tear_down),
		cmocka_unit_test_setup_teardown(faults_and_calls_take_as_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_arrives_late_comes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_is_not_more_urgent_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(systick_arrives_late_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_call_that_is_overtaken_stays_pending, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_return_is_given_up_for_one_that_arrives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(frames_of_the_fpu_take_longer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_times_are_the_owners, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counters_count_them, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("cpu_times", tests, NULL, NULL);
}
