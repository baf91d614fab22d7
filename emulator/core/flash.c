// SPDX-License-Identifier: GPL-2.0-or-later
/* Main flash, OTP and option bytes: what each operation does to the cells, how long it takes, how far it got when cut. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "flash.h"
#include "mem.h"
#include "option_bytes.h"

#define ERASED 0xFFu
#define RDP_BYTE_SPOILT 0xFFu /* an erased cell: level 1 */
#define CHUNK_BYTES 256u
#define UNIT_MAX_BYTES 32u

struct sector {
	size_t offset, size_bytes;
	uint32_t erase_count;
	bool is_protected; /* as loaded */
};

/* The operation in hand. Erasing comes first, then programming or the option bytes. */
struct pending {
	bool busy;
	enum flash_op op;
	size_t offset, length;          /* program: from the start of its memory */
	uint8_t *data;                  /* program: ours */
	uint32_t unit_bytes;            /* program: parallelism */
	uint64_t units;                 /* program: those that take place */
	unsigned first_sector, sectors; /* erase: those that take place */
	uint64_t erase_us;              /* erase: its part of the duration */
	bool write_options;
	uint8_t options[OPTION_MAX_BYTES];
	uint64_t duration_us;
};

struct flash {
	const struct mcu_profile *profile;
	struct prng prng;
	enum flash_durations durations;
	struct mem *main;
	uint8_t *otp; /* blocks, then one lock byte each */
	size_t otp_data_bytes, otp_size_bytes;
	uint8_t options[OPTION_MAX_BYTES]; /* the cells, of all banks */
	size_t option_bytes;
	enum rdp_level rdp; /* loaded from them */
	uint8_t feature;
	bool program_failed;  /* an error flag is up: BLK-10 */
	bool program_refused; /* the last program met cells that it may not program again: SFL-2 */
	uint64_t generation;
	struct pending pending;
	unsigned sector_count;
	struct sector sectors[];
};

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

/* Geometry, timing */

static const struct flash_timing *timing(const struct flash *f)
{
	return &f->profile->timings[f->profile->feature_timing[f->feature]];
}

static void sector_erase_times(const struct flash *f, size_t size_bytes, uint64_t *typ_us, uint64_t *max_us)
{
	const struct flash_timing *t = timing(f);
	size_t i;

	for (i = 0; i < sizeof(t->erase) / sizeof(t->erase[0]) && t->erase[i].size_bytes; i++) {
		if (t->erase[i].size_bytes == size_bytes) {
			*typ_us = t->erase[i].typ_us;
			*max_us = t->erase[i].max_us;
			return;
		}
	}
	assert(!"sector size without an erase time in the profile");
	*typ_us = *max_us = 0;
}

static uint64_t pick_us(struct flash *f, uint64_t typ_us, uint64_t max_us)
{
	switch (f->durations) {
	case DURATION_MAXIMUM:
		return max_us;
	case DURATION_RANDOM:
		return prng_between(&f->prng, typ_us, max_us);
	case DURATION_TYPICAL:
		break;
	}
	return typ_us; /* ASSUMED: U17 */
}

