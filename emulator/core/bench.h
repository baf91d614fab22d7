/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bench: the one owner of time. Everything that happens later (a held answer, the end of an erase, a pin that
 * returns, a replug, a host's time-out) is an event on it. Only bench_advance() moves the clock.
 */
#ifndef DFUBENCH_BENCH_H
#define DFUBENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#define BENCH_NEVER UINT64_MAX

struct bench;

/* An event belongs to whoever embeds it; zero-initialise. It must be cancelled before its memory goes. */
struct bench_event {
	uint64_t at_us;                     /* valid while scheduled */
	uint64_t order;                     /* events at one instant fire in the order in which they were scheduled */
	void (*fire)(struct bench_event *); /* the event is no longer scheduled when this is called */
	void *context;                      /* the owner's */
	struct bench_event *child, *sibling, **link; /* the heap's; link is NULL when not scheduled */
};

/* seed: the root of every random choice of the boards on this bench (each board forks its own stream). NULL on ENOMEM. */
struct bench *bench_new(uint64_t seed);
void bench_free(struct bench *); /* every event is cancelled, without firing; NULL is fine */

uint64_t bench_seed(const struct bench *);
uint64_t bench_now_us(const struct bench *);  /* starts at 0, never runs back */
uint64_t bench_next_us(const struct bench *); /* when the next event is due; BENCH_NEVER if none */

/* Fire, in order of time, all events due up to and including to_us, then stand at to_us. Events scheduled meanwhile and
 * due by then fire too. to_us in the past is taken as now. */
void bench_advance(struct bench *, uint64_t to_us);

/* (Re)schedule. A time in the past means now, BENCH_NEVER means not at all; nothing fires before the next
 * bench_advance(). Never fails. */
void bench_at(struct bench *, struct bench_event *, uint64_t at_us);
void bench_after(struct bench *, struct bench_event *, uint64_t delay_us); /* saturates at BENCH_NEVER - 1 */
void bench_cancel(struct bench *, struct bench_event *);                   /* no-op if not scheduled */
uint64_t bench_pending(const struct bench *);                              /* how many events are scheduled */
static inline bool bench_is_scheduled(const struct bench_event *e)
{
	return e->link != 0;
}

#endif
