/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dfuhil host: see host_script.h for what it does. */
#ifndef DFUBENCH_HOST_H
#define DFUBENCH_HOST_H

int host_main(int argc, char **argv);

#endif
