/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Structured text for two kinds of readers: JSON in one line for programs, indented "key: value" lines for people. The
 * caller says the same things for both. Memory that runs out shows at the end, in writer_failed().
 */
#ifndef DFUBENCH_WRITER_H
#define DFUBENCH_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WRITER_DEPTH 8

struct writer {
	char *text; /* ends in NUL once something was written */
	size_t used, size;
	bool json, failed;
	unsigned depth;
	bool filled[WRITER_DEPTH]; /* something stands at this depth already */
	bool array[WRITER_DEPTH];
	bool dash; /* the next line for people begins an element */
};

/* The outermost object is open. */
void writer_init(struct writer *, bool json);
void writer_free(struct writer *);
bool writer_failed(const struct writer *);

/* key is NULL within an array. */
void writer_object(struct writer *, const char *key);
void writer_array(struct writer *, const char *key);
void writer_end(struct writer *); /* of the innermost object or array */
void writer_string(struct writer *, const char *key,
		   const char *value); /* any bytes: what is no UTF-8 becomes U+FFFD */
void writer_number(struct writer *, const char *key, uint64_t value);
void writer_hex(struct writer *, const char *key, uint32_t value); /* 0x%08x for people, a number in JSON */
void writer_bool(struct writer *, const char *key, bool value);    /* yes or no for people */
/* Whatever is still open is closed; the text for people then ends in a newline, unless it is empty. */
void writer_finish(struct writer *);

#endif
