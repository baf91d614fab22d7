/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers of OTG_FS in small, each after the order in which a well-known one goes about the registers: ST's HAL PCD (interrupts, the
 * FIFO filled on TXFE, transfers of several packets), libopencm3 (polled, a packet at a time, OUT endpoints always armed), TinyUSB
 * (FIFO filled by XFRSIZ on an empty FIFO, OUT endpoints stopped under global OUT NAK). Registers by their offsets of RM0090 34.16.
 */
#ifndef DFUBENCH_TESTS_OTG_DRIVERS_H
#define DFUBENCH_TESTS_OTG_DRIVERS_H

#include "otg_rig.h"

#define B(n) (UINT32_C(1) << (n))
#define DIEPCTL(n) (0x900u + 0x20u * (n))
#define DIEPINT(n) (0x908u + 0x20u * (n))
#define DIEPTSIZ(n) (0x910u + 0x20u * (n))
#define DTXFSTS(n) (0x918u + 0x20u * (n))
#define DOEPCTL(n) (0xb00u + 0x20u * (n))
#define DOEPINT(n) (0xb08u + 0x20u * (n))
#define DOEPTSIZ(n) (0xb10u + 0x20u * (n))
#define FIFO(n) (0x1000u * ((n) + 1))
#define R_GOTGINT 0x004
#define R_GAHBCFG 0x008
#define R_GUSBCFG 0x00c
#define R_GRSTCTL 0x010
#define R_GINTSTS 0x014
#define R_GINTMSK 0x018
#define R_GRXSTSP 0x020
#define R_GRXFSIZ 0x024
#define R_DIEPTXF0 0x028
#define R_GCCFG 0x038
#define R_DCFG 0x800
#define R_DCTL 0x804
#define R_DSTS 0x808
#define R_DIEPMSK 0x810
#define R_DOEPMSK 0x814
#define R_DAINT 0x818
#define R_DAINTMSK 0x81c
#define R_DIEPEMPMSK 0x834
#define R_PCGCCTL 0xe00
#define EPENA B(31)
#define EPDIS B(30)
#define SD0PID B(28)
#define SNAK B(27)
#define CNAK B(26)
#define STALL B(21)
#define NAKSTS B(17)
#define USBAEP B(15)

static inline void drv_core_reset(struct rig *r)
{
	until(r, R_GRSTCTL, B(31), B(31));
	set(r, R_GRSTCTL, B(0));
	until(r, R_GRSTCTL, B(0), 0);
}

static inline void drv_flush(struct rig *r)
{
	wr(r, R_GRSTCTL, B(5) | 0x10u << 6);
	until(r, R_GRSTCTL, B(5), 0);
	wr(r, R_GRSTCTL, B(4));
	until(r, R_GRSTCTL, B(4), 0);
}

static inline void drv_fill(struct rig *r, unsigned n, const uint8_t *data, unsigned length)
{
	for (unsigned i = 0; i < length; i += 4) {
		uint32_t word = 0;

		for (unsigned j = i; j < i + 4 && j < length; j++)
			word |= (uint32_t)data[j] << 8 * (j - i);
		wr(r, FIFO(n), word);
	}
}

static inline void drv_drain(struct rig *r, uint8_t *data, unsigned length)
{
	for (unsigned i = 0; i < length; i += 4) {
		uint32_t word = rd(r, FIFO(0));

		for (unsigned j = i; j < i + 4 && j < length; j++)
			data[j] = (uint8_t)(word >> 8 * (j - i));
	}
}

static inline uint32_t drv_size0(const struct rig *r)
{
	return r->packet0 == 64 ? 0 : r->packet0 == 32 ? 1 : r->packet0 == 16 ? 2 : 3;
}

static inline unsigned drv_packet(const struct rig *r, unsigned n)
{
	return n ? (n == 2 ? 8 : 64) : r->packet0;
}

static inline void drv_dad(struct rig *r, uint8_t address)
{
	wr(r, R_DCFG, (rd(r, R_DCFG) & ~(0x7fu << 4)) | (uint32_t)address << 4);
}

static inline void drv_set_address(struct rig *r, uint8_t address)
{
	drv_dad(r, address);
	rig_status(r);
}

/* ST's HAL PCD */

