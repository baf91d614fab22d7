/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dfuhil replay: the host's side of a recording against a rig, and what is not as it was recorded. */
#ifndef DFUBENCH_REPLAY_H
#define DFUBENCH_REPLAY_H

#include "recording.h"
#include "replay_wire.h"
#include "rig.h"

#define REPLAY_WHY 768
#define REPLAY_TEXT 128

struct replay_options {
	const char *path;
	const struct mcu_profile *profile;         /* NULL: as the recording has it */
	const char *rig, *flash, *state, *capture; /* NULL: not given */
	const char *junit, *json, *html;
	bool time_given;
	enum rig_time time;
	double scale;
	bool judge_time; /* by the tolerance: so much more or less, and so many per cent of what was recorded */
	uint64_t tolerance_us;
	double tolerance_percent;
	uint64_t seed;
	bool verbose;
};

enum difference_kind {
	DIFFERENCE_RESULT, /* STALL for an answer, and the like */
	DIFFERENCE_LENGTH,
	DIFFERENCE_STATUS, /* members of the answer to GETSTATUS */
	DIFFERENCE_POLL,
	DIFFERENCE_STATE,
	DIFFERENCE_STRING,
	DIFFERENCE_DATA,
	DIFFERENCE_TIME,
	DIFFERENCE_RETURN, /* a device does not leave, or does not come back */
	DIFFERENCE_UNSENT, /* this request and those that follow, while the device was gone */
};
const char *difference_name(enum difference_kind); /* "data" */

struct difference {
	size_t item;
	enum difference_kind kind;
	bool has_offset;
	size_t offset; /* of the first byte */
	size_t count;  /* bytes, or requests */
	bool after_gap;
	char expected[REPLAY_TEXT], got[REPLAY_TEXT];
};

struct replay {
	const struct replay_options *options;
	struct recording recording;
	struct replay_answer *answers; /* by item */
	bool *answered;
	struct difference *differences;
	size_t difference_count, difference_room;
	size_t requests, sent; /* items that are something to send; of them sent */
	size_t unknown;        /* of those that were sent, the answers that are not in the recording */
	/* Frame number from which on differences may follow from what the recording does not have: requests, or part of their data. 0: it has
	 * all; 1: it may be missing anywhere. */
	uint64_t gap;
	size_t deviant; /* item with the largest deviation of time; SIZE_MAX: none */
	uint64_t deviation_us;
	const char *rig_name;
	char time_name[24];
	size_t prepared[RECORDING_BOARDS + 1]; /* bytes of flash that were put there; SIZE_MAX: of a file */
	bool locked[RECORDING_BOARDS + 1];     /* readout protection was set */
	char note[REPLAY_WHY];                 /* why it ended early, or what could not be prepared; "" */
};

/* Fills in answers. 0; HIL_UNFIT with why; HIL_USAGE with why: a file of the options. */
int replay_run(struct replay *, const char *folder, char why[REPLAY_WHY]);
/* The recorder kept less than what was sent. */
bool replay_is_cut(const struct exchange *);
/* Fills in differences. False on ENOMEM. */
bool replay_compare(struct replay *);

void replay_print(const struct replay *, FILE *, bool colour);
char *replay_json(const struct replay *); /* to be freed; NULL on ENOMEM */
/* JUnit and HTML, where they are wanted. 0, or -errno with why. */
int replay_reports(const struct replay *, char why[REPLAY_WHY]);

int replay_main(int argc, char **argv);

#endif
