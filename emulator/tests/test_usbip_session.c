// SPDX-License-Identifier: GPL-2.0-or-later
/* What follows an import, over a socket pair: replies, transfers taken back, devices that leave, peers that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "bench.h"
#include "export.h"
#include "fake_device.h"
#include "usbip_session.h"
#include "usbip_wire.h"

#define DEVID 0x10007u
#define SCALE 1000.0
#define ROOM 2048u

struct rig {
	struct bench *bench;
	struct loop *loop;
	struct front_env env;
	struct fake_device device;
	struct export *export;
	struct usbip_session *session;
	struct usbip_memory memory;
	int peer;
	unsigned over, gone;
	bool detached; /* the session's device is */
	char why[USBIP_WHY];
	uint32_t seqnum;
};

static void say(void *context, const char *line)
{
	(void)context, (void)line;
}

static void probe(void *context, struct usbdev *device, bool on)
{
	(void)context, (void)device, (void)on;
}

static void ready(void *context, const struct usb_description *d)
{
	(void)context, (void)d;
}

static void gone(void *context)
{
	struct rig *r = context;

	r->gone++;
	r->detached = true;
	if (r->session)
		usbip_session_gone(r->session);
}

static void complete(void *context, struct usb_urb *urb)
{
	(void)context;
	usbip_session_complete(urb);
}

static void over(void *context, struct usbip_session *session, const char *why)
{
	struct rig *r = context;

	assert_ptr_equal(session, r->session);
	r->over++;
	snprintf(r->why, sizeof(r->why), "%s", why ? why : "");
	r->session = NULL;
	usbip_session_free(session);
	if (!r->detached)
		export_reset(r->export);
}

static const struct export_ops export_ops = { .ready = ready, .gone = gone, .complete = complete };
static const struct usbip_session_ops session_ops = { .over = over };

static void set_up(struct rig *r)
{
	int error, pair[2];

	memset(r, 0, sizeof(*r));
	r->bench = bench_new(1);
	r->loop = loop_new(r->bench, SCALE, &error);
	assert_non_null(r->loop);
	r->env = (struct front_env){
		.bench = r->bench, .loop = r->loop, .warn = say, .note = say, .probe = probe, .context = r
	};
	fake_device_init(&r->device);
	fake_device_plug(&r->device);
	r->export = export_new(&r->env, &r->device.dev, 3, &export_ops, r);
	assert_non_null(r->export);
	bench_advance(r->bench, 20000000);
	assert_non_null(export_description(r->export));
	r->device.submits = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	r->peer = pair[1];
	r->session = usbip_session_new(&r->env, &r->memory, r->export, DEVID, pair[0], &session_ops, r, &error);
	assert_non_null(r->session);
	loop_start(r->loop);
}

static void tear_down(struct rig *r)
{
	usbip_session_free(r->session);
	assert_int_equal(r->memory.used, 0);
	export_free(r->export);
	if (r->peer >= 0)
		close(r->peer);
	assert_int_equal(bench_pending(r->bench), 0);
	loop_free(r->loop);
	bench_free(r->bench);
}

static void steps(struct rig *r)
{
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(loop_step(r->loop, 0), 0);
}

static void send_bytes(struct rig *r, const void *bytes, size_t length)
{
	const uint8_t *b = bytes;

	while (length) {
		ssize_t n = send(r->peer, b, length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			b += n;
			length -= (size_t)n;
		}
		steps(r);
	}
	steps(r);
}

static uint32_t send_message(struct rig *r, struct usbip_message m, const void *data)
{
	uint8_t bytes[USBIP_MESSAGE_BYTES + ROOM];
	size_t length = data ? m.length : 0;

	assert_true(length <= ROOM);
	m.seqnum = ++r->seqnum;
	if (!m.devid)
		m.devid = DEVID;
	usbip_message_encode(&m, bytes);
	if (length)
		memcpy(bytes + USBIP_MESSAGE_BYTES, data, length);
	send_bytes(r, bytes, USBIP_MESSAGE_BYTES + length);
	return m.seqnum;
}

