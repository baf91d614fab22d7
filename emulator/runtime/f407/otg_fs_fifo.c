/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FIFO RAM of OTG_FS (RM0090 34.11, 34.13): one of 320 words, in which each FIFO has the part that its register says. Parts that
 * overlap spoil each other's words, as they do in the chip.
 */
#include <string.h>
#include "otg_fs_internal.h"

/* Kept free for SETUP packets, of which there may be three one after the other (34.13.1). */
#define SETUP_RESERVE_WORDS 10u

static size_t words(size_t bytes)
{
	return (bytes + 3) / 4;
}

static uint32_t *at(struct otg_fs *o, const struct otg_fifo *f, unsigned index)
{
	return &o->ram[(f->start + (f->head + index) % f->depth) % OTG_RAM_WORDS];
}

static void push(struct otg_fs *o, struct otg_fifo *f, uint32_t word)
{
	if (f->count < f->depth)
		*at(o, f, f->count++) = word;
}

static uint32_t pop(struct otg_fs *o, struct otg_fifo *f)
{
	uint32_t word;

	if (!f->count)
		return 0;
	word = *at(o, f, 0);
	f->head = (f->head + 1) % f->depth;
	f->count--;
	return word;
}

static void empty(struct otg_fifo *f)
{
	f->head = f->count = 0;
}

/* What is in it moves along, as far as it fits: the chip wants a flush here, which drivers leave out for the receive FIFO. */
static void resize(struct otg_fs *o, struct otg_fifo *f, unsigned start, unsigned depth)
{
	uint32_t kept[OTG_RAM_WORDS];
	unsigned count = f->count < OTG_RAM_WORDS ? f->count : OTG_RAM_WORDS;

	if (f->start == start && f->depth == depth)
		return;
	for (unsigned i = 0; i < count; i++)
		kept[i] = *at(o, f, i);
	*f = (struct otg_fifo){ .start = start, .depth = depth };
	for (unsigned i = 0; i < count; i++)
		push(o, f, kept[i]);
}

void otg_fs_resize_fifos(struct otg_fs *o)
{
	resize(o, &o->rx, 0, o->grxfsiz);
	for (unsigned i = 0; i < OTG_ENDPOINTS; i++)
		resize(o, &o->tx[i], o->dieptxf[i] & 0xffff, o->dieptxf[i] >> 16);
}

void otg_fs_flush_rx(struct otg_fs *o)
{
	empty(&o->rx);
	o->rx_left = o->control_unread = 0;
	otg_fs_ready_all(o);
}

void otg_fs_flush_tx(struct otg_fs *o, unsigned number)
{
	for (unsigned i = 0; i < OTG_ENDPOINTS; i++) {
		if (number != GRSTCTL_ALL_FIFOS && number != i)
			continue;
		empty(&o->tx[i]);
		for (unsigned n = 0; n < OTG_ENDPOINTS; n++)
			if (CTL_TXFNUM(o->in[n].ctl) == i)
				o->in[n].in_packet = 0;
	}
}

/* Transmit */

struct otg_fifo *otg_fs_tx_of(struct otg_fs *o, unsigned endpoint)
{
	unsigned number = CTL_TXFNUM(o->in[endpoint].ctl);

	return number < OTG_ENDPOINTS ? &o->tx[number] : NULL;
}

unsigned otg_fs_tx_free(const struct otg_fs *o, unsigned number)
{
	return number < OTG_ENDPOINTS ? o->tx[number].depth - o->tx[number].count : 0;
}

bool otg_fs_tx_is_low(const struct otg_fs *o, const struct otg_fifo *f)
{
	return o->gahbcfg & GAHBCFG_TXFELVL ? !f->count : f->count <= f->depth / 2;
}

/* A word is lost where there is no room; XFRSIZ goes down by each packet that was written all the same (34.16.4, DIEPTSIZx). */
void otg_fs_write_fifo(struct otg_fs *o, unsigned endpoint, uint32_t word)
{
	struct otg_endpoint *e = &o->in[endpoint];
	struct otg_fifo *f = otg_fs_tx_of(o, endpoint);
	uint32_t most = otg_fs_packet_bytes(o, e), packet = e->xfrsiz < most ? e->xfrsiz : most;

	if (f)
		push(o, f, word);
	e->in_packet += 4;
	if (e->in_packet >= packet) {
		e->in_packet = 0;
		e->xfrsiz -= packet;
	}
	otg_fs_ready(o, endpoint);
}

