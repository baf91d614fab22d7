/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the tool under test spells each operation: a tool adapter, read from YAML (dfu-tool(5)). */
#ifndef DFUBENCH_TOOL_H
#define DFUBENCH_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "value.h"

enum operation {
	OPERATION_LIST,
	OPERATION_DOWNLOAD,
	OPERATION_UPLOAD,
	OPERATION_ERASE,
	OPERATION_MASS_ERASE,
	OPERATION_LEAVE,
	OPERATION_UNPROTECT,
	OPERATION_SET_OPTION_BYTES,
};
#define OPERATIONS 8
const char *operation_name(enum operation); /* "mass-erase" */

enum tool_format { TOOL_TAKES_RAW, TOOL_TAKES_DFUSE, TOOL_TAKES_BOTH }; /* of files to download */

struct tool {
	char *path;
	const char *name;
	const char *command; /* the program: a name for PATH, or a path */
	enum tool_format format;
	struct object *top; /* of tool_fields */
	struct yaml *yaml;
};

extern const struct field tool_fields[];

/* name: a path (it has a '/' or ends in .yaml) or the name of one in the folder of adapters. NULL: problems told. */
struct tool *tool_load(const char *name, const char *folder, struct problems *);
struct tool *tool_parse(const char *name, const char *text, size_t length, struct problems *);
void tool_free(struct tool *);

/* What an operation is to work on. Members that are not given are NULL or false. */
struct tool_call {
	enum operation operation;
	const char *file, *output;
	bool has_address, has_length, has_alt;
	uint32_t address;
	uint64_t length;
	unsigned alt;
	const char *serial; /* of the board meant, when there are several */
	const char *usb;    /* "0483:df11" */
	const char *bytes;  /* option bytes as hexadecimal digits */
	bool leave, force, no_erase, mass_erase_first, verify;
};

/* NULL: the tool has it. Else why not: "pydfu cannot read the flash". */
const char *tool_lacks(const struct tool *, const struct tool_call *);
/* The words to run, NULL ends, to be freed by tool_words_free(). NULL on ENOMEM. override: of command, NULL: as the adapter has
 * it. */
char **tool_words(const struct tool *, const struct tool_call *, const char *override);
void tool_words_free(char **);
/* Does this exit status mean success to the tool? meaning: of that status in words, NULL if the adapter has none. */
bool tool_succeeded(const struct tool *, int status, const char **meaning);
/* Environment entries "NAME=value", NULL ends; the tool's. */
const char *const *tool_environment(const struct tool *);

#endif