static struct usbip_message control(uint8_t type, uint16_t wlength, uint32_t length)
{
	struct usbip_message m = { .command = USBIP_SUBMIT, .in = type & 0x80, .length = length };
	const struct usb_setup setup = { type, 0x11, 0x2233, 0x4455, wlength };

	usb_setup_encode(&setup, m.setup);
	return m;
}

static struct usbip_message endpoint(uint8_t number, bool in, uint32_t length)
{
	return (struct usbip_message){ .command = USBIP_SUBMIT, .endpoint = number, .in = in, .length = length };
}

/* What has come; -1: nothing, -2: the end. */
static ssize_t receive(struct rig *r, void *bytes, size_t length)
{
	ssize_t n;

	steps(r);
	n = recv(r->peer, bytes, length, MSG_DONTWAIT);
	return n == 0 ? -2 : n;
}

static void expect_message(struct rig *r, enum usbip_command command, uint32_t seqnum, int32_t status, uint32_t actual)
{
	uint8_t bytes[USBIP_MESSAGE_BYTES];
	struct usbip_message m;
	char why[USBIP_WHY];

	assert_int_equal(receive(r, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(usbip_message_decode(bytes, sizeof(bytes), &m, why), USBIP_DONE);
	assert_int_equal(m.command, command);
	assert_int_equal(m.seqnum, seqnum);
	assert_int_equal(m.status, status);
	assert_int_equal(m.actual, actual);
	assert_int_equal(m.packets, 0);
}

static void expect_submitted(struct rig *r, uint32_t seqnum, int32_t status, uint32_t actual)
{
	expect_message(r, USBIP_SUBMITTED, seqnum, status, actual);
}

static void expect_nothing(struct rig *r)
{
	uint8_t byte;

	assert_int_equal(receive(r, &byte, 1), -1);
}

static void expect_end(struct rig *r)
{
	uint8_t byte;

	assert_int_equal(receive(r, &byte, 1), -2);
}

/* ---- results ---- */

static void a_control_in_brings_its_bytes(void **state)
{
	struct rig r;
	uint8_t bytes[8];
	uint32_t seqnum;

	(void)state;
	set_up(&r);
	seqnum = send_message(&r, control(FAKE_VENDOR_IN, 8, 8), NULL);
	assert_int_equal(r.device.count, 1);
	assert_int_equal(r.device.pending[0]->length, 8);
	assert_int_equal(r.device.last.value, 0x2233);
	assert_int_equal(r.device.last.index, 0x4455);
	expect_nothing(&r);
	memcpy(r.device.pending[0]->data, "abcdefgh", 8);
	fake_device_finish(&r.device, 0, USB_ACK, 5);
	expect_submitted(&r, seqnum, 0, 5);
	assert_int_equal(receive(&r, bytes, sizeof(bytes)), 5);
	assert_memory_equal(bytes, "abcde", 5);
	tear_down(&r);
}

static void a_control_out_takes_its_bytes_in_any_pieces(void **state)
{
	struct rig r;
	struct usbip_message m = control(FAKE_VENDOR_OUT, 6, 6);
	uint8_t bytes[USBIP_MESSAGE_BYTES + 6];

	(void)state;
	set_up(&r);
	m.devid = DEVID;
	usbip_message_encode(&m, bytes);
	memcpy(bytes + USBIP_MESSAGE_BYTES, "123456", 6);
	for (uint32_t cut = 1; cut < sizeof(bytes); cut++) {
		send_bytes(&r, bytes, cut);
		assert_int_equal(r.device.count, 0);
		send_bytes(&r, bytes + cut, sizeof(bytes) - cut);
		assert_int_equal(r.device.count, 1);
		assert_memory_equal(r.device.pending[0]->data, "123456", 6);
		fake_device_finish(&r.device, 0, USB_ACK, 6);
		expect_submitted(&r, 0, 0, 6);
	}
	expect_nothing(&r);
	tear_down(&r);
}

static void each_result_has_its_status(void **state)
{
	static const struct {
		enum usb_result result;
		uint32_t flags, actual;
		int32_t status;
		uint32_t want;
	} cases[] = {
		{ USB_ACK, 0, 4, 0, 4 },
		{ USB_ACK, 0, 0, 0, 0 },
		{ USB_ACK, USBIP_SHORT_NOT_OK, 4, 0, 4 },
		{ USB_ACK, USBIP_SHORT_NOT_OK, 3, -121, 3 },
		{ USB_STALL, 0, 2, -32, 0 },
		{ USB_SILENT, 0, 0, -71, 0 },
		{ USB_GONE, 0, 0, -108, 0 },
		{ USB_CANCELLED, 0, 0, -104, 0 },
	};
	struct rig r;

	(void)state;
	set_up(&r);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct usbip_message m = endpoint(1, true, 4);
		uint8_t bytes[4];
		uint32_t seqnum;

		m.flags = cases[i].flags;
		seqnum = send_message(&r, m, NULL);
		assert_int_equal(r.device.pending[0]->endpoint, 0x81);
		fake_device_finish(&r.device, 0, cases[i].result, cases[i].actual);
		expect_submitted(&r, seqnum, cases[i].status, cases[i].want);
		if (cases[i].want)
			assert_int_equal(receive(&r, bytes, 4), cases[i].want);
		expect_nothing(&r);
	}
	tear_down(&r);
}

static void a_short_out_is_no_error(void **state)
{
	struct rig r;
	struct usbip_message m = endpoint(1, false, 4);
	uint32_t seqnum;

	(void)state;
	set_up(&r);
	m.flags = USBIP_SHORT_NOT_OK;
	seqnum = send_message(&r, m, "wxyz");
	assert_int_equal(r.device.pending[0]->endpoint, 0x01);
	assert_memory_equal(r.device.pending[0]->data, "wxyz", 4);
	fake_device_finish(&r.device, 0, USB_ACK, 2);
	expect_submitted(&r, seqnum, 0, 2);
	expect_nothing(&r);
	tear_down(&r);
}

static void the_shorter_length_counts(void **state)
{
	struct rig r;
	uint8_t data[64] = { 0 };

	(void)state;
	set_up(&r);
	send_message(&r, control(FAKE_VENDOR_IN, 8, 4), NULL);
	assert_int_equal(r.device.pending[0]->length, 4);
	assert_int_equal(r.device.pending[0]->setup.length, 4);
	send_message(&r, control(FAKE_VENDOR_OUT, 8, 64), data);
	assert_int_equal(r.device.pending[1]->length, 8);
	assert_int_equal(r.device.pending[1]->setup.length, 8);
	tear_down(&r);
}

static void what_cannot_be_done_is_refused_in_step(void **state)
{
	struct usbip_message isochronous = endpoint(2, false, 32), against = control(FAKE_VENDOR_IN, 8, 8);
	uint8_t bytes[32 + 3 * USBIP_PACKET_BYTES] = { 0 };
	struct rig r;
	uint32_t seqnum;

	(void)state;
	set_up(&r);
	isochronous.packets = 3;
	seqnum = send_message(&r, isochronous, bytes);
	expect_nothing(&r);
	send_bytes(&r, bytes, 3 * USBIP_PACKET_BYTES);
	expect_submitted(&r, seqnum, -22, 0);
	isochronous.in = true;
	seqnum = send_message(&r, isochronous, NULL);
	send_bytes(&r, bytes, 3 * USBIP_PACKET_BYTES);
	expect_submitted(&r, seqnum, -22, 0);
	against.in = false;
	seqnum = send_message(&r, against, bytes);
	expect_submitted(&r, seqnum, -22, 0);
	assert_int_equal(r.device.submits, 0);
	send_message(&r, endpoint(1, true, 1), NULL);
	assert_int_equal(r.device.count, 1);
	tear_down(&r);
}

static void replies_of_one_moment_come_in_order(void **state)
{
	struct rig r;

	(void)state;
	set_up(&r);
	for (unsigned i = 0; i < 5; i++)
		send_message(&r, endpoint(1, true, 1), NULL);
	fake_device_finish(&r.device, 3, USB_STALL, 0);
	fake_device_finish(&r.device, 0, USB_STALL, 0);
	expect_submitted(&r, 4, -32, 0);
	expect_submitted(&r, 1, -32, 0);
	expect_nothing(&r);
	tear_down(&r);
}

/* ---- taking back ---- */

static uint32_t unlink_message(struct rig *r, uint32_t seqnum)
{
	return send_message(r, (struct usbip_message){ .command = USBIP_UNLINK, .unlink = seqnum }, NULL);
}

static void what_is_pending_is_taken_back(void **state)
{
	struct rig r;
	uint32_t one, two, unlinked;

	(void)state;
	set_up(&r);
	one = send_message(&r, endpoint(1, true, 8), NULL);
	two = send_message(&r, endpoint(1, true, 8), NULL);
	unlinked = unlink_message(&r, one);
	expect_message(&r, USBIP_UNLINKED, unlinked, -104, 0);
	assert_int_equal(r.device.cancels, 1);
	assert_int_equal(r.device.count, 1);
	fake_device_finish(&r.device, 0, USB_ACK, 0);
	expect_submitted(&r, two, 0, 0);
	expect_nothing(&r);
	tear_down(&r);
}

static void what_is_done_is_not(void **state)
{
	struct rig r;
	uint32_t one, unlinked;

	(void)state;
	set_up(&r);
	one = send_message(&r, endpoint(1, true, 8), NULL);
	fake_device_finish(&r.device, 0, USB_STALL, 0);
	unlinked = unlink_message(&r, one);
	expect_submitted(&r, one, -32, 0);
	expect_message(&r, USBIP_UNLINKED, unlinked, 0, 0);
	unlinked = unlink_message(&r, 4711);
	expect_message(&r, USBIP_UNLINKED, unlinked, 0, 0);
	assert_int_equal(r.device.cancels, 0);
	tear_down(&r);
}

/* ---- ends ---- */

static void when_the_peer_goes_everything_is_taken_back(void **state)
{
	struct rig r;
	unsigned resets;

	(void)state;
	set_up(&r);
	for (unsigned i = 0; i < 9; i++)
		send_message(&r, endpoint(1, true, 8), NULL);
	assert_int_equal(r.memory.used, 72);
	resets = r.device.resets;
	close(r.peer);
	r.peer = -1;
	steps(&r);
	assert_int_equal(r.over, 1);
	assert_string_equal(r.why, "");
	assert_int_equal(r.device.cancels, 9);
	assert_int_equal(r.device.resets, resets + 1);
	tear_down(&r);
}

static void a_peer_that_half_closes_is_gone_too(void **state)
{
	struct rig r;

	(void)state;
	set_up(&r);
	send_message(&r, endpoint(1, true, 8), NULL);
	assert_int_equal(shutdown(r.peer, SHUT_WR), 0);
	expect_end(&r);
	assert_int_equal(r.over, 1);
	assert_int_equal(r.device.cancels, 1);
	tear_down(&r);
}

static void when_the_device_goes_the_peer_has_all_replies(void **state)
{
	struct rig r;

	(void)state;
	set_up(&r);
	send_message(&r, endpoint(1, true, 8), NULL);
	send_message(&r, endpoint(1, true, 8), NULL);
	fake_device_pull(&r.device);
	assert_int_equal(r.over, 0);
	expect_submitted(&r, 1, -108, 0);
	expect_submitted(&r, 2, -108, 0);
	expect_end(&r);
	/* What it still says is heard by nobody; it has to hang up. */
	assert_int_equal(send(r.peer, "?", 1, MSG_NOSIGNAL), 1);
	steps(&r);
	assert_int_equal(r.over, 0);
	close(r.peer);
	r.peer = -1;
	steps(&r);
	assert_int_equal(r.over, 1);
	tear_down(&r);
}

static void a_peer_that_does_not_hang_up_is_hung_up_on(void **state)
{
	struct rig r;

	(void)state;
	set_up(&r);
	fake_device_pull(&r.device);
	steps(&r);
	assert_int_equal(r.over, 0);
	bench_advance(r.bench, bench_now_us(r.bench) + (uint64_t)(USBIP_LINGER_US * SCALE));
	assert_int_equal(r.over, 1);
	tear_down(&r);
}

static void a_transfer_in_the_hands_of_a_leaving_device_is_answered(void **state)
{
	struct rig r;

	(void)state;
	set_up(&r);
	send_message(&r, endpoint(1, true, 8), NULL);
	r.device.keeps_one = true;
	fake_device_pull(&r.device);
	expect_submitted(&r, 1, -108, 0);
	expect_end(&r);
	fake_device_finish(&r.device, 0, USB_ACK, 0);
	assert_int_equal(r.gone, 1);
	tear_down(&r);
}

static void a_device_that_leaves_in_the_middle_of_a_message_is_no_harm(void **state)
{
	struct rig r;
	struct usbip_message m = endpoint(1, false, 100);
	uint8_t bytes[USBIP_MESSAGE_BYTES + 100] = { 0 };

	(void)state;
	for (size_t cut = 1; cut <= sizeof(bytes); cut += 9) {
		set_up(&r);
		m.devid = DEVID;
		usbip_message_encode(&m, bytes);
		send_bytes(&r, bytes, cut);
		fake_device_pull(&r.device);
		steps(&r);
		tear_down(&r);
	}
}

/* ---- limits ---- */

static void more_than_can_be_kept_is_refused(void **state)
{
	struct rig r;
	uint32_t seqnum;

	(void)state;
	set_up(&r);
	for (unsigned i = 0; i < USBIP_PENDING_MOST; i++)
		send_message(&r, endpoint(1, true, 4), NULL);
	assert_int_equal(r.device.count, USBIP_PENDING_MOST);
	seqnum = send_message(&r, endpoint(1, false, 4), "abcd");
	expect_submitted(&r, seqnum, -12, 0);
	/* It can still get rid of them. */
	seqnum = unlink_message(&r, 1);
	expect_message(&r, USBIP_UNLINKED, seqnum, -104, 0);
	send_message(&r, endpoint(1, false, 4), "abcd");
	assert_int_equal(r.device.count, USBIP_PENDING_MOST);
	tear_down(&r);
}

static void more_bytes_than_can_be_kept_are_refused(void **state)
{
	struct rig r;
	uint32_t seqnum;

	(void)state;
	set_up(&r);
	for (unsigned i = 0; i < USBIP_PENDING_BYTES / USBIP_TRANSFER_MOST; i++)
		send_message(&r, endpoint(1, true, USBIP_TRANSFER_MOST), NULL);
	expect_nothing(&r);
	seqnum = send_message(&r, endpoint(1, true, 1), NULL);
	expect_submitted(&r, seqnum, -12, 0);
	r.memory.used = USBIP_ALL_BYTES;
	seqnum = unlink_message(&r, 1);
	expect_message(&r, USBIP_UNLINKED, seqnum, -104, 0);
	r.memory.used = USBIP_ALL_BYTES; /* others' */
	seqnum = send_message(&r, endpoint(1, true, 1), NULL);
	expect_submitted(&r, seqnum, -12, 0);
	r.memory.used = USBIP_PENDING_BYTES - USBIP_TRANSFER_MOST;
	tear_down(&r);
}

/* Others may have taken all that there is for all: what a DFU tool needs is left. */
static void what_is_a_sessions_own_is_not_taken_by_others(void **state)
{
	struct rig r;
	uint32_t seqnum;

	(void)state;
	set_up(&r);
	r.memory.used = USBIP_ALL_BYTES;
	send_message(&r, endpoint(1, true, USBIP_OWN_BYTES), NULL);
	expect_nothing(&r);
	seqnum = send_message(&r, endpoint(1, true, 1), NULL);
	expect_submitted(&r, seqnum, -12, 0);
	r.memory.used = USBIP_OWN_BYTES;
	tear_down(&r);
}

/* A peer that asks and does not read is not read from for ever: then what it sends stays in the socket. */
static void who_does_not_read_is_not_read_from(void **state)
{
	struct rig r;
	struct usbip_message m = { .command = USBIP_UNLINK, .devid = DEVID };
	uint8_t bytes[USBIP_MESSAGE_BYTES], drain[4096];
	size_t sent = 0, got = 0;
	unsigned idle = 0;

	(void)state;
	set_up(&r);
	usbip_message_encode(&m, bytes);
	while (idle < 100) {
		if (send(r.peer, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(bytes)) {
			sent += sizeof(bytes);
			idle = 0;
		} else {
			idle++;
		}
		assert_int_equal(loop_step(r.loop, 0), 0);
		assert_true(sent < (8u << 20));
	}
	assert_true(sent > USBIP_QUEUE_BYTES);
	assert_int_equal(r.over, 0);
	for (ssize_t n; got < sent; got += (size_t)n) {
		n = receive(&r, drain, sizeof(drain));
		assert_true(n > 0);
	}
	assert_int_equal(got, sent);
	expect_nothing(&r);
	tear_down(&r);
}

static void who_does_not_speak_the_protocol_is_hung_up_on(void **state)
{
	static const struct {
		struct usbip_message message;
		const char *why;
	} cases[] = {
		{ { .command = 9 }, "command 0x00000009: must be 1 to 4" },
		{ { .command = USBIP_SUBMITTED }, "a reply: must be a request" },
		{ { .command = USBIP_UNLINKED }, "a reply: must be a request" },
		{ { .command = USBIP_SUBMIT, .devid = 1 }, "device 0x00000001: must be 0x00010007" },
		{ { .command = USBIP_SUBMIT, .endpoint = 16 }, "endpoint 16: must be at most 15" },
		{ { .command = USBIP_SUBMIT, .length = USBIP_TRANSFER_MOST + 1 },
		  "transfer of 1048577 bytes: must be at most 1048576" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig r;

		set_up(&r);
		send_message(&r, endpoint(1, true, 8), NULL);
		send_message(&r, cases[i].message, NULL);
		assert_int_equal(r.over, 1);
		assert_string_equal(r.why, cases[i].why);
		assert_int_equal(r.device.cancels, 1);
		tear_down(&r);
	}
}

static void what_is_sent_first_goes_out_first(void **state)
{
	struct rig r;
	uint8_t bytes[5];

	(void)state;
	set_up(&r);
	assert_int_equal(usbip_session_send(r.session, (const uint8_t *)"hello", 5), 0);
	send_message(&r, control(0x80, 0, 0), NULL);
	assert_int_equal(receive(&r, bytes, 5), 5);
	assert_memory_equal(bytes, "hello", 5);
	expect_submitted(&r, 1, -32, 0);
	tear_down(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_control_in_brings_its_bytes),
		cmocka_unit_test(a_control_out_takes_its_bytes_in_any_pieces),
		cmocka_unit_test(each_result_has_its_status),
		cmocka_unit_test(a_short_out_is_no_error),
		cmocka_unit_test(the_shorter_length_counts),
		cmocka_unit_test(what_cannot_be_done_is_refused_in_step),
		cmocka_unit_test(replies_of_one_moment_come_in_order),
		cmocka_unit_test(what_is_pending_is_taken_back),
		cmocka_unit_test(what_is_done_is_not),
		cmocka_unit_test(when_the_peer_goes_everything_is_taken_back),
		cmocka_unit_test(a_peer_that_half_closes_is_gone_too),
		cmocka_unit_test(when_the_device_goes_the_peer_has_all_replies),
		cmocka_unit_test(a_peer_that_does_not_hang_up_is_hung_up_on),
		cmocka_unit_test(a_transfer_in_the_hands_of_a_leaving_device_is_answered),
		cmocka_unit_test(a_device_that_leaves_in_the_middle_of_a_message_is_no_harm),
		cmocka_unit_test(more_than_can_be_kept_is_refused),
		cmocka_unit_test(more_bytes_than_can_be_kept_are_refused),
		cmocka_unit_test(what_is_a_sessions_own_is_not_taken_by_others),
		cmocka_unit_test(who_does_not_read_is_not_read_from),
		cmocka_unit_test(who_does_not_speak_the_protocol_is_hung_up_on),
		cmocka_unit_test(what_is_sent_first_goes_out_first),
	};

	return cmocka_run_group_tests_name("usbip_session", tests, NULL, NULL);
}
