/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OTG_FS: FIFOs, flow, stopping, toggles, suspend and frames. Sections are RM0090's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "bus.h"
#include "otg_bare.h"

static void arm_out(struct rig *r, unsigned packets)
{
	wr(r, DOEPTSIZ(1), packets << 19 | packets * 64);
	set(r, DOEPCTL(1), EPENA | CNAK);
}

static void arm_in(struct rig *r, unsigned packets, unsigned bytes)
{
	wr(r, DIEPTSIZ(1), packets << 19 | bytes);
	set(r, DIEPCTL(1), EPENA | CNAK);
}

/* 34.13.1, 34.17.6: what does not fit into the receive FIFO is NAKed and comes again. */
static void out_data_waits_for_room(void **state)
{
	uint8_t sent[256], got[256];
	struct host_urb u;
	struct rig r;

	(void)state;
	open_addressed(&r);
	for (unsigned i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)i;
	arm_out(&r, 4);
	rig_submit(&r, &u, 0x01, sent, sizeof(sent));
	host_sleep(&r.host, 10000);
	/* 64 words: 17 for each packet, and 10 are kept for SETUP packets */
	assert_int_equal(rd(&r, DOEPTSIZ(1)) >> 19, 1);
	assert_int_equal(u.urb.actual, 192);
	assert_int_equal(u.completions, 0);
	assert_int_equal(bench_next_us(r.bench), BENCH_NEVER);
	assert_int_equal(rd(&r, R_GRXSTSP) & 0x7fff, 64 << 4 | 1);
	drv_drain(&r, got, 64);
	assert_true(host_wait(&r.host, &u, 1000));
	assert_int_equal(u.urb.result, USB_ACK);
	assert_int_equal(rd(&r, DOEPTSIZ(1)), 192); /* XFRSIZ: what has not been read */
	assert_false(rd(&r, DOEPINT(1)) & B(0));
	assert_int_equal(take_data(&r, got + 64, 192), 192);
	assert_memory_equal(got, sent, 256);
	assert_true(rd(&r, DOEPINT(1)) & B(0));
	assert_int_equal(rd(&r, DOEPTSIZ(1)), 0);
	assert_false(rd(&r, DOEPCTL(1)) & EPENA);
	assert_true(rd(&r, DOEPCTL(1)) & NAKSTS);
	/* SETUP packets find room when no data does */
	arm_out(&r, 4);
	rig_submit(&r, &u, 0x01, sent, sizeof(sent));
	host_sleep(&r.host, 10000);
	for (unsigned i = 0; i < 3; i++) {
		struct host_urb v;

		host_submit(&r.host, &v, (struct usb_setup){ 0xc0, 1, 0, 0, 8 }, got);
		host_sleep(&r.host, WIRE_US);
		r.host.dev->ops->cancel(r.host.dev, &v.urb);
	}
	assert_int_equal(rd(&r, DOEPTSIZ(0)) >> 29, 0);
	assert_false(rd(&r, DOEPINT(0)) & B(6));
	rig_close(&r);
}

static void a_short_packet_ends_an_out_transfer(void **state)
{
	static const unsigned lengths[] = { 0, 1, 63 };
	uint8_t data[64] = { 0 };
	struct rig r;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		open_addressed(&r);
		arm_out(&r, 4);
		assert_int_equal(rig_transfer(&r, 0x01, data, lengths[i], NULL), USB_ACK);
		assert_int_equal(take_data(&r, data, 64), lengths[i]);
		assert_true(rd(&r, DOEPINT(1)) & B(0));
		assert_int_equal(rd(&r, DOEPTSIZ(1)), 3u << 19 | (256 - lengths[i]));
		rig_close(&r);
	}
}

