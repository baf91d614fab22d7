/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OTG_FS: isochronous endpoints, and the end of each frame's periodic part. Sections are RM0090's (Rev 21). To the host, which knows
 * of them by a descriptor only, the endpoints here are bulk: a packet that nobody takes ends with silence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "bus.h"
#include "otg_bare.h"

#define SEVNFRM B(28)
#define SODDFRM B(29)
#define EONUM B(16)
#define EOPF B(15)
#define ISOODRP B(14)
#define IISOIXFR B(20)
#define INCOMPISOOUT B(21)
#define XFRC B(0)
#define ITTXFE B(4)
#define PKTDRPSTS B(11)
#define NAK B(13)

static void open_isochronous(struct rig *r)
{
	open_addressed(r);
	wr(r, DIEPCTL(1), USBAEP | 1u << 22 | 1u << 18 | 64);
	wr(r, DOEPCTL(1), USBAEP | 1u << 18 | 64);
}

static uint32_t frame(struct rig *r)
{
	return rd(r, R_DSTS) >> 8 & 0x3fff;
}

/* To the beginning of a frame whose number is odd, or even. */
static void to_frame(struct rig *r, bool odd)
{
	uint32_t now = frame(r);

	while (frame(r) == now || (frame(r) & 1) != odd)
		host_sleep(&r->host, 1);
}

static void arm(struct rig *r, uint32_t ctl, unsigned packets, unsigned bytes, bool odd)
{
	wr(r, ctl + 0x10, packets << 19 | bytes);
	wr(r, ctl, (rd(r, ctl) & ~(SEVNFRM | SODDFRM)) | (odd ? SODDFRM : SEVNFRM) | EPENA | CNAK);
}

/* 34.16.4, DIEPCTLx.EONUM; 34.17.6, "Generic isochronous OUT data transfer" */
static void packets_are_taken_in_frames_of_their_parity(void **state)
{
	uint8_t data[64] = { 1, 2, 3 };
	struct rig r;

	(void)state;
	for (unsigned odd = 0; odd < 2; odd++) {
		open_isochronous(&r);
		to_frame(&r, !odd);
		arm(&r, DOEPCTL(1), 1, 64, odd);
		assert_int_equal(!!(rd(&r, DOEPCTL(1)) & EONUM), odd);
		assert_int_equal(rig_transfer(&r, 0x01, data, 3, NULL), USB_SILENT);
		assert_false(rd(&r, R_GINTSTS) & B(4));
		to_frame(&r, odd);
		set(&r, DOEPCTL(1), STALL); /* knows none */
		assert_int_equal(rig_transfer(&r, 0x01, data, 3, NULL), USB_ACK);
		assert_int_equal(take_data(&r, data, 64), 3);
		assert_true(rd(&r, DOEPINT(1)) & XFRC);
		assert_int_equal(rd(&r, DOEPTSIZ(1)), 61); /* RXDPID: DATA0 */
		assert_false(rd(&r, DOEPINT(1)) & NAK);
		/* the host's next packet is DATA1, as it has it */
		to_frame(&r, odd);
		arm(&r, DOEPCTL(1), 1, 64, odd);
		assert_int_equal(rig_transfer(&r, 0x01, data, 3, NULL), USB_ACK);
		take_data(&r, data, 64);
		assert_int_equal(rd(&r, DOEPTSIZ(1)), 2u << 29 | 61);
		rig_close(&r);
	}
}

/* 34.16.2, GINTSTS.ISOODRP */
static void a_packet_without_room_is_dropped(void **state)
{
	uint8_t data[64] = { 0 };
	struct rig r;

	(void)state;
	open_isochronous(&r);
	wr(&r, R_GRXFSIZ, 27);
	to_frame(&r, true);
	arm(&r, DOEPCTL(1), 1, 64, true);
	assert_int_equal(rig_transfer(&r, 0x01, data, 3, NULL), USB_SILENT);
	assert_true(rd(&r, R_GINTSTS) & ISOODRP);
	assert_true(rd(&r, DIEPINT(1)) & PKTDRPSTS);
	assert_int_equal(rd(&r, DOEPTSIZ(1)) >> 19, 1);
	wr(&r, R_GINTSTS, ISOODRP);
	wr(&r, DIEPINT(1), PKTDRPSTS);
	wr(&r, R_GRXFSIZ, 28);
	to_frame(&r, true);
	assert_int_equal(rig_transfer(&r, 0x01, data, 3, NULL), USB_ACK);
	assert_false(rd(&r, R_GINTSTS) & ISOODRP);
	assert_false(rd(&r, DIEPINT(1)) & PKTDRPSTS);
	rig_close(&r);
}

