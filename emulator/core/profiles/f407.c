// SPDX-License-Identifier: GPL-2.0-or-later
/* STM32F405/407 ROMs: f407.md as data. Row ids are those of that file; VAR-1 to VAR-4 say what differs between them. */
#include "profiles.h"

#define KIB 1024u
#define MS 1000u

/* ID-12 to ID-16 */
static const uint8_t configuration[] = {
	0x09, 0x02, 0x36, 0x00, 0x01, 0x01, 0x00, 0xC0, 0x32, /* 54 bytes, one interface, self-powered, 100 mA */
	0x09, 0x04, 0x00, 0x00, 0x00, 0xFE, 0x01, 0x02, 0x04, /* alternate 0 */
	0x09, 0x04, 0x00, 0x01, 0x00, 0xFE, 0x01, 0x02, 0x05, /* alternate 1 */
	0x09, 0x04, 0x00, 0x02, 0x00, 0xFE, 0x01, 0x02, 0x06, /* alternate 2 */
	0x09, 0x04, 0x00, 0x03, 0x00, 0xFE, 0x01, 0x02, 0x07, /* alternate 3 */
	0x09, 0x21, 0x0B, 0xFF, 0x00, 0x00, 0x08, 0x1A, 0x01, /* functional */
};

/* STR-1 to STR-7, STR-11; the serial's place is empty */
#define STRINGS(access) \
	{ \
		"STMicroelectronics", "STM32  BOOTLOADER", NULL, \
			"@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg", \
			"@Option Bytes  /0x1FFFC000/01*016 " access, \
			"@OTP Memory /0x1FFF7800/01*512 " access ",01*016 " access, \
			"@Device Feature/0xFFFF0000/01*004 " access, NULL, \
	}

static const char *const strings_v30[] = STRINGS("g");
static const char *const strings[] = STRINGS("e");

/* MAP-1 to MAP-10; the ROM keeps the first part of SRAM for itself (MAP-4). The time-outs are 0, those of the command,
 * wherever the pointer is: ASSUMED: U1 (GS-16). */
#define REGIONS(rom_ram) \
	{ \
		{ MEM_FLASH, 0x08000000, 1024 * KIB, true, true, 0, 0 }, \
			{ MEM_RAM, 0x20000000 + (rom_ram), 128 * KIB - (rom_ram), true, true, 0, 0 }, \
			{ MEM_SYSTEM, 0x1FFF0000, 0x7800, true, false, 0, 0 }, \
			{ MEM_OTP, 0x1FFF7800, 512 + 16, true, true, 0, 0 }, \
			{ MEM_OPTION, 0x1FFFC000, 16, true, true, 0, 0 }, \
			{ MEM_FEATURE, 0xFFFF0000, 4, true, true, 0, 0 }, \
	}

static const struct mem_region regions_v3[] = REGIONS(8 * KIB);
static const struct mem_region regions_v9[] = REGIONS(12 * KIB);

/* MAP-1 to MAP-3 */
static const struct flash_sectors sectors[] = {
	{ 4, 16 * KIB },
	{ 1, 64 * KIB },
	{ 7, 128 * KIB },
	{ 0, 0 },
};

/* TM-1 to TM-5 */
static const struct flash_timing timings[] = {
	{
		.unit_bytes = 1,
		.program_typ_us = 16,
		.program_max_us = 100,
		.erase = { { 16 * KIB, 400 * MS, 800 * MS },
			   { 64 * KIB, 1200 * MS, 2400 * MS },
			   { 128 * KIB, 2000 * MS, 4000 * MS } },
		.mass_typ_us = 16000 * MS,
		.mass_max_us = 32000 * MS,
	},
	{
		.unit_bytes = 2,
		.program_typ_us = 16,
		.program_max_us = 100,
		.erase = { { 16 * KIB, 300 * MS, 600 * MS },
			   { 64 * KIB, 700 * MS, 1400 * MS },
			   { 128 * KIB, 1300 * MS, 2600 * MS } },
		.mass_typ_us = 11000 * MS,
		.mass_max_us = 22000 * MS,
	},
	{
		.unit_bytes = 4,
		.program_typ_us = 16,
		.program_max_us = 100,
		.erase = { { 16 * KIB, 250 * MS, 500 * MS },
			   { 64 * KIB, 550 * MS, 1100 * MS },
			   { 128 * KIB, 1000 * MS, 2000 * MS } },
		.mass_typ_us = 8000 * MS,
		.mass_max_us = 16000 * MS,
	},
};

