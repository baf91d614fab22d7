// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DMA1 and DMA2 (RM0090 chapter 10): memory to memory, and streams that serve a USART. Direct mode or FIFO is the same here, but for
 * what their registers say. A stream's request is by its channel (tables 43 and 44): a wrong one serves nobody, as on the chip.
 */
#include "soc_internal.h"

enum { LISR, HISR, LIFCR, HIFCR, STREAMS };
enum { SCR, SNDTR, SPAR, SM0AR, SM1AR, SFCR, STREAM_REGS };

#define EN (1u << 0)
#define DMEIE (1u << 1)
#define TEIE (1u << 2)
#define HTIE (1u << 3)
#define TCIE (1u << 4)
#define PFCTRL (1u << 5)
#define PINCOS (1u << 15)
#define DBM (1u << 18)
#define CT (1u << 19)
#define PBURST (3u << 21)
#define MBURST(cr) ((cr) >> 23 & 3)
#define BURSTS (15u << 21)
#define CR_MASK 0x0FEFFFFFu
#define WRITABLE (EN | DMEIE | TEIE | HTIE | TCIE | CIRC) /* of SCR, while it is on (RM0090 10.5.5) */
#define FTH(fcr) ((fcr)&3)
#define DMDIS (1u << 2)
#define FS_EMPTY (4u << 3)
#define FEIE (1u << 7)
#define DIRECTION(cr) ((cr) >> 6 & 3)
#define CIRC (1u << 8)
#define PINC (1u << 9)
#define MINC (1u << 10)
#define CHANNEL(cr) ((cr) >> 25 & 7)
#define FEIF (1u << 0)
#define DMEIF (1u << 2)
#define TEIF (1u << 3)
#define HTIF (1u << 4)
#define TCIF (1u << 5)
enum { FROM_PERIPHERAL, TO_PERIPHERAL, IN_MEMORY };

#define CYCLES_EACH 4 /* ASSUMED: a transfer in memory, on a bus with nothing else to do */

static const uint8_t irqs[2][8] = { { 11, 12, 13, 14, 15, 16, 17, 47 }, { 56, 57, 58, 59, 60, 68, 69, 70 } };

/* Who asks: the data register of a USART. */
static const struct request {
	uint32_t address;
	bool out;
	uint8_t unit, stream, channel;
} requests[] = {
	{ 0x40011004, false, 1, 2, 4 }, { 0x40011004, false, 1, 5, 4 }, { 0x40011004, true, 1, 7, 4 },
	{ 0x40004404, false, 0, 5, 4 }, { 0x40004404, true, 0, 6, 4 },  { 0x40004804, false, 0, 1, 4 },
	{ 0x40004804, true, 0, 3, 4 },  { 0x40004804, true, 0, 4, 7 },  { 0x40004C04, false, 0, 2, 4 },
	{ 0x40004C04, true, 0, 4, 4 },  { 0x40005004, false, 0, 0, 4 }, { 0x40005004, true, 0, 7, 4 },
	{ 0x40011404, false, 1, 1, 5 }, { 0x40011404, false, 1, 2, 5 }, { 0x40011404, true, 1, 6, 5 },
	{ 0x40011404, true, 1, 7, 5 },
};

/* Where the six flags of a stream are in its status register. */
static unsigned flag_shift(unsigned stream)
{
	static const uint8_t at[] = { 0, 6, 16, 22 };

	return at[stream % 4];
}

static uint32_t flags_of(const struct dma *d, unsigned stream)
{
	return d->isr[stream / 4] >> flag_shift(stream) & 0x3D;
}

static void update(struct soc *s, unsigned unit, unsigned stream)
{
	const struct dma_stream *t = &s->dma[unit].streams[stream];
	uint32_t flags = flags_of(&s->dma[unit], stream);

	/* DMEIE, TEIE, HTIE, TCIE are one bit below their flags. */
	soc_irq(s, irqs[unit][stream], 0,
		(flags & t->cr << 1 & (DMEIF | TEIF | HTIF | TCIF)) || (flags & FEIF && t->fcr & FEIE));
}

static void raise_flags(struct soc *s, unsigned unit, unsigned stream, uint32_t flags)
{
	s->dma[unit].isr[stream / 4] |= flags << flag_shift(stream);
	update(s, unit, stream);
}

static unsigned size_at(uint32_t cr, unsigned shift)
{
	unsigned code = cr >> shift & 3;

	return code == 3 ? 4 : 1u << code;
}

