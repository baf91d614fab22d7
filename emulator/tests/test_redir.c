// SPDX-License-Identifier: GPL-2.0-or-later
/* usbredir: a board, a serial port and a mouse, as a guest of libusbredirparser sees them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "bench.h"
#include "cdc.h"
#include "fixed.h"
#include "mcu.h"
#include "redir_guest.h"

#define SECOND UINT64_C(1000000)

/* An interrupt endpoint in, one out, and a bulk endpoint in the second setting. */
static const char mouse_text[] = "device 12 01 00 02 00 00 00 40 6d 04 77 c0 00 72 00 00 00 01\n"
				 "configuration 09 02 37 00 01 01 00 a0 31\n"
				 " 09 04 00 00 02 03 01 02 00 07 05 81 03 04 00 00 07 05 02 03 40 00 0a\n"
				 " 09 04 00 01 02 ff 01 02 00 07 05 81 03 04 00 0a 07 05 03 02 40 00 00\n";

/* The mouse does not move by itself: between it and the export. */
struct moved {
	struct usbdev dev; /* first */
	struct usbhost host;
	struct usbdev *below;
	unsigned reports; /* that it still has */
	unsigned submitted;
};

struct fixture {
	struct bench *bench;
	struct front_env env;
	struct mcu *mcu;
	struct cdc_app *app;
	struct fixed_descriptors *descriptors;
	struct fixed *mouse;
	struct moved moved;
	struct export *export;
	struct session *session; /* NULL: not connected */
	struct guest guest;
	int failed; /* of session_feed() */
	uint64_t next_id;
};

static void say_nothing(void *context, const char *line)
{
	(void)context, (void)line;
}

static void probe_nothing(void *context, struct usbdev *device, bool on)
{
	(void)context, (void)device, (void)on;
}

static void ready(void *context, const struct usb_description *d)
{
	struct fixture *f = context;

	(void)d;
	if (f->session)
		session_attach(f->session);
}

static void gone(void *context)
{
	struct fixture *f = context;

	if (f->session)
		session_detach(f->session);
}

static void complete(void *context, struct usb_urb *urb)
{
	session_complete(((struct fixture *)context)->session, urb);
}

static const struct export_ops export_ops = { .ready = ready, .gone = gone, .complete = complete };

/* Both ways, until nobody has anything to say. */
static void pump(struct fixture *f)
{
	struct guest *g = &f->guest;

	for (unsigned rounds = 0; rounds < 100; rounds++) {
		size_t before = g->out.used + g->in.used;
		ssize_t used;

		usbredirparser_do_write(g->parser);
		used = session_feed(f->session, g->out.bytes, g->out.used);
		if (used < 0) {
			f->failed = (int)used;
			return;
		}
		memmove(g->out.bytes, g->out.bytes + used, g->out.used - (size_t)used);
		g->out.used -= (size_t)used;
		before += session_flush(f->session) > 0;
		if (guest_look(g))
			fail_msg("the guest does not understand: %s", g->said);
		if (!before && !g->out.used && !usbredirparser_has_data_to_write(g->parser))
			return;
	}
}

static void pass(struct fixture *f, uint64_t us)
{
	bench_advance(f->bench, bench_now_us(f->bench) + us);
	pump(f);
}

/* What the guest has sent, and the answer unless the board holds it. */
static void exchange(struct fixture *f)
{
	pump(f);
	pass(f, SECOND / 500);
}

static void connect_guest(struct fixture *f, uint32_t caps)
{
	guest_init(&f->guest, caps);
	f->session = session_new(f->export, &guest_session_ops, &f->guest);
	assert_non_null(f->session);
	f->failed = 0;
	pump(f);
}

static void disconnect_guest(struct fixture *f)
{
	session_free(f->session);
	f->session = NULL;
	guest_free(&f->guest);
}

static struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->bench = bench_new(1);
	assert_non_null(f->bench);
	f->env = (struct front_env){
		.bench = f->bench, .warn = say_nothing, .note = say_nothing, .probe = probe_nothing
	};
	f->next_id = UINT64_C(0x100000001);
	return f;
}

static void export_it(struct fixture *f, struct usbdev *dev)
{
	f->export = export_new(&f->env, dev, 1, &export_ops, f);
	assert_non_null(f->export);
	bench_advance(f->bench, bench_now_us(f->bench) + 5 * SECOND);
	assert_non_null(export_description(f->export));
}

/* boot0: as ROM, else as the serial port. */
static struct fixture *with_board(bool boot0)
{
	static const uint8_t vectors[8] = { 0x00, 0x00, 0x02, 0x20, 0x89, 0x01, 0x00, 0x08 };
	struct fixture *f = fixture_new();

	f->mcu = mcu_new(f->bench, mcu_profile_find("f407"),
			 &(struct mcu_identity){ { 0x002e0040, 0x30365105, 0x32343735 } });
	f->app = cdc_app_new(CDC_STM32_VCP, "326237753036");
	assert_non_null(f->mcu);
	assert_non_null(f->app);
	mcu_set_app(f->mcu, &cdc_app_ops, f->app);
	assert_int_equal(flash_load(mcu_flash(f->mcu), 0, vectors, sizeof(vectors)), 0);
	mcu_set_pin(f->mcu, PIN_BOOT0, boot0);
	mcu_set_pin(f->mcu, PIN_VBUS, true);
	mcu_set_pin(f->mcu, PIN_VDD, true);
	bench_advance(f->bench, 3 * SECOND);
	export_it(f, mcu_usb(f->mcu));
	return f;
}

static void moved_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct moved *m = (struct moved *)dev;

	m->submitted++;
	if (urb->endpoint == 0x81 && m->reports) {
		m->reports--;
		memcpy(urb->data, "\1\2\3\4", 4);
		usbdev_complete(dev, urb, USB_ACK, 4);
		return;
	}
	m->below->ops->submit(m->below, urb);
}

static void moved_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct moved *m = (struct moved *)dev;

	m->below->ops->cancel(m->below, urb);
}

static void moved_reset(struct usbdev *dev)
{
	struct moved *m = (struct moved *)dev;

	m->below->ops->bus_reset(m->below);
}

static const struct usbdev_ops moved_ops = { .submit = moved_submit, .cancel = moved_cancel, .bus_reset = moved_reset };

static struct moved *moved_of(struct usbhost *host)
{
	return (struct moved *)((char *)host - offsetof(struct moved, host));
}

static void below_completes(struct usbhost *host, struct usb_urb *urb)
{
	usbdev_complete(&moved_of(host)->dev, urb, urb->result, urb->actual);
}

static void below_attaches(struct usbhost *host, struct usbdev *dev)
{
	usbdev_attach(&moved_of(host)->dev, dev->speed);
}

static void below_detaches(struct usbhost *host, struct usbdev *dev)
{
	(void)dev;
	usbdev_detach(&moved_of(host)->dev);
}

static const struct usbhost_ops below_ops = { .complete = below_completes,
					      .attach = below_attaches,
					      .detach = below_detaches };

static struct fixture *with_mouse(void)
{
	struct fixture *f = fixture_new();
	struct fixed_error error;

	if (fixed_parse(mouse_text, sizeof(mouse_text) - 1, &f->descriptors, &error))
		fail_msg("%u:%u: %s", error.line, error.column, error.text);
	f->mouse = fixed_new(f->descriptors);
	assert_non_null(f->mouse);
	f->moved.dev.ops = &moved_ops;
	f->moved.host.ops = &below_ops;
	f->moved.below = fixed_usbdev(f->mouse);
	usbdev_connect(f->moved.below, &f->moved.host);
	fixed_plug(f->mouse);
	export_it(f, &f->moved.dev);
	return f;
}

