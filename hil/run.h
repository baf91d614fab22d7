/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dfuhil run: scenarios with tools, and reports of it. */
#ifndef DFUBENCH_RUN_H
#define DFUBENCH_RUN_H

int run_main(int argc, char **argv);

#endif
