/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scripted host: the requests that a host makes, in order, and how each is to be answered. One line has one request, or several
 * with `;` between them; `#` begins a comment. No I/O here: host.c sends them.
 *
 *	getstatus -> dfuERROR errFIRMWARE; clrstatus; getstatus -> dfuIDLE
 *	erase 0x08000000; settle
 *	each 2048 of image at 0x08000000: set-address @; settle; dnload 2 @; settle
 *	open-serial f055:9800 within 3s; send "print(6*7)\r"; expect "42" within 1s
 *
 * host_script_help is the whole grammar.
 */
#ifndef DFUBENCH_HOST_SCRIPT_H
#define DFUBENCH_HOST_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "problems.h"

enum host_verb {
	HOST_OPEN,
	HOST_OPEN_SERIAL,
	HOST_SEND,   /* to the serial port: data */
	HOST_EXPECT, /* from the serial port: regex */
	HOST_CLOSE,
	HOST_RESET,
	HOST_EXPECT_GONE,
	HOST_SLEEP,
	HOST_TIMEOUT,
	HOST_SET_INTERFACE,
	HOST_GETSTATUS,
	HOST_SETTLE, /* GETSTATUS until it no longer says dfuDNBUSY */
	HOST_GETSTATE,
	HOST_CLRSTATUS,
	HOST_ABORT,
	HOST_DETACH,
	HOST_DNLOAD, /* set-address, erase, mass-erase and unprotect too */
	HOST_UPLOAD,
	HOST_CONTROL,
};

/* How a request ends. */
enum host_end {
	HOST_OK,
	HOST_STALL,
	HOST_LATE, /* no answer within the timeout */
	HOST_GONE, /* the device left */
	HOST_BROKEN,
	HOST_ERROR, /* as a wish alone: any but HOST_OK */
	HOST_ANY,   /* likewise: whatever comes */
};
const char *host_end_name(enum host_end); /* "stall" */

/* Bytes of a script. */
struct host_data {
	enum { HOST_NO_DATA, HOST_BYTES, HOST_FILE, HOST_CHUNK } kind;
	uint8_t *bytes; /* HOST_BYTES */
	size_t length;  /* of bytes; of HOST_FILE only with has_length: else to its end */
	char *file;     /* HOST_FILE: a name */
	size_t offset;
	bool has_length;
	struct mark mark;
};

struct host_wish {
	bool given;
	enum host_end end;
	uint16_t states; /* bit n: bState n will do; 0: any */
	uint16_t statuses;
	bool has_poll, has_length;
	uint32_t poll_ms;
	size_t length;
	struct host_data data;
};

/* The chunks of a file, one after the other, for the steps of one line. */
struct host_each {
	struct host_data file;
	size_t size_bytes;
	uint32_t address; /* of the first chunk */
};

struct host_step {
	struct mark mark;
	char *text; /* as written */
	enum host_verb verb;
	const struct host_each *each; /* the same for all steps of a line; NULL: once */
	/* open */
	uint16_t vendor, product;
	char *serial;     /* NULL: any */
	uint64_t time_us; /* sleep, timeout; within of open, expect, expect-gone and settle */
	char *regex;      /* expect: POSIX extended */
	/* requests */
	bool wait;          /* getstatus: let bwPollTimeout pass */
	bool chunk_block;   /* block is 2 and the number of the chunk */
	bool chunk_length;  /* upload: as many bytes as the chunk has */
	bool chunk_address; /* the address in the command is the chunk's */
	uint8_t type, request;
	uint16_t value, index; /* value: block, alternate setting, wTimeout */
	uint16_t length;       /* to read */
	struct host_data data; /* to write */
	struct host_wish wish;
};

struct host_script {
	struct host_step *steps;
	size_t count;
	struct host_each **eachs;
	size_t each_count;
	bool opens; /* the first step is open or open-serial */
};

/* at: where the first character of text stands (of a block of YAML, its indentation is the column; what is not at the left edge is
 * shown with the lines of problems_lines()). All mistakes are told, and
 * then NULL is returned; so is NULL on ENOMEM. A script without any request is a mistake. */
struct host_script *host_script_parse(struct mark at, const char *text, size_t length, struct problems *);
void host_script_free(struct host_script *); /* NULL is fine */
/* The files that it names, index from 0; NULL: no more. A name may come more than once. */
const struct host_data *host_script_file(const struct host_script *, size_t index);

extern const char host_script_help[];

#endif
