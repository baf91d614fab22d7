/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OTG_FS of an STM32F407: global registers (RM0090 34.16.2), interrupt, session and pull-up. otg_fs.md says what is modelled. */
#include <stdlib.h>
#include <string.h>
#include "otg_fs_internal.h"

/* GSNPSID and GHWCFGx are not in RM0090; the figures are what F407s answer, as TinyUSB's table of cores has them. */
#define F407_GSNPSID 0x4f54281au
#define F407_GHWCFG2 0x229dcd20u
#define F407_GHWCFG3 0x020001e8u
#define F407_GHWCFG4 0x0ff08030u

/* Interrupt */

uint32_t otg_fs_daint(const struct otg_fs *o)
{
	uint32_t daint = 0;

	for (unsigned n = 0; n < OTG_ENDPOINTS; n++) {
		uint32_t mask = o->diepmsk | (o->diepempmsk >> n & 1 ? IN_TXFE : 0);

		if (otg_fs_in_flags(o, n) & mask)
			daint |= BIT(n);
		if (o->out[n].flags & o->doepmsk)
			daint |= BIT(16 + n);
	}
	return daint;
}

static uint32_t interrupts(const struct otg_fs *o)
{
	uint32_t endpoints = otg_fs_daint(o) & o->daintmsk;

	return o->gintsts | INT_PTXFE | (o->gotgint ? INT_OTG : 0) | (o->rx.count ? INT_RXFLVL : 0) |
	       (otg_fs_tx_is_low(o, &o->tx[0]) ? INT_NPTXFE : 0) | (o->global_in_nak ? INT_GINAKEFF : 0) |
	       (o->out_nak_effective ? INT_GONAKEFF : 0) | (endpoints & 0xffff ? INT_IEP : 0) |
	       (endpoints >> 16 ? INT_OEP : 0);
}

void otg_fs_update(struct otg_fs *o)
{
	bool line = o->clocked && o->gahbcfg & GAHBCFG_GINT && interrupts(o) & o->gintmsk;

	if (line == o->line)
		return;
	o->line = line;
	o->user.interrupt(o->user.context, line);
}

void otg_fs_tell_unknown(struct otg_fs *o, uint32_t offset, bool write)
{
	uint32_t *seen, bit;

	if (offset >= 0x1000) {
		if (o->unknown_beyond)
			return;
		o->unknown_beyond = true;
	} else {
		seen = &o->unknown_seen[offset / 4 / 32];
		bit = BIT(offset / 4 % 32);
		if (*seen & bit)
			return;
		*seen |= bit;
	}
	o->user.unknown(o->user.context, offset, write);
}

/* Session and pull-up */

/* VBUS is looked at where that is switched on; else it is taken for valid only where NOVBUSSENS says so (34.16.2, GCCFG). */
static bool session_is_valid(const struct otg_fs *o)
{
	if (o->gccfg & GCCFG_NOVBUSSENS)
		return true;
	return o->gccfg & GCCFG_VBUSBSEN && o->vbus;
}

void otg_fs_connect(struct otg_fs *o)
{
	bool session = o->gccfg & GCCFG_PWRDWN && session_is_valid(o);
	bool pull_up = session && !(o->dctl & DCTL_SDIS) && !(o->gusbcfg & GUSBCFG_FHMOD);

	if (session && !o->session)
		o->gintsts |= INT_SRQ;
	if (!session && o->session && !o->vbus) /* it is of the voltage: firmware that looks away ends nothing */
		o->gotgint |= GOTGINT_SEDET;
	o->session = session;
	if (pull_up == o->pulled_up)
		return;
	o->pulled_up = pull_up;
	bench_cancel(o->bench, &o->suspend_event);
	o->suspended = o->waking = o->enumerated = false;
	if (pull_up)
		otg_fs_bus_is_silent(o);
	bus_pull_up(o->bus, pull_up);
}

void otg_fs_vbus(struct otg_fs *o, bool present)
{
	if (o->vbus == present)
		return;
	o->vbus = present;
	otg_fs_connect(o);
	if (!present)
		bus_unplug(o->bus);
	otg_fs_update(o);
}

/* Resets */

/*
 * What GRSTCTL.CSRST resets, and what not: PCGCCTL and DSPD stay (34.16.2, GRSTCTL). So do GCCFG and SDIS, which manuals of later
 * STM32s with this core list too: TinyUSB sets both before, and not again.
 */
