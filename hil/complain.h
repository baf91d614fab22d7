/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command of dfuhil has to tell people, on stderr, behind all that it has written to stdout. */
#ifndef DFUBENCH_COMPLAIN_H
#define DFUBENCH_COMPLAIN_H

/* One line: "dfuhil: " is put before it. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
