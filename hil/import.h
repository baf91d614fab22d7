/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dfuhil import: a scenario that does what a capture shows. Where the requests add up to an operation that a tool can be asked for, and
 * all went well, the scenario asks for it; else a scripted host sends the requests.
 */
#ifndef DFUBENCH_IMPORT_H
#define DFUBENCH_IMPORT_H

#include <stdio.h>
#include "recording.h"

#define IMPORT_RUNS 8u /* of bytes that adjoin; more are no download that anybody would write down */
#define IMPORT_NAME 96

/* Bytes at one address. */
struct import_run {
	uint32_t address;
	uint8_t *data;
	size_t length;
};
struct import_runs {
	struct import_run list[IMPORT_RUNS];
	unsigned count;
	bool overflow; /* there were more */
};
/* Bytes that follow on others join them. False on ENOMEM. */
bool import_runs_add(struct import_runs *, uint32_t address, const uint8_t *data, size_t length);
void import_runs_free(struct import_runs *);

/* A file that the scenario names. */
struct import_file {
	char name[IMPORT_NAME]; /* in `files` */
	uint8_t *data;
	size_t length;
};

struct import {
	const struct recording *recording;
	bool as_host;     /* requests throughout */
	const char *stem; /* of files beside the scenario, without folder */
	struct import_file *files;
	size_t file_count;
	FILE *steps; /* the text of the steps */
	bool failed; /* no memory */
};

/* The name of a file with these bytes: an earlier one if there is one that has them. NULL on ENOMEM. */
const char *import_data(struct import *, const char *prefix, const uint8_t *data, size_t length);

/* All steps, into im->steps; the files that they name are in im->files. False on ENOMEM. */
bool import_steps(struct import *);

/* The items of one session with one board. */
struct import_session {
	size_t first, end; /* items; those of other boards between them are not meant */
	unsigned board;
	struct import_runs written, read;
	unsigned erases, writes, reads, leaves, mass_erases, unprotects, others, requests;
	bool mass_erase_first; /* before anything is written */
	bool erased_late;      /* what was written may be erased again */
	uint32_t leave_address;
	const char *trouble; /* why it is no operation of a tool; NULL */
	size_t trouble_item;
};
/* 0 or -ENOMEM; free with import_session_free(). */
int import_session_read(const struct recording *, size_t first, unsigned board, struct import_session *);
void import_session_free(struct import_session *);
/* Steps that ask a tool. False: no operation is like this one; nothing was written. */
bool import_operation(struct import *, const struct import_session *);
/* What must be in the flash then. */
void import_verdicts(struct import *, const struct import_session *);
/* Steps with a scripted host. */
void import_script(struct import *, const struct import_session *);

int import_main(int argc, char **argv);

#endif
