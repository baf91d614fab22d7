/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures in all their forms as records, and as exchanges that come one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <unistd.h>
#include "capture_reader.h"
#include "scene.h"
#include "transcript_stream.h"
#include "usbpcap.h"

#define SERIAL "326237753036"
#define OTHER "208F3681554D"

static uint8_t block[2048];

struct bytes {
	uint8_t data[4096];
	size_t length;
};

static void put(struct bytes *b, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		b->data[b->length++] = i < 8 ? (uint8_t)(value >> 8 * i) : 0;
}

static void put_big(struct bytes *b, uint64_t value, unsigned size)
{
	for (unsigned i = size; i--;)
		b->data[b->length++] = i < 8 ? (uint8_t)(value >> 8 * i) : 0;
}

static void put_data(struct bytes *b, const void *data, size_t length)
{
	if (length) /* data may be NULL then */
		memcpy(b->data + b->length, data, length);
	b->length += length;
}

static void pcap_begin(struct bytes *b, uint32_t magic, uint32_t link)
{
	b->length = 0;
	put(b, magic, 4);
	put(b, 2, 2);
	put(b, 4, 2);
	put(b, 0, 8);
	put(b, 262144, 4);
	put(b, link, 4);
}

static void pcap_add(struct bytes *b, uint32_t seconds, uint32_t fraction, const void *data, size_t length)
{
	put(b, seconds, 4);
	put(b, fraction, 4);
	put(b, length, 4);
	put(b, length, 4);
	put_data(b, data, length);
}

/* A packet of USBPcap, whose header ends with the tail. */
static void usbpcap_add_with(struct bytes *b, uint8_t transfer, uint64_t id, bool completed, uint32_t status,
			     const void *tail, size_t tail_length, const void *data, size_t length)
{
	struct bytes p = { .length = 0 };

	put(&p, 27 + tail_length, 2);
	put(&p, id, 8);
	put(&p, status, 4);
	put(&p, 8, 2);
	put(&p, completed, 1);
	put(&p, 3, 2);  /* bus */
	put(&p, 17, 2); /* device */
	put(&p, completed ? 0x80 : 0, 1);
	put(&p, transfer, 1);
	put(&p, length, 4);
	put_data(&p, tail, tail_length);
	put_data(&p, data, length);
	pcap_add(b, 5, (uint32_t)b->length, p.data, p.length);
}

/* Control, with its stage. */
static void usbpcap_add(struct bytes *b, uint64_t id, bool completed, uint32_t status, uint8_t stage, const void *data,
			size_t length)
{
	usbpcap_add_with(b, USBPCAP_CONTROL, id, completed, status, &stage, 1, data, length);
}

static const uint8_t getstatus[8] = { 0xa1, 3, 0, 0, 0, 0, 6, 0 }, reply[6] = { 0, 104, 0, 0, 4, 0 };
static const uint8_t dnload[8] = { 0x21, 1, 0, 0, 0, 0, 5, 0 }, erase[5] = { 0x41, 0, 0, 0, 8 };

/* Records until the end; *count of them, of which the first are in out[]. */
static void read_all(const uint8_t *data, size_t length, struct capture_record *out, size_t room, size_t *count,
		     struct capture_damage *damage)
{
	struct capture_reader *reader = capture_reader_from_memory(data, length);
	struct capture_record r;
	int more;

	assert_non_null(reader);
	*count = 0;
	while ((more = capture_reader_next(reader, &r)) > 0) {
		if (*count < room)
			out[*count] = r;
		(*count)++;
	}
	assert_int_equal(more, 0);
	assert_int_equal(capture_reader_next(reader, &r), 0);
	*damage = *capture_reader_damage(reader);
	capture_reader_free(reader);
}

