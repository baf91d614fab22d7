// SPDX-License-Identifier: GPL-2.0-or-later
/* The time line: a line for each command with what GETSTATUS told of it, or an object for each request. */
#include <stdio.h>
#include <string.h>
#include "crc32.h"
#include "dfuse_names.h"
#include "show_internal.h"

#define DATA_SHOWN 64 /* bytes of data that --json has in hex */

const char *show_paint(const struct show *s, const char *colour)
{
	return s->colour ? colour : "";
}

static const char *colour_of(enum dfuse_op op)
{
	switch (op) {
	case OP_ERASE:
	case OP_MASS_ERASE:
	case OP_UNPROTECT:
		return SHOW_YELLOW;
	case OP_WRITE:
		return SHOW_GREEN;
	case OP_READ:
	case OP_GET:
		return SHOW_CYAN;
	case OP_LEAVE:
	case OP_DETACH:
		return SHOW_BOLD;
	default:
		return "";
	}
}

static const char *state_name(uint8_t state)
{
	return state == DFU_STATE_UNKNOWN ? "?" : dfu_state_name(state);
}

static void head(struct show *s)
{
	if (s->headed)
		return;
	s->headed = true;
	printf("%s%12s %5s  %-58s %12s %9s  %s%s\n", show_paint(s, SHOW_BOLD), "time, s", "board", "request",
	       "taken, ms", "told, ms", "answer", show_paint(s, SHOW_PLAIN));
}

static void begin_line(struct show *s, const struct exchange *x)
{
	head(s);
	printf("%5llu.%06llu ", (unsigned long long)(x->start_us / 1000000),
	       (unsigned long long)(x->start_us % 1000000));
	if (x->board)
		printf("%5u  ", x->board);
	else
		printf("%3u.%-3u ", x->bus, x->device);
}

static size_t add_sector(const struct show_board *b, uint32_t address, char *out, size_t size)
{
	struct layout_sector sector;

	if (!b || !layout_sector_at(&b->picture.layout, address, &sector))
		return 0;
	if (sector.span->memory)
		return (size_t)snprintf(out, size, ", %s", b->picture.layout.memories[sector.span->memory]);
	return (size_t)snprintf(out, size, ", sector %u", (unsigned)sector.number);
}

/* "WRITE 0x08000000, sector 0, 2048 bytes, sum 1a2b3c4d" */
static void name_request(const struct show_board *b, const struct exchange *x, uint32_t sum, char *out, size_t size)
{
	size_t n;

	if (x->op == OP_NONE) {
		dfuse_name_setup(&x->setup, out, size);
		return;
	}
	n = (size_t)snprintf(out, size, "%s", dfuse_op_name(x->op));
	if (x->has_target) {
		n += (size_t)snprintf(out + n, size - n, " 0x%08X", (unsigned)x->target);
		n += add_sector(b, x->target, out + n, size - n);
	} else if (x->op == OP_WRITE || x->op == OP_READ) {
		n += (size_t)snprintf(out + n, size - n, " block %u", x->setup.value);
	}
	if (x->op == OP_WRITE)
		n += (size_t)snprintf(out + n, size - n, ", %u bytes", x->setup.length);
	else if (x->op == OP_READ || x->op == OP_GET)
		n += (size_t)snprintf(out + n, size - n, ", %zu of %u bytes", x->actual, x->setup.length);
	if ((x->op == OP_WRITE || x->op == OP_READ) && x->length)
		snprintf(out + n, size - n, ", sum %08x", (unsigned)sum);
}

static const char *result_name(enum usb_result result, bool complete)
{
	if (!complete)
		return "answer not recorded";
	switch (result) {
	case USB_ACK:
		return "ok";
	case USB_STALL:
		return "STALL";
	case USB_SILENT:
		return "bus error";
	case USB_CANCELLED:
		return "taken back by the host";
	case USB_GONE:
		return "the device is gone";
	}
	return "?";
}

static void print_milliseconds(bool known, uint64_t us)
{
	if (known)
		printf(" %8llu.%03llu", (unsigned long long)(us / 1000), (unsigned long long)(us % 1000));
	else
		printf(" %12s", "");
}