/* 34.16.4, DIEPTSIZx: XFRSIZ counts packets that are written, PKTCNT packets that are sent. */
static void in_data_is_counted_into_the_fifo_and_out_of_it(void **state)
{
	uint8_t data[64] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, got[64];
	struct host_urb u;
	struct rig r;

	(void)state;
	open_addressed(&r);
	wr(&r, DIEPCTL(1), USBAEP | SD0PID | 1u << 22 | 3u << 18 | 10);
	arm_in(&r, 3, 22);
	rig_submit(&r, &u, 0x81, got, 22);
	host_sleep(&r.host, WIRE_US);
	drv_fill(&r, 1, data, 8);
	host_sleep(&r.host, 1000);
	assert_int_equal(rd(&r, DIEPTSIZ(1)), 3u << 19 | 22); /* of a packet, or of nothing */
	assert_int_equal(u.urb.actual, 0);
	assert_true(rd(&r, DIEPINT(1)) & B(4)); /* the host asked while it was empty */
	drv_fill(&r, 1, data + 8, 2);
	assert_int_equal(rd(&r, DIEPTSIZ(1)), 3u << 19 | 12);
	assert_int_equal(rd(&r, DTXFSTS(1)), 13);
	host_sleep(&r.host, 1000);
	assert_int_equal(u.completions, 1); /* short, as the host sees it: bulk of 64 */
	assert_int_equal(u.urb.actual, 10);
	assert_memory_equal(got, data, 10);
	assert_int_equal(rd(&r, DIEPTSIZ(1)), 2u << 19 | 12);
	assert_int_equal(rd(&r, DTXFSTS(1)), 16);
	assert_false(rd(&r, DIEPINT(1)) & B(0));
	drv_fill(&r, 1, data, 10);
	drv_fill(&r, 1, data, 2);
	assert_int_equal(rd(&r, DIEPTSIZ(1)), 2u << 19);
	assert_int_equal(rig_transfer(&r, 0x81, got, 22, NULL), USB_ACK);
	assert_int_equal(rig_transfer(&r, 0x81, got, 22, NULL), USB_ACK);
	assert_true(rd(&r, DIEPINT(1)) & B(0));
	assert_false(rd(&r, DIEPCTL(1)) & EPENA);
	rig_close(&r);
}

/* Data that was written into a FIFO too small for it does not go out; a flush makes the endpoint work again. */
static void words_beyond_a_fifo_are_lost(void **state)
{
	uint8_t data[64] = { 0 }, got[64];
	struct host_urb u;
	struct rig r;

	(void)state;
	open_addressed(&r);
	wr(&r, 0x104, 15u << 16 | 80);
	arm_in(&r, 1, 64);
	drv_fill(&r, 1, data, 64);
	assert_int_equal(rd(&r, DTXFSTS(1)), 0);
	assert_int_equal(rd(&r, DIEPTSIZ(1)), 1u << 19);
	rig_submit(&r, &u, 0x81, got, 64);
	host_sleep(&r.host, 100000);
	assert_int_equal(u.completions, 0);
	set(&r, DIEPCTL(1), SNAK);
	assert_true(rd(&r, DIEPINT(1)) & B(6));
	set(&r, DIEPCTL(1), EPDIS);
	assert_true(rd(&r, DIEPINT(1)) & B(1));
	assert_false(rd(&r, DIEPCTL(1)) & EPENA);
	wr(&r, R_GRSTCTL, B(5) | 1u << 6);
	wr(&r, 0x104, 16u << 16 | 80);
	arm_in(&r, 1, 64);
	assert_false(rd(&r, DIEPINT(1)) & B(6)); /* cleared by CNAK */
	for (unsigned i = 0; i < 64; i++)
		data[i] = (uint8_t)(i + 1);
	drv_fill(&r, 1, data, 64);
	assert_true(host_wait(&r.host, &u, 1000));
	assert_memory_equal(got, data, 64);
	/* with NAK it waits */
	set(&r, DIEPCTL(1), SNAK);
	wr(&r, DIEPTSIZ(1), B(19) | 5);
	set(&r, DIEPCTL(1), EPENA);
	drv_fill(&r, 1, data, 5);
	rig_submit(&r, &u, 0x81, got, 64);
	host_sleep(&r.host, 1000);
	assert_int_equal(u.completions, 0);
	set(&r, DIEPCTL(1), CNAK);
	assert_true(host_wait(&r.host, &u, 1000));
	assert_int_equal(u.urb.actual, 5);
	/* without a FIFO */
	wr(&r, 0x104, 0);
	arm_in(&r, 1, 4);
	drv_fill(&r, 1, data, 4);
	rig_submit(&r, &u, 0x81, got, 64);
	host_sleep(&r.host, 1000);
	assert_int_equal(u.completions, 0);
	/* beyond the RAM */
	wr(&r, 0x104, 0xffffffff);
	assert_int_equal(rd(&r, DTXFSTS(1)), 0xffff);
	drv_fill(&r, 1, data, 4);
	assert_true(host_wait(&r.host, &u, 1000));
	assert_memory_equal(got, data, 4);
	rig_close(&r);
}

