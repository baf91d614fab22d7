// SPDX-License-Identifier: GPL-2.0-or-later
/* Main flash, OTP and option bytes: operations from begin to finish or cut, protection, and the way in for files. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "flash_internal.h"
#include "option_bytes.h"

#define ERASED 0xFFu
#define RDP_BYTE_SPOILT 0xFFu /* an erased cell: level 1 */

/* Option bytes (OB-1, OB-2) */

static void protect(struct flash *f, unsigned first, unsigned count)
{
	for (unsigned i = first; i < f->sector_count && i - first < count; i++)
		f->sectors[i].is_protected = true;
}

static void load_protection(struct flash *f, const struct write_protection *w, const uint8_t *bytes)
{
	if (w->kind == WRP_AREA) {
		if (bytes[w->offset] <= bytes[w->offset + 2])
			protect(f, w->first_sector + bytes[w->offset], bytes[w->offset + 2] - bytes[w->offset] + 1u);
		return;
	}
	for (unsigned bit = 0; bit < w->bits; bit++) {
		bool rest = w->last_bit_takes_rest && bit + 1u == w->bits;

		if (!(bytes[w->offset + bit / 8] >> bit % 8 & 1))
			protect(f, w->first_sector + bit * w->sectors_per_bit,
				rest ? f->sector_count : w->sectors_per_bit);
	}
}

static void load_options(struct flash *f)
{
	const uint8_t *bytes = option_bytes_ok(f->profile, f->options) ? f->options : f->profile->option_factory;
	const struct write_protection *w = f->profile->write_protection;

	f->rdp = option_bytes_level(f->profile, f->options);
	for (unsigned i = 0; i < f->sector_count; i++)
		f->sectors[i].is_protected = false;
	for (size_t i = 0; i < sizeof(f->profile->write_protection) / sizeof(*w) && w[i].kind != WRP_NONE; i++)
		load_protection(f, &w[i], bytes);
}

static void store_options(struct flash *f, const uint8_t *bytes)
{
	if (memcmp(f->options, bytes, f->option_bytes) == 0)
		return;
	memcpy(f->options, bytes, f->option_bytes);
	f->generation++;
}

/* Power lost between erase and program of the option cells. ASSUMED: no source beyond EV-27, which has a cut unprotect
 * come back at level 1. An erased RDP cell is FF, and that is level 1 (RDP-1). */
static void spoil_options(struct flash *f)
{
	uint8_t bytes[OPTION_MAX_BYTES];

	memcpy(bytes, f->profile->option_factory, f->option_bytes);
	bytes[f->profile->rdp_offset] = RDP_BYTE_SPOILT;
	option_bytes_make(f->profile, bytes, bytes);
	store_options(f, bytes);
}

static bool any_sector_protected(const struct flash *f)
{
	unsigned i;

	for (i = 0; i < f->sector_count; i++)
		if (flash_sector_protected(f, i))
			return true;
	return false;
}

static bool inside(uint32_t address, size_t length, uint32_t base, size_t size_bytes, size_t *offset)
{
	if (address < base || address - base > size_bytes || length > size_bytes - (address - base))
		return false;
	*offset = address - base;
	return true;
}

/* Lowering level 1 to 0 erases main flash (RDP-4). ASSUMED: no source says that write protection does not hinder it. */
static int begin_options(struct flash *f, size_t offset, const uint8_t *bytes, size_t length)
{
	struct pending *p = &f->pending;
	int rc = 0;

	if (f->rdp == RDP_LEVEL_2)
		return -EPERM; /* RDP-1: permanent */
	memcpy(p->options, f->options, f->option_bytes);
	memcpy(p->options + offset, bytes, length);
	option_bytes_make(f->profile, p->options, p->options); /* ASSUMED: OB-9 */
	p->write_options = true;
	if (f->rdp == RDP_LEVEL_1 && option_bytes_level(f->profile, p->options) == RDP_LEVEL_0)
		rc = flash_begin_mass_erase(f);
	p->duration_us += f->profile->option_write_us;
	return rc;
}

/* The interface */

struct flash *flash_new(const struct mcu_profile *profile, struct prng *prng)
{
	const struct flash_sectors *group;
	struct flash *f;
	unsigned count = 0, n;
	size_t offset = 0;

