// SPDX-License-Identifier: GPL-2.0-or-later
/* What a board must have held for its answers to be those of the capture. */
#include <stdlib.h>
#include <string.h>
#include "option_bytes.h"
#include "recording.h"

/* Which bytes are no longer as they were. */
struct touched {
	bool *flash, all_options;
};

static bool sector_of(const struct mcu_profile *p, uint32_t offset, uint32_t *start, uint32_t *size)
{
	uint32_t at = 0;

	for (const struct flash_sectors *s = p->sectors; s->count; s++) {
		uint32_t all = s->count * s->size_bytes;

		if (offset < at + all) {
			*start = at + (offset - at) / s->size_bytes * s->size_bytes;
			*size = s->size_bytes;
			return true;
		}
		at += all;
	}
	return false;
}

static void touch(const struct mcu_profile *p, struct touched *t, uint32_t offset, size_t length)
{
	if (offset >= p->flash_size_bytes)
		return;
	if (length > p->flash_size_bytes - offset)
		length = p->flash_size_bytes - offset;
	memset(t->flash + offset, true, length);
}

static void read_flash(const struct recording *r, const struct exchange *x, const struct touched *t,
		       struct recorded_flash *f)
{
	uint32_t offset = x->target - r->profile->flash_base;

	for (size_t i = 0; i < x->length && offset + i < r->profile->flash_size_bytes; i++) {
		if (t->flash[offset + i])
			continue;
		f->bytes[offset + i] = x->data[i];
		f->known[offset + i] = f->any = true;
	}
}

static void read_options(const struct mcu_profile *p, const struct exchange *x, struct recorded_flash *f)
{
	size_t at = 0;

	for (unsigned i = 0; i < 2; at += p->option_banks[i].size_bytes, i++) {
		const struct option_bank *b = &p->option_banks[i];

		if (b->size_bytes && x->target == b->base && x->length >= b->size_bytes &&
		    at + b->size_bytes <= sizeof(f->options)) {
			memcpy(f->options + at, x->data, b->size_bytes);
			f->options_known |= option_bytes_size(p) == b->size_bytes;
		}
	}
}

/* The first answer to a command or read that says errVENDOR, before anything was unprotected (f407.md ERR-2, ERR-3). */
static void refusal(const struct exchange *x, const struct exchange *before, bool unprotected, struct recorded_flash *f)
{
	if (x->op != OP_GETSTATUS || !x->has_reply || x->status != DFU_ERR_VENDOR || unprotected || !before)
		return;
	f->locked |= before->op == OP_READ || before->op == OP_SET_ADDRESS || before->op == OP_ERASE ||
		     before->op == OP_MASS_ERASE || before->op == OP_WRITE;
}

bool recording_flash(const struct recording *r, unsigned board, struct recorded_flash *f)
{
	const struct mcu_profile *p = r->profile;
	struct touched t = { .flash = calloc(p->flash_size_bytes, 1) };
	const struct exchange *before = NULL;
	bool unprotected = false;
	uint32_t start, size;

	*f = (struct recorded_flash){ .bytes = malloc(p->flash_size_bytes),
				      .known = calloc(p->flash_size_bytes, sizeof(bool)) };
	if (!t.flash || !f->bytes || !f->known) {
		free(t.flash);
		return false;
	}
	memset(f->bytes, 0xff, p->flash_size_bytes);
	for (size_t i = 0; i < r->count; i++) {
		const struct exchange *x = r->items[i].exchange;

		if (r->items[i].kind != RECORDED_REQUEST || r->items[i].board != board)
			continue;
		refusal(x, before, unprotected, f);
		if (x->op != OP_GETSTATUS && x->op != OP_CLRSTATUS && x->op != OP_ABORT)
			before = x;
		if (!x->complete || x->result != USB_ACK)
			continue;
		if (x->op == OP_READ && x->has_target && x->target >= p->flash_base &&
		    x->target - p->flash_base < p->flash_size_bytes)
			read_flash(r, x, &t, f);
		else if (x->op == OP_READ && x->has_target && !t.all_options)
			read_options(p, x, f);
		else if (x->op == OP_WRITE && x->has_target && x->target - p->flash_base < p->flash_size_bytes)
			touch(p, &t, x->target - p->flash_base, x->length);
		else if (x->op == OP_WRITE)
			t.all_options = true;
		else if (x->op == OP_ERASE && sector_of(p, x->target - p->flash_base, &start, &size))
			touch(p, &t, start, size);
		else if (x->op == OP_MASS_ERASE || x->op == OP_UNPROTECT)
			touch(p, &t, 0, p->flash_size_bytes);
		unprotected |= x->op == OP_UNPROTECT;
		t.all_options |= x->op == OP_UNPROTECT;
	}
	free(t.flash);
	return true;
}

void recorded_flash_free(struct recorded_flash *f)
{
	free(f->bytes);
	free(f->known);
}
