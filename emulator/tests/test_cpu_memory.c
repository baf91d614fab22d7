/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is at which address for the core: aliases, memory that is not writable, code that changes, what is the owner's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>
#include "cpu_scene.h"

static const uint16_t bands[] = {
	0x2201,         /* movs r2, #1 */
	0xF240, 0x0094, /* movw r0, #148 */
	0xF2C2, 0x2000, /* movt r0, #8704 */
	0x6002,         /* str r2, [r0, #0] */
	0x6803,         /* ldr r3, [r0, #0] */
	0x6844,         /* ldr r4, [r0, #4] */
	0xF240, 0x0094, /* movw r0, #148 */
	0xF2C4, 0x2000, /* movt r0, #16896 */
	0x6002,         /* str r2, [r0, #0] */
	0xE7FE,         /* b . */
};

static void bits_have_words_of_their_own(void **state)
{
	struct fixture *f = START(state, bands);

	f->ram[4] = 0x42;
	f->answer = 0x100;
	assert_int_equal(run(f, 20), CPU_RAN);
	assert_int_equal(f->ram[4], 0x62); /* bit 5 of 0x20000004 */
	assert_int_equal(reg(f, 3), 1);
	assert_int_equal(reg(f, 4), 1);
	assert_access(f, 0, (struct access){ 0, 0x40000004, 0x100, 4, false });
	assert_access(f, 1, (struct access){ 0, 0x40000004, 0x120, 4, true });
}

static const uint16_t stores[] = {
	0xF241, 0x0100, /* movw r1, #4096 */
	0xF6C0, 0x0100, /* movt r1, #2048 */
	0x2055,         /* movs r0, #85 */
	0x6008,         /* str r0, [r1, #0] */
	0x680A,         /* ldr r2, [r1, #0] */
	0x7088,         /* strb r0, [r1, #2] */
	0xE7FE,         /* b . */
};

static void memory_that_is_not_writable_is_written_by_the_bus_alone(void **state)
{
	struct fixture *f = START(state, stores);

	put(f, 0x1000, 0x12345678);
	assert_int_equal(run(f, 20), CPU_RAN);
	assert_int_equal(f->count, 2);
	assert_access(f, 0, (struct access){ 4, FLASH + 0x1000, 0x55, 4, true });
	assert_access(f, 1, (struct access){ 6, FLASH + 0x1002, 0x55, 1, true });
	assert_int_equal(reg(f, 2), 0x12345678);
	f->programs = true;
	restart(f);
	assert_int_equal(run(f, 20), CPU_RAN);
	assert_int_equal(reg(f, 2), 0x55);
}

static const uint16_t jumps[] = {
	0xF240, 0x0101, /* movw r1, #1 */
	0xF6C1, 0x71FF, /* movt r1, #8191 */
	0x4708,         /* bx r1 */
};

static void code_outside_is_left_to_the_owner(void **state)
{
	struct fixture *f = START(state, jumps);

	cpu_watch(f->cpu, 0x1FFF0000, 0x8000);
	assert_int_equal(run(f, 100), CPU_LEFT);
	assert_int_equal(reg(f, 15), 0x1FFF0000);
	assert_int_equal(cpu_cycles(f->cpu), 3);
	/* Within memory too. */
	cpu_watch(f->cpu, FLASH + CODE + 4, 4);
	restart(f);
	assert_int_equal(run(f, 100), CPU_LEFT);
	assert_int_equal(reg(f, 15), FLASH + CODE + 4);
}

static const uint16_t calls[] = {
	0xF240, 0x0101, /* movw r1, #1 */
	0xF2C2, 0x0100, /* movt r1, #8192 */
	0x4788,         /* blx r1 */
	0x2202,         /* movs r2, #2 */
	0xF801, 0x2C01, /* strb.w r2, [r1, #-1] */
	0x4788,         /* blx r1 */
	0xE7FE,         /* b . */
};

static void code_that_changes_itself_is_run_as_it_is(void **state)
{
	struct fixture *f = START(state, calls);

	memcpy(f->ram, (const uint16_t[]){ 0x3001, 0x4770 }, 4); /* adds r0, #1; bx lr */
	assert_int_equal(run(f, 100), CPU_RAN);
	assert_int_equal(reg(f, 0), 3); /* 1, then 2 */
	/* Changed by somebody else. */
	memcpy(f->ram, (const uint16_t[]){ 0x3011 }, 2);
	cpu_changed(f->cpu, RAM, 2);
	restart(f);
	assert_int_equal(run(f, 5), CPU_RAN);
	assert_int_equal(reg(f, 0), 0x11);
}