	for (group = profile->sectors; group->count; group++)
		count += group->count;
	f = calloc(1, sizeof(*f) + count * sizeof(f->sectors[0]));
	if (!f)
		return NULL;
	f->profile = profile;
	f->prng.state = prng_next(prng);
	for (group = profile->sectors; group->count; group++) {
		for (n = 0; n < group->count; n++) {
			f->sectors[f->sector_count++] = (struct sector){ .offset = offset,
									 .size_bytes = group->size_bytes };
			offset += group->size_bytes;
		}
	}
	assert(offset == profile->flash_size_bytes);
	f->otp_data_bytes = (size_t)profile->otp_block_bytes * profile->otp_block_count;
	f->otp_size_bytes = f->otp_data_bytes + profile->otp_lock_bytes;
	f->option_bytes = option_bytes_size(profile);
	f->main = mem_new(profile->flash_size_bytes, ERASED);
	f->otp = malloc(f->otp_size_bytes + 1); /* some parts have none */
	if (!f->main || !f->otp) {
		flash_free(f);
		return NULL;
	}
	memset(f->otp, ERASED, f->otp_size_bytes);
	memcpy(f->options, profile->option_factory, f->option_bytes);
	flash_reset(f);
	return f;
}

void flash_free(struct flash *f)
{
	if (!f)
		return;
	mem_free(f->main);
	free(f->otp);
	free(f->pending.data);
	free(f);
}

int flash_begin(struct flash *f, enum flash_op op, uint32_t address, const uint8_t *data, size_t length,
		uint64_t *duration_us)
{
	const struct mcu_profile *profile = f->profile;
	struct pending *p = &f->pending;
	size_t bank;
	int rc = 0;

	assert(!p->busy);
	*p = (struct pending){ .op = op, .length = length };
	f->program_refused = false;
	switch (op) {
	case FLASH_PROGRAM:
		if (!inside(address, length, profile->flash_base, profile->flash_size_bytes, &p->offset))
			return -EFAULT;
		rc = flash_begin_program(f, data);
		break;
	case FLASH_STORE:
		if (!inside(address, length, profile->flash_base, profile->flash_size_bytes, &p->offset))
			return -EFAULT;
		rc = flash_begin_store(f, data);
		break;
	case FLASH_PROGRAM_OTP:
		if (!inside(address, length, profile->otp_base, f->otp_size_bytes, &p->offset))
			return -EFAULT;
		rc = flash_begin_program(f, data);
		break;
	case FLASH_ERASE_SECTOR:
		rc = flash_begin_erase(f, address);
		break;
	case FLASH_MASS_ERASE:
		if (!any_sector_protected(f)) /* FL-8 */
			rc = flash_begin_mass_erase(f);
		break;
	case FLASH_PROGRAM_OPTIONS: /* OB-7, OB-8 */
		rc = option_bytes_bank(f->profile, address, length, &bank);
		if (!rc)
			rc = begin_options(f, bank, data, length);
		break;
	case FLASH_UNPROTECT: /* RDP-4, RDP-8. ASSUMED: no source says that the options go to default at level 0 too. */
		rc = begin_options(f, 0, profile->option_factory, f->option_bytes);
		break;
	}
	if (rc != 0)
		return rc;
	p->busy = true;
	*duration_us = p->duration_us;
	return 0;
}

int flash_begin_write(struct flash *f, uint32_t address, const uint8_t *data, size_t length, uint64_t *duration_us)
{
	struct pending *p = &f->pending;
	int rc;

	assert(!p->busy && length && length <= 4 && address % length == 0);
	*p = (struct pending){ .op = FLASH_PROGRAM, .length = length, .unit_bytes = (uint32_t)length };
	f->program_refused = false;
	if (inside(address, length, f->profile->otp_base, f->otp_size_bytes, &p->offset))
		p->op = FLASH_PROGRAM_OTP;
	else if (!inside(address, length, f->profile->flash_base, f->profile->flash_size_bytes, &p->offset))
		return -EFAULT;
	rc = flash_begin_units(f, data);
	if (rc)
		return rc;
	p->busy = true;
	*duration_us = p->duration_us;
	return 0;
}

bool flash_is_busy(const struct flash *f)
{
	return f->pending.busy;
}

static void end_operation(struct flash *f)
{
	free(f->pending.data);
	f->pending = (struct pending){ .busy = false };
}

void flash_finish(struct flash *f)
{
	struct pending *p = &f->pending;

	assert(p->busy);
	flash_erase_sectors(f);
	if (p->units > 0)
		flash_program_units(f, p->units, false);
	if (p->write_options)
		store_options(f, p->options);
	end_operation(f);
}

void flash_cut(struct flash *f, uint64_t elapsed_us)
{
	struct pending *p = &f->pending;
	uint64_t progress, program_us;

	assert(p->busy);
	if (elapsed_us >= p->duration_us) {
		flash_finish(f);
		return;
	}
	if (elapsed_us < p->erase_us)
		flash_erase_sectors_until(f, elapsed_us);
	else
		flash_erase_sectors(f);
	if (p->units > 0 && elapsed_us >= p->erase_us) {
		progress = (elapsed_us - p->erase_us) * p->units;
		program_us = p->duration_us - p->erase_us;
		flash_program_units(f, progress / program_us, progress % program_us != 0);
	}
	if (p->write_options && elapsed_us > p->erase_us)
		spoil_options(f);
	end_operation(f);
}

