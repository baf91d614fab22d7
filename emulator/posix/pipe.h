/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pipes of our own, for what handlers of signals have to tell. */
#ifndef DFUBENCH_PIPE_H
#define DFUBENCH_PIPE_H

#include <stdbool.h>

/* Closed by exec. never_wait: neither end blocks. 0 or -errno. */
int pipe_open(int ends[2], bool never_wait);

#endif
