/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boards behind a control socket: their state, contents, events and capture. What rig_control.c is made of. */
#ifndef DFUBENCH_CONTROL_BOARDS_H
#define DFUBENCH_CONTROL_BOARDS_H

#include "board_signs.h"
#include "control_link.h"
#include "rig.h"
#include "rig_control.h"

#define CONTROL_BOARDS 16

struct control_rig {
	struct rig rig; /* first */
	struct rig_ops ops;
	struct server *server; /* NULL: the dfuemu is not ours */
	char *socket, *folder;
	struct control_link *link, *listener; /* commands; events */
	bool lost;                            /* the dfuemu has gone */
	bool knows_addresses;                 /* it tells the address that this host gave a board */
	uint64_t last_us;                     /* its time when last heard of */

	unsigned boards;                      /* of the scenario, from 1 */
	unsigned numbers[CONTROL_BOARDS + 1]; /* the dfuemu's, by ours */
	char serials[CONTROL_BOARDS + 1][32];
	const struct mcu_profile *profile;

	uint64_t heard; /* events that the dfuemu has had, up to the last one that we were told */
	struct rig_event *events;
	size_t event_count, event_room;
	enum reset_cause causes[CONTROL_BOARDS + 1];
	struct board_signs signs[CONTROL_BOARDS + 1];

	char *capture; /* file; NULL: there is none */
	char *part;    /* where this rig's part of it goes at the end; NULL: nowhere */
	uint64_t epoch_us;
	size_t header, from; /* bytes at its start that each part of it needs, and where ours begins */
	size_t read;         /* how long it was for the transcript */
	struct transcript transcript;
	bool has_transcript;
};
struct control_rig *control_of(struct rig *);

/* A board as `status` has it. */
struct control_board {
	struct rig_status status; /* serial is NULL */
	bool attached, plugged;
	unsigned address;
	uint16_t ids[3]; /* vendors that it has as device: of the bootloader, and of the applications */
};

/* Connected, with as many boards as setup wants. NULL with why. */
struct control_rig *control_rig_new(const struct rig_setup *, const char *socket, char why[RIG_WHY]);
void control_rig_free(struct control_rig *);
/* Boards as setup wants them; all: whatever they were before. 0 or -errno with why. */
int control_set_up(struct control_rig *, const struct rig_setup *, bool all, char why[RIG_WHY]);

uint64_t control_time(struct control_rig *);
/* For a board of ours. 0 or -errno; why it failed goes to stderr. */
int control_command(struct control_rig *, unsigned board, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int control_status(struct control_rig *, unsigned board, struct control_board *);
/* Take in events that have come, waiting so long for the first; 0, -EAGAIN or -errno. */
int control_listen(struct control_rig *, int wait_ms);

/* --- control_boards.c, for the files of this rig --- */
/* A command, and its answer, to be freed; result may be NULL. 0; -EBUSY, -ENOENT, -errno with why. */
int control_ask(struct control_rig *, json_t **result, char why[RIG_WHY], const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* For a board of ours, without an answer. */
int control_tell(struct control_rig *, unsigned board, char why[RIG_WHY], const char *format, ...)
	__attribute__((format(printf, 4, 5)));
const char *control_text(const json_t *, const char *key); /* "" if it is not there */
unsigned control_number(const json_t *, const char *key);
int control_load(struct control_rig *, unsigned board, uint32_t address, const uint8_t *data, size_t length,
		 char why[RIG_WHY]);
int control_set_options(struct control_rig *, unsigned board, const uint8_t *bytes, char why[RIG_WHY]);
extern const char *const control_duration_names[]; /* by enum flash_durations */

/* Of struct rig_ops: */
int control_flash_load(struct rig *, unsigned board, uint32_t address, const uint8_t *data, size_t length);
int control_flash_read(struct rig *, unsigned board, uint32_t address, uint8_t *data, size_t length);
int control_options_load(struct rig *, unsigned board, const uint8_t *bytes);
int control_options_read(struct rig *, unsigned board, uint8_t bytes[OPTION_MAX_BYTES]);
int control_board_status(struct rig *, unsigned board, struct rig_status *);
int control_fault_add(struct rig *, unsigned board, const char *rule, char why[RIG_WHY]);
int control_fault_clear(struct rig *, unsigned board);
int control_durations(struct rig *, enum flash_durations);
int control_software_entry(struct rig *, unsigned board);
const struct mcu_profile *control_profile(struct rig *, unsigned board);
const struct transcript *control_transcript(struct rig *);
/* What the capture has of this rig's time, as a file of its own. */
void control_keep_part(struct control_rig *, const char *path);
const struct rig_event *control_events(struct rig *, size_t *count);

#endif
