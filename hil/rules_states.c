/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the state machine: what to ask first, how to leave dfuERROR, and what state to be in (DFU 1.1 A.1, A.2). */
#include "rules_internal.h"

#define POLLS_IN_ERROR 4 /* one to see it, one to be sure */

/* The first request of DFU in the call to each device. */
static bool is_first(const struct judge *j, size_t n)
{
	for (size_t i = n; i-- > j->first;)
		if (j->t->exchanges[i].op != OP_NONE &&
		    j->t->exchanges[i].incarnation == j->t->exchanges[n].incarnation)
			return false;
	return true;
}

void check_state_not_asked(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];

		if ((rule_is_download(x) || rule_is_upload(x) || x->op == OP_LEAVE) && is_first(j, n))
			rule_tell(j, RULE_STATE_NOT_ASKED, n,
				  "%s is the first request to the device: nobody has asked for its state",
				  dfuse_op_name(x->op));
	}
}

void check_clrstatus_missing(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];

		if (x->before == DFU_ERROR && (rule_is_download(x) || rule_is_upload(x) || x->op == OP_LEAVE))
			rule_tell(j, RULE_CLRSTATUS_MISSING, n, "%s is sent although the device is in dfuERROR",
				  dfuse_op_name(x->op));
	}
}

void check_clrstatus_outside_error(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];

		if (x->op == OP_CLRSTATUS && x->before != DFU_ERROR && x->before != DFU_DNBUSY &&
		    x->before != DFU_STATE_UNKNOWN)
			rule_tell(j, RULE_CLRSTATUS_OUTSIDE_ERROR, n, "CLRSTATUS is sent although the device is in %s",
				  dfu_state_name(x->before));
	}
}

void check_clrstatus_loop(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];

		if (x->op == OP_CLRSTATUS && x->before == DFU_DNBUSY)
			rule_tell(j, RULE_CLRSTATUS_LOOP, n,
				  "CLRSTATUS is sent while the device is busy, which it had said (dfuDNBUSY)");
	}
}

void check_polling_in_error(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		size_t last = n, count = 1;

		if (j->t->exchanges[n].op != OP_GETSTATUS || j->t->exchanges[n].after != DFU_ERROR ||
		    (j->t->exchanges[n].before == DFU_ERROR && !is_first(j, n)))
			continue;
		for (size_t i = n; (i = rule_next(j, i)) != RULE_NOWHERE;) {
			const struct exchange *x = &j->t->exchanges[i];

			if (x->op != OP_GETSTATUS || x->after != DFU_ERROR)
				break;
			last = i;
			count++;
		}
		if (count >= POLLS_IN_ERROR)
			rule_tell(j, RULE_POLLING_IN_ERROR, last, "GETSTATUS says dfuERROR (%s) for the %zuth time",
				  dfu_status_name(j->t->exchanges[n].status), count);
	}
}

/* What an interrupted run left behind is seen in the first answer of this one. */
void check_no_abort_recovery(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		size_t next;

		if (x->op != OP_GETSTATUS || !x->has_reply || !is_first(j, n) ||
		    (x->reply_state != DFU_DNLOAD_IDLE && x->reply_state != DFU_UPLOAD_IDLE))
			continue;
		next = rule_next(j, n);
		if (next != RULE_NOWHERE &&
		    (rule_is_download(&j->t->exchanges[next]) || rule_is_upload(&j->t->exchanges[next]) ||
		     j->t->exchanges[next].op == OP_LEAVE))
			rule_tell(j, RULE_NO_ABORT_RECOVERY, next,
				  "the device was found in %s, and %s follows without an ABORT",
				  dfu_state_name(x->reply_state), dfuse_op_name(j->t->exchanges[next].op));
	}
}

void check_abort_before_upload(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];

		if (rule_is_upload(x) && x->setup.length &&
		    (x->before == DFU_DNLOAD_IDLE || x->before == DFU_DNLOAD_SYNC))
			rule_tell(j, RULE_ABORT_BEFORE_UPLOAD, n, "UPLOAD is sent in %s", dfu_state_name(x->before));
	}
}

void check_abort_before_download(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];

		if ((rule_is_download(x) || x->op == OP_LEAVE) && x->before == DFU_UPLOAD_IDLE)
			rule_tell(j, RULE_ABORT_BEFORE_DOWNLOAD, n, "DNLOAD (%s) is sent in dfuUPLOAD-IDLE",
				  dfuse_op_name(x->op));
	}
}

