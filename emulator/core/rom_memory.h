/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memories behind the ROM as it lets a host at them (f407.md MAP, UP, ERR, RDP rows). Part of the ROM: one job at a
 * time, begun and, after the time that it takes, finished or cut.
 */
#ifndef DFUBENCH_ROM_MEMORY_H
#define DFUBENCH_ROM_MEMORY_H

#include "dfu_machine.h"
#include "flash.h"
#include "profile.h"
#include "rom.h"

struct rom_memory {
	const struct mcu_profile *profile;
	struct flash *flash;
	const struct rom_ops *ops;
	void *context;            /* of ops */
	const uint8_t *alternate; /* the interface's current alternate setting */
	/* of the job in hand */
	const struct mem_region *written; /* JOB_WRITE */
	enum mcu_event_type event;        /* to be told if it succeeds; MCU_EVENT_PIN: nothing */
	uint32_t touched_address, touched_length;
};

/* DFU_OK, or why not: then data is untouched. */
enum dfu_status rom_memory_read(const struct rom_memory *, uint32_t address, uint8_t *data, size_t length);
/* The status that the job will end with, if it is not found wanting in rom_memory_finish(), after *duration_us. */
enum dfu_status rom_memory_begin(struct rom_memory *, const struct dfu_job *, uint64_t *duration_us);
/* outcome is what begin said; returns the final one. DFU_OK with event MCU_EVENT_OPTIONS: the chip resets now. */
enum dfu_status rom_memory_finish(struct rom_memory *, const struct dfu_job *, enum dfu_status outcome);
void rom_memory_cut(struct rom_memory *, uint64_t elapsed_us); /* no-op if no flash operation is under way */

#endif