static void usbpcap_is_read_with_the_answer_in_one_packet(void **state)
{
	struct capture_record r[8];
	struct capture_damage d;
	struct bytes b;
	size_t count;

	(void)state;
	pcap_begin(&b, 0xa1b2c3d4, LINKTYPE_USBPCAP);
	usbpcap_add(&b, 0xffff800012345678, false, 0, USBPCAP_SETUP, getstatus, 8);
	usbpcap_add(&b, 0xffff800012345678, true, 0, USBPCAP_COMPLETE, reply, 6);
	read_all(b.data, b.length, r, 8, &count, &d);
	assert_int_equal(count, 2);
	assert_false(capture_is_damaged(&d));
	assert_int_equal(r[0].event, CAPTURE_SUBMITTED);
	assert_int_equal(r[0].id, 0xffff800012345678);
	assert_true(r[0].has_setup);
	assert_int_equal(r[0].setup.request, DFU_GETSTATUS);
	assert_int_equal(r[0].endpoint, 0x80);
	assert_int_equal(r[0].length, 6);
	assert_int_equal(r[0].captured, 0);
	assert_int_equal(r[0].bus, 3);
	assert_int_equal(r[0].device, 17);
	assert_int_equal(r[1].event, CAPTURE_COMPLETED);
	assert_int_equal(r[1].captured, 6);
	assert_int_equal(r[1].data[4], 4);
	assert_int_equal(r[1].packet, 2);
	assert_int_equal(r[0].offset, 24);
	assert_int_equal(r[0].time_us / 1000000, 5);
}

/* USBPcap makes up the SETUP of what is asked of Windows: SET_INTERFACE is one of the device there. */
static void usbpcap_has_its_own_set_interface(void **state)
{
	static const uint8_t set_interface[8] = { 0, 11, 3, 0, 0, 0, 0, 0 };
	struct capture_record r[8];
	struct capture_damage d;
	struct bytes b;
	size_t count;

	(void)state;
	pcap_begin(&b, 0xa1b2c3d4, LINKTYPE_USBPCAP);
	usbpcap_add(&b, 1, false, 0, USBPCAP_SETUP, set_interface, 8);
	usbpcap_add(&b, 1, true, 0, USBPCAP_COMPLETE, NULL, 0);
	read_all(b.data, b.length, r, 8, &count, &d);
	assert_int_equal(count, 2);
	assert_int_equal(r[0].setup.type, 1);
	assert_int_equal(r[0].setup.request, 11);
	assert_int_equal(r[0].setup.value, 3);
}

/* What USBPcap does not know completes as a control transfer of which there is no SETUP, and is told of late: none of that is damage. The
 * same id is a request after that. */
static void usbpcap_tells_of_requests_it_does_not_know(void **state)
{
	struct transcript t;
	struct bytes b, late;

	(void)state;
	pcap_begin(&b, 0xa1b2c3d4, LINKTYPE_USBPCAP);
	usbpcap_add(&b, 1, false, 0, USBPCAP_SETUP, getstatus, 8);
	usbpcap_add(&b, 1, true, 0, USBPCAP_COMPLETE, reply, 6);
	pcap_begin(&late, 0xa1b2c3d4, LINKTYPE_USBPCAP);
	usbpcap_add_with(&late, USBPCAP_UNKNOWN, 1, false, 0, NULL, 0, NULL, 0);
	put_data(&b, late.data + 24, late.length - 24);
	usbpcap_add(&b, 1, true, 0, USBPCAP_COMPLETE, reply, 6);
	usbpcap_add(&b, 1, false, 0, USBPCAP_SETUP, getstatus, 8);
	usbpcap_add(&b, 1, true, 0, USBPCAP_COMPLETE, reply, 6);
	usbpcap_add_with(&b, 0xfe, 1, false, 0, NULL, 0, NULL, 0);
	usbpcap_add_with(&b, 0xfe, 1, true, 0, NULL, 0, NULL, 0);
	assert_int_equal(transcript_read(&t, b.data, b.length, NULL), 0);
	assert_null(t.damage);
	assert_int_equal(t.gap, 0);
	assert_int_equal(t.count, 2);
	assert_true(t.exchanges[1].has_reply);
	transcript_free(&t);
}

