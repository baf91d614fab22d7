// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STM32F411xC/E (device id 0x431): the F407's ROM over 512 KB of flash. Rows F411-n of siblings.md. Sources: a listing by
 * dfu-util in zmk#1711 and LSUSB-B of f407.md (strings, bcdDevice, four alternates); AN2606 table 3 (BL ID, protocol V2.2);
 * DS10314 flash table (times).
 */
#include "common.h"

static const uint8_t configuration[] = {
	DFU_CONFIGURATION(4, SELF_POWERED), DFU_ALTERNATE(0), DFU_ALTERNATE(1), DFU_ALTERNATE(2), DFU_ALTERNATE(3),
	DFU_FUNCTIONAL(0x0B, 2048, 0x011A),
};

/* F411-1 */
static const char *const strings[] = F4_STRINGS("@Internal Flash  /0x08000000/04*016Kg,01*064Kg,03*128Kg",
						"@Option Bytes  /0x1FFFC000/01*016 e");

static const struct mem_region regions[] = {
	{ MEM_FLASH, 0x08000000, 512 * KIB, true, true, 0, 0 },
	{ MEM_RAM, 0x20000000 + 12 * KIB, 116 * KIB, true, true, 0, 0 }, /* F411-4 */
	{ MEM_SYSTEM, 0x1FFF0000, 0x7800, true, false, 0, 0 },
	{ MEM_OTP, 0x1FFF7800, 512 + 16, true, true, 0, 0 },
	{ MEM_OPTION, 0x1FFFC000, 16, true, true, 0, 0 },
	{ MEM_FEATURE, 0xFFFF0000, 4, true, true, 0, 0 },
};

static const struct flash_sectors sectors[] = { { 4, 16 * KIB }, { 1, 64 * KIB }, { 3, 128 * KIB }, { 0, 0 } };

/* F411-3: sectors as the F407's (TM-1 to TM-4), the mass erase half of its */
#define TIMING(unit, e16, e64, e128, mass) \
	{ \
		.unit_bytes = (unit), .program_typ_us = 16, .program_max_us = 100, \
		.erase = { { 16 * KIB, (e16)*MS, 2 * (e16)*MS }, \
			   { 64 * KIB, (e64)*MS, 2 * (e64)*MS }, \
			   { 128 * KIB, (e128)*MS, 2 * (e128)*MS } }, \
		.mass_typ_us = (mass)*MS, .mass_max_us = 2 * (mass)*MS, \
	}
static const struct flash_timing timings[] = {
	TIMING(1, 400, 1200, 2000, 8000),
	TIMING(2, 300, 700, 1300, 5500),
	TIMING(4, 250, 550, 1000, 4000),
};

/* ASSUMED: OB-4 holds here too (U13) */
static const uint8_t option_factory[] = {
	0xEF, 0xAA, 0x10, 0x55, 0xEF, 0xAA, 0x10, 0x55, 0xFF, 0x7F, 0x00, 0x80, 0xFF, 0x7F, 0x00, 0x80,
};

const struct mcu_profile profile_f411 = {
	.name = "f411",
	.summary = "STM32F411xC/E, ROM V13.0: three sectors of 128 KB",
	.device_descriptor = ST_DEVICE(0x0100, 0x2200),
	DFU_DESCRIPTORS(configuration, strings, 4),
	.serial_rule = SERIAL_UID_SUM, /* ASSUMED: as the F407 (SER-1); the F412's differs (SER-7) */
	.bootloader_id = 0xD0,         /* F411-2 */
	.bootloader_id_address = 0x1FFF76DE,
	.regions = regions,
	.region_count = COUNT(regions),
	.flash_size_bytes = 512 * KIB,
	.sectors = sectors,
	.timings = timings,
	.feature_timing = { 0, 1, 1, 2, 2 },
	.feature_values = 5,
	.program_align_bytes = 4,
	.program_rule = PROGRAM_CLEARS_BITS,
	.option_layout = OPTIONS_HALFWORDS_TWICE,
	.option_banks = { { 0x1FFFC000, 16 } },
	.option_factory = option_factory,
	.rdp_offset = 1,
	.rdp_open = 0xAA,
	.rdp_level_2 = true,
	.write_protection = { { WRP_BITS, 8, 8, 0, 1, false } },
	.otp_base = 0x1FFF7800,
	.otp_block_bytes = 32,
	.otp_block_count = 16,
	.otp_lock_bytes = 16,
	.ram_base = 0x20000000,
	.ram_size_bytes = 128 * KIB,
	.uid_address = 0x1FFF7A10,
	.vector_rule = VECTOR_CORTEX_M,
	.boot1_is_pin = true,
	STARTS_IN_ERROR,
	.transfer_size_bytes = 2048,
	ST_POLLS,
	.clrstatus_rule = CLRSTATUS_TO_ERROR,
	.busy_rule = BUSY_HOLDS,
	.hardware_error_status = 0x0E, /* ASSUMED: U14 */
	ST_EDGES,
	.startup_us = 75 * MS, /* ASSUMED: U16, as the F407's V9 */
};
