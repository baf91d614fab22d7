/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How files get their names: what systems differ in. For savefile.c. */
#ifndef DFUBENCH_NAMING_H
#define DFUBENCH_NAMING_H

/* A folder, for openat(2) and the like alone; at may be AT_FDCWD. Descriptor or -errno. */
int naming_folder(int at, const char *path);
/* A new file in the folder without a name, to be written: nothing is left of it should we be killed. Descriptor, or -errno:
 * the system or the file system has no such thing. */
int naming_unnamed(int folder);
/* Such a file gets its name. 0 or -errno. */
int naming_give(int fd, int folder, const char *name);
/* The name becomes another one that is not taken: -EEXIST if it is. 0 or -errno. */
int naming_move(int folder, const char *from, const char *to);

#endif
