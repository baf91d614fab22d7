/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the devices of a capture (playback.c) and what is told of their playing (playback_report.c). */
#ifndef DFUBENCH_PLAYBACK_INTERNAL_H
#define DFUBENCH_PLAYBACK_INTERNAL_H

#include "recorded.h"
#include "playback.h"
#include "transcript.h"

#define KEPT_EVENTS 1000 /* of a player, for JSON; more are only counted */
#define SERIAL_TEXT 128

struct kept {
	struct recorded_event event; /* data is a copy */
	const struct recorded_exchange *before[RECORDED_HISTORY];
};

struct player {
	struct playback *recording;
	struct recorded *device;
	struct recorded_life *lives;
	size_t life_count;
	unsigned number; /* from 1 */
	/* of its first life */
	uint8_t bus, address;
	uint16_t vendor, product;
	char serial[SERIAL_TEXT];
	uint64_t delay_us; /* from the beginning until it shows up first */
	unsigned board;    /* of the transcript, of any life; 0: unknown */
	size_t last;       /* number of the last exchange so far */
	uint8_t at;        /* address now */
	struct kept *kept; /* departures and liberties */
	size_t kept_count;
	uint64_t unkept;
};

struct playback {
	struct bench *bench;
	const char *name;
	const struct say *say;
	bool loose, finished;
	struct transcript transcript;
	struct recorded_exchange *exchanges; /* of all lives, one life after the other */
	struct player *players;
	unsigned player_count;
	uint64_t departures, liberties;
};

/* Listener of a player's device: says it, and keeps it. */
void playback_event(void *player, const struct recorded_event *);

#endif
