// SPDX-License-Identifier: GPL-2.0-or-later
/* The requests of a session, as a script for `host`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dfuse.h"
#include "dfuse_names.h"
#include "import.h"

#define INLINE_BYTES 16u
#define PAUSE_US 10000u /* shorter ones are no pause that anybody meant */

struct script {
	struct import *im;
	const struct import_session *s;
	uint8_t *blob; /* longer data of all requests, one behind the other */
	size_t used;
	char blob_name[IMPORT_NAME];
	uint64_t waited_us; /* by the line before */
};

static FILE *out(struct script *s)
{
	return s->im->steps;
}

static void put_data(struct script *s, const uint8_t *data, size_t length)
{
	if (length <= INLINE_BYTES) {
		fputs("hex", out(s));
		for (size_t i = 0; i < length; i++)
			fprintf(out(s), " %02x", data[i]);
		return;
	}
	fprintf(out(s), "file %s offset %zu length %zu", s->blob_name, s->used, length);
	s->used += length;
}

static bool moved(const struct exchange *x)
{
	return x->complete && x->result == USB_ACK && x->length;
}

/* Of a request of the script: more data than it has itself. */
static bool has_blob(const struct script *s, size_t item)
{
	const struct recorded *i = &s->im->recording->items[item];
	const struct exchange *x = i->exchange;

	if (i->kind != RECORDED_REQUEST || i->board != s->s->board || x->length <= INLINE_BYTES)
		return false;
	if (x->op == OP_GET || x->op == OP_READ)
		return moved(x);
	return x->op == OP_WRITE || x->op == OP_UNKNOWN_COMMAND;
}

/* The data first: its file has a name only then. */
static bool collect(struct script *s)
{
	const struct recording *r = s->im->recording;
	const char *name;
	size_t total = 0;

	for (unsigned pass = 0; pass < 2; pass++) {
		total = 0;
		for (size_t i = s->s->first; i < s->s->end; i++) {
			const struct exchange *x = r->items[i].exchange;

			if (!has_blob(s, i))
				continue;
			if (pass)
				memcpy(s->blob + total, x->data, x->length);
			total += x->length;
		}
		if (!pass)
			s->blob = malloc(total + 1);
		if (!s->blob)
			return false;
	}
	if (!total)
		return true;
	name = import_data(s->im, "data", s->blob, total);
	if (name)
		snprintf(s->blob_name, sizeof(s->blob_name), "%s", name);
	return name;
}

static const char *const on_names[DFUSE_OPS] = {
	[OP_DETACH] = "detach",       [OP_GETSTATUS] = "getstatus",
	[OP_CLRSTATUS] = "clrstatus", [OP_GETSTATE] = "getstate",
	[OP_ABORT] = "abort",         [OP_GET] = "get",
	[OP_READ] = "read",           [OP_SET_ADDRESS] = "set-address",
	[OP_ERASE] = "erase",         [OP_MASS_ERASE] = "mass-erase",
	[OP_UNPROTECT] = "unprotect", [OP_WRITE] = "write",
	[OP_LEAVE] = "leave",
};

/* A STALL that a ROM in that state has no reason for (DFU 1.1 A.2; f407.md ERR rows): no dfuERROR follows, either. */
static bool is_fault(const struct import_session *s, const struct recording *r, size_t item)
{
	const struct exchange *x = r->items[item].exchange;

	if (x->result != USB_STALL || !x->complete || !on_names[x->op])
		return false;
	for (size_t i = item + 1; i < s->end && x->op != OP_GETSTATUS; i++) {
		const struct exchange *y = r->items[i].exchange;

		if (r->items[i].board != s->board || r->items[i].kind != RECORDED_REQUEST)
			continue;
		if (y->has_reply && y->reply_state == DFU_ERROR)
			return false;
		if (y->op == OP_CLRSTATUS || y->has_reply)
			break;
	}
	switch (x->op) {
	case OP_GETSTATUS:
	case OP_GETSTATE:
		return true;
	case OP_CLRSTATUS:
		return x->before == DFU_ERROR;
	case OP_GET:
	case OP_READ:
		return x->before == DFU_IDLE || x->before == DFU_UPLOAD_IDLE;
	default:
		return x->before == DFU_IDLE || x->before == DFU_DNLOAD_IDLE;
	}
}

