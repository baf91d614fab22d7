/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device registers of OTG_FS: RM0090 34.16.4. */
#include <string.h>
#include "otg_fs_internal.h"

void otg_fs_reset_endpoints(struct otg_fs *o)
{
	memset(o->in, 0, sizeof o->in);
	memset(o->out, 0, sizeof o->out);
	o->in[0].ctl = o->out[0].ctl = CTL_USBAEP;
	o->diepmsk = o->doepmsk = o->daintmsk = o->diepempmsk = 0;
	o->dvbusdis = 0x17d7;
	o->dvbuspulse = 0x5b8;
	o->global_in_nak = o->global_out_nak = false;
	o->out_nak_effective = o->out_nak_due = false;
	o->setup_done_due = o->in_control = o->control_write = false;
	o->setups = 0;
	o->control_unread = 0;
	o->dcfg = DCFG_RESERVED | (o->dcfg & DCFG_DSPD);
	o->address = 0;
}

/* Of endpoint 0 both ways: two bits of DIEPCTL0, from 64 down to 8. */
uint32_t otg_fs_packet_bytes(const struct otg_fs *o, const struct otg_endpoint *e)
{
	if (e == &o->in[0] || e == &o->out[0])
		return 64u >> (o->in[0].ctl & 3u);
	return e->ctl & CTL_MPSIZ;
}

uint32_t otg_fs_in_flags(const struct otg_fs *o, unsigned n)
{
	unsigned number = CTL_TXFNUM(o->in[n].ctl);
	bool low = number < OTG_ENDPOINTS && otg_fs_tx_is_low(o, &o->tx[number]);

	return o->in[n].flags | (low ? IN_TXFE : 0);
}

/* NAK, stop */

/* Without global OUT NAK, an OUT endpoint does not let itself be disabled (34.17.6). */
static void stop_out_endpoints(struct otg_fs *o)
{
	for (unsigned n = 1; n < OTG_ENDPOINTS; n++) {
		struct otg_endpoint *e = &o->out[n];

		if (!e->disabling || !o->out_nak_effective)
			continue;
		e->disabling = e->enabled = e->ending = false;
		e->nak = true;
		e->flags |= OUT_EPDISD;
	}
}

void otg_fs_out_nak_took_effect(struct otg_fs *o)
{
	if (!o->global_out_nak)
		return;
	o->out_nak_effective = true;
	stop_out_endpoints(o);
}

static void write_dctl(struct otg_fs *o, uint32_t value)
{
	uint32_t risen = value & ~o->dctl;

	o->dctl = value & DCTL_KEPT;
	if (value & DCTL_CGINAK)
		o->global_in_nak = false;
	if (value & DCTL_SGINAK)
		o->global_in_nak = true;
	if (value & DCTL_CGONAK)
		o->global_out_nak = o->out_nak_effective = o->out_nak_due = false;
	if (value & DCTL_SGONAK && !o->global_out_nak) {
		/* It takes effect when the firmware has read what came before: its word is behind all that. */
		o->global_out_nak = true;
		o->out_nak_due = o->rx.count == o->rx.depth;
		if (!o->out_nak_due)
			otg_fs_push_status(o, 0, RX_GLOBAL_OUT_NAK, false, NULL, 0);
	}
	if (risen & DCTL_RWUSIG && o->suspended)
		otg_fs_wake(o);
	otg_fs_connect(o);
	otg_fs_ready_all(o);
}

/* A new address counts once the status stage of the request that brought it is over; at any other time, at once. */
static void write_dcfg(struct otg_fs *o, uint32_t value)
{
	o->dcfg = DCFG_RESERVED | (value & 0x1ff7u);
	if (!o->in_control)
		o->address = DCFG_DAD(o->dcfg);
	otg_fs_want_frames(o); /* PFIVL */
}

/* Endpoints */

