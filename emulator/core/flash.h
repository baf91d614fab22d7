/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Non-volatile memory of the MCU: main flash by sectors, OTP with its locks, option bytes, and the protections that
 * hang on them (RM0090 chapter 3; f407.md FL, TM, OB, OTP, RDP rows). Time is the caller's: begin says how long, the
 * caller waits and then calls finish, or cut when power or NRST ended it early.
 */
#ifndef DFUBENCH_FLASH_H
#define DFUBENCH_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "option_bytes.h"
#include "prng.h"
#include "profile.h"

struct flash;

enum flash_op {
	FLASH_PROGRAM,
	FLASH_ERASE_SECTOR,
	FLASH_MASS_ERASE,
	FLASH_PROGRAM_OTP,
	FLASH_PROGRAM_OPTIONS,
	FLASH_UNPROTECT,
	FLASH_STORE /* FLASH_PROGRAM that erases those sectors first whose first byte it writes */
};
enum flash_durations { DURATION_TYPICAL, DURATION_MAXIMUM, DURATION_RANDOM }; /* random: seeded, between the two */

/* prng is forked, not kept. NULL on ENOMEM. A new flash is erased, with factory option bytes and blank OTP. */
struct flash *flash_new(const struct mcu_profile *, struct prng *prng);
void flash_free(struct flash *);

/* One operation at a time (asserted). address is absolute. Protection is applied here: a write-protected sector costs
 * no time and changes nothing (FL rows), still 0. data is copied. Returns 0, -ENOMEM, or
 * -EFAULT: the range is not in the memory that op works on;
 * -EINVAL: alignment or length that the current parallelism refuses, and all programs after that until flash_reset();
 * -EPERM: FLASH_PROGRAM_OPTIONS or FLASH_UNPROTECT at level 2.
 * FLASH_PROGRAM_OPTIONS takes a bank of option bytes, whole, whose complements and copies it makes itself (-EFAULT: none
 * begins there, -EINVAL: its length is another);
 * what it changes is in force from the next flash_reset(), and lowering level 1 to 0 erases main flash first.
 * FLASH_UNPROTECT does that with factory options. */
int flash_begin(struct flash *, enum flash_op op, uint32_t address, const uint8_t *data, size_t length,
		uint64_t *duration_us);
/* FLASH_PROGRAM or FLASH_PROGRAM_OTP, as the address says, of one write of 1, 2 or 4 bytes by an application, aligned to itself: one
 * unit, whatever the current parallelism, which is the ROM's alone. */
int flash_begin_write(struct flash *, uint32_t address, const uint8_t *data, size_t length, uint64_t *duration_us);
bool flash_is_busy(const struct flash *);
/* The operation ends: contents change as a whole. */
void flash_finish(struct flash *);
/* Power or reset ends it after elapsed_us: what was done stays, what was in hand is left half-way (seeded); at 0 nothing
 * has happened yet, at the duration all has. Erase goes through the sectors in order. Option bytes cut in mid-write read
 * as factory with RDP level 1 (ASSUMED: EV-27 shows the level only, for a cut unprotect). */
void flash_cut(struct flash *, uint64_t elapsed_us);
/* Device-feature byte 0 (parallelism): 0 or -EINVAL. Volatile: flash_reset() restores 0. */
int flash_set_feature(struct flash *, const uint8_t *bytes, size_t length);
void flash_get_feature(const struct flash *, uint8_t bytes[4]);
/* Every system reset, power-on included, loads the option bytes and starts the feature word anew. */
void flash_reset(struct flash *);
void flash_set_durations(struct flash *, enum flash_durations);

/* Reading by absolute address; -EFAULT outside. No protection check: that is the ROM's. */
int flash_read(const struct flash *, uint32_t address, uint8_t *data, size_t length); /* main flash */
int flash_read_otp(const struct flash *, uint32_t address, uint8_t *data, size_t length);
size_t flash_option_bytes(const struct flash *);               /* of all banks, OPTION_MAX_BYTES at most */
void flash_read_options(const struct flash *, uint8_t *bytes); /* all banks, one after the other */
int flash_read_option_bank(const struct flash *, uint32_t address, uint8_t *data,
			   size_t length); /* whole; or -EINVAL */
/* Has the program that flash_finish() ended met cells that it may not program again (SFL-2)? They are as they were. */
bool flash_program_was_refused(const struct flash *);

enum rdp_level flash_rdp(const struct flash *); /* as loaded at the last reset */
bool flash_sector_protected(const struct flash *, unsigned sector);
unsigned flash_sector_count(const struct flash *);
/* Sector that holds an address, or -1; start and size if wanted. */
int flash_sector_at(const struct flash *, uint32_t address, uint32_t *start, uint32_t *size_bytes);
uint32_t flash_erase_count(const struct flash *, unsigned sector);

/* The tool-less way in, for images and state files. Offsets from the start of main flash. */
size_t flash_size(const struct flash *);
int flash_load(struct flash *, size_t offset, const uint8_t *data, size_t length); /* 0, -EFAULT, -ENOMEM */
/* Contents of main flash as another's: a thousand boards with one image hold it once, until they write. Neither may be
 * busy (asserted). 0, or -EINVAL: the sizes differ. */
int flash_share(struct flash *to, const struct flash *from);
void flash_set_options(struct flash *, const uint8_t *bytes);           /* all banks; takes effect at once */
void flash_get_otp(const struct flash *, uint8_t *data, size_t length); /* length = whole area with locks */
void flash_set_otp(struct flash *, const uint8_t *data, size_t length);
void flash_set_erase_count(struct flash *, unsigned sector, uint32_t count);
/* A number that changes whenever contents do, for "unchanged" checks and for knowing whether to save. */
uint64_t flash_generation(const struct flash *);

#endif