/* Isochronous transfers have a header as long as they have packets, with the data behind it; endpoints that USBPcap does not know are of a
 * device with a number that none has. */
static void usbpcap_has_long_headers(void **state)
{
	static const uint8_t data[4] = { 1, 2, 3, 4 };
	uint8_t isochronous[12 + 3 * 12] = { 7, 0, 0, 0, 3 };
	struct capture_record r[8];
	struct capture_damage d;
	struct bytes b;
	size_t count;

	(void)state;
	pcap_begin(&b, 0xa1b2c3d4, LINKTYPE_USBPCAP);
	usbpcap_add_with(&b, USBPCAP_ISOCHRONOUS, 9, true, 0, isochronous, sizeof(isochronous), data, 4);
	usbpcap_add_with(&b, USBPCAP_BULK, 9, false, 0, NULL, 0, data, 4);
	usbpcap_add_with(&b, USBPCAP_INTERRUPT, 9, true, 0, NULL, 0, data, 3);
	/* A control transfer without its stage, and a header that is longer than the packet */
	usbpcap_add_with(&b, USBPCAP_CONTROL, 9, true, 0, NULL, 0, NULL, 0);
	usbpcap_add(&b, 9, false, 0, USBPCAP_SETUP, getstatus, 7);
	b.data[b.length - 7 - 28] = 200;
	read_all(b.data, b.length, r, 8, &count, &d);
	assert_int_equal(count, 3);
	assert_int_equal(r[0].transfer, USBMON_ISOCHRONOUS);
	assert_int_equal(r[0].captured, 4);
	assert_int_equal(r[0].data[0], 1);
	assert_int_equal(r[1].transfer, USBMON_BULK);
	assert_int_equal(r[1].event, CAPTURE_SUBMITTED);
	assert_int_equal(r[2].transfer, USBMON_INTERRUPT);
	assert_int_equal(r[2].length, 3);
	assert_int_equal(d.malformed, 2);
	assert_int_equal(d.malformed_first, 4);
	assert_int_equal(d.gap_before, 4);
}

/* Windows shows no SET_ADDRESS: a device that had gone, and is asked for its descriptor again, is there anew. */
static void usbpcap_shows_a_device_that_came_back(void **state)
{
	static const uint8_t get_device[8] = { 0x80, 6, 0, 1, 0, 0, 18, 0 };
	static const uint8_t device[18] = { 18, 1, 0, 1, 0, 0, 0, 64, 0x83, 4, 0x11, 0xdf, 0, 0x22, 1, 2, 3, 1 };
	struct transcript t;
	struct bytes b;

	(void)state;
	pcap_begin(&b, 0xa1b2c3d4, LINKTYPE_USBPCAP);
	for (unsigned i = 0; i < 2; i++) {
		usbpcap_add(&b, 1, false, 0, USBPCAP_SETUP, get_device, 8);
		usbpcap_add(&b, 1, true, 0, USBPCAP_COMPLETE, device, 18);
		usbpcap_add(&b, 1, false, 0, USBPCAP_SETUP, get_device, 8);
		usbpcap_add(&b, 1, true, 0, USBPCAP_COMPLETE, device, 18);
		usbpcap_add(&b, 1, false, 0, USBPCAP_SETUP, getstatus, 8);
		usbpcap_add(&b, 1, true, 0xc0007000, USBPCAP_COMPLETE, NULL, 0);
	}
	assert_int_equal(transcript_read(&t, b.data, b.length, NULL), 0);
	assert_int_equal(t.count, 6);
	assert_int_equal(t.exchanges[2].incarnation, 1);
	assert_int_equal(t.exchanges[3].incarnation, 2);
	assert_int_equal(t.exchanges[5].incarnation, 2);
	assert_int_equal(t.exchanges[5].board, 1);
	transcript_free(&t);
}

