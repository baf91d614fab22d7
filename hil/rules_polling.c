/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of GETSTATUS: that it is sent, when, and how long a host waits for the answer (DFU 1.1 6.1.2, AN3156 5). */
#include "rules_internal.h"

#define EARLY_US 1000 /* less than a frame too early is no sin */
#define SIZES (sizeof(((struct flash_timing *)0)->erase) / sizeof(((struct flash_timing *)0)->erase[0]))

void check_getstatus_after_dnload(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		size_t next;

		if (!rule_is_download(x) || !rule_acknowledged(x))
			continue;
		next = rule_next(j, n);
		if (next == RULE_NOWHERE ? !(j->call && j->call->ended) : j->t->exchanges[next].op == OP_GETSTATUS)
			continue;
		rule_tell(j, RULE_GETSTATUS_AFTER_DNLOAD, n, "after %s comes %s instead of GETSTATUS",
			  dfuse_op_name(x->op),
			  next == RULE_NOWHERE ? "nothing" : dfuse_op_name(j->t->exchanges[next].op));
	}
}

static bool says_busy(const struct exchange *x)
{
	return x->op == OP_GETSTATUS && x->has_reply && x->reply_state == DFU_DNBUSY;
}

void check_busy_not_waited_for(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		size_t next;

		if (!says_busy(&j->t->exchanges[n]))
			continue;
		next = rule_next(j, n);
		if (next == RULE_NOWHERE || j->t->exchanges[next].op == OP_GETSTATUS ||
		    j->t->exchanges[next].op == OP_CLRSTATUS)
			continue;
		rule_tell(j, RULE_BUSY_NOT_WAITED_FOR, next,
			  "the device had said dfuDNBUSY, and %s follows without another GETSTATUS",
			  dfuse_op_name(j->t->exchanges[next].op));
	}
}

/* The request that came before bwPollTimeout of reply n was over, or RULE_NOWHERE. */
static size_t early_after(const struct judge *j, size_t n, uint64_t *waited_us)
{
	const struct exchange *x = &j->t->exchanges[n];
	size_t next = says_busy(x) && x->poll_ms ? rule_next(j, n) : RULE_NOWHERE;

	if (next == RULE_NOWHERE)
		return RULE_NOWHERE;
	*waited_us = j->t->exchanges[next].start_us - x->end_us;
	return *waited_us + EARLY_US < x->poll_ms * UINT64_C(1000) ? next : RULE_NOWHERE;
}

void check_poll_timeout_ignored(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		uint64_t waited_us = 0;
		size_t next = early_after(j, n, &waited_us);
		char text[24];

		if (next != RULE_NOWHERE)
			rule_tell(j, RULE_POLL_TIMEOUT_IGNORED, next,
				  "%s comes %s after bwPollTimeout of %u ms was announced",
				  dfuse_op_name(j->t->exchanges[next].op), rule_seconds(waited_us, text),
				  (unsigned)j->t->exchanges[n].poll_ms);
	}
}

/* The same where it hurts. */
void check_early_poll(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		uint64_t waited_us = 0;
		size_t next = early_after(j, n, &waited_us);
		const struct mcu_profile *p;
		char text[24];
		bool stalled;

		if (next == RULE_NOWHERE)
			continue;
		p = rule_profile_of(j, &j->t->exchanges[n]);
		stalled = j->t->exchanges[next].complete && j->t->exchanges[next].result == USB_STALL;
		if (stalled || (p && p->busy_rule == BUSY_STALLS))
			rule_tell(j, RULE_EARLY_POLL, next, "%s after %s of %u ms: this device %s",
				  dfuse_op_name(j->t->exchanges[next].op), rule_seconds(waited_us, text),
				  (unsigned)j->t->exchanges[n].poll_ms,
				  stalled ? "stalls it" : "stalls it if it is still busy");
	}
}

static uint64_t longest_erase_us(const struct mcu_profile *p, const struct flash_timing *timing, uint32_t address)
{
	uint32_t start, size;

	if (rule_sector(p, address, &start, &size) < 0)
		return 0;
	for (size_t i = 0; i < SIZES && timing->erase[i].size_bytes; i++)
		if (timing->erase[i].size_bytes == size)
			return timing->erase[i].max_us;
	return 0;
}

