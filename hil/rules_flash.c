/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the result: what was erased and written, and whether that is what was asked for and said (RM0090 3.6). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rules_internal.h"

#define ERASED 0xffu

/* The board that the call is about; of several that nobody named, the first that it changed. 0: none. */
static unsigned board_of(const struct judge *j)
{
	if (j->call && j->call->board && j->input->board_count > 1)
		return j->call->board;
	for (size_t n = j->first; n < j->end; n++)
		if (j->t->exchanges[n].board && rule_is_download(&j->t->exchanges[n]))
			return j->t->exchanges[n].board;
	return 0;
}

static bool overlaps(uint32_t a, uint64_t a_bytes, uint32_t b, uint64_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

static bool written_in_call(const struct judge *j, uint32_t start, uint32_t size_bytes)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];

		if (x->op == OP_WRITE && x->has_target && overlaps(x->target, x->setup.length, start, size_bytes))
			return true;
	}
	return false;
}

/* The parts of the file, the first told by itself. */
static bool part_of(const struct rules_call *c, size_t index, struct rules_part *part)
{
	if (!c->wanted || index > c->other_count)
		return false;
	*part = index ? c->others[index - 1] : (struct rules_part){ c->wanted_address, c->wanted, c->wanted_length };
	return true;
}

static bool erase_was_asked(const struct judge *j, uint32_t start, uint32_t size_bytes)
{
	const struct rules_call *c = j->call;
	struct rules_part part;

	if (c->call.operation == OPERATION_ERASE)
		return !c->call.has_address ||
		       overlaps(c->call.address, c->call.has_length && c->call.length ? c->call.length : 1, start,
				size_bytes);
	if (c->call.operation != OPERATION_DOWNLOAD)
		return false;
	if (written_in_call(j, start, size_bytes))
		return true;
	/* One that failed may not have come to writing it. */
	if (c->ended && c->succeeded)
		return false;
	for (size_t i = 0; part_of(c, i, &part); i++)
		if (overlaps(part.address, part.length, start, size_bytes))
			return true;
	return !c->wanted;
}

static void judge_erase(struct judge *j, size_t n, const struct exchange *x)
{
	uint32_t start, size_bytes;
	int sector;

	if (x->op == OP_MASS_ERASE) {
		rule_tell(j, RULE_ERASE_NOT_ASKED, n, "all of flash is erased, which nobody asked for");
		return;
	}
	sector = rule_sector(rule_profile_of(j, x), x->target, &start, &size_bytes);
	if (sector >= 0 && !erase_was_asked(j, start, size_bytes))
		rule_tell(j, RULE_ERASE_NOT_ASKED, n, "sector %d at 0x%08X is erased: %s", sector, (unsigned)start,
			  j->call->call.operation == OPERATION_DOWNLOAD ? "nothing is written to it"
									: "that is not what was asked for");
}

void check_erase_not_asked(struct judge *j)
{
	if (!j->call || j->call->raw || j->call->call.mass_erase_first || rule_call_is(j, OPERATION_MASS_ERASE) ||
	    rule_call_is(j, OPERATION_UNPROTECT))
		return;
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];

		if ((x->op == OP_MASS_ERASE || x->op == OP_ERASE) && rule_acknowledged(x))
			judge_erase(j, n, x);
	}
}

/* Sector start where the profile is known, else the address as it is. */
static uint32_t erased_from(const struct judge *j, const struct exchange *x, uint32_t *size_bytes)
{
	uint32_t start;

	*size_bytes = 1;
	return rule_sector(rule_profile_of(j, x), x->target, &start, size_bytes) < 0 ? x->target : start;
}

static bool failed(const struct judge *j, size_t n)
{
	for (size_t i = n; (i = rule_next(j, i)) != RULE_NOWHERE && j->t->exchanges[i].op == OP_GETSTATUS;)
		if (!j->t->exchanges[i].has_reply || j->t->exchanges[i].reply_state == DFU_ERROR)
			return true;
	return false;
}

/* The sector is erased once more by request i, n having been the first; false with *done: it may be, from here on. */
static bool erased_again(const struct judge *j, size_t n, size_t i, bool *done)
{
	const struct exchange *x = &j->t->exchanges[n], *y = &j->t->exchanges[i];
	uint32_t size_bytes, other, start = erased_from(j, x, &size_bytes);

	*done = y->incarnation == x->incarnation &&
		(rule_begins_anew(j, y) ||
		 (y->op == OP_WRITE && y->has_target && overlaps(y->target, y->setup.length, start, size_bytes)));
	return !*done && y->incarnation == x->incarnation && y->op == OP_ERASE && rule_acknowledged(y) &&
	       erased_from(j, y, &other) == start;
}

void check_erase_twice(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		bool done = x->op != OP_ERASE || !rule_acknowledged(x);

		for (size_t i = n + 1; !done && i < j->end; i++) {
			if (!erased_again(j, n, i, &done))
				continue;
			done = true;
			if (!failed(j, n)) /* trying again is fine */
				rule_tell(j, RULE_ERASE_TWICE, i,
					  "0x%08X is erased again, and nothing was written there since",
					  (unsigned)j->t->exchanges[i].target);
		}
	}
}