static inline void st_init(struct rig *r)
{
	set(r, R_GUSBCFG, B(6));
	drv_core_reset(r);
	set(r, R_GCCFG, B(16));
	clear(r, R_GUSBCFG, B(29) | B(30));
	set(r, R_GUSBCFG, B(30));
	until(r, R_GINTSTS, B(0), 0); /* device mode */
	for (unsigned i = 0; i < 15; i++)
		wr(r, 0x104 + 4 * i, 0);
	set(r, R_GCCFG, B(19)); /* VBUSBSEN */
	set(r, R_DCTL, B(1));
	wr(r, R_PCGCCTL, 0);
	set(r, R_DCFG, 3);
	drv_flush(r);
	for (unsigned n = 0; n < 4; n++) {
		wr(r, DIEPCTL(n), 0);
		wr(r, DIEPTSIZ(n), 0);
		wr(r, DIEPINT(n), 0xfb7f);
		wr(r, DOEPCTL(n), 0);
		wr(r, DOEPTSIZ(n), 0);
		wr(r, DOEPINT(n), 0xfb7f);
	}
	wr(r, R_GINTMSK, 0);
	wr(r, R_GINTSTS, 0xbfffffff);
	wr(r, R_GINTMSK, B(4) | B(11) | B(12) | B(13) | B(18) | B(19) | B(30) | B(31) | B(2));
	wr(r, R_GRXFSIZ, 0x80);
	wr(r, R_DIEPTXF0, 0x40u << 16 | 0x80);
	wr(r, 0x104, 0x40u << 16 | 0xc0);
	wr(r, 0x108, 0x10u << 16 | 0x100);
	set(r, R_GAHBCFG, B(0));
	clear(r, R_DCTL, B(1));
}

static inline void st_out_start(struct rig *r)
{
	wr(r, DOEPTSIZ(0), B(19) | 24u | 3u << 29);
}

static inline void st_start_in(struct rig *r, unsigned n, unsigned length)
{
	unsigned packet = drv_packet(r, n), packets = length ? (length + packet - 1) / packet : 1;

	wr(r, DIEPTSIZ(n), packets << 19 | length);
	set(r, DIEPCTL(n), CNAK | EPENA);
	if (length)
		set(r, R_DIEPEMPMSK, B(n));
}

/* Endpoint 0 goes packet by packet. */
static inline void st_send(struct rig *r, unsigned n, const uint8_t *data, unsigned length)
{
	struct rig_transfer *t = &r->in[n];

	t->out_of = data;
	t->length = length;
	t->done = 0;
	t->packet = !n && length > r->packet0 ? r->packet0 : length;
	st_start_in(r, n, t->packet);
}

static inline void st_receive(struct rig *r, unsigned n, unsigned length)
{
	struct rig_transfer *t = &r->out[n];
	unsigned packet = drv_packet(r, n), packets = n && length ? (length + packet - 1) / packet : 1;

	t->length = length;
	t->done = 0;
	wr(r, DOEPTSIZ(n), (rd(r, DOEPTSIZ(n)) & 3u << 29) | packets << 19 | packets * packet);
	set(r, DOEPCTL(n), CNAK | EPENA);
}

static inline void st_open(struct rig *r, uint8_t endpoint, unsigned type, unsigned bytes)
{
	unsigned n = endpoint & 0xf;
	uint32_t reg = endpoint & 0x80 ? DIEPCTL(n) : DOEPCTL(n);

	set(r, R_DAINTMSK, endpoint & 0x80 ? B(n) : B(16 + n));
	if (!(rd(r, reg) & USBAEP))
		set(r, reg, bytes | type << 18 | (endpoint & 0x80 ? n << 22 : 0) | SD0PID | USBAEP);
}

static inline void st_stall(struct rig *r, uint8_t endpoint, bool on)
{
	unsigned n = endpoint & 0xf;
	uint32_t reg = endpoint & 0x80 ? DIEPCTL(n) : DOEPCTL(n);

	if (on) {
		set(r, reg, STALL);
		if (!n)
			st_out_start(r);
		return;
	}
	clear(r, reg, STALL);
	set(r, reg, SD0PID);
}

