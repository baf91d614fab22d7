// SPDX-License-Identifier: GPL-2.0-or-later
/* The bench's clock and event heap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "bench.h"
#include "prng.h"

struct log {
	struct bench *bench;
	char order[64];
	size_t count;
	uint64_t at_us[64];
};

struct probe {
	struct bench_event event; /* first: fire() gets it back */
	char name;
	bool was_scheduled;
	struct probe *schedule; /* what fire() schedules, and when */
	uint64_t delay_us;
	unsigned repeat;
	struct probe *cancel;
};

static void probe_fire(struct bench_event *e)
{
	struct probe *p = (struct probe *)e;
	struct log *log = e->context;

	p->was_scheduled = bench_is_scheduled(e);
	assert_in_range(log->count, 0, sizeof(log->order) - 2);
	log->at_us[log->count] = bench_now_us(log->bench);
	log->order[log->count++] = p->name;
	if (p->schedule)
		bench_after(log->bench, &p->schedule->event, p->delay_us);
	if (p->repeat) {
		p->repeat--;
		bench_after(log->bench, e, p->delay_us);
	}
	if (p->cancel)
		bench_cancel(log->bench, &p->cancel->event);
}

static struct probe probe(struct log *log, char name)
{
	return (struct probe){ .event = { .fire = probe_fire, .context = log }, .name = name };
}

static void setup_log(struct log *log)
{
	memset(log, 0, sizeof(*log));
	log->bench = bench_new(7);
	assert_non_null(log->bench);
}

static void a_new_bench_stands_at_zero_with_nothing_due(void **state)
{
	struct bench *b = bench_new(42);

	(void)state;
	assert_int_equal(bench_now_us(b), 0);
	assert_int_equal(bench_seed(b), 42);
	assert_true(bench_next_us(b) == BENCH_NEVER);
	bench_advance(b, 1000);
	assert_int_equal(bench_now_us(b), 1000);
	bench_advance(b, 10);
	assert_int_equal(bench_now_us(b), 1000);
	bench_free(b);
	bench_free(NULL);
}

static void events_fire_in_order_of_time_then_of_scheduling(void **state)
{
	static const struct {
		const char *name;
		uint64_t give[6]; /* times of events a.. in order of scheduling; 0 ends */
		uint64_t advance_us;
		const char *want;
	} cases[] = {
		{ "sorted", { 10, 20, 30 }, 100, "abc" },
		{ "reversed", { 30, 20, 10 }, 100, "cba" },
		{ "all at once", { 5, 5, 5, 5, 5 }, 5, "abcde" },
		{ "ties between others", { 9, 5, 9, 1, 5 }, 100, "dbeac" },
		{ "up to and including the end", { 10, 11, 12 }, 11, "ab" },
		{ "none due", { 10, 11, 12 }, 9, "" },
	};
	struct probe probes[6];
	struct log log;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup_log(&log);
		for (n = 0; n < 6 && cases[i].give[n]; n++) {
			probes[n] = probe(&log, (char)('a' + n));
			bench_at(log.bench, &probes[n].event, cases[i].give[n]);
		}
		assert_string_equal(log.order, "");
		bench_advance(log.bench, cases[i].advance_us);
		if (strcmp(log.order, cases[i].want) != 0)
			fail_msg("%s: fired '%s', not '%s'", cases[i].name, log.order, cases[i].want);
		assert_int_equal(bench_now_us(log.bench), cases[i].advance_us);
		bench_free(log.bench);
	}
}

static void the_clock_shows_each_events_own_time_while_it_fires(void **state)
{
	struct probe a, b;
	struct log log;

	(void)state;
	setup_log(&log);
	a = probe(&log, 'a');
	b = probe(&log, 'b');
	bench_at(log.bench, &a.event, 15);
	bench_at(log.bench, &b.event, 40);
	assert_int_equal(bench_next_us(log.bench), 15);
	bench_advance(log.bench, 100);
	assert_int_equal(log.at_us[0], 15);
	assert_int_equal(log.at_us[1], 40);
	assert_int_equal(bench_now_us(log.bench), 100);
	assert_false(a.was_scheduled);
	assert_false(bench_is_scheduled(&a.event));
	bench_free(log.bench);
}

