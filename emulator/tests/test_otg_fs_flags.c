/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OTG_FS: when flags of endpoints rise, and what EPENA and the counts do meanwhile. Sections are RM0090's (Rev 21). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "bus.h"
#include "otg_bare.h"

#define XFRC B(0)
#define OUT_OTEPDIS B(4)
#define OUT_STSPHSRX B(5)
#define OUT_B2BSTUP B(6)
#define OUT_BERR B(12)
#define IN_ITTXFE B(4)
#define IN_INEPNE B(6)
#define NAK B(13)

static void give_up(struct rig *r, struct host_urb *u)
{
	r->host.dev->ops->cancel(r->host.dev, &u->urb);
	host_sleep(&r->host, WIRE_US);
}

static void arm_out(struct rig *r, unsigned n, unsigned packets, unsigned bytes)
{
	wr(r, DOEPTSIZ(n), packets << 19 | bytes | (n ? 0 : 3u << 29));
	set(r, DOEPCTL(n), EPENA | CNAK);
}

static void arm_in(struct rig *r, unsigned n, unsigned packets, unsigned bytes)
{
	wr(r, DIEPTSIZ(n), packets << 19 | bytes);
	set(r, DIEPCTL(n), EPENA | CNAK);
}

static unsigned pop_status(struct rig *r)
{
	return rd(r, R_GRXSTSP) >> 17 & 0xf;
}

/* 34.17.6, "Generic non-isochronous OUT data transfers", 5 to 7 */
static void an_out_transfer_ends_when_its_word_is_popped(void **state)
{
	uint8_t data[64] = { 0 };
	struct rig r;

	(void)state;
	open_addressed(&r);
	arm_out(&r, 1, 1, 64);
	assert_int_equal(rig_transfer(&r, 0x01, data, 64, NULL), USB_ACK);
	assert_int_equal(rd(&r, DOEPCTL(1)) & (EPENA | NAKSTS), EPENA | NAKSTS);
	assert_int_equal(rd(&r, DOEPTSIZ(1)), 64);
	assert_int_equal(pop_status(&r), 2);
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(rd(&r, DOEPTSIZ(1)), 64); /* of the packet, or of nothing */
		rd(&r, FIFO(1));
	}
	assert_int_equal(rd(&r, DOEPTSIZ(1)), 0);
	assert_true(rd(&r, DOEPCTL(1)) & EPENA);
	assert_false(rd(&r, DOEPINT(1)) & XFRC);
	assert_int_equal(rd(&r, 0x01c), 3u << 17 | 1 | (rd(&r, 0x01c) & 0xfu << 21)); /* DPID is 0 in it */
	assert_int_equal(pop_status(&r), 3);
	assert_false(rd(&r, DOEPCTL(1)) & EPENA);
	assert_true(rd(&r, DOEPINT(1)) & XFRC);
	/* firmware that does not wait for the word has its next transfer all the same */
	arm_out(&r, 1, 1, 64);
	assert_int_equal(rig_transfer(&r, 0x01, data, 4, NULL), USB_ACK);
	assert_int_equal(pop_status(&r), 2);
	rd(&r, FIFO(1));
	arm_out(&r, 1, 1, 64);
	assert_int_equal(pop_status(&r), 3);
	assert_true(rd(&r, DOEPCTL(1)) & EPENA);
	assert_int_equal(rig_transfer(&r, 0x01, data, 4, NULL), USB_ACK);
	rig_close(&r);
}

