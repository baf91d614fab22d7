/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the transfers mean as DFU 1.1 and DfuSe (AN3156): operation, address, and the state that each leaves behind. */
#include <stdio.h>
#include <string.h>
#include "dfuse_names.h"
#include "transcript_internal.h"

#define FIRST_DATA_BLOCK 2u /* AN3156 4, 5 */
#define USUAL_TRANSFER_SIZE 2048u

static const char *const op_names[DFUSE_OPS] = {
	[OP_NONE] = "NONE",
	[OP_DETACH] = "DETACH",
	[OP_GETSTATUS] = "GETSTATUS",
	[OP_CLRSTATUS] = "CLRSTATUS",
	[OP_GETSTATE] = "GETSTATE",
	[OP_ABORT] = "ABORT",
	[OP_GET] = "GET",
	[OP_READ] = "READ",
	[OP_SET_ADDRESS] = "SET_ADDRESS",
	[OP_ERASE] = "ERASE",
	[OP_MASS_ERASE] = "MASS_ERASE",
	[OP_UNPROTECT] = "UNPROTECT",
	[OP_UNKNOWN_COMMAND] = "UNKNOWN_COMMAND",
	[OP_WRITE] = "WRITE",
	[OP_LEAVE] = "LEAVE",
};

const char *dfuse_op_name(enum dfuse_op op)
{
	return (unsigned)op < DFUSE_OPS ? op_names[op] : "?";
}