static uint32_t read_ctl(const struct otg_fs *o, const struct otg_endpoint *e)
{
	uint32_t ctl = e->ctl;

	if (e == &o->out[0])
		ctl |= o->in[0].ctl & 3u;
	if (e == &o->in[0] || e == &o->out[0]) /* reserved there */
		;
	else if (otg_fs_is_isochronous(e) ? e->odd : e->data1)
		ctl |= CTL_DPID;
	return ctl | (e->nak ? CTL_NAKSTS : 0) | (e->enabled ? CTL_EPENA : 0) | (e->disabling ? CTL_EPDIS : 0);
}

static void write_fields(struct otg_endpoint *e, unsigned n, bool in, uint32_t value)
{
	uint32_t kept = (in ? CTL_TXFNUM_MASK : CTL_SNPM) | CTL_STALL;

	if (n) {
		kept |= CTL_MPSIZ | CTL_USBAEP | CTL_EPTYP_MASK;
		e->ctl = value & kept;
		if (value & (CTL_SD0PID | CTL_SD1PID))
			*(otg_fs_is_isochronous(e) ? &e->odd : &e->data1) = !(value & CTL_SD0PID);
		return;
	}
	/* STALL of endpoint 0 is set here and cleared by SETUP alone. */
	e->ctl = CTL_USBAEP | (value & (kept | (in ? 3u : 0))) | (e->ctl & CTL_STALL);
}

static void write_in_ctl(struct otg_fs *o, unsigned n, uint32_t value)
{
	struct otg_endpoint *e = &o->in[n];

	write_fields(e, n, true, value);
	if (value & CTL_CNAK) {
		e->nak = false;
		e->flags &= ~IN_INEPNE;
	}
	if (value & CTL_SNAK) {
		e->nak = true;
		e->flags |= IN_INEPNE;
	}
	if (value & CTL_EPENA)
		e->enabled = true;
	if (value & CTL_EPDIS && e->enabled) {
		e->enabled = false;
		e->in_packet = 0;
		e->flags |= IN_EPDISD;
	}
	otg_fs_ready(o, n);
	otg_fs_want_frames(o);
}

static void write_out_ctl(struct otg_fs *o, unsigned n, uint32_t value)
{
	struct otg_endpoint *e = &o->out[n];

	write_fields(e, n, false, value);
	if (value & CTL_CNAK)
		e->nak = false;
	if (value & CTL_SNAK)
		e->nak = true;
	if (value & CTL_EPENA) {
		e->enabled = true;
		if (value & CTL_CNAK) /* it begins anew, whatever was to end it */
			e->disabling = e->ending = false;
	}
	/* Endpoint 0 cannot be disabled. With CNAK, EPDIS is what was read back, and a new transfer is meant (ASSUMED). */
	if (value & CTL_EPDIS && !(value & CTL_CNAK) && e->enabled && n) {
		e->disabling = true;
		stop_out_endpoints(o);
	}
	otg_fs_ready(o, n);
	otg_fs_want_frames(o);
}

static uint32_t read_tsiz(const struct otg_endpoint *e)
{
	return e->xfrsiz | e->pktcnt << 19 | e->extra << 29;
}

static void write_tsiz(struct otg_endpoint *e, unsigned n, bool in, uint32_t value)
{
	e->xfrsiz = value & (n ? 0x7ffffu : 0x7fu);
	e->pktcnt = value >> 19 & (n ? 0x3ffu : in ? 3u : 1u);
	if (in ? n : !otg_fs_is_isochronous(e)) /* RXDPID is the core's */
		e->extra = value >> 29 & 3u;
	e->left = e->xfrsiz;
	e->in_packet = 0;
}