/* OB-4; the upper half is ASSUMED: U13 */
static const uint8_t option_factory[] = {
	0xEF, 0xAA, 0x10, 0x55, 0xEF, 0xAA, 0x10, 0x55, 0xFF, 0x7F, 0x00, 0x80, 0xFF, 0x7F, 0x00, 0x80,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ID-1, with the two bytes that ID-5 lets differ */
#define DEVICE(bcd_device_high) \
	{ \
		0x12, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x40, 0x83, 0x04, 0x11, 0xDF, 0x00, (bcd_device_high), 0x01, \
			0x02, 0x03, 0x01 \
	}

/* What all four have in common */
/* clang-format off */
#define F407 \
	.configuration_descriptor = configuration, \
	.configuration_size_bytes = sizeof(configuration), \
	.functional_descriptor = configuration + sizeof(configuration) - 9, \
	.string_count = 7, \
	.serial_index = 3, \
	.serial_rule = SERIAL_UID_SUM,            /* SER-1, SER-2 */ \
	.alt_count = 4, \
	.chip = CHIP_STM32F407, \
	.bootloader_id_address = 0x1FFF77DE,      /* MAP-6 */ \
	.flash_base = 0x08000000, \
	.flash_size_bytes = 1024 * KIB, \
	.sectors = sectors, \
	.timings = timings, \
	.feature_timing = { 0, 1, 1, 2, 2 },      /* FEAT-1; x64 as x32, ASSUMED: no figure at hand */ \
	.feature_values = 5, \
	.program_align_bytes = 4,                 /* BLK-10 */ \
	.program_rule = PROGRAM_CLEARS_BITS,      /* FL-2 */ \
	.option_layout = OPTIONS_HALFWORDS_TWICE, /* OB-2 */ \
	.option_banks = { { 0x1FFFC000, 16 } },   /* MAP-9 */ \
	.option_factory = option_factory, \
	.rdp_offset = 1,                          /* OB-1 */ \
	.rdp_open = 0xAA,                         /* RDP-1 */ \
	.rdp_level_2 = true,                      /* RDP-1 */ \
	.write_protection = { { WRP_BITS, 8, 12, 0, 1, false } }, /* OB-1 */ \
	.otp_base = 0x1FFF7800,                   /* MAP-7 */ \
	.otp_block_bytes = 32, \
	.otp_block_count = 16, \
	.otp_lock_bytes = 16, \
	.ram_base = 0x20000000,                   /* MAP-4 */ \
	.ram_size_bytes = 128 * KIB, \
	.stack_ram_base = 0x10000000,             /* CCM, RM0090 2.3.1: 64 KB, on the data bus alone */ \
	.stack_ram_size_bytes = 64 * KIB, \
	.uid_address = 0x1FFF7A10,                /* MAP-8 */ \
	.vector_rule = VECTOR_CORTEX_M,           /* LV-3 */ \
	.boot1_is_pin = true,                     /* BOOT-1 */ \
	.protocol = PROTOCOL_DFUSE, \
	.functional_request = FUNCTIONAL_ANSWERED, /* ID-17 */ \
	.boot_state = 10,                         /* ST-11: dfuERROR */ \
	.boot_status = 0x0A,                      /* ST-11: errFIRMWARE */ \
	.transfer_size_bytes = 2048,              /* ID-16, BLK-3 */ \
	.poll_set_address_ms = 104,               /* GS-6, ASSUMED: U1 */ \
	.poll_erase_ms = 100,                     /* GS-7, ASSUMED: U1 */ \
	.poll_mass_erase_ms = 100,                /* GS-8 */ \
	.poll_write_ms = 104,                     /* GS-9, ASSUMED: U1 */ \
	.poll_unprotect_ms = 104,                 /* GS-10, ASSUMED: U1 */ \
	.poll_manifest_ms = 1,                    /* GS-13, ASSUMED: U1 */ \
	.get_commands = { 0x00, 0x21, 0x41, 0x92 }, /* CMD-1 */ \
	.get_commands_count = 4, \
	.wrong_state = WRONG_STATE_STALL_STAYS,   /* ST-16, ASSUMED: U21 */ \
	.clrstatus_rule = CLRSTATUS_TO_ERROR,     /* ST-24 */ \
	.busy_rule = BUSY_HOLDS,                  /* EX-3, ASSUMED: U3 */ \
	.first_getstatus_waits = false,           /* EX-10, ASSUMED: U3 */ \
	.upload_refusal = UPLOAD_REFUSED_STALL,   /* UP-7, ASSUMED: U4 */ \
	.upload_refusal_status = 0x01,            /* UP-6, ASSUMED: U4 */ \
	.bus_reset_rearms = false,                /* ST-15, ASSUMED: U2 */ \
	.set_configuration_rearms = false,        /* ST-15, ASSUMED: U2 */ \
	.block1_download_stalls = true,           /* BLK-2, ASSUMED: U5 */ \
	.block1_upload_status = 0x0F,             /* UP-5, ASSUMED: U5 */ \
	.bad_command_at_first_getstatus = true,   /* CMD-6, ASSUMED: U6 */ \
	.oversize_stalls = true,                  /* BLK-13, ASSUMED: U7 */ \
	.odd_length_ok = true,                    /* BLK-12, ASSUMED: U8 */ \
	.short_get_goes_idle = true,              /* UP-2, ASSUMED: U9 */ \
	.alt_selects_memory = false,              /* RST-6, ASSUMED: U10 */ \
	.detach_reattaches = false,               /* RST-4, ASSUMED: U11 */ \
	.abort_leaves_error = false,              /* RST-2, ASSUMED: U12 */ \
	.hardware_error_status = 0x0E,            /* ERR-7, ASSUMED: U14 */ \
	.feature_refusal_status = 0x01,           /* ERR-12, ASSUMED: U14 */ \
	.erase_sets_pointer = true,               /* CMD-8, ASSUMED: U18 */ \
	.errors_set_pointer = false,              /* ASSUMED: U18 */ \
	.rdp_set_address_status = 0x0B,           /* ERR-3, ASSUMED: U19 */ \
	.rdp_access_status = 0x0B,                /* ERR-2 */ \
	.unprotect_failed_status = 0x0E,          /* ERR-4 */ \
	.default_pointer = 0x08000000,            /* BLK-6 */ \
	.ep0_packet_us = 130,                     /* 37 packets for a block and its GETSTATUS: EX-12, an F745 */ \
	.set_address_us = 50,                     /* under 1 ms on an F7: EV-23; ASSUMED: no figure */ \
	.leave_us = 2 * MS,                       /* under 5 ms: BOOT-16; ASSUMED: no figure */ \
	.app_attach_us = 100 * MS,                /* the application's own choice, ASSUMED: no figure */ \
	.option_write_us = 400 * MS,              /* as a small sector (TM-2), ASSUMED: no figure */ \
	.disconnect_us = 1 * MS                   /* ASSUMED: no figure */
/* clang-format on */

#define ROM_V3 \
	.regions = regions_v3, .region_count = COUNT(regions_v3), .startup_us = 90 * MS /* BOOT-15, ASSUMED: U16 */
#define ROM_V9 \
	.regions = regions_v9, .region_count = COUNT(regions_v9), .startup_us = 75 * MS /* BOOT-15, ASSUMED: U16 */

/* VAR-1 */
const struct mcu_profile profile_f407_v30 = {
	.name = "f407-v3.0",
	.summary = "STM32F405/407, ROM V3.0: early silicon, Discovery boards of 2011 and 2012",
	.device_descriptor = DEVICE(0x21),
	.strings = strings_v30,
	.bootloader_id = 0x30,
	F407,
	ROM_V3,
};

/* VAR-2 */
const struct mcu_profile profile_f407_v31 = {
	.name = "f407-v3.1",
	.summary = "STM32F405/407, ROM V3.1: the common one",
	.aliases = { "f407" },
	.device_descriptor = DEVICE(0x22),
	.strings = strings,
	.bootloader_id = 0x31,
	F407,
	ROM_V3,
};

/* VAR-3 */
const struct mcu_profile profile_f407_v90 = {
	.name = "f407-v9.0",
	.summary = "STM32F405/415 in WLCSP90, ROM V9.0",
	.device_descriptor = DEVICE(0x22),
	.strings = strings,
	.bootloader_id = 0x90,
	F407,
	ROM_V9,
};

/* VAR-4 */
const struct mcu_profile profile_f407_v91 = {
	.name = "f407-v9.1",
	.summary = "STM32F405/407, ROM V9.1: all packages, I2C and SPI added",
	.device_descriptor = DEVICE(0x22),
	.strings = strings,
	.bootloader_id = 0x91,
	F407,
	ROM_V9,
};