static void fixture_free(struct fixture *f)
{
	if (f->session)
		disconnect_guest(f);
	export_free(f->export);
	mcu_free(f->mcu);
	cdc_app_free(f->app);
	fixed_free(f->mouse);
	fixed_descriptors_free(f->descriptors);
	assert_int_equal(bench_pending(f->bench), 0);
	bench_free(f->bench);
	free(f);
}

/* A control packet; its id. */
static uint64_t control(struct fixture *f, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
			uint16_t length, void *data)
{
	struct usb_redir_control_packet_header h = { .endpoint = type & 0x80,
						     .request = request,
						     .requesttype = type,
						     .value = value,
						     .index = index,
						     .length = length };
	bool in = (type & 0x80) != 0;

	usbredirparser_send_control_packet(f->guest.parser, ++f->next_id, &h, in ? NULL : data, in ? 0 : length);
	exchange(f);
	return f->next_id;
}

static const struct guest_answer *answer_to(const struct fixture *f, uint64_t id)
{
	const struct guest_answer *found = NULL;

	for (unsigned i = 0; i < f->guest.answer_count; i++)
		if (f->guest.answers[i].id == id) {
			assert_null(found); /* exactly once */
			found = &f->guest.answers[i];
		}
	return found;
}

static const struct guest_answer *last(const struct fixture *f)
{
	assert_int_not_equal(f->guest.answer_count, 0);
	return &f->guest.answers[f->guest.answer_count - 1];
}

static void configure(struct fixture *f, uint8_t value)
{
	struct usb_redir_set_configuration_header h = { .configuration = value };

	usbredirparser_send_set_configuration(f->guest.parser, ++f->next_id, &h);
	exchange(f);
}

static void set_alt(struct fixture *f, uint8_t interface, uint8_t alt)
{
	struct usb_redir_set_alt_setting_header h = { .interface = interface, .alt = alt };

	usbredirparser_send_set_alt_setting(f->guest.parser, ++f->next_id, &h);
	exchange(f);
}

static void cancel(struct fixture *f, uint64_t id)
{
	usbredirparser_send_cancel_data_packet(f->guest.parser, id);
	exchange(f);
}

/* CLRSTATUS, then a page erase whose GETSTATUS the ROM holds. Its id. */
static uint64_t hold(struct fixture *f)
{
	uint8_t erase[5] = { 0x41, 0x00, 0x00, 0x00, 0x08 };

	control(f, 0x21, 4, 0, 0, 0, NULL);
	control(f, 0x21, 1, 0, 0, 5, erase);
	pass(f, SECOND / 10);
	control(f, 0xa1, 3, 0, 0, 6, NULL);
	pass(f, SECOND);
	return control(f, 0xa1, 3, 0, 0, 6, NULL);
}

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

static void start_receiving(struct fixture *f, uint8_t endpoint)
{
	struct usb_redir_start_interrupt_receiving_header h = { .endpoint = endpoint };

	usbredirparser_send_start_interrupt_receiving(f->guest.parser, ++f->next_id, &h);
	exchange(f);
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

static uint64_t bulk(struct fixture *f, uint8_t endpoint, uint32_t length, uint8_t *data)
{
	struct usb_redir_bulk_packet_header h = { .endpoint = endpoint,
						  .length = (uint16_t)length,
						  .length_high = (uint16_t)(length >> 16) };

	usbredirparser_send_bulk_packet(f->guest.parser, ++f->next_id, &h, data, data ? (int)length : 0);
	exchange(f);
	return f->next_id;
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
		cmocka_unit_test(too_many_transfers_are_refused),
		cmocka_unit_test(guest_that_does_not_read_is_not_read_either),
		cmocka_unit_test(device_that_always_has_data_waits_for_the_guest),
		cmocka_unit_test(nonsense_ends_the_session),
		cmocka_unit_test(bytes_may_come_one_by_one),
		cmocka_unit_test(peer_that_says_nothing_is_given_up),
		cmocka_unit_test(device_that_the_guest_refuses_is_told_about_and_tried_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