/* One item, or false: bus error, which stops the stream. Sizes of both sides are taken as one, that of the peripheral. */
static bool move(struct soc *s, struct dma_stream *t, uint32_t *given)
{
	unsigned size = size_at(t->cr, 11);
	uint32_t value = given ? *given : 0;
	bool ok = true;

	switch (DIRECTION(t->cr)) {
	case FROM_PERIPHERAL:
		ok = soc_master_write(s, t->memory, size, value);
		break;
	case TO_PERIPHERAL:
		ok = soc_master_read(s, t->memory, size, given);
		break;
	default:
		ok = soc_master_read(s, t->peripheral, size, &value) && soc_master_write(s, t->memory, size, value);
		break;
	}
	t->peripheral += !(t->cr & PINC) ? 0 : t->cr & PINCOS ? 4 : size;
	t->memory += t->cr & MINC ? size : 0;
	t->left--;
	return ok;
}

static void restart(struct dma_stream *t)
{
	t->left = t->ndtr;
	t->peripheral = t->par;
	t->memory = t->cr & DBM && t->cr & CT ? t->m1ar : t->m0ar;
}

/* After an item: half, all, or a mistake. */
static void follow(struct soc *s, unsigned unit, unsigned stream, bool ok)
{
	struct dma_stream *t = &s->dma[unit].streams[stream];

	if (!ok) {
		t->cr &= ~EN;
		raise_flags(s, unit, stream, TEIF);
		return;
	}
	if (t->left == t->ndtr / 2 && t->left)
		raise_flags(s, unit, stream, HTIF);
	if (t->left)
		return;
	if (t->cr & DBM)
		t->cr ^= CT;
	if (t->cr & CIRC)
		restart(t);
	else
		t->cr &= ~EN;
	raise_flags(s, unit, stream, t->ndtr > 1 ? TCIF : TCIF | HTIF);
}

bool dma_request(struct soc *s, uint32_t address, bool out, uint32_t *value)
{
	bool served = false;

	if (s->dma_moves) /* it has been pointed at registers that ask for it */
		return false;
	s->dma_moves = true;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]) && !served; i++) {
		const struct request *r = &requests[i];
		struct dma_stream *t = &s->dma[r->unit].streams[r->stream];

		if (r->address != address || r->out != out || !(t->cr & EN) || CHANNEL(t->cr) != r->channel ||
		    t->par != address || !t->left || !rcc_dma_is_on(s, r->unit) ||
		    DIRECTION(t->cr) != (out ? TO_PERIPHERAL : FROM_PERIPHERAL))
			continue;
		follow(s, r->unit, r->stream, move(s, t, value));
		served = true;
	}
	s->dma_moves = false;
	return served;
}

/* unit of the timer: both numbers. Memory to memory ends as a whole: nobody sees the middle but by NDTR. DMA1 has no way to memory by
 * its other port (RM0090 10.3.1). ASSUMED: that is a bus error. */
static void done(struct soc *s, unsigned both)
{
	struct dma_stream *t = &s->dma[both / 8].streams[both % 8];
	bool ok = both / 8 == 1;

	if (!ok)
		follow(s, both / 8, both % 8, false);
	while (ok && t->cr & EN && t->left) {
		ok = move(s, t, NULL);
		follow(s, both / 8, both % 8, ok);
	}
}

/* What the chip sets itself as a stream is switched on (RM0090 10.5.5, 10.5.10). */
static void force(struct dma_stream *t)
{
	if (DIRECTION(t->cr) == IN_MEMORY) {
		t->cr &= ~(PFCTRL | CIRC | DBM); /* ASSUMED: the latter two, which are not allowed there */
		t->fcr |= DMDIS;
	}
	if (!(t->fcr & DMDIS))
		t->cr = (t->cr & ~(BURSTS | PINCOS | 3u << 13)) | (t->cr >> 11 & 3) << 13; /* MSIZE: as PSIZE */
	if (t->cr & PBURST)
		t->cr &= ~PINCOS;
	if (t->cr & DBM)
		t->cr |= CIRC;
	if (t->cr & PFCTRL)
		t->cr &= ~CIRC;
}

/* Whole bursts between FIFO and memory (RM0090 table 49). */
static bool fits(const struct dma_stream *t)
{
	unsigned burst = (2u << MBURST(t->cr)) * size_at(t->cr, 13), level = 4 * (FTH(t->fcr) + 1);

	return burst <= level && level % burst == 0;
}

