// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STM32H743/753 (device id 0x450), silicon revision V. Rows H7-n of siblings.md. Sources: listings by dfu-util of many boards
 * (strings, bcdDevice, serial number); inav-configurator#1048 (transfer size); betaflight-configurator#1861, #1972 and #5348
 * (erases that never end); AN2606 table 3 and ST community td-p/329185 (BL ID); RM0433 4 (option bytes); DS12110 flash table.
 */
#include "common.h"

static const uint8_t configuration[] = {
	DFU_CONFIGURATION(2, SELF_POWERED),
	DFU_ALTERNATE(0),
	DFU_ALTERNATE(1),
	DFU_FUNCTIONAL(0x0B, 1024, 0x011A),
};

/* H7-1: three spaces before each slash */
static const char *const strings[] = {
	"STMicroelectronics",
	"DFU in FS Mode",
	NULL,
	"@Internal Flash   /0x08000000/16*128Kg",
	"@Option Bytes   /0x5200201C/01*128 e",
	NULL,
};

static const struct mem_region regions[] = {
	{ MEM_FLASH, 0x08000000, 2048 * KIB, true, true, 0, 0 },
	{ MEM_RAM, 0x20000000 + 16 * KIB, 112 * KIB, true, true, 0, 0 }, /* ASSUMED: how much the ROM keeps */
	{ MEM_SYSTEM, 0x1FF00000, 0x20000, true, false, 0, 0 },
	{ MEM_OPTION, 0x5200201C, 128, true, true, 0, 0 },
};

static const struct flash_sectors sectors[] = { { 16, 128 * KIB }, { 0, 0 } };

/* H7-6. ASSUMED: at x8, as the F407's ROM */
static const struct flash_timing timings[] = { {
	.unit_bytes = 32,
	.program_typ_us = 290,
	.program_max_us = 580,
	.erase = { { 128 * KIB, 2000 * MS, 4000 * MS } },
	.mass_typ_us = 13000 * MS,
	.mass_max_us = 26000 * MS,
} };

/* Registers from FLASH_OPTSR_CUR on (RM0433 4.9): RDP is its second byte, WPSN_CUR1 is at +1C. Other contents ASSUMED: 0 */
static const uint8_t option_factory[128] = {
	[0x00] = 0xF0, [0x01] = 0xAA, [0x02] = 0x86, [0x03] = 0x13, [0x1C] = 0xFF,
};

const struct mcu_profile profile_h743 = {
	.name = "h743-rev-v",
	.summary = "STM32H743/753 of revision V: 1024 bytes a block, erases above 1 MB stay dfuDNBUSY",
	.aliases = { "h743" },
	.device_descriptor = ST_DEVICE(0x0200, 0x0200), /* H7-2 */
	DFU_DESCRIPTORS(configuration, strings, 2),
	.serial_rule = SERIAL_CONSTANT,
	.serial_constant = "200364500000", /* H7-3 */
	.bootloader_id = 0x91,
	.bootloader_id_address = 0x1FF1E7FE,
	.regions = regions,
	.region_count = COUNT(regions),
	.flash_size_bytes = 2048 * KIB,
	.sectors = sectors,
	.timings = timings,
	.program_align_bytes = 32,
	.program_pads = true,                /* ASSUMED: SFL-3 */
	.program_rule = PROGRAM_CLEARS_BITS, /* ASSUMED: FL-2; RM0433 forbids it, and the ECC suffers */
	.option_layout = OPTIONS_PLAIN,
	.option_banks = { { 0x5200201C, 128 } },
	.option_factory = option_factory,
	.rdp_offset = 1,
	.rdp_open = 0xAA,
	.rdp_level_2 = true,
	.write_protection = { { WRP_BITS, 0x1C, 8, 0, 1, false } },
	.ram_base = 0x20000000,
	.ram_size_bytes = 128 * KIB,
	.stack_ram_base = 0x24000000, /* AXI SRAM */
	.stack_ram_size_bytes = 512 * KIB,
	.uid_address = 0x1FF1E800,
	.vector_rule = VECTOR_CORTEX_M,
	STARTS_IN_ERROR,
	.transfer_size_bytes = 1024, /* H7-5 */
	ST_POLLS,
	.clrstatus_rule = CLRSTATUS_TO_ERROR, /* H7-4 */
	.busy_rule = BUSY_HOLDS,              /* ASSUMED: EX-3 */
	.stuck_erase_from = 0x08100000,       /* H7-4 */
	.hardware_error_status = 0x0E,        /* ASSUMED: U14 */
	ST_EDGES,
	.startup_us = 75 * MS, /* ASSUMED: U16 */
};
