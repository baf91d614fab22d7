/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DFUBENCH_CHECK_H
#define DFUBENCH_CHECK_H

int check_main(int argc, char **argv); /* dfuhil check FILE... */

#endif