static void fifos_that_overlap_spoil_each_other(void **state)
{
	uint8_t data[64], other[64], got[64];
	struct rig r;

	(void)state;
	open_addressed(&r);
	memset(data, 0x11, sizeof(data));
	memset(other, 0x22, sizeof(other));
	wr(&r, 0x108, 16u << 16 | 88); /* over the second half of FIFO 1 */
	wr(&r, DIEPCTL(2), USBAEP | 2u << 22 | 2u << 18 | 64);
	arm_in(&r, 1, 64);
	drv_fill(&r, 1, data, 64);
	drv_fill(&r, 2, other, 64);
	assert_int_equal(rig_transfer(&r, 0x81, got, 64, NULL), USB_ACK);
	assert_memory_equal(got, data, 32);
	assert_memory_equal(got + 32, other, 32);
	assert_int_equal(rd(&r, 0x20000 + 4 * 88), 0x22222222); /* the RAM can be looked at */
	rig_close(&r);
}

/* 34.17.6, "Disabling an OUT endpoint" */
static void an_out_endpoint_is_disabled_under_global_nak_alone(void **state)
{
	struct host_urb u;
	uint8_t data[64];
	struct rig r;

	(void)state;
	open_addressed(&r);
	arm_out(&r, 2);
	rig_submit(&r, &u, 0x01, data, 64);
	host_sleep(&r.host, 1000);
	set(&r, DOEPCTL(1), SNAK | EPDIS);
	assert_int_equal(rd(&r, DOEPCTL(1)) & (EPENA | EPDIS), EPENA | EPDIS);
	assert_false(rd(&r, DOEPINT(1)) & B(1));
	set(&r, R_DCTL, B(9));
	assert_true(rd(&r, R_DCTL) & B(3));
	assert_false(rd(&r, R_GINTSTS) & B(7)); /* what came before is in the FIFO still */
	assert_int_equal(take_data(&r, data, 64), 64);
	assert_true(rd(&r, R_GINTSTS) & B(7));
	assert_true(rd(&r, DOEPINT(1)) & B(1));
	assert_false(rd(&r, DOEPCTL(1)) & (EPENA | EPDIS));
	assert_true(rd(&r, DOEPCTL(1)) & NAKSTS);
	wr(&r, R_GINTSTS, B(7)); /* read-only */
	assert_true(rd(&r, R_GINTSTS) & B(7));
	/* another, while it lasts: at once */
	wr(&r, DOEPINT(1), B(1));
	arm_out(&r, 1);
	rig_submit(&r, &u, 0x01, data, 64);
	host_sleep(&r.host, 1000);
	assert_int_equal(u.completions, 0);
	set(&r, DOEPCTL(1), EPDIS);
	assert_true(rd(&r, DOEPINT(1)) & B(1));
	set(&r, R_DCTL, B(10));
	assert_false(rd(&r, R_GINTSTS) & B(7));
	assert_int_equal(u.completions, 0);
	arm_out(&r, 1);
	assert_true(host_wait(&r.host, &u, 1000));
	/* a flush of the FIFO takes what nobody has read */
	assert_true(rd(&r, R_GINTSTS) & B(4));
	wr(&r, R_GRSTCTL, B(4));
	assert_false(rd(&r, R_GINTSTS) & B(4));
	assert_int_equal(rd(&r, R_GRXSTSP), 0);
	/* endpoint 0 has no way to be disabled */
	wr(&r, DOEPTSIZ(0), B(19) | 64);
	set(&r, DOEPCTL(0), EPENA | CNAK);
	set(&r, R_DCTL, B(9));
	rd(&r, R_GRXSTSP);
	set(&r, DOEPCTL(0), EPDIS);
	assert_true(rd(&r, DOEPCTL(0)) & EPENA);
	assert_false(rd(&r, DOEPINT(0)) & B(1));
	rig_close(&r);
}

