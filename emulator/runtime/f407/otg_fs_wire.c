/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OTG_FS as the host meets it: RM0090 34.5.2, 34.17.5, 34.17.6. The firmware is brought up to the present before each packet. */
#include "otg_fs_internal.h"

#define IDLE_US 3000u    /* 34.5.2: for ESUSP */
#define CONFIRM_US 3000u /* and once more, for USBSUSP */

void otg_fs_ready(struct otg_fs *o, unsigned endpoint)
{
	bus_ready(o->bus, (uint8_t)endpoint);
	bus_ready(o->bus, (uint8_t)(0x80 | endpoint));
}

void otg_fs_ready_all(struct otg_fs *o)
{
	for (unsigned n = 0; n < OTG_ENDPOINTS; n++)
		otg_fs_ready(o, n);
}

bool otg_fs_sync(struct otg_fs *o)
{
	o->user.sync(o->user.context);
	return o->pulled_up && o->clocked;
}

/* Silence, reset, frames */

static void suspend(struct bench_event *e)
{
	struct otg_fs *o = e->context;

	if (!otg_fs_sync(o) || bench_is_scheduled(e))
		return;
	if (!o->maybe_suspended) {
		o->maybe_suspended = true;
		o->gintsts |= INT_ESUSP;
		bench_after(o->bench, e, CONFIRM_US);
	} else {
		o->suspended = true;
		o->waking = false;
		o->gintsts |= INT_USBSUSP;
	}
	otg_fs_update(o);
}

void otg_fs_init_wire(struct otg_fs *o)
{
	o->suspend_event = (struct bench_event){ .fire = suspend, .context = o };
}

void otg_fs_reset_wire(struct otg_fs *o)
{
	bool silent = o->suspended;

	o->suspended = o->waking = o->enumerated = false;
	if (silent)
		otg_fs_bus_is_silent(o);
}

void otg_fs_bus_is_silent(struct otg_fs *o)
{
	o->maybe_suspended = false;
	bench_after(o->bench, &o->suspend_event, IDLE_US);
}

/* The core is suspended no more from here on (34.16.4, DSTS.SUSPSTS); without a host that hears it, there is silence again. */
void otg_fs_wake(struct otg_fs *o)
{
	o->suspended = false;
	o->waking = true;
	otg_fs_bus_is_silent(o);
	bus_wake(o->bus);
}

static void wire_idle(void *context, bool idle)
{
	struct otg_fs *o = context;

	bench_cancel(o->bench, &o->suspend_event);
	if (!otg_fs_sync(o))
		return;
	otg_fs_want_frames(o);
	if (idle) {
		otg_fs_bus_is_silent(o);
	} else if (o->suspended || o->waking) {
		o->suspended = o->waking = false;
		o->gintsts |= INT_WKUP;
	}
	otg_fs_update(o);
}

/* DAD, FIFOs, EPENA and STALL are left to the firmware (34.17.5, "Endpoint initialization on USB reset"). */
static void wire_reset(void *context, bool begins)
{
	struct otg_fs *o = context;

	bench_cancel(o->bench, &o->suspend_event);
	if (!otg_fs_sync(o))
		return;
	otg_fs_want_frames(o);
	if (!begins) {
		o->enumerated = true;
		o->gintsts |= INT_ENUMDNE;
		otg_fs_update(o);
		return;
	}
	o->suspended = o->waking = false;
	o->setup_done_due = o->in_control = o->control_write = false;
	o->setups = 0;
	o->address = DCFG_DAD(o->dcfg);
	for (unsigned n = 1; n < OTG_ENDPOINTS; n++) {
		o->in[n].ctl &= ~CTL_USBAEP;
		o->out[n].ctl &= ~CTL_USBAEP;
	}
	o->gintsts |= INT_USBRST;
	otg_fs_update(o);
}

static void wire_sof(void *context, uint16_t frame)
{
	struct otg_fs *o = context;

	(void)frame;
	if (!otg_fs_sync(o))
		return;
	otg_fs_see_frames(o);
	otg_fs_update(o);
}

/* Packets */

#define MOST_SETUPS 3u /* one after the other: 34.17.6 */

