/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bench time on a private bus while no tool runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "bus_scene.h"

static bool never(void *context)
{
	(void)context;
	return false;
}

static bool flag(void *context)
{
	return *(const bool *)context;
}

static void set_flag(struct bench_event *event)
{
	*(bool *)event->context = true;
}

static void clear_flag(struct bench_event *event)
{
	*(bool *)event->context = false;
}

static void wait_ends_at_its_limit(enum private_bus_time time)
{
	struct scene s;
	uint64_t now;

	open_scene(&s, time, 50);
	now = bench_now_us(s.bench);
	assert_int_equal(private_bus_wait(s.bus, never, NULL, SECOND), 0);
	assert_int_equal(bench_now_us(s.bench), now + SECOND);
	assert_int_equal(private_bus_wait(s.bus, is_listed, &s, SECOND), 1);
	assert_int_equal(bench_now_us(s.bench), now + SECOND);
	assert_int_equal(private_bus_skip(s.bus, now), 0);
	assert_int_equal(bench_now_us(s.bench), now + SECOND);
	close_scene(&s);
}

static void wait_ends_at_its_limit_in_virtual_time(void **state)
{
	(void)state;
	wait_ends_at_its_limit(TIME_VIRTUAL);
}

static void wait_ends_at_its_limit_in_scaled_time(void **state)
{
	(void)state;
	wait_ends_at_its_limit(TIME_SCALED);
}

static void condition_that_holds_for_a_moment_is_seen(void **state)
{
	static const enum private_bus_time times[] = { TIME_VIRTUAL, TIME_SCALED };
	struct scene s;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bool raised = false;
		struct bench_event up = { .fire = set_flag, .context = &raised };
		struct bench_event down = { .fire = clear_flag, .context = &raised };
		uint64_t now;

		open_scene(&s, times[i], 50);
		now = bench_now_us(s.bench);
		bench_at(s.bench, &up, now + SECOND);
		bench_at(s.bench, &down, now + SECOND + 1);
		assert_int_equal(private_bus_wait(s.bus, flag, &raised, 2 * SECOND), 1);
		assert_int_equal(bench_now_us(s.bench), now + SECOND);
		bench_cancel(s.bench, &down);
		close_scene(&s);
	}
}

static void note(void *context, int fd)
{
	char byte;

	*(bool *)context = read(fd, &byte, 1) == 1;
}

static void watch_interrupts_a_wait(void **state)
{
	static const enum private_bus_time times[] = { TIME_VIRTUAL, TIME_SCALED };
	struct scene s;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bool seen = false;
		int ends[2];

		open_scene(&s, times[i], 1);
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		assert_int_equal(private_bus_watch(s.bus, ends[0], note, &seen), 0);
		assert_int_equal(write(ends[1], "", 1), 1);
		/* In virtual time the bench would be at the limit at once if it had nothing to do. */
		mcu_set_pin(s.mcu, PIN_NRST, false);
		mcu_set_pin(s.mcu, PIN_NRST, true);
		assert_int_equal(private_bus_wait(s.bus, flag, &seen, 3600 * SECOND), 1);
		private_bus_watch(s.bus, ends[0], NULL, NULL);
		close(ends[0]);
		close(ends[1]);
		close_scene(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wait_ends_at_its_limit_in_virtual_time),
		cmocka_unit_test(wait_ends_at_its_limit_in_scaled_time),
		cmocka_unit_test(condition_that_holds_for_a_moment_is_seen),
		cmocka_unit_test(watch_interrupts_a_wait),
	};

	return cmocka_run_group_tests_name("bus_time", tests, NULL, NULL);
}
