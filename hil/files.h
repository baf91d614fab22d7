/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a scenario: what its `files` describe is made on demand, in a folder of the run's own. DfuSe files are written after
 * ST's UM0391, DFU suffixes after DFU 1.1 appendix B.
 */
#ifndef DFUBENCH_FILES_H
#define DFUBENCH_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "value.h"

#define FILES_WHY 512
#define FILES_BYTES (64u * 1024u * 1024u) /* a file that is larger is refused */

struct files;

struct file {
	const char *name; /* as the scenario calls it */
	const char *path; /* absolute if folder is; where it is, or is going to be */
	const uint8_t *data;
	size_t length;
	struct file *next; /* files.c's */
};

/* entries: `files` of a scenario, or NULL; it must outlive the files. folder: exists, and is this run's alone. NULL on ENOMEM. */
struct files *files_new(const struct value *entries, const char *folder);
void files_free(struct files *); /* what is in the folder stays; NULL is fine */

/* What a FIELD_FILE or FIELD_OUTPUT means: an entry of `files`, made now; a file that a tool was to write; or a path, relative to
 * beside (the file that names it; NULL: the working folder). NULL with why[]: "'part' wants ...". The files'. */
const struct file *files_get(struct files *, const char *name, const char *beside, char why[FILES_WHY]);
/* Where a tool is to write an output of that name; a file of that name is gone afterwards. NULL with why[]: the name cannot be one. */
const char *files_output(struct files *, const char *name, char why[FILES_WHY]);
/* Will files_get() give a DfuSe file, as far as can be told without making it? A broken one counts. */
bool files_will_be_dfuse(const struct value *entries, const char *name, const char *beside);
/* A raw file as DfuSe for one address, for tools that take nothing else. As files_get(). */
const struct file *files_wrapped(struct files *, const struct file *, uint32_t address, uint8_t alt,
				 char why[FILES_WHY]);
/* A file of these bytes, whose name is new among all others. As files_get(). */
const struct file *files_bytes(struct files *, const char *name, const uint8_t *data, size_t length,
			       char why[FILES_WHY]);

/* --- formats --- */

bool file_is_dfuse(const struct file *);
/* The length without a DFU suffix whose CRC is right. */
size_t file_payload(const struct file *);

/* Where the firmware of that name is: in the nearest folder `fixtures` above the file beside, or come with the program; to be freed.
 * NULL: there is none. */
char *files_firmware(const char *beside, const char *name);

struct dfuse_element {
	uint32_t address;
	uint8_t alt;
	const uint8_t *data; /* the file's */
	size_t length;
};
/* The index-th element of a DfuSe file; false: there is none, or the file is broken before it. */
bool file_element(const struct file *, size_t index, struct dfuse_element *);

/* CRC of DFU 1.1 appendix B: CRC-32 without the last inversion. crc: 0xffffffff, or of what came before. */
uint32_t dfu_crc(uint32_t crc, const uint8_t *data, size_t length);

/* A new file of these bytes, in the place of whatever has that name: tools run in the folder, and may leave a link or a FIFO there.
 * 0 or -errno. */
int files_write_new(const char *path, const void *data, size_t length);

#endif