/* Flash as the transcript makes it: bytes, and which of them are known. */
struct model {
	uint32_t base, size_bytes;
	uint8_t *bytes, *known;
};

static void model_erase(struct model *m, uint32_t start, uint32_t size_bytes)
{
	memset(m->bytes + (start - m->base), ERASED, size_bytes);
	memset(m->known + (start - m->base), 1, size_bytes);
}

/* Bytes that could not become what they were to be; *first: address of the first of them. */
static size_t model_write(struct model *m, const struct exchange *x, uint32_t *first)
{
	size_t lost = 0;

	for (size_t i = 0; i < x->length; i++) {
		uint32_t at = x->target + (uint32_t)i - m->base;

		if (at >= m->size_bytes)
			break;
		if (!m->known[at])
			m->bytes[at] = ERASED;
		if ((m->bytes[at] & x->data[i]) != x->data[i] && !lost++)
			*first = m->base + at;
		m->bytes[at] &= x->data[i];
		m->known[at] = 1;
	}
	return lost;
}

static bool same_bytes(const struct model *m, const struct exchange *x)
{
	uint32_t at = x->target - m->base;

	return at < m->size_bytes && x->length <= m->size_bytes - at && !memcmp(m->bytes + at, x->data, x->length);
}

static void replay(struct judge *j, struct model *m, unsigned board)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		uint32_t start, size_bytes, first = 0;
		size_t lost;

		if (x->board != board || !rule_acknowledged(x))
			continue;
		if (x->op == OP_MASS_ERASE || x->op == OP_UNPROTECT)
			model_erase(m, m->base, m->size_bytes);
		else if (x->op == OP_ERASE && rule_sector(j->profile, x->target, &start, &size_bytes) >= 0)
			model_erase(m, start, size_bytes);
		if (x->op != OP_WRITE || !x->has_target || !x->length || same_bytes(m, x))
			continue;
		lost = model_write(m, x, &first);
		if (lost)
			rule_tell(j, RULE_WRITE_WITHOUT_ERASE, n,
				  "%zu bytes from 0x%08X on cannot become what is written: bits are 0 there that are "
				  "to be 1",
				  lost, (unsigned)first);
	}
}

void check_write_without_erase(struct judge *j)
{
	unsigned board = board_of(j);
	struct model m;

	if (!j->profile || !board || (j->call && j->call->call.no_erase))
		return;
	m.base = j->profile->flash_base;
	m.size_bytes = j->profile->flash_size_bytes;
	m.bytes = malloc(m.size_bytes);
	m.known = calloc(1, m.size_bytes);
	if (!m.bytes || !m.known) {
		j->error = -ENOMEM;
	} else {
		if (j->call && j->call->before) {
			memcpy(m.bytes, j->call->before, m.size_bytes);
			memset(m.known, 1, m.size_bytes);
		}
		replay(j, &m, board);
	}
	free(m.bytes);
	free(m.known);
}

static bool all_erased(const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (data[i] != ERASED)
			return false;
	return true;
}

/* Does x write anything where the file has nothing? Writing FF there harms nobody. */
static bool harms_outside(const struct rules_call *c, const struct exchange *x)
{
	struct rules_part part;

	for (size_t at = 0; at < x->length; at++) {
		uint32_t address = x->target + (uint32_t)at;
		bool inside = false;

		if (x->data[at] == ERASED)
			continue;
		for (size_t i = 0; part_of(c, i, &part) && !inside; i++) {
			inside = address >= part.address && address - part.address < part.length;
			if (inside) { /* on behind this part */
				size_t left = part.length - (address - part.address);

				at += (left < x->length - at ? left : x->length - at) - 1;
			}
		}
		if (!inside)
			return true;
	}
	return false;
}

void check_write_beyond_file(struct judge *j)
{
	if (!rule_call_is(j, OPERATION_DOWNLOAD) || !j->call->wanted || !j->call->wanted_length)
		return;
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];

		if (x->op == OP_WRITE && x->has_target && x->length && harms_outside(j->call, x))
			rule_tell(j, RULE_WRITE_BEYOND_FILE, n,
				  "0x%08X to 0x%08X is written, and the file is for 0x%08X to 0x%08X%s",
				  (unsigned)x->target, (unsigned)(x->target + x->length - 1),
				  (unsigned)j->call->wanted_address,
				  (unsigned)(j->call->wanted_address + j->call->wanted_length - 1),
				  j->call->other_count ? " and other parts" : "");
	}
}

/* As much of a part as is in flash, and its offset there; false: none. */
static bool part_in_flash(const struct judge *j, size_t index, struct rules_part *part, size_t *offset)
{
	uint32_t base, size;

	if (!j->profile || !part_of(j->call, index, part))
		return false;
	base = j->profile->flash_base;
	size = j->profile->flash_size_bytes;
	if (part->address < base || part->address - base >= size)
		part->length = 0;
	*offset = part->length ? part->address - base : 0;
	if (part->length > size - *offset)
		part->length = size - *offset;
	return true;
}

