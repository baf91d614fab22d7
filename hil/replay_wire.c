// SPDX-License-Identifier: GPL-2.0-or-later
/* Orders and answers as lines of text. */
#include "replay_wire.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MOST 65535u

static void put_bytes(FILE *f, const uint8_t *data, size_t length)
{
	fputc(' ', f);
	if (!data || !length)
		fputc('-', f);
	for (size_t i = 0; data && i < length; i++)
		fprintf(f, "%02x", data[i]);
	fputc('\n', f);
}

/* The rest of the line. */
static int get_bytes(FILE *f, uint8_t **data, size_t length)
{
	int c = fgetc(f);

	*data = NULL;
	if (c == ' ' && (c = fgetc(f)) == '-')
		return fgetc(f) == '\n' ? 0 : -EINVAL;
	if (length > BYTES_MOST)
		return -EINVAL;
	*data = calloc(1, length + 1);
	if (!*data)
		return -ENOMEM;
	ungetc(c, f);
	for (size_t i = 0; i < length; i++) {
		unsigned byte;

		if (fscanf(f, "%2x", &byte) != 1) {
			free(*data);
			*data = NULL;
			return -EINVAL;
		}
		(*data)[i] = (uint8_t)byte;
	}
	return fgetc(f) == '\n' ? 0 : -EINVAL;
}

bool replay_order_write(FILE *f, const struct replay_order *o)
{
	size_t length = o->kind == RECORDED_ARRIVAL ? o->data ? strlen((char *)o->data) : 0 : o->length;

	fprintf(f, "%zu %d %u %d %d %" PRIu64 " %" PRIu64 " %u %u %u %u %u", o->number, (int)o->kind, o->board,
		o->polled, o->first, o->gap_us, o->timeout_us, o->type, o->request, o->value, o->index,
		o->kind == RECORDED_ARRIVAL ? (unsigned)length : o->length);
	put_bytes(f, o->data, length);
	return !ferror(f);
}

int replay_order_read(FILE *f, struct replay_order *o)
{
	int kind, polled, first, n;

	*o = (struct replay_order){ 0 };
	n = fscanf(f, "%zu %d %u %d %d %" SCNu64 " %" SCNu64 " %" SCNu8 " %" SCNu8 " %" SCNu16 " %" SCNu16 " %" SCNu16,
		   &o->number, &kind, &o->board, &polled, &first, &o->gap_us, &o->timeout_us, &o->type, &o->request,
		   &o->value, &o->index, &o->length);
	if (n == EOF)
		return 0;
	if (n != 12 || o->board < 1 || o->board > RECORDING_BOARDS)
		return -EINVAL;
	o->kind = (enum recorded_kind)kind;
	o->polled = polled;
	o->first = first;
	n = get_bytes(f, &o->data, o->length);
	return n ? n : 1;
}

bool replay_answer_write(FILE *f, const struct replay_answer *a, const uint8_t *data)
{
	fprintf(f, "%zu %d %" PRIu64 " %" PRIu64 " %zu", a->number, (int)a->end, a->start_us, a->end_us, a->actual);
	put_bytes(f, data, a->actual);
	return !fflush(f);
}

int replay_answer_read(FILE *f, struct replay_answer *a)
{
	int end, n;

	*a = (struct replay_answer){ 0 };
	n = fscanf(f, "%zu %d %" SCNu64 " %" SCNu64 " %zu", &a->number, &end, &a->start_us, &a->end_us, &a->actual);
	if (n == EOF)
		return 0;
	if (n != 5)
		return -EINVAL;
	a->end = (enum host_end)end;
	n = get_bytes(f, &a->data, a->actual);
	return n ? n : 1;
}