static inline void st_receive_word(struct rig *r)
{
	uint32_t status;
	unsigned n, bytes;

	clear(r, R_GINTMSK, B(4));
	status = rd(r, R_GRXSTSP);
	n = status & 0xf;
	bytes = status >> 4 & 0x7ff;
	if ((status >> 17 & 0xf) == 2 && bytes) {
		drv_drain(r, r->out[n].into + r->out[n].done, bytes);
		r->out[n].done += bytes;
	} else if ((status >> 17 & 0xf) == 6) {
		drv_drain(r, r->setup_bytes, 8);
	}
	set(r, R_GINTMSK, B(4));
}

static inline void st_out_interrupt(struct rig *r, unsigned n)
{
	uint32_t flags = rd(r, DOEPINT(n)) & rd(r, R_DOEPMSK);

	if (flags & B(0)) {
		wr(r, DOEPINT(n), B(0));
		if (!n && r->out[0].done < r->out[0].length && r->out[0].done % r->packet0 == 0 && r->out[0].done) {
			unsigned done = r->out[0].done, length = r->out[0].length;

			st_receive(r, 0, length);
			r->out[0].done = done;
		} else {
			rig_received(r, n, r->out[n].into, r->out[n].done);
		}
	}
	if (flags & B(3)) {
		wr(r, DOEPINT(n), B(3));
		rig_setup(r, r->setup_bytes);
	}
	wr(r, DOEPINT(n), flags & (B(1) | B(4) | B(5) | B(13)));
}

static inline void st_in_interrupt(struct rig *r, unsigned n)
{
	uint32_t mask = rd(r, R_DIEPMSK) | (rd(r, R_DIEPEMPMSK) >> n & 1) << 7, flags = rd(r, DIEPINT(n)) & mask;
	struct rig_transfer *t = &r->in[n];

	if (flags & B(0)) {
		clear(r, R_DIEPEMPMSK, B(n));
		wr(r, DIEPINT(n), B(0));
		if (!n && t->done < t->length) {
			t->packet = t->length - t->done < r->packet0 ? t->length : t->done + r->packet0;
			st_start_in(r, 0, t->packet - t->done);
			st_receive(r, 0, 0); /* the host may have enough */
		} else {
			rig_sent(r, n);
		}
		return;
	}
	if (flags & B(7)) {
		unsigned packet = drv_packet(r, n), next = t->packet - t->done < packet ? t->packet - t->done : packet;

		while (t->done < t->packet && (rd(r, DTXFSTS(n)) & 0xffff) >= (next + 3) / 4) {
			drv_fill(r, n, t->out_of + t->done, next);
			t->done += next;
			next = t->packet - t->done < packet ? t->packet - t->done : packet;
		}
		if (t->done >= t->packet)
			clear(r, R_DIEPEMPMSK, B(n));
	}
}

static inline void st_reset(struct rig *r)
{
	r->resets++;
	clear(r, R_DCTL, B(0));
	wr(r, R_GRSTCTL, B(5) | 0x10u << 6);
	for (unsigned n = 0; n < 4; n++) {
		wr(r, DIEPINT(n), 0xfb7f);
		clear(r, DIEPCTL(n), STALL);
		wr(r, DOEPINT(n), 0xfb7f);
		clear(r, DOEPCTL(n), STALL);
		set(r, DOEPCTL(n), SNAK);
	}
	set(r, R_DAINTMSK, 0x10001);
	set(r, R_DOEPMSK, B(0) | B(1) | B(3) | B(5) | B(13));
	set(r, R_DIEPMSK, B(0) | B(1) | B(3));
	drv_dad(r, 0);
	st_out_start(r);
	wr(r, R_GINTSTS, B(12));
}

