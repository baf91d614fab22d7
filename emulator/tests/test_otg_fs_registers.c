/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OTG_FS register by register, without firmware: sections are RM0090's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "otg_bare.h"

static void registers_have_their_reset_values(void **state)
{
	static const struct {
		uint32_t offset, want;
	} rows[] = {
		{ 0x000, 0x00010000 }, { 0x004, 0 },          { 0x008, 0 },          { 0x00c, 0x00000a40 },
		{ 0x010, 0x80000000 }, { 0x014, 0x04000020 }, { 0x018, 0 },          { 0x01c, 0 },
		{ 0x020, 0 },          { 0x024, 0x00000200 }, { 0x028, 0x00000200 }, { 0x02c, 0x00080200 },
		{ 0x038, 0 },          { 0x03c, 0x00001200 }, { 0x040, 0x4f54281a }, { 0x044, 0 },
		{ 0x048, 0x229dcd20 }, { 0x04c, 0x020001e8 }, { 0x050, 0x0ff08030 }, { 0x100, 0x02000400 },
		{ 0x104, 0x02000200 }, { 0x108, 0x02000200 }, { 0x10c, 0x02000200 }, { 0x800, 0x02200000 },
		{ 0x804, 0 },          { 0x808, 0x00000010 }, { 0x810, 0 },          { 0x814, 0 },
		{ 0x818, 0 },          { 0x81c, 0 },          { 0x828, 0x000017d7 }, { 0x82c, 0x000005b8 },
		{ 0x834, 0 },          { 0x900, 0x00008000 }, { 0x908, 0x00000080 }, { 0x910, 0 },
		{ 0x918, 0x00000200 }, { 0x920, 0 },          { 0x928, 0x00000080 }, { 0x930, 0 },
		{ 0x938, 0x00000200 }, { 0xb00, 0x00008000 }, { 0xb08, 0x00000080 }, { 0xb10, 0 },
		{ 0xb20, 0 },          { 0xb28, 0x00000080 }, { 0xb30, 0 },          { 0xe00, 0 },
	};
	struct rig r;

	(void)state;
	rig_open_bare(&r);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("0x%03x\n", rows[i].offset);
		assert_int_equal(rd(&r, rows[i].offset), rows[i].want);
	}
	assert_int_equal(r.unknown, 0);
	for (uint32_t offset = 0; offset < 0x1000; offset += 4)
		wr(&r, offset, 0xffffffff);
	otg_fs_reset(r.otg);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].offset == 0x014)
			continue;
		print_message("0x%03x\n", rows[i].offset);
		assert_int_equal(rd(&r, rows[i].offset), rows[i].want);
	}
	assert_false(r.line);
	rig_close(&r);
}

