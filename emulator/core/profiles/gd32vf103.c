// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GigaDevice GD32VF103xB, a RISC-V part whose ROM speaks DfuSe as ST's does. Rows GD-n of siblings.md. Sources: listings by
 * dfu-util of a bare chip and of a Longan Nano in gd32-dfu-utils#5 and fiveforths#20 (strings, bcdDevice, serial number);
 * dfu-util's quirks.c and dfu_util.c, commit c66695c (serial number in bytes, leave); Longan_GD32VF_examples#5 (states).
 */
#include "common.h"

#define STRINGS(...) \
	{ \
		"GDMicroelectronics", "GD32 0x418 DFU Bootloade", NULL, __VA_ARGS__, NULL \
	} /* GD-2 */

static const uint8_t configuration[] = {
	DFU_CONFIGURATION(1, SELF_POWERED),
	DFU_ALTERNATE(0),
	DFU_FUNCTIONAL(0x0B, 2048, 0x011A),
};
static const uint8_t configuration_nano[] = {
	DFU_CONFIGURATION(2, SELF_POWERED),
	DFU_ALTERNATE(0),
	DFU_ALTERNATE(1),
	DFU_FUNCTIONAL(0x0B, 2048, 0x011A),
};

/* GD-1 */
static const char *const strings[] = STRINGS("@Internal Flash  /0x08000000/128*001Kg");
static const char *const strings_nano[] = STRINGS("@Internal Flash  /0x08000000/512*002Kg",
						  "@Option Bytes  /0x1FFFF800/01*016 g");

static const struct mem_region regions[] = {
	{ MEM_FLASH, 0x08000000, 128 * KIB, true, true, 0, 0 },
	{ MEM_RAM, 0x20000000 + 8 * KIB, 24 * KIB, true, true, 0, 0 }, /* ASSUMED: as the F407's V3 (MAP-4) */
	{ MEM_SYSTEM, 0x1FFFB000, 0x4800, true, false, 0, 0 },
	{ MEM_OPTION, 0x1FFFF800, 16, true, true, 0, 0 },
};

static const struct flash_sectors sectors[] = { { 128, 1 * KIB }, { 0, 0 } };

/* GD-7 */
static const struct flash_timing timings[] = { {
	.unit_bytes = 4,
	.program_typ_us = 38,
	.program_max_us = 105,
	.erase = { { 1 * KIB, 50 * MS, 400 * MS } },
	.mass_typ_us = 300 * MS,
	.mass_max_us = 3000 * MS,
} };

/* As the STM32F103's: each byte and its complement; SPC (A5: open), USER, two bytes of data, WP0 to WP3 */
static const uint8_t option_factory[] = {
	0xA5, 0x5A, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00,
};

/* clang-format off */
#define GD32VF103 \
	.serial_rule = SERIAL_CONSTANT, \
	.serial_constant = "3CBJ",            /* GD-4 */ \
	.serial_is_bytes = true,              /* GD-4 */ \
	.regions = regions, \
	.region_count = COUNT(regions), \
	.flash_size_bytes = 128 * KIB, \
	.sectors = sectors, \
	.timings = timings, \
	.program_align_bytes = 4, \
	.program_pads = true,                 /* ASSUMED: SFL-3 */ \
	.program_rule = PROGRAM_NEEDS_ERASED, /* GD-3 */ \
	.option_layout = OPTIONS_BYTES, \
	.option_banks = { { 0x1FFFF800, 16 } }, \
	.option_factory = option_factory, \
	.rdp_offset = 0, \
	.rdp_open = 0xA5, \
	.write_protection = { { WRP_BITS, 8, 8, 0, 4, false }, \
			      { WRP_BITS, 10, 8, 32, 4, false }, \
			      { WRP_BITS, 12, 8, 64, 4, false }, \
			      { WRP_BITS, 14, 8, 96, 4, true } }, \
	.ram_base = 0x20000000, \
	.ram_size_bytes = 32 * KIB, \
	.uid_address = 0x1FFFF7E8, \
	.vector_rule = VECTOR_CODE,           /* GD-6 */ \
	.boot1_is_pin = true, \
	STARTS_IN_ERROR,                      /* GD-8 */ \
	.transfer_size_bytes = 2048,          /* GD-8 */ \
	ST_POLLS,                             /* GD-8 */ \
	.clrstatus_rule = CLRSTATUS_TO_ERROR, /* GD-8 */ \
	.busy_rule = BUSY_HOLDS,              /* ASSUMED: EX-3 */ \
	.leaves_at_once = true,               /* GD-5 */ \
	.hardware_error_status = 0x00,        /* GD-3 */ \
	ST_EDGES, \
	.startup_us = 75 * MS                 /* ASSUMED: U16 */
/* clang-format on */

const struct mcu_profile profile_gd32vf103 = {
	.name = "gd32vf103",
	.summary = "GD32VF103xB, a bare chip: 28e9:0189, leaves without a GETSTATUS",
	.device_descriptor = DFU_DEVICE(0x0100, 0x28E9, 0x0189, 0x0100),
	DFU_DESCRIPTORS(configuration, strings, 1),
	GD32VF103,
};

const struct mcu_profile profile_gd32vf103_nano = {
	.name = "gd32vf103-nano",
	.summary = "GD32VF103xB of a Longan Nano: says 512 pages of 2 KB, has 128 of 1 KB",
	.device_descriptor = DFU_DEVICE(0x0100, 0x28E9, 0x0189, 0x1000),
	DFU_DESCRIPTORS(configuration_nano, strings_nano, 2),
	GD32VF103,
};
