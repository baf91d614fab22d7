// SPDX-License-Identifier: GPL-2.0-or-later
/* Peripherals of which little is wanted: CRC (RM0090 chapter 4), RNG (24), and the way to OTG_FS. */
#include "soc_internal.h"

#define OTG_BASE 0x50000000u

/* Ethernet's polynomial, most significant bit first, a word at a time. */
uint32_t crc_read(struct soc *s, unsigned unit, uint32_t offset)
{
	(void)unit;
	return offset / 4 < 2 ? s->crc[offset / 4] : 0;
}

void crc_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	(void)unit;
	switch (offset / 4) {
	case 0:
		s->crc[0] ^= value & mask;
		for (unsigned i = 0; i < 32; i++)
			s->crc[0] = s->crc[0] << 1 ^ (s->crc[0] >> 31 ? 0x04C11DB7 : 0);
		return;
	case 1:
		s->crc[1] = soc_merge(s->crc[1], value, mask) & 0xFF;
		return;
	case 2:
		if (value & mask & 1)
			s->crc[0] = UINT32_MAX;
		return;
	}
}

void crc_reset(struct soc *s, unsigned unit)
{
	(void)unit;
	s->crc[0] = UINT32_MAX;
	s->crc[1] = 0;
}

enum { RNG_CR, RNG_SR, RNG_DR };
#define RNGEN (1u << 2)
#define RNG_IE (1u << 3)
#define RNG_IRQ 80

/* A number is always ready, out of the board's seed. */
uint32_t rng_read(struct soc *s, unsigned unit, uint32_t offset)
{
	bool on = s->rng & RNGEN;

	(void)unit;
	switch (offset / 4) {
	case RNG_CR:
		return s->rng;
	case RNG_SR:
		return on;
	default:
		return on && offset / 4 == RNG_DR ? (uint32_t)prng_next(&s->prng) : 0;
	}
}

void rng_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	(void)unit;
	if (offset / 4 != RNG_CR)
		return;
	s->rng = soc_merge(s->rng, value, mask) & (RNGEN | RNG_IE);
	soc_irq(s, RNG_IRQ, 0, s->rng == (RNGEN | RNG_IE));
}

void rng_reset(struct soc *s, unsigned unit)
{
	(void)unit;
	s->rng = 0;
	soc_irq(s, RNG_IRQ, 0, false);
}

uint32_t otg_read(struct soc *s, unsigned unit, uint32_t offset)
{
	(void)unit;
	return s->parts.otg ? otg_fs_read(s->parts.otg, offset) : soc_kept_read(s, OTG_BASE + offset);
}

/* Whole words; what is narrower takes the rest from what is there, but for FIFOs, where reading is taking. */
void otg_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	(void)unit;
	if (!s->parts.otg) {
		soc_kept_write(s, OTG_BASE + offset, value, mask);
		return;
	}
	if (mask != UINT32_MAX && offset < 0x1000)
		value = soc_merge(otg_fs_read(s->parts.otg, offset), value, mask);
	otg_fs_write(s->parts.otg, offset, value);
}

void otg_reset(struct soc *s, unsigned unit)
{
	(void)unit;
	if (s->parts.otg)
		otg_fs_reset(s->parts.otg);
}