static void registers_keep_what_they_are_for(void **state)
{
	static const struct {
		uint32_t offset, want;
	} rows[] = {
		{ 0x000, 0x00010e02 }, { 0x008, 0x00000181 }, { 0x00c, 0xe0003f47 }, { 0x018, 0xf73cfcfe },
		{ 0x024, 0x0000ffff }, { 0x028, 0xffffffff }, { 0x038, 0x003d0000 }, { 0x03c, 0xffffffff },
		{ 0x040, 0x4f54281a }, { 0x044, 0 },          { 0x048, 0x229dcd20 }, { 0x04c, 0x020001e8 },
		{ 0x050, 0x0ff08030 }, { 0x100, 0xffffffff }, { 0x104, 0xffffffff }, { 0x10c, 0xffffffff },
		{ 0x110, 0 },          { 0x800, 0x02201ff7 }, { 0x810, 0x0000207b }, { 0x814, 0x0000317b },
		{ 0x81c, 0xffffffff }, { 0x828, 0x0000ffff }, { 0x82c, 0x00000fff }, { 0x834, 0x0000ffff },
		{ 0x838, 0 },          { 0x83c, 0 },          { 0x910, 0x0018007f }, { 0x930, 0x7fffffff },
		{ 0xb10, 0x6008007f }, { 0xb30, 0x7fffffff }, { 0xe00, 0x00000013 }, { 0x20004, 0xffffffff },
	};
	struct rig r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("0x%03x\n", rows[i].offset);
		rig_open_bare(&r);
		wr(&r, rows[i].offset, 0xffffffff);
		assert_int_equal(rd(&r, rows[i].offset) & ~(rows[i].offset ? 0 : B(19)), rows[i].want);
		assert_int_equal(rd(&r, rows[i].offset + 3), rd(&r, rows[i].offset)); /* words are what there is */
		otg_fs_vbus(r.otg, false);
		rig_close(&r);
	}
	rig_open_bare(&r);
	wr(&r, DIEPCTL(0), 0x10bfffff & ~STALL);
	assert_int_equal(rd(&r, DIEPCTL(0)), 0x00808003 | (rd(&r, DIEPCTL(0)) & 0x03000000));
	assert_int_equal(rd(&r, DOEPCTL(0)), 0x00008003); /* its size is that of the other way */
	wr(&r, DOEPCTL(0), 0);
	assert_int_equal(rd(&r, DOEPCTL(0)), 0x00008003);
	wr(&r, DIEPCTL(0), STALL);
	wr(&r, DIEPCTL(0), 0);
	assert_int_equal(rd(&r, DIEPCTL(0)), USBAEP | STALL); /* cleared by SETUP alone */
	wr(&r, DIEPCTL(1), STALL | SNAK);
	assert_int_equal(rd(&r, DIEPCTL(1)), STALL | NAKSTS);
	wr(&r, DIEPCTL(1), CNAK);
	assert_int_equal(rd(&r, DIEPCTL(1)), 0);
	wr(&r, DIEPCTL(1), 0x0fcf87ff & ~(SNAK | CNAK));
	assert_int_equal(rd(&r, DIEPCTL(1)), 0x03cc87ff);
	wr(&r, R_GRSTCTL, 3u << 6 | B(5));
	assert_int_equal(rd(&r, R_GRSTCTL), B(31) | 3u << 6);
	wr(&r, R_DIEPTXF0, 1u << 16);
	wr(&r, FIFO(0), 0);
	wr(&r, R_GRSTCTL, 17u << 6 | B(5)); /* 16 is all of them */
	assert_int_equal(rd(&r, DTXFSTS(0)), 0);
	wr(&r, R_GRSTCTL, 16u << 6 | B(5));
	assert_int_equal(rd(&r, DTXFSTS(0)), 1);
	rig_close(&r);
}

static void what_is_not_modelled_is_told_once(void **state)
{
	struct rig r;

	(void)state;
	rig_open_bare(&r);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(rd(&r, 0x030), 0);
		wr(&r, 0x030, 1);
		wr(&r, 0x830, 1);
	}
	assert_int_equal(r.unknown, 2);
	assert_int_equal(r.last_unknown, 0x830);
	rd(&r, FIFO(4));    /* of a channel of a host */
	wr(&r, 0x1c000, 1); /* all beyond the registers is one */
	assert_int_equal(r.unknown, 3);
	assert_int_equal(r.last_unknown, FIFO(4));
	rd(&r, DIEPCTL(0) + 4);
	wr(&r, DOEPCTL(0) + 0x14, 1);
	assert_int_equal(r.unknown, 5);
	r.unknown -= 3;
	for (uint32_t n = 4; n < 16; n++) { /* of larger cores */
		wr(&r, DIEPINT(n), 0xfb7f);
		wr(&r, DOEPINT(n), 0xfb7f);
		wr(&r, 0x100 + 4 * n, 0);
	}
	assert_int_equal(r.unknown, 2);
	/* there is no host mode */
	assert_false(rd(&r, R_GINTSTS) & B(1));
	assert_int_equal(rd(&r, 0x400), 0);
	assert_true(rd(&r, R_GINTSTS) & B(1));
	wr(&r, R_GINTSTS, B(1));
	assert_false(rd(&r, R_GINTSTS) & B(1));
	wr(&r, 0x440, 1); /* HPRT may be touched in both modes: 34.16 */
	assert_false(rd(&r, R_GINTSTS) & B(1));
	wr(&r, 0x500, 1);
	assert_true(rd(&r, R_GINTSTS) & B(1));
	set(&r, R_GUSBCFG, B(29));
	assert_false(rd(&r, R_GINTSTS) & B(0));
	assert_int_equal(r.unknown, 6);
	wr(&r, R_GCCFG, B(16) | B(21));
	assert_false(r.host.attached);
	clear(&r, R_GUSBCFG, B(29));
	assert_true(r.host.attached);
	rig_close(&r);
}