static void the_alias_moves(void **state)
{
	struct fixture *f = START(state, straight);

	cpu_reset(f->cpu, RAM + 0x1000, CODE + 1);
	assert_int_equal(run(f, 4), CPU_RAN);
	assert_int_equal(reg(f, 1), 0x20);
	memcpy(f->flash + CODE, (const uint16_t[]){ 0x2007 }, 2); /* seen through the alias */
	cpu_changed(f->cpu, FLASH + CODE, 2);
	cpu_reset(f->cpu, RAM + 0x1000, CODE + 1);
	assert_int_equal(run(f, 4), CPU_RAN);
	assert_int_equal(reg(f, 1), 0x90);
	memcpy(f->ram + CODE, counting, sizeof counting);
	cpu_alias(f->cpu, RAM, sizeof f->ram);
	cpu_reset(f->cpu, RAM + 0x1000, CODE + 1);
	assert_int_equal(run(f, 9), CPU_RAN);
	assert_int_equal(reg(f, 0), 3);
	cpu_alias(f->cpu, 0, 0);
	cpu_reset(f->cpu, RAM + 0x1000, CODE + 1);
	assert_int_equal(run(f, 30), CPU_LOCKUP); /* neither code nor vectors */
}

static const uint16_t blocked[] = {
	0xF240, 0x0100, /* movw r1, #0 */
	0xF2CB, 0x0100, /* movt r1, #45056 */
	0xF240, 0x1200, /* movw r2, #256 */
	0xF2C2, 0x0200, /* movt r2, #8192 */
	0x2001,         /* movs r0, #1 */
	0x2801,         /* cmp r0, #1 */
	0xBF02,         /* ittt eq */
	0x6008,         /* streq r0, [r1, #0] */
	0x6010,         /* streq r0, [r2, #0] */
	0x3301,         /* addeq r3, #1 */
	0xE7FE,         /* b . */
};

static void what_is_given_up_in_an_it_block_keeps_its_rest_from_memory(void **state)
{
	struct fixture *f = START(state, blocked);
	struct cpu_fault fault;

	assert_int_equal(run(f, 20), CPU_RAN);
	cpu_fault(f->cpu, &fault);
	assert_int_equal(fault.count, 1);
	assert_int_equal(fault.bfar, 0xB0000000);
	assert_int_equal(fault.r[15], FLASH + CODE + 22);
	assert_int_equal(fault.xpsr & 0x0600FC00, 0x04000000);
	assert_int_equal(fault.r[3], 0);
	assert_int_equal(f->ram[0x100], 0);
	assert_int_equal(f->count, 1);
}

static size_t peak_mib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (size_t)usage.ru_maxrss / 1024;
}

static void code_that_changes_for_ever_takes_no_more_memory(void **state)
{
	enum { TIMES = 1600, ADDS = 1000 };
	static const uint16_t forever[] = {
		0xF240, 0x0401, /* movw r4, #1 */
		0xF2C2, 0x0400, /* movt r4, #0x2000 */
		0x47A0,         /* blx r4 */
		0xE7FD,         /* b back to it */
	};
	struct fixture *f = START(state, forever);
	uint16_t word = 0x3001; /* adds r0, #1 */
	size_t before = peak_mib(), most = 100;
#ifdef __SANITIZE_ADDRESS__
	most = 1000; /* it keeps for a while what is freed */
#endif

	for (unsigned i = 0; i < ADDS; i++)
		memcpy(f->ram + 2 * i, &word, sizeof word);
	word = 0x4770; /* bx lr */
	memcpy(f->ram + 2 * ADDS, &word, sizeof word);
	assert_int_equal(run(f, 2), CPU_RAN);
	for (unsigned i = 0; i < TIMES; i++) {
		cpu_changed(f->cpu, RAM, 2 * ADDS);
		assert_int_equal(run(f, ADDS + 3), CPU_RAN);
	}
	assert_int_equal(reg(f, 0), TIMES * ADDS);
	assert_true(peak_mib() - before < most);
}

static void cores_do_not_know_of_each_other(void **state)
{
	struct fixture *f = START(state, straight);
	static const struct cpu_bus_ops ops = { .read = on_read, .write = on_write };
	const struct cpu_memory memory[] = { { FLASH, sizeof f->flash, f->flash, false, false } };
	struct cpu *other = cpu_new(memory, 1, &ops, f);

	assert_non_null(other);
	cpu_reset(other, RAM, FLASH + CODE + 1);
	assert_int_equal(run(f, 3), CPU_RAN);
	assert_int_equal(cpu_run(other, 2, NULL), CPU_RAN);
	assert_int_equal(cpu_register(other, 0), 1);
	assert_int_equal(reg(f, 0), 2);
	cpu_free(other);
	assert_int_equal(run(f, 1), CPU_RAN);
	assert_int_equal(reg(f, 1), 0x20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bits_have_words_of_their_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory_that_is_not_writable_is_written_by_the_bus_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(code_outside_is_left_to_the_owner, set_up, tear_down),
		cmocka_unit_test_setup_teardown(code_that_changes_itself_is_run_as_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_alias_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_given_up_in_an_it_block_keeps_its_rest_from_memory, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(code_that_changes_for_ever_takes_no_more_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cores_do_not_know_of_each_other, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("cpu_memory", tests, NULL, NULL);
}
