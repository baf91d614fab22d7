/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dfuhil nightly: scenarios with tools on rigs, unattended, night by night. */
#ifndef DFUBENCH_NIGHTLY_H
#define DFUBENCH_NIGHTLY_H

int nightly_main(int argc, char **argv);

#endif