static void without_its_clock_nothing_answers(void **state)
{
	struct rig r;
	uint8_t b[18];

	(void)state;
	open_reset(&r);
	wr(&r, R_GINTMSK, B(4));
	wr(&r, R_GAHBCFG, 1);
	otg_fs_clock(r.otg, false);
	assert_int_equal(rd(&r, 0x03c), 0);
	wr(&r, R_GINTMSK, 0);
	assert_int_equal(host_control(&r.host, 0x80, 6, 0x0100, 0, b, 18, NULL), USB_SILENT);
	otg_fs_clock(r.otg, true);
	assert_int_equal(rd(&r, R_GINTMSK), B(4));
	assert_int_equal(rd(&r, 0x03c), 0x1200);
	rig_close(&r);
}

/* 34.16.2, GCCFG; DCTL.SDIS */
static void the_pull_up_needs_power_a_session_and_the_firmware(void **state)
{
	struct rig r;

	(void)state;
	rig_open_bare(&r);
	otg_fs_vbus(r.otg, false);
	wr(&r, R_GCCFG, B(19));
	wr(&r, R_GCCFG, B(19) | B(16));
	assert_false(r.host.attached);
	assert_false(rd(&r, 0x000) & B(19));
	wr(&r, R_GCCFG, B(16));
	otg_fs_vbus(r.otg, true);
	assert_false(r.host.attached); /* nobody looks at VBUS */
	assert_false(rd(&r, R_GINTSTS) & B(30));
	wr(&r, R_GCCFG, B(19) | B(16));
	assert_true(r.host.attached);
	assert_true(rd(&r, 0x000) & B(19));
	assert_true(rd(&r, R_GINTSTS) & B(30)); /* a session was found */
	set(&r, R_DCTL, B(1));
	assert_false(r.host.attached);
	clear(&r, R_DCTL, B(1));
	assert_true(r.host.attached);
	assert_false(rd(&r, R_GINTSTS) & B(2));
	wr(&r, R_GCCFG, B(16));
	assert_false(r.host.attached);
	wr(&r, R_GCCFG, B(19) | B(16));
	assert_false(rd(&r, R_GINTSTS) & B(2)); /* VBUS was there */
	otg_fs_vbus(r.otg, false);
	assert_false(r.host.attached);
	assert_int_equal(rd(&r, R_GOTGINT), B(2)); /* and its end */
	assert_true(rd(&r, R_GINTSTS) & B(2));
	wr(&r, R_GOTGINT, B(2));
	assert_false(rd(&r, R_GINTSTS) & B(2));
	wr(&r, R_GCCFG, B(21) | B(16)); /* taken for valid */
	assert_true(r.host.attached);
	otg_fs_reset(r.otg);
	assert_false(r.host.attached);
	rig_close(&r);
}

