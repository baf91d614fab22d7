/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One ROM = one value of this struct, in a file of data under profiles/. Row ids in comments are those of
 * profiles/f407.md and profiles/siblings.md. Fields that rest on an unknown (U1..U21) exist so that a measurement can
 * change them.
 */
#ifndef DFUBENCH_PROFILE_H
#define DFUBENCH_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mem_kind { MEM_FLASH, MEM_RAM, MEM_SYSTEM, MEM_OTP, MEM_OPTION, MEM_FEATURE };

/* What the ROM lets a host reach, and where (MAP rows). Anything outside every region is errTARGET. */
struct mem_region {
	enum mem_kind kind;
	uint32_t base, size_bytes;
	bool readable, writable;
	uint16_t poll_erase_ms,
		poll_ms; /* bwPollTimeout while the pointer is here; 0 = that of the command (U1, GS-16) */
};

struct flash_sectors {
	uint32_t count, size_bytes;
};

/* One device-feature (parallelism) row of the timing table (TM rows); times in microseconds. */
struct flash_timing {
	uint32_t unit_bytes;                     /* 1, 2, 4 ... 32: bytes per program operation */
	uint32_t program_typ_us, program_max_us; /* one unit */
	struct {
		uint32_t size_bytes, typ_us, max_us;
	} erase[4]; /* by sector size; size 0 ends */
	uint32_t mass_typ_us, mass_max_us;
};

/* Where the option bytes lie, how they are doubled, and what they mean (OB rows; siblings.md SOB rows). */
enum option_layout {
	OPTIONS_HALFWORDS_TWICE, /* 16-bit value, its complement, and both once more: F4 (OB-2) */
	OPTIONS_BYTES,           /* byte, its complement: F0, F1 */
	OPTIONS_WORDS,           /* 32-bit word, its complement: L4, G4 */
	OPTIONS_PLAIN,           /* no complements */
};
#define OPTION_MAX_BYTES 128u

struct option_bank {
	uint32_t base;
	uint16_t size_bytes;
};

/* How option bytes protect sectors from writing. */
struct write_protection {
	enum { WRP_NONE, WRP_BITS, WRP_AREA } kind; /* WRP_NONE ends */
	uint16_t offset;                            /* in the option bytes of all banks */
	uint16_t bits;                              /* WRP_BITS: so many from there on, 0 = protected */
	uint16_t first_sector, sectors_per_bit;
	bool last_bit_takes_rest; /* WRP_BITS: the last bit stands for all sectors that follow as well */
	/* WRP_AREA: byte 0 is the first, byte 2 the last page from first_sector on; first > last: none */
};

enum dfu_protocol_kind { PROTOCOL_DFUSE, PROTOCOL_DFU11 };
enum program_rule {
	PROGRAM_CLEARS_BITS, /* whatever the cells hold: FL-2 */
	PROGRAM_NEEDS_ERASED /* a unit that is not erased takes nothing but zeros, and the program fails: SFL-2 */
};
enum vector_rule {
	VECTOR_CORTEX_M, /* a table with a sane stack pointer and entry: LV-3 */
	VECTOR_CODE      /* code, whatever it is, unless it is erased flash */
};
enum functional_request { FUNCTIONAL_ANSWERED, FUNCTIONAL_NEVER_ANSWERED }; /* ID-17; siblings differ */
enum serial_rule { SERIAL_UID_SUM, SERIAL_UID_SUM_PLUS_0A, SERIAL_CONSTANT };
enum wrong_state { WRONG_STATE_STALL_STAYS, WRONG_STATE_STALL_TO_ERROR }; /* U21 */
enum clrstatus_rule { CLRSTATUS_TO_ERROR, CLRSTATUS_STALLS };             /* ST-7; siblings differ */
enum busy_rule { BUSY_HOLDS, BUSY_SAYS_BUSY, BUSY_STALLS };               /* EX rows; siblings differ */
enum upload_refusal { UPLOAD_REFUSED_STALL, UPLOAD_REFUSED_EMPTY };       /* U4 */

enum chip { CHIP_UNKNOWN, CHIP_STM32F407 }; /* that code can be run on: see runtime/engine.h */

struct mcu_profile {
	const char *name;       /* "f407-v3.1" */
	const char *summary;    /* one line for people */
	const char *aliases[3]; /* "f407" on the default of a family; NULL ends */

	/* identity: ID, STR, SER rows */
	uint8_t device_descriptor[18];
	const uint8_t *configuration_descriptor;
	size_t configuration_size_bytes;
	const uint8_t *functional_descriptor;       /* DFU 1.1 4.1.3; points into the configuration */
	enum functional_request functional_request; /* asked for on its own */
	const char *const *strings; /* string i is strings[i - 1]; NULL at the serial's place and at the end */
	uint8_t string_count;       /* highest index */
	uint8_t serial_index;
	bool serial_is_bytes;       /* bytes where the string descriptor has UTF-16: GD-4 */
	uint8_t short_string_index; /* bLength is right, but no more than short_string_bytes of it come: F42-3. 0 = none */
	uint8_t short_string_bytes;
	enum serial_rule serial_rule;
	const char *serial_constant; /* SERIAL_CONSTANT only */
	uint8_t alt_count;
	enum chip chip;
	uint8_t bootloader_id; /* byte at bootloader_id_address of system memory */
	uint32_t bootloader_id_address;

