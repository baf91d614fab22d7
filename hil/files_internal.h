/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that make files share. Not for their users: see files.h. */
#ifndef DFUBENCH_FILES_INTERNAL_H
#define DFUBENCH_FILES_INTERNAL_H

#include "files.h"

/* Bytes that grow. */
struct bytes {
	uint8_t *data;
	size_t length, room;
	bool failed; /* out of memory, or beyond FILES_BYTES */
};

void bytes_put(struct bytes *, const void *data, size_t length);
/* -EINVAL. */
int files_refuse(char why[FILES_WHY], const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The contents that an entry describes, all but `path`. 0, or -EINVAL with why[]; b->failed counts too. */
int files_make(struct files *, const struct value *entry, struct bytes *, char why[FILES_WHY]);
/* A DfuSe file of one element; its bytes, or failed. */
void files_make_wrapped(struct bytes *, const struct file *, uint32_t address, uint8_t alt);

#endif
