/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every DFU device is (DFU 1.1 section 6): requests, states, status codes, the jobs that it hands to its owner, and
 * the state of one device. How it answers is its protocol's: dfuse.h for ST's ROMs, dfu11.h for DFU 1.1 to the letter.
 */
#ifndef DFUBENCH_DFU_MACHINE_H
#define DFUBENCH_DFU_MACHINE_H

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
#define DFU_MAX_TRANSFER 4096u

enum dfu_job_kind {
	JOB_SET_ADDRESS,
	JOB_ERASE,
	JOB_MASS_ERASE,
	JOB_READ_UNPROTECT,
	JOB_WRITE,
	JOB_STORE,       /* a write that erases each sector first as it comes to its start */
	JOB_MANIFEST,    /* no work but the time that it takes */
	JOB_LEAVE,       /* ends with a reset of the machine, never with finish() */
	JOB_BAD_COMMAND, /* finish with DFU_ERR_STALLEDPKT */
	JOB_NOTHING,     /* a download to the reserved block where it is accepted; finish with DFU_OK */
	JOB_DETACH,      /* leave the bus and come back, then finish; the machine is in dfuIDLE and stays there */
};

struct dfu_job {
	enum dfu_job_kind kind;
	uint32_t address;    /* absolute; for JOB_LEAVE the pointer */
	const uint8_t *data; /* JOB_WRITE, JOB_STORE; the machine's, valid until finish() */
	size_t length;
	uint64_t least_us; /* it ends no earlier, however short the work */
};

/* The memory behind the machine. Every member is required. */
struct dfu_ops {
	/* UPLOAD of memory. DFU_OK fills data; anything else is the refusal (U4). */
	enum dfu_status (*read)(void *context, uint32_t address, uint8_t *data, size_t length);
	/* Execute: called from dfu_reply_delivered(), the checks of address and protection being the owner's. It calls
	 * finish(), at once or later; or resets the machine (leave, option bytes, unprotect). */
	void (*execute)(void *context, const struct dfu_job *);
	/* bState or bStatus has just changed. */
	void (*changed)(void *context, enum dfu_state, enum dfu_status);
	void *context;
};

struct dfu_machine {
	const struct mcu_profile *profile;
	struct dfu_ops ops;
	enum dfu_state state;
	enum dfu_status status;
	uint32_t pointer;  /* DfuSe: the address pointer; DFU 1.1: where the next block goes or comes from */
	uint16_t block;    /* wBlockNum of the buffered download */
	size_t length;     /* of the buffered download */
	uint32_t poll_ms;  /* bwPollTimeout of the last dfuDNBUSY or dfuMANIFEST */
	bool executing;    /* between execute() and finish(): the CPU is away (but see busy_rule) */
	bool reply_starts; /* the reply just given starts job once it is delivered */
	bool spoken_to;    /* DFU 1.1: a request has come since the reset into the bootloader */
	struct dfu_job job;
	uint8_t buffer[DFU_MAX_TRANSFER];
};

/* How a machine answers. Every member is required. */
struct dfu_protocol {
	/* After a reset into the bootloader. ops may be the machine's own. */
	void (*reset)(struct dfu_machine *, const struct mcu_profile *, const struct dfu_ops *);
	/* One class request with its whole data stage. While executing it must not be called under BUSY_HOLDS (asserted).
	 * data has setup->length bytes. USB_ACK with *actual, or USB_STALL. */
	enum usb_result (*request)(struct dfu_machine *, const struct usb_setup *, uint8_t *data, size_t *actual);
	/* The job is over, with DFU_OK, an error, or DFU_STAYS_BUSY. */
	void (*finish)(struct dfu_machine *, unsigned status);
	/* The host has reset the port. */
	void (*bus_reset)(struct dfu_machine *);
};

/* The host has got the last reply whole: one that announced dfuDNBUSY or dfuMANIFEST now executes. */
void dfu_reply_delivered(struct dfu_machine *);

/* For protocols alone. Fresh state, nothing told: state and status are 0 until the first commit. */
void dfu_machine_init(struct dfu_machine *, const struct mcu_profile *, const struct dfu_ops *);
void dfu_commit(struct dfu_machine *, enum dfu_state, enum dfu_status); /* the only place where they change */
void dfu_drop_download(struct dfu_machine *);
enum usb_result dfu_answer_status(const struct dfu_machine *, uint32_t poll_ms, const struct usb_setup *, uint8_t *data,
				  size_t *actual);
enum usb_result dfu_answer_state(const struct dfu_machine *, const struct usb_setup *, uint8_t *data, size_t *actual);

/* Names as DFU 1.1 spells them: "dfuERROR", "errFIRMWARE"; "?" for values outside. */
const char *dfu_state_name(unsigned state);
const char *dfu_status_name(unsigned status);
const char *dfu_request_name(unsigned request);

#endif
