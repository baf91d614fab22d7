// SPDX-License-Identifier: GPL-2.0-or-later
/* usbredir: guests that ask for too much, do not read, or are none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "redir_scene.h"

static void too_many_transfers_are_refused(void **state)
{
	struct fixture *f = with_board(false);
	unsigned refused = 0;

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	for (unsigned i = 0; i < 100; i++)
		bulk(f, 0x81, 1u << 20, NULL);
	for (unsigned i = 0; i < f->guest.answer_count; i++)
		refused += f->guest.answers[i].status == usb_redir_ioerror;
	assert_int_equal(refused, 100 - 15);
	for (unsigned i = 0; i < 2000; i++)
		bulk(f, 0x81, 1, NULL);
	refused = 0;
	for (unsigned i = 0; i < f->guest.answer_count; i++)
		refused += f->guest.answers[i].status == usb_redir_ioerror;
	assert_int_equal(refused, 85 + 2000 - (1024 - 15));
	fixture_free(f);
}

static void guest_that_does_not_read_is_not_read_either(void **state)
{
	struct fixture *f = with_mouse();
	unsigned asked = 0;
	size_t waiting;

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	f->guest.in.room = 0;
	for (; asked < 3000; asked++) {
		struct usb_redir_control_packet_header h = {
			.endpoint = 0x80, .request = 6, .requesttype = 0x80, .value = 0x0100, .length = 18
		};

		usbredirparser_send_control_packet(f->guest.parser, ++f->next_id, &h, NULL, 0);
		usbredirparser_do_write(f->guest.parser);
	}
	for (unsigned i = 0; i < 100; i++) {
		ssize_t used = session_feed(f->session, f->guest.out.bytes, f->guest.out.used);

		assert_true(used >= 0);
		memmove(f->guest.out.bytes, f->guest.out.bytes + used, f->guest.out.used - (size_t)used);
		f->guest.out.used -= (size_t)used;
		assert_int_equal(session_flush(f->session), 1);
	}
	waiting = f->guest.out.used;
	assert_true(waiting > 2500u * 26);
	f->guest.in.room = GUEST_BYTES;
	exchange(f);
	assert_int_equal(f->guest.out.used, 0);
	assert_int_equal(f->guest.answer_count, asked);
	for (unsigned i = 0; i < asked; i++)
		assert_int_equal(f->guest.answers[i].length, 18);
	fixture_free(f);
}

static void device_that_always_has_data_waits_for_the_guest(void **state)
{
	struct fixture *f = with_mouse();
	unsigned submitted;

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	f->moved.reports = 1000;
	f->guest.in.room = 0;
	start_receiving(f, 0x81);
	submitted = f->moved.submitted;
	assert_true(submitted < 300);
	exchange(f);
	assert_int_equal(f->moved.submitted, submitted);
	f->guest.in.room = GUEST_BYTES;
	exchange(f);
	assert_int_equal(f->moved.reports, 0);
	assert_int_equal(f->guest.answer_count, 1002); /* and two statuses */
	fixture_free(f);
}

static void nonsense_ends_the_session(void **state)
{
	static const struct {
		const char *name;
		uint8_t give[24];
		size_t size;
		bool greeted;
		const char *why;
	} cases[] = {
		{ "another protocol", "GET / HTTP/1.1\r\n\r\n", 18, false, "does not begin with a hello" },
		{ "no hello first", { 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, false, "does not begin with a hello" },
		{ "a hello too long", { 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0 }, 12, false, "does not begin with" },
		{ "a hello too short", { 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0 }, 12, false, "length" },
		{ "a second hello", { 0, 0, 0, 0, 68, 0, 0, 0 }, 16, true, "a second hello" },
		{ "127 MiB", { 101, 0, 0, 0, 0, 0, 0xf0, 7 }, 16, true, "bytes: at most" },
		{ "4 GiB", { 101, 0, 0, 0, 0xff, 0xff, 0xff, 0xff }, 16, true, "bytes: at most" },
		{ "an unknown packet", { 77, 0, 0, 0, 0, 0, 0, 0 }, 16, true, "type" },
		{ "a packet for guests", { 1, 0, 0, 0, 10, 0, 0, 0 }, 16, true, "type" },
		{ "a short control packet", { 100, 0, 0, 0, 4, 0, 0, 0 }, 16, true, "length" },
		{ "a reset with data", { 3, 0, 0, 0, 4, 0, 0, 0 }, 16, true, "length" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = with_board(true);
		ssize_t r;

		if (cases[i].greeted) {
			connect_guest(f, GUEST_CAPS_ALL);
		} else {
			guest_init(&f->guest, GUEST_CAPS_ALL);
			f->session = session_new(f->export, &guest_session_ops, &f->guest);
		}
		r = session_feed(f->session, cases[i].give, cases[i].size);
		if (r != -EPROTO || !strstr(session_why(f->session), cases[i].why))
			fail_msg("%s: %zd, '%s'", cases[i].name, r, session_why(f->session));
		fixture_free(f);
	}
}

static void bytes_may_come_one_by_one(void **state)
{
	struct fixture *f = with_board(true);
	struct guest *g = &f->guest;

	(void)state;
	guest_init(g, GUEST_CAPS_ALL);
	f->session = session_new(f->export, &guest_session_ops, g);
	for (unsigned n = 0; n < 2; n++) {
		usbredirparser_do_write(g->parser);
		for (size_t i = 0; i < g->out.used; i++)
			assert_int_equal(session_feed(f->session, g->out.bytes + i, 1), 1);
		g->out.used = 0;
		session_flush(f->session);
		assert_int_equal(guest_look(g), 0);
		if (!n) {
			struct usb_redir_control_packet_header h = {
				.endpoint = 0x80, .request = 6, .requesttype = 0x80, .value = 0x0100, .length = 18
			};

			usbredirparser_send_control_packet(g->parser, 1, &h, NULL, 0);
		}
	}
	pass(f, SECOND / 500);
	assert_int_equal(answer_to(f, 1)->length, 18);
	fixture_free(f);
}

static void peer_that_says_nothing_is_given_up(void **state)
{
	struct fixture *f = with_board(true);
	unsigned ticks = 0;

	(void)state;
	guest_init(&f->guest, GUEST_CAPS_ALL);
	f->session = session_new(f->export, &guest_session_ops, &f->guest);
	assert_true(session_is_waiting(f->session));
	while (!session_tick(f->session) && ticks < 1000)
		ticks++;
	assert_in_range(ticks * SESSION_TICK_MS, 9000, 11000);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_transfers_are_refused),
		cmocka_unit_test(guest_that_does_not_read_is_not_read_either),
		cmocka_unit_test(device_that_always_has_data_waits_for_the_guest),
		cmocka_unit_test(nonsense_ends_the_session),
		cmocka_unit_test(bytes_may_come_one_by_one),
		cmocka_unit_test(peer_that_says_nothing_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
