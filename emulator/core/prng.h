/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SplitMix64: small, seedable, the same on every machine. Not for secrets. */
#ifndef DFUBENCH_PRNG_H
#define DFUBENCH_PRNG_H

#include <stdint.h>

struct prng {
	uint64_t state;
};

static inline uint64_t prng_next(struct prng *p)
{
	uint64_t z = p->state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

/* Uniform enough in [low, high], both included, low <= high. */
static inline uint64_t prng_between(struct prng *p, uint64_t low, uint64_t high)
{
	uint64_t span = high - low + 1;

	return span ? low + prng_next(p) % span : prng_next(p);
}

#endif