int flash_set_feature(struct flash *f, const uint8_t *bytes, size_t length)
{
	if (length < 1 || length > 4 || bytes[0] >= f->profile->feature_values) /* MAP-10, FEAT-1 */
		return -EINVAL;
	if (!flash_is_erased(bytes + 1, length - 1)) /* FEAT-3 */
		return -EINVAL;
	f->feature = bytes[0];
	return 0;
}

void flash_get_feature(const struct flash *f, uint8_t bytes[4])
{
	memset(bytes, 0xFF, 4);
	bytes[0] = f->feature;
}

void flash_reset(struct flash *f)
{
	assert(!f->pending.busy);
	load_options(f);
	f->feature = 0; /* FEAT-2 */
	f->program_failed = false;
}

void flash_set_durations(struct flash *f, enum flash_durations durations)
{
	f->durations = durations;
}

int flash_read(const struct flash *f, uint32_t address, uint8_t *data, size_t length)
{
	size_t offset;

	if (!inside(address, length, f->profile->flash_base, f->profile->flash_size_bytes, &offset))
		return -EFAULT;
	mem_read(f->main, offset, data, length);
	return 0;
}

int flash_read_otp(const struct flash *f, uint32_t address, uint8_t *data, size_t length)
{
	size_t offset;

	if (!inside(address, length, f->profile->otp_base, f->otp_size_bytes, &offset))
		return -EFAULT;
	memcpy(data, f->otp + offset, length);
	return 0;
}

size_t flash_option_bytes(const struct flash *f)
{
	return f->option_bytes;
}

void flash_read_options(const struct flash *f, uint8_t *bytes)
{
	memcpy(bytes, f->options, f->option_bytes);
}

int flash_read_option_bank(const struct flash *f, uint32_t address, uint8_t *data, size_t length)
{
	size_t offset;
	int rc = option_bytes_bank(f->profile, address, length, &offset);

	if (!rc)
		memcpy(data, f->options + offset, length);
	return rc;
}

bool flash_program_was_refused(const struct flash *f)
{
	return f->program_refused;
}

enum rdp_level flash_rdp(const struct flash *f)
{
	return f->rdp;
}

bool flash_sector_protected(const struct flash *f, unsigned sector)
{
	assert(sector < f->sector_count);
	return f->sectors[sector].is_protected;
}

unsigned flash_sector_count(const struct flash *f)
{
	return f->sector_count;
}

int flash_sector_at(const struct flash *f, uint32_t address, uint32_t *start, uint32_t *size_bytes)
{
	uint32_t base = f->profile->flash_base;
	int sector = address < base ? -1 : flash_sector_of_offset(f, address - base);

	if (sector < 0)
		return -1;
	if (start)
		*start = base + (uint32_t)f->sectors[sector].offset;
	if (size_bytes)
		*size_bytes = (uint32_t)f->sectors[sector].size_bytes;
	return sector;
}

uint32_t flash_erase_count(const struct flash *f, unsigned sector)
{
	assert(sector < f->sector_count);
	return f->sectors[sector].erase_count;
}

size_t flash_size(const struct flash *f)
{
	return f->profile->flash_size_bytes;
}

int flash_load(struct flash *f, size_t offset, const uint8_t *data, size_t length)
{
	if (offset > flash_size(f) || length > flash_size(f) - offset)
		return -EFAULT;
	if (mem_write(f->main, offset, data, length) != 0)
		return -ENOMEM;
	f->generation++;
	return 0;
}

int flash_share(struct flash *to, const struct flash *from)
{
	assert(!flash_is_busy(to) && !flash_is_busy(from)); /* what is in hand has reserved its pages */
	if (flash_size(to) != flash_size(from))
		return -EINVAL;
	mem_share(to->main, from->main);
	to->generation++;
	return 0;
}

void flash_set_options(struct flash *f, const uint8_t *bytes)
{
	store_options(f, bytes);
	load_options(f);
}

void flash_get_otp(const struct flash *f, uint8_t *data, size_t length)
{
	assert(length == f->otp_size_bytes);
	memcpy(data, f->otp, length);
}

void flash_set_otp(struct flash *f, const uint8_t *data, size_t length)
{
	assert(length == f->otp_size_bytes);
	memcpy(f->otp, data, length);
	f->generation++;
}

void flash_set_erase_count(struct flash *f, unsigned sector, uint32_t count)
{
	assert(sector < f->sector_count);
	f->sectors[sector].erase_count = count;
	f->generation++;
}

uint64_t flash_generation(const struct flash *f)
{
	return f->generation;
}