static inline void st_service(struct rig *r)
{
	uint32_t pending = rd(r, R_GINTSTS) & rd(r, R_GINTMSK), daint;

	if (pending & B(4))
		st_receive_word(r);
	daint = rd(r, R_DAINT) & rd(r, R_DAINTMSK);
	for (unsigned n = 0; n < 4; n++)
		if (daint >> (16 + n) & 1)
			st_out_interrupt(r, n);
	daint = rd(r, R_DAINT) & rd(r, R_DAINTMSK);
	for (unsigned n = 0; n < 4; n++)
		if (daint >> n & 1)
			st_in_interrupt(r, n);
	if (pending & B(31)) {
		r->resumes++;
		wr(r, R_GINTSTS, B(31));
	}
	if (pending & B(11)) {
		r->suspends += rd(r, R_DSTS) & 1;
		wr(r, R_GINTSTS, B(11));
	}
	if (pending & B(12))
		st_reset(r);
	if (pending & B(13)) {
		r->enumerations++;
		assert_int_equal(rd(r, R_DSTS) >> 1 & 3, 3);
		clear(r, DIEPCTL(0), 0x7ff);
		set(r, DIEPCTL(0), drv_size0(r));
		set(r, R_DCTL, B(8));
		st_open(r, 0x00, 0, 0);
		st_open(r, 0x80, 0, 0);
		wr(r, R_GINTSTS, B(13));
	}
	if (pending & B(3)) {
		r->frames++;
		wr(r, R_GINTSTS, B(3));
	}
	if (pending & B(30))
		wr(r, R_GINTSTS, B(30));
	if (pending & B(2))
		wr(r, R_GOTGINT, rd(r, R_GOTGINT));
}

static const struct rig_driver st_driver = {
	.name = "as ST's HAL PCD",
	.init = st_init,
	.service = st_service,
	.set_address = drv_set_address,
	.open = st_open,
	.send = st_send,
	.receive = st_receive,
	.stall = st_stall,
};

/* libopencm3 */

static inline void cm3_init(struct rig *r)
{
	set(r, R_GUSBCFG, B(6));
	drv_core_reset(r);
	set(r, R_GCCFG, B(19) | B(16));
	clear(r, R_DCTL, B(1));
	set(r, R_GUSBCFG, B(30) | 0xfu << 10);
	wr(r, R_GINTSTS, B(1));
	set(r, R_DCFG, 3);
	wr(r, R_PCGCCTL, 0);
	wr(r, R_GRXFSIZ, 128);
	r->fifo_top = 128;
	set(r, R_GAHBCFG, B(0));
	wr(r, R_GINTMSK, B(12) | B(13) | B(4) | B(18) | B(11) | B(31));
	wr(r, R_DAINTMSK, 0xf);
	wr(r, R_DIEPMSK, B(0));
}

static inline void cm3_arm(struct rig *r, unsigned n)
{
	wr(r, DOEPTSIZ(n), (n ? 0 : 1u << 29) | B(19) | drv_packet(r, n));
	set(r, DOEPCTL(n), EPENA | CNAK);
}

static inline void cm3_reset(struct rig *r)
{
	r->resets++;
	for (unsigned n = 1; n < 4; n++) {
		if (rd(r, DOEPCTL(n)) & EPENA)
			set(r, DOEPCTL(n), SNAK | EPDIS);
		if (rd(r, DIEPCTL(n)) & EPENA)
			set(r, DIEPCTL(n), SNAK | EPDIS);
	}
	wr(r, R_GRSTCTL, 0x10u << 6 | B(5) | B(4));
	until(r, R_GRSTCTL, B(5) | B(4), 0);
	for (unsigned n = 1; n < 4; n++) {
		wr(r, DOEPINT(n), B(1));
		wr(r, DIEPINT(n), B(1));
	}
	wr(r, R_DIEPTXF0, 16u << 16 | 128);
	r->fifo_top = 128 + 16;
	wr(r, DIEPCTL(0), drv_size0(r));
	set(r, DIEPCTL(0), SNAK | USBAEP);
	wr(r, DOEPTSIZ(0), 1u << 29 | B(19) | r->packet0);
	wr(r, DOEPCTL(0), EPENA | SNAK | USBAEP);
	drv_dad(r, 0);
	wr(r, R_GINTSTS, B(12));
}

static inline void cm3_open(struct rig *r, uint8_t endpoint, unsigned type, unsigned bytes)
{
	unsigned n = endpoint & 0xf;

	if (!(endpoint & 0x80)) {
		wr(r, DOEPTSIZ(n), B(19) | bytes);
		wr(r, DOEPCTL(n), EPENA | CNAK | USBAEP | SD0PID | type << 18 | bytes);
		return;
	}
	wr(r, 0x104 + 4 * (n - 1), bytes / 4 << 16 | r->fifo_top);
	r->fifo_top += bytes / 4;
	wr(r, DIEPTSIZ(n), 0);
	wr(r, DIEPCTL(n), SNAK | USBAEP | SD0PID | n << 22 | type << 18 | bytes);
}

