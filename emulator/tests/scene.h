/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures made for a test, transfer by transfer, in the form in which dfuemu writes them. Include after cmocka.h. */
#ifndef DFUBENCH_TESTS_SCENE_H
#define DFUBENCH_TESTS_SCENE_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "capture.h"
#include "dfuse.h"
#include "pcapng.h"
#include "profile.h"
#include "transcript.h"

struct scene {
	uint8_t *bytes;
	size_t length, room;
	struct capture *capture;
	uint64_t now_us;
	uint8_t address;   /* of the device that is spoken to */
	bool never_answer; /* the next transfer has no completion */
	struct transcript transcript;
};

static int scene_write(void *context, const void *bytes, size_t length)
{
	struct scene *s = context;

	if (s->length + length > s->room) {
		s->room = (s->length + length) * 2;
		s->bytes = realloc(s->bytes, s->room);
		assert_non_null(s->bytes);
	}
	memcpy(s->bytes + s->length, bytes, length);
	s->length += length;
	return 0;
}

static inline void scene_begin(struct scene *s)
{
	struct capture_sink sink = { scene_write, s };

	memset(s, 0, sizeof(*s));
	s->capture = capture_new(&sink, 1000000, NULL, NULL);
	assert_non_null(s->capture);
	s->address = 2;
}

static inline void scene_end(struct scene *s)
{
	capture_free(s->capture);
	transcript_free(&s->transcript);
	free(s->bytes);
}

/* 1 ms each, and 1 ms of pause. */
static inline void scene_transfer(struct scene *s, struct usb_setup setup, const void *data, size_t length,
				  int32_t status)
{
	struct usbmon_header h = {
		.id = capture_next_id(s->capture),
		.type = 'S',
		.transfer = USBMON_CONTROL,
		.endpoint = setup.type & 0x80,
		.device = s->address,
		.bus = 1,
		.flag_data = setup.type & 0x80 ? '<' : 0,
		.status = USBMON_EINPROGRESS,
		.length = setup.length,
	};
	bool in = setup.type & 0x80;

	usb_setup_encode(&setup, h.setup);
	s->now_us += 1000;
	capture_packet(s->capture, s->now_us, &h, data, in ? 0 : length);
	if (s->never_answer) {
		s->never_answer = false;
		return;
	}
	s->now_us += 1000;
	h.type = 'C';
	h.flag_setup = '-';
	h.flag_data = in ? 0 : '>';
	h.status = status;
	h.length = status ? 0 : (uint32_t)length;
	capture_packet(s->capture, s->now_us, &h, data, in && !status ? length : 0);
}

#define SETUP(t, r, v, i, l) \
	((struct usb_setup){ \
		.type = (t), .request = (r), .value = (uint16_t)(v), .index = (i), .length = (uint16_t)(l) })

static inline void scene_descriptor(struct scene *s, unsigned value, const void *data, size_t length)
{
	scene_transfer(s, SETUP(0x80, 6, value, 0, 255), data, length, 0);
}

static inline void scene_string(struct scene *s, unsigned index, const char *text)
{
	uint8_t bytes[255] = { (uint8_t)(2 + 2 * strlen(text)), 3 };

	for (size_t i = 0; text[i]; i++)
		bytes[2 + 2 * i] = (uint8_t)text[i];
	scene_descriptor(s, 0x0300 | index, bytes, bytes[0]);
}

/* A kernel finds a board in its ROM, and goes on to speak to it. serial may be NULL. */
static inline void scene_board(struct scene *s, uint8_t address, const char *serial)
{
	const struct mcu_profile *p = mcu_profile_find("f407");

	s->address = 0;
	scene_transfer(s, SETUP(0, 5, address, 0, 0), NULL, 0, 0);
	s->address = address;
	scene_descriptor(s, 0x0100, p->device_descriptor, 18);
	scene_descriptor(s, 0x0200, p->configuration_descriptor, p->configuration_size_bytes);
	if (serial)
		scene_string(s, 3, serial);
	scene_string(s, 4, p->strings[3]);
}

static inline void scene_out(struct scene *s, unsigned request, unsigned value, const void *data, size_t length)
{
	scene_transfer(s, SETUP(0x21, (uint8_t)request, value, 0, length), data, length, 0);
}

static inline void scene_stalled(struct scene *s, unsigned request, unsigned value, const void *data, size_t length)
{
	bool in = request == DFU_UPLOAD || request == DFU_GETSTATUS || request == DFU_GETSTATE;

	scene_transfer(s, SETUP(in ? 0xa1 : 0x21, (uint8_t)request, value, 0, length), data, length, USBMON_EPIPE);
}

static inline void scene_getstatus(struct scene *s, enum dfu_status status, enum dfu_state state, uint32_t poll_ms)
{
	uint8_t reply[6] = { (uint8_t)status, (uint8_t)poll_ms, (uint8_t)(poll_ms >> 8), 0, (uint8_t)state, 0 };

	scene_transfer(s, SETUP(0xa1, DFU_GETSTATUS, 0, 0, 6), reply, 6, 0);
}

static inline void scene_command(struct scene *s, uint8_t command, uint32_t address)
{
	uint8_t bytes[5] = { command, (uint8_t)address, (uint8_t)(address >> 8), (uint8_t)(address >> 16),
			     (uint8_t)(address >> 24) };

	scene_out(s, DFU_DNLOAD, 0, bytes, 5);
}

/* The two questions after a download, with the wait that the first answer asks for and the operation takes. */
static inline void scene_done(struct scene *s, uint32_t poll_ms)
{
	scene_getstatus(s, DFU_OK, DFU_DNBUSY, poll_ms);
	s->now_us += poll_ms * 1000;
	scene_getstatus(s, DFU_OK, DFU_DNLOAD_IDLE, 0);
}

static inline void scene_set_address(struct scene *s, uint32_t address)
{
	scene_command(s, DFUSE_SET_ADDRESS, address);
	scene_done(s, 104);
}

static inline void scene_erase(struct scene *s, uint32_t address)
{
	scene_command(s, DFUSE_ERASE, address);
	scene_done(s, 100);
}

static inline void scene_write_block(struct scene *s, unsigned block, const void *data, size_t length)
{
	scene_out(s, DFU_DNLOAD, block, data, length);
	scene_done(s, 104);
}

static inline void scene_upload(struct scene *s, unsigned block, const void *data, size_t length)
{
	scene_transfer(s, SETUP(0xa1, DFU_UPLOAD, block, 0, length), data, length, 0);
}

static inline void scene_abort(struct scene *s)
{
	scene_out(s, DFU_ABORT, 0, NULL, 0);
	scene_getstatus(s, DFU_OK, DFU_IDLE, 0);
}

/* From the state after power-on to dfuIDLE. */
static inline void scene_start(struct scene *s)
{
	scene_transfer(s, SETUP(0x01, 11, 0, 0, 0), NULL, 0, 0);
	scene_getstatus(s, DFU_ERR_FIRMWARE, DFU_ERROR, 0);
	scene_out(s, DFU_CLRSTATUS, 0, NULL, 0);
	scene_getstatus(s, DFU_OK, DFU_IDLE, 0);
}

/* The transcript is the scene's. facts may be NULL. */
static inline const struct transcript *scene_read(struct scene *s, const struct transcript_facts *facts)
{
	transcript_free(&s->transcript);
	assert_int_equal(transcript_read(&s->transcript, s->bytes, s->length, facts), 0);
	return &s->transcript;
}

#endif
