/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options as a table, for `dfuhil run` and the commands that share its options. */
#ifndef DFUBENCH_OPTIONS_TABLE_H
#define DFUBENCH_OPTIONS_TABLE_H

#include "run_options.h"

#define OPTION_ROWS 64

struct option_row {
	const char *name;     /* NULL ends a table */
	char letter;          /* 0: none */
	const char *argument; /* NULL: takes none */
	const char *help;
	/* 0 or -EINVAL with why. The options are those given to option_table_parse(). */
	int (*set)(struct run_options *, const char *value, char why[RUN_OPTIONS_WHY]);
	bool shared; /* of nightly too */
};
extern const struct option_row run_option_rows[];

/* As run_options_parse(), with other rows, NULL ends, at most OPTION_ROWS. All of run_options is set, nothing behind it. */
int option_table_parse(struct run_options *, const struct option_row *const *rows, const char *command, int argc,
		       char **argv, char why[RUN_OPTIONS_WHY]);
void option_table_help(FILE *, const struct option_row *const *rows);

/* For set(). Returns -EINVAL. */
int option_refuse(char why[RUN_OPTIONS_WHY], const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A whole number in decimal within the limits. */
bool option_number(const char *text, uint64_t least, uint64_t most, uint64_t *out);
int option_add(struct run_words *, const char *option, const char *value, char why[RUN_OPTIONS_WHY]);
int option_path(const char **path, const char *option, const char *value, char why[RUN_OPTIONS_WHY]);

#endif
