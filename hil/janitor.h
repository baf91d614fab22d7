/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A temporary folder that goes with its owner, whichever way that one ends: a process of its own waits for it. */
#ifndef DFUBENCH_JANITOR_H
#define DFUBENCH_JANITOR_H

#include <sys/types.h>

#define JANITOR_WHY 512

struct janitor;

/* A new folder in TMPDIR or /tmp, for the caller and what it forks. The folder lives as long as one of those processes does
 * (an exec ends that). NULL with why. */
struct janitor *janitor_new(char why[JANITOR_WHY]);
const char *janitor_folder(const struct janitor *); /* absolute */
pid_t janitor_process(const struct janitor *);
/* A descriptor that forks must keep open to count as users of the folder. */
int janitor_lifeline(const struct janitor *);
/* Nothing is left of the folder afterwards, once the forks have ended: this waits for them. NULL is fine. */
void janitor_free(struct janitor *);

/* Takes a folder away with all that is in it, whatever its permissions. 0 or -errno of the first failure. */
int folder_remove(const char *path);

#endif
