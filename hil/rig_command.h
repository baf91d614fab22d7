/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `dfuhil rig`: what can be done with a rig file beside running scenarios on it. */
#ifndef DFUBENCH_RIG_COMMAND_H
#define DFUBENCH_RIG_COMMAND_H

/* argv[0] is the name of the command; they return the exit status. */
int rig_main(int argc, char **argv);
int rig_check_main(int argc, char **argv);
int rig_bench_main(int argc, char **argv);

#endif
