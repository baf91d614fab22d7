/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What flash.c (operations, option bytes, files) and flash_cells.c (what an operation does to the cells) share. */
#ifndef DFUBENCH_FLASH_INTERNAL_H
#define DFUBENCH_FLASH_INTERNAL_H

#include "flash.h"
#include "mem.h"

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

int flash_sector_of_offset(const struct flash *, size_t offset); /* from the start of main flash; or -1 */
bool flash_is_erased(const uint8_t *data, size_t length);

/* They fill in what is pending, whose op, offset and length are there. 0, -EFAULT, -EINVAL or -ENOMEM as flash_begin(). */
int flash_begin_program(struct flash *, const uint8_t *data);
int flash_begin_units(struct flash *, const uint8_t *data); /* likewise, of the unit that is pending */
int flash_begin_store(struct flash *, const uint8_t *data);
int flash_begin_erase(struct flash *, uint32_t address);
int flash_begin_mass_erase(struct flash *);

/* What is pending takes place, whole or in part. */
void flash_erase_sectors(struct flash *);
void flash_erase_sectors_until(struct flash *, uint64_t elapsed_us);
void flash_program_units(struct flash *, uint64_t units, bool half_next);

#endif
