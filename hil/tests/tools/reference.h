/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dfu-reference: a DfuSe host that does what DFU 1.1 and AN3156 ask for, and can be told to get one thing wrong. It shares no code
 * with what it tests.
 */
#ifndef DFU_REFERENCE_H
#define DFU_REFERENCE_H

#include <libusb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses */
enum outcome { DONE, BAD_USAGE, BAD_FILE, NO_DEVICE, DEVICE_FAILED, NO_ANSWER, DIFFERS, PROTECTED };

/* Tells it on stderr. Returns the outcome. */
enum outcome fail(enum outcome, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- reference_mutants.c --- */
#define MUTANTS(M) \
	M(NO_CLRSTATUS, "no-clrstatus", "goes on in dfuERROR without CLRSTATUS") \
	M(CLRSTATUS_ALWAYS, "clrstatus-always", "sends CLRSTATUS first, whatever the state") \
	M(CLRSTATUS_BUSY, "clrstatus-busy", "sends CLRSTATUS again and again while the device is busy") \
	M(ABORT_IN_ERROR, "abort-in-error", "sends ABORT in dfuERROR instead of CLRSTATUS") \
	M(NO_RECOVERY, "no-recovery", "gives up if the device is left in another state than dfuIDLE and dfuERROR") \
	M(NO_GETSTATUS, "no-getstatus", "sends no GETSTATUS after a block") \
	M(ONE_GETSTATUS, "one-getstatus", "sends one GETSTATUS after a block, and takes dfuDNBUSY for done") \
	M(NO_POLL_WAIT, "no-poll-wait", "does not wait for bwPollTimeout") \
	M(GIVES_UP_BUSY, "gives-up-busy", "gives up when dfuDNBUSY comes a second time") \
	M(GIVES_UP_STALLED, "gives-up-stalled", "gives up when one GETSTATUS is stalled") \
	M(BLOCK_BASE_0, "block-base-0", "numbers blocks from 0") \
	M(BLOCK_BASE_1, "block-base-1", "numbers blocks from 1") \
	M(BLOCK_BASE_3, "block-base-3", "numbers blocks from 3") \
	M(BLOCK_8_BITS, "block-8-bits", "wraps block numbers at 8 bits") \
	M(FIXED_BLOCK, "fixed-block", "writes every block as number 2 without moving the address") \
	M(NO_ERASE, "no-erase", "writes without erasing") \
	M(MASS_ERASE, "mass-erase", "erases everything where sectors were meant") \
	M(SECTORS_16K, "sectors-16k", "takes all sectors for 16 KiB") \
	M(SECTORS_128K, "sectors-128k", "takes all sectors for 128 KiB") \
	M(SECTOR_TOO_MANY, "sector-too-many", "erases one sector more") \
	M(SECTOR_TOO_FEW, "sector-too-few", "leaves the last of several sectors unerased") \
	M(ERASE_GAP, "erase-gap", "erases what lies between two elements as well") \
	M(ERASE_EACH_CHUNK, "erase-each-chunk", "erases a sector once for each chunk in it, before writing") \
	M(ERASE_BEFORE_CHUNK, "erase-before-chunk", "erases the sector again before each chunk") \
	M(PAD_FF, "pad-ff", "fills the last block up with FF") \
	M(PAD_00, "pad-00", "fills the last block up with 00") \
	M(DROP_TAIL, "drop-tail", "drops a last block that is not full") \
	M(EMPTY_BLOCK, "empty-block", "sends an empty block where an element ends with a block") \
	M(NO_CRC, "no-crc", "does not check the CRC of a file") \
	M(NO_ID, "no-id", "does not hold the IDs of a file against the device") \
	M(SUFFIX_WRITTEN, "suffix-written", "writes the suffix of a file to the flash") \
	M(DFUSE_RAW, "dfuse-raw", "writes a DfuSe file as it is to the start of the flash") \
	M(ONE_ELEMENT, "one-element", "writes the first element of a DfuSe file alone") \
	M(ASSUMES_2048, "assumes-2048", "sends 2048 bytes a block whatever wTransferSize says") \
	M(ASSUMES_1024, "assumes-1024", "sends 1024 bytes a block whatever wTransferSize says") \
	M(BIG_ENDIAN, "big-endian", "sends addresses with the highest byte first") \
	M(NO_ADDRESS, "no-address", "sets no address before writing") \
	M(IGNORES_ADDRESS, "ignores-address", "writes to the start of the flash whatever address was given") \
	M(LEAVE_NO_ADDRESS, "leave-no-address", "sets no address before the leave") \
	M(LEAVE_NO_GETSTATUS, "leave-no-getstatus", "sends no GETSTATUS on leave") \
	M(LEAVE_ASKS_AGAIN, "leave-asks-again", "reports a failure when the device has left as it was told") \
	M(LEAVES_ALWAYS, "leaves-always", "leaves after each download, asked or not") \
	M(UNPROTECT_ANSWER, "unprotect-answer", "wants an answer after unprotect") \
	M(ALWAYS_SUCCESS, "always-success", "takes no notice of bStatus and dfuERROR") \
	M(EXIT_ZERO, "exit-zero", "tells of failures and exits with 0") \
	M(STALL_IS_DONE, "stall-is-done", "takes a STALL for success") \
	M(BUS_ERROR_IS_DONE, "bus-error-is-done", "takes a bus error for success") \
	M(RETRIES_FOR_EVER, "retries-for-ever", "sends a stalled request again for ever") \
	M(POLLS_FOR_EVER, "polls-for-ever", "polls for ever in dfuERROR") \
	M(NO_UPLOAD_ABORT, "no-upload-abort", "does not go back to dfuIDLE before an upload") \
	M(UPLOAD_BASE_0, "upload-base-0", "numbers blocks of an upload from 0") \
	M(UPLOAD_SHORT, "upload-short", "leaves the last block of an upload out if it is not full") \
	M(UPLOAD_SEGMENT, "upload-segment", "ends an upload with the first group of sectors") \
	M(IGNORES_ALT, "ignores-alt", "never selects an alternate setting") \
	M(WRONG_INDEX, "wrong-index", "sends requests to interface 1") \
	M(TIMEOUT_5S, "timeout-5s", "waits 5 s for an answer, never longer") \
	M(TIMEOUT_500MS, "timeout-500ms", "waits 500 ms for an answer, never longer") \
	M(NO_TIMEOUT, "no-timeout", "waits for ever for an answer") \
	M(STRING_16, "string-16", "reads the first 16 bytes of a string") \
	M(LIST_CLEARS, "list-clears", "clears the status of what it lists") \
	M(DENIED_ENDS, "denied-ends", "opens every device to look at it, and gives up at one that it may not open") \
	M(FIRST_DEVICE, "first-device", "takes the first device with DFU, whatever its ID or serial number") \
	M(CLAIMS_VERIFY, "claims-verify", "says that it has verified, and has not")

#define MUTANT_ENUM(id, name, bug) M_##id,
enum mutant { M_NONE, MUTANTS(MUTANT_ENUM) M_COUNT };
bool mutant(enum mutant);
bool mutant_choose(const char *name);
void mutants_print(void);

/* --- reference_file.c --- */
struct element {
	uint8_t alt;
	uint32_t address;
	const uint8_t *data;
	size_t length;
};
struct image {
	uint8_t *bytes;
	size_t size;
	struct element *elements;
	size_t count;
	bool has_ids, is_dfuse;
	uint16_t vendor, product;
};
/* A DfuSe file, or a raw one for address (has_address), either with or without a DFU suffix. */
enum outcome image_read(struct image *, const char *path, uint8_t alt, bool has_address, uint32_t address);
void image_free(struct image *);

/* --- reference_layout.c --- */
struct sector {
	uint32_t address, size;
	bool readable, erasable, writable;
};
struct layout {
	struct sector *sectors;
	size_t count, first_group; /* sectors of the first group */
};
/* "@Name/0xADDRESS/N*SIZEut,..." (UM0424 10.3.2). false: it is none. */
bool layout_parse(struct layout *, const char *text);
const struct sector *layout_at(const struct layout *, uint32_t address); /* NULL: no memory there */

/* --- reference_find.c --- */
#define ALTS 8
struct device {
	libusb_context *context;
	libusb_device_handle *handle;
	uint8_t interface;
	uint16_t vendor, product, transfer_size, bcd_dfu;
	char serial[128];
	unsigned alts;
	char names[ALTS][256];
	struct layout layouts[ALTS];
};
struct choice {
	uint16_t vendor, product; /* vendor 0: any device in DFU mode */
	const char *serial;       /* NULL: any */
};
/* All that fit, on stdout. */
enum outcome device_list(const struct choice *);
/* The one that fits; its context is the caller's to end. */
enum outcome device_open(struct device *, const struct choice *);
void device_close(struct device *);

/* --- reference_device.c --- */
enum outcome device_select(struct device *, unsigned alt);
enum outcome device_to_idle(struct device *);
enum outcome device_set_address(struct device *, uint32_t address);
enum outcome device_erase(struct device *, uint32_t address);
enum outcome device_mass_erase(struct device *);
enum outcome device_write(struct device *, uint16_t block, const uint8_t *data, size_t length);
enum outcome device_read(struct device *, uint16_t block, uint8_t *data, size_t length);
enum outcome device_leave(struct device *);
enum outcome device_unprotect(struct device *);
/* A block that makes the device reset. */
enum outcome device_write_options(struct device *, const uint8_t *data, size_t length);

#endif
