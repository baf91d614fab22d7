/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between what goes through a capture (show.c), the time line (show_line.c), and the sums at its end (show_summary.c). */
#ifndef DFUBENCH_SHOW_INTERNAL_H
#define DFUBENCH_SHOW_INTERNAL_H

#include "picture.h"
#include "transcript_stream.h"
#include "writer.h"

#define SHOW_BOARDS 64   /* that have a picture; of others only the lines */
#define SHOW_DEVICES 256 /* that are listed at the end: the last ones */

/* A command whose GETSTATUS are told in its own line. */
struct show_open {
	bool open;
	struct exchange x; /* data is gone */
	uint32_t sum;      /* CRC-32 of it */
	uint32_t told_ms;  /* the longest bwPollTimeout while busy */
	bool was_busy;
	uint64_t busy_since_us, end_us;
	bool asked;
	uint8_t state, status;  /* of the last GETSTATUS */
	enum usb_result result; /* of it */
	bool complete;
};

#define UNNUMBERED 0x80000000u
struct show_board {
	unsigned number; /* 0: this place is free; UNNUMBERED and incarnation: not known as a board yet */
	unsigned incarnation;
	struct picture picture;
	struct show_open last;
};

struct show_device {
	unsigned incarnation;
	struct transcript_device facts;
	char serial[64];
	uint64_t exchanges;
};

struct show {
	const char *path;
	const struct mcu_profile *profile;
	bool json, colour, summary;
	uint32_t ops;               /* which enum dfuse_op are shown, a bit each */
	bool some_ops;              /* --request: GETSTATUS are not folded into the line of their command then */
	const char *device;         /* --device: address or serial number; NULL: all */
	int want_bus, want_address; /* of it; -1: any, or none */
	struct writer writer;
	struct show_board boards[SHOW_BOARDS];
	struct show_device devices[SHOW_DEVICES];
	unsigned device_count;
	uint64_t exchanges, wanted, requests; /* all; those of --device; of DFU among them */
	uint64_t last_us;
	bool headed; /* the head of the table was printed */
	bool no_memory;
	int write_error; /* errno of standard output */
};

/* The place of a board's, or NULL: too many. */
struct show_board *show_board(struct show *, unsigned number);

/* A request that passed the filters. */
void show_line(struct show *, struct show_board *, const struct exchange *);
/* The command that still waits for its end, if there is one. */
void show_close(struct show *, struct show_board *);
/* A device in DFU mode that was not met before. */
void show_arrival(struct show *, const struct exchange *, const struct transcript_device *);
void show_exchange_json(struct show *, const struct show_board *, const struct exchange *);

/* Sums, pictures, devices. */
void show_summary(struct show *, const struct transcript_stream *, const struct capture_reader *,
		  const struct capture_damage *);

const char *show_paint(const struct show *, const char *colour); /* the sequence, or "" */
#define SHOW_PLAIN "\033[0m"
#define SHOW_BOLD "\033[1m"
#define SHOW_DIM "\033[2m"
#define SHOW_RED "\033[31m"
#define SHOW_GREEN "\033[32m"
#define SHOW_YELLOW "\033[33m"
#define SHOW_CYAN "\033[36m"

#endif