void otg_fs_read_packet(struct otg_fs *o, const struct otg_fifo *f, uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i += 4) {
		uint32_t word = *at(o, f, (unsigned)(i / 4));

		for (size_t j = i; j < length && j < i + 4; j++)
			data[j] = (uint8_t)(word >> 8 * (j - i));
	}
}

void otg_fs_drop_packet(struct otg_fifo *f, size_t length)
{
	unsigned dropped = words(length) < f->count ? (unsigned)words(length) : f->count;

	f->head = f->depth ? (f->head + dropped) % f->depth : 0;
	f->count -= dropped;
}

/* Receive */

/* For the packet with its status word, and the word that ends its transfer. */
bool otg_fs_has_room(const struct otg_fs *o, size_t bytes, bool setup)
{
	size_t room = o->rx.depth - o->rx.count;

	return setup ? room >= 1 + words(bytes) : room >= 2 + words(bytes) + SETUP_RESERVE_WORDS;
}

void otg_fs_push_status(struct otg_fs *o, unsigned endpoint, unsigned what, bool data1, const uint8_t *data,
			size_t length)
{
	uint32_t frame = bus_frame(o->bus);

	push(o, &o->rx, endpoint | (uint32_t)length << 4 | (data1 ? BIT(16) : 0) | what << 17 | (frame & 0xf) << 21);
	for (size_t i = 0; i < length; i += 4) {
		uint32_t word = 0;

		for (size_t j = i; j < length && j < i + 4; j++)
			word |= (uint32_t)data[j] << 8 * (j - i);
		push(o, &o->rx, word);
	}
}

uint32_t otg_fs_peek_rx(const struct otg_fs *o)
{
	const struct otg_fifo *f = &o->rx;

	return f->count ? o->ram[(f->start + f->head) % OTG_RAM_WORDS] : 0;
}

/* What was pushed for want of room, or that the host may try again. */
static void room_was_made(struct otg_fs *o)
{
	if (o->out_nak_due && o->rx.count < o->rx.depth) {
		o->out_nak_due = false;
		otg_fs_push_status(o, 0, RX_GLOBAL_OUT_NAK, false, NULL, 0);
	}
	for (unsigned n = 0; n < OTG_ENDPOINTS; n++)
		bus_ready(o->bus, (uint8_t)n);
}

static void end(struct otg_fs *o, unsigned endpoint, uint32_t flag)
{
	struct otg_endpoint *e = &o->out[endpoint % OTG_ENDPOINTS];

	e->flags |= flag;
	if (e->ending) /* ASSUMED: not where the firmware was faster, and has enabled the endpoint anew */
		e->ending = e->enabled = false;
}

/* Popping a word is what lets the core raise what it stands for (34.16.2, GRXSTSP). ASSUMED: where data of the packet before was not
 * read, the next word of it comes out, as of any FIFO. */
uint32_t otg_fs_pop_status(struct otg_fs *o)
{
	bool any = o->rx.count > 0;
	uint32_t status = pop(o, &o->rx);
	unsigned endpoint = status & 0xf, what = status >> 17 & 0xf;

	if (!any)
		return status;
	o->rx_left = o->rx_bytes = status >> 4 & 0x7ff;
	o->rx_endpoint = endpoint;
	o->rx_counts = what == RX_OUT;
	o->rx_data1 = status & BIT(16);
	switch (what) {
	case RX_GLOBAL_OUT_NAK:
		otg_fs_out_nak_took_effect(o);
		break;
	case RX_OUT_DONE:
		end(o, endpoint, OUT_XFRC);
		break;
	case RX_SETUP_DONE:
		end(o, endpoint, OUT_STUP);
		break;
	}
	room_was_made(o);
	return status;
}

/* All of an OUT packet has been read (34.16.4, DOEPTSIZx; 34.17.6 for RXDPID). */
static void packet_was_read(struct otg_fs *o)
{
	struct otg_endpoint *e = &o->out[o->rx_endpoint % OTG_ENDPOINTS];

	e->xfrsiz -= o->rx_bytes < e->xfrsiz ? o->rx_bytes : e->xfrsiz;
	if (otg_fs_is_isochronous(e))
		e->extra = o->rx_data1 ? 2 : 0;
	if (!o->rx_endpoint)
		o->control_unread -= o->rx_bytes < o->control_unread ? o->rx_bytes : o->control_unread;
}

uint32_t otg_fs_read_fifo(struct otg_fs *o)
{
	uint32_t word = pop(o, &o->rx), bytes = o->rx_left < 4 ? o->rx_left : 4;

	o->rx_left -= bytes;
	if (o->rx_counts && bytes && !o->rx_left)
		packet_was_read(o);
	room_was_made(o);
	return word;
}