/* As the datasheet has it, with the parallelism that the ROM starts with. 0: not known. */
static uint64_t longest_us(const struct mcu_profile *p, const struct exchange *operation)
{
	const struct flash_timing *timing;

	if (!p || !p->timings)
		return 0;
	timing = &p->timings[p->feature_timing[0]];
	switch (operation->op) {
	case OP_ERASE:
		return longest_erase_us(p, timing, operation->target);
	case OP_MASS_ERASE:
	case OP_UNPROTECT:
		return timing->mass_max_us;
	case OP_WRITE:
		return timing->unit_bytes ? (uint64_t)(operation->setup.length + timing->unit_bytes - 1) /
						    timing->unit_bytes * timing->program_max_us
					  : 0;
	default:
		return 0;
	}
}

/* The last reply that said dfuDNBUSY before n; RULE_NOWHERE if something else came in between. */
static size_t busy_reply_before(const struct judge *j, size_t n)
{
	for (size_t i = n; i--;) {
		const struct exchange *x = &j->t->exchanges[i];

		if (x->incarnation == j->t->exchanges[n].incarnation && x->op == OP_GETSTATUS && x->has_reply)
			return x->reply_state == DFU_DNBUSY ? i : RULE_NOWHERE;
	}
	return RULE_NOWHERE;
}

void check_usb_timeout_too_short(struct judge *j)
{
	for (size_t n = j->first; rule_call_ended(j) && n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		uint64_t waited_us, needed_us, most_us;
		size_t busy, operation;
		char waited[24], needed[24];

		if (x->op == OP_NONE || !x->complete || x->result != USB_CANCELLED || x->before != DFU_DNBUSY)
			continue;
		busy = busy_reply_before(j, n);
		operation = rule_operation_before(j, n);
		if (busy == RULE_NOWHERE || operation == RULE_NOWHERE)
			continue;
		waited_us = x->end_us - j->t->exchanges[busy].end_us;
		needed_us = j->t->exchanges[busy].poll_ms * UINT64_C(1000);
		most_us = longest_us(rule_profile_of(j, x), &j->t->exchanges[operation]);
		if (waited_us < (needed_us > most_us ? needed_us : most_us))
			rule_tell(j, RULE_USB_TIMEOUT_TOO_SHORT, n,
				  "%s is taken back %s after %s began, which may take %s (%s)", dfuse_op_name(x->op),
				  rule_seconds(waited_us, waited), dfuse_op_name(j->t->exchanges[operation].op),
				  rule_seconds(needed_us > most_us ? needed_us : most_us, needed),
				  needed_us > most_us ? "bwPollTimeout" : "datasheet");
	}
}

void check_leave_without_getstatus(struct judge *j)
{
	for (size_t n = j->first; rule_call_ended(j) && n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		const struct mcu_profile *p = rule_profile_of(j, x);
		size_t next;

		if (x->op != OP_LEAVE || !rule_acknowledged(x) ||
		    (p && p->leaves_at_once)) /* nobody is there to be asked */
			continue;
		next = rule_next(j, n);
		if (next == RULE_NOWHERE || j->t->exchanges[next].op != OP_GETSTATUS)
			rule_tell(j, RULE_LEAVE_WITHOUT_GETSTATUS, n, "no GETSTATUS follows the DNLOAD of length 0");
	}
}

void check_getstatus_after_manifest(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		size_t next;

		if (x->op != OP_GETSTATUS || !x->has_reply || x->reply_state != DFU_MANIFEST ||
		    rule_device(j, x)->tolerant)
			continue;
		next = rule_next(j, n);
		if (next != RULE_NOWHERE)
			rule_tell(j, RULE_GETSTATUS_AFTER_MANIFEST, next,
				  "%s is sent to a device that has said dfuMANIFEST and is leaving the bus",
				  dfuse_op_name(j->t->exchanges[next].op));
	}
}
