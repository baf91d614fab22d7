// SPDX-License-Identifier: GPL-2.0-or-later
/* The clock and its events: an intrusive pairing heap, so that scheduling allocates nothing and cannot fail. */
#include <stdlib.h>
#include "bench.h"

struct bench {
	uint64_t seed;
	uint64_t now_us;
	uint64_t next_order;
	struct bench_event *root;
	uint64_t pending;
};

static bool fires_before(const struct bench_event *a, const struct bench_event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

/* Joins two heaps, neither with siblings. The winner's link is the caller's to set. */
static struct bench_event *meld(struct bench_event *a, struct bench_event *b)
{
	struct bench_event *swap;

	if (!a)
		return b;
	if (!b)
		return a;
	if (fires_before(b, a)) {
		swap = a;
		a = b;
		b = swap;
	}
	b->sibling = a->child;
	if (b->sibling)
		b->sibling->link = &b->sibling;
	b->link = &a->child;
	a->child = b;
	return a;
}

static void set_root(struct bench *bench, struct bench_event *root)
{
	bench->root = root;
	if (root)
		root->link = &bench->root;
}

/* One heap out of a list of siblings: pairs from the left, then the pairs together. A loop, since lists get long. */
static struct bench_event *meld_siblings(struct bench_event *first)
{
	struct bench_event *pairs = NULL, *joined = NULL, *a, *b;

	while (first) {
		a = first;
		b = a->sibling;
		first = b ? b->sibling : NULL;
		a->sibling = NULL;
		if (b)
			b->sibling = NULL;
		a = meld(a, b);
		a->sibling = pairs;
		pairs = a;
	}
	while (pairs) {
		a = pairs;
		pairs = a->sibling;
		a->sibling = NULL;
		joined = meld(joined, a);
	}
	return joined;
}

static void remove_event(struct bench *bench, struct bench_event *e)
{
	struct bench_event *children = meld_siblings(e->child);

	*e->link = e->sibling;
	if (e->sibling)
		e->sibling->link = e->link;
	e->child = NULL;
	e->sibling = NULL;
	e->link = NULL;
	set_root(bench, meld(bench->root, children));
	bench->pending--;
}

struct bench *bench_new(uint64_t seed)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (bench)
		bench->seed = seed;
	return bench;
}

void bench_free(struct bench *bench)
{
	if (!bench)
		return;
	while (bench->root)
		remove_event(bench, bench->root);
	free(bench);
}

uint64_t bench_seed(const struct bench *bench)
{
	return bench->seed;
}

uint64_t bench_now_us(const struct bench *bench)
{
	return bench->now_us;
}

uint64_t bench_next_us(const struct bench *bench)
{
	return bench->root ? bench->root->at_us : BENCH_NEVER;
}

void bench_advance(struct bench *bench, uint64_t to_us)
{
	struct bench_event *e;

	if (to_us == BENCH_NEVER)
		to_us--; /* so that a delay can still be added to the present */
	if (to_us < bench->now_us)
		to_us = bench->now_us;
	while (bench->root && bench->root->at_us <= to_us) {
		e = bench->root;
		remove_event(bench, e);
		bench->now_us = e->at_us;
		e->fire(e);
	}
	if (bench->now_us < to_us) /* an event that advances the bench itself may have gone further */
		bench->now_us = to_us;
}

void bench_at(struct bench *bench, struct bench_event *e, uint64_t at_us)
{
	bench_cancel(bench, e);
	if (at_us == BENCH_NEVER)
		return;
	e->at_us = at_us < bench->now_us ? bench->now_us : at_us;
	e->order = bench->next_order++;
	e->child = NULL;
	e->sibling = NULL;
	set_root(bench, meld(bench->root, e));
	bench->pending++;
}

void bench_after(struct bench *bench, struct bench_event *e, uint64_t delay_us)
{
	uint64_t room = BENCH_NEVER - 1 - bench->now_us;

	bench_at(bench, e, bench->now_us + (delay_us < room ? delay_us : room));
}

void bench_cancel(struct bench *bench, struct bench_event *e)
{
	if (bench_is_scheduled(e))
		remove_event(bench, e);
}

uint64_t bench_pending(const struct bench *bench)
{
	return bench->pending;
}
