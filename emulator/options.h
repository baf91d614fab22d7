/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BOARD OPTIONS of the command line: what is on the desk, and how it is told about. */
#ifndef DFUBENCH_OPTIONS_H
#define DFUBENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "private_bus.h"
#include "fault_rule.h"
#include "flash.h"
#include "gear_rule.h"
#include "front.h"
#include "mcu.h"

#define OPTIONS_WHY 768
#define OPTIONS_DEVICES 1024 /* on one desk; a front may have room for fewer */

/* Commands that take options, as a set. */
enum options_where {
	FOR_EXEC = 1,
	FOR_USBIP = 2,
	FOR_VHCI = 4,
	FOR_GADGET = 8,
	FOR_RAW_GADGET = 16,
	FOR_REDIR = 32,
	FOR_REPLAY = 64,
	FOR_SERVE = FOR_USBIP | FOR_VHCI | FOR_GADGET | FOR_RAW_GADGET | FOR_REDIR,
	FOR_TOOL = FOR_EXEC | FOR_REPLAY, /* on the private bus */
	FOR_BOARDS = FOR_EXEC | FOR_SERVE,
	FOR_RECORDING = FOR_REPLAY | FOR_SERVE,
	FOR_ALL = FOR_BOARDS | FOR_REPLAY,
};

/* Whose options they are. */
struct options_for {
	enum options_where where; /* one of them */
	const char *name;         /* "exec", "serve usbip" */
	unsigned room;            /* for devices */
};

/* A value of --serial or of --uid, as given; the form has been checked. */
struct identity_option {
	const char *serial; /* NULL: uid holds it */
	struct mcu_identity uid;
};

struct also_option {
	char *path;
	bool denied;
};

/* --app: what runs when the ROM does not. */
enum app_option { APP_STM32_VCP, APP_PYBOARD, APP_NONE, APP_FIRMWARE, APP_QEMU };

#define OPTIONS_FAULTS 64
#define OPTIONS_GEAR 16

struct fault_option {
	unsigned board; /* 0: every board */
	struct fault_rule rule;
};

struct options {
	const struct mcu_profile *profile;
	bool profile_given; /* else a state file may name another */
	unsigned boards;
	struct identity_option identities[OPTIONS_DEVICES];
	unsigned identity_count;             /* of the first boards; the others' are made up */
	const char *flash, *state, *capture; /* NULL: none */
	const char *control;                 /* likewise */
	const char *replay;                  /* a capture that plays the devices instead of boards; likewise */
	bool loose;
	const char *json;      /* where to tell how that went; likewise */
	const char *of_boards; /* name of an option that is given and about boards; likewise */
	struct fault_option faults[OPTIONS_FAULTS];
	unsigned fault_count;
	bool boot0, boot1;
	bool boot0_given;
	struct gear_rule gear[OPTIONS_GEAR]; /* --bench */
	unsigned gear_count;
	enum private_bus_time time;
	double scale; /* bench time per wall time, in TIME_SCALED */
	struct also_option also[OPTIONS_DEVICES];
	unsigned also_count;
	bool no_tty; /* --tty off */
	enum app_option app;
	uint64_t seed;
	enum flash_durations erase_times;
	const struct options_for *of;
	struct front_options front;
	int level;   /* of struct say */
	char **rest; /* the words after the options */
};

/* argv[0] is the command. The options_for and strings of argv are borrowed. 0; 1: help was asked for; -EINVAL with why[]: what
 * is wrong and what is accepted. Free in each case. */
int options_parse(struct options *, const struct options_for *, int argc, char **argv, char why[OPTIONS_WHY]);
/* The same for a command whose first word is not of the tool: options before it and behind it are its. *word is NULL if
 * there is none. */
int options_parse_word(struct options *, const struct options_for *, int argc, char **argv, const char **word,
		       char why[OPTIONS_WHY]);
void options_free(struct options *);
void options_help(FILE *, enum options_where); /* one entry for each option of any of these */

extern const char *const options_apps[]; /* words of --app, by enum app_option; NULL ends */
/* "x20" or "real" as a factor; 0 if it is neither. */
double options_time_scale(const char *text);

#endif