static void print_request(struct show *s, const struct show_board *b, const struct exchange *x, uint32_t sum)
{
	char what[160];

	begin_line(s, x);
	name_request(b, x, sum, what, sizeof(what));
	printf("%s%-58s%s", show_paint(s, colour_of(x->op)), what, show_paint(s, SHOW_PLAIN));
}

/* What a GETSTATUS said, or how it failed. */
static void print_answer(struct show *s, bool bad, const char *text, const char *more)
{
	printf("  %s%s%s%s%s\n", show_paint(s, bad ? SHOW_RED : ""), text, more[0] ? ", " : "", more,
	       show_paint(s, bad ? SHOW_PLAIN : ""));
}

void show_close(struct show *s, struct show_board *b)
{
	struct show_open *o = &b->last;
	bool failed = o->x.result != USB_ACK || !o->x.complete;

	if (!o->open)
		return;
	o->open = false;
	print_request(s, b, &o->x, o->sum);
	print_milliseconds(failed || (o->was_busy && o->end_us > o->busy_since_us),
			   failed ? o->x.end_us - o->x.start_us : o->end_us - o->busy_since_us);
	if (o->told_ms)
		printf(" %9u", (unsigned)o->told_ms);
	else
		printf(" %9s", "");
	if (failed)
		print_answer(s, true, result_name(o->x.result, o->x.complete), "");
	else if (!o->asked)
		print_answer(s, false, "ok", "never asked");
	else if (o->result != USB_ACK || !o->complete)
		print_answer(s, true, "then", result_name(o->result, o->complete));
	else
		print_answer(s, o->state == DFU_ERROR, state_name(o->state),
			     o->status ? dfu_status_name(o->status) : "");
}

/* A GETSTATUS that tells of the command before. True: it is told in that line. */
static bool fold(struct show *s, struct show_board *b, const struct exchange *x)
{
	struct show_open *o = &b->last;

	if (!o->open || x->op != OP_GETSTATUS)
		return false;
	o->asked = true;
	o->result = x->result;
	o->complete = x->complete;
	o->end_us = x->end_us;
	if (x->complete && x->result == USB_ACK && x->has_reply) {
		o->state = x->reply_state;
		o->status = x->status;
		if (x->reply_state == DFU_DNBUSY || x->reply_state == DFU_MANIFEST) {
			if (!o->was_busy)
				o->busy_since_us = x->end_us;
			if (x->poll_ms > o->told_ms)
				o->told_ms = x->poll_ms;
			o->was_busy = true;
			if (x->reply_state == DFU_DNBUSY)
				return true;
		}
	}
	show_close(s, b);
	return true;
}

static bool has_end(const struct exchange *x)
{
	return x->op >= OP_SET_ADDRESS;
}

void show_line(struct show *s, struct show_board *b, const struct exchange *x)
{
	uint32_t sum = x->op == OP_WRITE || x->op == OP_READ ? crc32_add(0, x->data, x->length) : 0;
	bool failed = !x->complete || x->result != USB_ACK;
	char reply[80] = "", state[DFUSE_CODE_TEXT], status[DFUSE_CODE_TEXT];

	if (b && !s->some_ops) {
		if (fold(s, b, x))
			return;
		show_close(s, b);
		if (has_end(x) && !failed) {
			b->last = (struct show_open){ .open = true, .x = *x, .sum = sum };
			b->last.x.data = NULL;
			return;
		}
	}
	print_request(s, b, x, sum);
	print_milliseconds(x->complete, x->complete && x->end_us > x->start_us ? x->end_us - x->start_us : 0);
	if (x->op == OP_GETSTATUS && x->has_reply && x->poll_ms)
		printf(" %9u", (unsigned)x->poll_ms);
	else
		printf(" %9s", "");
	if (failed) {
		print_answer(s, true, result_name(x->result, x->complete), "");
	} else if (x->has_reply) {
		print_answer(s, x->reply_state == DFU_ERROR, dfuse_name_state(x->reply_state, state),
			     x->op == OP_GETSTATUS && x->status ? dfuse_name_status(x->status, status) : "");
	} else {
		if (x->op == OP_GET)
			dfuse_name_payload(&x->setup, x->data, x->length, reply, sizeof(reply));
		else if (x->op == OP_NONE && x->setup.type & 0x80)
			snprintf(reply, sizeof(reply), "%zu bytes", x->actual);
		print_answer(s, false, result_name(x->result, true), reply);
	}
}

