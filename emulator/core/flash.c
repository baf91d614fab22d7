// SPDX-License-Identifier: GPL-2.0-or-later
/* Main flash, OTP and option bytes: what each operation does to the cells, how long it takes, how far it got when cut. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "flash.h"
#include "mem.h"

#define ERASED 0xFFu
#define OPTION_BYTES 16u
#define RDP_BYTE_LEVEL_0 0xAAu /* RDP-1 */
#define RDP_BYTE_LEVEL_2 0xCCu
#define CHUNK_BYTES 256u

struct sector {
	size_t offset, size_bytes;
	uint32_t erase_count;
};

/* The operation in hand. Those that erase and then write option bytes do so in this order. */
struct pending {
	bool busy;
	enum flash_op op;
	size_t offset, length;          /* program: from the start of its memory */
	uint8_t *data;                  /* program: ours */
	uint32_t unit_bytes;            /* program: parallelism */
	uint64_t units;                 /* program: those that take place */
	unsigned first_sector, sectors; /* erase: those that take place */
	uint64_t erase_us;              /* erase: its part of the duration */
	bool write_options;             /* options come after the erase */
	uint8_t options[OPTION_BYTES];
	uint64_t duration_us;
};

struct flash {
	const struct mcu_profile *profile;
	struct prng prng;
	enum flash_durations durations;
	struct mem *main;
	uint8_t *otp; /* blocks, then one lock byte each */
	size_t otp_data_bytes, otp_size_bytes;
	uint8_t options[OPTION_BYTES]; /* the cells */
	enum rdp_level rdp;            /* loaded from them */
	uint16_t not_protected;        /* loaded: nWRP */
	uint8_t feature;
	bool program_failed; /* an error flag is up: BLK-10 */
	uint64_t generation;
	struct pending pending;
	unsigned sector_count;
	struct sector sectors[];
};

/* Option bytes (OB-1, OB-2) */

/* A word of a 16-bit value and its complement. */
static bool option_word_ok(const uint8_t *word)
{
	return (word[0] ^ word[2]) == 0xFF && (word[1] ^ word[3]) == 0xFF;
}

/* ASSUMED: no source for F4. Cells that contradict their complements load as factory options with RDP level 1. */
static bool options_ok(const uint8_t *bytes)
{
	return option_word_ok(bytes) && memcmp(bytes, bytes + 4, 4) == 0 && option_word_ok(bytes + 8) &&
	       memcmp(bytes + 8, bytes + 12, 4) == 0;
}

static enum rdp_level options_level(const uint8_t *bytes)
{
	if (!options_ok(bytes))
		return RDP_LEVEL_1;
	switch (bytes[1]) { /* RDP-1 */
	case RDP_BYTE_LEVEL_0:
		return RDP_LEVEL_0;
	case RDP_BYTE_LEVEL_2:
		return RDP_LEVEL_2;
	default:
		return RDP_LEVEL_1;
	}
}

static void load_options(struct flash *f)
{
	const uint8_t *bytes = options_ok(f->options) ? f->options : f->profile->option_factory;

	f->rdp = options_level(f->options);
	f->not_protected = (uint16_t)(bytes[8] | bytes[9] << 8);
}

static void store_options(struct flash *f, const uint8_t *bytes)
{
	if (memcmp(f->options, bytes, OPTION_BYTES) == 0)
		return;
	memcpy(f->options, bytes, OPTION_BYTES);
	f->generation++;
}

/* Power lost between erase and program of the option cells. ASSUMED: no source beyond EV-27, which has a cut unprotect
 * come back at level 1. An erased RDP cell is FF, and that is level 1 (RDP-1). */