/* 34.16.2, GRSTCTL */
static void a_core_reset_leaves_what_it_is_not_for(void **state)
{
	struct rig r;

	(void)state;
	open_addressed(&r);
	set(&r, R_DCFG, 3);
	set(&r, R_GUSBCFG, B(30));
	wr(&r, R_GINTMSK, 0xff);
	wr(&r, R_PCGCCTL, 1);
	wr(&r, 0x03c, 1);
	assert_int_equal(rd(&r, R_DSTS) & 0xff, 0x16);
	assert_int_equal(rd(&r, R_PCGCCTL), 1); /* its clock cannot be stopped by that while there are frames */
	set(&r, R_GRSTCTL, B(0));
	assert_int_equal(rd(&r, R_DSTS) & 0xff, 0x10); /* the speed was found out before */
	set(&r, R_DCFG, 3);
	set(&r, R_DCTL, B(1) | B(4) | B(7) | B(9));
	assert_false(r.host.attached);
	assert_int_equal(rd(&r, R_PCGCCTL), 0x11);
	set(&r, R_GRSTCTL, B(0));
	assert_int_equal(rd(&r, R_GRSTCTL), B(31));
	assert_int_equal(rd(&r, R_GINTMSK), 0);
	assert_int_equal(rd(&r, R_GUSBCFG), 0xa40);
	assert_int_equal(rd(&r, DIEPCTL(1)), 0);
	assert_int_equal(rd(&r, R_GRXFSIZ), 0x200);
	assert_int_equal(rd(&r, R_DCFG), 0x02200003);
	assert_int_equal(rd(&r, R_DCTL), B(1));
	assert_int_equal(rd(&r, R_GCCFG), B(16) | B(21));
	assert_int_equal(rd(&r, R_PCGCCTL), 0x11);
	assert_int_equal(rd(&r, 0x03c), 0x1200);
	clear(&r, R_DCTL, B(1));
	assert_true(r.host.attached);
	rig_close(&r);
}

static void the_line_is_the_level_of_what_is_let_through(void **state)
{
	struct rig r;

	(void)state;
	open_addressed(&r);
	wr(&r, R_GAHBCFG, 1);
	assert_false(r.line);
	wr(&r, R_GINTMSK, B(18) | B(6));
	assert_false(r.line);
	wr(&r, R_DIEPEMPMSK, B(1)); /* FIFO 1 is empty */
	assert_true(r.line);
	assert_int_equal(rd(&r, R_DAINT), B(1));
	wr(&r, DIEPINT(1), B(7)); /* read-only */
	assert_true(r.line);
	wr(&r, R_GAHBCFG, 0);
	assert_false(r.line);
	wr(&r, R_GAHBCFG, 1);
	assert_true(r.line);
	wr(&r, R_DAINTMSK, 0);
	assert_false(r.line);
	wr(&r, R_DAINTMSK, 0xffff);
	for (unsigned i = 0; i < 8; i++) {
		assert_true(r.line);
		wr(&r, FIFO(1), i);
	}
	assert_true(r.line); /* half full: half empty */
	wr(&r, FIFO(1), 0);
	assert_false(r.line);
	wr(&r, R_GRSTCTL, B(5) | 1u << 6);
	wr(&r, R_GAHBCFG, 1 | B(7));
	assert_true(r.line);
	wr(&r, FIFO(1), 0); /* completely empty is asked for */
	assert_false(r.line);
	set(&r, R_DCTL, B(7));
	assert_true(r.line);
	set(&r, R_DCTL, B(8));
	assert_false(r.line);
	rig_close(&r);
}

