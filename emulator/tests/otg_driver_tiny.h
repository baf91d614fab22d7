/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The third of otg_drivers.h: as TinyUSB. */
#ifndef DFUBENCH_TESTS_OTG_DRIVER_TINY_H
#define DFUBENCH_TESTS_OTG_DRIVER_TINY_H

#include "otg_drivers.h"

#define TINY_WORDS 320u

static inline void tiny_init(struct rig *r)
{
	assert_int_equal(rd(r, 0x040) & 0xffff0000, 0x4f540000); /* GSNPSID: is there such a core? */
	assert_int_equal(rd(r, 0x048) >> 3 & 3, 0);              /* GHWCFG2: no DMA */
	set(r, R_DCTL, B(1));
	set(r, R_GCCFG, B(21)); /* NOVBUSSENS, by the board's own code */
	set(r, R_GUSBCFG, B(6));
	set(r, R_GCCFG, B(16));
	drv_core_reset(r);
	assert_int_equal(rd(r, R_GCCFG), B(21) | B(16)); /* else no device would come up */
	assert_true(rd(r, R_DCTL) & B(1));
	wr(r, R_GUSBCFG, (rd(r, R_GUSBCFG) & ~(0xfu << 10)) | 6u << 10);
	set(r, R_DCFG, 3);
	clear(r, R_PCGCCTL, 3);
	set(r, R_GUSBCFG, 7);
	wr(r, R_GUSBCFG, (rd(r, R_GUSBCFG) & ~B(29)) | B(30));
	set(r, R_DCFG, B(2));
	drv_flush(r);
	wr(r, R_GINTSTS, rd(r, R_GINTSTS));
	wr(r, R_GOTGINT, rd(r, R_GOTGINT));
	wr(r, R_GINTMSK, B(2) | B(4) | B(11) | B(12) | B(13) | B(31));
	set(r, R_GAHBCFG, B(7));
	set(r, R_GAHBCFG, B(0));
	clear(r, R_DCTL, B(1));
}

static inline void tiny_reset(struct rig *r)
{
	r->resets++;
	drv_dad(r, 0);
	for (unsigned n = 0; n < 4; n++)
		set(r, DOEPCTL(n), SNAK);
	for (unsigned n = 0; n < 4; n++)
		if (rd(r, DIEPCTL(n)) & EPENA)
			set(r, DIEPCTL(n), SNAK | EPDIS);
	drv_flush(r);
	wr(r, R_DAINTMSK, B(0) | B(16));
	wr(r, R_DOEPMSK, B(0) | B(3));
	wr(r, R_DIEPMSK, B(0) | B(3));
	wr(r, R_GRXFSIZ, 15 + 2 * 16 + 2 * 4);
	r->fifo_top = TINY_WORDS - 16;
	wr(r, R_DIEPTXF0, 16u << 16 | r->fifo_top);
	clear(r, DIEPCTL(0), 3);
	set(r, DIEPCTL(0), drv_size0(r));
	set(r, DOEPTSIZ(0), 3u << 29);
	set(r, R_GINTMSK, B(18) | B(19));
}

static inline void tiny_open(struct rig *r, uint8_t endpoint, unsigned type, unsigned bytes)
{
	unsigned n = endpoint & 0xf, words = (bytes + 3) / 4;
	uint32_t ctl = USBAEP | type << 18 | SD0PID | bytes;

	if (!(endpoint & 0x80)) {
		wr(r, DOEPCTL(n), ctl);
		set(r, R_DAINTMSK, B(16 + n));
		return;
	}
	r->fifo_top -= words;
	wr(r, 0x104 + 4 * (n - 1), words << 16 | r->fifo_top);
	wr(r, DIEPCTL(n), ctl | n << 22);
	set(r, R_DAINTMSK, B(n));
}

