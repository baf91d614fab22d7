/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command `ctl`: one command to the control socket of a running dfuemu. */
#ifndef DFUBENCH_CTL_H
#define DFUBENCH_CTL_H

/* argv[0] is the command's name. The exit status: 0 done, 1 the command failed, 2 it is none, 125 nobody to talk to. */
int ctl_main(int argc, char **argv);
void ctl_help(void);

#endif
