/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns over requests: does one match. */
#include <string.h>
#include "pattern_internal.h"

#define SET_INTERFACE 11

static bool is_standard(const struct exchange *x)
{
	return !(x->setup.type & 0x60);
}

static bool operation_matches(const struct pattern *q, const struct exchange *x)
{
	if (q->operations & ANY_TRANSFER)
		return true;
	if (x->op != OP_NONE)
		return q->operations & BIT(x->op);
	return is_standard(x) && x->setup.request < STANDARD_COUNT &&
	       q->operations & BIT(STANDARD_FIRST + x->setup.request);
}

/* false: the request has no such thing. */
static bool value_of(enum key key, const struct exchange *x, uint64_t *value)
{
	switch (key) {
	case KEY_BLOCK:
		*value = x->setup.value;
		return x->op != OP_NONE && (BIT(x->op) & (DNLOADS | UPLOADS));
	case KEY_LENGTH:
		*value = x->setup.length;
		return true;
	case KEY_ADDRESS:
		*value = x->target;
		return x->has_target;
	case KEY_ALT:
		*value = x->setup.value;
		return is_standard(x) && x->setup.request == SET_INTERFACE;
	case KEY_VALUE:
		*value = x->setup.value;
		return true;
	case KEY_INDEX:
		*value = x->setup.index;
		return true;
	case KEY_POLL:
		*value = x->poll_ms;
		return x->has_reply && x->op == OP_GETSTATUS;
	case KEY_BOARD:
		*value = x->board;
		return x->board != 0;
	case KEY_DATA:
		break;
	}
	return false;
}

static bool term_matches(const struct term *t, const struct exchange *x)
{
	uint64_t value;

	if (t->key == KEY_DATA) {
		bool same = x->length >= t->prefix_length && !memcmp(x->data, t->prefix, t->prefix_length);

		return same == (t->comparison == EQUAL);
	}
	if (!value_of(t->key, x, &value))
		return false;
	switch (t->comparison) {
	case EQUAL:
		return value >= t->from && value <= t->to;
	case DIFFERENT:
		return value < t->from || value > t->to;
	case LESS:
		return value < t->from;
	case AT_MOST:
		return value <= t->from;
	case MORE:
		return value > t->from;
	case AT_LEAST:
		return value >= t->from;
	}
	return false;
}

static bool state_is_in(uint32_t states, unsigned state)
{
	return states & (state < STATES ? UINT32_C(1) << state : UNKNOWN_BIT);
}

static bool outcome_matches(const struct pattern *q, const struct exchange *x)
{
	unsigned state = x->has_reply ? x->reply_state : x->after;

	if (q->results & UINT32_C(1) << x->result)
		return true;
	if (x->op != OP_NONE && q->states && state_is_in(q->states, state))
		return true;
	return x->has_reply && x->op == OP_GETSTATUS && x->status < STATUSES && q->statuses & UINT32_C(1) << x->status;
}

bool pattern_matches(const struct pattern *q, const struct exchange *x)
{
	if (!operation_matches(q, x))
		return false;
	for (size_t i = 0; i < q->count; i++)
		if (!term_matches(&q->terms[i], x))
			return false;
	if (q->has_before && !(x->op != OP_NONE && state_is_in(q->before, x->before)))
		return false;
	return !q->has_outcome || outcome_matches(q, x);
}
