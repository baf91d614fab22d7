/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command `exec`: a tool on a private bus. */
#ifndef DFUBENCH_EXEC_H
#define DFUBENCH_EXEC_H

#include "options.h"

#define EXIT_OURS 125 /* as env(1): the failure is not the tool's */

/* argv[0] is the command's name. The exit status for the program; does not return if the tool was killed by a signal. */
int exec_main(int argc, char **argv);
void exec_help(void);
/* The command `replay`: the same with a recording instead of the boards. */
int replay_main(int argc, char **argv);
void replay_help(void);

extern const struct options_for exec_options, replay_options;

#endif
