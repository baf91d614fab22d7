// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STM32G471/473/474/483/484 (device id 0x469) in dual-bank mode. Rows G4-n of siblings.md. Sources: a listing by dfu-util of a
 * WeAct G474 board, and betaflight-configurator's comment on it (strings, bcdDevice, both banks of option bytes);
 * web-stm32-updater#3 (transfer size, on a G431); AN2606 table 3 (BL ID); RM0440 3.3, 3.4 (double words, option bytes);
 * DS12288 flash table (times).
 */
#include "common.h"

static const uint8_t configuration[] = {
	DFU_CONFIGURATION(3, SELF_POWERED), DFU_ALTERNATE(0), DFU_ALTERNATE(1), DFU_ALTERNATE(2),
	DFU_FUNCTIONAL(0x0B, 1024, 0x011A),
};

/* G4-1 */
static const char *const strings[] = {
	"STMicroelectronics",
	"DFU in FS Mode",
	NULL,
	"@Internal Flash   /0x08000000/256*02Kg",
	"@Option Bytes   /0x1FFF7800/01*048 e/0x1FFFF800/01*048 e",
	"@OTP Memory   /0x1FFF7000/01*1024 e",
	NULL,
};

static const struct mem_region regions[] = {
	{ MEM_FLASH, 0x08000000, 512 * KIB, true, true, 0, 0 },
	{ MEM_RAM, 0x20000000 + 16 * KIB, 112 * KIB, true, true, 0, 0 }, /* ASSUMED: how much the ROM keeps */
	{ MEM_SYSTEM, 0x1FFF0000, 0x7000, true, false, 0, 0 },
	{ MEM_OTP, 0x1FFF7000, 1024, true, true, 0, 0 },
	{ MEM_OPTION, 0x1FFF7800, 48, true, true, 0, 0 },
	{ MEM_OPTION, 0x1FFFF800, 48, true, true, 0, 0 },
};

static const struct flash_sectors sectors[] = { { 256, 2 * KIB }, { 0, 0 } };

/* G4-4 */
static const struct flash_timing timings[] = { {
	.unit_bytes = 8,
	.program_typ_us = 82,
	.program_max_us = 84,
	.erase = { { 2 * KIB, 22020, 24470 } },
	.mass_typ_us = 22130,
	.mass_max_us = 24600,
} };

/* RM0440 3.4; reserved bits ASSUMED */
#define BANK_AREAS \
	0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00,         /* PCROP start */ \
		0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, /* PCROP end */ \
		0xFF, 0xFF, 0x00, 0xFF, 0x00, 0x00, 0xFF, 0x00, /* WRP area A: from FF to 00, that is none */ \
		0xFF, 0xFF, 0x00, 0xFF, 0x00, 0x00, 0xFF, 0x00, /* WRP area B */ \
		0x00, 0xFF, 0xFE, 0xFF, 0xFF, 0x00, 0x01, 0x00  /* securable area: none */
static const uint8_t option_factory[] = {
	0xAA, 0xF8, 0xEF, 0xFF, 0x55, 0x07, 0x10, 0x00, BANK_AREAS, /* RDP and user options first */
	0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, BANK_AREAS, /* not used in bank 2 */
};

const struct mcu_profile profile_g474 = {
	.name = "g474",
	.summary = "STM32G471 to G484, ROM V13.5: pages of 2 KB, 1024 bytes a block, two banks of option bytes",
	.device_descriptor = ST_DEVICE(0x0200, 0x0200), /* G4-2 */
	DFU_DESCRIPTORS(configuration, strings, 3),
	.serial_rule = SERIAL_UID_SUM, /* ASSUMED: as the F407 (SER-1) */
	.bootloader_id = 0xD5,
	.bootloader_id_address = 0x1FFF6FFE,
	.regions = regions,
	.region_count = COUNT(regions),
	.flash_size_bytes = 512 * KIB,
	.sectors = sectors,
	.timings = timings,
	.program_align_bytes = 8,
	.program_pads = true,                 /* ASSUMED: SFL-3 */
	.program_rule = PROGRAM_NEEDS_ERASED, /* SFL-2 */
	.option_layout = OPTIONS_WORDS,
	.option_banks = { { 0x1FFF7800, 48 }, { 0x1FFFF800, 48 } },
	.option_factory = option_factory,
	.rdp_offset = 0,
	.rdp_open = 0xAA,
	.rdp_level_2 = true,
	.write_protection = { { WRP_AREA, 0x18, 0, 0, 0, false },
			      { WRP_AREA, 0x20, 0, 0, 0, false },
			      { WRP_AREA, 48 + 0x18, 0, 128, 0, false },
			      { WRP_AREA, 48 + 0x20, 0, 128, 0, false } },
	.otp_base = 0x1FFF7000,
	.otp_block_bytes = 8,
	.otp_block_count = 128,
	.ram_base = 0x20000000,
	.ram_size_bytes = 128 * KIB,
	.stack_ram_base = 0x10000000, /* CCM */
	.stack_ram_size_bytes = 32 * KIB,
	.uid_address = 0x1FFF7590,
	.vector_rule = VECTOR_CORTEX_M,
	STARTS_IN_ERROR,
	.transfer_size_bytes = 1024, /* G4-3 */
	ST_POLLS,
	.clrstatus_rule = CLRSTATUS_TO_ERROR, /* ASSUMED: ST-24 */
	.busy_rule = BUSY_HOLDS,              /* ASSUMED: EX-3 */
	.hardware_error_status = 0x0E,        /* ASSUMED: U14 */
	ST_EDGES,
	.startup_us = 75 * MS, /* ASSUMED: U16 */
};