void check_request_after_stall_ignored(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		size_t next;

		if (x->op == OP_NONE || !x->complete || x->result != USB_STALL ||
		    (!rule_is_download(x) && !rule_is_upload(x) && x->op != OP_LEAVE))
			continue;
		next = rule_next(j, n);
		if (next != RULE_NOWHERE &&
		    (rule_is_download(&j->t->exchanges[next]) || rule_is_upload(&j->t->exchanges[next]) ||
		     j->t->exchanges[next].op == OP_LEAVE))
			rule_tell(j, RULE_REQUEST_AFTER_STALL_IGNORED, n,
				  "after the STALL of %s comes %s, not GETSTATUS", dfuse_op_name(x->op),
				  dfuse_op_name(j->t->exchanges[next].op));
	}
}

/* Done once more, with the same target, and not refused. */
static bool repeated(const struct judge *j, size_t operation, size_t from)
{
	const struct exchange *x = &j->t->exchanges[operation];

	for (size_t i = from; (i = rule_next(j, i)) != RULE_NOWHERE;) {
		const struct exchange *y = &j->t->exchanges[i];

		if (y->op == x->op && y->target == x->target && rule_acknowledged(y))
			return true;
	}
	return false;
}

static bool goes_on(const struct judge *j, size_t from)
{
	for (size_t i = from; (i = rule_next(j, i)) != RULE_NOWHERE;)
		if (j->t->exchanges[i].op == OP_WRITE || j->t->exchanges[i].op == OP_LEAVE)
			return true;
	return false;
}

void check_error_ignored(struct judge *j)
{
	bool known = j->call && !j->call->raw;

	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		size_t operation;

		if (x->op != OP_GETSTATUS || !x->has_reply || (x->reply_state != DFU_ERROR && x->status == DFU_OK) ||
		    (x->before != DFU_DNBUSY && x->before != DFU_DNLOAD_SYNC))
			continue;
		operation = rule_operation_before(j, n);
		if (operation == RULE_NOWHERE || repeated(j, operation, n))
			continue;
		if (known ? j->call->ended && j->call->succeeded : goes_on(j, n))
			rule_tell(j, RULE_ERROR_IGNORED, n, "%s failed with %s; it is not tried again, and %s",
				  dfuse_op_name(j->t->exchanges[operation].op), dfu_status_name(x->status),
				  known ? "the tool reports success" : "the tool goes on");
	}
}

/* The last request to a device in the call. */
static bool is_last(const struct judge *j, size_t n)
{
	return j->t->exchanges[n].op != OP_NONE && rule_next(j, n) == RULE_NOWHERE;
}

/* After these the device is not there any more to say how it went (AN3156 5.4, 5.1 for option bytes). */
static bool ends_in_reset(const struct judge *j, const struct exchange *operation)
{
	const struct mcu_profile *p = rule_profile_of(j, operation);
	const struct mem_region *r = p && operation->has_target ? rule_region(p, operation->target) : NULL;

	return operation->op == OP_UNPROTECT || operation->op == OP_LEAVE || (r && r->kind == MEM_OPTION);
}

/* Answers that said dfuDNBUSY in a row, the last of them n. */
static unsigned busy_replies(const struct judge *j, size_t n)
{
	unsigned count = 0;

	for (size_t i = n + 1; i-- > j->first;) {
		const struct exchange *x = &j->t->exchanges[i];

		if (x->op == OP_NONE || x->incarnation != j->t->exchanges[n].incarnation)
			continue;
		if (x->op != OP_GETSTATUS || !x->has_reply || x->reply_state != DFU_DNBUSY)
			break;
		count++;
	}
	return count;
}

/* A device that is unplugged leaves no trace in a capture: one answer alone is no proof that anybody gave up. */
void check_left_busy(struct judge *j)
{
	for (size_t n = j->first; rule_call_ended(j) && n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		size_t operation;

		if (!is_last(j, n) || x->after != DFU_DNBUSY ||
		    (busy_replies(j, n) < 2 && !(j->call && j->call->succeeded)))
			continue;
		operation = rule_operation_before(j, n);
		if (operation != RULE_NOWHERE && !ends_in_reset(j, &j->t->exchanges[operation]))
			rule_tell(j, RULE_LEFT_BUSY, n, "the tool ends while %s is under way (dfuDNBUSY)",
				  dfuse_op_name(j->t->exchanges[operation].op));
	}
}

void check_left_unfinished(struct judge *j)
{
	for (size_t n = j->first; rule_call_ended(j) && n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];

		if (is_last(j, n) && (x->after == DFU_DNLOAD_IDLE || x->after == DFU_UPLOAD_IDLE))
			rule_tell(j, RULE_LEFT_UNFINISHED, n, "the tool ends and leaves the device in %s",
				  dfu_state_name(x->after));
	}
}
