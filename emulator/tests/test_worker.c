// SPDX-License-Identifier: GPL-2.0-or-later
/* The thread for calls that block. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"
#include "loop.h"
#include "worker.h"

struct trial {
	struct bench *bench;
	struct loop *loop;
	struct worker *worker;
	int fds[2];
	unsigned done;
	long result;
	unsigned again; /* how often done() starts it once more */
};

static int setup(void **state)
{
	static struct trial t;
	int error;

	memset(&t, 0, sizeof(t));
	t.bench = bench_new(1);
	t.loop = loop_new(t.bench, 1, &error);
	assert_non_null(t.loop);
	t.worker = worker_new(t.loop, &error);
	assert_non_null(t.worker);
	assert_int_equal(pipe(t.fds), 0);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	struct trial *t = *state;

	worker_free(t->worker);
	loop_free(t->loop);
	bench_free(t->bench);
	close(t->fds[0]);
	close(t->fds[1]);
	return 0;
}

static long read_one(void *context)
{
	struct trial *t = context;
	char c;
	ssize_t n = read(t->fds[0], &c, 1);

	return n < 0 ? -errno : n ? c : -EPIPE;
}

static long at_once(void *context)
{
	(void)context;
	return 7;
}

static void ended(void *context, long result)
{
	struct trial *t = context;

	t->done++;
	t->result = result;
	if (t->again) {
		t->again--;
		worker_begin(t->worker, at_once, ended, t);
	}
}

static void turn(struct trial *t, unsigned done)
{
	for (unsigned i = 0; t->done < done && i < 5000; i++)
		assert_int_equal(loop_step(t->loop, 1000), 0);
	assert_int_equal(t->done, done);
}

static void the_result_comes_by_the_loop(void **state)
{
	struct trial *t = *state;

	worker_begin(t->worker, read_one, ended, t);
	assert_true(worker_is_busy(t->worker));
	assert_int_equal(write(t->fds[1], "x", 1), 1);
	worker_wait(t->worker, 5000);
	assert_int_equal(t->done, 0);
	turn(t, 1);
	assert_int_equal(t->result, 'x');
	assert_false(worker_is_busy(t->worker));
}

static void an_end_may_start_the_next(void **state)
{
	struct trial *t = *state;

	t->again = 1000;
	worker_begin(t->worker, at_once, ended, t);
	turn(t, 1001);
	assert_int_equal(t->result, 7);
}

static void a_blocked_call_is_interrupted_and_says_nothing(void **state)
{
	struct trial *t = *state;

	for (unsigned i = 0; i < 300; i++) {
		worker_begin(t->worker, read_one, ended, t);
		if (i % 3)
			usleep(i % 7 * 50); /* the call begins at any moment of it */
		worker_interrupt(t->worker);
		assert_false(worker_is_busy(t->worker));
	}
	loop_step(t->loop, 0);
	assert_int_equal(t->done, 0);
	worker_begin(t->worker, at_once, ended, t);
	turn(t, 1);
}

static void waiting_for_a_blocked_call_ends(void **state)
{
	struct trial *t = *state;

	worker_begin(t->worker, read_one, ended, t);
	worker_wait(t->worker, 20);
	assert_true(worker_is_busy(t->worker));
}

static void freeing_interrupts(void **state)
{
	struct trial *t = *state;
	int error;

	worker_begin(t->worker, read_one, ended, t);
	worker_free(t->worker);
	t->worker = worker_new(t->loop, &error);
	assert_non_null(t->worker);
}

/* By whoever started the program. It would hang otherwise. */
static void a_mask_that_was_inherited_does_not_matter(void **state)
{
	struct trial *t = *state;
	sigset_t all;
	int error;

	worker_free(t->worker);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	t->worker = worker_new(t->loop, &error);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	assert_non_null(t->worker);
	worker_begin(t->worker, read_one, ended, t);
	worker_wait(t->worker, 20);
	worker_interrupt(t->worker);
	assert_int_equal(t->done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_result_comes_by_the_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(an_end_may_start_the_next, setup, teardown),
		cmocka_unit_test_setup_teardown(a_blocked_call_is_interrupted_and_says_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(waiting_for_a_blocked_call_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(freeing_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mask_that_was_inherited_does_not_matter, setup, teardown),
	};

	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
