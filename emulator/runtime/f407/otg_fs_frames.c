/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames as OTG_FS has them: SOF, the end of the part of a frame that is for periodic transfers (EOPF), and isochronous transfers
 * that have not taken place by then: RM0090 34.7.2, 34.17.6.
 */
#include "otg_fs_internal.h"

#define FRAME_US 1000u

/* Into the frame: 80 to 95 % of it (34.16.4, DCFG.PFIVL). */
static uint64_t periodic_us(const struct otg_fs *o)
{
	return FRAME_US * (80 + 5 * DCFG_PFIVL(o->dcfg)) / 100;
}

/* Frames pass without events while nobody waits for them: what has been since the last look is then what a look at it finds. */
void otg_fs_see_frames(struct otg_fs *o)
{
	uint64_t now_us = bench_now_us(o->bench), since_us = bus_frames_since_us(o->bus), first_us, end_us;
	uint16_t frame = bus_frame(o->bus);

	if (frame != o->frame_seen) {
		o->frame_seen = frame;
		o->gintsts |= INT_SOF;
	}
	first_us = since_us + periodic_us(o);
	if (since_us <= now_us && first_us <= now_us) {
		end_us = first_us + (now_us - first_us) / FRAME_US * FRAME_US;
		if (end_us > o->frames_seen_us)
			o->gintsts |= INT_EOPF;
	}
	o->frames_seen_us = now_us;
}

static bool is_due(const struct otg_fs *o, const struct otg_endpoint *e)
{
	return otg_fs_is_isochronous(e) && e->enabled && otg_fs_is_its_frame(o, e);
}

static bool ends_are_wanted(const struct otg_fs *o)
{
	for (unsigned n = 1; n < OTG_ENDPOINTS; n++)
		if ((otg_fs_is_isochronous(&o->in[n]) && o->in[n].enabled) ||
		    (otg_fs_is_isochronous(&o->out[n]) && o->out[n].enabled))
			return true;
	return o->gintmsk & (INT_EOPF | INT_IISOIXFR | INT_INCOMPISOOUT);
}

void otg_fs_want_frames(struct otg_fs *o)
{
	uint64_t now_us = bench_now_us(o->bench), since_us = bus_frames_since_us(o->bus), end_us;

	bus_want_sof(o->bus, o->gintmsk & INT_SOF);
	bench_cancel(o->bench, &o->frame_event);
	if (since_us == BENCH_NEVER || !ends_are_wanted(o))
		return;
	end_us = since_us + periodic_us(o);
	if (end_us <= now_us)
		end_us += ((now_us - end_us) / FRAME_US + 1) * FRAME_US;
	bench_at(o->bench, &o->frame_event, end_us);
}

static void frame_ends(struct bench_event *e)
{
	struct otg_fs *o = e->context;

	if (!otg_fs_sync(o))
		return;
	if (bus_frames_since_us(o->bus) <= bench_now_us(o->bench)) {
		otg_fs_see_frames(o);
		for (unsigned n = 1; n < OTG_ENDPOINTS; n++)
			o->gintsts |= (is_due(o, &o->in[n]) ? INT_IISOIXFR : 0) |
				      (is_due(o, &o->out[n]) ? INT_INCOMPISOOUT : 0);
	}
	otg_fs_want_frames(o);
	otg_fs_update(o);
}

void otg_fs_init_frames(struct otg_fs *o)
{
	o->frame_event = (struct bench_event){ .fire = frame_ends, .context = o };
}
