/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the rules: what each is given, and how it tells of a breach. */
#ifndef DFUBENCH_RULES_INTERNAL_H
#define DFUBENCH_RULES_INTERNAL_H

#include "rules.h"

/* Row of rules[]. */
enum rule_number {
	RULE_STATE_NOT_ASKED,
	RULE_CLRSTATUS_MISSING,
	RULE_CLRSTATUS_OUTSIDE_ERROR,
	RULE_CLRSTATUS_LOOP,
	RULE_POLLING_IN_ERROR,
	RULE_NO_ABORT_RECOVERY,
	RULE_ABORT_BEFORE_UPLOAD,
	RULE_ABORT_BEFORE_DOWNLOAD,
	RULE_GETSTATUS_AFTER_DNLOAD,
	RULE_BUSY_NOT_WAITED_FOR,
	RULE_POLL_TIMEOUT_IGNORED,
	RULE_EARLY_POLL,
	RULE_USB_TIMEOUT_TOO_SHORT,
	RULE_REQUEST_AFTER_STALL_IGNORED,
	RULE_ERROR_IGNORED,
	RULE_LEFT_BUSY,
	RULE_LEFT_UNFINISHED,
	RULE_WRONG_INTERFACE,
	RULE_WRONG_ALT,
	RULE_BLOCK_NUMBER,
	RULE_TRANSFER_SIZE,
	RULE_SHORT_MIDDLE_BLOCK,
	RULE_ODD_LENGTH,
	RULE_SET_ADDRESS_OUTSIDE_MAP,
	RULE_OPTION_BLOCK,
	RULE_LEAVE_WITHOUT_GETSTATUS,
	RULE_GETSTATUS_AFTER_MANIFEST,
	RULE_LEAVE_WITHOUT_SET_ADDRESS,
	RULE_ERASE_NOT_ASKED,
	RULE_ERASE_TWICE,
	RULE_WRITE_WITHOUT_ERASE,
	RULE_WRITE_BEYOND_FILE,
	RULE_SUCCESS_BUT_DIFFERS,
	RULE_FAILURE_BUT_RIGHT,
	RULE_CLAIMED_VERIFY_WITHOUT_UPLOAD,
	RULES
};

#define RULE_NOWHERE SIZE_MAX
#define SEGMENTS 16

/* What a device says of itself. */
struct rules_device {
	bool has_configuration;
	bool plain;              /* DFU as of 1.1, without ST's commands */
	bool tolerant;           /* bitManifestationTolerant: still there after dfuMANIFEST */
	uint8_t interface;       /* with DFU */
	uint16_t transfer_bytes; /* wTransferSize; 0: not known */
	struct {
		uint8_t alt;
		uint32_t base;
		uint64_t size_bytes;
	} segments[SEGMENTS];
	unsigned segment_count;
};

/* One call under judgement. */
struct judge {
	const struct transcript *t;
	const struct mcu_profile *profile; /* of the board that the call is about; NULL: not known */
	const struct rules_input *input;
	const struct rules_call *call; /* NULL: nothing is known of it */
	size_t call_index, first, end; /* requests first .. end - 1 */
	struct rules_device *devices;  /* by incarnation */
	size_t device_count;
	struct finding *all;
	size_t count, room;
	int error;
};

/* Told once a call; later breaches count. exchange may be RULE_NOWHERE. */
void rule_tell(struct judge *, enum rule_number, size_t exchange, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The next request of DFU to the same device within the call, past GETSTATE; RULE_NOWHERE: none. */
size_t rule_next(const struct judge *, size_t exchange);
/* Likewise before it, and not only within the call: the last DNLOAD that was acknowledged. */
size_t rule_operation_before(const struct judge *, size_t exchange);
bool rule_acknowledged(const struct exchange *);
bool rule_is_download(const struct exchange *); /* DNLOAD, but not that of LEAVE */
bool rule_is_upload(const struct exchange *);
/* The call was run to its end, or nothing says that it was not. */
bool rule_call_ended(const struct judge *);
bool rule_call_is(const struct judge *, enum operation); /* known, and that one */
/* Of the board that is spoken to; NULL: not known. */
const struct mcu_profile *rule_profile(const struct rules_input *, unsigned board);
const struct mcu_profile *rule_profile_of(const struct judge *, const struct exchange *);
/* Number of the flash sector that has the address, or -1. */
int rule_sector(const struct mcu_profile *, uint32_t address, uint32_t *start, uint32_t *size_bytes);
const struct mem_region *rule_region(const struct mcu_profile *, uint32_t address);
/* In a capture of which nothing is known: a request with which a tool begins its work. */
bool rule_begins_anew(const struct judge *, const struct exchange *);
/* "0.4 s" */
const char *rule_seconds(uint64_t us, char text[24]);

/* From descriptors in the transcript, else from the profile. 0 or -ENOMEM; to be freed with free(). */
int rules_devices(const struct rules_input *, struct rules_device **, size_t *count);
const struct rules_device *rule_device(const struct judge *, const struct exchange *);

/* rules_states.c */
void check_state_not_asked(struct judge *);
void check_clrstatus_missing(struct judge *);
void check_clrstatus_outside_error(struct judge *);
void check_clrstatus_loop(struct judge *);
void check_polling_in_error(struct judge *);
void check_no_abort_recovery(struct judge *);
void check_abort_before_upload(struct judge *);
void check_abort_before_download(struct judge *);
void check_request_after_stall_ignored(struct judge *);
void check_error_ignored(struct judge *);
void check_left_busy(struct judge *);
void check_left_unfinished(struct judge *);
/* rules_polling.c */
void check_getstatus_after_dnload(struct judge *);
void check_busy_not_waited_for(struct judge *);
void check_poll_timeout_ignored(struct judge *);
void check_early_poll(struct judge *);
void check_usb_timeout_too_short(struct judge *);
void check_leave_without_getstatus(struct judge *);
void check_getstatus_after_manifest(struct judge *);
/* rules_transfers.c */
void check_wrong_interface(struct judge *);
void check_wrong_alt(struct judge *);
void check_block_number(struct judge *);
void check_transfer_size(struct judge *);
void check_short_middle_block(struct judge *);
void check_odd_length(struct judge *);
void check_set_address_outside_map(struct judge *);
void check_option_block(struct judge *);
void check_leave_without_set_address(struct judge *);
/* rules_flash.c */
void check_erase_not_asked(struct judge *);
void check_erase_twice(struct judge *);
void check_write_without_erase(struct judge *);
void check_write_beyond_file(struct judge *);
void check_success_but_differs(struct judge *);
void check_failure_but_right(struct judge *);
void check_claimed_verify_without_upload(struct judge *);

#endif
