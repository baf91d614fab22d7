/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture being written: the transfers of one or several boards, as pcapng that Wireshark opens, labelled as made by the
 * emulator. A failed write ends the capture, is told once and hurts nothing else.
 */
#ifndef DFUBENCH_CAPTURE_H
#define DFUBENCH_CAPTURE_H

#include <stdint.h>
#include "usbmon.h"

/* Where the bytes go. Each call is one or more whole blocks; 0 or -errno, and then nothing of this call must remain. */
struct capture_sink {
	int (*write)(void *context, const void *bytes, size_t length);
	void *context;
};

struct capture;

/* epoch_us: what time 0 of the bench was, in microseconds since 1970. failed (may be NULL) is told of the write that ended the
 * capture, with -errno; if the very first one fails, before this returns. NULL on ENOMEM. */
struct capture *capture_new(const struct capture_sink *, uint64_t epoch_us, void (*failed)(void *context, int error),
			    void *context);
void capture_free(struct capture *); /* the sink is the caller's; NULL is fine */

uint64_t capture_next_id(struct capture *); /* a fresh usbmon_header.id */
/* One packet at bench time now_us. seconds, microseconds and captured of the header are filled in here: of length bytes of
 * data at most CAPTURE_DATA_BYTES are kept. */
void capture_packet(struct capture *, uint64_t now_us, const struct usbmon_header *, const uint8_t *data,
		    size_t length);
#define CAPTURE_DATA_BYTES \
	(256u * 1024u - USBMON_HEADER_BYTES) /* Wireshark's limit of a packet, 256 KiB, less the header */

/* A sink that is a file. It is written straight to its final name, each packet at once: pcapng only grows, so the capture of a
 * killed process is there and readable up to its last packet. An existing file is emptied, unless somebody has
 * it locked (-EBUSY). A block that did not fit on the disk is cut off again. */
struct capture_file;
int capture_file_open(const char *path, struct capture_file **); /* 0 or -errno */
struct capture_sink capture_file_sink(struct capture_file *);
int capture_file_close(struct capture_file *); /* 0 or -errno of close(); NULL is fine */

#endif
