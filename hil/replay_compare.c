// SPDX-License-Identifier: GPL-2.0-or-later
/* What was recorded, and what came. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "dfuse.h"
#include "dfuse_names.h"
#include "replay.h"

#define STATUS_BYTES 6u

const char *difference_name(enum difference_kind kind)
{
	static const char *const names[] = {
		[DIFFERENCE_RESULT] = "result", [DIFFERENCE_LENGTH] = "length", [DIFFERENCE_STATUS] = "status",
		[DIFFERENCE_POLL] = "poll",     [DIFFERENCE_STATE] = "state",   [DIFFERENCE_STRING] = "string",
		[DIFFERENCE_DATA] = "data",     [DIFFERENCE_TIME] = "time",     [DIFFERENCE_RETURN] = "return",
		[DIFFERENCE_UNSENT] = "unsent",
	};

	return names[kind];
}

/* NULL: no memory. Valid until the next. */
static struct difference *add(struct replay *r, size_t item, enum difference_kind kind)
{
	struct difference *d;

	if (r->difference_count == r->difference_room) {
		size_t room = r->difference_room ? 2 * r->difference_room : 64;
		struct difference *more = realloc(r->differences, room * sizeof(*more));

		if (!more)
			return NULL;
		r->differences = more;
		r->difference_room = room;
	}
	d = &r->differences[r->difference_count++];
	*d = (struct difference){ .item = item, .kind = kind };
	return d;
}

__attribute__((format(printf, 2, 3))) static bool expected(struct difference *d, const char *format, ...)
{
	va_list args;

	if (!d)
		return false;
	va_start(args, format);
	vsnprintf(d->expected, sizeof(d->expected), format, args);
	va_end(args);
	return true;
}

__attribute__((format(printf, 2, 3))) static bool got(struct difference *d, const char *format, ...)
{
	va_list args;

	if (!d)
		return false;
	va_start(args, format);
	vsnprintf(d->got, sizeof(d->got), format, args);
	va_end(args);
	return true;
}

static void recorded_end(const struct exchange *x, char *out, size_t size)
{
	if (x->result == USB_CANCELLED)
		snprintf(out, size, "no answer");
	else if (x->result == USB_ACK)
		snprintf(out, size, "an answer of %zu bytes", x->actual);
	else
		snprintf(out, size, "%s",
			 x->result == USB_STALL    ? "a STALL"
			 : x->result == USB_SILENT ? "a bus error"
						   : "the device to leave");
}

static void answer_end(const struct replay_answer *a, char *out, size_t size)
{
	static const char *const names[] = { [HOST_STALL] = "a STALL",
					     [HOST_LATE] = "no answer within the time",
					     [HOST_GONE] = "the device was gone",
					     [HOST_BROKEN] = "a bus error" };

	if (a->end == HOST_OK)
		snprintf(out, size, "an answer of %zu bytes", a->actual);
	else
		snprintf(out, size, "%s", a->end < HOST_ERROR ? names[a->end] : "an error");
}

static bool ends_alike(const struct exchange *x, enum host_end end)
{
	if (x->result == USB_CANCELLED)
		return end == HOST_LATE;
	switch (x->result) {
	case USB_ACK:
		return end == HOST_OK;
	case USB_STALL:
		return end == HOST_STALL;
	case USB_GONE:
		return end == HOST_GONE;
	default:
		return end == HOST_BROKEN || end == HOST_LATE;
	}
}

bool replay_is_cut(const struct exchange *x)
{
	return !(x->setup.type & 0x80) && x->length < x->setup.length;
}

static uint32_t poll_of(const uint8_t *b)
{
	return (uint32_t)b[1] | (uint32_t)b[2] << 8 | (uint32_t)b[3] << 16;
}

