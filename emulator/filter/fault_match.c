/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a transfer is, and which rules it meets. */
#include "fault_internal.h"

static uint32_t word_of(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void set_range(struct sight *s, uint32_t address, size_t length)
{
	s->has_address = true;
	s->first = address;
	s->last = length && address + (uint32_t)(length - 1) >= address ? address + (uint32_t)(length - 1) : address;
}

/* The whole sector: hosts erase by any address in it (CMD-7). */
static void set_sector(struct sight *s, const struct mcu_profile *p, uint32_t address)
{
	uint32_t start = p->flash_base;

	set_range(s, address, 1);
	for (const struct flash_sectors *run = p->sectors; run->count; run++) {
		uint32_t bytes = run->count * run->size_bytes;

		if (address >= start && address - start < bytes) {
			start += (address - start) / run->size_bytes * run->size_bytes;
			set_range(s, start, run->size_bytes);
			return;
		}
		start += bytes;
	}
}

/* BLK-3 */
static void set_block_range(const struct fault *f, struct sight *s, size_t length)
{
	set_range(s, f->ops->pointer(f->context) + (s->block - 2u) * (uint32_t)f->profile->transfer_size_bytes, length);
}

/* DFU 1.1 has no commands, and the blocks come in order. */
static void look_at_image(const struct fault *f, const struct usb_urb *urb, struct sight *s)
{
	bool out = urb->setup.request == DFU_DNLOAD;

	s->requests |= FAULT_BIT(!out ? FAULT_READ : urb->setup.length ? FAULT_WRITE : FAULT_LEAVE);
	set_range(s, f->ops->pointer(f->context), urb->setup.length);
}

/* CMD rows; only block 0 and from 2 on have a meaning (BLK-1..BLK-3). */
static void look_at_download(const struct fault *f, const struct usb_urb *urb, struct sight *s)
{
	const uint8_t *data = urb->data;
	size_t length = urb->setup.length;

	if (!length) {
		s->requests |= FAULT_BIT(FAULT_LEAVE); /* LV-1 */
		set_range(s, f->ops->pointer(f->context), 1);
	} else if (s->block >= 2) {
		s->requests |= FAULT_BIT(FAULT_WRITE);
		set_block_range(f, s, length);
	} else if (s->block == 0 && data[0] == DFUSE_SET_ADDRESS && length == 5) {
		s->requests |= FAULT_BIT(FAULT_SET_ADDRESS);
		set_range(s, word_of(data + 1), 1);
	} else if (s->block == 0 && data[0] == DFUSE_ERASE && length == 5) {
		s->requests |= FAULT_BIT(FAULT_ERASE);
		set_sector(s, f->profile, word_of(data + 1));
	} else if (s->block == 0 && data[0] == DFUSE_ERASE && length == 1) {
		s->requests |= FAULT_BIT(FAULT_MASS_ERASE);
		set_range(s, f->profile->flash_base, f->profile->flash_size_bytes);
	} else if (s->block == 0 && data[0] == DFUSE_READ_UNPROTECT && length == 1) {
		s->requests |= FAULT_BIT(FAULT_UNPROTECT);
		set_range(s, f->profile->flash_base, f->profile->flash_size_bytes);
	}
}

static void look_at_class_request(const struct fault *f, const struct usb_urb *urb, struct sight *s)
{
	static const enum fault_request requests[] = {
		[DFU_DETACH] = FAULT_DETACH,       [DFU_DNLOAD] = FAULT_DNLOAD,       [DFU_UPLOAD] = FAULT_UPLOAD,
		[DFU_GETSTATUS] = FAULT_GETSTATUS, [DFU_CLRSTATUS] = FAULT_CLRSTATUS, [DFU_GETSTATE] = FAULT_GETSTATE,
		[DFU_ABORT] = FAULT_ABORT,
	};

	if (urb->setup.request > DFU_ABORT || !f->ops->in_rom(f->context))
		return;
	s->requests |= FAULT_BIT(FAULT_DFU) | FAULT_BIT(requests[urb->setup.request]);
	if (urb->setup.request != DFU_DNLOAD && urb->setup.request != DFU_UPLOAD)
		return;
	s->has_block = true;
	s->block = urb->setup.value;
	if (f->profile->protocol == PROTOCOL_DFU11) {
		look_at_image(f, urb, s);
	} else if (urb->setup.request == DFU_DNLOAD) {
		look_at_download(f, urb, s);
	} else if (s->block == 0) {
		s->requests |= FAULT_BIT(FAULT_GET);
	} else if (s->block >= 2) {
		s->requests |= FAULT_BIT(FAULT_READ);
		set_block_range(f, s, urb->setup.length);
	}
}

/* USB 2.0 table 9-4 */
static uint32_t standard_request(uint8_t request)
{
	switch (request) {
	case 5:
		return FAULT_BIT(FAULT_SET_USB_ADDRESS);
	case 6:
		return FAULT_BIT(FAULT_GET_DESCRIPTOR);
	case 8:
		return FAULT_BIT(FAULT_GET_CONFIGURATION);
	case 9:
		return FAULT_BIT(FAULT_SET_CONFIGURATION);
	case 10:
		return FAULT_BIT(FAULT_GET_INTERFACE);
	case 11:
		return FAULT_BIT(FAULT_SET_INTERFACE);
	default:
		return 0;
	}
}

struct sight fault_look(const struct fault *f, const struct usb_urb *urb)
{
	struct sight s = { .requests = FAULT_BIT(FAULT_ANY), .state = f->ops->state(f->context) };

	if (urb->endpoint & 0x0f)
		return s;
	if ((urb->setup.type & 0x60) == 0x20)
		look_at_class_request(f, urb, &s);
	else if (!(urb->setup.type & 0x60))
		s.requests |= standard_request(urb->setup.request);
	return s;
}

/* Rules */

bool fault_matches(const struct fault *f, const struct fault_rule *r, const struct sight *s, uint32_t among)
{
	if (!(r->on & among & s->requests) || bench_now_us(f->bench) < r->from_us)
		return false;
	if (r->has_block && (!s->has_block || s->block < r->block_first || s->block > r->block_last))
		return false;
	if (r->has_address && (!s->has_address || s->last < r->address_first || s->first > r->address_last))
		return false;
	return !r->has_state || (f->ops->in_rom(f->context) && (uint8_t)s->state == r->state);
}

/* All conditions but probability and count hold. */
bool fault_fires(struct fault *f, struct entry *e)
{
	const struct fault_rule *r = &e->rule;

	if (r->probability < FAULT_CERTAIN && prng_between(&e->prng, 0, FAULT_CERTAIN - 1) >= r->probability)
		return false;
	if (e->matches < FAULT_ALWAYS)
		e->matches++;
	if (r->count_every ? e->matches % r->count_every : e->matches < r->count_first || e->matches > r->count_last)
		return false;
	if (e->fired < FAULT_ALWAYS)
		e->fired++;
	fault_tell(f, FAULT_EVENT_FIRED, e);
	return true;
}