/* 34.17.6, "SETUP transactions": internal data flow, 5 */
static void a_setup_stage_ends_when_its_word_is_popped(void **state)
{
	struct host_urb u;
	uint8_t data[8] = { 0 };
	struct rig r;

	(void)state;
	open_addressed(&r);
	arm_out(&r, 0, 1, 64);
	assert_false(rd(&r, DIEPINT(0)) & IN_INEPNE);
	host_submit(&r.host, &u, (struct usb_setup){ 0x40, 1, 0, 0, 8 }, data);
	host_sleep(&r.host, 4 * WIRE_US);
	assert_true(rd(&r, DIEPINT(0)) & IN_INEPNE); /* the core's NAK is one (34.16.4, DIEPINTx) */
	assert_int_equal(pop_status(&r), 6);
	rd(&r, FIFO(0));
	rd(&r, FIFO(0));
	assert_true(rd(&r, DOEPCTL(0)) & EPENA);
	assert_false(rd(&r, DOEPINT(0)) & OUT_OTEPDIS);
	assert_int_equal(pop_status(&r), 4);
	assert_false(rd(&r, DOEPCTL(0)) & EPENA);
	assert_true(rd(&r, DOEPINT(0)) & B(3));
	set(&r, DIEPCTL(0), CNAK);
	assert_false(rd(&r, DIEPINT(0)) & IN_INEPNE);
	/* the host asks on, and finds it not enabled now */
	host_sleep(&r.host, WIRE_US);
	assert_true(rd(&r, DOEPINT(0)) & OUT_OTEPDIS);
	give_up(&r, &u);
	rig_close(&r);
}

/* 34.16.4, DOEPINTx.STSPHSRX */
static void the_status_stage_of_a_control_write_is_seen(void **state)
{
	struct host_urb u;
	uint8_t data[8] = { 0 }, got[32];
	struct rig r;

	(void)state;
	open_addressed(&r);
	host_submit(&r.host, &u, (struct usb_setup){ 0x40, 1, 0, 0, 8 }, data);
	host_sleep(&r.host, WIRE_US);
	take_data(&r, got, 8);
	arm_out(&r, 0, 1, 64);
	host_sleep(&r.host, 4 * WIRE_US); /* data is in the FIFO, and IN tokens come */
	assert_false(rd(&r, DOEPINT(0)) & OUT_STSPHSRX);
	assert_int_equal(take_data(&r, got, 8), 8);
	host_sleep(&r.host, WIRE_US);
	assert_true(rd(&r, DOEPINT(0)) & OUT_STSPHSRX);
	wr(&r, DOEPINT(0), OUT_STSPHSRX);
	host_sleep(&r.host, WIRE_US);
	assert_false(rd(&r, DOEPINT(0)) & OUT_STSPHSRX); /* once */
	arm_in(&r, 0, 1, 0);
	assert_true(host_wait(&r.host, &u, 1000));
	assert_int_equal(u.urb.result, USB_ACK);
	/* a request without data has none */
	wr(&r, DOEPINT(0), 0xffff);
	host_submit(&r.host, &u, (struct usb_setup){ 0x40, 1, 0, 0, 0 }, NULL);
	host_sleep(&r.host, 4 * WIRE_US);
	take_data(&r, got, 8);
	assert_false(rd(&r, DOEPINT(0)) & OUT_STSPHSRX);
	give_up(&r, &u);
	rig_close(&r);
}

/* 34.17.6, "Handling more than three back-to-back SETUP packets" */
static void a_fourth_setup_packet_is_one_too_many(void **state)
{
	struct host_urb u;
	uint8_t data[64] = { 0 };
	struct rig r;

	(void)state;
	open_addressed(&r);
	wr(&r, DOEPTSIZ(0), 1u << 29);
	for (unsigned i = 0; i < 4; i++) {
		assert_false(rd(&r, DOEPINT(0)) & OUT_B2BSTUP);
		host_submit(&r.host, &u, (struct usb_setup){ 0x40, 1, 0, 0, 64 }, data);
		host_sleep(&r.host, i ? 70 : 20);
		r.host.dev->ops->cancel(r.host.dev, &u.urb); /* data that is under way is lost */
		assert_int_equal(rd(&r, DOEPTSIZ(0)) >> 29, 0);
	}
	assert_true(rd(&r, DOEPINT(0)) & OUT_B2BSTUP);
	wr(&r, DOEPINT(0), OUT_B2BSTUP);
	/* a token in between begins anew */
	host_submit(&r.host, &u, (struct usb_setup){ 0x40, 1, 0, 0, 64 }, data);
	host_sleep(&r.host, 4 * WIRE_US);
	give_up(&r, &u);
	wr(&r, DOEPINT(0), OUT_B2BSTUP);
	host_submit(&r.host, &u, (struct usb_setup){ 0x40, 1, 0, 0, 64 }, data);
	host_sleep(&r.host, 4 * WIRE_US);
	assert_false(rd(&r, DOEPINT(0)) & OUT_B2BSTUP);
	give_up(&r, &u);
	rig_close(&r);
}