static uint32_t address_in(const uint8_t *b)
{
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void decode_command(struct exchange *x)
{
	x->op = OP_UNKNOWN_COMMAND;
	if (x->length != x->setup.length)
		return;
	if (x->length == 5 && (x->data[0] == DFUSE_SET_ADDRESS || x->data[0] == DFUSE_ERASE)) {
		x->op = x->data[0] == DFUSE_ERASE ? OP_ERASE : OP_SET_ADDRESS;
		x->has_target = true;
		x->target = address_in(x->data + 1);
	} else if (x->length == 1 && x->data[0] == DFUSE_ERASE) {
		x->op = OP_MASS_ERASE;
	} else if (x->length == 1 && x->data[0] == DFUSE_READ_UNPROTECT) {
		x->op = OP_UNPROTECT;
	}
}

/* Data blocks go by the pointer; without ST's commands there is none. */
static void decode_block(struct exchange *x, const struct incarnation *i, enum dfuse_op op, uint32_t block_bytes)
{
	x->op = op;
	x->has_target = !i->plain && x->setup.value >= FIRST_DATA_BLOCK;
	if (x->has_target)
		x->target = i->pointer + (x->setup.value - FIRST_DATA_BLOCK) * block_bytes;
}

static void decode(struct exchange *x, const struct incarnation *i, uint32_t block_bytes)
{
	static const enum dfuse_op ops[] = {
		[DFU_DETACH] = OP_DETACH,       [DFU_DNLOAD] = OP_WRITE,        [DFU_UPLOAD] = OP_READ,
		[DFU_GETSTATUS] = OP_GETSTATUS, [DFU_CLRSTATUS] = OP_CLRSTATUS, [DFU_GETSTATE] = OP_GETSTATE,
		[DFU_ABORT] = OP_ABORT,
	};

	x->op = ops[x->setup.request];
	if (x->setup.request == DFU_DNLOAD && !x->setup.length) {
		x->op = OP_LEAVE;
		x->has_target = !i->plain;
		x->target = i->pointer;
	} else if (x->setup.request == DFU_DNLOAD && !x->setup.value && !i->plain) {
		decode_command(x);
	} else if (x->setup.request == DFU_UPLOAD && !x->setup.value && !i->plain) {
		x->op = OP_GET;
	} else if (x->setup.request == DFU_DNLOAD || x->setup.request == DFU_UPLOAD) {
		decode_block(x, i, x->op, block_bytes);
	}
	if (!x->complete || x->result != USB_ACK)
		return;
	if (x->op == OP_GETSTATUS && x->length >= 6) {
		x->has_reply = true;
		x->status = x->data[0];
		x->poll_ms = x->data[1] | (uint32_t)x->data[2] << 8 | (uint32_t)x->data[3] << 16;
		x->reply_state = x->data[4];
	} else if (x->op == OP_GETSTATE && x->length >= 1) {
		x->has_reply = true;
		x->reply_state = x->data[0];
	}
}

/* The state after a request that was acknowledged (DFU 1.1 A.2, and what ST's ROMs do otherwise). */
static uint8_t state_after(const struct exchange *x, uint8_t before, const struct transcript_facts *f)
{
	switch (x->op) {
	case OP_GETSTATUS:
	case OP_GETSTATE:
		return x->has_reply ? x->reply_state : DFU_STATE_UNKNOWN;
	case OP_CLRSTATUS:
		if (before == DFU_ERROR)
			return DFU_IDLE;
		return f->clrstatus_to_error && before != DFU_STATE_UNKNOWN ? DFU_ERROR : DFU_STATE_UNKNOWN;
	case OP_ABORT:
		if (before == DFU_ERROR)
			return f->abort_keeps_error ? DFU_ERROR : DFU_STATE_UNKNOWN;
		return before == DFU_STATE_UNKNOWN ? DFU_STATE_UNKNOWN : DFU_IDLE;
	case OP_GET:
	case OP_READ: /* DFU 1.1 6.2: a short frame ends it */
		return x->actual < x->setup.length || !x->setup.length ? DFU_IDLE : DFU_UPLOAD_IDLE;
	case OP_LEAVE:
		return DFU_MANIFEST_SYNC;
	case OP_SET_ADDRESS:
	case OP_ERASE:
	case OP_MASS_ERASE:
	case OP_UNPROTECT:
	case OP_UNKNOWN_COMMAND:
	case OP_WRITE:
		return DFU_DNLOAD_SYNC;
	case OP_DETACH:
	case OP_NONE:
		break;
	}
	return DFU_STATE_UNKNOWN;
}

static uint8_t state_after_any(const struct exchange *x, uint8_t before, const struct transcript_facts *f)
{
	if (x->complete && x->result == USB_ACK)
		return state_after(x, before, f);
	if (x->complete && x->result == USB_STALL && (f->stall_keeps_state || x->op == OP_GETSTATE))
		return before;
	return DFU_STATE_UNKNOWN;
}

/* Set-Address takes hold when it is executed: a GETSTATUS that ends in dfuERROR, or an ABORT before any, takes it back. */
static void move_pointer(struct incarnation *i, const struct exchange *x, const struct transcript_facts *f)
{
	bool acknowledged = x->complete && x->result == USB_ACK;

	if (acknowledged && (x->op == OP_SET_ADDRESS || (x->op == OP_ERASE && f->erase_sets_pointer))) {
		i->old_pointer = i->pointer;
		i->pointer = x->target;
		i->unconfirmed = true;
	} else if (i->unconfirmed && x->op == OP_GETSTATUS && x->has_reply) {
		if (x->reply_state == DFU_ERROR && !f->errors_set_pointer)
			i->pointer = i->old_pointer;
		i->unconfirmed = x->reply_state == DFU_DNBUSY;
	} else if (i->unconfirmed && acknowledged && i->state == DFU_DNLOAD_SYNC &&
		   (x->op == OP_ABORT || x->op == OP_CLRSTATUS)) {
		i->pointer = i->old_pointer;
		i->unconfirmed = false;
	}
}

static void interpret(struct exchange *x, struct incarnation *i, const struct transcript_facts *f)
{
	uint32_t block_bytes = f->transfer_size_bytes   ? f->transfer_size_bytes
			       : i->transfer_size_bytes ? i->transfer_size_bytes
							: USUAL_TRANSFER_SIZE;

	decode(x, i, block_bytes);
	x->before = i->state;
	move_pointer(i, x, f);
	i->state = state_after_any(x, i->state, f);
	x->after = i->state;
}

void transcript_interpret(struct exchange *x, struct incarnation *i, const struct transcript_facts *f)
{
	bool dfu = is_in_dfu_mode(i);

	x->board = i->board;
	if (!i->has_pointer) {
		i->has_pointer = true;
		i->pointer = f->default_pointer;
	}
	if (is_dfu_request(&x->setup) && (dfu || (i->dfu_runtime && x->setup.request == DFU_DETACH)))
		interpret(x, i, f);
}

static const char *result_text(const struct exchange *x)
{
	if (!x->complete)
		return "answer not recorded";
	switch (x->result) {
	case USB_ACK:
		return "ACK";
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

static void operation_text(const struct exchange *x, char *out, size_t size)
{
	out[0] = '\0';
	if (x->op < OP_GET)
		return;
	if (x->has_target)
		snprintf(out, size, ": %s 0x%08X", dfuse_op_name(x->op), (unsigned)x->target);
	else
		snprintf(out, size, ": %s", dfuse_op_name(x->op));
}

char *exchange_text(const struct exchange *x, char *out, size_t size)
{
	char setup[96], what[48], reply[64] = "";

	dfuse_name_setup(&x->setup, setup, sizeof(setup));
	operation_text(x, what, sizeof(what));
	if (x->has_reply)
		dfuse_name_payload(&x->setup, x->data, x->length, reply, sizeof(reply));
	else if (x->complete && x->result == USB_ACK && x->setup.type & 0x80)
		snprintf(reply, sizeof(reply), "%zu bytes", x->actual);
	snprintf(out, size, "#%zu %s%s -> %s", x->packet, setup, what, reply[0] ? reply : result_text(x));
	return out;
}
