/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests and answers to marks on sectors. A command counts when GETSTATUS has told that it went well. */
#include "picture.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void picture_init(struct picture *p)
{
	memset(p, 0, sizeof(*p));
	p->lowest = 0xffffffff;
}

void picture_free(struct picture *p)
{
	free(p->marks);
}

int picture_layout(struct picture *p, const char *text)
{
	unsigned before = p->layout.span_count;
	uint32_t count = p->mark_count;
	struct picture_mark *marks;

	if (!layout_add(&p->layout, text))
		return 0;
	for (unsigned i = before; i < p->layout.span_count; i++) {
		struct layout_span *s = &p->layout.spans[i];

		if (s->count > PICTURE_SECTORS - count)
			s->count = PICTURE_SECTORS - count;
		p->first_mark[i] = count;
		count += s->count;
	}
	marks = realloc(p->marks, (count ? count : 1) * sizeof(*marks));
	if (!marks) {
		p->layout.span_count = before;
		return -ENOMEM;
	}
	memset(marks + p->mark_count, 0, (count - p->mark_count) * sizeof(*marks));
	p->marks = marks;
	p->mark_count = count;
	return 0;
}

static struct picture_mark *mark_of(struct picture *p, const struct layout_sector *s)
{
	return &p->marks[p->first_mark[s->span - p->layout.spans] + s->index];
}

static void mark_range(struct picture *p, uint32_t address, size_t length, bool written)
{
	while (length) {
		struct layout_sector s;
		size_t part;

		if (!layout_sector_at(&p->layout, address, &s))
			return;
		part = s.base + s.size_bytes - address;
		if (part > length)
			part = length;
		if (written)
			mark_of(p, &s)->written += part;
		else
			mark_of(p, &s)->read += part;
		address += (uint32_t)part;
		length -= part;
	}
}

static void mark_all(struct picture *p)
{
	for (unsigned i = 0; i < p->layout.span_count; i++) {
		/* Mass erase is of the first memory, the flash: option bytes and OTP are others. */
		if (p->layout.spans[i].memory || !p->layout.spans[i].erasable)
			continue;
		for (uint32_t n = 0; n < p->layout.spans[i].count; n++)
			p->marks[p->first_mark[i] + n].erased++;
	}
}

static void done(struct picture *p)
{
	struct layout_sector s;

	switch (p->pending) {
	case OP_ERASE:
		p->sectors_erased++;
		if (layout_sector_at(&p->layout, p->pending_target, &s))
			mark_of(p, &s)->erased++;
		break;
	case OP_MASS_ERASE:
		p->mass_erases++;
		mark_all(p);
		break;
	case OP_UNPROTECT:
		p->unprotected++;
		break;
	case OP_WRITE:
		p->blocks_written++;
		p->bytes_written += p->pending_length;
		if (!p->pending_has_target || !p->pending_length)
			break;
		mark_range(p, p->pending_target, p->pending_length, true);
		if (p->pending_target < p->lowest)
			p->lowest = p->pending_target;
		if (p->pending_target + (uint32_t)p->pending_length - 1 > p->highest)
			p->highest = p->pending_target + (uint32_t)p->pending_length - 1;
		break;
	default:
		break;
	}
	p->pending = OP_NONE;
}

static void told_status(struct picture *p, const struct exchange *x)
{
	if (x->reply_state == DFU_DNBUSY) {
		if (!p->busy_since_us)
			p->busy_since_us = x->end_us;
		p->told_us += (uint64_t)x->poll_ms * 1000;
		return;
	}
	if (p->busy_since_us)
		p->taken_us += x->end_us - p->busy_since_us;
	p->busy_since_us = 0;
	if (x->reply_state == DFU_ERROR) {
		p->failed += p->pending != OP_NONE;
		p->pending = OP_NONE;
	} else {
		done(p);
	}
}

void picture_feed(struct picture *p, const struct exchange *x)
{
	bool acknowledged = x->complete && x->result == USB_ACK;

	switch (x->op) {
	case OP_GETSTATUS:
		if (x->has_reply)
			told_status(p, x);
		break;
	case OP_SET_ADDRESS:
	case OP_ERASE:
	case OP_MASS_ERASE:
	case OP_UNPROTECT:
	case OP_UNKNOWN_COMMAND:
	case OP_WRITE:
		p->pending = acknowledged ? x->op : OP_NONE;
		p->pending_target = x->target;
		p->pending_has_target = x->has_target;
		p->pending_length = x->actual;
		p->busy_since_us = 0;
		break;
	case OP_LEAVE:
		p->pending = OP_NONE;
		p->has_left = acknowledged;
		p->left_to = x->target;
		break;
	case OP_READ:
		if (!acknowledged)
			break;
		p->blocks_read++;
		p->bytes_read += x->actual;
		if (x->has_target)
			mark_range(p, x->target, x->actual, false);
		break;
	case OP_ABORT:
	case OP_CLRSTATUS: /* before GETSTATUS nothing was done yet (AN3156 5) */
		p->pending = OP_NONE;
		break;
	default:
		break;
	}
}
