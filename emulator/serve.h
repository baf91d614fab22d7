/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command `serve`: boards for a host that is a kernel, this machine's or another. */
#ifndef DFUBENCH_SERVE_H
#define DFUBENCH_SERVE_H

#include <stdio.h>

/* argv[0] is the command's name. The exit status for the program. */
int serve_main(int argc, char **argv);
void serve_help(void);
/* The ways in that this program was built with, as the end of a line, and what the others would need: for --version. */
void serve_fronts(FILE *);

#endif