/* 34.16.4, DIEPINTx and DOEPINTx: NAK; it comes again as long as the host asks. */
static void each_nak_is_told(void **state)
{
	static const uint32_t flags[] = { DIEPINT(1), DOEPINT(1) };
	uint8_t data[64] = { 0 };
	struct rig r;

	(void)state;
	open_addressed(&r);
	for (unsigned i = 0; i < 2; i++) {
		struct host_urb u;

		assert_false(rd(&r, flags[i]) & NAK);
		rig_submit(&r, &u, i ? 0x01 : 0x81, data, 64);
		host_sleep(&r.host, 2 * WIRE_US);
		assert_true(rd(&r, flags[i]) & NAK);
		wr(&r, flags[i], NAK);
		assert_false(rd(&r, flags[i]) & NAK);
		host_sleep(&r.host, 2 * WIRE_US);
		assert_true(rd(&r, flags[i]) & NAK);
		assert_false(rd(&r, DOEPINT(1)) & OUT_OTEPDIS); /* of control endpoints alone */
		give_up(&r, &u);
		wr(&r, flags[i], NAK);
		host_sleep(&r.host, 2 * WIRE_US);
		assert_false(rd(&r, flags[i]) & NAK);
	}
	wr(&r, R_DIEPMSK, NAK);
	wr(&r, R_DOEPMSK, NAK | OUT_BERR);
	assert_int_equal(rig_transfer(&r, 0x81, data, 64, NULL), USB_CANCELLED);
	assert_int_equal(rd(&r, R_DAINT), B(1));
	wr(&r, DIEPINT(1), NAK);
	/* babble is none of it */
	wr(&r, DOEPCTL(1), USBAEP | 2u << 18 | 63);
	assert_int_equal(rig_transfer(&r, 0x01, data, 64, NULL), USB_SILENT);
	assert_true(rd(&r, DOEPINT(1)) & OUT_BERR);
	assert_false(rd(&r, DOEPINT(1)) & NAK);
	assert_int_equal(rd(&r, R_DAINT), B(17));
	rig_close(&r);
}

/* 34.17.6, "Generic non-periodic IN data transfers", 6 to 8; "Generic periodic IN data transfers", 4 */
static void an_in_token_finds_the_fifo_empty(void **state)
{
	uint8_t data[64] = { 0 };
	struct host_urb u;
	struct rig r;

	(void)state;
	open_addressed(&r);
	set(&r, DIEPCTL(1), SNAK);
	rig_submit(&r, &u, 0x81, data, 64);
	host_sleep(&r.host, 2 * WIRE_US);
	assert_false(rd(&r, DIEPINT(1)) & IN_ITTXFE); /* not with NAK */
	set(&r, DIEPCTL(1), CNAK);
	host_sleep(&r.host, 2 * WIRE_US);
	assert_true(rd(&r, DIEPINT(1)) & IN_ITTXFE);
	arm_in(&r, 1, 1, 64);
	wr(&r, DIEPINT(1), IN_ITTXFE);
	host_sleep(&r.host, 2 * WIRE_US);
	assert_false(rd(&r, DIEPINT(1)) & IN_ITTXFE); /* the core knows that a packet is to come */
	drv_fill(&r, 1, data, 64);
	assert_true(host_wait(&r.host, &u, 1000));
	assert_true(rd(&r, DIEPINT(1)) & XFRC);
	/* an empty packet is one */
	wr(&r, DIEPINT(1), 0xffff);
	arm_in(&r, 1, 1, 0);
	assert_int_equal(rig_transfer(&r, 0x81, data, 64, NULL), USB_ACK);
	assert_int_equal(rd(&r, DIEPINT(1)) & (XFRC | IN_ITTXFE), XFRC);
	/* interrupt: what counts is the whole packet */
	wr(&r, DIEPCTL(1), USBAEP | SD0PID | 1u << 22 | 3u << 18 | 64);
	set(&r, DIEPCTL(1), SNAK);
	wr(&r, R_GRSTCTL, B(5) | 1u << 6);
	wr(&r, DIEPINT(1), 0xffff);
	rig_submit(&r, &u, 0x81, data, 64);
	arm_in(&r, 1, 1, 8);
	drv_fill(&r, 1, data, 4);
	host_sleep(&r.host, 2 * WIRE_US);
	assert_true(rd(&r, DIEPINT(1)) & IN_ITTXFE);
	give_up(&r, &u);
	rig_close(&r);
}

