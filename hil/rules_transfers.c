/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of single transfers: interface, alternate setting, block numbers, lengths and addresses (DFU 1.1 6, AN3156 4 and 5). */
#include "rules_internal.h"

#define SET_INTERFACE 11

void check_wrong_interface(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		const struct rules_device *d = rule_device(j, x);

		if (x->op == OP_NONE || !x->board || (!d->has_configuration && !rule_profile_of(j, x)))
			continue;
		/* It goes to the application, which need not be the device that the profile knows (DFU 1.1 5.1). */
		if (x->op == OP_DETACH && !d->has_configuration)
			continue;
		if (x->setup.index != d->interface)
			rule_tell(j, RULE_WRONG_INTERFACE, n, "wIndex is %u, and the interface with DFU is %u",
				  x->setup.index, d->interface);
	}
}

/* Alternate setting in force before request n: 0 unless another was chosen. */
static unsigned alt_before(const struct judge *j, size_t n)
{
	for (size_t i = n; i--;) {
		const struct exchange *x = &j->t->exchanges[i];

		if (x->incarnation == j->t->exchanges[n].incarnation && x->setup.type == 0x01 &&
		    x->setup.request == SET_INTERFACE && rule_acknowledged(x))
			return x->setup.value;
	}
	return 0;
}

/* Alternate setting that has the address; `preferred` if that does. -1: none. */
static int alt_of(const struct rules_device *d, uint32_t address, unsigned preferred)
{
	int found = -1;

	for (unsigned i = 0; i < d->segment_count; i++) {
		if (address < d->segments[i].base || address - d->segments[i].base >= d->segments[i].size_bytes)
			continue;
		if (d->segments[i].alt == preferred)
			return (int)preferred;
		found = d->segments[i].alt;
	}
	return found;
}

void check_wrong_alt(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		unsigned alt;
		int right;

		if ((x->op != OP_WRITE && x->op != OP_READ) || !x->has_target)
			continue;
		alt = alt_before(j, n);
		right = alt_of(rule_device(j, x), x->target, alt);
		if (right >= 0 && (unsigned)right != alt)
			rule_tell(j, RULE_WRONG_ALT, n,
				  "%s 0x%08X goes to the memory of alternate setting %d while %u is selected",
				  dfuse_op_name(x->op), (unsigned)x->target, right, alt);
	}
}

/* The write before n since the last Set-Address, or RULE_NOWHERE. */
static size_t write_before(const struct judge *j, size_t n)
{
	for (size_t i = n; i-- > j->first;) {
		const struct exchange *x = &j->t->exchanges[i];

		if (x->incarnation != j->t->exchanges[n].incarnation || !rule_acknowledged(x))
			continue;
		if (x->op == OP_SET_ADDRESS || x->op == OP_ERASE)
			return RULE_NOWHERE;
		if (x->op == OP_WRITE)
			return i;
	}
	return RULE_NOWHERE;
}

void check_block_number(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		size_t last;

		if (rule_device(j, x)->plain)
			continue;
		if (!x->has_target && (x->op == OP_WRITE || x->op == OP_READ) && x->setup.value == 1) {
			rule_tell(j, RULE_BLOCK_NUMBER, n, "block 1 is reserved: data begin with block 2");
		} else if (x->op == OP_UNKNOWN_COMMAND && x->setup.length > 5) {
			rule_tell(j, RULE_BLOCK_NUMBER, n,
				  "%u bytes of data are sent as block 0, which is for commands", x->setup.length);
		} else if (x->op == OP_WRITE && x->has_target) {
			last = write_before(j, n);
			if (last != RULE_NOWHERE && j->t->exchanges[last].setup.value == 0xffff &&
			    x->setup.value != 0xffff)
				rule_tell(j, RULE_BLOCK_NUMBER, n, "the block number wraps: %u follows 65535",
					  x->setup.value);
			else if (rule_profile_of(j, x) && !rule_region(rule_profile_of(j, x), x->target))
				rule_tell(j, RULE_BLOCK_NUMBER, n,
					  "block %u lies at 0x%08X, where the device has no memory", x->setup.value,
					  (unsigned)x->target);
		}
	}
}

void check_transfer_size(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		unsigned most = rule_device(j, x)->transfer_bytes;

		if (most && x->board && (rule_is_download(x) || rule_is_upload(x)) && x->setup.length > most)
			rule_tell(j, RULE_TRANSFER_SIZE, n, "%u bytes are more than wTransferSize, %u", x->setup.length,
				  most);
	}
}

