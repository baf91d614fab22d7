// SPDX-License-Identifier: GPL-2.0-or-later
/* What programming and erasing do to the cells, how long they take, and how far they got when cut. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "flash_internal.h"

#define ERASED 0xFFu
#define CHUNK_BYTES 256u
#define UNIT_MAX_BYTES 32u

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

int flash_sector_of_offset(const struct flash *f, size_t offset)
{
	unsigned i;

	for (i = 0; i < f->sector_count; i++)
		if (offset - f->sectors[i].offset < f->sectors[i].size_bytes)
			return (int)i;
	return -1;
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
		i = (unsigned)flash_sector_of_offset(f, offset);
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

bool flash_is_erased(const uint8_t *data, size_t length)
{
	return length == 0 || (*data == ERASED && memcmp(data, data + 1, length - 1) == 0);
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
		if (flash_is_erased(cells, n) || (n == unit && is_zero(data, n)))
			and_cells(cells, data, n, changed);
		else if (!flash_is_erased(data, n))
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
		assert(rc == 0); /* reserved by flash_begin_program() */
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
void flash_program_units(struct flash *f, uint64_t units, bool half_next)
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

int flash_begin_program(struct flash *f, const uint8_t *data)
{
	f->pending.unit_bytes = timing(f)->unit_bytes;
	if (is_misaligned(f))
		f->program_failed = true;
	return f->program_failed ? -EINVAL : flash_begin_units(f, data);
}

int flash_begin_units(struct flash *f, const uint8_t *data)
{
	struct pending *p = &f->pending;
	size_t offset, run_end, end = p->offset + p->length;
	const struct flash_timing *t = timing(f);

	for (offset = p->offset; offset < end; offset = run_end) {
		if (!programmable_run(f, offset, end, &run_end))
			continue;
		p->units += run_units(f, run_end - offset);
		if (p->op != FLASH_PROGRAM_OTP && !flash_is_erased(data + (offset - p->offset), run_end - offset) &&
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

void flash_erase_sectors(struct flash *f)
{
	if (f->pending.sectors)
		erase_run(f, &f->sectors[f->pending.first_sector], f->pending.sectors);
}

/* ASSUMED: no source. A mass erase takes the sectors in order, each its share of the time by its own erase time. */
void flash_erase_sectors_until(struct flash *f, uint64_t elapsed_us)
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

int flash_begin_erase(struct flash *f, uint32_t address)
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

int flash_begin_mass_erase(struct flash *f)
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
int flash_begin_store(struct flash *f, const uint8_t *data)
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
	return flash_begin_program(f, data);
}
