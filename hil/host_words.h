/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scripted host as text: words, numbers and data of one request. What host_script.c, which knows the requests, is made of. */
#ifndef DFUBENCH_HOST_WORDS_H
#define DFUBENCH_HOST_WORDS_H

#include "host_script.h"

#define TRANSFER_MAX 65535u

struct word {
	const char *text; /* not terminated */
	size_t length;
	char copy[80]; /* terminated, cut */
};

struct parser {
	struct host_script *script;
	struct problems *problems;
	struct mark base;
	unsigned line;    /* from 0 */
	const char *text; /* of the line; end: of what counts on it */
	const char *at, *end;
	char *excerpt;
	struct host_each *each;
	bool failed; /* in this request */
	bool no_memory;
};

struct mark word_mark(const struct parser *, const char *at);
/* The first mistake of a request counts. */
void word_mistake(struct parser *, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void word_unknown(struct parser *, const struct word *, const char *what, const char *const *words);
char *word_copy(struct parser *, const char *text, size_t length); /* NULL: no memory, and p->failed */

bool word_is_blank(char);
bool word_peek(struct parser *, struct word *); /* the next word of the request, which stays; false at its end */
bool word_next(struct parser *, struct word *, const char *what); /* false: it is missing, and that is told */
bool word_is(const struct word *, const char *text);              /* in any case */
bool word_accept(struct parser *, const char *text);              /* taken if it is the next */
bool word_accept_chunk(struct parser *);                          /* "@", which needs chunks */
/* what: for the mistake that is told if there is no such thing; then 0. */
uint64_t word_number(struct parser *, const char *what, uint64_t most);
size_t word_size(struct parser *, const char *what);       /* sizes and offsets within a file */
uint64_t word_duration(struct parser *, const char *what); /* us */
bool word_data(struct parser *, struct host_data *);       /* true: there was data */
void word_file(struct parser *, struct host_data *);       /* a name, and which part of it */
/* "..." with \n \r \t \\ \" \xHH; *length bytes and a NUL, the caller's. NULL: the mistake has been told. */
char *word_quoted(struct parser *, const char *what, size_t *length);
/* The first c that is not within "..."; NULL: none. */
const char *word_outside_quotes(const char *text, const char *end, char c);
void word_needs_data(struct parser *, struct host_data *);

#endif
