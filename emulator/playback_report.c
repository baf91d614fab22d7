// SPDX-License-Identifier: GPL-2.0-or-later
/* How the playing of a recording went, for people and as JSON. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "dfuse_names.h"
#include "playback_internal.h"

#define TEXT 240
#define SHOWN_BYTES 16u /* of data, around the place that matters */
#define SAID_MOST 20    /* departures and liberties of a player said one by one */

static const char *const names[] = {
	[RECORDED_DIFFERS] = "differs",
	[RECORDED_OVER] = "over",
	[RECORDED_NOT_MADE] = "not-made",
	[RECORDED_GIVEN_UP] = "given-up",
	[RECORDED_READ_AGAIN] = "read-again",
	[RECORDED_NO_ANSWER] = "no-answer",
	[RECORDED_EXTRA_POLL] = "extra-poll",
	[RECORDED_LEFT_OUT] = "left-out",
	[RECORDED_OUT_OF_ORDER] = "out-of-order",
	[RECORDED_LEAVES] = "leaves",
	[RECORDED_COMES] = "comes",
};

static char *hex(const uint8_t *bytes, size_t length, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < length && used + 4 < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%02x", i ? " " : "", bytes[i]);
	return out;
}

/* "21 01 02 00 00 00 00 08, data from byte 8: 00 11 22"; at: of the data, where it matters. */
static char *bytes_text(const struct usb_setup *s, const uint8_t *data, size_t length, size_t at, char *out,
			size_t size)
{
	uint8_t setup[8];
	char data_hex[3 * SHOWN_BYTES + 4], setup_hex[3 * sizeof(setup) + 4], start[32] = "";
	size_t from = at > SHOWN_BYTES / 2 ? at - SHOWN_BYTES / 2 : 0;
	size_t shown;

	if (from > length)
		from = length;
	shown = length - from < SHOWN_BYTES ? length - from : SHOWN_BYTES;
	usb_setup_encode(s, setup);
	hex(setup, sizeof(setup), setup_hex, sizeof(setup_hex));
	if (!length)
		snprintf(out, size, "%s", setup_hex);
	if (from)
		snprintf(start, sizeof(start), " from byte %zu", from);
	if (length)
		snprintf(out, size, "%s, data%s: %s%s", setup_hex, start,
			 hex(data + from, shown, data_hex, sizeof(data_hex)), from + shown < length ? " ..." : "");
	return out;
}

static const char *result_text(const struct recorded_exchange *x)
{
	static const char *const results[] = {
		[USB_ACK] = "ACK",
		[USB_STALL] = "STALL",
		[USB_SILENT] = "no answer",
		[USB_CANCELLED] = "taken back by the host",
		[USB_GONE] = "the device is gone",
	};

	return x->complete ? results[x->result] : "never completed";
}

/* "DFU_GETSTATUS: dfuIDLE, OK, poll 0 ms" */
static char *exchange_words(const struct recorded_exchange *x, bool outcome, char *out, size_t size)
{
	char setup[96], payload[64];

	dfuse_name_setup(&x->setup, setup, sizeof(setup));
	dfuse_name_payload(&x->setup, x->data, x->length, payload, sizeof(payload));
	if (x->complete && x->result == USB_ACK && x->setup.type & 0x80)
		snprintf(out, size, "%s%s%s", setup, outcome && payload[0] ? ": " : "", outcome ? payload : "");
	else
		snprintf(out, size, "%s%s%s%s%s", setup, payload[0] && !(x->setup.type & 0x80) ? ": " : "",
			 x->setup.type & 0x80 ? "" : payload, outcome ? " -> " : "", outcome ? result_text(x) : "");
	return out;
}

static char *request_words(const struct recorded_event *e, char *out, size_t size)
{
	struct recorded_exchange x = { .setup = e->setup, .data = e->data, .length = e->length };

	return exchange_words(&x, false, out, size);
}