static unsigned put_faults(struct script *s)
{
	const struct recording *r = s->im->recording;
	unsigned seen[DFUSE_OPS] = { 0 }, faults = 0;

	for (size_t i = s->s->first; i < s->s->end; i++) {
		const struct exchange *x = r->items[i].exchange;

		if (r->items[i].kind != RECORDED_REQUEST || r->items[i].board != s->s->board)
			continue;
		seen[x->op]++;
		if (!is_fault(s->s, r, i))
			continue;
		if (!faults++)
			fputs("  # Nothing in the recording tells why this was stalled: taken for a fault.\n", out(s));
		fprintf(out(s), "  - fault: {rule: \"stall on=%s,count=%u\"}", on_names[x->op], seen[x->op]);
		if (r->boards > 1)
			fprintf(out(s), "\n    board: %u", s->s->board);
		fputc('\n', out(s));
	}
	return faults;
}

static void put_end(struct script *s, const struct exchange *x)
{
	if (!x->complete)
		fputs(" -> any", out(s)); /* the recording does not have it */
	else if (x->result == USB_CANCELLED)
		fputs(" -> timeout", out(s));
	else if (x->result == USB_STALL)
		fputs(" -> stall", out(s));
	else if (x->result == USB_GONE)
		fputs(" -> gone", out(s));
	else if (x->result == USB_SILENT)
		fputs(" -> error", out(s));
}

/* A script has no words for what is no state or status of DFU. */
static bool has_names(const struct exchange *x)
{
	return *dfu_state_name(x->reply_state) != '?' && *dfu_status_name(x->status) != '?';
}

static void put_status(struct script *s, const struct exchange *x, bool waits)
{
	char state[DFUSE_CODE_TEXT], status[DFUSE_CODE_TEXT];

	fprintf(out(s), "getstatus%s", waits ? " wait" : "");
	if (x->complete && x->result == USB_ACK && x->has_reply && !has_names(x))
		fprintf(out(s), " -> any # %s, %s, which DFU does not have", dfuse_name_state(x->reply_state, state),
			dfuse_name_status(x->status, status));
	else if (x->complete && x->result == USB_ACK && x->has_reply)
		fprintf(out(s), " -> %s %s poll %u", dfu_state_name(x->reply_state), dfu_status_name(x->status),
			(unsigned)x->poll_ms);
	else if (x->complete && x->result == USB_ACK)
		fputs(" -> any", out(s));
	put_end(s, x);
}

static void put_upload(struct script *s, const struct exchange *x)
{
	fprintf(out(s), "upload %u %u", x->setup.value, x->setup.length);
	if (moved(x)) {
		fputs(" -> ", out(s));
		put_data(s, x->data, x->length);
	} else if (x->complete && x->result == USB_ACK) {
		fputs(" -> length 0", out(s));
	}
	put_end(s, x);
}

static void put_request(struct script *s, const struct exchange *x, bool waits)
{
	switch (x->op) {
	case OP_GETSTATUS:
		put_status(s, x, waits);
		return;
	case OP_GETSTATE:
		fputs("getstate", out(s));
		if (x->has_reply && has_names(x))
			fprintf(out(s), " -> %s", dfu_state_name(x->reply_state));
		else if (x->has_reply)
			fprintf(out(s), " -> any # state %u, which DFU does not have", x->reply_state);
		break;
	case OP_GET:
	case OP_READ:
		put_upload(s, x);
		return;
	case OP_SET_ADDRESS:
	case OP_ERASE:
		fprintf(out(s), "%s 0x%08x", on_names[x->op], x->target);
		break;
	case OP_MASS_ERASE:
	case OP_UNPROTECT:
	case OP_CLRSTATUS:
	case OP_ABORT:
		fputs(on_names[x->op], out(s));
		break;
	case OP_DETACH:
		fprintf(out(s), "detach %u", x->setup.value);
		break;
	default:
		fprintf(out(s), "dnload %u ", x->setup.value);
		if (x->length)
			put_data(s, x->data, x->length);
		else
			fputs("empty", out(s));
	}
	put_end(s, x);
}

