// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STM32L476/486 (device id 0x415), for the L4 family: pages of 2 KB, short time-outs, and a STALL for who asks too early.
 * Rows L4-n of siblings.md. Sources: listings by dfu-util of L432 and L452 boards (strings, bcdDevice); ST community thread
 * 85626 and dfu-util tickets 40 and 208, commit c15ee60 (STALL, time-outs); RM0351 3.3, 3.4 (double words, option bytes);
 * DS10198 flash table (times).
 */
#include "common.h"

static const uint8_t configuration[] = {
	DFU_CONFIGURATION(4, SELF_POWERED), DFU_ALTERNATE(0), DFU_ALTERNATE(1), DFU_ALTERNATE(2), DFU_ALTERNATE(3),
	DFU_FUNCTIONAL(0x0B, 2048, 0x011A),
};

/* L4-1. ASSUMED: the count of pages and the one bank of option bytes, after 0128*0002Kg and 0256*0002Kg of smaller parts */
static const char *const strings[] = {
	"STMicroelectronics",
	"STM32  BOOTLOADER",
	NULL,
	"@Internal Flash  /0x08000000/0512*0002Kg",
	"@Option Bytes  /0x1FFF7800/01*040 e",
	"@OTP Memory /0x1FFF7000/01*0001Ke",
	"@Device Feature/0xFFFF0000/01*004 e",
	NULL,
};

static const struct mem_region regions[] = {
	{ MEM_FLASH, 0x08000000, 1024 * KIB, true, true, 0, 0 },
	{ MEM_RAM, 0x20000000 + 12 * KIB, 84 * KIB, true, true, 0, 0 }, /* ASSUMED: as much as the F407's V9 keeps */
	{ MEM_SYSTEM, 0x1FFF0000, 0x7000, true, false, 0, 0 },
	{ MEM_OTP, 0x1FFF7000, 1024, true, true, 0, 0 },
	{ MEM_OPTION, 0x1FFF7800, 40, true, true, 0, 0 },
	{ MEM_FEATURE, 0xFFFF0000, 4, true, true, 0, 0 },
};

static const struct flash_sectors sectors[] = { { 512, 2 * KIB }, { 0, 0 } };

/* L4-5 */
static const struct flash_timing timings[] = { {
	.unit_bytes = 8,
	.program_typ_us = 82,
	.program_max_us = 91,
	.erase = { { 2 * KIB, 22020, 24470 } },
	.mass_typ_us = 22130,
	.mass_max_us = 24590,
} };

/* L4-6; reserved bits ASSUMED */
static const uint8_t option_factory[] = {
	0xAA, 0xF8, 0xEF, 0xFF, 0x55, 0x07, 0x10, 0x00, /* RDP and user options */
	0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, /* PCROP1 start */
	0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, /* PCROP1 end */
	0xFF, 0xFF, 0x00, 0xFF, 0x00, 0x00, 0xFF, 0x00, /* WRP1 area A: from FF to 00, that is none */
	0xFF, 0xFF, 0x00, 0xFF, 0x00, 0x00, 0xFF, 0x00, /* WRP1 area B */
};

const struct mcu_profile profile_l476 = {
	.name = "l476",
	.summary = "STM32L476/486, ROM V9.2: pages of 2 KB, short time-outs, stalls when asked too early",
	.device_descriptor = ST_DEVICE(0x0100, 0x2200),
	DFU_DESCRIPTORS(configuration, strings, 4),
	.serial_rule = SERIAL_UID_SUM, /* ASSUMED: as the F407 (SER-1) */
	.bootloader_id = 0x92,         /* L4-2 */
	.bootloader_id_address = 0x1FFF6FFE,
	.regions = regions,
	.region_count = COUNT(regions),
	.flash_size_bytes = 1024 * KIB,
	.sectors = sectors,
	.timings = timings,
	.feature_values = 1, /* ASSUMED: there is nothing to choose */
	.program_align_bytes = 8,
	.program_pads = true,                 /* ASSUMED: SFL-3 */
	.program_rule = PROGRAM_NEEDS_ERASED, /* SFL-2 */
	.option_layout = OPTIONS_WORDS,
	.option_banks = { { 0x1FFF7800, 40 } },
	.option_factory = option_factory,
	.rdp_offset = 0,
	.rdp_open = 0xAA,
	.rdp_level_2 = true,
	.write_protection = { { WRP_AREA, 0x18, 0, 0, 0, false }, { WRP_AREA, 0x20, 0, 0, 0, false } },
	.otp_base = 0x1FFF7000,
	.otp_block_bytes = 8,
	.otp_block_count = 128,
	.ram_base = 0x20000000,
	.ram_size_bytes = 96 * KIB,
	.stack_ram_base = 0x10000000, /* SRAM2 */
	.stack_ram_size_bytes = 32 * KIB,
	.uid_address = 0x1FFF7590,
	.vector_rule = VECTOR_CORTEX_M,
	STARTS_IN_ERROR,
	.transfer_size_bytes = 2048,
	.poll_set_address_ms = 21, /* L4-4; all but the write's ASSUMED */
	.poll_erase_ms = 22,
	.poll_mass_erase_ms = 22,
	.poll_write_ms = 21,
	.poll_unprotect_ms = 21,
	.poll_manifest_ms = 1,
	.clrstatus_rule = CLRSTATUS_TO_ERROR, /* ASSUMED: ST-24 */
	.busy_rule = BUSY_STALLS,             /* L4-3 */
	.hardware_error_status = 0x0E,        /* ASSUMED: U14 */
	ST_EDGES,
	.startup_us = 75 * MS, /* ASSUMED: U16 */
};
