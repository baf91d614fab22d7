/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dfuemu show: a capture as a person reads it. */
#ifndef DFUBENCH_SHOW_H
#define DFUBENCH_SHOW_H

int show_main(int argc, char **argv); /* 0; 1: the capture is damaged; EXIT_OURS: it cannot be read, or wrong usage */
void show_help(void);

#endif
