/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that a board keeps its contents in: locked while the board runs, read at the start, saved whole or not at all.
 * The file is saved by writing a new one beside it, which then takes its name; so it stays as it was when anything goes
 * wrong, keeps its mode (and its owner as far as permitted), and loses further hard links. A symbolic link stays one.
 * An owner that was killed may leave .NAME.lock, and in the worst case .NAME.PID-N.tmp: the next one takes them away.
 */
#ifndef DFUBENCH_SAVEFILE_H
#define DFUBENCH_SAVEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAVEFILE_WHY 640 /* room for a message with a path in it */

struct savefile;

/* Locks path, which need not exist. NULL with why[]: not a regular file, not readable, or another dfuemu has it (a file is
 * locked by flock(2), the place of a missing one by the file .NAME.lock, which goes with the board). */
struct savefile *savefile_open(const char *path, char why[SAVEFILE_WHY]);
void savefile_close(struct savefile *); /* unlocks; NULL is fine */

bool savefile_exists(const struct savefile *); /* it was there when opened, or has been saved since */
/* The whole file, to be freed by the caller; one more byte than length is allocated and 0. A missing file is empty.
 * A file of more than limit bytes is an error that names both sizes; what says what the limit is ("the flash"). */
int savefile_read(struct savefile *, size_t limit, const char *what, uint8_t **data, size_t *length,
		  char why[SAVEFILE_WHY]);
/* 0; or -errno with why[], and the file is as it was. A file that has appeared since savefile_open() is not touched. */
int savefile_save(struct savefile *, const uint8_t *data, size_t length, char why[SAVEFILE_WHY]);

#endif
