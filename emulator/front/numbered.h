/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files and sockets where one option names those of many boards. */
#ifndef DFUBENCH_NUMBERED_H
#define DFUBENCH_NUMBERED_H

/* The file of one of many boards (from 1): '%d' in the name gives way to the number; without it the first board has the
 * name as it is and "flash.bin" becomes "flash-2.bin" for the second. Allocated; NULL on ENOMEM. */
char *numbered_path(const char *path, unsigned number);

#endif
