/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: captures of any form as records, as exchanges one by one and as a whole, and as a picture. */
#include <stdlib.h>
#include <string.h>
#include "capture_reader.h"
#include "picture.h"
#include "transcript_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum; /* so that every byte is looked at */

static void records(const uint8_t *data, size_t size)
{
	struct capture_reader *reader = capture_reader_from_memory(data, size);
	struct capture_record r;
	char text[CAPTURE_DAMAGE_TEXT];
	uint64_t last = 0;

	while (reader && capture_reader_next(reader, &r) > 0) {
		if (r.packet <= last || r.offset >= size || r.captured > size)
			abort();
		last = r.packet;
		for (size_t i = 0; i < r.captured; i++)
			sum += r.data[i];
	}
	if (reader && capture_reader_offset(reader) > size)
		abort();
	for (unsigned i = 0; reader && capture_damage_text(capture_reader_damage(reader), i, text)[0]; i++)
		sum += (unsigned)strlen(text);
	for (const char *c = reader ? capture_reader_application(reader) : ""; *c; c++)
		if (*c < ' ' || *c > '~')
			abort();
	capture_reader_free(reader);
}

/* A layout string of the fuzzer's, as a device would have it. */
static void learn(struct picture *p, const struct exchange *x)
{
	char text[100];
	size_t n = x->length < sizeof(text) - 1 ? x->length : sizeof(text) - 1;

	if (x->op != OP_NONE || !n || x->data[0] != '@')
		return;
	memcpy(text, x->data, n);
	text[n] = '\0';
	picture_layout(p, text);
}

static size_t exchanges(const uint8_t *data, size_t size)
{
	struct capture_reader *reader = capture_reader_from_memory(data, size);
	struct transcript_stream *stream = reader ? transcript_stream_new(reader, NULL) : NULL;
	struct transcript_device device;
	struct picture picture;
	struct exchange x;
	size_t count = 0;

	picture_init(&picture);
	while (stream && transcript_stream_next(stream, &x) > 0) {
		count++;
		for (size_t i = 0; i < x.length; i++)
			sum += x.data[i];
		learn(&picture, &x);
		picture_feed(&picture, &x);
		if (x.incarnation && transcript_stream_device(stream, x.incarnation, &device))
			sum += (unsigned)strlen(device.serial);
	}
	picture_free(&picture);
	transcript_stream_free(stream);
	capture_reader_free(reader);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transcript t;
	size_t count;

	records(data, size);
	count = exchanges(data, size);
	transcript_read(&t, data, size, NULL);
	if (t.count != count)
		abort();
	transcript_free(&t);
	return 0;
}
