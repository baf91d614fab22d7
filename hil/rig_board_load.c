// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig of a real board: putting contents into it without a tool, with as little wear as will do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "protection.h"
#include "rig_board_look.h"

#define LEFT_US UINT64_C(5000000) /* after new option bytes, until the board has gone */

/* --- writing --- */

static bool only_clears(const uint8_t *old, const uint8_t *wanted, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((old[i] & wanted[i]) != wanted[i])
			return false;
	return true;
}

/* One sector, as little as will do: nothing, or blocks of what is erased, or all of it. */
static int load_sector(struct board *b, struct look *l, unsigned number, size_t at, size_t size, const uint8_t *wanted)
{
	const uint8_t *old = b->flash + at;
	uint32_t address = b->profile->flash_base + (uint32_t)at;
	size_t block = b->profile->transfer_size_bytes;
	struct host_device d;
	uint64_t took;
	bool erased = false;
	int r;

	if (!memcmp(old, wanted, size))
		return 0;
	r = look_check_identity(b, &d);
	if (r)
		return r;
	if (d.address != l->device.address || d.bus != l->device.bus)
		return board_fail(b, -ENODEV, "the board has come up anew in the middle");
	if (!only_clears(old, wanted, size)) {
		r = board_wear_check(b, number);
		if (r)
			return r;
		b->flash_known = false;
		r = dfu_client_erase(l->client, address, &took);
		board_wear_count(b, number, took);
		erased = true;
	}
	b->flash_known = false;
	for (size_t i = 0; i < size && !r; i += block) {
		size_t part = size - i < block ? size - i : block, n = 0;

		while (n < part && wanted[i + n] == (erased ? 0xff : old[i + n]))
			n++;
		if (n < part)
			r = dfu_client_write(l->client, address + (uint32_t)i, wanted + i, part);
	}
	return r ? look_client_error(b, l->client, r, "the flash cannot be written") : 0;
}

static int load_sectors(struct board *b, struct look *l, const uint8_t *wanted)
{
	size_t at = 0;
	unsigned number = 0;
	int r = 0;

	for (const struct flash_sectors *s = b->profile->sectors; s->count && !r; s++)
		for (uint32_t i = 0; i < s->count && at + s->size_bytes <= b->profile->flash_size_bytes && !r;
		     i++, number++, at += s->size_bytes) {
			if (protection_covers(b->profile, b->options, number) &&
			    memcmp(b->flash + at, wanted + at, s->size_bytes))
				return board_fail(b, -EROFS, "sector %u is write protected", number);
			r = load_sector(b, l, number, at, s->size_bytes, wanted + at);
		}
	return r;
}

int board_flash_load(struct rig *rig, unsigned board, uint32_t address, const uint8_t *data, size_t length)
{
	struct board *b = board_of(rig);
	uint32_t base = b->profile->flash_base, size = b->profile->flash_size_bytes;
	uint8_t *wanted;
	struct look l;
	int r;

	if (board != 1)
		return -ENOENT;
	if (address < base || address - base > size || length > size - (address - base))
		return board_fail(b, -EFAULT, "it is not within the flash");
	r = look_refresh(b, false);
	if (!r && !b->flash_known)
		r = board_fail(b, -EACCES, "the board is read protected: its flash cannot be written");
	if (r || !memcmp(b->flash + (address - base), data, length))
		return r;
	wanted = malloc(size);
	if (!wanted)
		return board_fail(b, -ENOMEM, "%s", strerror(ENOMEM));
	memcpy(wanted, b->flash, size);
	memcpy(wanted + (address - base), data, length);
	r = look_begin(b, &l, false);
	if (!r)
		r = load_sectors(b, &l, wanted);
	if (!r)
		r = look_read_all(b, &l);
	if (!r && memcmp(b->flash, wanted, size))
		r = board_fail(b, -EIO, "what was written to the flash is not what is there");
	free(wanted);
	return look_end(b, &l, r);
}

/* New option bytes reset the chip. */
static int write_options(struct board *b, struct look *l, const uint8_t *bytes)
{
	struct host_device d;
	int r = look_check_identity(b, &d);

	if (r)
		return r;
	b->options_known = false;
	r = dfu_client_write_options(l->client, bytes);
	if (r)
		look_client_error(b, l->client, r, "the option bytes cannot be written");
	return r;
}