/* 34.17.6, "Generic non-periodic IN data transfers", 8: both counts have to be 0. */
static void an_in_transfer_ends_with_both_counts(void **state)
{
	uint8_t data[64] = { 0 };
	struct rig r;

	(void)state;
	open_addressed(&r);
	arm_in(&r, 1, 1, 70);
	drv_fill(&r, 1, data, 64);
	assert_int_equal(rig_transfer(&r, 0x81, data, 64, NULL), USB_ACK);
	assert_int_equal(rd(&r, DIEPTSIZ(1)), 6);
	assert_true(rd(&r, DIEPCTL(1)) & EPENA);
	assert_false(rd(&r, DIEPINT(1)) & XFRC);
	assert_int_equal(rig_transfer(&r, 0x81, data, 64, NULL), USB_CANCELLED);
	rig_close(&r);
}

/* 34.16.4, DCTL.GINSTS: of endpoints that are not periodic */
static void global_in_nak_is_not_for_periodic_endpoints(void **state)
{
	uint8_t data[64] = { 0 };
	struct rig r;

	(void)state;
	open_addressed(&r);
	set(&r, R_DCTL, B(7));
	for (unsigned type = 2; type <= 3; type++) {
		wr(&r, R_GRSTCTL, B(5) | 1u << 6);
		wr(&r, DIEPCTL(1), USBAEP | SD0PID | 1u << 22 | type << 18 | 64);
		arm_in(&r, 1, 1, 4);
		drv_fill(&r, 1, data, 4);
		assert_int_equal(rig_transfer(&r, 0x81, data, 64, NULL), type == 2 ? USB_CANCELLED : USB_ACK);
	}
	rig_close(&r);
}

/* 34.16.4, DSTS.SUSPSTS and DCTL.RWUSIG; 34.5.2 */
static void resume_that_nobody_hears_ends_in_silence(void **state)
{
	struct rig r;

	(void)state;
	open_addressed(&r);
	set(&r, R_DCTL, B(0)); /* nobody sleeps */
	clear(&r, R_DCTL, B(0));
	otg_fs_vbus(r.otg, false); /* which nobody looks at */
	wr(&r, R_GINTSTS, 0xffffffff);
	for (unsigned i = 0; i < 2; i++) {
		host_sleep(&r.host, 3000);
		assert_int_equal(rd(&r, R_GINTSTS) & (B(10) | B(11) | B(31)), B(10));
		assert_false(rd(&r, R_DSTS) & B(0));
		host_sleep(&r.host, 3000);
		assert_int_equal(rd(&r, R_GINTSTS) & (B(10) | B(11) | B(31)), B(10) | B(11));
		assert_true(rd(&r, R_DSTS) & B(0));
		wr(&r, R_GINTSTS, 0xffffffff);
		host_sleep(&r.host, 10000);
		assert_false(rd(&r, R_GINTSTS) & (B(10) | B(11)));
		set(&r, R_DCTL, B(0));
		assert_false(rd(&r, R_DSTS) & B(0));
		clear(&r, R_DCTL, B(0));
	}
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_out_transfer_ends_when_its_word_is_popped),
		cmocka_unit_test(a_setup_stage_ends_when_its_word_is_popped),
		cmocka_unit_test(the_status_stage_of_a_control_write_is_seen),
		cmocka_unit_test(a_fourth_setup_packet_is_one_too_many),
		cmocka_unit_test(each_nak_is_told),
		cmocka_unit_test(an_in_token_finds_the_fifo_empty),
		cmocka_unit_test(an_in_transfer_ends_with_both_counts),
		cmocka_unit_test(global_in_nak_is_not_for_periodic_endpoints),
		cmocka_unit_test(resume_that_nobody_hears_ends_in_silence),
	};

	return cmocka_run_group_tests_name("otg_fs_flags", tests, NULL, NULL);
}
