// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STM32F427/429/437/439 (device id 0x419): the F407's ROM over two banks of 1 MB. Rows F42-n of siblings.md. Sources:
 * listings by dfu-util in smartleia's and ArduPilot's documents (strings, bcdDevice); ST community td-p/482291 and
 * dfu-util 4f00679 (the short string of V7.0); AN2606 table 3 (BL IDs); RM0090 3.8 (option bytes of two banks); DS9405 (times).
 */
#include "common.h"

static const uint8_t configuration[] = {
	DFU_CONFIGURATION(4, SELF_POWERED), DFU_ALTERNATE(0), DFU_ALTERNATE(1), DFU_ALTERNATE(2), DFU_ALTERNATE(3),
	DFU_FUNCTIONAL(0x0B, 2048, 0x011A),
};

/* F42-1, F42-2 */
static const char *const strings[] = F4_STRINGS(
	"@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg,04*016Kg,01*064Kg,07*128Kg",
	"@Option Bytes  /0x1FFFC000/01*016 e/0x1FFEC000/01*016 e");

static const struct mem_region regions[] = {
	{ MEM_FLASH, 0x08000000, 2048 * KIB, true, true, 0, 0 },
	{ MEM_RAM, 0x20000000 + 12 * KIB, 180 * KIB, true, true, 0, 0 }, /* ASSUMED: as the F407's V9 (MAP-4) */
	{ MEM_SYSTEM, 0x1FFF0000, 0x7800, true, false, 0, 0 },
	{ MEM_OTP, 0x1FFF7800, 512 + 16, true, true, 0, 0 },
	{ MEM_OPTION, 0x1FFFC000, 16, true, true, 0, 0 },
	{ MEM_OPTION, 0x1FFEC000, 16, true, true, 0, 0 },
	{ MEM_FEATURE, 0xFFFF0000, 4, true, true, 0, 0 },
};

static const struct flash_sectors sectors[] = {
	{ 4, 16 * KIB }, { 1, 64 * KIB },  { 7, 128 * KIB }, { 4, 16 * KIB },
	{ 1, 64 * KIB }, { 7, 128 * KIB }, { 0, 0 },
};

/* F42-4: as the F407 (TM-1 to TM-5), both banks at once in a mass erase */
#define TIMING(unit, e16, e64, e128, mass) \
	{ \
		.unit_bytes = (unit), .program_typ_us = 16, .program_max_us = 100, \
		.erase = { { 16 * KIB, (e16)*MS, 2 * (e16)*MS }, \
			   { 64 * KIB, (e64)*MS, 2 * (e64)*MS }, \
			   { 128 * KIB, (e128)*MS, 2 * (e128)*MS } }, \
		.mass_typ_us = (mass)*MS, .mass_max_us = 2 * (mass)*MS, \
	}
static const struct flash_timing timings[] = {
	TIMING(1, 400, 1200, 2000, 16000),
	TIMING(2, 300, 700, 1300, 11000),
	TIMING(4, 250, 550, 1000, 8000),
};

/* ASSUMED: OB-4 for the first bank, its second half for the second (U13) */
static const uint8_t option_factory[] = {
	0xEF, 0xAA, 0x10, 0x55, 0xEF, 0xAA, 0x10, 0x55, 0xFF, 0x7F, 0x00, 0x80, 0xFF, 0x7F, 0x00, 0x80,
	0xFF, 0xFF, 0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0x7F, 0x00, 0x80, 0xFF, 0x7F, 0x00, 0x80,
};

/* clang-format off */
#define F427 \
	.device_descriptor = ST_DEVICE(0x0100, 0x2200), \
	DFU_DESCRIPTORS(configuration, strings, 4), \
	.serial_rule = SERIAL_UID_SUM,        /* F42-5 */ \
	.bootloader_id_address = 0x1FFF76DE, \
	.regions = regions, \
	.region_count = COUNT(regions), \
	.flash_size_bytes = 2048 * KIB, \
	.sectors = sectors, \
	.timings = timings, \
	.feature_timing = { 0, 1, 1, 2, 2 }, \
	.feature_values = 5, \
	.program_align_bytes = 4, \
	.program_rule = PROGRAM_CLEARS_BITS, \
	.option_layout = OPTIONS_HALFWORDS_TWICE, \
	.option_banks = { { 0x1FFFC000, 16 }, { 0x1FFEC000, 16 } }, \
	.option_factory = option_factory, \
	.rdp_offset = 1, \
	.rdp_open = 0xAA, \
	.rdp_level_2 = true, \
	.write_protection = { { WRP_BITS, 8, 12, 0, 1, false }, { WRP_BITS, 24, 12, 12, 1, false } }, \
	.otp_base = 0x1FFF7800, \
	.otp_block_bytes = 32, \
	.otp_block_count = 16, \
	.otp_lock_bytes = 16, \
	.ram_base = 0x20000000, \
	.ram_size_bytes = 192 * KIB, \
	.stack_ram_base = 0x10000000, \
	.stack_ram_size_bytes = 64 * KIB, \
	.uid_address = 0x1FFF7A10, \
	.vector_rule = VECTOR_CORTEX_M, \
	.boot1_is_pin = true, \
	STARTS_IN_ERROR, \
	.transfer_size_bytes = 2048, \
	ST_POLLS, \
	.clrstatus_rule = CLRSTATUS_TO_ERROR, \
	.busy_rule = BUSY_HOLDS, \
	.hardware_error_status = 0x0E,        /* ASSUMED: U14 */ \
	ST_EDGES, \
	.startup_us = 75 * MS                 /* ASSUMED: U16, as the F407's V9 */
/* clang-format on */

/* F42-3: the string is that of two banks, what is sent is as long as the F407's */
const struct mcu_profile profile_f427_v70 = {
	.name = "f427-v7.0",
	.summary = "STM32F427/429/437/439, ROM V7.0: sends half of the string of its two banks",
	.short_string_index = 4,
	.short_string_bytes = 112,
	.bootloader_id = 0x70,
	F427,
};

const struct mcu_profile profile_f427_v91 = {
	.name = "f427-v9.1",
	.summary = "STM32F427/429/437/439, ROM V9.1: two banks of 1 MB",
	.aliases = { "f427", "f429" },
	.bootloader_id = 0x91,
	F427,
};
