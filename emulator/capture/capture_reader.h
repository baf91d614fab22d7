/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures as people have them, record after record in constant memory: pcapng and pcap (both byte orders, micro- and
 * nanoseconds), with the packets of Linux's usbmon (link types 189 and 220: Documentation/usb/usbmon.rst) or of USBPcap on Windows
 * (249: USBPcap Capture format). What is damaged is passed over, counted, and told in words; the reading goes on behind it.
 */
#ifndef DFUBENCH_CAPTURE_READER_H
#define DFUBENCH_CAPTURE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "usbdev.h"
#include "usbmon.h"

enum capture_format { CAPTURE_UNKNOWN, CAPTURE_PCAPNG, CAPTURE_PCAP };

/* What a packet says of a transfer. */
enum capture_event {
	CAPTURE_SUBMITTED,
	CAPTURE_COMPLETED,
	CAPTURE_REFUSED, /* usbmon's 'E': the submission failed at once */
	/* USBPcap up to 1.2 gives the data stage of a control transfer a packet of its own, between the other two. */
	CAPTURE_DATA_STAGE,
};

struct capture_record {
	uint64_t packet; /* frame number, from 1, as Wireshark counts: packets that could not be used have theirs too */
	uint64_t offset; /* of its block in the file, bytes */
	uint64_t time_us; /* since 1970 as the capture has it; of a packet without a time stamp: the one before it */
	uint64_t id;      /* ties a completion to its submission; may be used again after that */
	enum capture_event event;
	enum usbmon_transfer transfer;
	uint8_t endpoint; /* with the direction in bit 7, for control transfers too */
	uint16_t bus;
	uint8_t device; /* address on it */
	bool has_setup; /* control submissions */
	struct usb_setup setup;
	enum usb_result result; /* of a completion: the status in the five words of usbdev.h; else USB_ACK */
	int64_t status;  /* as recorded: -errno of Linux, or USBD_STATUS of Windows (not negative); 0 in a submission */
	uint32_t length; /* of the data: asked for in a submission, moved in a completion */
	bool length_unknown; /* of a completion: length is 0 because it is not told (USBPcap, old or OUT) */
	const uint8_t *data; /* what is there of them; valid until the next call */
	size_t captured;     /* its length: less than what moved where the capture was cut */
	uint16_t link_type;
};

/* What is wrong with a capture: counts, all 0 in a sound one (but under_way, foreign), and offsets in the file. */
struct capture_damage {
	bool no_capture; /* neither format: nothing was read */
	bool empty;      /* not one byte */
	bool truncated;  /* the file ends within the packet or block that begins at truncated_at */
	uint64_t truncated_at;
	uint64_t breaks; /* places at which the file is broken; bytes passed over until it could be read again */
	uint64_t skipped_bytes;
	uint64_t break_at; /* the first of them, and why */
	const char *break_why;
	uint64_t dropped;    /* packets that the recorder says it lost */
	uint64_t cut;        /* packets of which the recorder kept less than there was (snaplen) */
	uint64_t cut_first;  /* frame number of the first */
	uint64_t disordered; /* packets with an earlier time than the one before */
	uint64_t disordered_first;
	uint64_t malformed; /* packets that are too short for what they announce */
	uint64_t malformed_first;
	uint64_t foreign;      /* packets of other link types: no USB of these kinds */
	uint16_t foreign_link; /* the first of them */
	int read_error;        /* errno of the read() that ended it, or 0 */
	/* What may have been a request is not there: lost by the recorder, in a broken place, malformed, or known by its answer alone. */
	uint64_t gap_before; /* frame number that the first such place is before; 0: there is none */
	bool gap_anywhere;   /* the recorder counts packets that it lost, and does not say where */
	/* filled in by who pairs (transcript_stream.h) */
	uint64_t no_submission; /* completions without a submission: of before the capture began, or lost */
	uint64_t
		no_completion; /* submissions of control transfers whose completion is missing: the device answered later ones */
	uint64_t under_way; /* those that the recording ended before: no damage */
};
/* Something is missing or in the wrong order. Other link types beside USB are no damage. */
bool capture_is_damaged(const struct capture_damage *);
#define CAPTURE_DAMAGE_TEXT 200
/* Sentence number `which`, from 0, of the statement: "17 packets were lost by the recorder". Empty when there is no more; returns out.
 * Without a newline. */
char *capture_damage_text(const struct capture_damage *, unsigned which, char out[CAPTURE_DAMAGE_TEXT]);

struct capture_reader;

/* From an open file, pipe or terminal, which is the caller's, from where it stands; never seeks. NULL: no memory. */
struct capture_reader *capture_reader_from_fd(int fd);
/* From memory, which must outlive the reader. NULL: no memory. */
struct capture_reader *capture_reader_from_memory(const uint8_t *data, size_t length);
void capture_reader_free(struct capture_reader *); /* NULL is fine */
/* 1 with the next record; 0 at the end; -ENOMEM. Packets that are no USB are counted as damage, never given out. */
int capture_reader_next(struct capture_reader *, struct capture_record *);

/* So far. */
const struct capture_damage *capture_reader_damage(const struct capture_reader *);
enum capture_format capture_reader_format(const struct capture_reader *);
uint64_t capture_reader_packets(const struct capture_reader *); /* frames, of any kind */
uint64_t capture_reader_offset(const struct capture_reader *);  /* bytes read and understood or passed over */
/* What the file says made it (shb_userappl), or "": a pcap does not say. Printable ASCII. */
const char *capture_reader_application(const struct capture_reader *);

#endif
