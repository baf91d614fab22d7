/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of dfuhil: each is one file and one row of the table in main.c. */
#ifndef DFUBENCH_HIL_COMMANDS_H
#define DFUBENCH_HIL_COMMANDS_H

#define HIL_FAILED 1 /* a scenario failed, or none ran */
#define HIL_USAGE 2  /* usage, or a bad file */
#define HIL_UNFIT 3  /* the rig itself */

struct hil_command {
	const char *name;
	const char *summary;                /* NULL: not for people */
	int (*main)(int argc, char **argv); /* argv[0] is the command; an exit status */
};

int history_main(int argc, char **argv);
int lint_main(int argc, char **argv);
int rules_main(int argc, char **argv);

#endif