static void events_scheduled_while_firing_fire_in_the_same_advance_if_due(void **state)
{
	struct probe a, b, c, d;
	struct log log;

	(void)state;
	setup_log(&log);
	a = probe(&log, 'a');
	b = probe(&log, 'b');
	c = probe(&log, 'c');
	d = probe(&log, 'd');
	a.schedule = &b; /* at the same instant, yet after c which was there before */
	b.schedule = &d;
	b.delay_us = 1000; /* not due */
	bench_at(log.bench, &a.event, 10);
	bench_at(log.bench, &c.event, 10);
	bench_advance(log.bench, 100);
	assert_string_equal(log.order, "acb");
	assert_int_equal(log.at_us[2], 10);
	assert_int_equal(bench_next_us(log.bench), 1010);
	bench_free(log.bench);
	assert_false(bench_is_scheduled(&d.event));
}

static void an_event_may_schedule_itself_again(void **state)
{
	struct probe a;
	struct log log;

	(void)state;
	setup_log(&log);
	a = probe(&log, 'a');
	a.repeat = 3;
	a.delay_us = 7;
	bench_at(log.bench, &a.event, 1);
	bench_advance(log.bench, 21);
	assert_string_equal(log.order, "aaa");
	bench_advance(log.bench, 22);
	assert_string_equal(log.order, "aaaa");
	assert_int_equal(log.at_us[3], 22);
	bench_free(log.bench);
}

static void an_event_may_cancel_another_that_is_due(void **state)
{
	struct probe a, b;
	struct log log;

	(void)state;
	setup_log(&log);
	a = probe(&log, 'a');
	b = probe(&log, 'b');
	a.cancel = &b;
	bench_at(log.bench, &a.event, 10);
	bench_at(log.bench, &b.event, 10);
	bench_advance(log.bench, 100);
	assert_string_equal(log.order, "a");
	bench_cancel(log.bench, &b.event); /* once more does nothing */
	bench_free(log.bench);
}

static void rescheduling_moves_an_event_behind_its_equals(void **state)
{
	struct probe a, b;
	struct log log;

	(void)state;
	setup_log(&log);
	a = probe(&log, 'a');
	b = probe(&log, 'b');
	bench_at(log.bench, &a.event, 10);
	bench_at(log.bench, &b.event, 10);
	bench_at(log.bench, &a.event, 10);
	bench_advance(log.bench, 10);
	assert_string_equal(log.order, "ba");
	bench_free(log.bench);
}

static void the_past_means_now_and_never_means_not_at_all(void **state)
{
	struct probe a;
	struct log log;

	(void)state;
	setup_log(&log);
	a = probe(&log, 'a');
	bench_advance(log.bench, 500);
	bench_at(log.bench, &a.event, 3);
	assert_string_equal(log.order, ""); /* nothing fires before the next advance */
	assert_int_equal(bench_next_us(log.bench), 500);
	bench_advance(log.bench, 0);
	assert_string_equal(log.order, "a");
	assert_int_equal(log.at_us[0], 500);

	bench_at(log.bench, &a.event, 600);
	bench_at(log.bench, &a.event, BENCH_NEVER);
	assert_false(bench_is_scheduled(&a.event));

	bench_after(log.bench, &a.event, UINT64_MAX);
	assert_true(bench_next_us(log.bench) == BENCH_NEVER - 1);
	bench_advance(log.bench, BENCH_NEVER);
	assert_string_equal(log.order, "aa");
	bench_after(log.bench, &a.event, 5); /* at the end of time there is still a now */
	assert_true(bench_is_scheduled(&a.event));
	bench_free(log.bench);
}

struct inner {
	struct bench_event event;
	uint64_t to_us;
};

static void advance_again(struct bench_event *e)
{
	struct inner *in = (struct inner *)e;

	bench_advance(e->context, in->to_us);
}