/* The word of global OUT NAK waits for room as well. */
static void global_out_nak_finds_the_fifo_full(void **state)
{
	struct host_urb u;
	uint8_t data[64];
	struct rig r;

	(void)state;
	open_addressed(&r);
	wr(&r, R_GRXFSIZ, 3);
	host_submit(&r.host, &u, (struct usb_setup){ 0xc0, 1, 0, 0, 8 }, data);
	host_sleep(&r.host, 14);
	set(&r, R_DCTL, B(9));
	take_data(&r, data, 64); /* SETUP took all three words */
	assert_true(rd(&r, R_GINTSTS) & B(7));
	r.host.dev->ops->cancel(r.host.dev, &u.urb);
	set(&r, R_DCTL, B(10));
	wr(&r, R_GRXFSIZ, 1);
	set(&r, R_DCTL, B(9));
	set(&r, R_DCTL, B(10));
	set(&r, R_DCTL, B(9)); /* the first word is in it still */
	assert_false(rd(&r, R_GINTSTS) & B(7));
	rd(&r, R_GRXSTSP);
	rd(&r, R_GRXSTSP);
	assert_true(rd(&r, R_GINTSTS) & B(7));
	assert_false(rd(&r, R_GINTSTS) & B(4));
	rig_close(&r);
}

static void a_stall_goes_before_nak(void **state)
{
	uint8_t data[64];
	struct rig r;

	(void)state;
	open_addressed(&r);
	set(&r, DOEPCTL(1), STALL | SNAK);
	set(&r, DIEPCTL(1), STALL | SNAK);
	set(&r, R_DCTL, B(7) | B(9));
	assert_int_equal(rig_transfer(&r, 0x01, data, 64, NULL), USB_STALL);
	assert_int_equal(rig_transfer(&r, 0x81, data, 64, NULL), USB_STALL);
	/* what is larger than the endpoint takes is none of its packets */
	set(&r, R_DCTL, B(8) | B(10));
	wr(&r, DOEPCTL(1), USBAEP | 2u << 18 | 63);
	arm_out(&r, 1);
	assert_int_equal(rig_transfer(&r, 0x01, data, 64, NULL), USB_SILENT);
	/* an endpoint that is not active does not answer at all */
	wr(&r, DOEPCTL(1), CNAK | 64);
	wr(&r, DIEPCTL(1), CNAK | 64);
	assert_int_equal(rig_transfer(&r, 0x01, data, 64, NULL), USB_SILENT);
	assert_int_equal(rig_transfer(&r, 0x81, data, 64, NULL), USB_SILENT);
	assert_int_equal(rig_transfer(&r, 0x04, data, 64, NULL), USB_SILENT);
	assert_int_equal(rig_transfer(&r, 0x8f, data, 64, NULL), USB_SILENT);
	rig_close(&r);
}

/* Firmware that does not begin with DATA0 where the host does loses a packet, as on a real bus. */
static void toggles_that_do_not_agree_lose_a_packet(void **state)
{
	uint8_t data[64] = { 0 }, got[64];
	struct host_urb u;
	struct rig r;

	(void)state;
	open_addressed(&r);
	wr(&r, DOEPCTL(1), rd(&r, DOEPCTL(1)) | B(29)); /* SD1PID */
	assert_true(rd(&r, DOEPCTL(1)) & B(16));
	arm_out(&r, 1);
	assert_int_equal(rig_transfer(&r, 0x01, data, 5, NULL), USB_ACK);
	assert_int_equal(take_data(&r, got, 64), 0);
	assert_int_equal(rig_transfer(&r, 0x01, data, 6, NULL), USB_ACK);
	assert_int_equal(take_data(&r, got, 64), 6);
	set(&r, DIEPCTL(1), B(29));
	rig_submit(&r, &u, 0x81, got, 64);
	arm_in(&r, 1, 3);
	drv_fill(&r, 1, data, 3);
	host_sleep(&r.host, 1000);
	assert_true(rd(&r, DIEPINT(1)) & B(0)); /* sent, as the device has it */
	assert_int_equal(u.completions, 0);
	arm_in(&r, 1, 2);
	drv_fill(&r, 1, data, 2);
	assert_true(host_wait(&r.host, &u, 1000));
	assert_int_equal(u.urb.actual, 2);
	rig_close(&r);
}

