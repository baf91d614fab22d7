// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No ROM of anybody's: devices that keep to USB DFU 1.1, to see what a tool takes for granted. Rows DFU11-n of siblings.md.
 * 256 KB of flash in pages of 2 KB, made up; 1209:0001 is pid.codes' identifier for tests.
 */
#include "common.h"

/* DFU11-2: the attributes are all that tells the three apart */
#define CAN_BOTH 0x03
#define TOLERANT 0x04
#define WILL_DETACH 0x08
#define CONFIGURATION(attributes) \
	{ \
		DFU_CONFIGURATION(1, BUS_POWERED), DFU_ALTERNATE(0), DFU_FUNCTIONAL(attributes, 1024, 0x0110), \
	}

static const uint8_t configuration[] = CONFIGURATION(CAN_BOTH | TOLERANT);
static const uint8_t configuration_reset[] = CONFIGURATION(CAN_BOTH);
static const uint8_t configuration_detach[] = CONFIGURATION(CAN_BOTH | WILL_DETACH);

static const char *const strings[] = { "dfubench", "DFU 1.1 device", NULL, "Firmware", NULL };

static const struct mem_region regions[] = { { MEM_FLASH, 0x08000000, 256 * KIB, true, true, 0, 0 } };

static const struct flash_sectors sectors[] = { { 128, 2 * KIB }, { 0, 0 } };

/* Made up, after L4-5 */
static const struct flash_timing timings[] = { {
	.unit_bytes = 8,
	.program_typ_us = 82,
	.program_max_us = 91,
	.erase = { { 2 * KIB, 22020, 24470 } },
	.mass_typ_us = 22130,
	.mass_max_us = 24590,
} };

/* Out of a host's reach; here to hold a level of protection */
static const uint8_t option_factory[4] = { 0xAA, 0xFF, 0xFF, 0xFF };

/* clang-format off */
#define DFU11 \
	.device_descriptor = DFU_DEVICE(0x0200, 0x1209, 0x0001, 0x0100), \
	.serial_rule = SERIAL_UID_SUM, \
	.regions = regions, \
	.region_count = COUNT(regions), \
	.flash_base = 0x08000000, \
	.flash_size_bytes = 256 * KIB, \
	.sectors = sectors, \
	.timings = timings, \
	.program_align_bytes = 8, \
	.program_pads = true, \
	.program_rule = PROGRAM_NEEDS_ERASED, \
	.option_layout = OPTIONS_PLAIN, \
	.option_banks = { { 0, 4 } }, \
	.option_factory = option_factory, \
	.rdp_offset = 0, \
	.rdp_open = 0xAA, \
	.ram_base = 0x20000000, \
	.ram_size_bytes = 128 * KIB, \
	.vector_rule = VECTOR_CORTEX_M, \
	.protocol = PROTOCOL_DFU11, \
	.boot_state = 2,                      /* dfuIDLE */ \
	.boot_status = 0, \
	.transfer_size_bytes = 1024, \
	.poll_write_ms = 50,                  /* more than the longest erase and write of a block: DFU11-4 */ \
	.poll_manifest_ms = 100, \
	.busy_rule = BUSY_STALLS,             /* DFU11-3 */ \
	.wrong_state = WRONG_STATE_STALL_TO_ERROR, \
	.clrstatus_rule = CLRSTATUS_STALLS, \
	.upload_refusal_status = 0x0B,        /* errVENDOR */ \
	.rdp_access_status = 0x0B, \
	.hardware_error_status = 0x06,        /* errPROG */ \
	.default_pointer = 0x08000000, \
	.startup_us = 75 * MS, \
	TIMES
/* clang-format on */

const struct mcu_profile profile_dfu11 = {
	.name = "dfu11",
	.summary = "no ROM: a device that keeps to USB DFU 1.1, back in dfuIDLE after an image",
	DFU_DESCRIPTORS(configuration, strings, 1),
	DFU11,
};

const struct mcu_profile profile_dfu11_reset = {
	.name = "dfu11-reset",
	.summary = "the same, which waits for a reset of the bus after an image",
	DFU_DESCRIPTORS(configuration_reset, strings, 1),
	DFU11,
};

const struct mcu_profile profile_dfu11_detach = {
	.name = "dfu11-detach",
	.summary = "the same, which leaves the bus by itself after an image",
	DFU_DESCRIPTORS(configuration_detach, strings, 1),
	DFU11,
};