/* The host went on from SETUP to the next stage: the firmware may act on the last SETUP packet (34.17.6). */
static void end_setup_stage(struct otg_fs *o)
{
	o->setups = 0;
	if (!o->setup_done_due || o->rx.count == o->rx.depth)
		return;
	o->setup_done_due = false;
	otg_fs_push_status(o, 0, RX_SETUP_DONE, false, NULL, 0);
}

static enum bus_handshake wire_setup(void *context, uint8_t address, const uint8_t packet[8])
{
	struct otg_fs *o = context;
	struct otg_endpoint *in = &o->in[0], *out = &o->out[0];

	if (!otg_fs_sync(o) || address != o->address || !otg_fs_has_room(o, 8, true))
		return BUS_NOTHING;
	in->nak = out->nak = out->ending = true;
	in->flags |= IN_INEPNE;
	in->ctl &= ~CTL_STALL;
	out->ctl &= ~CTL_STALL;
	in->data1 = out->data1 = true;
	if (out->extra)
		out->extra--;
	if (++o->setups > MOST_SETUPS)
		out->flags |= OUT_B2BSTUP;
	o->setup_done_due = o->in_control = true;
	o->control_write = false;
	otg_fs_push_status(o, 0, RX_SETUP, false, packet, 8);
	otg_fs_update(o);
	return BUS_ACK;
}

static void take_packet(struct otg_fs *o, unsigned n, bool data1, const uint8_t *data, size_t length)
{
	struct otg_endpoint *e = &o->out[n];

	e->pktcnt--;
	otg_fs_push_status(o, n, RX_OUT, data1, data, length);
	if (!n && length) {
		o->control_write = true;
		o->control_unread += (uint32_t)length;
	}
	if (!e->pktcnt || length < otg_fs_packet_bytes(o, e)) {
		e->nak = e->ending = true;
		otg_fs_push_status(o, n, RX_OUT_DONE, false, NULL, 0);
	}
}

/* There is no handshake: what is not taken is dropped. Room is for the largest packet, or there is none (34.16.2, ISOODRP). */
static enum bus_handshake receive_isochronous(struct otg_fs *o, unsigned n, bool data1, const uint8_t *data,
					      size_t length)
{
	struct otg_endpoint *e = &o->out[n];

	if (e->nak || o->global_out_nak || !e->enabled || !e->pktcnt || !otg_fs_is_its_frame(o, e))
		return BUS_NOTHING;
	if (!otg_fs_has_room(o, otg_fs_packet_bytes(o, e), false)) {
		o->gintsts |= INT_ISOODRP;
		o->in[n].flags |= IN_PKTDRPSTS; /* where 34.16.4 has it */
		return BUS_NOTHING;
	}
	take_packet(o, n, data1, data, length);
	return BUS_ACK;
}

static enum bus_handshake receive(struct otg_fs *o, unsigned n, bool data1, const uint8_t *data, size_t length)
{
	struct otg_endpoint *e = &o->out[n];

	if (!(e->ctl & CTL_USBAEP))
		return BUS_NOTHING;
	if (length > otg_fs_packet_bytes(o, e)) {
		e->flags |= OUT_BERR;
		return BUS_NOTHING;
	}
	if (otg_fs_is_isochronous(e))
		return receive_isochronous(o, n, data1, data, length);
	if (e->ctl & CTL_STALL)
		return BUS_STALL;
	if (!e->enabled && CTL_EPTYP(e->ctl) == TYPE_CONTROL)
		e->flags |= OUT_OTEPDIS;
	if (e->nak || o->global_out_nak || !e->enabled || !e->pktcnt || !otg_fs_has_room(o, length, false)) {
		e->flags |= OUT_NAK;
		return BUS_NAK;
	}
	if (data1 != e->data1)
		return BUS_ACK; /* sent once more, as the core sees it: dropped (USB 2.0 8.6.4) */
	e->data1 = !e->data1;
	take_packet(o, n, data1, data, length);
	return BUS_ACK;
}

static enum bus_handshake wire_out(void *context, uint8_t address, uint8_t endpoint, bool data1, const uint8_t *data,
				   size_t length)
{
	struct otg_fs *o = context;
	enum bus_handshake answer;

	if (!otg_fs_sync(o) || address != o->address || endpoint >= OTG_ENDPOINTS)
		return BUS_NOTHING;
	if (!endpoint)
		end_setup_stage(o);
	answer = receive(o, endpoint, data1, data, length);
	if (answer == BUS_ACK && !endpoint && !length)
		o->in_control = false;
	otg_fs_update(o);
	return answer;
}