/* Endpoint 0: a packet at a time; the rest is pending. */
static inline void tiny_schedule(struct rig *r, bool in, unsigned n, unsigned packets, unsigned bytes)
{
	if (in) {
		wr(r, DIEPTSIZ(n), packets << 19 | bytes);
		set(r, DIEPCTL(n), EPENA | CNAK);
		if (bytes)
			set(r, R_DIEPEMPMSK, B(n));
		return;
	}
	clear(r, DOEPTSIZ(n), 0x3ffu << 19 | 0x7ffff);
	set(r, DOEPTSIZ(n), packets << 19 | bytes);
	set(r, DOEPCTL(n), EPENA | CNAK);
}

/* packet: bytes pending behind this packet */
static inline void tiny_start(struct rig *r, bool in, unsigned n, struct rig_transfer *t, unsigned length)
{
	unsigned packet = drv_packet(r, n), now = length;

	t->packet = 0;
	if (!n && length > packet) {
		now = packet;
		t->packet = length - now;
	}
	tiny_schedule(r, in, n, n ? now / packet + (now % packet || !now) : 1, now);
}

static inline void tiny_send(struct rig *r, unsigned n, const uint8_t *data, unsigned length)
{
	r->in[n].out_of = data;
	r->in[n].length = length;
	r->in[n].done = 0;
	tiny_start(r, true, n, &r->in[n], length);
}

static inline void tiny_receive(struct rig *r, unsigned n, unsigned length)
{
	r->out[n].length = length;
	r->out[n].done = 0;
	tiny_start(r, false, n, &r->out[n], length);
}

static inline void tiny_receive_word(struct rig *r)
{
	uint32_t status = rd(r, R_GRXSTSP);
	unsigned n = status & 0xf, bytes = status >> 4 & 0x7ff;
	struct rig_transfer *t = &r->out[n];

	switch (status >> 17 & 0xf) {
	case 6:
		drv_drain(r, r->setup_bytes, 8);
		break;
	case 4:
		set(r, DOEPTSIZ(n), 3u << 29);
		break;
	case 2:
		drv_drain(r, t->into + t->done, bytes);
		t->done += bytes;
		if (bytes < drv_packet(r, n)) { /* what is left of XFRSIZ has not come */
			t->length -= rd(r, DOEPTSIZ(n)) & 0x7ffff;
			if (!n) {
				t->length -= t->packet;
				t->packet = 0;
			}
			assert_int_equal(t->length, t->done);
		}
		break;
	}
}

static inline void tiny_stop_in(struct rig *r, unsigned n, uint32_t stall)
{
	if (!n || !(rd(r, DIEPCTL(n)) & EPENA)) {
		set(r, DIEPCTL(n), SNAK | stall);
	} else {
		set(r, DIEPCTL(n), SNAK);
		until(r, DIEPINT(n), B(6), B(6));
		set(r, DIEPCTL(n), EPDIS | stall);
		until(r, DIEPINT(n), B(1), B(1));
		wr(r, DIEPINT(n), B(1));
	}
	wr(r, R_GRSTCTL, B(5) | n << 6);
	until(r, R_GRSTCTL, B(5), 0);
}

/* The interrupt handler that would take the word of global OUT NAK from the FIFO comes in between. */
static inline void tiny_stop_out(struct rig *r, unsigned n, uint32_t stall)
{
	if (!n || !(rd(r, DOEPCTL(n)) & EPENA)) {
		set(r, DOEPCTL(n), stall);
		return;
	}
	set(r, R_DCTL, B(9));
	assert_false(rd(r, R_GINTSTS) & B(7));
	while (rd(r, R_GINTSTS) & B(4))
		tiny_receive_word(r);
	until(r, R_GINTSTS, B(7), B(7));
	set(r, DOEPCTL(n), EPDIS | stall);
	until(r, DOEPINT(n), B(1), B(1));
	wr(r, DOEPINT(n), B(1));
	set(r, R_DCTL, B(10));
	until(r, R_GINTSTS, B(7), 0);
}

