// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STM32C562 for the STM32C5: DFU V3.0, and the first ROM of ST's that stalls CLRSTATUS where DFU 1.1 says so. Rows C5-n of
 * siblings.md. Source: betaflight-configurator#5300 (CLRSTATUS, functional descriptor, no option bytes, transfer size), on
 * STM32C562 boards; public linker scripts (512 KB in pages of 8 KB). All else is ASSUMED.
 */
#include "common.h"

static const uint8_t configuration[] = {
	DFU_CONFIGURATION(1, SELF_POWERED),
	DFU_ALTERNATE(0),
	DFU_FUNCTIONAL(0x0B, 1024, 0x011A),
};

/* ASSUMED: as an H5's "256*08Kg", and nothing besides (C5-1) */
static const char *const strings[] = {
	"STMicroelectronics", "DFU in FS Mode", NULL, "@Internal Flash   /0x08000000/64*08Kg", NULL,
};

static const struct mem_region regions[] = {
	{ MEM_FLASH, 0x08000000, 512 * KIB, true, true, 0, 0 },
	{ MEM_RAM, 0x20000000 + 16 * KIB, 112 * KIB, true, true, 0, 0 }, /* ASSUMED: how much the ROM keeps */
};

static const struct flash_sectors sectors[] = { { 64, 8 * KIB }, { 0, 0 } };

/* ASSUMED: words of 16 bytes and times such as an H5 has; no figure for any C5 */
static const struct flash_timing timings[] = { {
	.unit_bytes = 16,
	.program_typ_us = 120,
	.program_max_us = 240,
	.erase = { { 8 * KIB, 2 * MS, 4 * MS } },
	.mass_typ_us = 250 * MS,
	.mass_max_us = 500 * MS,
} };

/* ASSUMED: out of the ROM's reach; here to hold a level of protection */
static const uint8_t option_factory[4] = { 0xAA, 0xFF, 0xFF, 0xFF };

const struct mcu_profile profile_c5 = {
	.name = "c5",
	.summary = "STM32C562, DFU V3.0: stalls CLRSTATUS outside dfuERROR, has no option bytes",
	.device_descriptor = ST_DEVICE(0x0200, 0x0200), /* ASSUMED: as H7-2 */
	DFU_DESCRIPTORS(configuration, strings, 1),
	.functional_request = FUNCTIONAL_NEVER_ANSWERED, /* C5-3 */
	.serial_rule = SERIAL_UID_SUM,                   /* ASSUMED: SER-1 */
	.regions = regions,
	.region_count = COUNT(regions),
	.flash_size_bytes = 512 * KIB,
	.sectors = sectors,
	.timings = timings,
	.program_align_bytes = 16,
	.program_pads = true,                /* ASSUMED: SFL-3 */
	.program_rule = PROGRAM_CLEARS_BITS, /* ASSUMED: FL-2 */
	.option_layout = OPTIONS_PLAIN,
	.option_banks = { { 0, 4 } },
	.option_factory = option_factory,
	.rdp_offset = 0,
	.rdp_open = 0xAA,
	.ram_base = 0x20000000,
	.ram_size_bytes = 128 * KIB,
	.vector_rule = VECTOR_CORTEX_M,
	STARTS_IN_ERROR,             /* ASSUMED: ST-11 */
	.transfer_size_bytes = 1024, /* C5-4 */
	ST_POLLS,
	.clrstatus_rule = CLRSTATUS_STALLS, /* C5-2 */
	.busy_rule = BUSY_HOLDS,            /* ASSUMED: EX-3 */
	.hardware_error_status = 0x0E,      /* ASSUMED: U14 */
	ST_EDGES,
	.startup_us = 75 * MS, /* ASSUMED: U16 */
};
