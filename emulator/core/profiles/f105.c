// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STM32F105/107 (device id 0x418), with the later bcdDevice. Rows F1-n of siblings.md. Sources: dfu-util's
 * device-logs/stm32f107.* (descriptors, strings, first state; of bcdDevice 0x2000); AN2662 (protocol); AN2606 table 3; PM0075 (half
 * words, option bytes); DS6014 flash table (times).
 */
#include "common.h"

static const uint8_t configuration[] = {
	DFU_CONFIGURATION(2, SELF_POWERED),
	DFU_ALTERNATE(0),
	DFU_ALTERNATE(1),
	DFU_FUNCTIONAL(0x0B, 2048, 0x011A),
};

/* F1-1, F1-2 */
static const char *const strings[] = {
	"STMicroelectronics",
	"STM32 0x418 DFU Bootloader",
	NULL,
	"@Internal Flash  /0x08000000/128*002Kg",
	"@Option Bytes  /0x1FFFF800/01*016 e",
	NULL,
};

static const struct mem_region regions[] = {
	{ MEM_FLASH, 0x08000000, 256 * KIB, true, true, 0, 0 },
	{ MEM_RAM, 0x20000000 + 4 * KIB, 60 * KIB, true, true, 0, 0 }, /* ASSUMED: how much the ROM keeps */
	{ MEM_SYSTEM, 0x1FFFB000, 0x4800, true, false, 0, 0 },
	{ MEM_OPTION, 0x1FFFF800, 16, true, true, 0, 0 },
};

static const struct flash_sectors sectors[] = { { 128, 2 * KIB }, { 0, 0 } };

/* F1-4; no typical erase time is given: ASSUMED: half way between the least and the most */
static const struct flash_timing timings[] = { {
	.unit_bytes = 2,
	.program_typ_us = 53,
	.program_max_us = 70,
	.erase = { { 2 * KIB, 30 * MS, 40 * MS } },
	.mass_typ_us = 30 * MS,
	.mass_max_us = 40 * MS,
} };

/* PM0075 2.5: each byte and its complement; RDP (A5: open), USER, two bytes of data, WRP0 to WRP3 */
static const uint8_t option_factory[] = {
	0xA5, 0x5A, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00,
};

const struct mcu_profile profile_f105 = {
	.name = "f105",
	.summary = "STM32F105/107: starts in dfuIDLE, serial number STM32",
	.device_descriptor = ST_DEVICE(0x0100, 0x2200), /* F1-1 */
	DFU_DESCRIPTORS(configuration, strings, 2),
	.serial_rule = SERIAL_CONSTANT,
	.serial_constant = "STM32", /* F1-1 */
	.regions = regions,
	.region_count = COUNT(regions),
	.flash_size_bytes = 256 * KIB,
	.sectors = sectors,
	.timings = timings,
	.program_align_bytes = 2,
	.program_pads = true,                 /* ASSUMED: SFL-3 */
	.program_rule = PROGRAM_NEEDS_ERASED, /* SFL-2 */
	.option_layout = OPTIONS_BYTES,
	.option_banks = { { 0x1FFFF800, 16 } },
	.option_factory = option_factory,
	.rdp_offset = 0,
	.rdp_open = 0xA5,
	.write_protection = { { WRP_BITS, 8, 8, 0, 2, false },
			      { WRP_BITS, 10, 8, 16, 2, false },
			      { WRP_BITS, 12, 8, 32, 2, false },
			      { WRP_BITS, 14, 8, 48, 2, true } },
	.ram_base = 0x20000000,
	.ram_size_bytes = 64 * KIB,
	.uid_address = 0x1FFFF7E8,
	.vector_rule = VECTOR_CORTEX_M,
	.boot1_is_pin = true,
	.boot_state = 2, /* F1-3: dfuIDLE */
	.boot_status = 0,
	.transfer_size_bytes = 2048,
	ST_POLLS,
	.clrstatus_rule = CLRSTATUS_TO_ERROR, /* ASSUMED: ST-24 */
	.busy_rule = BUSY_HOLDS,              /* ASSUMED: EX-3 */
	.hardware_error_status = 0x0E,        /* ASSUMED: U14 */
	ST_EDGES,
	.startup_us = 75 * MS, /* ASSUMED: U16 */
};