static int sector_of_offset(const struct flash *f, size_t offset)
{
	unsigned i;

	for (i = 0; i < f->sector_count; i++)
		if (offset - f->sectors[i].offset < f->sectors[i].size_bytes)
			return (int)i;
	return -1;
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

/* Programming (FL-2, OTP-1): cells only lose bits */

/* From offset on, the run of cells that share a protection; true if they can be programmed (FL-7, OTP-2). */
static bool programmable_run(const struct flash *f, size_t offset, size_t end, size_t *run_end)
{
	bool open;
	unsigned i;

	if (f->pending.op == FLASH_PROGRAM_OTP) {
		if (offset >= f->otp_data_bytes) {
			*run_end = f->otp_size_bytes;
			open = true;
		} else {
			i = (unsigned)(offset / f->profile->otp_block_bytes);
			*run_end = (i + 1u) * (size_t)f->profile->otp_block_bytes;
			open = !f->profile->otp_lock_bytes || f->otp[f->otp_data_bytes + i] != 0;
		}
	} else {
		i = (unsigned)sector_of_offset(f, offset);
		*run_end = f->sectors[i].offset + f->sectors[i].size_bytes;
		open = !flash_sector_protected(f, i);
	}
	if (*run_end > end)
		*run_end = end;
	return open;
}

static uint64_t run_units(const struct flash *f, size_t length)
{
	return (length + f->pending.unit_bytes - 1) / f->pending.unit_bytes;
}

static void and_cells(uint8_t *cells, const uint8_t *data, size_t length, bool *changed)
{
	size_t i;

	for (i = 0; i < length; i++) {
		*changed |= (cells[i] & ~data[i]) != 0;
		cells[i] &= data[i];
	}
}

static bool is_erased(const uint8_t *data, size_t length)
{
	while (length > 0 && *data == ERASED) {
		data++;
		length--;
	}
	return length == 0;
}

static bool is_zero(const uint8_t *data, size_t length)
{
	while (length > 0 && !*data) {
		data++;
		length--;
	}
	return length == 0;
}

/* Chunks are whole units, but for the last. */
static void program_chunk(struct flash *f, uint8_t *cells, const uint8_t *data, size_t length, bool *changed)
{
	size_t unit = f->pending.unit_bytes, n;

	if (f->profile->program_rule == PROGRAM_CLEARS_BITS) {
		and_cells(cells, data, length, changed);
		return;
	}
	for (; length > 0; cells += n, data += n, length -= n) {
		n = length < unit ? length : unit;
		if (is_erased(cells, n) || (n == unit && is_zero(data, n)))
			and_cells(cells, data, n, changed);
		else if (!is_erased(data, n))
			f->program_refused = true;
	}
}

static void program_cells(struct flash *f, size_t offset, const uint8_t *data, size_t length)
{
	uint8_t cells[CHUNK_BYTES];
	bool changed = false;
	size_t n;
	int rc;

	if (f->pending.op == FLASH_PROGRAM_OTP) {
		program_chunk(f, f->otp + offset, data, length, &changed);
		length = 0;
	}
	for (; length > 0; offset += n, data += n, length -= n) {
		n = length < sizeof(cells) ? length : sizeof(cells);
		mem_read(f->main, offset, cells, n);
		program_chunk(f, cells, data, n, &changed);
		rc = mem_write(f->main, offset, cells, n);
		assert(rc == 0); /* reserved by begin_program() */
		(void)rc;
	}
	f->generation += changed;
}

/* The unit in hand when power goes: any of the bits that it was to clear may have made it. */
static void program_half_unit(struct flash *f, size_t offset, const uint8_t *data, size_t length)
{
	uint64_t kept = 0;
	uint8_t half[UNIT_MAX_BYTES];
	size_t i;

	assert(length <= sizeof(half));
	for (i = 0; i < length; i++) {
		if (i % 8 == 0)
			kept = prng_next(&f->prng);
		half[i] = (uint8_t)(data[i] | kept >> 8 * (i % 8));
	}
	program_cells(f, offset, half, length);
}

/* The first units whole, and the one after them half if so wanted. */
static void program_units(struct flash *f, uint64_t units, bool half_next)
{
	const struct pending *p = &f->pending;
	size_t offset, run_end, done, end = p->offset + p->length;
	uint64_t in_run;

	for (offset = p->offset; offset < end; offset = run_end) {
		if (!programmable_run(f, offset, end, &run_end))
			continue;
		in_run = run_units(f, run_end - offset);
		if (units >= in_run) {
			program_cells(f, offset, p->data + (offset - p->offset), run_end - offset);
			units -= in_run;
			continue;
		}
		done = (size_t)units * p->unit_bytes;
		program_cells(f, offset, p->data + (offset - p->offset), done);
		offset += done;
		if (half_next)
			program_half_unit(f, offset, p->data + (offset - p->offset),
					  run_end - offset < p->unit_bytes ? run_end - offset : p->unit_bytes);
		return;
	}
}

/* BLK-10, FL-6: wider than a byte, the access must be aligned, or it fails and all after it do. At x8 anything goes, ASSUMED:
 * U8. Where the loader fills the last unit up, the length does not matter (SFL-3). */
static bool is_misaligned(const struct flash *f)
{
	const struct pending *p = &f->pending;
	size_t align = f->profile->program_align_bytes;

	if (p->unit_bytes == 1 && f->profile->odd_length_ok)
		return false;
	return p->offset % align || (p->length % align && !f->profile->program_pads);
}

static int begin_program(struct flash *f, const uint8_t *data)
{
	struct pending *p = &f->pending;
	size_t offset, run_end, end = p->offset + p->length;
	const struct flash_timing *t = timing(f);

	p->unit_bytes = t->unit_bytes;
	if (is_misaligned(f))
		f->program_failed = true;
	if (f->program_failed)
		return -EINVAL;
	for (offset = p->offset; offset < end; offset = run_end) {
		if (!programmable_run(f, offset, end, &run_end))
			continue;
		p->units += run_units(f, run_end - offset);
		if (p->op != FLASH_PROGRAM_OTP && !is_erased(data + (offset - p->offset), run_end - offset) &&
		    mem_reserve(f->main, offset, run_end - offset) != 0)
			return -ENOMEM;
	}
	if (p->units > 0) {
		p->data = malloc(p->length);
		if (!p->data)
			return -ENOMEM;
		memcpy(p->data, data, p->length);
	}
	p->duration_us += pick_us(f, p->units * t->program_typ_us, p->units * t->program_max_us);
	return 0;
}

/* Erasing (FL-1): cells only gain bits */

/* A store needs the pages again that it has reserved: it must not give them back. */
static void fill_keeping_pages(struct flash *f, size_t offset, size_t length)
{
	uint8_t cells[CHUNK_BYTES];
	size_t n;
	int rc = 0;

	memset(cells, ERASED, sizeof(cells));
	for (; length > 0 && rc == 0; offset += n, length -= n) {
		n = length < sizeof(cells) ? length : sizeof(cells);
		rc = mem_write(f->main, offset, cells, n);
	}
	assert(rc == 0); /* what is there is ours: own_pages() */
}

static void erase_run(struct flash *f, struct sector *first, unsigned count)
{
	const struct sector *last = first + count - 1;
	size_t length = last->offset + last->size_bytes - first->offset;
	int rc = 0;

	if (f->pending.op == FLASH_STORE)
		fill_keeping_pages(f, first->offset, length);
	else
		rc = mem_fill(f->main, first->offset, length);
	assert(rc == 0); /* sectors are whole pages of memory, or own_pages() has seen to it */
	(void)rc;
	for (unsigned i = 0; i < count; i++)
		first[i].erase_count++;
	f->generation++;
}

/* ASSUMED: no source. All cells of a sector are pulled up together, each bit at a moment of its own. */
static void erase_sector_partly(struct flash *f, struct sector *s, uint64_t elapsed_us, uint64_t duration_us)
{
	uint64_t threshold = elapsed_us * 256 / duration_us, draw;
	size_t offset, end = s->offset + s->size_bytes, n, i, bit;
	uint8_t cells[CHUNK_BYTES];
	bool changed;

	for (offset = s->offset; offset < end; offset += n) {
		n = end - offset < sizeof(cells) ? end - offset : sizeof(cells);
		mem_read(f->main, offset, cells, n);
		changed = false;
		for (i = 0; i < n; i++) {
			if (cells[i] == ERASED)
				continue;
			changed = true;
			draw = prng_next(&f->prng);
			for (bit = 0; bit < 8; bit++)
				if ((draw >> 8 * bit & 0xFF) < threshold)
					cells[i] |= (uint8_t)(1u << bit);
		}
		/* A page with cleared bits exists; if it is shared and there is no memory for a copy, these cells were slow. */
		if (changed)
			(void)mem_write(f->main, offset, cells, n);
	}
	s->erase_count++;
	f->generation++;
}

static void erase_sectors(struct flash *f)
{
	if (f->pending.sectors)
		erase_run(f, &f->sectors[f->pending.first_sector], f->pending.sectors);
}

/* ASSUMED: no source. A mass erase takes the sectors in order, each its share of the time by its own erase time. */
static void erase_sectors_until(struct flash *f, uint64_t elapsed_us)
{
	const struct pending *p = &f->pending;
	uint64_t typ_us, max_us, total_us = 0, sum_us = 0, from_us, to_us;
	struct sector *first = &f->sectors[p->first_sector], *s;

	for (s = first; s < first + p->sectors; s++) {
		sector_erase_times(f, s->size_bytes, &typ_us, &max_us);
		total_us += typ_us;
	}
	assert(total_us > 0);
	for (s = first; s < first + p->sectors; s++) {
		sector_erase_times(f, s->size_bytes, &typ_us, &max_us);
		from_us = p->erase_us * sum_us / total_us;
		sum_us += typ_us;
		to_us = p->erase_us * sum_us / total_us;
		if (elapsed_us >= to_us)
			erase_run(f, s, 1);
		else if (elapsed_us > from_us)
			erase_sector_partly(f, s, elapsed_us - from_us, to_us - from_us);
		else
			break;
	}
}

/* A page of memory that is more than a sector, or that is to stay, is perhaps another board's too. */
static int own_pages(struct flash *f, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++)
		if ((f->sectors[i].size_bytes % MEM_PAGE_BYTES || f->pending.op == FLASH_STORE) &&
		    mem_own(f->main, f->sectors[i].offset, f->sectors[i].size_bytes))
			return -ENOMEM;
	return 0;
}

