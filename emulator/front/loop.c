// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop: wall clock, bench and descriptors. */
#include "loop.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include "poller.h"

#define EVENTS_PER_TURN 64
#define CATCH_UP_NS UINT64_C(50000000) /* of the wall, before descriptors are looked at again */

struct watch {
	loop_ready *ready; /* NULL: not watched */
	void *context;
	uint32_t generation; /* tells an event of a former watch of this number */
};

struct loop {
	struct bench *bench;
	double scale;
	struct poller *poller;
	bool started;
	uint64_t wall_origin_ns, bench_origin_us;
	struct watch *watches; /* by descriptor */
	int watch_count;
	uint32_t generation;
};

static uint64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct loop *loop_new(struct bench *bench, double scale, int *error)
{
	struct loop *l = calloc(1, sizeof(*l));

	*error = -ENOMEM;
	if (!l)
		return NULL;
	l->bench = bench;
	l->scale = scale;
	l->poller = poller_new(error);
	if (l->poller)
		return l;
	free(l);
	return NULL;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	poller_free(l->poller);
	free(l->watches);
	free(l);
}

void loop_start(struct loop *l)
{
	l->wall_origin_ns = wall_ns();
	l->bench_origin_us = bench_now_us(l->bench);
	l->started = true;
}

static int grow(struct loop *l, int fd)
{
	int count = l->watch_count ? l->watch_count : 64;
	struct watch *watches;

	while (count <= fd)
		count *= 2;
	if (count == l->watch_count)
		return 0;
	watches = realloc(l->watches, (size_t)count * sizeof(*watches));
	if (!watches)
		return -ENOMEM;
	for (int i = l->watch_count; i < count; i++)
		watches[i] = (struct watch){ .ready = NULL };
	l->watches = watches;
	l->watch_count = count;
	return 0;
}

int loop_watch(struct loop *l, int fd, uint32_t events, loop_ready *ready, void *context)
{
	int r = grow(l, fd);
	struct watch *w;
	bool known;

	if (r)
		return r;
	w = &l->watches[fd];
	known = w->ready != NULL;
	if (!known)
		w->generation = ++l->generation;
	r = poller_set(l->poller, fd, known, events, (uint64_t)w->generation << 32 | (uint32_t)fd);
	if (r)
		return r;
	w->ready = ready;
	w->context = context;
	return 0;
}

void loop_unwatch(struct loop *l, int fd)
{
	if (fd < 0 || fd >= l->watch_count || !l->watches[fd].ready)
		return;
	poller_drop(l->poller, fd);
	l->watches[fd].ready = NULL;
}

uint64_t loop_bench_us(const struct loop *l, uint64_t wall_us)
{
	return (uint64_t)((double)wall_us * l->scale);
}

void loop_sync(struct loop *l)
{
	uint64_t begin_ns, to_us;

	if (!l->started)
		return;
	begin_ns = wall_ns();
	to_us = l->bench_origin_us + (uint64_t)((double)(begin_ns - l->wall_origin_ns) / 1000.0 * l->scale);
	while (bench_next_us(l->bench) <= to_us) {
		bench_advance(l->bench, bench_next_us(l->bench));
		if (wall_ns() - begin_ns < CATCH_UP_NS)
			continue;
		/* What it cannot keep up with is let go, or it would be further behind each time, and hear nobody. */
		l->wall_origin_ns = wall_ns();
		l->bench_origin_us = bench_now_us(l->bench);
		return;
	}
	bench_advance(l->bench, to_us);
}

/* Of the wall, until the bench has something to do. */
static uint64_t until_next_ns(const struct loop *l)
{
	uint64_t next = bench_next_us(l->bench), due, now;
	double ns;

	if (next == BENCH_NEVER || !l->started)
		return POLLER_EVER;
	ns = (double)(next - l->bench_origin_us) * 1000.0 / l->scale;
	if (ns >= 9e18)
		return POLLER_EVER;
	due = l->wall_origin_ns + (uint64_t)ns + 1;
	now = wall_ns();
	return due > now ? due - now : 0;
}

int loop_step(struct loop *l, int wait_ms)
{
	struct poller_event events[EVENTS_PER_TURN];
	uint64_t wait;
	int n;

	loop_sync(l);
	wait = until_next_ns(l);
	if (wait_ms >= 0 && wait > (uint64_t)wait_ms * 1000000u)
		wait = (uint64_t)wait_ms * 1000000u;
	n = poller_wait(l->poller, wait, events, EVENTS_PER_TURN);
	if (n < 0)
		return n;
	loop_sync(l);
	for (int i = 0; i < n; i++) {
		int fd = (int)(uint32_t)events[i].tag;
		const struct watch *w = &l->watches[fd];

		/* An earlier one of this turn may have closed it, and even opened another of that number. */
		if (w->ready && w->generation == events[i].tag >> 32)
			w->ready(w->context, fd, events[i].events);
	}
	return 0;
}