static void the_clock_does_not_run_back_when_an_event_advances_the_bench(void **state)
{
	struct inner in = { .to_us = 300 };
	struct probe b;
	struct log log;

	(void)state;
	setup_log(&log);
	b = probe(&log, 'b');
	in.event = (struct bench_event){ .fire = advance_again, .context = log.bench };
	bench_at(log.bench, &in.event, 10);
	bench_at(log.bench, &b.event, 200);
	bench_advance(log.bench, 100);
	assert_string_equal(log.order, "b");
	assert_int_equal(bench_now_us(log.bench), 300);
	bench_free(log.bench);
}

#define MANY 512

struct many {
	struct bench *bench;
	struct bench_event events[MANY];
	uint64_t scheduled; /* how many times, for the expected order */
	uint64_t rank[MANY];
	uint64_t last_at, last_rank;
	unsigned fired;
};

static void many_fire(struct bench_event *e)
{
	struct many *m = e->context;
	size_t i = (size_t)(e - m->events);

	assert_int_equal(bench_now_us(m->bench), e->at_us);
	assert_true(e->at_us > m->last_at || (e->at_us == m->last_at && m->rank[i] > m->last_rank));
	m->last_at = e->at_us;
	m->last_rank = m->rank[i];
	m->fired++;
}

/* Random scheduling, rescheduling and cancelling: what is left fires once each, in order. */
static void the_heap_agrees_with_a_plain_count_over_random_use(void **state)
{
	static struct many m;
	struct prng prng = { 1 };
	unsigned round, step, expected, i;

	(void)state;
	for (round = 0; round < 50; round++) {
		memset(&m, 0, sizeof(m));
		m.bench = bench_new(round);
		for (i = 0; i < MANY; i++)
			m.events[i] = (struct bench_event){ .fire = many_fire, .context = &m };
		for (step = 0; step < 3000; step++) {
			i = (unsigned)prng_between(&prng, 0, MANY - 1);
			switch (prng_next(&prng) % 8) {
			case 0:
				bench_cancel(m.bench, &m.events[i]);
				break;
			case 1:
				bench_advance(m.bench, bench_now_us(m.bench) + prng_between(&prng, 0, 3));
				break;
			default:
				m.rank[i] = ++m.scheduled;
				bench_after(m.bench, &m.events[i], prng_between(&prng, 0, 400));
				break;
			}
		}
		expected = 0;
		for (i = 0; i < MANY; i++)
			expected += bench_is_scheduled(&m.events[i]);
		m.fired = 0;
		bench_advance(m.bench, bench_now_us(m.bench) + 400);
		assert_int_equal(m.fired, expected);
		assert_true(bench_next_us(m.bench) == BENCH_NEVER);
		bench_free(m.bench);
	}
}

static void freeing_a_bench_cancels_without_firing(void **state)
{
	struct probe probes[20];
	struct log log;
	size_t i;

	(void)state;
	setup_log(&log);
	for (i = 0; i < 20; i++) {
		probes[i] = probe(&log, 'x');
		bench_at(log.bench, &probes[i].event, i * 7 % 5);
	}
	bench_free(log.bench);
	assert_string_equal(log.order, "");
	for (i = 0; i < 20; i++)
		assert_false(bench_is_scheduled(&probes[i].event));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_bench_stands_at_zero_with_nothing_due),
		cmocka_unit_test(events_fire_in_order_of_time_then_of_scheduling),
		cmocka_unit_test(the_clock_shows_each_events_own_time_while_it_fires),
		cmocka_unit_test(events_scheduled_while_firing_fire_in_the_same_advance_if_due),
		cmocka_unit_test(an_event_may_schedule_itself_again),
		cmocka_unit_test(an_event_may_cancel_another_that_is_due),
		cmocka_unit_test(rescheduling_moves_an_event_behind_its_equals),
		cmocka_unit_test(the_past_means_now_and_never_means_not_at_all),
		cmocka_unit_test(the_clock_does_not_run_back_when_an_event_advances_the_bench),
		cmocka_unit_test(the_heap_agrees_with_a_plain_count_over_random_use),
		cmocka_unit_test(freeing_a_bench_cancels_without_firing),
	};

	return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