static int begin_erase(struct flash *f, uint32_t address)
{
	struct pending *p = &f->pending;
	uint64_t typ_us, max_us;
	int sector = flash_sector_at(f, address, NULL, NULL); /* anywhere in it: CMD-7 */

	if (sector < 0)
		return -EFAULT;
	if (flash_sector_protected(f, (unsigned)sector))
		return 0; /* FL-7 */
	if (own_pages(f, (unsigned)sector, 1))
		return -ENOMEM;
	p->first_sector = (unsigned)sector;
	p->sectors = 1;
	sector_erase_times(f, f->sectors[sector].size_bytes, &typ_us, &max_us);
	p->erase_us = pick_us(f, typ_us, max_us);
	p->duration_us = p->erase_us;
	return 0;
}

static int begin_mass_erase(struct flash *f)
{
	struct pending *p = &f->pending;

	if (own_pages(f, 0, f->sector_count))
		return -ENOMEM;
	p->sectors = f->sector_count;
	p->erase_us = pick_us(f, timing(f)->mass_typ_us, timing(f)->mass_max_us);
	p->duration_us = p->erase_us;
	return 0;
}

/* The sectors whose first byte is written are erased before: for a device that does so of its own accord. */
static int begin_store(struct flash *f, const uint8_t *data)
{
	struct pending *p = &f->pending;
	uint64_t typ_us, max_us;

	for (unsigned i = 0; i < f->sector_count; i++) {
		if (f->sectors[i].offset < p->offset || f->sectors[i].offset - p->offset >= p->length ||
		    flash_sector_protected(f, i))
			continue;
		if (own_pages(f, i, 1))
			return -ENOMEM;
		p->first_sector = p->sectors ? p->first_sector : i;
		p->sectors = i + 1 - p->first_sector;
		sector_erase_times(f, f->sectors[i].size_bytes, &typ_us, &max_us);
		p->erase_us += pick_us(f, typ_us, max_us);
	}
	p->duration_us = p->erase_us;
	return begin_program(f, data);
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
		rc = begin_mass_erase(f);
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
		rc = begin_program(f, data);
		break;
	case FLASH_STORE:
		if (!inside(address, length, profile->flash_base, profile->flash_size_bytes, &p->offset))
			return -EFAULT;
		rc = begin_store(f, data);
		break;
	case FLASH_PROGRAM_OTP:
		if (!inside(address, length, profile->otp_base, f->otp_size_bytes, &p->offset))
			return -EFAULT;
		rc = begin_program(f, data);
		break;
	case FLASH_ERASE_SECTOR:
		rc = begin_erase(f, address);
		break;
	case FLASH_MASS_ERASE:
		if (!any_sector_protected(f)) /* FL-8 */
			rc = begin_mass_erase(f);
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
	erase_sectors(f);
	if (p->units > 0)
		program_units(f, p->units, false);
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
		erase_sectors_until(f, elapsed_us);
	else
		erase_sectors(f);
	if (p->units > 0 && elapsed_us >= p->erase_us) {
		progress = (elapsed_us - p->erase_us) * p->units;
		program_us = p->duration_us - p->erase_us;
		program_units(f, progress / program_us, progress % program_us != 0);
	}
	if (p->write_options && elapsed_us > p->erase_us)
		spoil_options(f);
	end_operation(f);
}

int flash_set_feature(struct flash *f, const uint8_t *bytes, size_t length)
{
	if (length < 1 || length > 4 || bytes[0] >= f->profile->feature_values) /* MAP-10, FEAT-1 */
		return -EINVAL;
	if (!is_erased(bytes + 1, length - 1)) /* FEAT-3 */
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
	int sector = address < base ? -1 : sector_of_offset(f, address - base);

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