/* A transfer is over for the firmware when the host has acknowledged it, not before. */
static void a_packet_is_sent_when_it_is_acknowledged(void **state)
{
	uint8_t data[64] = { 7 }, got[64];
	struct host_urb u;
	struct rig r;

	(void)state;
	open_addressed(&r);
	host_sleep(&r.host, 1000);
	rig_submit(&r, &u, 0x81, got, 64);
	arm_in(&r, 1, 64);
	drv_fill(&r, 1, data, 64);
	host_sleep(&r.host, 50);
	assert_false(rd(&r, DIEPINT(1)) & B(0));
	assert_int_equal(rd(&r, DTXFSTS(1)), 0);
	host_sleep(&r.host, 2);
	assert_true(rd(&r, DIEPINT(1)) & B(0));
	assert_int_equal(u.completions, 1);
	/* the firmware thinks better of it in the middle: the host has it all the same */
	rig_submit(&r, &u, 0x81, got, 64);
	arm_in(&r, 1, 64);
	drv_fill(&r, 1, data, 64);
	host_sleep(&r.host, 30);
	set(&r, DIEPCTL(1), SNAK);
	set(&r, DIEPCTL(1), EPDIS);
	wr(&r, R_GRSTCTL, B(5) | 1u << 6);
	wr(&r, DIEPINT(1), 0xff);
	host_sleep(&r.host, 30);
	assert_int_equal(u.completions, 1);
	assert_false(rd(&r, DIEPINT(1)) & B(0));
	assert_int_equal(rd(&r, DTXFSTS(1)), 16);
	rig_close(&r);
}

static void send_three(struct rig *r)
{
	r->on_sync = NULL;
	arm_in(r, 1, 3);
	drv_fill(r, 1, (const uint8_t[]){ 4, 5, 6 }, 3);
}

static void leave(struct rig *r)
{
	r->on_sync = NULL;
	set(r, R_DCTL, B(1));
}

/* What it has done until now counts for the packet. */
static void firmware_is_brought_up_to_date_before_each_packet(void **state)
{
	static const uint8_t three[] = { 4, 5, 6 };
	uint8_t got[64] = { 0 };
	struct host_urb u;
	struct rig r;

	(void)state;
	open_addressed(&r);
	r.syncs = 0;
	r.on_sync = send_three;
	rig_submit(&r, &u, 0x81, got, 64);
	assert_int_equal(r.syncs, 0); /* not within the host's call */
	host_sleep(&r.host, 20);
	assert_int_equal(u.urb.result, USB_ACK);
	assert_int_equal(u.completions, 1);
	assert_memory_equal(got, three, 3);
	assert_int_equal(r.syncs, 2); /* token and acknowledgement */
	arm_out(&r, 1);
	assert_int_equal(rig_transfer(&r, 0x01, got, 3, NULL), USB_ACK);
	assert_int_equal(r.syncs, 3);
	assert_int_equal(take_data(&r, got, 64), 3);
	set(&r, R_GINTMSK, B(3));
	host_sleep(&r.host, 1000);
	assert_int_equal(r.syncs, 4);
	clear(&r, R_GINTMSK, B(3));
	bus_suspend((struct bus *)r.host.dev, true);
	host_sleep(&r.host, 5000);
	assert_int_equal(r.syncs, 6); /* silence, and 3 ms of it: it might be suspended */
	bus_suspend((struct bus *)r.host.dev, false);
	assert_int_equal(r.syncs, 7);
	r.host.dev->ops->bus_reset(r.host.dev);
	assert_int_equal(r.syncs, 7);
	host_sleep(&r.host, 30000);
	assert_int_equal(r.syncs, 9);
	rd(&r, R_GINTSTS);
	wr(&r, R_DCFG, 0);
	assert_int_equal(r.syncs, 9); /* the firmware's own doing needs none */
	/* it has left: there is nobody to see the packet */
	r.on_sync = leave;
	host_submit(&r.host, &u, (struct usb_setup){ 0x80, 6, 0x0100, 0, 18 }, got);
	assert_true(host_wait(&r.host, &u, 1000));
	assert_int_equal(u.urb.result, USB_GONE);
	assert_false(r.host.attached);
	assert_false(rd(&r, R_GINTSTS) & B(4));
	rig_close(&r);
}

