// SPDX-License-Identifier: GPL-2.0-or-later
/* usbredir: a device, as a guest of libusbredirparser sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "redir_scene.h"

static void device_is_announced_after_hello(void **state)
{
	struct fixture *f = with_board(true);

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	assert_string_equal(f->guest.order, "heiC");
	assert_int_equal(f->guest.device.speed, usb_redir_speed_full);
	assert_int_equal(f->guest.device.vendor_id, 0x0483);
	assert_int_equal(f->guest.device.product_id, 0xdf11);
	assert_int_equal(f->guest.device.device_version_bcd, 0x2200);
	assert_int_equal(f->guest.interfaces.interface_count, 1);
	assert_int_equal(f->guest.interfaces.interface_class[0], 0xfe);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(f->guest.endpoints.type[i], i % 16 ? usb_redir_type_invalid : usb_redir_type_control);
	assert_int_equal(f->guest.endpoints.max_packet_size[0], 64);
	assert_int_equal(f->guest.hellos, 1);
	fixture_free(f);
}

static void nothing_is_announced_before_hello(void **state)
{
	struct fixture *f = with_board(true);

	(void)state;
	guest_init(&f->guest, GUEST_CAPS_ALL);
	f->session = session_new(f->export, &guest_session_ops, &f->guest);
	session_flush(f->session);
	guest_look(&f->guest);
	assert_string_equal(f->guest.order, "h");
	assert_false(session_has_device(f->session));
	fixture_free(f);
}

static void guest_without_capabilities_is_understood(void **state)
{
	struct fixture *f = with_board(true);
	uint64_t id;

	(void)state;
	connect_guest(f, 0);
	assert_string_equal(f->guest.order, "heiC");
	f->next_id = 0x7000; /* ids of 32 bits */
	id = control(f, 0x80, 6, 0x0100, 0, 18, NULL);
	assert_int_equal(answer_to(f, id)->length, 18);
	fixture_free(f);
}

static void control_transfers_are_answered(void **state)
{
	struct fixture *f = with_board(true);
	const struct guest_answer *a;

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	a = answer_to(f, control(f, 0x80, 6, 0x0100, 0, 64, NULL));
	assert_int_equal(a->status, usb_redir_success);
	assert_int_equal(a->length, 18);
	assert_int_equal(a->endpoint, 0x80);
	assert_memory_equal(a->data, "\x12\x01\x00\x01\x00\x00\x00\x40\x83\x04\x11\xdf", 12);
	a = answer_to(f, control(f, 0x80, 6, 0x0900, 0, 64, NULL));
	assert_int_equal(a->status, usb_redir_stall);
	assert_int_equal(a->length, 0);
	fixture_free(f);
}

static void control_packets_that_contradict_themselves_are_invalid(void **state)
{
	static const struct {
		const char *name;
		struct usb_redir_control_packet_header give;
	} cases[] = {
		{ "the address is the controller's", { 0x00, 5, 0x00, 0, 9, 0, 0 } },
		{ "in by endpoint, out by request", { 0x80, 6, 0x00, 0, 0x0100, 0, 18 } },
		{ "out by endpoint, in by request", { 0x00, 6, 0x80, 0, 0x0100, 0, 0 } },
		{ "another endpoint", { 0x81, 6, 0x80, 0, 0x0100, 0, 18 } },
		{ "a strange endpoint", { 0xf0, 6, 0x80, 0, 0x0100, 0, 18 } },
	};
	struct fixture *f = with_board(true);

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct usb_redir_control_packet_header h = cases[i].give;

		usbredirparser_send_control_packet(f->guest.parser, ++f->next_id, &h, NULL, 0);
		exchange(f);
		if (!answer_to(f, f->next_id) || answer_to(f, f->next_id)->status != usb_redir_inval)
			fail_msg("%s", cases[i].name);
	}
	fixture_free(f);
}

