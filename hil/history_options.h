/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of `dfuhil history`. */
#ifndef DFUBENCH_HISTORY_OPTIONS_H
#define DFUBENCH_HISTORY_OPTIONS_H

#include <stdio.h>
#include "history_view.h"

enum history_what {
	SHOW_RUNS,
	SHOW_RUN,
	SHOW_TRENDS,
	SHOW_FLAKES,
	SHOW_FIRST_BAD,
	SHOW_ERASES,
	SHOW_WEAR,
};

/* All strings are argv's. */
struct history_options {
	enum history_what what;
	const char *run;  /* of SHOW_RUN: a number, or "last" */
	const char *file; /* NULL: the default */
	const char *html; /* NULL: none */
	const char *serial;
	struct history_filter filter;
	unsigned warn, stop; /* erases */
	bool json, forget, colour;
	int64_t forget_before;
};

/* 0; 1: help was asked for; -EINVAL with why[]. argv is reordered. */
int history_options_parse(struct history_options *, int argc, char **argv, int64_t now, char why[HISTORY_WHY]);
void history_options_help(FILE *);
const char *history_what_name(enum history_what); /* "first-bad" */

#endif
