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

struct yaml;

struct tool {
	char *path;
	const char *name;
	const char *command; /* the program: a name for PATH, or a path */
	enum tool_format format;
	struct object *top; /* of tool_fields */
	struct yaml *yaml;
	struct tool_state *state;
};

extern const struct field tool_fields[];

/* name: a path (it has a '/' or ends in .yaml) or the name of one in the folder of adapters. NULL: problems told. */
struct tool *tool_load(const char *name, const char *folder, struct problems *);
struct tool *tool_parse(const char *name, const char *text, size_t length, struct problems *);
/* Of a file that is open already, which is taken over; NULL is passed through. */
struct tool *tool_read(struct yaml *, struct problems *);
void tool_free(struct tool *);

/* A path of --tool-path NAME=PATH: name is the tool's own, for the program itself, or a ${name} in its command. The path is copied.
 * 0; -ENOENT: neither; -ENOMEM. */
int tool_set_path(struct tool *, const char *name, const char *path);
const char *tool_path(const struct tool *, const char *name); /* NULL: not set */
/* Name of a ${name} in the command without a path; NULL: all are there. Valid until the next call of this or tool_lacks(). */
const char *tool_missing_path(const struct tool *);

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

/* NULL: the tool has it. Else why not: "pydfu has no upload: it cannot read the flash". Valid until the next call. */
const char *tool_lacks(const struct tool *, const struct tool_call *);
/* Does it do so whether asked or not, as `always` of the adapter says? flag: "leave". NULL: no; else how that shows. */
const char *tool_always(const struct tool *, const char *flag);
/* The words to run, NULL ends, to be freed by tool_words_free(). NULL on ENOMEM. The first is never empty. override: path of the tool
 * itself, in the place of the last ${name} of its command if that has one, else of its first word; NULL: as the adapter and
 * tool_set_path() have it. */
char **tool_words(const struct tool *, const struct tool_call *, const char *override);
char **tool_command(const struct tool *,
		    const char *override); /* the command alone: what ${tool} of `run` stands for */
char **tool_version_words(const struct tool *, const char *override); /* to ask it for its version */
void tool_words_free(char **);
/* Does this exit status mean success to the tool? meaning: of that status in words, NULL if the adapter has none. */
bool tool_succeeded(const struct tool *, int status, const char **meaning);
/* Environment entries "NAME=value", NULL ends; the tool's. */
const char *const *tool_environment(const struct tool *);

#endif