static char *place(const struct recorded_exchange *x, char *out, size_t size)
{
	snprintf(out, size, "packet %" PRIu64 " at %" PRIu64 ".%06" PRIu64 " s", x->packet, x->start_us / 1000000,
		 x->start_us % 1000000);
	return out;
}

static char *difference_words(const struct recorded_difference *d, char *out, size_t size)
{
	const char *of = d->part == IN_SETUP ? "SETUP packet" : "data";

	if (d->actual < 0)
		snprintf(out, size, "the data ends at byte %zu", d->offset);
	else
		snprintf(out, size, "byte %zu of the %s is 0x%02x instead of 0x%02x", d->offset, of,
			 (unsigned)d->actual, (unsigned)d->expected);
	return out;
}

/* The sentence behind the place. */
static char *what_words(const struct recorded_event *e, char *out, size_t size)
{
	struct recorded_difference d;
	char words[96];

	switch (e->what) {
	case RECORDED_DIFFERS:
		if (recorded_differs(e->expected, &e->setup, e->data, e->length, &d))
			snprintf(out, size, "the tool departs from the recording: %s",
				 difference_words(&d, words, sizeof(words)));
		else
			snprintf(out, size, "the tool departs from the recording");
		break;
	case RECORDED_OVER:
		snprintf(out, size, "%s",
			 e->expected ? "the recording does not have the answer to this request"
				     : "the tool goes on where the recording has no more requests");
		break;
	case RECORDED_NOT_MADE:
		snprintf(out, size, "the tool ended where the recording goes on: %" PRIu64 " %s not made", e->count,
			 e->count == 1 ? "request was" : "requests were");
		break;
	case RECORDED_GIVEN_UP:
		snprintf(out, size,
			 "the tool took the request back after %" PRIu64 " ms; recorded is an answer after %" PRIu64
			 " ms",
			 e->count / 1000, (e->expected->end_us - e->expected->start_us) / 1000);
		break;
	case RECORDED_READ_AGAIN:
		snprintf(out, size, "a descriptor is read more often than in the recording");
		break;
	case RECORDED_NO_ANSWER:
		snprintf(out, size, "the recording does not have a descriptor that was asked for: stalled");
		break;
	case RECORDED_EXTRA_POLL:
		snprintf(out, size, "an extra request, answered by what the device said last");
		break;
	case RECORDED_LEFT_OUT:
		snprintf(out, size, "%" PRIu64 " GETSTATUS or GETSTATE left out", e->count);
		break;
	case RECORDED_OUT_OF_ORDER:
		snprintf(out, size, "a request out of its order");
		break;
	case RECORDED_LEAVES:
		snprintf(out, size, "the device leaves the bus");
		break;
	case RECORDED_COMES:
		snprintf(out, size, "the device is on the bus, life %" PRIu64 " of it", e->count);
		break;
	}
	return out;
}

static const char *device_words(const struct player *p, char *out, size_t size)
{
	if (p->recording->player_count == 1)
		return "";
	snprintf(out, size, "device %u (%04x:%04x): ", p->number, p->vendor, p->product);
	return out;
}

static void say_line(const struct player *p, const struct recorded_event *e)
{
	const struct playback *r = p->recording;
	const struct recorded_exchange *near = e->expected ? e->expected : recorded_history(p->device, 0);
	char device[48], where[64] = "", what[TEXT], words[TEXT] = "";

	if (near) {
		place(near, where, sizeof(where));
		strcat(where, ": ");
	}
	what_words(e, what, sizeof(what));
	if (e->has_request && !e->departure) {
		words[0] = ':';
		words[1] = ' ';
		request_words(e, words + 2, sizeof(words) - 2);
	}
	if (e->departure)
		say_error(r->say, "%s: %s%s%s%s", r->name, device_words(p, device, sizeof(device)),
			  e->expected || !near ? "" : "after ", where, what);
	else
		say_event(r->say, "%s: %s%s%s%s%s", r->name, device_words(p, device, sizeof(device)),
			  e->expected || !near ? "" : "after ", where, what, words);
}

