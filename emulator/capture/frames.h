/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packets of a capture file of either format, whatever is in them; where the file is broken, the reading goes on behind it. */
#ifndef DFUBENCH_FRAMES_H
#define DFUBENCH_FRAMES_H

#include "capture_reader.h"
#include "pcap.h"
#include "pcapng.h"
#include "window.h"

#define FRAME_BYTES ((size_t)16 * 1024 * 1024) /* no block or packet is longer; what says so is broken */

struct frame {
	uint64_t offset; /* of its block in the file */
	uint16_t link_type;
	bool big_endian, has_time;
	uint64_t time_us;
	const uint8_t *data; /* valid until the next call */
	size_t captured, original;
};

struct frames {
	struct window window;
	enum capture_format format;
	struct pcapng_reader pcapng;
	struct pcap_file pcap;
	uint32_t last_seconds; /* of a pcap */
	size_t unread;         /* bytes of the frame that was given out */
	bool finished;
	struct capture_damage *damage;
	char application[128];
};

/* window is set up by the caller, and freed by frames_free(). */
void frames_init(struct frames *, struct capture_damage *);
void frames_free(struct frames *);
/* 1, 0 at the end, -ENOMEM. */
int frames_next(struct frames *, struct frame *);

#endif
