/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the MPU refuses has no effect, wherever it is. What programs see of it, and QEMU's agreement, is it_cortexm.sh's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cpu_scene.h"

enum { STORES = 0x400, REGISTERS = 0x4C0, TEST = FLASH + 0x600, GUARD = RAM + 0x100, NO_ACCESS = 0x00000009 };

/* Some stores, then r0 to r5 are loaded, and it goes on at r6. */
static const uint16_t begins[] = {
	0x4A04,         /* ldr r2, [pc, #16]: STORES */
	0xCA03,         /* ldmia r2!, {r0, r1} */
	0xB108,         /* cbz r0, behind the loop */
	0x6001,         /* str r1, [r0, #0] */
	0xE7FB,         /* b back */
	0x4F03,         /* ldr r7, [pc, #12]: REGISTERS */
	0xE897, 0x007F, /* ldmia.w r7, {r0-r6} */
	0x4730,         /* bx r6 */
	0,
};

struct setting {
	uint32_t base, attributes;
};

/* One region, and what is privileged has the map behind it. Stops before the code. */
static struct fixture *start_at(void **state, uint32_t at, const uint16_t *code, size_t size,
				const uint32_t registers[6], struct setting region)
{
	struct fixture *f = START(state, begins);
	const uint32_t stores[][2] = { { 0xE000ED98, 3 },
				       { 0xE000ED9C, region.base },
				       { 0xE000EDA0, region.attributes },
				       { 0xE000ED24, 0x70000 },
				       { 0xE000ED94, 5 } };
	uint8_t *to = at >= RAM ? f->ram + (at - RAM) : f->flash + (at - FLASH);

	put(f, CODE + 20, FLASH + STORES);
	put(f, CODE + 24, FLASH + REGISTERS);
	for (unsigned i = 0; i < 5; i++) {
		put(f, STORES + 8 * i, stores[i][0]);
		put(f, STORES + 8 * i + 4, stores[i][1]);
	}
	for (unsigned i = 0; i < 6; i++)
		put(f, REGISTERS + 4 * i, registers[i]);
	put(f, REGISTERS + 24, at | 1);
	memcpy(to, code, size);
	for (unsigned i = 0; i < 100 && reg(f, 15) != at; i++)
		assert_int_equal(run(f, 1), CPU_RAN);
	assert_int_equal(reg(f, 15), at);
	return f;
}

static void assert_refused(struct fixture *f, uint32_t cfsr, uint32_t pc, uint32_t mmfar)
{
	struct cpu_fault fault;

	assert_int_equal(run(f, 40), CPU_RAN);
	cpu_fault(f->cpu, &fault);
	assert_int_equal(fault.count, 1);
	assert_int_equal(fault.exception, 4);
	assert_int_equal(fault.cfsr, cfsr);
	assert_int_equal(fault.r[15], pc);
	if (cfsr & 0x80)
		assert_int_equal(fault.mmfar, mmfar);
	assert_int_equal(reg(f, 16) & 0x1FF, 4);
}

static uint32_t word(const struct fixture *f, uint32_t address)
{
	uint32_t value;

	memcpy(&value, f->ram + (address - RAM), sizeof value);
	return value;
}

static void a_store_of_many_words_stores_none(void **state)
{
	static const uint16_t many[] = { 0xC50F /* stmia r5!, {r0-r3} */, 0xE7FE };
	static const uint32_t registers[] = { 1, 2, 3, 4, 5, GUARD - 8 };
	struct fixture *f = start_at(state, TEST, many, sizeof many, registers, (struct setting){ GUARD, NO_ACCESS });

	assert_refused(f, 0x82, TEST, GUARD);
	assert_int_equal(word(f, GUARD - 8), 0);
	assert_int_equal(word(f, GUARD - 4), 0);
	assert_int_equal(reg(f, 5), GUARD - 8);
}

static void a_load_of_many_words_loads_none(void **state)
{
	static const uint16_t many[] = { 0xE935, 0x000F /* ldmdb r5!, {r0-r3} */, 0xE7FE };
	static const uint32_t registers[] = { 11, 12, 13, 14, 15, GUARD + 40 };
	struct fixture *f = start_at(state, TEST, many, sizeof many, registers, (struct setting){ GUARD, NO_ACCESS });

	assert_refused(f, 0x82, TEST, GUARD + 24);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(reg(f, i), 11 + i);
	assert_int_equal(reg(f, 5), GUARD + 40);
}

static void the_rest_of_an_it_block_has_no_effect(void **state)
{
	static const uint16_t block[] = {
		0x4280, /* cmp r0, r0 */
		0xBF01, /* itttt eq */
		0x3301, /* addeq r3, #1 */
		0x6028, /* streq r0, [r5, #0] */
		0x6020, /* streq r0, [r4, #0] */
		0x3301, /* addeq r3, #1 */
		0xE7FE,
	};
	static const uint32_t registers[] = { 77, 0, 0, 0, RAM + 0x200, GUARD + 12 };
	struct fixture *f = start_at(state, TEST, block, sizeof block, registers, (struct setting){ GUARD, NO_ACCESS });
	struct cpu_fault fault;

	assert_refused(f, 0x82, TEST + 6, GUARD + 12);
	assert_int_equal(word(f, GUARD + 12), 0);
	assert_int_equal(word(f, RAM + 0x200), 0);
	assert_int_equal(reg(f, 3), 1);
	cpu_fault(f->cpu, &fault);
	assert_int_equal(fault.xpsr & 0x0600FC00, 0x04000000); /* one of four is done */
}

