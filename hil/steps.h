/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DFUBENCH_STEPS_H
#define DFUBENCH_STEPS_H

int steps_main(int argc, char **argv); /* dfuhil steps [--man] [VERB] */

#endif