static void say_departure(const struct player *p, const struct recorded_event *e)
{
	const struct say *say = p->recording->say;
	const struct recorded_exchange *x;
	struct recorded_difference d = { .offset = 0 };
	char words[TEXT], bytes[TEXT], where[64];
	size_t at = 0;

	say_line(p, e);
	if (e->expected && e->has_request && recorded_differs(e->expected, &e->setup, e->data, e->length, &d) &&
	    d.part != IN_SETUP)
		at = d.offset;
	if ((x = e->expected)) {
		size_t length = x->setup.type & 0x80 ? 0 : x->length;

		say_error(say, "  recorded: %s [%s]", exchange_words(x, false, words, sizeof(words)),
			  bytes_text(&x->setup, x->data, length, at, bytes, sizeof(bytes)));
	}
	if (e->has_request)
		say_error(say, "  the tool: %s [%s]", request_words(e, words, sizeof(words)),
			  bytes_text(&e->setup, e->data, e->length, at, bytes, sizeof(bytes)));
	for (unsigned i = 0; (x = recorded_history(p->device, i)); i++)
		if (x != e->expected)
			say_error(say, "  before:   %s: %s", place(x, where, sizeof(where)),
				  exchange_words(x, true, words, sizeof(words)));
}

static void keep(struct player *p, const struct recorded_event *e)
{
	struct kept *kept = p->kept_count < KEPT_EVENTS ? realloc(p->kept, (p->kept_count + 1) * sizeof(*p->kept))
							: NULL;
	uint8_t *data;

	if (!kept) {
		p->unkept++;
		return;
	}
	p->kept = kept;
	kept += p->kept_count;
	*kept = (struct kept){ .event = *e };
	kept->event.data = NULL;
	kept->event.length = 0;
	data = e->length ? malloc(e->length) : NULL;
	if (data) {
		memcpy(data, e->data, e->length);
		kept->event.data = data;
		kept->event.length = e->length;
	}
	for (unsigned i = 0; i < RECORDED_HISTORY; i++)
		kept->before[i] = recorded_history(p->device, i);
	p->kept_count++;
}

void playback_event(void *context, const struct recorded_event *e)
{
	struct player *p = context;
	bool news = !e->departure && (e->what == RECORDED_LEAVES || e->what == RECORDED_COMES);

	if (!news && (e->departure || e->what != RECORDED_NO_ANSWER))
		keep(p, e);
	if (!e->departure)
		say_line(p, e);
	else if (recorded_counts(p->device).departures <= SAID_MOST)
		say_departure(p, e);
}

bool playback_finish(struct playback *r)
{
	uint64_t requests = 0, played = 0;

	if (r->finished)
		return r->departures > 0;
	r->finished = true;
	for (unsigned i = 0; i < r->player_count; i++) {
		struct recorded_counts counts;

		recorded_finish(r->players[i].device);
		counts = recorded_counts(r->players[i].device);
		if (counts.departures > SAID_MOST)
			say_error(r->say, "%s: %u more departures", r->name, counts.departures - SAID_MOST);
		r->departures += counts.departures;
		r->liberties += counts.liberties;
		requests += counts.requests;
		played += counts.played;
	}
	if (r->liberties)
		say_note(r->say, "%s: %" PRIu64 " %s taken (-v tells each)", r->name, r->liberties,
			 r->liberties == 1 ? "liberty" : "liberties");
	say_event(r->say, "%s: %" PRIu64 " of %" PRIu64 " requests as recorded", r->name, played, requests);
	return r->departures > 0;
}

/* JSON. */

static void write_hex(struct writer *w, const char *key, const uint8_t *bytes, size_t length)
{
	char *text = malloc(3 * length + 4);

	if (text)
		writer_string(w, key, hex(bytes, length, text, 3 * length + 4));
	else
		w->failed = true;
	free(text);
}

