// SPDX-License-Identifier: GPL-2.0-or-later
/* What downloads would do to a board. */
#include "board_harm.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "dfuse.h"
#include "protection.h"

#define RDP_2 2

void harm_begin(struct board_harm *h, const struct board_rig *rig)
{
	*h = (struct board_harm){ .rig = rig, .profile = mcu_profile_find(rig->profile) };
	if (h->profile)
		harm_aim(h, h->profile->default_pointer, true);
}

void harm_refuse(struct board_harm *h, const char *format, ...)
{
	va_list args;

	if (h->refused)
		return;
	va_start(args, format);
	vsnprintf(h->why, sizeof(h->why), format, args);
	va_end(args);
	h->refused = true;
}

static void need(struct board_harm *h, enum board_allows what, const char *word, const char *text)
{
	if (!(h->rig->allows & what))
		harm_refuse(h, "%s, which the rig '%.60s' does not allow ('allows: [%s]')", text, h->rig->name, word);
}

void harm_mass_erase(struct board_harm *h)
{
	need(h, ALLOWS_MASS_ERASE, "mass-erase", "erases the whole flash");
}

void harm_unprotect(struct board_harm *h)
{
	need(h, ALLOWS_RDP1, "rdp-1", "takes read protection away, which erases the whole flash");
	h->is_protected = false;
}

void harm_options(struct board_harm *h)
{
	need(h, ALLOWS_OPTION_BYTES, "option-bytes", "changes option bytes");
}

void harm_level(struct board_harm *h, unsigned rdp)
{
	if (rdp == RDP_2)
		harm_refuse(h, "sets read protection of level 2, which is for ever: no real board is given it");
	if (rdp == 1) {
		need(h, ALLOWS_RDP1, "rdp-1", "sets read protection");
		h->is_protected = true;
	}
}

void harm_option_bytes(struct board_harm *h, const uint8_t *bytes, size_t length)
{
	harm_options(h);
	if (length != option_bytes_size(h->profile))
		return;
	if (protection_is_for_ever(h->profile, bytes))
		harm_level(h, RDP_2);
	harm_level(h, (unsigned)option_bytes_level(h->profile, bytes));
}

/* --- what is written --- */

static bool overlaps(uint64_t at, uint64_t length, uint64_t from, uint64_t size)
{
	return at < from + size && from < at + (length ? length : 1);
}

/* Option bytes as a file. Which byte is the level is known where it is among them; what a part of them does to it is not. */
static void write_options(struct board_harm *h, uint32_t address, uint64_t length, const uint8_t *data, bool later)
{
	const struct mcu_profile *p = h->profile;
	const struct option_bank *bank = p->option_banks;
	uint64_t level_at = (uint64_t)bank->base + p->rdp_offset;

	harm_options(h);
	need(h, ALLOWS_RDP1, "rdp-1", "writes option bytes as a file, which may read protect the board");
	if (later || !overlaps(address, length, bank->base, bank->size_bytes))
		return;
	if (!data)
		harm_refuse(h, "writes option bytes that cannot be seen: no real board is given them");
	else if (address > level_at || address + length <= level_at)
		harm_refuse(h, "writes a part of the option bytes, of which nobody knows what it does to the read "
			       "protection: no real board is given it");
	else if (data[level_at - address] == RDP_LEVEL_2_BYTE)
		harm_level(h, RDP_2);
}

void harm_write(struct board_harm *h, uint32_t address, uint64_t length, const uint8_t *data, bool later)
{
	const struct mcu_profile *p = h->profile;
	uint64_t otp = (uint64_t)p->otp_block_bytes * p->otp_block_count + p->otp_lock_bytes;

	if (otp && overlaps(address, length, p->otp_base, otp))
		harm_refuse(h, "writes to 0x%08x, OTP memory, which is for ever: no real board is given it",
			    address > p->otp_base ? address : p->otp_base);
	for (unsigned i = 0; i < 2; i++)
		if (p->option_banks[i].base && p->option_banks[i].size_bytes &&
		    overlaps(address, length, p->option_banks[i].base, p->option_banks[i].size_bytes))
			write_options(h, address, length, data, later);
}

/* --- what the bootloader is told --- */

void harm_aim(struct board_harm *h, uint32_t address, bool certain)
{
	if (certain) {
		h->aim_count = 0;
		h->aims_lost = false;
	}
	for (unsigned i = 0; i < h->aim_count; i++)
		if (h->aims[i] == address)
			return;
	if (h->aim_count == HARM_AIMS)
		h->aims_lost = true;
	else
		h->aims[h->aim_count++] = address;
}

static void command(struct board_harm *h, const struct harm_download *d)
{
	const uint8_t *b = d->data;

	if (!d->known) {
		harm_refuse(h, "sends a command that cannot be seen: no real board is given it");
		return;
	}
	/* One byte is a mass erase (AN3156); nobody has said what another length than that and an address is. */
	if (b[0] == DFUSE_ERASE && d->length != 5)
		harm_mass_erase(h);
	if (b[0] == DFUSE_READ_UNPROTECT)
		harm_unprotect(h);
	if ((b[0] != DFUSE_SET_ADDRESS && b[0] != DFUSE_ERASE) || d->length != 5)
		return;
	if (d->known < 5) {
		harm_refuse(h, "names an address that cannot be seen: no real board is given it");
		return;
	}
	/* Whether an erase moves the pointer nobody has measured (f407.md U18). */
	harm_aim(h, b[1] | (uint32_t)b[2] << 8 | (uint32_t)b[3] << 16 | (uint32_t)b[4] << 24,
		 b[0] == DFUSE_SET_ADDRESS && d->taken);
}

void harm_download(struct board_harm *h, const struct harm_download *d)
{
	const uint8_t *data = d->known == d->length ? d->data : NULL;

	/* Blocks of what is no DfuSe are all of firmware. */
	if (h->profile->protocol != PROTOCOL_DFUSE || !d->length || d->block == 1)
		return;
	if (!d->block) {
		command(h, d);
		return;
	}
	if (h->aims_lost)
		harm_refuse(h, "names more addresses than can be followed: no real board is given it");
	for (unsigned i = 0; i < h->aim_count; i++) {
		uint32_t at = h->aims[i] + (d->block - 2u) * h->profile->transfer_size_bytes;

		harm_write(h, at, d->length, data, false);
	}
}