/* Code runs over a border at 0x20000100 that nothing but the MPU knows. */
static void code_runs_up_to_where_it_may(void **state)
{
	static const uint16_t adds[] = { 0x3001, 0x3001, 0x3001, 0x3001, 0x3001, 0xE7FE };
	static const uint16_t wide[] = { 0x3001, 0x3001, 0x3001, 0xF100, 0x0010, 0xE7FE };  /* add.w r0, r0, #16 */
	static const uint16_t block[] = { 0x4280, 0xBF02, 0x3001, 0x3001, 0x3001, 0xE7FE }; /* ittt eq */
	static const uint32_t registers[6] = { 0 };
	static const struct {
		const uint16_t *code;
		uint32_t stops, count;
	} cases[] = { { adds, GUARD, 4 }, { wide, GUARD - 2, 3 }, { block, GUARD, 2 } };

	for (size_t i = 0; i < 3; i++) {
		struct fixture *f = start_at(state, GUARD - 8, cases[i].code, 12, registers,
					     (struct setting){ GUARD, 0x13000009 });

		assert_refused(f, 1, cases[i].stops, 0);
		assert_int_equal(reg(f, 0), cases[i].count);
		cpu_free(f->cpu);
		f->cpu = NULL;
	}
}

static void two_regions_are_as_good_as_one(void **state)
{
	static const uint16_t wide[] = { 0x3001, 0x3001, 0x3001, 0xF100, 0x0010, 0x602B /* str r3, [r5] */, 0xE7FE };
	static const uint32_t registers[] = { 0, 0, 0, 5, 0, GUARD - 2 };
	struct fixture *f = start_at(state, GUARD - 8, wide, sizeof wide, registers,
				     (struct setting){ GUARD, 0x03000009 });
	struct cpu_fault fault;

	assert_int_equal(run(f, 5), CPU_RAN);
	cpu_fault(f->cpu, &fault);
	assert_int_equal(fault.count, 0);
	assert_int_equal(reg(f, 0), 3 + 16);
	assert_int_equal(word(f, GUARD - 4) >> 16, 5); /* over the border too */
}

static void registers_count_from_the_next_instruction_on(void **state)
{
	static const uint16_t switches[] = {
		0x6829, /* ldr r1, [r5]: it may be read */
		0x6023, /* str r3, [r4]: MPU_RASR */
		0x6829, /* ldr r1, [r5] */
		0xE7FE,
	};
	static const uint32_t registers[] = { 0, 0, 0, NO_ACCESS, 0xE000EDA0, GUARD };
	struct fixture *f = start_at(state, TEST, switches, sizeof switches, registers,
				     (struct setting){ GUARD, 0x03000009 });

	assert_refused(f, 0x82, TEST + 4, GUARD);
}

static void privileges_count_from_the_next_instruction_on(void **state)
{
	static const uint16_t drops[] = {
		0x6829,         /* ldr r1, [r5] */
		0xF383, 0x8814, /* msr CONTROL, r3 */
		0x6829,         /* ldr r1, [r5] */
		0xE7FE,
	};
	static const uint32_t registers[] = { 0, 0, 0, 1, 0, RAM + 0x800 };
	/* All there is, for all; then for what is privileged alone. */
	struct fixture *f = start_at(state, TEST, drops, sizeof drops, registers, (struct setting){ 0, 0x0300003F });
	struct cpu_fault fault;

	assert_int_equal(run(f, 3), CPU_RAN);
	cpu_fault(f->cpu, &fault);
	assert_int_equal(fault.count, 0);
	cpu_free(f->cpu);
	f->cpu = NULL;
	f = start_at(state, TEST, drops, sizeof drops, registers, (struct setting){ 0, 0x0100003F });
	/* Its next instruction is not to be executed; nor has it a stack. */
	assert_int_equal(run(f, 40), CPU_RAN);
	cpu_fault(f->cpu, &fault);
	assert_int_equal(fault.count, 2);
	assert_int_equal(fault.cfsr, 0x11);
	assert_int_equal(fault.r[15], TEST + 6);
}

static void what_is_urgent_is_minded_again_when_it_is_not(void **state)
{
	static const uint16_t enters[] = { 0xB671 /* cpsid f */, 0x4728 /* bx r5 */ };
	static const uint16_t leaves[] = { 0x3001 /* adds r0, #1 */, 0xB661 /* cpsie f */, 0x3001, 0xE7FE };
	static const uint32_t registers[] = { 0, 0, 0, 0, 0, GUARD + 1 };
	struct fixture *f = start_at(state, TEST, enters, sizeof enters, registers,
				     (struct setting){ GUARD, 0x13000009 });

	memcpy(f->ram + (GUARD - RAM), leaves, sizeof leaves);
	assert_refused(f, 1, GUARD + 4, 0);
	assert_int_equal(reg(f, 0), 1);
}

static void a_peripheral_is_not_asked(void **state)
{
	static const uint16_t asks[] = { 0x6829 /* ldr r1, [r5] */, 0x602B /* str r3, [r5] */, 0xE7FE };
	static const uint32_t registers[] = { 0, 0, 0, 1, 0, 0x40000000 };
	struct fixture *f = start_at(state, TEST, asks, sizeof asks, registers,
				     (struct setting){ 0x40000000, 0x06000009 });

	f->answer = 9;
	assert_refused(f, 0x82, TEST + 2, 0x40000000);
	assert_int_equal(f->count, 1);
	assert_int_equal(reg(f, 1), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_store_of_many_words_stores_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_load_of_many_words_loads_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_rest_of_an_it_block_has_no_effect, set_up, tear_down),
		cmocka_unit_test_setup_teardown(code_runs_up_to_where_it_may, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_regions_are_as_good_as_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(registers_count_from_the_next_instruction_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(privileges_count_from_the_next_instruction_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_urgent_is_minded_again_when_it_is_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_peripheral_is_not_asked, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("cpu_mpu", tests, NULL, NULL);
}