static void judge_download(struct judge *j)
{
	const struct rules_call *c = j->call;
	size_t offset, length = 0, first = 0, differing = 0;
	struct rules_part part;
	uint8_t want = 0;

	for (size_t p = 0; part_in_flash(j, p, &part, &offset); p++) {
		length += part.length;
		for (size_t i = 0; i < part.length; i++)
			if (c->after[offset + i] != part.data[i] && !differing++) {
				first = offset + i;
				want = part.data[i];
			}
	}
	if (differing)
		rule_tell(j, RULE_SUCCESS_BUT_DIFFERS, RULE_NOWHERE,
			  "%zu of %zu bytes differ from the file, the first at 0x%08X: 0x%02x instead of 0x%02x",
			  differing, length, (unsigned)(j->profile->flash_base + first), c->after[first], want);
}

/* Sectors that the range touches, or all. */
static void judge_erasure(struct judge *j)
{
	const struct mcu_profile *p = j->profile;
	const struct tool_call *call = &j->call->call;
	uint32_t at = p->flash_base, start, size_bytes;
	int sector;

	while ((sector = rule_sector(p, at, &start, &size_bytes)) >= 0) {
		bool meant = call->operation == OPERATION_MASS_ERASE || !call->has_address ||
			     overlaps(call->address, call->has_length && call->length ? call->length : 1, start,
				      size_bytes);

		if (meant && !all_erased(j->call->after + (start - p->flash_base), size_bytes))
			rule_tell(j, RULE_SUCCESS_BUT_DIFFERS, RULE_NOWHERE, "sector %d at 0x%08X is not erased",
				  sector, (unsigned)start);
		at = start + size_bytes;
	}
}

void check_success_but_differs(struct judge *j)
{
	const struct rules_call *c = j->call;

	if (!c || c->raw || !c->ended || !c->succeeded || !c->after || !j->profile)
		return;
	if (c->call.operation == OPERATION_DOWNLOAD)
		judge_download(j);
	else if (c->call.operation == OPERATION_MASS_ERASE || c->call.operation == OPERATION_ERASE)
		judge_erasure(j);
}

void check_failure_but_right(struct judge *j)
{
	const struct rules_call *c = j->call;
	size_t offset, length = 0;
	struct rules_part part;
	bool was_there = true;

	if (!c || c->raw || !c->ended || c->succeeded || !c->after || c->call.operation != OPERATION_DOWNLOAD)
		return;
	for (size_t i = 0; part_in_flash(j, i, &part, &offset); i++) {
		if (part.length && memcmp(c->after + offset, part.data, part.length))
			return;
		was_there &= c->before && !memcmp(c->before + offset, part.data, part.length);
		length += part.length;
	}
	if (!length || was_there)
		return;
	rule_tell(j, RULE_FAILURE_BUT_RIGHT, RULE_NOWHERE, "all %zu bytes from 0x%08X on are as in the file", length,
		  (unsigned)c->wanted_address);
}

static bool contains(const char *line, size_t length, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= length; i++) {
		size_t k = 0;

		while (k < n && tolower((unsigned char)line[i + k]) == word[k])
			k++;
		if (k == n)
			return true;
	}
	return false;
}

static bool contains_any(const char *line, size_t length, const char *const *words)
{
	for (; *words; words++)
		if (contains(line, length, *words))
			return true;
	return false;
}

/* A line that says that what is in flash was compared. */
static const char *verify_claim(const char *output, size_t *length)
{
	static const char *const claims[] = { "verified",          "verification ok",
					      "verification succ", "verification pass",
					      "verification done", "verification compl",
					      "verify ok",         "verify: ok",
					      "verify succ",       "verify pass",
					      "verify done",       "verify compl",
					      "verifying... ok",   NULL };
	static const char *const denials[] = { "not verified", "unverified", "without verif", "no verif", "skip",
					       "fail",         NULL };

	while (*output) {
		*length = strcspn(output, "\r\n");
		if (contains_any(output, *length, claims) && !contains_any(output, *length, denials))
			return output;
		output += *length;
		output += strspn(output, "\r\n");
	}
	return NULL;
}

void check_claimed_verify_without_upload(struct judge *j)
{
	const struct rules_call *c = j->call;
	const char *claim;
	size_t length = 0;

	if (!rule_call_is(j, OPERATION_DOWNLOAD) || !c->ended || !c->succeeded)
		return;
	claim = c->output ? verify_claim(c->output, &length) : NULL;
	if (!claim && !c->call.verify)
		return;
	for (size_t n = j->first; n < j->end; n++)
		if (j->t->exchanges[n].op == OP_READ && rule_acknowledged(&j->t->exchanges[n]))
			return;
	if (claim)
		rule_tell(j, RULE_CLAIMED_VERIFY_WITHOUT_UPLOAD, RULE_NOWHERE,
			  "it says '%.*s', and nothing was read back", (int)(length < 120 ? length : 120), claim);
	else
		rule_tell(j, RULE_CLAIMED_VERIFY_WITHOUT_UPLOAD, RULE_NOWHERE,
			  "it was to verify, and nothing was read back");
}