static void reset_core(struct otg_fs *o)
{
	o->gotgctl = o->gotgint = o->gahbcfg = o->grstctl = 0;
	o->gintsts = o->gintmsk = 0;
	o->gusbcfg = 0xa00;
	o->grxfsiz = 0x200;
	for (unsigned n = 0; n < OTG_ENDPOINTS; n++)
		o->dieptxf[n] = 0x02000200;
	o->dieptxf0_written = false;
	o->hptxfsiz = 0x02000400;
	o->cid = 0x1200;
	o->dctl &= DCTL_SDIS;
	memset(&o->rx, 0, sizeof o->rx);
	memset(o->tx, 0, sizeof o->tx);
	o->rx_left = 0;
	otg_fs_resize_fifos(o);
	otg_fs_reset_endpoints(o);
	otg_fs_reset_wire(o);
	otg_fs_want_frames(o);
	otg_fs_connect(o);
}

void otg_fs_reset(struct otg_fs *o)
{
	o->gccfg = o->pcgcctl = o->dctl = o->dcfg = 0;
	otg_fs_connect(o);
	reset_core(o);
	o->session = false;
	otg_fs_update(o);
}

void otg_fs_clock(struct otg_fs *o, bool on)
{
	o->clocked = on;
	otg_fs_update(o);
	if (!on)
		return;
	otg_fs_ready_all(o);
	otg_fs_want_frames(o);
}

/* Registers */

static uint32_t read_global(struct otg_fs *o, uint32_t offset)
{
	switch (offset) {
	case GOTGCTL:
		return o->gotgctl | GOTGCTL_CIDSTS | (o->session ? GOTGCTL_BSVLD : 0);
	case GOTGINT:
		return o->gotgint;
	case GAHBCFG:
		return o->gahbcfg;
	case GUSBCFG:
		return o->gusbcfg | GUSBCFG_PHYSEL;
	case GRSTCTL:
		return o->grstctl | GRSTCTL_AHBIDL;
	case GINTSTS:
		otg_fs_see_frames(o);
		return interrupts(o);
	case GINTMSK:
		return o->gintmsk;
	case GRXSTSR:
		return otg_fs_peek_rx(o);
	case GRXSTSP:
		return otg_fs_pop_status(o);
	case GRXFSIZ:
		return o->grxfsiz;
	case DIEPTXF0:
		/* 34.16.2 has no size in it after reset, and 0x200 words free (HNPTXSTS, DTXFSTS0). */
		return o->dieptxf0_written ? o->dieptxf[0] : o->dieptxf[0] & 0xffff;
	case GNPTXSTS:
		return 0x00080000 | otg_fs_tx_free(o, 0);
	case GCCFG:
		return o->gccfg;
	case CID:
		return o->cid;
	case GSNPSID:
		return F407_GSNPSID;
	case GHWCFG1:
		return 0;
	case GHWCFG2:
		return F407_GHWCFG2;
	case GHWCFG3:
		return F407_GHWCFG3;
	case GHWCFG4:
		return F407_GHWCFG4;
	case HPTXFSIZ:
		return o->hptxfsiz;
	}
	if (offset >= DIEPTXF1 && offset <= DIEPTXF15) {
		unsigned n = 1 + (offset - DIEPTXF1) / 4;

		return n < OTG_ENDPOINTS ? o->dieptxf[n] : 0;
	}
	otg_fs_tell_unknown(o, offset, false);
	return 0;
}

static void write_grstctl(struct otg_fs *o, uint32_t value)
{
	if (value & GRSTCTL_CSRST) {
		reset_core(o);
		return;
	}
	o->grstctl = value & GRSTCTL_TXFNUM_MASK;
	if (value & GRSTCTL_RXFFLSH)
		otg_fs_flush_rx(o);
	if (value & GRSTCTL_TXFFLSH)
		otg_fs_flush_tx(o, GRSTCTL_TXFNUM(value));
}