static void configuration_and_settings_are_packets_of_their_own(void **state)
{
	struct fixture *f = with_board(true);
	struct usb_redir_get_alt_setting_header get = { .interface = 0 };

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	assert_int_equal(last(f)->type, usb_redir_configuration_status);
	assert_int_equal(last(f)->status, usb_redir_success);
	assert_int_equal(last(f)->value, 1);
	assert_string_equal(f->guest.order, "heiCei");
	usbredirparser_send_get_configuration(f->guest.parser, ++f->next_id);
	exchange(f);
	assert_int_equal(answer_to(f, f->next_id)->value, 1);
	set_alt(f, 0, 3);
	assert_int_equal(last(f)->status, usb_redir_success);
	assert_int_equal(last(f)->value, 3);
	usbredirparser_send_get_alt_setting(f->guest.parser, ++f->next_id, &get);
	exchange(f);
	assert_int_equal(answer_to(f, f->next_id)->status, usb_redir_success);
	assert_int_equal(answer_to(f, f->next_id)->value, 3);
	set_alt(f, 0, 9);
	assert_int_equal(last(f)->status, usb_redir_stall);
	assert_int_equal(last(f)->value, 3);
	configure(f, 7);
	assert_int_equal(last(f)->status, usb_redir_stall);
	assert_int_equal(last(f)->value, 1);
	fixture_free(f);
}

static void endpoints_follow_the_setting(void **state)
{
	struct fixture *f = with_mouse();

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	assert_int_equal(f->guest.endpoints.type[17], usb_redir_type_interrupt);
	assert_int_equal(f->guest.endpoints.interval[17], 1); /* the mouse says 0, which QEMU refuses */
	assert_int_equal(f->guest.endpoints.type[2], usb_redir_type_interrupt);
	configure(f, 1);
	set_alt(f, 0, 1);
	assert_int_equal(last(f)->status, usb_redir_success);
	assert_int_equal(f->guest.endpoints.type[2], usb_redir_type_invalid);
	assert_int_equal(f->guest.endpoints.type[3], usb_redir_type_bulk);
	assert_int_equal(f->guest.interfaces.interface_class[0], 0xff);
	/* As a control transfer like any other, too. */
	control(f, 0x00, 9, 0, 0, 0, NULL);
	assert_int_equal(f->guest.endpoints.type[3], usb_redir_type_invalid);
	assert_int_equal(f->guest.interfaces.interface_count, 0);
	fixture_free(f);
}

static void held_transfer_is_answered_when_it_is_time(void **state)
{
	struct fixture *f = with_board(true);
	uint64_t id;

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	id = hold(f);
	assert_int_equal(answer_to(f, id)->status, usb_redir_success);
	assert_int_equal(answer_to(f, id)->data[4], 5);
	assert_int_equal(mcu_dfu_state(f->mcu), DFU_DNLOAD_IDLE);
	fixture_free(f);
}

static void cancelled_transfer_is_answered_once(void **state)
{
	struct fixture *f = with_board(true);
	uint8_t erase[5] = { 0x41, 0x00, 0x00, 0x00, 0x08 };
	uint64_t id;

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	control(f, 0x21, 4, 0, 0, 0, NULL);
	control(f, 0x21, 1, 0, 0, 5, erase);
	pass(f, SECOND / 1000);
	control(f, 0xa1, 3, 0, 0, 6, NULL);
	id = control(f, 0xa1, 3, 0, 0, 6, NULL); /* the erase has begun: nobody answers */
	assert_null(answer_to(f, id));
	cancel(f, id);
	assert_int_equal(answer_to(f, id)->status, usb_redir_cancelled);
	cancel(f, id);
	cancel(f, 4711);
	pass(f, 5 * SECOND);
	assert_non_null(answer_to(f, id));
	fixture_free(f);
}