void check_short_middle_block(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n], *before;
		size_t last;

		if (x->op != OP_WRITE || !x->has_target)
			continue;
		last = write_before(j, n);
		if (last == RULE_NOWHERE)
			continue;
		before = &j->t->exchanges[last];
		if (before->has_target && x->setup.value == before->setup.value + 1 &&
		    x->target != before->target + before->setup.length)
			rule_tell(j, RULE_SHORT_MIDDLE_BLOCK, n,
				  "block %u had %u bytes and ended at 0x%08X, but block %u goes to 0x%08X",
				  before->setup.value, before->setup.length,
				  (unsigned)(before->target + before->setup.length), x->setup.value,
				  (unsigned)x->target);
	}
}

void check_odd_length(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		const struct mcu_profile *p = rule_profile_of(j, x);
		const struct mem_region *r = p && x->op == OP_WRITE && x->has_target ? rule_region(p, x->target) : NULL;

		if (r && r->kind == MEM_FLASH && (x->setup.length % 4 || x->target % 4))
			rule_tell(j, RULE_ODD_LENGTH, n,
				  "%u bytes to 0x%08X: address and length are to be multiples of 4", x->setup.length,
				  (unsigned)x->target);
	}
}

/* The user may have asked for just that. */
static bool address_was_asked(const struct judge *j, const struct mcu_profile *p, uint32_t address)
{
	return j->call && (j->call->raw || (j->call->call.has_address && address >= j->call->call.address &&
					    !rule_region(p, j->call->call.address)));
}

void check_set_address_outside_map(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		const struct mcu_profile *p = rule_profile_of(j, x);

		if ((x->op == OP_SET_ADDRESS || x->op == OP_ERASE) && x->board && p && !rule_region(p, x->target) &&
		    !address_was_asked(j, p, x->target))
			rule_tell(j, RULE_SET_ADDRESS_OUTSIDE_MAP, n, "%s 0x%08X: the device has no memory there",
				  dfuse_op_name(x->op), (unsigned)x->target);
	}
}

void check_option_block(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		const struct mcu_profile *p = rule_profile_of(j, x);
		const struct mem_region *r = p && (x->op == OP_WRITE || x->op == OP_READ) && x->has_target
						     ? rule_region(p, x->target)
						     : NULL;

		if (r && r->kind == MEM_OPTION && (x->target != r->base || x->setup.length != r->size_bytes))
			rule_tell(j, RULE_OPTION_BLOCK, n,
				  "%s of %u option bytes at 0x%08X: it has to be all %u of them, from 0x%08X",
				  dfuse_op_name(x->op), x->setup.length, (unsigned)x->target, (unsigned)r->size_bytes,
				  (unsigned)r->base);
	}
}

struct image {
	bool written,
		address_since; /* address_since: a Set-Address after the last write, or if nothing was written, any */
	uint32_t lowest;
};

/* What was written in this call before n. */
static struct image image_before(const struct judge *j, size_t n)
{
	struct image image = { .written = false };

	for (size_t i = j->first; i < n; i++) {
		const struct exchange *x = &j->t->exchanges[i];

		if (x->incarnation != j->t->exchanges[n].incarnation || !rule_acknowledged(x))
			continue;
		if (rule_begins_anew(j, x))
			image.written = false;
		if (x->op == OP_SET_ADDRESS)
			image.address_since = true;
		if (x->op != OP_WRITE || !x->has_target)
			continue;
		if (!image.written || x->target < image.lowest)
			image.lowest = x->target;
		image.written = true;
		image.address_since = false;
	}
	return image;
}

void check_leave_without_set_address(struct judge *j)
{
	for (size_t n = j->first; n < j->end; n++) {
		const struct exchange *x = &j->t->exchanges[n];
		struct image image;

		if (x->op != OP_LEAVE || !x->has_target || !rule_acknowledged(x))
			continue;
		image = image_before(j, n);
		if (image.address_since)
			continue;
		if (image.written && x->target > image.lowest)
			rule_tell(
				j, RULE_LEAVE_WITHOUT_SET_ADDRESS, n,
				"the device will jump to 0x%08X, where the pointer is, and the image begins at 0x%08X",
				(unsigned)x->target, (unsigned)image.lowest);
		else if (!image.written && rule_profile_of(j, x) && x->target != rule_profile_of(j, x)->default_pointer)
			rule_tell(j, RULE_LEAVE_WITHOUT_SET_ADDRESS, n,
				  "the device will jump to 0x%08X, where an earlier run left the pointer",
				  (unsigned)x->target);
	}
}