static int unprotect(struct board *b, struct look *l)
{
	int r;

	for (unsigned i = 0; i < b->sector_count; i++)
		if ((r = board_wear_check(b, i)))
			return r;
	r = dfu_client_unprotect(l->client);
	if (r)
		return look_client_error(b, l->client, r, "the read protection cannot be taken away");
	for (unsigned i = 0; i < b->sector_count; i++)
		board_wear_count(b, i, 0);
	b->flash_known = b->options_known = false;
	return 0;
}

static int may_change_options(struct board *b, const uint8_t *bytes)
{
	enum rdp_level level = option_bytes_level(b->profile, bytes);

	if (level == RDP_LEVEL_2 || protection_is_for_ever(b->profile, bytes))
		return board_fail(b, -EPERM, "read protection of level 2 is for ever: no real board is given it");
	if (level == RDP_LEVEL_1 && !(b->file->allows & ALLOWS_RDP1))
		return board_fail(b, -EPERM, "the rig file does not allow read protection ('allows: [rdp-1]')");
	/* A tool may have set it. */
	if (b->rdp == RDP_LEVEL_1 && !(b->file->allows & ALLOWS_RDP1))
		return board_fail(b, -EPERM,
				  "the board is read protected now, and the rig file does not allow taking that away, "
				  "which erases it ('allows: [rdp-1]')");
	if (!(b->file->allows & ALLOWS_OPTION_BYTES) && level == b->rdp)
		return board_fail(b, -EPERM,
				  "the rig file does not allow changes of option bytes ('allows: [option-bytes]')");
	return 0;
}

int board_options_load(struct rig *rig, unsigned board, const uint8_t *bytes)
{
	struct board *b = board_of(rig);
	size_t size = option_bytes_size(b->profile);
	struct look l;
	int r;

	if (board != 1)
		return -ENOENT;
	r = look_refresh(b, false);
	if (r && !b->options_known)
		return r;
	if (!memcmp(bytes, b->options, size))
		return 0;
	r = may_change_options(b, bytes);
	if (r)
		return r;
	if (!b->options_changed)
		memcpy(b->options_before, b->options, size);
	b->options_changed = true;
	r = look_begin(b, &l, false);
	if (!r)
		r = b->rdp == RDP_LEVEL_1 ? unprotect(b, &l) : write_options(b, &l, bytes);
	if (!r) {
		/* It goes, and comes back as BOOT0 has it, which board_enter() left high where it was not in DFU before. */
		dfu_client_close(l.client);
		l.client = NULL;
		look_wait_gone(b, &l.device, b->rdp == RDP_LEVEL_1 ? BUSY_US : LEFT_US);
		r = board_enter(b, &l.device);
		if (!r)
			r = look_open_client(b, &l);
		if (!r && (r = dfu_client_idle(l.client)))
			look_client_error(b, l.client, r, "the bootloader");
		if (!r)
			r = look_read_options(b, &l);
		if (!r && b->rdp == RDP_LEVEL_0 && memcmp(b->options, bytes, size))
			r = board_fail(b, -EIO, "what was written to the option bytes is not what is there");
		if (b->rdp != RDP_LEVEL_0)
			b->flash_known = false;
	}
	if (l.doing == DOES_DFU)
		l.doing = DOES_FRESH_DFU; /* it was reset, whatever it was doing */
	return look_end(b, &l, r);
}

int board_look(struct board *b)
{
	uint8_t open[OPTION_MAX_BYTES];
	int r = look_refresh(b, false);

	if (r)
		return r;
	if (b->rdp == RDP_LEVEL_1 && !(b->file->allows & ALLOWS_RDP1))
		return board_fail(
			b, -EACCES,
			"the board is read protected, and the rig file does not allow taking that away, which "
			"erases it ('allows: [rdp-1]')");
	if (b->rdp == RDP_LEVEL_1) {
		option_bytes_make(b->profile, b->profile->option_factory, open);
		r = board_options_load(&b->rig, 1, open);
		b->options_changed = false;
		if (!r)
			r = look_refresh(b, false);
	}
	return r;
}