static void write_request(struct writer *w, const char *key, const struct usb_setup *s, const uint8_t *data,
			  size_t length, const char *words)
{
	uint8_t setup[8];

	usb_setup_encode(s, setup);
	writer_object(w, key);
	write_hex(w, "setup", setup, sizeof(setup));
	if (!(s->type & 0x80))
		write_hex(w, "data", data, length);
	writer_string(w, "text", words);
	writer_end(w);
}

static void write_place(struct writer *w, const struct recorded_exchange *x)
{
	writer_number(w, "packet", x->packet);
	writer_number(w, "time_us", x->start_us);
}

static void write_difference(struct writer *w, const struct recorded_difference *d)
{
	static const char *const parts[] = { [IN_SETUP] = "setup", [IN_DATA] = "data", [IN_LENGTH] = "length" };

	writer_object(w, "first_difference");
	writer_string(w, "part", parts[d->part]);
	writer_number(w, "offset", d->offset);
	writer_number(w, "expected", (uint64_t)d->expected);
	if (d->actual >= 0)
		writer_number(w, "actual", (uint64_t)d->actual);
	writer_end(w);
}

static void write_event(struct writer *w, const struct kept *k)
{
	const struct recorded_event *e = &k->event;
	const struct recorded_exchange *x = e->expected;
	struct recorded_difference d;
	char words[TEXT];

	writer_object(w, NULL);
	writer_string(w, "what", names[e->what]);
	writer_string(w, "text", what_words(e, words, sizeof(words)));
	if (x)
		write_place(w, x);
	writer_number(w, "bench_us", e->now_us);
	if (e->count)
		writer_number(w, "count", e->count);
	if (x)
		write_request(w, "expected", &x->setup, x->data, x->length,
			      exchange_words(x, false, words, sizeof(words)));
	if (e->has_request)
		write_request(w, "actual", &e->setup, e->data, e->length, request_words(e, words, sizeof(words)));
	if (x && e->what == RECORDED_DIFFERS && recorded_differs(x, &e->setup, e->data, e->length, &d))
		write_difference(w, &d);
	writer_array(w, "before");
	for (unsigned i = 0; e->departure && i < RECORDED_HISTORY && k->before[i]; i++) {
		writer_object(w, NULL);
		write_place(w, k->before[i]);
		writer_string(w, "text", exchange_words(k->before[i], true, words, sizeof(words)));
		writer_end(w);
	}
	writer_end(w);
	writer_end(w);
}

static void write_events(struct writer *w, const char *key, const struct player *p, bool departures)
{
	writer_array(w, key);
	for (size_t i = 0; i < p->kept_count; i++)
		if (p->kept[i].event.departure == departures)
			write_event(w, &p->kept[i]);
	writer_end(w);
}

void playback_write(const struct playback *r, struct writer *w)
{
	char id[12];

	writer_string(w, "capture", r->name);
	writer_bool(w, "loose", r->loose);
	writer_number(w, "departures", r->departures);
	writer_number(w, "liberties", r->liberties);
	writer_array(w, "devices");
	for (unsigned i = 0; i < r->player_count; i++) {
		const struct player *p = &r->players[i];
		struct recorded_counts counts = recorded_counts(p->device);

		writer_object(w, NULL);
		writer_number(w, "bus", p->bus);
		writer_number(w, "address", p->address);
		snprintf(id, sizeof(id), "%04x:%04x", p->vendor, p->product);
		writer_string(w, "id", id);
		writer_string(w, "serial", p->serial);
		writer_number(w, "lives", counts.lives);
		writer_number(w, "life", counts.life);
		writer_number(w, "requests", counts.requests);
		writer_number(w, "played", counts.played);
		write_events(w, "departures", p, true);
		write_events(w, "liberties", p, false);
		if (p->unkept)
			writer_number(w, "not_listed", p->unkept);
		writer_end(w);
	}
	writer_end(w);
}