void show_arrival(struct show *s, const struct exchange *x, const struct transcript_device *d)
{
	begin_line(s, x);
	printf("%s%04x:%04x at address %u of bus %u", show_paint(s, SHOW_BOLD), d->vendor, d->product, d->address,
	       d->bus);
	if (d->serial[0])
		printf(", serial number %s", d->serial);
	printf("%s\n", show_paint(s, SHOW_PLAIN));
}

/* Out with what the writer has: a capture may have any number of requests. */
static void flush_json(struct show *s)
{
	if (writer_failed(&s->writer)) {
		s->no_memory = true;
		return;
	}
	fwrite(s->writer.text, 1, s->writer.used, stdout);
	s->writer.used = 0;
}

static void write_data(struct writer *w, const struct exchange *x)
{
	char hex[2 * DATA_SHOWN + 1] = "";

	if (!x->length)
		return;
	writer_number(w, "crc32", crc32_add(0, x->data, x->length));
	if (x->length > DATA_SHOWN)
		return;
	for (size_t i = 0; i < x->length; i++)
		snprintf(hex + 2 * i, 3, "%02x", x->data[i]);
	writer_string(w, "data", hex);
}

static const char *result_word(const struct exchange *x)
{
	static const char *const words[] = { [USB_ACK] = "ack",
					     [USB_STALL] = "stall",
					     [USB_SILENT] = "silent",
					     [USB_CANCELLED] = "cancelled",
					     [USB_GONE] = "gone" };

	return x->complete ? words[x->result] : "none";
}

static void write_meaning(struct writer *w, const struct show_board *b, const struct exchange *x)
{
	struct layout_sector sector;

	writer_string(w, "request", x->op == OP_NONE ? "OTHER" : dfuse_op_name(x->op));
	if (x->has_target) {
		writer_number(w, "address", x->target);
		if (b && layout_sector_at(&b->picture.layout, x->target, &sector)) {
			writer_string(w, "memory", b->picture.layout.memories[sector.span->memory]);
			writer_number(w, "sector", sector.number);
		}
	}
	if (x->before != DFU_STATE_UNKNOWN)
		writer_string(w, "before", dfu_state_name(x->before));
	if (x->after != DFU_STATE_UNKNOWN)
		writer_string(w, "after", dfu_state_name(x->after));
	if (x->has_reply)
		writer_string(w, "state", dfu_state_name(x->reply_state));
	if (x->has_reply && x->op == OP_GETSTATUS) {
		writer_string(w, "status", dfu_status_name(x->status));
		writer_number(w, "poll_ms", x->poll_ms);
	}
}

void show_exchange_json(struct show *s, const struct show_board *b, const struct exchange *x)
{
	struct writer *w = &s->writer;

	writer_object(w, NULL);
	writer_number(w, "number", x->number);
	writer_number(w, "packet", x->packet);
	if (x->complete)
		writer_number(w, "packet_end", x->packet_end);
	writer_number(w, "time_us", x->start_us);
	if (x->complete)
		writer_number(w, "end_us", x->end_us);
	writer_number(w, "bus", x->bus);
	writer_number(w, "device", x->device);
	if (x->board)
		writer_number(w, "board", x->board);
	writer_number(w, "bmRequestType", x->setup.type);
	writer_number(w, "bRequest", x->setup.request);
	writer_number(w, "wValue", x->setup.value);
	writer_number(w, "wIndex", x->setup.index);
	writer_number(w, "wLength", x->setup.length);
	writer_string(w, "result", result_word(x));
	writer_number(w, "actual", x->actual);
	write_data(w, x);
	write_meaning(w, b, x);
	writer_end(w);
	flush_json(s);
}