/* Data stages in packets of their own, both ways. */
static void usbpcap_is_read_with_stages_apart(void **state)
{
	struct transcript t;
	struct bytes b;

	(void)state;
	pcap_begin(&b, 0xa1b2c3d4, LINKTYPE_USBPCAP);
	usbpcap_add(&b, 1, false, 0, USBPCAP_SETUP, dnload, 8);
	usbpcap_add(&b, 1, false, 0, USBPCAP_DATA, erase, 5);
	usbpcap_add(&b, 1, true, 0, USBPCAP_STATUS, NULL, 0);
	usbpcap_add(&b, 1, false, 0, USBPCAP_SETUP, getstatus, 8);
	usbpcap_add(&b, 1, true, 0, USBPCAP_DATA, reply, 6);
	usbpcap_add(&b, 1, true, 0, USBPCAP_STATUS, NULL, 0);
	assert_int_equal(transcript_read(&t, b.data, b.length, NULL), 0);
	assert_null(t.damage);
	assert_int_equal(t.count, 2);
	assert_int_equal(t.exchanges[0].op, OP_ERASE);
	assert_int_equal(t.exchanges[0].target, 0x08000000);
	assert_int_equal(t.exchanges[0].actual, 5);
	assert_true(t.exchanges[1].has_reply);
	assert_int_equal(t.exchanges[1].actual, 6);
	assert_int_equal(t.exchanges[1].poll_ms, 104);
	assert_int_equal(t.exchanges[1].packet_end, 6);
	transcript_free(&t);
}