static void bus_reset_takes_transfers_back_and_nothing_else(void **state)
{
	struct fixture *f = with_board(true);
	uint8_t erase[5] = { 0x41, 0x00, 0x00, 0x00, 0x08 };
	uint64_t id;

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	control(f, 0x21, 4, 0, 0, 0, NULL);
	control(f, 0x21, 1, 0, 0, 5, erase);
	pass(f, SECOND / 1000);
	control(f, 0xa1, 3, 0, 0, 6, NULL);
	id = control(f, 0xa1, 3, 0, 0, 6, NULL);
	assert_null(answer_to(f, id));
	usbredirparser_send_reset(f->guest.parser);
	exchange(f);
	assert_int_equal(answer_to(f, id)->status, usb_redir_cancelled);
	pass(f, 2 * SECOND);
	assert_int_equal(mcu_mode(f->mcu), MCU_ROM);
	assert_int_equal(f->guest.disconnects, 0);
	usbredirparser_send_get_configuration(f->guest.parser, ++f->next_id);
	exchange(f);
	assert_int_equal(answer_to(f, f->next_id)->value, 0);
	configure(f, 1);
	assert_int_equal(last(f)->status, usb_redir_success);
	fixture_free(f);
}

static void unplugged_device_comes_back_after_the_acknowledgement(void **state)
{
	struct fixture *f = with_board(true);

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	/* The guest's parser acknowledges by itself; its answer is kept back. */
	f->guest.out.room = 0;
	mcu_set_pin(f->mcu, PIN_VBUS, false);
	assert_false(session_has_device(f->session));
	assert_int_equal(f->guest.wakes, 1);
	exchange(f);
	mcu_set_pin(f->mcu, PIN_VBUS, true);
	pass(f, 5 * SECOND);
	assert_string_equal(f->guest.order, "heiCD");
	assert_true(session_is_waiting(f->session));
	f->guest.out.room = GUEST_BYTES;
	exchange(f);
	assert_string_equal(f->guest.order, "heiCDeiC");
	fixture_free(f);
}

static void acknowledgement_is_not_waited_for_for_ever(void **state)
{
	struct fixture *f = with_board(true);

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	f->guest.out.room = 0;
	mcu_set_pin(f->mcu, PIN_VBUS, false);
	mcu_set_pin(f->mcu, PIN_VBUS, true);
	pass(f, 5 * SECOND);
	for (unsigned i = 0; i < 1000 / SESSION_TICK_MS; i++) {
		assert_int_equal(f->guest.connects, 1);
		assert_int_equal(session_tick(f->session), 0);
		exchange(f);
	}
	assert_int_equal(f->guest.connects, 2);
	fixture_free(f);
}

static void transfers_under_way_end_before_the_device_goes(void **state)
{
	struct fixture *f = with_board(true);
	uint8_t erase[5] = { 0x41, 0x00, 0x00, 0x00, 0x08 };
	uint64_t id;

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	control(f, 0x21, 4, 0, 0, 0, NULL);
	control(f, 0x21, 1, 0, 0, 5, erase);
	pass(f, SECOND / 1000);
	control(f, 0xa1, 3, 0, 0, 6, NULL);
	id = control(f, 0xa1, 3, 0, 0, 6, NULL);
	mcu_set_pin(f->mcu, PIN_VBUS, false);
	exchange(f);
	assert_int_equal(answer_to(f, id)->status, usb_redir_ioerror);
	assert_int_equal(f->guest.disconnects, 1);
	id = control(f, 0x80, 6, 0x0100, 0, 18, NULL);
	assert_null(answer_to(f, id)); /* too late for an answer */
	fixture_free(f);
}

static void guest_that_goes_leaves_the_device_reset(void **state)
{
	struct fixture *f = with_board(true);

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	hold(f);
	disconnect_guest(f);
	connect_guest(f, GUEST_CAPS_ALL);
	assert_string_equal(f->guest.order, "heiC");
	usbredirparser_send_get_configuration(f->guest.parser, ++f->next_id);
	exchange(f);
	assert_int_equal(answer_to(f, f->next_id)->value, 0);
	fixture_free(f);
}

