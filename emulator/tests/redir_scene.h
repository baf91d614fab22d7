/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A board, a serial port or a mouse, and a guest behind usbredir that uses it, for tests with cmocka. */
#ifndef DFUBENCH_TESTS_REDIR_SCENE_H
#define DFUBENCH_TESTS_REDIR_SCENE_H

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
	bool leaves; /* when a transfer is taken back */
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

static inline void say_nothing(void *context, const char *line)
{
	(void)context, (void)line;
}

static inline void probe_nothing(void *context, struct usbdev *device, bool on)
{
	(void)context, (void)device, (void)on;
}

static inline void ready(void *context, const struct usb_description *d)
{
	struct fixture *f = context;

	(void)d;
	if (f->session)
		session_attach(f->session);
}

static inline void gone(void *context)
{
	struct fixture *f = context;

	if (f->session)
		session_detach(f->session);
}

static inline void complete(void *context, struct usb_urb *urb)
{
	session_complete(((struct fixture *)context)->session, urb);
}

static const struct export_ops export_ops = { .ready = ready, .gone = gone, .complete = complete };

/* Both ways, until nobody has anything to say. */
static inline void pump(struct fixture *f)
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

static inline void pass(struct fixture *f, uint64_t us)
{
	bench_advance(f->bench, bench_now_us(f->bench) + us);
	pump(f);
}

/* What the guest has sent, and the answer unless the board holds it. */
static inline void exchange(struct fixture *f)
{
	pump(f);
	pass(f, SECOND / 500);
}

static inline void connect_guest(struct fixture *f, uint32_t caps)
{
	guest_init(&f->guest, caps);
	f->session = session_new(f->export, &guest_session_ops, &f->guest);
	assert_non_null(f->session);
	f->failed = 0;
	pump(f);
}

static inline void disconnect_guest(struct fixture *f)
{
	session_free(f->session);
	f->session = NULL;
	guest_free(&f->guest);
}

static inline struct fixture *fixture_new(void)
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

static inline void export_it(struct fixture *f, struct usbdev *dev)
{
	f->export = export_new(&f->env, dev, 1, &export_ops, f);
	assert_non_null(f->export);
	bench_advance(f->bench, bench_now_us(f->bench) + 5 * SECOND);
	assert_non_null(export_description(f->export));
}

/* boot0: as ROM, else as the serial port. */
static inline struct fixture *with_board(bool boot0)
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

static inline void moved_submit(struct usbdev *dev, struct usb_urb *urb)
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

static inline void moved_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct moved *m = (struct moved *)dev;

	m->below->ops->cancel(m->below, urb);
	if (m->leaves)
		usbdev_detach(dev);
}

static inline void moved_reset(struct usbdev *dev)
{
	struct moved *m = (struct moved *)dev;

	m->below->ops->bus_reset(m->below);
}

static const struct usbdev_ops moved_ops = { .submit = moved_submit, .cancel = moved_cancel, .bus_reset = moved_reset };

static inline struct moved *moved_of(struct usbhost *host)
{
	return (struct moved *)((char *)host - offsetof(struct moved, host));
}

static inline void below_completes(struct usbhost *host, struct usb_urb *urb)
{
	usbdev_complete(&moved_of(host)->dev, urb, urb->result, urb->actual);
}

static inline void below_attaches(struct usbhost *host, struct usbdev *dev)
{
	usbdev_attach(&moved_of(host)->dev, dev->speed);
}

static inline void below_detaches(struct usbhost *host, struct usbdev *dev)
{
	(void)dev;
	usbdev_detach(&moved_of(host)->dev);
}

static const struct usbhost_ops below_ops = { .complete = below_completes,
					      .attach = below_attaches,
					      .detach = below_detaches };

static inline struct fixture *with_mouse(void)
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

static inline void fixture_free(struct fixture *f)
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
static inline uint64_t control(struct fixture *f, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
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

static inline const struct guest_answer *answer_to(const struct fixture *f, uint64_t id)
{
	const struct guest_answer *found = NULL;

	for (unsigned i = 0; i < f->guest.answer_count; i++)
		if (f->guest.answers[i].id == id) {
			assert_null(found); /* exactly once */
			found = &f->guest.answers[i];
		}
	return found;
}

static inline const struct guest_answer *last(const struct fixture *f)
{
	assert_int_not_equal(f->guest.answer_count, 0);
	return &f->guest.answers[f->guest.answer_count - 1];
}

static inline void configure(struct fixture *f, uint8_t value)
{
	struct usb_redir_set_configuration_header h = { .configuration = value };

	usbredirparser_send_set_configuration(f->guest.parser, ++f->next_id, &h);
	exchange(f);
}

static inline void set_alt(struct fixture *f, uint8_t interface, uint8_t alt)
{
	struct usb_redir_set_alt_setting_header h = { .interface = interface, .alt = alt };

	usbredirparser_send_set_alt_setting(f->guest.parser, ++f->next_id, &h);
	exchange(f);
}

static inline void cancel(struct fixture *f, uint64_t id)
{
	usbredirparser_send_cancel_data_packet(f->guest.parser, id);
	exchange(f);
}

/* CLRSTATUS, then a page erase whose GETSTATUS the ROM holds. Its id. */
static inline uint64_t hold(struct fixture *f)
{
	uint8_t erase[5] = { 0x41, 0x00, 0x00, 0x00, 0x08 };

	control(f, 0x21, 4, 0, 0, 0, NULL);
	control(f, 0x21, 1, 0, 0, 5, erase);
	pass(f, SECOND / 10);
	control(f, 0xa1, 3, 0, 0, 6, NULL);
	pass(f, SECOND);
	return control(f, 0xa1, 3, 0, 0, 6, NULL);
}

static inline void start_receiving(struct fixture *f, uint8_t endpoint)
{
	struct usb_redir_start_interrupt_receiving_header h = { .endpoint = endpoint };

	usbredirparser_send_start_interrupt_receiving(f->guest.parser, ++f->next_id, &h);
	exchange(f);
}

static inline uint64_t bulk(struct fixture *f, uint8_t endpoint, uint32_t length, uint8_t *data)
{
	struct usb_redir_bulk_packet_header h = { .endpoint = endpoint,
						  .length = (uint16_t)length,
						  .length_high = (uint16_t)(length >> 16) };

	usbredirparser_send_bulk_packet(f->guest.parser, ++f->next_id, &h, data, data ? (int)length : 0);
	exchange(f);
	return f->next_id;
}

#endif
