/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of `dfuhil nightly`: what it shares with run, and its own. */
#ifndef DFUBENCH_NIGHTLY_OPTIONS_H
#define DFUBENCH_NIGHTLY_OPTIONS_H

#include "run_options.h"

enum differential { DIFFERENTIAL_FAILURES, DIFFERENTIAL_ALL, DIFFERENTIAL_NEVER };

/* All strings are argv's. */
struct nightly_options {
	struct run_options run; /* first: the shared rows set it. rig is not used */
	struct run_words rigs;  /* at least one */
	const char *folder;     /* NULL: the usual one */
	const char *history;    /* NULL: the usual one */
	const char *hook;       /* NULL: none */
	uint64_t hook_limit_ms;
	unsigned retries;
	enum differential differential;
	bool fail_flaky;
	uint64_t limit_ms;   /* of the whole night; 0: none */
	const char *until;   /* "06:30", checked; NULL */
	int64_t keep_s;      /* folders of nights that are older go; 0: none does */
	uint64_t keep_bytes; /* of all nights together; 0: no limit */
};

int nightly_options_parse(struct nightly_options *, int argc, char **argv, char why[RUN_OPTIONS_WHY]);
void nightly_options_help(FILE *);

/* From then (seconds since 1970) to the next time that a clock in this time zone shows that, in ms. */
uint64_t nightly_until_ms(const char *until, int64_t now);

#endif