/* At once, not when the host comes next. */
static void the_line_rises_with_the_packet(void **state)
{
	uint8_t data[64] = { 0 }, got[64];
	struct host_urb u;
	struct rig r;

	(void)state;
	open_addressed(&r);
	wr(&r, R_GAHBCFG, 1);
	wr(&r, R_GINTMSK, B(4) | B(18) | B(11) | B(12) | B(13) | B(31));
	wr(&r, R_DIEPMSK, B(0));
	assert_false(r.line);
	arm_out(&r, 1);
	assert_int_equal(rig_transfer(&r, 0x01, data, 64, NULL), USB_ACK);
	assert_true(r.line);
	take_data(&r, got, 64);
	assert_false(r.line);
	arm_in(&r, 1, 64);
	drv_fill(&r, 1, data, 64);
	assert_int_equal(rig_transfer(&r, 0x81, got, 64, NULL), USB_ACK);
	assert_true(r.line);
	wr(&r, DIEPINT(1), B(0));
	assert_false(r.line);
	host_sleep(&r.host, 10);
	host_submit(&r.host, &u, (struct usb_setup){ 0xc0, 1, 0, 0, 8 }, data);
	host_sleep(&r.host, 13);
	assert_false(r.line);
	host_sleep(&r.host, 1);
	assert_true(r.line);
	host_sleep(&r.host, 100);
	take_data(&r, got, 64);
	r.host.dev->ops->bus_reset(r.host.dev);
	host_sleep(&r.host, 0);
	assert_true(r.line);
	wr(&r, R_GINTSTS, B(12));
	assert_false(r.line);
	host_sleep(&r.host, 10000);
	assert_true(r.line);
	wr(&r, R_GINTSTS, B(13));
	assert_false(r.line);
	bus_suspend((struct bus *)r.host.dev, true);
	host_sleep(&r.host, 5999);
	assert_false(r.line);
	host_sleep(&r.host, 1);
	assert_true(r.line);
	wr(&r, R_GINTSTS, B(11));
	bus_suspend((struct bus *)r.host.dev, false);
	assert_true(r.line);
	wr(&r, R_GINTSTS, B(31));
	assert_false(r.line);
	bus_suspend((struct bus *)r.host.dev, true); /* not for long enough */
	host_sleep(&r.host, 5000);
	bus_suspend((struct bus *)r.host.dev, false);
	host_sleep(&r.host, 5000);
	assert_false(r.line);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_data_waits_for_room),
		cmocka_unit_test(a_short_packet_ends_an_out_transfer),
		cmocka_unit_test(in_data_is_counted_into_the_fifo_and_out_of_it),
		cmocka_unit_test(words_beyond_a_fifo_are_lost),
		cmocka_unit_test(fifos_that_overlap_spoil_each_other),
		cmocka_unit_test(an_out_endpoint_is_disabled_under_global_nak_alone),
		cmocka_unit_test(global_out_nak_finds_the_fifo_full),
		cmocka_unit_test(a_stall_goes_before_nak),
		cmocka_unit_test(toggles_that_do_not_agree_lose_a_packet),
		cmocka_unit_test(a_packet_is_sent_when_it_is_acknowledged),
		cmocka_unit_test(firmware_is_brought_up_to_date_before_each_packet),
		cmocka_unit_test(the_line_rises_with_the_packet),
	};

	return cmocka_run_group_tests_name("otg_fs_data", tests, NULL, NULL);
}