static bool compare_status(struct replay *r, size_t item, const uint8_t *a, const uint8_t *b)
{
	char then[DFUSE_CODE_TEXT], now[DFUSE_CODE_TEXT];
	struct difference *d;
	bool ok = true;

	if (a[0] != b[0]) {
		d = add(r, item, DIFFERENCE_STATUS);
		ok = expected(d, "%s", dfuse_name_status(a[0], then)) && got(d, "%s", dfuse_name_status(b[0], now));
	}
	if (ok && poll_of(a) != poll_of(b)) {
		d = add(r, item, DIFFERENCE_POLL);
		ok = expected(d, "%u ms", (unsigned)poll_of(a)) && got(d, "%u ms", (unsigned)poll_of(b));
	}
	if (ok && a[4] != b[4]) {
		d = add(r, item, DIFFERENCE_STATE);
		ok = expected(d, "%s", dfuse_name_state(a[4], then)) && got(d, "%s", dfuse_name_state(b[4], now));
	}
	if (ok && a[5] != b[5]) {
		d = add(r, item, DIFFERENCE_STRING);
		ok = expected(d, "string %u", a[5]) && got(d, "string %u", b[5]);
	}
	return ok;
}

static bool compare_data(struct replay *r, size_t item, const struct exchange *x, const struct replay_answer *a)
{
	size_t length = x->length < a->actual ? x->length : a->actual, first = length, count = 0;
	char then[DFUSE_CODE_TEXT], now[DFUSE_CODE_TEXT];
	struct difference *d;

	if (x->actual != a->actual && !(replay_is_cut(x) && a->actual == x->length)) {
		d = add(r, item, DIFFERENCE_LENGTH);
		if (!expected(d, "%zu bytes", x->actual) || !got(d, "%zu bytes", a->actual))
			return false;
	}
	if (!(x->setup.type & 0x80) || !x->length || !a->data)
		return true;
	if (x->op == OP_GETSTATUS && length == STATUS_BYTES)
		return compare_status(r, item, x->data, a->data);
	for (size_t i = length; i-- > 0;)
		if (x->data[i] != a->data[i]) {
			first = i;
			count++;
		}
	if (!count)
		return true;
	d = add(r, item, x->op == OP_GETSTATE ? DIFFERENCE_STATE : DIFFERENCE_DATA);
	if (!d)
		return false;
	d->count = count;
	if (x->op == OP_GETSTATE)
		return expected(d, "%s", dfuse_name_state(x->data[0], then)) &&
		       got(d, "%s", dfuse_name_state(a->data[0], now));
	d->has_offset = true;
	d->offset = first;
	return expected(d, "0x%02x", x->data[first]) && got(d, "0x%02x", a->data[first]);
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* What a board holds until its flash is ready takes less after a longer pause, and more after a shorter one; pauses are the
 * host's, and not what is judged. */
static uint64_t deviation_of(const struct replay *r, size_t item, uint64_t then, uint64_t now)
{
	const struct recorded *i = &r->recording.items[item], *before = item ? i - 1 : i;
	const struct replay_answer *a = &r->answers[item], *answer = item ? a - 1 : a;
	uint64_t deviation = apart(then, now), held, was, is;

	if (i->exchange->op != OP_GETSTATUS || !item || before->kind != RECORDED_REQUEST || !r->answered[item - 1] ||
	    before->board != i->board || i->exchange->start_us < before->exchange->end_us ||
	    a->start_us < answer->end_us)
		return deviation;
	was = i->exchange->start_us - before->exchange->end_us + then;
	is = a->start_us - answer->end_us;
	held = was > is ? was - is : 0;
	return apart(held, now) < deviation ? apart(held, now) : deviation;
}

static bool compare_time(struct replay *r, size_t item, const struct exchange *x, const struct replay_answer *a)
{
	uint64_t then = x->end_us - x->start_us, now = a->end_us - a->start_us;
	uint64_t deviation = deviation_of(r, item, then, now);
	double allowed = (double)r->options->tolerance_us + (double)then * r->options->tolerance_percent / 100;
	struct difference *d;

	if (r->deviant == SIZE_MAX || deviation > r->deviation_us) {
		r->deviant = item;
		r->deviation_us = deviation;
	}
	if (!r->options->judge_time || (double)deviation <= allowed)
		return true;
	d = add(r, item, DIFFERENCE_TIME);
	return expected(d, "%llu.%03llu ms", (unsigned long long)then / 1000, (unsigned long long)then % 1000) &&
	       got(d, "%llu.%03llu ms", (unsigned long long)now / 1000, (unsigned long long)now % 1000);
}

static bool compare_arrival(struct replay *r, size_t item)
{
	const struct recorded *i = &r->recording.items[item];
	struct difference *d;

	if (r->answers[item].end == HOST_OK)
		return true;
	d = add(r, item, DIFFERENCE_RETURN);
	if (r->answers[item].end == HOST_LATE)
		return expected(d, "the device to leave, and to come back as %04x:%04x", i->vendor, i->product) &&
		       got(d, "a device that stayed");
	return expected(d, "device %04x:%04x to come", i->vendor, i->product) && got(d, "none");
}

static bool compare_item(struct replay *r, size_t item)
{
	const struct recorded *i = &r->recording.items[item];
	const struct exchange *x = i->exchange;
	const struct replay_answer *a = &r->answers[item];
	char then[REPLAY_TEXT], now[REPLAY_TEXT];
	struct difference *d;

	if (i->kind == RECORDED_ARRIVAL)
		return compare_arrival(r, item);
	if (i->kind == RECORDED_RESET && a->end == HOST_OK)
		return true;
	if (!x->complete && i->kind != RECORDED_RESET) {
		r->unknown++; /* lost, or after the recording: what is taken back completes as well */
		return true;
	}
	if (i->kind == RECORDED_RESET || !ends_alike(x, a->end)) {
		d = add(r, item, DIFFERENCE_RESULT);
		recorded_end(x, then, sizeof(then));
		answer_end(a, now, sizeof(now));
		return expected(d, "%s", i->kind == RECORDED_RESET ? "the device to be there again" : then) &&
		       got(d, "%s", now);
	}
	if (a->end == HOST_OK && i->kind == RECORDED_REQUEST && !compare_data(r, item, x, a))
		return false;
	/* What nobody answered took as long as the host had patience. */
	if (i->kind != RECORDED_REQUEST || a->end == HOST_LATE)
		return true;
	return compare_time(r, item, x, a);
}

static void mark_gap(struct replay *r)
{
	r->gap = r->recording.transcript.gap;
	for (size_t i = 0; i < r->recording.count; i++) {
		const struct recorded *item = &r->recording.items[i];

		if (item->kind == RECORDED_REQUEST && replay_is_cut(item->exchange) &&
		    (!r->gap || item->exchange->packet < r->gap))
			r->gap = item->exchange->packet + 1;
	}
	for (size_t i = 0; r->gap && i < r->difference_count; i++)
		r->differences[i].after_gap = r->recording.items[r->differences[i].item].exchange->packet >= r->gap;
}

static bool compare_all(struct replay *r)
{
	struct difference *d;

	r->deviant = SIZE_MAX;
	for (size_t i = 0; i < r->recording.count; i++) {
		bool is_request = r->recording.items[i].kind != RECORDED_ARRIVAL;
		size_t count = 0;

		if (r->answered[i]) {
			r->requests += is_request;
			r->sent += is_request;
			if (!compare_item(r, i))
				return false;
			continue;
		}
		for (; i + count < r->recording.count && !r->answered[i + count]; count++)
			r->requests += r->recording.items[i + count].kind != RECORDED_ARRIVAL;
		d = add(r, i, DIFFERENCE_UNSENT);
		if (!expected(d, "to be sent") || !got(d, "nothing was sent of %zu", count))
			return false;
		d->count = count;
		i += count - 1;
	}
	return true;
}

bool replay_compare(struct replay *r)
{
	if (!compare_all(r))
		return false;
	mark_gap(r);
	return true;
}