static void write_global(struct otg_fs *o, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case GOTGCTL:
		o->gotgctl = value & GOTGCTL_KEPT;
		return;
	case GOTGINT:
		o->gotgint &= ~value;
		return;
	case GAHBCFG:
		o->gahbcfg = value & (GAHBCFG_GINT | GAHBCFG_TXFELVL | BIT(8));
		return;
	case GUSBCFG:
		if (value & ~o->gusbcfg & GUSBCFG_FHMOD)
			otg_fs_tell_unknown(o, offset, true); /* there is no host mode */
		o->gusbcfg = value & GUSBCFG_KEPT;
		otg_fs_connect(o);
		return;
	case GRSTCTL:
		write_grstctl(o, value);
		return;
	case GINTSTS:
		otg_fs_see_frames(o); /* what is cleared is older than now */
		o->gintsts &= ~(value & INT_CLEARED_BY_WRITING);
		return;
	case GINTMSK:
		otg_fs_see_frames(o);
		o->gintmsk = value & GINTMSK_KEPT;
		otg_fs_want_frames(o);
		return;
	case GRXFSIZ:
		o->grxfsiz = value & 0xffff;
		otg_fs_resize_fifos(o);
		otg_fs_ready_all(o);
		return;
	case DIEPTXF0:
		o->dieptxf[0] = value;
		o->dieptxf0_written = true;
		otg_fs_resize_fifos(o);
		return;
	case GCCFG:
		o->gccfg = value & GCCFG_KEPT;
		otg_fs_connect(o);
		return;
	case CID:
		o->cid = value;
		return;
	case HPTXFSIZ:
		o->hptxfsiz = value;
		return;
	case GRXSTSR:
	case GRXSTSP:
	case GNPTXSTS:
	case GSNPSID:
	case GHWCFG1:
	case GHWCFG2:
	case GHWCFG3:
	case GHWCFG4:
		return;
	}
	if (offset >= DIEPTXF1 && offset <= DIEPTXF15) {
		unsigned n = 1 + (offset - DIEPTXF1) / 4;

		if (n >= OTG_ENDPOINTS)
			return;
		o->dieptxf[n] = value;
		otg_fs_resize_fifos(o);
		return;
	}
	otg_fs_tell_unknown(o, offset, true);
}

/* Host registers are the other mode's (34.16.2, GINTSTS.MMIS); HPRT alone can be accessed in both (34.16). */
static void mismatch(struct otg_fs *o, uint32_t offset, bool write)
{
	if (offset != HPRT)
		o->gintsts |= INT_MMIS;
	otg_fs_tell_unknown(o, offset, write);
}

/* 34.16.5: once the firmware has stopped its clock, which it may while there is nothing on the bus. */
static bool phy_is_stopped(const struct otg_fs *o)
{
	return o->pcgcctl & PCGCCTL_STPPCLK && (o->suspended || !o->pulled_up);
}

uint32_t otg_fs_read(struct otg_fs *o, uint32_t offset)
{
	uint32_t value = 0;

	offset &= ~3u;
	if (!o->clocked)
		return 0;
	if (offset < HOST_BEGIN)
		value = read_global(o, offset);
	else if (offset < HOST_END)
		mismatch(o, offset, false);
	else if (offset < PCGCCTL)
		value = otg_fs_read_device(o, offset);
	else if (offset == PCGCCTL)
		value = o->pcgcctl | (phy_is_stopped(o) ? PCGCCTL_PHYSUSP : 0);
	else if (offset >= FIFO_BEGIN && offset < FIFO_END)
		value = otg_fs_read_fifo(o);
	else if (offset >= RAM_BEGIN && offset < RAM_END)
		value = o->ram[(offset - RAM_BEGIN) / 4 % OTG_RAM_WORDS];
	else
		otg_fs_tell_unknown(o, offset, false);
	otg_fs_update(o);
	return value;
}

void otg_fs_write(struct otg_fs *o, uint32_t offset, uint32_t value)
{
	offset &= ~3u;
	if (!o->clocked)
		return;
	if (offset < HOST_BEGIN) {
		write_global(o, offset, value);
	} else if (offset < HOST_END) {
		mismatch(o, offset, true);
	} else if (offset < PCGCCTL) {
		otg_fs_write_device(o, offset, value);
	} else if (offset == PCGCCTL) {
		o->pcgcctl = value & 3u;
	} else if (offset >= FIFO_BEGIN && offset < FIFO_END) {
		otg_fs_write_fifo(o, (offset - FIFO_BEGIN) / 0x1000, value);
	} else if (offset >= RAM_BEGIN && offset < RAM_END) {
		o->ram[(offset - RAM_BEGIN) / 4 % OTG_RAM_WORDS] = value;
	} else {
		otg_fs_tell_unknown(o, offset, true);
	}
	otg_fs_update(o);
}

/* Life */

struct usbdev *otg_fs_usbdev(struct otg_fs *o)
{
	return bus_usbdev(o->bus);
}

struct otg_fs *otg_fs_new(struct bench *bench, const struct otg_fs_user *user)
{
	struct otg_fs *o = calloc(1, sizeof *o);

	if (!o)
		return NULL;
	o->bench = bench;
	o->user = *user;
	o->bus = bus_new(bench, &otg_fs_wire_ops, o);
	if (!o->bus) {
		free(o);
		return NULL;
	}
	otg_fs_init_wire(o);
	otg_fs_init_frames(o);
	otg_fs_reset(o);
	return o;
}

void otg_fs_free(struct otg_fs *o)
{
	if (!o)
		return;
	bench_cancel(o->bench, &o->suspend_event);
	bench_cancel(o->bench, &o->frame_event);
	bus_free(o->bus);
	free(o);
}
