/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person may write in a YAML file, as data: a schema is a table of fields, and reading a mapping gives one value for each of
 * them. Scenarios, tool adapters and rigs are all read this way (yaml.h), and their manual pages are held against the tables.
 */
#ifndef DFUBENCH_VALUE_H
#define DFUBENCH_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "problems.h"

enum field_type {
	FIELD_END,      /* ends a table */
	FIELD_TEXT,     /* text */
	FIELD_BOOL,     /* flag: true, false, yes, no, on, off */
	FIELD_NUMBER,   /* number: decimal or 0x... */
	FIELD_ADDRESS,  /* number: 32 bits, decimal or 0x... */
	FIELD_SIZE,     /* number of bytes: 5000, 0x800, 16K, 1M */
	FIELD_DURATION, /* number of microseconds: 300ms, 1.5s, 2min (fault_time_parse) */
	FIELD_CHOICE,   /* number: index into choices */
	FIELD_REGEX,    /* text: POSIX extended, checked as the file is read */
	FIELD_USB_ID,   /* number: idVendor << 16 | idProduct, of "0483:df11" */
	FIELD_FILE, /* text: the name of an entry of the scenario's `files`, else a path relative to the file it stands in */
	FIELD_OUTPUT,  /* text: the name of a file that a tool is to write; a FIELD_FILE of later steps may name it */
	FIELD_BYTES,   /* bytes: "00 ff a5" or "00ffa5" */
	FIELD_FAULT,   /* text: a rule of dfuemu's faults, checked by fault_rule_parse() */
	FIELD_PATTERN, /* text: a pattern over requests, checked by pattern_parse() */
	FIELD_RULE,    /* text: the id of a rule (rules.h) */
	FIELD_PROFILE, /* text: a ROM profile */
	FIELD_OBJECT,  /* object: a mapping with fields of its own */
	FIELD_MAP, /* list of entries with any key, which is in `key`: an object with `fields`; the value that fields[0]
			 describes if its name is ""; text if there are no fields */
	FIELD_OFFSET, /* number: as int64_t, decimal or 0x..., may be negative */
	FIELD_WORDS,  /* list: of texts, and of lists of texts, which are values with a list of their own */
	FIELD_ANY,    /* node: anything; who reads the file looks at it (yaml.h) */
};

struct value;
struct yaml_node;

struct field {
	const char *name;
	enum field_type type;
	bool required;
	bool many;                  /* one, or a list of them: see list */
	bool filled;                /* many: an empty list would ask for nothing, and is a mistake */
	const char *const *choices; /* FIELD_CHOICE; NULL ends */
	const struct field *fields; /* FIELD_OBJECT, FIELD_MAP */
	const char *help;           /* for the manual page: one phrase */
	const char *scalar; /* FIELD_OBJECT: the field that a bare value stands for; NULL: it must be a mapping */
};

struct object {
	const struct field *fields;
	struct value *values; /* as many as there are fields, in their order */
	struct mark mark;
};

struct value {
	bool given;
	struct mark mark;
	char *key;  /* of an entry of a FIELD_MAP */
	char *text; /* as written, for every scalar, after named values were put in */
	uint64_t number;
	bool flag;
	uint8_t *bytes;
	size_t length; /* of bytes */
	struct object *object;
	struct value *list; /* many, FIELD_MAP, FIELD_WORDS: count values, of which each has its own members set */
	size_t count;
	struct yaml_node *node; /* FIELD_ANY; as long as the file */
};

/* The value of a field by name; the name must be in the table (asserted). */
const struct value *object_value(const struct object *, const char *field);
/* Shorthands: what is there, or the default. */
bool object_given(const struct object *, const char *field);
const char *object_text(const struct object *, const char *field, const char *otherwise);
uint64_t object_number(const struct object *, const char *field, uint64_t otherwise);
bool object_flag(const struct object *, const char *field, bool otherwise);
void object_free(struct object *); /* NULL is fine */

#endif