static inline void cm3_flush_endpoint(struct rig *r, unsigned n)
{
	set(r, DIEPCTL(n), SNAK);
	until(r, DIEPINT(n), B(6), B(6));
	until(r, R_GRSTCTL, B(31), B(31));
	wr(r, R_GRSTCTL, n << 6 | B(5));
	until(r, R_GRSTCTL, B(5), 0);
	wr(r, DIEPTSIZ(n), 0);
}

static inline void cm3_put(struct rig *r, unsigned n)
{
	struct rig_transfer *t = &r->in[n];
	unsigned left = t->length - t->done, most = drv_packet(r, n), bytes = left < most ? left : most;

	if (rd(r, DIEPCTL(n)) & EPENA) {
		assert_true(rd(r, DIEPCTL(n)) & NAKSTS); /* else it would say that it is busy */
		cm3_flush_endpoint(r, n);
		set(r, DIEPCTL(n), EPDIS);
		until(r, DIEPINT(n), B(1), B(1));
		wr(r, DIEPINT(n), B(1));
	}
	wr(r, DIEPTSIZ(n), B(19) | bytes);
	set(r, DIEPCTL(n), EPENA | CNAK);
	drv_fill(r, n, t->out_of + t->done, bytes);
	t->done += bytes;
}

static inline void cm3_send(struct rig *r, unsigned n, const uint8_t *data, unsigned length)
{
	r->in[n].out_of = data;
	r->in[n].length = length;
	r->in[n].done = 0;
	cm3_put(r, n);
}

static inline void cm3_receive(struct rig *r, unsigned n, unsigned length)
{
	(void)r;
	(void)n;
	(void)length; /* armed at all times */
}

static inline void cm3_stall(struct rig *r, uint8_t endpoint, bool on)
{
	unsigned n = endpoint & 0xf;
	uint32_t reg = endpoint & 0x80 ? DIEPCTL(n) : DOEPCTL(n);

	if (!n && !(endpoint & 0x80))
		return; /* one side of endpoint 0 is enough */
	if (on)
		set(r, reg, STALL);
	else
		clear(r, reg, STALL);
	if (n)
		set(r, reg, SD0PID);
}

static inline void cm3_receive_word(struct rig *r)
{
	uint32_t status = rd(r, R_GRXSTSP);
	unsigned n = status & 0xf, what = status >> 17 & 0xf, bytes = status >> 4 & 0x7ff;

	switch (what) {
	case 4:
		rig_setup(r, r->setup_bytes);
		break;
	case 6:
		if (rd(r, DIEPTSIZ(n)) & B(19))
			cm3_flush_endpoint(r, n);
		drv_drain(r, r->setup_bytes, 8);
		break;
	case 2:
		drv_drain(r, r->out[n].into, bytes);
		rig_received(r, n, r->out[n].into, bytes);
		break;
	}
	if (what == 4 || what == 3)
		cm3_arm(r, n);
}

static inline void cm3_service(struct rig *r)
{
	uint32_t pending = rd(r, R_GINTSTS) & rd(r, R_GINTMSK);

	if (pending & B(12)) {
		cm3_reset(r);
		return;
	}
	if (pending & B(13)) {
		r->enumerations++;
		wr(r, R_GINTSTS, B(13));
		return;
	}
	for (unsigned n = 0; n < 4 && pending & B(18); n++) {
		if (rd(r, DIEPINT(n)) & B(0)) {
			set(r, DIEPCTL(n), SNAK);
			if (r->in[n].done < r->in[n].length)
				cm3_put(r, n);
			else
				rig_sent(r, n);
		}
		wr(r, DIEPINT(n), rd(r, DIEPINT(n)));
	}
	while (rd(r, R_GINTSTS) & B(4))
		cm3_receive_word(r);
	if (pending & B(11)) {
		r->suspends++;
		wr(r, R_GINTSTS, B(11));
	}
	if (pending & B(31)) {
		r->resumes++;
		wr(r, R_GINTSTS, B(31));
	}
}

static const struct rig_driver cm3_driver = {
	.name = "as libopencm3",
	.init = cm3_init,
	.service = cm3_service,
	.polled = true,
	.set_address = drv_set_address,
	.open = cm3_open,
	.send = cm3_send,
	.receive = cm3_receive,
	.stall = cm3_stall,
};

#endif
