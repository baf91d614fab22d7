/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DFU 1.1 with ST's DfuSe commands, as the ROM does them (AN3156; f407.md ST, GS, EX, BLK, CMD, UP, ERR, LV rows). A pure state
 * machine: one class request in, one answer out, and jobs that it hands to its owner to execute.
 */
#ifndef DFUBENCH_DFUSE_H
#define DFUBENCH_DFUSE_H

#include <stdbool.h>
#include <stdint.h>
#include "profile.h"
#include "usbdev.h"

/* DFU 1.1 section 3 and 6.1.2 */
enum dfu_request { DFU_DETACH, DFU_DNLOAD, DFU_UPLOAD, DFU_GETSTATUS, DFU_CLRSTATUS, DFU_GETSTATE, DFU_ABORT };
enum dfu_state {
	DFU_IDLE = 2,
	DFU_DNLOAD_SYNC,
	DFU_DNBUSY,
	DFU_DNLOAD_IDLE,
	DFU_MANIFEST_SYNC,
	DFU_MANIFEST,
	DFU_MANIFEST_WAIT_RESET,
	DFU_UPLOAD_IDLE,
	DFU_ERROR
};
enum dfu_status {
	DFU_OK,
	DFU_ERR_TARGET,
	DFU_ERR_FILE,
	DFU_ERR_WRITE,
	DFU_ERR_ERASE,
	DFU_ERR_CHECK_ERASED,
	DFU_ERR_PROG,
	DFU_ERR_VERIFY,
	DFU_ERR_ADDRESS,
	DFU_ERR_NOTDONE,
	DFU_ERR_FIRMWARE,
	DFU_ERR_VENDOR,
	DFU_ERR_USBR,
	DFU_ERR_POR,
	DFU_ERR_UNKNOWN,
	DFU_ERR_STALLEDPKT
};
/* No status: in its place in a profile, the operation never ends and GETSTATUS says dfuDNBUSY for ever (U14). */
#define DFU_STAYS_BUSY 0xffu
#define DFUSE_GET 0x00u
#define DFUSE_SET_ADDRESS 0x21u
#define DFUSE_ERASE 0x41u
#define DFUSE_READ_UNPROTECT 0x92u
#define DFUSE_MAX_TRANSFER 4096u

enum dfuse_job_kind {
	JOB_SET_ADDRESS,
	JOB_ERASE,
	JOB_MASS_ERASE,
	JOB_READ_UNPROTECT,
	JOB_WRITE,
	JOB_LEAVE,       /* ends with dfuse_reset(), never with dfuse_finish() */
	JOB_BAD_COMMAND, /* finish with DFU_ERR_STALLEDPKT */
	JOB_NOTHING,     /* a download to the reserved block where it is accepted; finish with DFU_OK */
	JOB_DETACH,      /* leave the bus and come back, then finish; the machine is in dfuIDLE and stays there */
};

struct dfuse_job {
	enum dfuse_job_kind kind;
	uint32_t address;    /* absolute; for JOB_LEAVE the pointer */
	const uint8_t *data; /* JOB_WRITE; the machine's, valid until dfuse_finish() */
	size_t length;
};

/* The memory behind the machine. Every member is required. */
struct dfuse_ops {
	/* UPLOAD of memory. DFU_OK fills data; anything else is the refusal (U4). */
	enum dfu_status (*read)(void *context, uint32_t address, uint8_t *data, size_t length);
	/* Execute: called from dfuse_reply_delivered(), the checks of address and protection being the owner's. It calls
	 * dfuse_finish(), at once or later; or resets the machine (leave, option bytes, unprotect). */
	void (*execute)(void *context, const struct dfuse_job *);
	/* bState or bStatus has just changed. */
	void (*changed)(void *context, enum dfu_state, enum dfu_status);
	void *context;
};

struct dfuse {
	const struct mcu_profile *profile;
	struct dfuse_ops ops;
	enum dfu_state state;
	enum dfu_status status;
	uint32_t pointer;
	uint16_t block;    /* wBlockNum of the buffered download */
	size_t length;     /* of the buffered download */
	uint32_t poll_ms;  /* bwPollTimeout of the last dfuDNBUSY */
	bool executing;    /* between execute() and dfuse_finish(): the CPU is away (but see busy_rule) */
	bool reply_starts; /* the reply just given starts job once it is delivered */
	struct dfuse_job job;
	uint8_t buffer[DFUSE_MAX_TRANSFER];
};

/* State after a reset into the ROM: dfuERROR/errFIRMWARE, default pointer (f407.md ST-START). */
void dfuse_reset(struct dfuse *, const struct mcu_profile *, const struct dfuse_ops *);
/* One class request with its whole data stage. While executing it must not be called under BUSY_HOLDS (asserted). data has
 * setup->length bytes. USB_ACK with *actual, or USB_STALL. */
enum usb_result dfuse_request(struct dfuse *, const struct usb_setup *, uint8_t *data, size_t *actual);
/* The host has got the last reply whole: a GETSTATUS that announced dfuDNBUSY or dfuMANIFEST now executes. */
void dfuse_reply_delivered(struct dfuse *);
/* The job is over: DFU_OK -> dfuDNLOAD-IDLE, DFU_STAYS_BUSY -> dfuDNBUSY, else dfuERROR with that status. */
void dfuse_finish(struct dfuse *, unsigned status);

/* Names as DFU 1.1 spells them: "dfuERROR", "errFIRMWARE"; "?" for values outside. */
const char *dfu_state_name(unsigned state);
const char *dfu_status_name(unsigned status);
const char *dfu_request_name(unsigned request);

#endif