/* 34.17.6, "Generic periodic IN data transfers" */
static void a_token_without_data_has_an_empty_packet(void **state)
{
	uint8_t data[64] = { 1, 2, 3 }, got[64] = { 0 };
	struct rig r;
	size_t n;

	(void)state;
	for (unsigned what = 0; what < 5; what++) {
		static const struct {
			unsigned written, got, packets;
			uint32_t flags;
		} rows[] = {
			{ 8, 8, 0, XFRC },         /* there */
			{ 4, 0, 0, ITTXFE | NAK }, /* not all of it */
			{ 8, 0, 1, 0 },            /* in the next frame */
			{ 8, 0, 1, 0 },            /* with NAK */
			{ 0, 0, 0, ITTXFE | NAK }, /* not enabled */
		};

		open_isochronous(&r);
		to_frame(&r, true);
		print_message("%u\n", what);
		if (what < 4) {
			arm(&r, DIEPCTL(1), 1, 8, what != 2);
			drv_fill(&r, 1, data, rows[what].written);
		}
		if (what == 3)
			set(&r, DIEPCTL(1), SNAK);
		set(&r, DIEPCTL(1), STALL); /* knows none */
		assert_int_equal(rig_transfer(&r, 0x81, got, 64, &n), USB_ACK);
		assert_int_equal(n, rows[what].got);
		if (n)
			assert_memory_equal(got, data, n);
		assert_int_equal(rd(&r, DIEPTSIZ(1)) >> 19, rows[what].packets);
		assert_int_equal(rd(&r, DIEPINT(1)) & (XFRC | ITTXFE | NAK), rows[what].flags);
		rig_close(&r);
	}
}

/* 34.7.2; 34.16.4, DCFG.PFIVL */
static void the_periodic_part_of_a_frame_ends_before_it(void **state)
{
	struct rig r;

	(void)state;
	for (unsigned interval = 0; interval < 4; interval++)
		for (unsigned masked = 0; masked < 2; masked++) {
			open_addressed(&r);
			wr(&r, R_DCFG, (rd(&r, R_DCFG) & ~(3u << 11)) | interval << 11);
			wr(&r, R_GAHBCFG, 1);
			wr(&r, R_GINTMSK, masked ? 0 : EOPF);
			to_frame(&r, true);
			wr(&r, R_GINTSTS, EOPF | B(3));
			host_sleep(&r.host, 799 + 50 * interval);
			assert_false(r.line);
			assert_false(rd(&r, R_GINTSTS) & (EOPF | B(3)));
			host_sleep(&r.host, 1);
			assert_int_equal(r.line, !masked);
			assert_int_equal(rd(&r, R_GINTSTS) & (EOPF | B(3)), EOPF);
			wr(&r, R_GINTSTS, EOPF);
			host_sleep(&r.host, 200 - 50 * interval);
			assert_int_equal(rd(&r, R_GINTSTS) & (EOPF | B(3)), B(3));
			host_sleep(&r.host, 10000);
			assert_int_equal(rd(&r, R_GINTSTS) & (EOPF | B(3)), EOPF | B(3));
			if (masked)
				assert_int_equal(bench_next_us(r.bench), BENCH_NEVER); /* without an event */
			/* none while the bus is silent */
			host_sleep(&r.host, 900);
			bus_suspend((struct bus *)r.host.dev, true);
			wr(&r, R_GINTSTS, EOPF);
			host_sleep(&r.host, 10000);
			assert_false(rd(&r, R_GINTSTS) & EOPF);
			bus_suspend((struct bus *)r.host.dev, false);
			host_sleep(&r.host, 20799 + 50 * interval); /* resume takes 20 ms */
			assert_false(rd(&r, R_GINTSTS) & EOPF);
			host_sleep(&r.host, 1);
			assert_true(rd(&r, R_GINTSTS) & EOPF);
			rig_close(&r);
		}
}

/* 34.16.2, GINTSTS.IISOIXFR and INCOMPISOOUT: told with EOPF, of the endpoints whose frame it is. */
static void a_transfer_that_did_not_take_place_is_told(void **state)
{
	struct rig r;

	(void)state;
	for (unsigned in = 0; in < 2; in++) {
		uint32_t ctl = in ? DIEPCTL(1) : DOEPCTL(1), flag = in ? IISOIXFR : INCOMPISOOUT;

		open_isochronous(&r);
		to_frame(&r, true);
		wr(&r, R_GINTSTS, 0xffffffff);
		arm(&r, ctl, 1, 64, false);
		host_sleep(&r.host, 900);
		assert_false(rd(&r, R_GINTSTS) & flag); /* it is for the next */
		assert_true(rd(&r, R_GINTSTS) & EOPF);
		host_sleep(&r.host, 890);
		assert_false(rd(&r, R_GINTSTS) & flag);
		host_sleep(&r.host, 50);
		assert_true(rd(&r, R_GINTSTS) & flag);
		assert_false(rd(&r, R_GINTSTS) & (IISOIXFR | INCOMPISOOUT) & ~flag);
		assert_true(rd(&r, ctl) & EPENA); /* it stays */
		wr(&r, R_GINTSTS, flag);
		assert_false(rd(&r, R_GINTSTS) & flag);
		set(&r, R_DCTL, B(9));
		take_data(&r, (uint8_t[4]){ 0 }, 4);
		set(&r, ctl, EPDIS | SNAK);
		host_sleep(&r.host, 10000);
		assert_false(rd(&r, R_GINTSTS) & flag);
		assert_int_equal(bench_next_us(r.bench), BENCH_NEVER);
		rig_close(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_taken_in_frames_of_their_parity),
		cmocka_unit_test(a_packet_without_room_is_dropped),
		cmocka_unit_test(a_token_without_data_has_an_empty_packet),
		cmocka_unit_test(the_periodic_part_of_a_frame_ends_before_it),
		cmocka_unit_test(a_transfer_that_did_not_take_place_is_told),
	};

	return cmocka_run_group_tests_name("otg_fs_isochronous", tests, NULL, NULL);
}
