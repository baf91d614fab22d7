/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of one scenario with one tool on one rig. Made in the process that ran it, sent to the runner as JSON, and what all
 * reports are written from.
 */
#ifndef DFUBENCH_RESULT_H
#define DFUBENCH_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict {
	VERDICT_PASSED,
	VERDICT_FAILED,
	VERDICT_SKIPPED,          /* message: what is missing */
	VERDICT_EXPECTED_FAILURE, /* failed, as the scenario says this tool does */
	VERDICT_UNEXPECTED_PASS,  /* counts as failure: the scenario is out of date */
	VERDICT_ERROR,            /* the rig or the runner itself failed */
};
const char *verdict_name(enum verdict); /* "expected-failure" */
bool verdict_is_bad(enum verdict);      /* makes the run fail */

struct result_step {
	char *text; /* as a person would say it: "download image to 0x08000000" */
	char *file;
	unsigned line, column;
	enum verdict verdict;                  /* SKIPPED: not reached */
	char *message;                         /* NULL when it passed */
	char *expected, *got;                  /* NULL: none */
	char *application;                     /* where it failed: faults of what runs on the boards; NULL: none */
	uint64_t start_us, end_us;             /* on the board's clock */
	char *command;                         /* of a tool, quoted for a shell; NULL */
	int exit_status;                       /* -1: none; 128 + signal */
	char *output, *error;                  /* of a tool, at most 64 KiB each; NULL */
	char *warnings;                        /* of the rig, about the tool's run: lines; NULL */
	size_t first_exchange, exchange_count; /* what was said on the bus meanwhile */
};
struct result_finding {
	char *rule, *severity, *summary, *explanation, *citation, *text;
	long exchange; /* -1: none */
	unsigned step; /* index */
	unsigned times;
};
/* One line of the time line. */
struct result_exchange {
	uint64_t start_us, end_us;
	unsigned board;
	char *text;    /* exchange_text() without its number */
	char *op;      /* dfuse_op_name(), or "" */
	char *state;   /* after it, "" unknown */
	char *outcome; /* ACK, STALL ... */
};
struct result_sector {
	uint32_t address, size;
	unsigned erased;          /* times */
	uint32_t written;         /* bytes */
	bool is_protected, blank; /* at the end */
	bool touched;             /* contents differ from the start */
};
/* What a board did, and what its profile says of it. */
struct result_measurement {
	char *unknown, *field; /* "U21", "wrong_state" */
	char *got;             /* as it was read: "dfuERROR" */
	char *value;           /* that as a value of the field; NULL: none is known for it */
	char *modelled;        /* what the profile has */
	bool same;
};
struct result {
	char *id, *name, *why, *file; /* of the scenario */
	char *tool, *tool_version, *rig, *profile, *time;
	unsigned repeat; /* from 1 */
	uint64_t seed;
	enum verdict verdict;
	char *message; /* reason of the verdict: first failure, skip reason, expected failure's why; NULL when passed */
	unsigned line; /* of the failure; 0 */
	uint64_t board_us, wall_us;
	char *capture; /* path; NULL */
	struct result_step *steps;
	size_t step_count;
	struct result_finding *findings;
	size_t finding_count;
	struct result_exchange *exchanges;
	size_t exchange_count;
	struct result_measurement *measurements;
	size_t measurement_count;
	struct result_sector *sectors; /* of board 1 */
	size_t sector_count;
};

struct result *result_new(void); /* all empty; NULL on ENOMEM */
void result_free(struct result *);
json_t *result_to_json(const struct result *);   /* new reference; NULL on ENOMEM */
struct result *result_from_json(const json_t *); /* NULL: not one */

#endif