static inline void tiny_stall(struct rig *r, uint8_t endpoint, bool on)
{
	unsigned n = endpoint & 0xf;
	uint32_t reg = endpoint & 0x80 ? DIEPCTL(n) : DOEPCTL(n);

	if (!on) {
		clear(r, reg, STALL);
		set(r, reg, SD0PID);
	} else if (endpoint & 0x80) {
		tiny_stop_in(r, n, STALL);
	} else {
		tiny_stop_out(r, n, STALL);
	}
}

static inline void tiny_out_interrupt(struct rig *r, unsigned n)
{
	struct rig_transfer *t = &r->out[n];
	uint32_t flags = rd(r, DOEPINT(n));

	if (flags & B(0)) {
		wr(r, DOEPINT(n), B(0));
		if (flags & B(3))
			;
		else if (!n && t->packet)
			tiny_start(r, false, 0, t, t->packet);
		else
			rig_received(r, n, t->into, t->done);
	}
	if (flags & B(3)) {
		wr(r, DOEPINT(n), B(3));
		rig_setup(r, r->setup_bytes);
	}
}

static inline void tiny_in_interrupt(struct rig *r, unsigned n)
{
	struct rig_transfer *t = &r->in[n];

	if (rd(r, DIEPINT(n)) & B(0)) {
		wr(r, DIEPINT(n), B(0));
		if (!n && t->packet)
			tiny_start(r, true, 0, t, t->packet);
		else
			rig_sent(r, n);
	}
	if (rd(r, DIEPINT(n)) & B(7) && rd(r, R_DIEPEMPMSK) & B(n)) {
		unsigned packets = rd(r, DIEPTSIZ(n)) >> 19 & 0x3ff;

		for (unsigned i = 0; i < packets; i++) {
			unsigned left = rd(r, DIEPTSIZ(n)) & 0x7ffff, most = drv_packet(r, n);
			unsigned bytes = left < most ? left : most;

			if (bytes > (rd(r, DTXFSTS(n)) & 0xffff) << 2)
				break;
			drv_fill(r, n, t->out_of + t->done, bytes);
			t->done += bytes;
		}
		if (!(rd(r, DIEPTSIZ(n)) & 0x7ffff))
			clear(r, R_DIEPEMPMSK, B(n));
	}
}

static inline void tiny_service(struct rig *r)
{
	uint32_t pending = rd(r, R_GINTSTS) & rd(r, R_GINTMSK);

	if (pending & B(12)) {
		wr(r, R_GINTSTS, B(12));
		tiny_reset(r);
	}
	if (pending & B(13)) {
		wr(r, R_GINTSTS, B(13));
		r->enumerations++;
		assert_int_equal(rd(r, R_DSTS) >> 1 & 3, 3);
	}
	if (pending & B(11)) {
		r->suspends++;
		wr(r, R_GINTSTS, B(11));
	}
	if (pending & B(31)) {
		r->resumes++;
		wr(r, R_GINTSTS, B(31));
	}
	if (pending & B(2))
		wr(r, R_GOTGINT, rd(r, R_GOTGINT));
	if (pending & B(3)) {
		r->frames++;
		wr(r, R_GINTSTS, B(3));
	}
	if (pending & B(4)) {
		clear(r, R_GINTMSK, B(4));
		do
			tiny_receive_word(r);
		while (rd(r, R_GINTSTS) & B(4));
		set(r, R_GINTMSK, B(4));
	}
	for (unsigned n = 0; n < 4 && pending & B(19); n++)
		if (rd(r, R_DAINT) >> (16 + n) & 1)
			tiny_out_interrupt(r, n);
	for (unsigned n = 0; n < 4 && pending & B(18); n++)
		if (rd(r, R_DAINT) >> n & 1)
			tiny_in_interrupt(r, n);
}

static const struct rig_driver tiny_driver = {
	.name = "as TinyUSB",
	.init = tiny_init,
	.service = tiny_service,
	.late_status = true,
	.set_address = drv_set_address,
	.open = tiny_open,
	.send = tiny_send,
	.receive = tiny_receive,
	.stall = tiny_stall,
};

#endif
