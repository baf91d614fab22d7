/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces of profiles. What a macro gives for a sibling of the F407 is the F407's, ASSUMED because no source tells of
 * that part (siblings.md SIB-1); what a part is known for stands in its own file, without a macro.
 */
#ifndef DFUBENCH_PROFILES_COMMON_H
#define DFUBENCH_PROFILES_COMMON_H

#include "profiles.h"

#define KIB 1024u
#define MS 1000u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LOW(word) ((word)&0xFF)
#define HIGH(word) ((word) >> 8 & 0xFF)

/* Descriptors of one DFU interface with nothing but alternate settings (ID-12 to ID-16). */
#define DFU_DEVICE(bcd_usb, vendor, product, bcd_device) \
	{ \
		0x12, 0x01, LOW(bcd_usb), HIGH(bcd_usb), 0x00, 0x00, 0x00, 0x40, LOW(vendor), HIGH(vendor), \
			LOW(product), HIGH(product), LOW(bcd_device), HIGH(bcd_device), 0x01, 0x02, 0x03, 0x01 \
	}
#define DFU_CONFIGURATION(alternates, attributes) \
	0x09, 0x02, 9 + 9 * (alternates) + 9, 0x00, 0x01, 0x01, 0x00, (attributes), 0x32
#define DFU_ALTERNATE(n) 0x09, 0x04, 0x00, (n), 0x00, 0xFE, 0x01, 0x02, 4 + (n)
#define DFU_FUNCTIONAL(attributes, transfer_size, bcd_dfu) \
	0x09, 0x21, (attributes), 0xFF, 0x00, LOW(transfer_size), HIGH(transfer_size), LOW(bcd_dfu), HIGH(bcd_dfu)
#define ST_DEVICE(bcd_usb, bcd_device) DFU_DEVICE(bcd_usb, 0x0483, 0xDF11, bcd_device)
#define SELF_POWERED 0xC0
#define BUS_POWERED 0x80
/* The members that say so; bytes and texts are arrays. */
#define DFU_DESCRIPTORS(bytes, texts, alternates) \
	.configuration_descriptor = (bytes), .configuration_size_bytes = sizeof(bytes), \
	.functional_descriptor = (bytes) + sizeof(bytes) - 9, .strings = (texts), .string_count = 3 + (alternates), \
	.serial_index = 3, .alt_count = (alternates)

/* The F4 family's strings, but for the flash (STR-1 to STR-7, STR-11) */
#define F4_STRINGS(flash, option_bytes) \
	{ \
		"STMicroelectronics", "STM32  BOOTLOADER", NULL, flash, option_bytes, \
			"@OTP Memory /0x1FFF7800/01*512 e,01*016 e", "@Device Feature/0xFFFF0000/01*004 e", NULL, \
	}

/* clang-format off */
/* F407.md on what happens at the edges, for ROMs of ST's DFU V2.2 and what descends from them. ASSUMED: as the F407, and
 * where that rests on an unknown, as the unknown. */
#define ST_EDGES \
	.protocol = PROTOCOL_DFUSE, \
	.get_commands = { 0x00, 0x21, 0x41, 0x92 }, /* CMD-1 */ \
	.get_commands_count = 4, \
	.wrong_state = WRONG_STATE_STALL_STAYS,   /* U21 */ \
	.first_getstatus_waits = false,           /* U3 */ \
	.upload_refusal = UPLOAD_REFUSED_STALL,   /* U4 */ \
	.upload_refusal_status = 0x01,            /* U4 */ \
	.bus_reset_rearms = false,                /* U2 */ \
	.set_configuration_rearms = false,        /* U2 */ \
	.block1_download_stalls = true,           /* U5 */ \
	.block1_upload_status = 0x0F,             /* U5 */ \
	.bad_command_at_first_getstatus = true,   /* U6 */ \
	.oversize_stalls = true,                  /* U7 */ \
	.odd_length_ok = true,                    /* U8 */ \
	.short_get_goes_idle = true,              /* U9 */ \
	.alt_selects_memory = false,              /* U10 */ \
	.detach_reattaches = false,               /* U11 */ \
	.abort_leaves_error = false,              /* U12 */ \
	.feature_refusal_status = 0x01,           /* U14 */ \
	.erase_sets_pointer = true,               /* U18 */ \
	.errors_set_pointer = false,              /* U18 */ \
	.rdp_set_address_status = 0x0B,           /* U19 */ \
	.rdp_access_status = 0x0B,                /* ERR-2 */ \
	.unprotect_failed_status = 0x0E,          /* ERR-4 */ \
	.flash_base = 0x08000000, \
	.default_pointer = 0x08000000,            /* BLK-6 */ \
	TIMES

/* bwPollTimeouts of the F4, where a sibling's are not known (GS-6 to GS-13, U1) */
#define ST_POLLS \
	.poll_set_address_ms = 104, \
	.poll_erase_ms = 100, \
	.poll_mass_erase_ms = 100, \
	.poll_write_ms = 104, \
	.poll_unprotect_ms = 104, \
	.poll_manifest_ms = 1

/* ST-11 */
#define STARTS_IN_ERROR .boot_state = 10, .boot_status = 0x0A

/* Of the board and of the bus, the F407's (EX-12, EV-23, BOOT-16); ASSUMED: no figure for any part */
#define TIMES \
	.ep0_packet_us = 130, \
	.set_address_us = 50, \
	.leave_us = 2 * MS, \
	.app_attach_us = 100 * MS, \
	.option_write_us = 400 * MS, \
	.disconnect_us = 1 * MS
/* clang-format on */

#endif