/* Whether its packet goes; if not, an empty one does, since each token is answered (34.17.6, "Generic periodic IN data transfers"). */
static bool isochronous_is_due(struct otg_fs *o, struct otg_endpoint *e, bool whole)
{
	bool due = !e->nak && otg_fs_is_its_frame(o, e);

	if (!e->nak && !whole)
		e->flags |= IN_NAK;
	o->sending_counts = due; /* the empty one, too */
	return due && whole;
}

static enum bus_handshake send(struct otg_fs *o, unsigned n, uint8_t *data, size_t room, size_t *length, bool *data1)
{
	struct otg_endpoint *e = &o->in[n];
	struct otg_fifo *f = otg_fs_tx_of(o, n);
	bool isochronous = otg_fs_is_isochronous(e), periodic = isochronous || CTL_EPTYP(e->ctl) == TYPE_INTERRUPT;
	uint32_t most = otg_fs_packet_bytes(o, e), bytes = e->left < most ? e->left : most;
	unsigned there = f ? f->count : 0;
	bool whole = e->enabled && e->pktcnt && there >= (bytes + 3) / 4 && bytes <= room;

	if (!(e->ctl & CTL_USBAEP))
		return BUS_NOTHING;
	if (e->ctl & CTL_STALL && !isochronous)
		return BUS_STALL;
	if (!e->nak && (periodic ? !whole : !there && !e->pktcnt))
		e->flags |= IN_ITTXFE;
	o->sending_counts = true;
	if (isochronous) {
		if (!isochronous_is_due(o, e, whole))
			bytes = 0;
	} else if (e->nak || (o->global_in_nak && !periodic) || !whole) {
		e->flags |= IN_NAK;
		return BUS_NAK;
	}
	if (bytes)
		otg_fs_read_packet(o, f, data, bytes);
	*length = o->sending = bytes;
	*data1 = e->data1 && !isochronous;
	return BUS_ACK;
}

/* The host went on from the data of a control write to its status, and the firmware has that data (34.16.4, DOEPINTx). */
static void see_status_stage(struct otg_fs *o)
{
	if (!o->control_write || o->control_unread)
		return;
	o->control_write = false;
	o->out[0].flags |= OUT_STSPHSRX;
}

static enum bus_handshake wire_in(void *context, uint8_t address, uint8_t endpoint, uint8_t *data, size_t room,
				  size_t *length, bool *data1)
{
	struct otg_fs *o = context;
	enum bus_handshake answer;

	if (!otg_fs_sync(o) || address != o->address || endpoint >= OTG_ENDPOINTS)
		return BUS_NOTHING;
	if (!endpoint) {
		end_setup_stage(o);
		see_status_stage(o);
	}
	answer = send(o, endpoint, data, room, length, data1);
	otg_fs_update(o);
	return answer;
}

/* The firmware may have stopped the endpoint or flushed the FIFO while the packet was under way: what is left of it goes. */
static void wire_acknowledged(void *context, uint8_t address, uint8_t endpoint)
{
	struct otg_fs *o = context;
	struct otg_endpoint *e = &o->in[endpoint];
	struct otg_fifo *f;

	(void)address;
	if (!otg_fs_sync(o))
		return;
	f = otg_fs_tx_of(o, endpoint);
	if (f)
		otg_fs_drop_packet(f, o->sending);
	if (!otg_fs_is_isochronous(e))
		e->data1 = !e->data1;
	e->left -= o->sending < e->left ? o->sending : e->left;
	if (o->sending_counts && e->enabled && e->pktcnt && !--e->pktcnt && !e->xfrsiz) {
		e->enabled = false;
		e->flags |= IN_XFRC;
	}
	if (!endpoint && !o->sending) {
		o->in_control = false;
		o->address = DCFG_DAD(o->dcfg);
	}
	otg_fs_update(o);
}

const struct bus_device_ops otg_fs_wire_ops = {
	.reset = wire_reset,
	.idle = wire_idle,
	.sof = wire_sof,
	.setup = wire_setup,
	.out = wire_out,
	.in = wire_in,
	.acknowledged = wire_acknowledged,
};