	/* memory: MAP, FL, TM, OB, OTP, FEAT rows */
	const struct mem_region *regions;
	size_t region_count;
	uint32_t flash_base, flash_size_bytes;
	const struct flash_sectors *sectors; /* count 0 ends */
	const struct flash_timing *timings;  /* indexed by device-feature byte 0 through feature_timing */
	uint8_t feature_timing[5];           /* feature byte 0..4 -> row of timings */
	uint8_t feature_values;              /* feature bytes 0..feature_values-1 are accepted */
	uint16_t program_align_bytes;        /* of address and length (BLK-10) where odd_length_ok does not free them */
	bool program_pads;                   /* a length that is no multiple of the unit is filled up: SFL-3 */
	enum program_rule program_rule;
	enum option_layout option_layout;
	struct option_bank option_banks[2]; /* size 0: none */
	const uint8_t *option_factory;      /* all banks, one after the other; U13 */
	uint16_t rdp_offset;                /* of the byte that is the readout protection, in the option bytes */
	uint8_t rdp_open;                   /* its value at level 0 (RDP-1) */
	bool rdp_level_2;                   /* CC is level 2 */
	struct write_protection write_protection[5];
	uint32_t otp_base;
	uint16_t otp_block_bytes, otp_block_count; /* 0, 0: no OTP */
	uint16_t otp_lock_bytes;                   /* after the blocks, one for each; or 0 */
	uint32_t ram_base, ram_size_bytes;
	uint32_t stack_ram_base, stack_ram_size_bytes; /* more RAM that a stack may lie in; or 0, 0 */
	uint32_t uid_address;
	enum vector_rule vector_rule;
	bool boot1_is_pin; /* BOOT1 selects RAM (BOOT-1); else BOOT0 alone decides */

	/* DFU behaviour: ST, GS, EX, BLK, CMD, UP, ERR, RST, LV rows */
	enum dfu_protocol_kind protocol;
	uint8_t boot_state, boot_status; /* of DFU, after a reset into the ROM (ST-11) */
	uint16_t transfer_size_bytes;    /* wTransferSize and the block multiplier */
	uint32_t poll_set_address_ms;    /* U1 */
	uint32_t poll_erase_ms, poll_mass_erase_ms, poll_write_ms, poll_unprotect_ms, poll_manifest_ms; /* U1 */
	uint8_t get_commands[8]; /* reply to Get */
	uint8_t get_commands_count;
	enum wrong_state wrong_state; /* U21 */
	enum clrstatus_rule clrstatus_rule;
	enum busy_rule busy_rule;   /* U3 */
	bool first_getstatus_waits; /* U3: the status stage of the reply that says dfuDNBUSY comes after the work */
	enum upload_refusal upload_refusal;  /* U4 */
	uint8_t upload_refusal_status;       /* U4: out of reach */
	bool bus_reset_rearms;               /* U2 */
	bool set_configuration_rearms;       /* U2 */
	bool block1_download_stalls;         /* U5 */
	uint8_t block1_upload_status;        /* U5: bStatus after the STALL; 0 = state unchanged */
	bool bad_command_at_first_getstatus; /* U6: else at execution */
	bool oversize_stalls;                /* U7 */
	bool short_get_goes_idle;            /* U9: else dfuUPLOAD-IDLE after every Get */
	bool odd_length_ok;                  /* U8 */
	bool alt_selects_memory;             /* U10 */
	bool detach_reattaches;              /* U11 */
	bool abort_leaves_error;             /* U12 */
	uint8_t hardware_error_status;       /* U14; or DFU_STAYS_BUSY */
	uint8_t feature_refusal_status;      /* U14; or DFU_STAYS_BUSY */
	bool erase_sets_pointer;             /* U18 */
	bool errors_set_pointer;             /* U18: Set-Address and erase move it even where they fail */
	uint8_t rdp_set_address_status;      /* U19: 0 = allowed */
	uint8_t rdp_access_status;           /* errVENDOR */
	uint8_t unprotect_failed_status;     /* errUNKNOWN */
	bool leaves_at_once;                 /* at the empty download, without a GETSTATUS: GD-5 */
	uint32_t stuck_erase_from; /* an erase from here on ends in dfuDNBUSY, until CLRSTATUS: H7-4. 0 = none */
	uint32_t default_pointer;

	/* time: BOOT, EX-6, LV rows; microseconds */
	uint32_t startup_us;     /* U16: NRST high to D+ pull-up */
	uint32_t ep0_packet_us;  /* bus time of one 64-byte packet of a control transfer, as real hosts schedule them */
	uint32_t set_address_us; /* execution of Set-Address: short */
	uint32_t leave_us;       /* MANIFEST reply to soft disconnect */
	uint32_t app_attach_us;  /* application start to its pull-up */
	uint32_t option_write_us; /* option bytes erase and program, before the reset */
	uint32_t disconnect_us;   /* pull-up off before a reset takes hold */
};

/* All profiles; NULL ends. Looked up by name or alias ("f407", "f407-v3.0", ...); NULL if there is none. */
extern const struct mcu_profile *const mcu_profiles[];
const struct mcu_profile *mcu_profile_find(const char *name);

#endif
