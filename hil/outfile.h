/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that a report is written to: it appears whole, or stays as it was. */
#ifndef DFUBENCH_OUTFILE_H
#define DFUBENCH_OUTFILE_H

#include <stddef.h>

#define OUTFILE_WHY 640

/* Could it be written now? Nothing is changed. 0, or -errno with why. path "-" is stdout. */
int outfile_check(const char *path, char why[OUTFILE_WHY]);
/* A regular file is replaced whole (savefile.h); a FIFO or device is written to. 0, or -errno with why. */
int outfile_write(const char *path, const char *data, size_t length, char why[OUTFILE_WHY]);

#endif