/* 34.17.6 */
static void setup_is_taken_in_spite_of_nak_and_stall(void **state)
{
	struct rig r;
	struct host_urb u;
	uint8_t b[8];

	(void)state;
	open_addressed(&r);
	set(&r, DIEPCTL(0), STALL);
	set(&r, DOEPCTL(0), STALL | SNAK);
	set(&r, R_DCTL, B(7) | B(9)); /* global NAK both ways */
	assert_int_equal(rd(&r, R_GRXSTSP) >> 17 & 0xf, 1);
	host_submit(&r.host, &u, (struct usb_setup){ 0xc0, 1, 2, 3, 8 }, b);
	host_sleep(&r.host, 14);
	assert_int_equal(rd(&r, 0x01c), 6u << 17 | 8 << 4 | (rd(&r, R_DSTS) >> 8 & 0xf) << 21);
	assert_int_equal(rd(&r, R_GRXSTSP) >> 17 & 0xf, 6);
	assert_int_equal(rd(&r, FIFO(0)), 0x000201c0);
	assert_int_equal(rd(&r, FIFO(3)), 0x00080003); /* whichever address */
	assert_false(rd(&r, DIEPCTL(0)) & STALL);
	assert_false(rd(&r, DOEPCTL(0)) & STALL);
	assert_true(rd(&r, DIEPCTL(0)) & NAKSTS);
	assert_false(rd(&r, DIEPCTL(0)) & B(16)); /* DATA1, which these registers do not show */
	assert_int_equal(rd(&r, DOEPTSIZ(0)) >> 29, 2);
	assert_false(rd(&r, DOEPINT(0)) & B(3));
	/* the stage is over with the host's next token, and the firmware hears of it when it takes the word */
	host_sleep(&r.host, WIRE_US);
	assert_false(rd(&r, DOEPINT(0)) & B(3));
	assert_int_equal(rd(&r, R_GRXSTSP) >> 17 & 0xf, 4);
	assert_true(rd(&r, DOEPINT(0)) & B(3));
	assert_false(rd(&r, R_GINTSTS) & B(4));
	wr(&r, DOEPINT(0), B(3));
	assert_false(rd(&r, DOEPINT(0)) & B(3));
	rig_close(&r);
}

/* 34.17.6: an address counts from the end of the status stage of its request. */
static void the_address_waits_for_the_status_stage(void **state)
{
	struct rig r;
	struct host_urb u;

	(void)state;
	open_reset(&r);
	host_submit(&r.host, &u, (struct usb_setup){ 0, 5, 9, 0, 0 }, NULL);
	host_sleep(&r.host, WIRE_US);
	drv_dad(&r, 9);
	host_sleep(&r.host, 1000);
	set(&r, DIEPCTL(0), SNAK); /* the host tries again, at address 0: NAK, not silence */
	host_sleep(&r.host, 1000);
	assert_int_equal(u.completions, 0);
	wr(&r, DIEPTSIZ(0), B(19));
	set(&r, DIEPCTL(0), EPENA | CNAK);
	assert_true(host_wait(&r.host, &u, 1000));
	assert_int_equal(u.urb.result, USB_ACK);
	assert_true(rd(&r, DIEPINT(0)) & B(0));
	/* it counts now */
	drv_drain(&r, (uint8_t[24]){ 0 }, 24);
	host_submit(&r.host, &u, (struct usb_setup){ 0, 9, 1, 0, 0 }, NULL);
	host_sleep(&r.host, 5000);
	assert_true(rd(&r, R_GINTSTS) & B(4));
	r.host.dev->ops->cancel(r.host.dev, &u.urb);
	/* apart from a request, at once */
	wr(&r, R_GRSTCTL, B(4));
	r.host.dev->ops->bus_reset(r.host.dev);
	host_sleep(&r.host, 25000);
	drv_dad(&r, 0);
	host_submit(&r.host, &u, (struct usb_setup){ 0x80, 6, 0x0100, 0, 18 }, (uint8_t[18]){ 0 });
	host_sleep(&r.host, WIRE_US);
	assert_int_equal(u.completions, 0);
	assert_true(rd(&r, R_GINTSTS) & B(4));
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_have_their_reset_values),
		cmocka_unit_test(registers_keep_what_they_are_for),
		cmocka_unit_test(what_is_not_modelled_is_told_once),
		cmocka_unit_test(without_its_clock_nothing_answers),
		cmocka_unit_test(the_pull_up_needs_power_a_session_and_the_firmware),
		cmocka_unit_test(a_core_reset_leaves_what_it_is_not_for),
		cmocka_unit_test(the_line_is_the_level_of_what_is_let_through),
		cmocka_unit_test(setup_is_taken_in_spite_of_nak_and_stall),
		cmocka_unit_test(the_address_waits_for_the_status_stage),
	};

	return cmocka_run_group_tests_name("otg_fs_registers", tests, NULL, NULL);
}