static void enable(struct soc *s, unsigned unit, unsigned stream)
{
	struct dma_stream *t = &s->dma[unit].streams[stream];

	force(t);
	restart(t);
	if (t->fcr & DMDIS && MBURST(t->cr) && !fits(t)) {
		t->cr &= ~EN;
		raise_flags(s, unit, stream, FEIF);
		return;
	}
	if (DIRECTION(t->cr) == IN_MEMORY && t->ndtr) /* without a number it stays on, and waits (RM0090 10.5.6) */
		soc_arm_after(s, &t->done, (uint64_t)t->ndtr * CYCLES_EACH);
}

/* The target that is in use is not to be moved (RM0090 10.3.9). False: an error, and it stops. */
static bool may_move_target(struct soc *s, unsigned unit, unsigned stream, unsigned reg)
{
	struct dma_stream *t = &s->dma[unit].streams[stream];

	if (!(t->cr & EN) || (t->cr & DBM && !(t->cr & CT) == (reg == SM1AR)))
		return true;
	if (t->cr & DBM)
		follow(s, unit, stream, false);
	return false;
}

static void write_stream(struct soc *s, unsigned unit, unsigned stream, unsigned reg, uint32_t value, uint32_t mask)
{
	struct dma_stream *t = &s->dma[unit].streams[stream];
	uint32_t *const regs[] = { &t->cr, &t->ndtr, &t->par, &t->m0ar, &t->m1ar, &t->fcr };
	bool was_on = t->cr & EN;

	if ((reg == SM0AR || reg == SM1AR) && !may_move_target(s, unit, stream, reg))
		return;
	if (was_on && (reg == SNDTR || reg == SPAR))
		return; /* locked while it is on */
	if (reg == SCR)
		mask &= was_on ? DIRECTION(t->cr) == IN_MEMORY ? WRITABLE & ~CIRC : WRITABLE : CR_MASK;
	if (reg == SFCR)
		mask &= was_on ? FEIE : FEIE | DMDIS | 3;
	*regs[reg] = soc_merge(*regs[reg], value, mask);
	t->ndtr &= 0xFFFF;
	if (reg == SNDTR)
		t->left = t->ndtr;
	if (reg == SFCR)
		update(s, unit, stream);
	if (reg != SCR)
		return;
	if (!was_on && t->cr & EN) {
		enable(s, unit, stream);
	} else if (was_on && !(t->cr & EN)) {
		soc_disarm(s, &t->done);
		t->ndtr = t->left; /* as far as it came, and the chip says that it has ended (RM0090 10.3.14) */
		raise_flags(s, unit, stream, TCIF);
	}
	update(s, unit, stream);
}

uint32_t dma_read(struct soc *s, unsigned unit, uint32_t offset)
{
	const struct dma *d = &s->dma[unit];
	unsigned reg = offset / 4, stream = (reg - STREAMS) / STREAM_REGS;
	const struct dma_stream *t = &d->streams[stream % 8];

	if (reg < LIFCR)
		return d->isr[reg];
	if (reg < STREAMS || stream >= 8)
		return 0;
	switch ((reg - STREAMS) % STREAM_REGS) {
	case SCR:
		return t->cr;
	case SNDTR:
		return t->left;
	case SPAR:
		return t->par;
	case SM0AR:
		return t->m0ar;
	case SM1AR:
		return t->m1ar;
	default:
		return t->fcr;
	}
}

void dma_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	unsigned reg = offset / 4, stream = (reg - STREAMS) / STREAM_REGS;

	if (reg == LIFCR || reg == HIFCR) {
		s->dma[unit].isr[reg - LIFCR] &= ~(value & mask);
		for (unsigned i = 0; i < 4; i++)
			update(s, unit, (reg - LIFCR) * 4 + i);
	} else if (reg >= STREAMS && stream < 8) {
		write_stream(s, unit, stream, (reg - STREAMS) % STREAM_REGS, value, mask);
	}
}

void dma_reset(struct soc *s, unsigned unit)
{
	struct dma *d = &s->dma[unit];

	d->isr[0] = d->isr[1] = 0;
	for (unsigned i = 0; i < 8; i++) {
		soc_disarm(s, &d->streams[i].done);
		d->streams[i] = (struct dma_stream){ .fcr = FS_EMPTY | 1,
						     .done = { .at = SOC_NEVER, .fire = done, .unit = unit * 8 + i } };
		update(s, unit, i);
	}
}
