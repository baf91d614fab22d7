/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OTG_FS with a host and no driver: tests write its registers themselves. Include after cmocka.h. */
#ifndef DFUBENCH_TESTS_OTG_BARE_H
#define DFUBENCH_TESTS_OTG_BARE_H

#include "otg_drivers.h"

#define WIRE_US 60 /* longer than any transaction */

/* Pull-up without VBUS sensing, reset by the host; endpoint 0 and its FIFOs are ready, all interrupts let through. */
static inline void open_reset(struct rig *r)
{
	rig_open_bare(r);
	wr(r, R_GCCFG, B(16) | B(21));
	assert_true(r->host.attached);
	r->host.dev->ops->bus_reset(r->host.dev);
	host_sleep(&r->host, 25000);
	wr(r, R_GRXFSIZ, 64);
	wr(r, R_DIEPTXF0, 16u << 16 | 64);
	wr(r, 0x104, 16u << 16 | 80);
	wr(r, DOEPTSIZ(0), 3u << 29);
	wr(r, R_DAINTMSK, 0xffffffff);
	wr(r, R_DIEPMSK, 0x7f);
	wr(r, R_DOEPMSK, 0x7f);
	wr(r, R_GINTSTS, 0xffffffff);
	/* so that the host need not give an address, which nobody here would take */
	wr(r, DIEPTSIZ(0), B(19));
	wr(r, DOEPCTL(0), SNAK);
}

/* The host gives an address, and the firmware takes it. */
static inline void take_address(struct rig *r)
{
	struct host_urb u;

	host_submit(&r->host, &u, (struct usb_setup){ 0, 5, 9, 0, 0 }, NULL);
	host_sleep(&r->host, WIRE_US);
	while (rd(r, R_GINTSTS) & B(4))
		rd(r, R_GRXSTSP);
	drv_dad(r, 9);
	wr(r, DIEPTSIZ(0), B(19));
	set(r, DIEPCTL(0), EPENA | CNAK);
	assert_true(host_wait(&r->host, &u, 1000));
	host_sleep(&r->host, 5000);
	wr(r, DIEPINT(0), 0xffff);
	wr(r, DOEPINT(0), 0xffff);
	wr(r, DOEPTSIZ(0), 3u << 29);
}

/* As open_reset(), at an address, with bulk endpoints 1 both ways. */
static inline void open_addressed(struct rig *r)
{
	open_reset(r);
	take_address(r);
	wr(r, DIEPCTL(1), USBAEP | SD0PID | 1u << 22 | 2u << 18 | 64);
	wr(r, DOEPCTL(1), USBAEP | SD0PID | 2u << 18 | 64);
}

/* The firmware takes what is in the receive FIFO: data of up to most bytes. Their count. */
static inline unsigned take_data(struct rig *r, uint8_t *data, unsigned most)
{
	unsigned got = 0;

	while (rd(r, R_GINTSTS) & B(4)) {
		uint32_t status = rd(r, R_GRXSTSP);
		unsigned bytes = status >> 4 & 0x7ff;

		assert_true(got + bytes <= most);
		drv_drain(r, data + got, bytes);
		got += bytes;
	}
	return got;
}

#endif
