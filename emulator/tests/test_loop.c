// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop: how fast bench time passes, and descriptors that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "bench.h"
#include "loop.h"

struct desk {
	struct bench *bench;
	struct loop *loop;
};

static struct desk open_desk(double scale)
{
	struct desk d = { .bench = bench_new(1) };
	int error;

	d.loop = loop_new(d.bench, scale, &error);
	assert_non_null(d.loop);
	return d;
}

static void close_desk(struct desk *d)
{
	loop_free(d->loop);
	bench_free(d->bench);
}

static uint64_t wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static void count(struct bench_event *e)
{
	++*(unsigned *)e->context;
}

static void time_stands_still_before_the_start(void **state)
{
	struct desk d = open_desk(1000);
	unsigned fired = 0;
	struct bench_event e = { .fire = count, .context = &fired };

	(void)state;
	bench_after(d.bench, &e, 1);
	assert_int_equal(loop_step(d.loop, 5), 0);
	assert_int_equal(fired, 0);
	assert_int_equal(bench_now_us(d.bench), 0);
	close_desk(&d);
}

/* wait_ms -1: the step ends because the event is due. */
static void an_event_is_due_when_the_scale_says(void **state)
{
	static const struct {
		double scale;
		uint64_t bench_us, least_us, most_us;
	} cases[] = { { 1, 30000, 30000, 2000000 },
		      { 50, 1500000, 30000, 2000000 },
		      { 0.5, 15000, 30000, 2000000 },
		      { 100000, 1000000, 10, 1000000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct desk d = open_desk(cases[i].scale);
		unsigned fired = 0;
		struct bench_event e = { .fire = count, .context = &fired };
		uint64_t before, took;

		bench_after(d.bench, &e, cases[i].bench_us);
		before = wall_us();
		loop_start(d.loop);
		for (unsigned turns = 0; !fired; turns++) {
			assert_true(turns < 10);
			assert_int_equal(loop_step(d.loop, -1), 0);
		}
		took = wall_us() - before;
		assert_true(took >= cases[i].least_us);
		assert_true(took < cases[i].most_us);
		assert_true(bench_now_us(d.bench) >= cases[i].bench_us);
		close_desk(&d);
	}
}

static void wall_time_is_told_in_bench_time(void **state)
{
	struct desk fast = open_desk(20), slow = open_desk(0.25);

	(void)state;
	assert_int_equal(loop_bench_us(fast.loop, 3000), 60000);
	assert_int_equal(loop_bench_us(slow.loop, 4000), 1000);
	close_desk(&fast);
	close_desk(&slow);
}

struct seen {
	struct loop *loop;
	unsigned count;
	int last, other, replacement; /* descriptors */
	void (*act)(struct seen *);
};

static void see(void *context, int fd, uint32_t events)
{
	struct seen *s = context;

	assert_true(events & POLLIN);
	s->count++;
	s->last = fd;
	if (s->act)
		s->act(s);
}

static void pair_with_byte(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
}

static void a_descriptor_is_served_until_it_is_unwatched(void **state)
{
	struct desk d = open_desk(1);
	struct seen s = { .loop = d.loop };
	int pair[2];

	(void)state;
	pair_with_byte(pair);
	assert_int_equal(loop_watch(d.loop, pair[0], POLLIN, see, &s), 0);
	loop_step(d.loop, 0);
	loop_step(d.loop, 0);
	assert_int_equal(s.count, 2);
	assert_int_equal(s.last, pair[0]);
	loop_unwatch(d.loop, pair[0]);
	loop_unwatch(d.loop, pair[0]);
	loop_unwatch(d.loop, -1);
	loop_step(d.loop, 0);
	assert_int_equal(s.count, 2);
	close(pair[0]);
	close(pair[1]);
	close_desk(&d);
}

static void watching_again_changes_what_is_waited_for(void **state)
{
	struct desk d = open_desk(1);
	struct seen one = { .loop = d.loop }, two = one;
	int pair[2];

	(void)state;
	pair_with_byte(pair);
	assert_int_equal(loop_watch(d.loop, pair[0], POLLIN, see, &one), 0);
	assert_int_equal(loop_watch(d.loop, pair[0], 0, see, &one), 0);
	loop_step(d.loop, 0);
	assert_int_equal(one.count, 0);
	assert_int_equal(loop_watch(d.loop, pair[0], POLLIN, see, &two), 0);
	loop_step(d.loop, 0);
	assert_int_equal(one.count, 0);
	assert_int_equal(two.count, 1);
	assert_int_equal(loop_watch(d.loop, 1000000, POLLIN, see, &two), -EBADF);
	loop_unwatch(d.loop, pair[0]);
	close(pair[0]);
	close(pair[1]);
	close_desk(&d);
}

/* Whichever is served first takes the other away, and opens a new one of that number which has nothing to say. */
static void replace_other(struct seen *s)
{
	int fd = s->other != s->last ? s->other : s->replacement, fresh[2];

	if (s->count > 1)
		return;
	loop_unwatch(s->loop, fd);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fresh), 0);
	assert_int_equal(dup2(fresh[0], fd), fd);
	close(fresh[0]);
	assert_int_equal(loop_watch(s->loop, fd, POLLIN, see, s), 0);
	loop_unwatch(s->loop, s->last);
}

static void an_event_of_a_former_descriptor_is_not_taken_for_the_new_one(void **state)
{
	struct desk d = open_desk(1);
	struct seen s = { .loop = d.loop, .act = replace_other };
	int one[2], two[2];

	(void)state;
	pair_with_byte(one);
	pair_with_byte(two);
	s.other = one[0];
	s.replacement = two[0];
	assert_int_equal(loop_watch(d.loop, one[0], POLLIN, see, &s), 0);
	assert_int_equal(loop_watch(d.loop, two[0], POLLIN, see, &s), 0);
	loop_step(d.loop, 0);
	assert_int_equal(s.count, 1);
	close_desk(&d);
	for (int i = 0; i < 2; i++) {
		close(one[i]);
		close(two[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_stands_still_before_the_start),
		cmocka_unit_test(an_event_is_due_when_the_scale_says),
		cmocka_unit_test(wall_time_is_told_in_bench_time),
		cmocka_unit_test(a_descriptor_is_served_until_it_is_unwatched),
		cmocka_unit_test(watching_again_changes_what_is_waited_for),
		cmocka_unit_test(an_event_of_a_former_descriptor_is_not_taken_for_the_new_one),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
