/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A capture being written: packets to pcapng blocks to a sink. */
#include <errno.h>
#include <stdlib.h>
#include "capture.h"
#include "pcapng.h"

struct capture {
	struct capture_sink sink;
	uint64_t epoch_us, last_id;
	void (*failed)(void *context, int error);
	void *context;
	bool ended;
	uint8_t *block; /* grows to the largest packet so far */
	size_t room;
};

static void end(struct capture *c, int error)
{
	c->ended = true;
	if (c->failed)
		c->failed(c->context, error);
}

static bool make_room(struct capture *c, size_t size)
{
	uint8_t *block;

	if (size <= c->room)
		return true;
	block = realloc(c->block, size);
	if (!block)
		return false;
	c->block = block;
	c->room = size;
	return true;
}

struct capture *capture_new(const struct capture_sink *sink, uint64_t epoch_us,
			    void (*failed)(void *context, int error), void *context)
{
	static const struct pcapng_origin origin = {
		.hardware = "emulated board, no hardware",
		.os = "none (dfuemu)",
		.application = "dfuemu " DFUBENCH_VERSION " (emulated board)",
		.interface = "dfuemu",
		.link_type = LINKTYPE_USB_LINUX_MMAPPED,
	};
	struct capture *c = calloc(1, sizeof(*c));
	size_t size;
	int error;

	if (!c)
		return NULL;
	c->sink = *sink;
	c->epoch_us = epoch_us;
	c->failed = failed;
	c->context = context;
	size = pcapng_format_start(&origin, NULL, 0);
	if (!make_room(c, size)) {
		free(c);
		return NULL;
	}
	pcapng_format_start(&origin, c->block, size);
	error = c->sink.write(c->sink.context, c->block, size);
	if (error)
		end(c, error);
	return c;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	free(c->block);
	free(c);
}

uint64_t capture_next_id(struct capture *c)
{
	return ++c->last_id;
}

void capture_packet(struct capture *c, uint64_t now_us, const struct usbmon_header *header, const uint8_t *data,
		    size_t length)
{
	struct usbmon_header h = *header;
	uint64_t time_us = c->epoch_us + now_us;
	uint8_t bytes[USBMON_HEADER_BYTES];
	size_t size, kept = length < CAPTURE_DATA_BYTES ? length : CAPTURE_DATA_BYTES;
	int error;

	if (c->ended)
		return;
	h.seconds = (int64_t)(time_us / 1000000);
	h.microseconds = (int32_t)(time_us % 1000000);
	h.captured = (uint32_t)kept;
	usbmon_encode(&h, bytes);
	size = pcapng_format_packet(time_us, bytes, sizeof(bytes), data, kept, sizeof(bytes) + length, NULL, 0);
	if (!make_room(c, size)) {
		end(c, -ENOMEM);
		return;
	}
	pcapng_format_packet(time_us, bytes, sizeof(bytes), data, kept, sizeof(bytes) + length, c->block, size);
	error = c->sink.write(c->sink.context, c->block, size);
	if (error)
		end(c, error);
}