static void usbd_status_has_its_meaning(void **state)
{
	static const struct {
		uint32_t status;
		enum usb_result result;
	} rows[] = {
		{ 0, USB_ACK },
		{ 0xc0000004, USB_STALL },
		{ 0xc0000030, USB_STALL },
		{ 0xc0000009, USB_ACK },
		{ 0x80000900, USB_ACK },
		{ 0xc0010000, USB_CANCELLED },
		{ 0xc0006000, USB_CANCELLED },
		{ 0xc0007000, USB_GONE },
		{ 0xc0000005, USB_SILENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct transcript t;
		struct bytes b;

		pcap_begin(&b, 0xa1b2c3d4, LINKTYPE_USBPCAP);
		usbpcap_add(&b, 1, false, 0, USBPCAP_SETUP, getstatus, 8);
		usbpcap_add(&b, 1, true, rows[i].status, USBPCAP_COMPLETE, NULL, 0);
		assert_int_equal(transcript_read(&t, b.data, b.length, NULL), 0);
		assert_int_equal(t.exchanges[0].result, rows[i].result);
		assert_int_equal(t.exchanges[0].raw_status, rows[i].status);
		transcript_free(&t);
	}
}

/* The header of usbmon in the byte order of the recorder, the file too. */
static void pcap_is_read_in_either_byte_order_and_resolution(void **state)
{
	struct bytes b = { .length = 0 };
	struct capture_record r[1];
	struct capture_damage d;
	size_t count;

	(void)state;
	put_big(&b, 0xa1b23c4d, 4);
	put_big(&b, 2, 2);
	put_big(&b, 4, 2);
	put_big(&b, 0, 8);
	put_big(&b, 65535, 4);
	put_big(&b, 220, 4);
	put_big(&b, 7, 4);
	put_big(&b, 123456789, 4);
	put_big(&b, 64, 4);
	put_big(&b, 64, 4);
	put_big(&b, 0x1122334455667788, 8);
	put_data(&b, "S\x02\x80\x09", 4);
	put_big(&b, 2, 2);
	put_data(&b, "\0<", 2);
	put_big(&b, 0, 12);
	put_big(&b, (uint32_t)-115, 4);
	put_big(&b, 6, 4);
	put_big(&b, 0, 4);
	put_data(&b, getstatus, 8);
	put_big(&b, 0, 16);
	read_all(b.data, b.length, r, 1, &count, &d);
	assert_int_equal(count, 1);
	assert_false(capture_is_damaged(&d));
	assert_int_equal(r[0].time_us, 7123456);
	assert_int_equal(r[0].id, 0x1122334455667788);
	assert_int_equal(r[0].bus, 2);
	assert_int_equal(r[0].device, 9);
	assert_int_equal(r[0].length, 6);
}

/* hw/usb/pcap.c: the header is counted in, ids are 0, and what failed is -121. */
static void qemus_way_of_counting_is_known(void **state)
{
	struct usbmon_header h = { .type = 'S',
				   .transfer = USBMON_CONTROL,
				   .endpoint = 0x80,
				   .device = 2,
				   .flag_data = '<',
				   .captured = 64,
				   .setup = { 0xa1, 3, 0, 0, 0, 0, 6, 0 } };
	uint8_t packet[USBMON_HEADER_BYTES + 6];
	struct transcript t;
	struct bytes b;

	(void)state;
	pcap_begin(&b, 0xa1b2c3d4, 220);
	for (int failed = 0; failed < 2; failed++) {
		h.type = 'S';
		h.length = 0;
		h.captured = 64;
		h.status = 0;
		h.setup[0] = 0xa1;
		usbmon_encode(&h, packet);
		pcap_add(&b, 1, 1, packet, 64);
		h.type = 'C';
		h.length = 6;
		h.captured = 70;
		h.status = failed ? -121 : 0;
		usbmon_encode(&h, packet);
		memcpy(packet + 64, reply, 6);
		pcap_add(&b, 1, 2, packet, 70);
	}
	assert_int_equal(transcript_read(&t, b.data, b.length, NULL), 0);
	assert_int_equal(t.count, 2);
	assert_int_equal(t.exchanges[0].result, USB_ACK);
	assert_int_equal(t.exchanges[0].actual, 6);
	assert_int_equal(t.exchanges[0].reply_state, DFU_DNBUSY);
	assert_int_equal(t.exchanges[1].result, USB_STALL);
	assert_int_equal(t.exchanges[1].actual, 0);
	assert_int_equal(t.exchanges[1].length, 0);
	transcript_free(&t);
}

/* Exchanges as they come are those of the whole, with the same meaning. */
static void same_as_whole(const uint8_t *data, size_t length)
{
	struct capture_reader *reader = capture_reader_from_memory(data, length);
	struct transcript_stream *stream = transcript_stream_new(reader, NULL);
	struct exchange x;
	struct transcript t;
	size_t count = 0;
	int more;

	assert_int_equal(transcript_read(&t, data, length, NULL), 0);
	while ((more = transcript_stream_next(stream, &x)) > 0) {
		const struct exchange *y = &t.exchanges[x.number];

		assert_int_equal(x.packet, y->packet);
		assert_int_equal(x.packet_end, y->packet_end);
		assert_int_equal(x.start_us, y->start_us);
		assert_int_equal(x.end_us, y->end_us);
		assert_int_equal(x.op, y->op);
		assert_int_equal(x.target, y->target);
		assert_int_equal(x.before, y->before);
		assert_int_equal(x.after, y->after);
		assert_int_equal(x.incarnation, y->incarnation);
		if (x.op != OP_NONE)
			assert_int_equal(x.board, y->board);
		assert_int_equal(x.length, y->length);
		if (x.length)
			assert_memory_equal(x.data, y->data, x.length);
		count++;
	}
	assert_int_equal(more, 0);
	assert_int_equal(count, t.count);
	transcript_stream_free(stream);
	capture_reader_free(reader);
	transcript_free(&t);
}

static void a_stream_reads_what_the_whole_reads(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	scene_start(&s);
	scene_board(&s, 3, OTHER);
	scene_set_address(&s, 0x08004000);
	s.address = 2;
	scene_erase(&s, 0x08000000);
	scene_write_block(&s, 2, block, sizeof(block));
	scene_stalled(&s, DFU_UPLOAD, 2, NULL, 2048);
	scene_board(&s, 4, SERIAL);
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	same_as_whole(s.bytes, s.length);
	scene_end(&s);
}

static void many_incarnations_are_forgotten_but_read(void **state)
{
	struct capture_reader *reader;
	struct transcript_stream *stream;
	struct transcript_device device;
	struct exchange x;
	size_t count = 0;
	struct scene s;

	(void)state;
	scene_begin(&s);
	for (unsigned i = 0; i < 5000; i++) {
		scene_board(&s, (uint8_t)(2 + i % 100), SERIAL);
		scene_transfer(&s, SETUP(0xa1, DFU_GETSTATUS, 0, 0, 6), NULL, 0, USBMON_ESHUTDOWN);
	}
	reader = capture_reader_from_memory(s.bytes, s.length);
	stream = transcript_stream_new(reader, NULL);
	while (transcript_stream_next(stream, &x) > 0) {
		count += x.op == OP_GETSTATUS;
		if (x.op != OP_NONE)
			assert_int_equal(x.board, 1);
	}
	assert_int_equal(count, 5000);
	assert_false(transcript_stream_device(stream, 1, &device));
	assert_true(transcript_stream_device(stream, 5000, &device));
	assert_string_equal(device.serial, SERIAL);
	transcript_stream_free(stream);
	capture_reader_free(reader);
	scene_end(&s);
}

/* Packets of a scene: offsets of their blocks. */
static size_t offsets(const struct scene *s, size_t *at, size_t room)
{
	struct capture_reader *reader = capture_reader_from_memory(s->bytes, s->length);
	struct capture_record r;
	size_t n = 0;

	while (capture_reader_next(reader, &r) > 0 && n < room)
		at[n++] = r.offset;
	capture_reader_free(reader);
	return n;
}

static void an_answer_that_came_before_its_request_is_found(void **state)
{
	size_t at[64], n;
	struct transcript t;
	uint8_t *turned;
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	scene_getstatus(&s, DFU_OK, DFU_DNBUSY, 104);
	n = offsets(&s, at, 64);
	assert_int_equal(n, 4);
	turned = malloc(s.length);
	memcpy(turned, s.bytes, at[2]);
	memcpy(turned + at[2], s.bytes + at[3], s.length - at[3]);
	memcpy(turned + at[2] + s.length - at[3], s.bytes + at[2], at[3] - at[2]);
	assert_int_equal(transcript_read(&t, turned, s.length, NULL), 0);
	assert_int_equal(t.count, 2);
	assert_true(t.exchanges[1].complete);
	assert_int_equal(t.exchanges[1].reply_state, DFU_DNBUSY);
	assert_int_equal(t.lost, 0);
	assert_non_null(strstr(t.damage, "1 packet is earlier than the one before, the first is number 4"));
	transcript_free(&t);
	free(turned);
	scene_end(&s);
}

/* An id that is used again while its first submission still waits. */
static void a_lost_answer_is_told_from_one_that_is_to_come(void **state)
{
	struct transcript t;
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.never_answer = true;
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	assert_int_equal(transcript_read(&t, s.bytes, s.length, NULL), 0);
	assert_null(t.damage);
	transcript_free(&t);
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	assert_int_equal(transcript_read(&t, s.bytes, s.length, NULL), 0);
	assert_string_equal(t.damage, "1 request without the answer, which was lost: the device answered later ones");
	assert_int_equal(t.count, 2);
	assert_false(t.exchanges[0].complete);
	assert_true(t.exchanges[1].complete);
	transcript_free(&t);
	scene_end(&s);
}

static void more_than_fit_wait_for_an_answer(void **state)
{
	struct transcript t;
	struct scene s;

	(void)state;
	scene_begin(&s);
	for (unsigned i = 0; i < TRANSCRIPT_PENDING + 50; i++) {
		s.never_answer = true;
		scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	}
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	assert_int_equal(transcript_read(&t, s.bytes, s.length, NULL), 0);
	assert_int_equal(t.count, TRANSCRIPT_PENDING + 51);
	for (size_t i = 0; i < t.count; i++)
		assert_int_equal(t.exchanges[i].number, i);
	assert_true(t.exchanges[t.count - 1].complete);
	transcript_free(&t);
	scene_end(&s);
}

/* The reading goes on behind any byte that is wrong, and never gets lost. */
static void any_broken_byte_costs_little(void **state)
{
	uint8_t *copy;
	struct scene s;

	(void)state;
	scene_begin(&s);
	for (unsigned i = 0; i < 12; i++)
		scene_getstatus(&s, DFU_OK, DFU_IDLE, i);
	copy = malloc(s.length);
	for (size_t at = 200; at < s.length; at++) {
		struct capture_damage d;
		size_t count;

		memcpy(copy, s.bytes, s.length);
		copy[at] ^= 0xff;
		read_all(copy, s.length, NULL, 0, &count, &d);
		if (count < 22)
			fail_msg("a wrong byte at %zu leaves %zu of 24 packets", at, count);
		assert_false(d.no_capture);
	}
	free(copy);
	scene_end(&s);
}

/* By a pipe that gives it in pieces of any size. */
static void a_pipe_reads_as_memory_does(void **state)
{
	struct capture_record r;
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	for (size_t piece = 1; piece < 200; piece += 37) {
		struct capture_reader *reader;
		size_t written = 0, count = 0;
		int ends[2];

		assert_int_equal(pipe(ends), 0);
		assert_true(s.length < 60000); /* fits into a pipe */
		while (written < s.length) {
			size_t n = s.length - written < piece ? s.length - written : piece;

			assert_int_equal(write(ends[1], s.bytes + written, n), n);
			written += n;
		}
		close(ends[1]);
		reader = capture_reader_from_fd(ends[0]);
		while (capture_reader_next(reader, &r) > 0)
			count++;
		assert_int_equal(count, 10);
		assert_false(capture_is_damaged(capture_reader_damage(reader)));
		assert_int_equal(capture_reader_offset(reader), s.length);
		assert_non_null(strstr(capture_reader_application(reader), "dfuemu"));
		capture_reader_free(reader);
		close(ends[0]);
	}
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usbpcap_is_read_with_the_answer_in_one_packet),
		cmocka_unit_test(usbpcap_is_read_with_stages_apart),
		cmocka_unit_test(usbpcap_has_its_own_set_interface),
		cmocka_unit_test(usbpcap_tells_of_requests_it_does_not_know),
		cmocka_unit_test(usbpcap_has_long_headers),
		cmocka_unit_test(usbpcap_shows_a_device_that_came_back),
		cmocka_unit_test(usbd_status_has_its_meaning),
		cmocka_unit_test(pcap_is_read_in_either_byte_order_and_resolution),
		cmocka_unit_test(qemus_way_of_counting_is_known),
		cmocka_unit_test(a_stream_reads_what_the_whole_reads),
		cmocka_unit_test(many_incarnations_are_forgotten_but_read),
		cmocka_unit_test(an_answer_that_came_before_its_request_is_found),
		cmocka_unit_test(a_lost_answer_is_told_from_one_that_is_to_come),
		cmocka_unit_test(more_than_fit_wait_for_an_answer),
		cmocka_unit_test(any_broken_byte_costs_little),
		cmocka_unit_test(a_pipe_reads_as_memory_does),
	};

	return cmocka_run_group_tests_name("capture_reader", tests, NULL, NULL);
}