static bool waits_for(const struct import_session *s, const struct recording *r, size_t item)
{
	const struct exchange *x = r->items[item].exchange;

	if (x->op != OP_GETSTATUS || !x->has_reply || !x->poll_ms)
		return false;
	for (size_t i = item + 1; i < s->end; i++)
		if (r->items[i].board == s->board)
			return r->items[i].exchange->start_us >= x->end_us + x->poll_ms * UINT64_C(1000);
	return false;
}

static void put_line(struct script *s, size_t item)
{
	const struct recording *r = s->im->recording;
	const struct recorded *i = &r->items[item];
	const struct exchange *x = i->exchange;
	bool waits = i->kind == RECORDED_REQUEST && waits_for(s->s, r, item);
	uint64_t gap_us = i->gap_us > s->waited_us ? i->gap_us - s->waited_us : 0, patience_us = 0;

	if (i->kind == RECORDED_ARRIVAL)
		return;
	if (gap_us >= PAUSE_US && item > s->s->first && r->items[item - 1].kind != RECORDED_ARRIVAL)
		fprintf(out(s), "      sleep %llums\n", (unsigned long long)(gap_us / 1000));
	s->waited_us = waits ? x->poll_ms * UINT64_C(1000) : 0;
	if (i->kind == RECORDED_REQUEST && x->complete && x->result == USB_CANCELLED && x->end_us > x->start_us)
		patience_us = x->end_us - x->start_us;
	if (patience_us > RECORDING_PAUSE_MOST_US)
		patience_us = RECORDING_PAUSE_MOST_US;
	/* With as much patience as the host had. */
	if (patience_us)
		fprintf(out(s), "      timeout %llums\n", (unsigned long long)((patience_us + 999) / 1000));
	fputs("      ", out(s));
	switch (i->kind) {
	case RECORDED_SET_INTERFACE:
		if (x->setup.value > 0xff) {
			fprintf(out(s), "# SET_INTERFACE %u, which a script cannot send", x->setup.value);
			break;
		}
		fprintf(out(s), "set-interface %u", x->setup.value);
		put_end(s, x);
		break;
	case RECORDED_SET_CONFIGURATION:
		fprintf(out(s), "# SET_CONFIGURATION %u, which a script cannot send", x->setup.value);
		break;
	case RECORDED_RESET:
		fputs("reset", out(s));
		break;
	default:
		put_request(s, x, waits);
	}
	fputc('\n', out(s));
	if (patience_us)
		fputs("      timeout 40s\n", out(s));
}

void import_script(struct import *im, const struct import_session *session)
{
	struct script s = { .im = im, .s = session };
	const struct recording *r = im->recording;
	unsigned faults;

	if (!collect(&s)) {
		im->failed = true;
		free(s.blob);
		return;
	}
	if (session->trouble)
		fprintf(im->steps, "  # By its requests, for %s (packet %zu).\n", session->trouble,
			r->items[session->trouble_item].exchange->packet);
	faults = put_faults(&s);
	fputs("  - host: |\n", im->steps);
	for (size_t i = session->first; i < session->end; i++)
		if (r->items[i].board == session->board)
			put_line(&s, i);
	if (r->boards > 1)
		fprintf(im->steps, "    board: %u\n", session->board);
	if (faults) {
		fputs("  - fault: {clear: true}", im->steps);
		if (r->boards > 1)
			fprintf(im->steps, "\n    board: %u", session->board);
		fputc('\n', im->steps);
	}
	free(s.blob);
}