static void interrupt_endpoints_are_received(void **state)
{
	struct fixture *f = with_mouse();
	struct usb_redir_stop_interrupt_receiving_header stop = { .endpoint = 0x81 };
	unsigned count;

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	f->moved.reports = 3;
	start_receiving(f, 0x81);
	count = f->guest.answer_count;
	assert_int_equal(f->guest.answers[count - 4].type, usb_redir_interrupt_receiving_status);
	assert_int_equal(f->guest.answers[count - 4].status, usb_redir_success);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(f->guest.answers[count - 3 + i].type, usb_redir_interrupt_packet);
		assert_int_equal(f->guest.answers[count - 3 + i].id, i);
		assert_memory_equal(f->guest.answers[count - 3 + i].data, "\1\2\3\4", 4);
	}
	start_receiving(f, 0x81); /* again: no harm */
	assert_int_equal(last(f)->status, usb_redir_success);
	usbredirparser_send_stop_interrupt_receiving(f->guest.parser, ++f->next_id, &stop);
	exchange(f);
	assert_int_equal(last(f)->id, f->next_id);
	assert_int_equal(last(f)->status, usb_redir_success);
	count = f->guest.answer_count;
	start_receiving(f, 0x81);
	usbredirparser_send_reset(f->guest.parser);
	exchange(f);
	assert_int_equal(f->guest.answer_count, count + 2);
	assert_int_equal(last(f)->status, usb_redir_stall);
	fixture_free(f);
}

static void endpoints_that_are_not_there_are_invalid(void **state)
{
	static const uint8_t endpoints[] = { 0x80, 0x82, 0x01, 0xf1, 0x03, 0x8f };
	struct fixture *f = with_mouse();
	uint8_t data[4] = { 0 };

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	for (size_t i = 0; i < sizeof(endpoints); i++) {
		bool in = (endpoints[i] & 0x80) != 0;
		struct usb_redir_bulk_packet_header bulk = { .endpoint = endpoints[i], .length = 4 };
		struct usb_redir_interrupt_packet_header interrupt = { .endpoint = endpoints[i], .length = 4 };

		start_receiving(f, endpoints[i]);
		assert_int_equal(last(f)->status, usb_redir_inval);
		usbredirparser_send_bulk_packet(f->guest.parser, ++f->next_id, &bulk, in ? NULL : data, in ? 0 : 4);
		exchange(f);
		assert_int_equal(answer_to(f, f->next_id)->status, usb_redir_inval);
		if (in)
			continue;
		usbredirparser_send_interrupt_packet(f->guest.parser, ++f->next_id, &interrupt, data, 4);
		exchange(f);
		assert_int_equal(answer_to(f, f->next_id)->status, usb_redir_inval);
	}
	fixture_free(f);
}

static void interrupt_out_reaches_the_device(void **state)
{
	struct fixture *f = with_mouse();
	struct usb_redir_interrupt_packet_header h = { .endpoint = 0x02, .length = 4 };
	uint8_t data[4] = { 0 };

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	usbredirparser_send_interrupt_packet(f->guest.parser, ++f->next_id, &h, data, 4);
	exchange(f);
	assert_int_equal(answer_to(f, f->next_id)->status, usb_redir_success);
	assert_int_equal(answer_to(f, f->next_id)->length, 4);
	fixture_free(f);
}

static void what_no_device_has_is_refused(void **state)
{
	struct fixture *f = with_mouse();
	struct usb_redir_start_iso_stream_header iso = { .endpoint = 0x81, .pkts_per_urb = 8, .no_urbs = 4 };

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	usbredirparser_send_start_iso_stream(f->guest.parser, ++f->next_id, &iso);
	exchange(f);
	assert_int_equal(answer_to(f, f->next_id)->status, usb_redir_inval);
	fixture_free(f);
}

