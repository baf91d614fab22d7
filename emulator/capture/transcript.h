/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was said on the bus: the control transfers of a capture, one after the other, read as DFU 1.1 and DfuSe, with the DFU state
 * that each left behind as far as a host can know it. No I/O.
 */
#ifndef DFUBENCH_TRANSCRIPT_H
#define DFUBENCH_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dfuse.h"
#include "profile.h"
#include "usbdev.h"

#define DFU_STATE_UNKNOWN 0xffu

/* What a request asks of the device. */
enum dfuse_op {
	OP_NONE,   /* no DFU request */
	OP_DETACH, /* requests of DFU 1.1 that move no firmware */
	OP_GETSTATUS,
	OP_CLRSTATUS,
	OP_GETSTATE,
	OP_ABORT,
	OP_GET,         /* UPLOAD of block 0 */
	OP_READ,        /* UPLOAD of blocks from 2; block 1, which is reserved, has no target */
	OP_SET_ADDRESS, /* DNLOAD of block 0 */
	OP_ERASE,
	OP_MASS_ERASE,
	OP_UNPROTECT,
	OP_UNKNOWN_COMMAND, /* DNLOAD of block 0 with anything else */
	OP_WRITE,           /* DNLOAD of blocks from 2; and see OP_READ */
	OP_LEAVE,           /* DNLOAD of length 0 */
};
#define DFUSE_OPS (OP_LEAVE + 1)
const char *dfuse_op_name(enum dfuse_op); /* "SET_ADDRESS" */

/* One control transfer, in the order of submission. */
struct exchange {
	size_t number;             /* index in the transcript */
	size_t packet;             /* frame number of the submission in the capture, from 1 */
	size_t packet_end;         /* of the completion; 0: never completed */
	uint64_t start_us, end_us; /* on the clock of the capture; end_us 0: never completed */
	bool complete;
	uint8_t bus, device; /* address; see also incarnation */
	uint8_t endpoint;
	unsigned incarnation;   /* counts, from 1, what came up at any address; a bus reset alone makes no new one */
	unsigned board;         /* from 1, by the order in which devices in DFU mode came up; 0: not known or none */
	struct usb_setup setup; /* control */
	const uint8_t *data;    /* what moved; the transcript's */
	size_t length;          /* bytes of data that are there */
	size_t actual;          /* bytes moved */
	enum usb_result result; /* USB_SILENT if never completed */
	int64_t raw_status;     /* of the completion, as recorded: see capture_reader.h */
	/* as DFU; op is OP_NONE for everything else */
	enum dfuse_op op;
	bool has_target;
	uint32_t target;             /* address that it works on; of OP_LEAVE: where it jumps */
	uint8_t before, after;       /* enum dfu_state, or DFU_STATE_UNKNOWN; unknown wherever op is OP_NONE */
	uint8_t status, reply_state; /* of a GETSTATUS reply; reply_state of GETSTATE too */
	uint32_t poll_ms;
	bool has_reply;
};

struct transcript {
	struct exchange *exchanges;
	size_t count;
	uint64_t origin_us; /* time of the capture at bench time 0: start_us and end_us are relative to it */
	size_t packets;     /* in the capture */
	size_t others;      /* transfers of other kinds than control */
	size_t lost;        /* packets that could not be used */
	const char *damage; /* what is wrong with the capture in words, all of it, or NULL; the transcript's */
	/* Frame number from which on requests may be missing: what was answered from there on may follow from ones that are not known. 0:
	 * none is missing; 1: somewhere, the recorder does not say where. */
	uint64_t gap;
	uint16_t transfer_size_bytes; /* that block numbers were multiplied with, of the last board */
	/* the rest is transcript.c's */
	void *memory;
	char *words;
};

/* Facts of the device that the reading depends on. What is not set is what nobody needs to know: the state is then unknown
 * until a GETSTATUS tells it. */
struct transcript_facts {
	uint16_t transfer_size_bytes; /* 0: from the functional descriptor in the capture, else 2048 */
	uint32_t default_pointer;
	bool erase_sets_pointer; /* profile.h has the same, of the same names */
	bool errors_set_pointer;
	bool clrstatus_to_error; /* what CLRSTATUS outside dfuERROR leads to */
	bool stall_keeps_state;
	bool abort_keeps_error;
	/* Serial numbers of the boards in their order, NULL ends: numbers boards whose serial number is in the capture. NULL:
	 * by the order in which they come up. */
	const char *const *serials;
	bool has_origin; /* origin_us below is set; else it is the time of the first packet */
	uint64_t origin_us;
};
/* NULL: of the ROM of an F407, as far as all ROMs of ST have it in common. */
struct transcript_facts transcript_facts_of(const struct mcu_profile *);

/* From a capture in memory, which is not needed afterwards, in any form that capture_reader.h knows. facts NULL:
 * transcript_facts_of(NULL). 0, also if the capture is damaged, which damage then tells; -ENOMEM; -EINVAL: nothing in it could be
 * used, damage says why. What could be read is there. transcript_stream.h reads captures of any size. */
int transcript_read(struct transcript *, const uint8_t *data, size_t length, const struct transcript_facts *);

struct capture_reader;

struct transcript_source {
	struct capture_reader *reader; /* the caller's, at its beginning: nothing but what moved is held in memory */
	const struct transcript_facts *facts; /* NULL: transcript_facts_of(NULL) */
	/* NULL, or what tells the facts when all transfers are known, in order and with their data, and not yet read as DFU. serials
	 * and origin are those of facts. */
	struct transcript_facts (*choose)(void *context, const struct transcript *);
	void *context;
	size_t most_bytes; /* of memory for exchanges and their data; 0: any */
};
/* As transcript_read(), and -EFBIG: it would take more than most_bytes. */
int transcript_read_from(struct transcript *, const struct transcript_source *);
void transcript_free(struct transcript *); /* members, not the struct */

/* One line for people: "#12 DFU_DNLOAD block 2, 2048 bytes: Write 0x08000000 -> ACK". Always NUL-terminated. */
char *exchange_text(const struct exchange *, char *out, size_t size);

#endif
