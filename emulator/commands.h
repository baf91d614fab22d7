/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of the program that this build has, beside those of main.c. */
#ifndef DFUBENCH_COMMANDS_H
#define DFUBENCH_COMMANDS_H

struct program_command {
	const char *name, *summary;
	int (*main)(int argc, char **argv); /* argv[0] is the name; the exit status */
	void (*help)(void);
};

extern const struct program_command program_commands[]; /* name NULL at the end */
extern const char program_fronts[]; /* those that are ways in too: for --version, each after a blank */

#endif
