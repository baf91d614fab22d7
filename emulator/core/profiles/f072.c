// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STM32F072/071 (device id 0x448). Rows F0-n of siblings.md. Sources: listings by dfu-util in many keyboard and CAN adapter
 * projects (strings, bcdDevice, serial number); openmv#1508 (STALL for who asks too early); AN2606 table 3 (BL ID);
 * RM0091 3.2, 4 (half words, option bytes); DS9826 flash table (times).
 */
#include "common.h"

static const uint8_t configuration[] = {
	DFU_CONFIGURATION(2, SELF_POWERED),
	DFU_ALTERNATE(0),
	DFU_ALTERNATE(1),
	DFU_FUNCTIONAL(0x0B, 2048, 0x011A),
};

/* F0-1 */
static const char *const strings[] = {
	"STMicroelectronics",
	"STM32  BOOTLOADER",
	NULL,
	"@Internal Flash  /0x08000000/064*0002Kg",
	"@Option Bytes  /0x1FFFF800/01*016 e",
	NULL,
};

static const struct mem_region regions[] = {
	{ MEM_FLASH, 0x08000000, 128 * KIB, true, true, 0, 0 },
	{ MEM_RAM, 0x20000000 + 6 * KIB, 10 * KIB, true, true, 0, 0 }, /* F0-4 */
	{ MEM_SYSTEM, 0x1FFFC800, 0x3000, true, false, 0, 0 },
	{ MEM_OPTION, 0x1FFFF800, 16, true, true, 0, 0 },
};

static const struct flash_sectors sectors[] = { { 64, 2 * KIB }, { 0, 0 } };

/* F0-5; no typical erase time is given: ASSUMED: half way between the least and the most */
static const struct flash_timing timings[] = { {
	.unit_bytes = 2,
	.program_typ_us = 54,
	.program_max_us = 60,
	.erase = { { 2 * KIB, 30 * MS, 40 * MS } },
	.mass_typ_us = 30 * MS,
	.mass_max_us = 40 * MS,
} };

/* RM0091 4: each byte and its complement; RDP, USER, two bytes of data, WRP0 to WRP3 */
static const uint8_t option_factory[] = {
	0xAA, 0x55, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00,
};

const struct mcu_profile profile_f072 = {
	.name = "f072",
	.summary = "STM32F072/071, ROM V10.1: pages of 2 KB, stalls when asked too early",
	.device_descriptor = ST_DEVICE(0x0100, 0x2200),
	DFU_DESCRIPTORS(configuration, strings, 2),
	.serial_rule = SERIAL_CONSTANT,
	.serial_constant = "FFFFFFFEFFFF", /* F0-2 */
	.bootloader_id = 0xA1,             /* F0-3 */
	.bootloader_id_address = 0x1FFFF6A6,
	.regions = regions,
	.region_count = COUNT(regions),
	.flash_size_bytes = 128 * KIB,
	.sectors = sectors,
	.timings = timings,
	.program_align_bytes = 2,
	.program_pads = true,                 /* ASSUMED: SFL-3 */
	.program_rule = PROGRAM_NEEDS_ERASED, /* SFL-2 */
	.option_layout = OPTIONS_BYTES,
	.option_banks = { { 0x1FFFF800, 16 } },
	.option_factory = option_factory,
	.rdp_offset = 0,
	.rdp_open = 0xAA,
	.rdp_level_2 = true,
	.write_protection = { { WRP_BITS, 8, 8, 0, 2, false },
			      { WRP_BITS, 10, 8, 16, 2, false },
			      { WRP_BITS, 12, 8, 32, 2, false },
			      { WRP_BITS, 14, 8, 48, 2, false } },
	.ram_base = 0x20000000,
	.ram_size_bytes = 16 * KIB,
	.uid_address = 0x1FFFF7AC,
	.vector_rule = VECTOR_CORTEX_M,
	STARTS_IN_ERROR,
	.transfer_size_bytes = 2048,
	ST_POLLS,
	.clrstatus_rule = CLRSTATUS_TO_ERROR, /* ASSUMED: ST-24 */
	.busy_rule = BUSY_STALLS,             /* F0-6 */
	.hardware_error_status = 0x0E,        /* ASSUMED: U14 */
	ST_EDGES,
	.startup_us = 75 * MS, /* ASSUMED: U16 */
};