static void serial_port_echoes(void **state)
{
	struct fixture *f = with_board(false);
	uint64_t in, out;
	uint8_t hello[6] = "hello";

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	assert_int_equal(f->guest.device.product_id, 0x5740);
	configure(f, 1);
	in = bulk(f, 0x81, 64, NULL);
	assert_null(answer_to(f, in));
	out = bulk(f, 0x01, 6, hello);
	pass(f, SECOND);
	assert_int_equal(answer_to(f, out)->status, usb_redir_success);
	assert_int_equal(answer_to(f, in)->length, 6);
	assert_string_equal((const char *)answer_to(f, in)->data, "hello");
	/* More than is lent, by far. */
	assert_int_equal(answer_to(f, bulk(f, 0x81, 2u << 20, NULL))->status, usb_redir_inval);
	fixture_free(f);
}

static void device_that_the_guest_refuses_is_told_about_and_tried_again(void **state)
{
	struct fixture *f = with_board(true);

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	usbredirparser_send_filter_reject(f->guest.parser);
	exchange(f);
	assert_non_null(strstr(f->guest.said, "refuses the device"));
	assert_false(session_has_device(f->session));
	mcu_set_pin(f->mcu, PIN_VBUS, false);
	mcu_set_pin(f->mcu, PIN_VBUS, true);
	pass(f, 5 * SECOND);
	assert_int_equal(f->guest.disconnects, 0);
	assert_int_equal(f->guest.connects, 2);
	assert_true(session_has_device(f->session));
	fixture_free(f);
}

static void device_that_leaves_as_it_is_refused_is_announced_when_it_is_back(void **state)
{
	struct fixture *f = with_mouse();

	(void)state;
	connect_guest(f, GUEST_CAPS_ALL);
	configure(f, 1);
	start_receiving(f, 0x81);
	f->moved.leaves = true;
	usbredirparser_send_filter_reject(f->guest.parser);
	exchange(f);
	assert_non_null(strstr(f->guest.said, "refuses the device"));
	assert_false(f->moved.dev.attached);
	f->moved.leaves = false;
	usbdev_attach(&f->moved.dev, USB_SPEED_IS_FULL);
	pass(f, 5 * SECOND);
	assert_int_equal(f->guest.connects, 2);
	assert_true(session_has_device(f->session));
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_is_announced_after_hello),
		cmocka_unit_test(nothing_is_announced_before_hello),
		cmocka_unit_test(guest_without_capabilities_is_understood),
		cmocka_unit_test(control_transfers_are_answered),
		cmocka_unit_test(control_packets_that_contradict_themselves_are_invalid),
		cmocka_unit_test(configuration_and_settings_are_packets_of_their_own),
		cmocka_unit_test(endpoints_follow_the_setting),
		cmocka_unit_test(held_transfer_is_answered_when_it_is_time),
		cmocka_unit_test(cancelled_transfer_is_answered_once),
		cmocka_unit_test(bus_reset_takes_transfers_back_and_nothing_else),
		cmocka_unit_test(unplugged_device_comes_back_after_the_acknowledgement),
		cmocka_unit_test(acknowledgement_is_not_waited_for_for_ever),
		cmocka_unit_test(transfers_under_way_end_before_the_device_goes),
		cmocka_unit_test(guest_that_goes_leaves_the_device_reset),
		cmocka_unit_test(interrupt_endpoints_are_received),
		cmocka_unit_test(endpoints_that_are_not_there_are_invalid),
		cmocka_unit_test(interrupt_out_reaches_the_device),
		cmocka_unit_test(what_no_device_has_is_refused),
		cmocka_unit_test(serial_port_echoes),
		cmocka_unit_test(device_that_the_guest_refuses_is_told_about_and_tried_again),
		cmocka_unit_test(device_that_leaves_as_it_is_refused_is_announced_when_it_is_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