static uint32_t read_endpoint(struct otg_fs *o, uint32_t offset)
{
	bool in = offset < OUT_BEGIN;
	unsigned n = (offset - (in ? IN_BEGIN : OUT_BEGIN)) / ENDPOINT_STRIDE;
	const struct otg_endpoint *e;

	if (n >= OTG_ENDPOINTS)
		return 0; /* drivers for larger cores clear them all */
	e = in ? &o->in[n] : &o->out[n];
	switch (offset % ENDPOINT_STRIDE) {
	case EP_CTL:
		return read_ctl(o, e);
	case EP_INT:
		return in ? otg_fs_in_flags(o, n) : e->flags | OUT_RESERVED;
	case EP_TSIZ:
		return read_tsiz(e);
	case EP_TXFSTS:
		if (in)
			return otg_fs_tx_free(o, CTL_TXFNUM(e->ctl));
		break;
	}
	otg_fs_tell_unknown(o, offset, false);
	return 0;
}

static void write_endpoint(struct otg_fs *o, uint32_t offset, uint32_t value)
{
	bool in = offset < OUT_BEGIN;
	unsigned n = (offset - (in ? IN_BEGIN : OUT_BEGIN)) / ENDPOINT_STRIDE;
	struct otg_endpoint *e;

	if (n >= OTG_ENDPOINTS)
		return;
	e = in ? &o->in[n] : &o->out[n];
	switch (offset % ENDPOINT_STRIDE) {
	case EP_CTL:
		if (in)
			write_in_ctl(o, n, value);
		else
			write_out_ctl(o, n, value);
		break;
	case EP_INT:
		value &= e->flags & (in ? IN_CLEARED_BY_WRITING : OUT_CLEARED_BY_WRITING);
		e->flags &= ~value;
		if (value)
			otg_fs_ready(o, n); /* the host has never ceased to ask: the flag of that comes again */
		break;
	case EP_TSIZ:
		write_tsiz(e, n, in, value);
		otg_fs_ready(o, n);
		break;
	default:
		otg_fs_tell_unknown(o, offset, true);
	}
}

/* All of them */

uint32_t otg_fs_read_device(struct otg_fs *o, uint32_t offset)
{
	switch (offset) {
	case DCFG:
		return o->dcfg;
	case DCTL:
		return o->dctl | (o->global_in_nak ? DCTL_GINSTS : 0) | (o->global_out_nak ? DCTL_GONSTS : 0);
	case DSTS:
		return DSTS_RESERVED | (o->suspended ? DSTS_SUSPSTS : 0) | (o->enumerated ? DSTS_FULL_SPEED : 0) |
		       (uint32_t)bus_frame(o->bus) << 8;
	case DIEPMSK:
		return o->diepmsk;
	case DOEPMSK:
		return o->doepmsk;
	case DAINT:
		return otg_fs_daint(o);
	case DAINTMSK:
		return o->daintmsk;
	case DVBUSDIS:
		return o->dvbusdis;
	case DVBUSPULSE:
		return o->dvbuspulse;
	case DIEPEMPMSK:
		return o->diepempmsk;
	case DEACHINT:
	case DEACHINTMSK:
		return 0;
	}
	if (offset >= IN_BEGIN && offset < OUT_END)
		return read_endpoint(o, offset);
	otg_fs_tell_unknown(o, offset, false);
	return 0;
}

void otg_fs_write_device(struct otg_fs *o, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case DCFG:
		write_dcfg(o, value);
		break;
	case DCTL:
		write_dctl(o, value);
		break;
	case DIEPMSK:
		o->diepmsk = value & DIEPMSK_KEPT;
		break;
	case DOEPMSK:
		o->doepmsk = value & DOEPMSK_KEPT;
		break;
	case DAINTMSK:
		o->daintmsk = value;
		break;
	case DVBUSDIS:
		o->dvbusdis = value & 0xffffu;
		break;
	case DVBUSPULSE:
		o->dvbuspulse = value & 0xfffu;
		break;
	case DIEPEMPMSK:
		o->diepempmsk = value & 0xffffu;
		break;
	case DSTS:
	case DAINT:
	case DEACHINT:
	case DEACHINTMSK:
		break;
	default:
		if (offset >= IN_BEGIN && offset < OUT_END)
			write_endpoint(o, offset, value);
		else
			otg_fs_tell_unknown(o, offset, true);
	}
}