static void spoil_options(struct flash *f)
{
	uint8_t bytes[OPTION_BYTES];

	memcpy(bytes, f->profile->option_factory, sizeof(bytes));
	bytes[1] = bytes[5] = 0xFF;
	bytes[3] = bytes[7] = 0x00;
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
			open = f->otp[f->otp_data_bytes + i] != 0;
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

/* Eight at a time: all that is written goes through here. */
static void and_cells(uint8_t *cells, const uint8_t *data, size_t length, bool *changed)
{
	uint64_t old, new, lost = 0;
	size_t i;

	for (i = 0; length - i >= sizeof(old); i += sizeof(old)) {
		memcpy(&old, cells + i, sizeof(old));
		memcpy(&new, data + i, sizeof(new));
		lost |= old & ~new;
		new &= old;
		memcpy(cells + i, &new, sizeof(new));
	}
	for (; i < length; i++) {
		lost |= cells[i] & (uint8_t)~data[i];
		cells[i] &= data[i];
	}
	*changed |= lost != 0;
}

static void program_cells(struct flash *f, size_t offset, const uint8_t *data, size_t length)
{
	uint8_t cells[CHUNK_BYTES];
	bool changed = false;
	size_t n;
	int rc;

	if (f->pending.op == FLASH_PROGRAM_OTP) {
		and_cells(f->otp + offset, data, length, &changed);
		length = 0;
	}
	for (; length > 0; offset += n, data += n, length -= n) {
		n = length < sizeof(cells) ? length : sizeof(cells);
		mem_read(f->main, offset, cells, n);
		and_cells(cells, data, n, &changed);
		rc = mem_write(f->main, offset, cells, n);
		assert(rc == 0); /* reserved by begin_program() */
		(void)rc;
	}
	f->generation += changed;
}

/* The unit in hand when power goes: any of the bits that it was to clear may have made it. */
static void program_half_unit(struct flash *f, size_t offset, const uint8_t *data, size_t length)
{
	uint64_t kept = prng_next(&f->prng);
	uint8_t half[sizeof(kept)];
	size_t i;

	assert(length <= sizeof(half));
	for (i = 0; i < length; i++)
		half[i] = (uint8_t)(data[i] | kept >> 8 * i);
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

static bool is_erased(const uint8_t *data, size_t length)
{
	return length == 0 || (*data == ERASED && memcmp(data, data + 1, length - 1) == 0);
}

static int begin_program(struct flash *f, const uint8_t *data)
{
	struct pending *p = &f->pending;
	size_t offset, run_end, end = p->offset + p->length;
	const struct flash_timing *t = timing(f);

	p->unit_bytes = t->unit_bytes;
	/* BLK-10, FL-6: wider than a byte, the access must be aligned to words, or it fails and all after it do. At x8
	 * anything goes, ASSUMED: U8 */
	if ((p->offset % 4 || p->length % 4) && (p->unit_bytes > 1 || !f->profile->odd_length_ok))
		f->program_failed = true;
	if (f->program_failed)
		return -EINVAL;
	for (offset = p->offset; offset < end; offset = run_end) {
		if (!programmable_run(f, offset, end, &run_end))
			continue;
		p->units += run_units(f, run_end - offset);
		if (p->op == FLASH_PROGRAM && !is_erased(data + (offset - p->offset), run_end - offset) &&
		    mem_reserve(f->main, offset, run_end - offset) != 0)
			return -ENOMEM;
	}
	if (p->units > 0) {
		p->data = malloc(p->length);
		if (!p->data)
			return -ENOMEM;
		memcpy(p->data, data, p->length);
	}
	p->duration_us = pick_us(f, p->units * t->program_typ_us, p->units * t->program_max_us);
	return 0;
}

/* Erasing (FL-1): cells only gain bits */

static void erase_sector(struct flash *f, struct sector *s)
{
	int rc = mem_fill(f->main, s->offset, s->size_bytes);
	assert(rc == 0); /* sectors are whole pages */
	(void)rc;
	s->erase_count++;
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
	unsigned i;

	for (i = 0; i < f->pending.sectors; i++)
		erase_sector(f, &f->sectors[f->pending.first_sector + i]);
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
			erase_sector(f, s);
		else if (elapsed_us > from_us)
			erase_sector_partly(f, s, elapsed_us - from_us, to_us - from_us);
		else
			break;
	}
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
	p->first_sector = (unsigned)sector;
	p->sectors = 1;
	sector_erase_times(f, f->sectors[sector].size_bytes, &typ_us, &max_us);
	p->erase_us = pick_us(f, typ_us, max_us);
	p->duration_us = p->erase_us;
	return 0;
}

static void begin_mass_erase(struct flash *f)
{
	struct pending *p = &f->pending;

	p->sectors = f->sector_count;
	p->erase_us = pick_us(f, timing(f)->mass_typ_us, timing(f)->mass_max_us);
	p->duration_us = p->erase_us;
}

/* Lowering level 1 to 0 erases main flash (RDP-4). ASSUMED: no source says that write protection does not hinder it. */
static int begin_options(struct flash *f, const uint8_t *bytes)
{
	struct pending *p = &f->pending;

	if (f->rdp == RDP_LEVEL_2)
		return -EPERM; /* RDP-1: permanent */
	/* ASSUMED: OB-9. The values count, the chip makes the complements and copies. */
	for (size_t i = 0; i < OPTION_BYTES; i++)
		p->options[i] = bytes[(i & 8) | (i & 1)] ^ (i & 2 ? 0xFF : 0);
	p->write_options = true;
	if (f->rdp == RDP_LEVEL_1 && options_level(p->options) == RDP_LEVEL_0)
		begin_mass_erase(f);
	p->duration_us += f->profile->option_write_us;
	return 0;
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
	f->otp_size_bytes = f->otp_data_bytes + profile->otp_block_count;
	f->main = mem_new(profile->flash_size_bytes, ERASED);
	f->otp = malloc(f->otp_size_bytes);
	if (!f->main || !f->otp) {
		flash_free(f);
		return NULL;
	}
	memset(f->otp, ERASED, f->otp_size_bytes);
	memcpy(f->options, profile->option_factory, OPTION_BYTES);
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
	int rc = 0;

	assert(!p->busy);
	*p = (struct pending){ .op = op, .length = length };
	switch (op) {
	case FLASH_PROGRAM:
		if (!inside(address, length, profile->flash_base, profile->flash_size_bytes, &p->offset))
			return -EFAULT;
		rc = begin_program(f, data);
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
			begin_mass_erase(f);
		break;
	case FLASH_PROGRAM_OPTIONS:
		if (address != profile->option_base)
			return -EFAULT; /* OB-8 */
		if (length != OPTION_BYTES)
			return -EINVAL; /* OB-7 */
		rc = begin_options(f, data);
		break;
	case FLASH_UNPROTECT: /* RDP-4, RDP-8. ASSUMED: no source says that the options go to default at level 0 too. */
		rc = begin_options(f, profile->option_factory);
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
	if (p->units > 0)
		program_units(f, p->units, false);
	erase_sectors(f);
	if (p->write_options)
		store_options(f, p->options);
	end_operation(f);
}

void flash_cut(struct flash *f, uint64_t elapsed_us)
{
	struct pending *p = &f->pending;
	uint64_t progress;

	assert(p->busy);
	if (elapsed_us >= p->duration_us) {
		flash_finish(f);
		return;
	}
	if (p->units > 0) {
		progress = elapsed_us * p->units;
		program_units(f, progress / p->duration_us, progress % p->duration_us != 0);
	}
	if (elapsed_us < p->erase_us)
		erase_sectors_until(f, elapsed_us);
	else
		erase_sectors(f);
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

void flash_read_options(const struct flash *f, uint8_t bytes[16])
{
	memcpy(bytes, f->options, OPTION_BYTES);
}

enum rdp_level flash_rdp(const struct flash *f)
{
	return f->rdp;
}

bool flash_sector_protected(const struct flash *f, unsigned sector)
{
	assert(sector < f->sector_count);
	return sector < 16 && !(f->not_protected >> sector & 1); /* OB-1 */
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

void flash_set_options(struct flash *f, const uint8_t bytes[16])
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
