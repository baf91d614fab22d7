// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peripherals with nothing at the other end: SPI reads ones (RM0090 chapter 28), nobody acknowledges on I2C (27), SDIO has no card
 * (31), ADC converts half of its range (13). Other registers keep what is written.
 */
#include "soc_internal.h"

static uint32_t own_base(const struct soc *s, uint32_t (*read)(struct soc *, unsigned, uint32_t), unsigned unit)
{
	(void)s;
	for (const struct soc_block *b = soc_blocks; b->read; b++)
		if (b->read == read && b->unit == unit)
			return b->base;
	return 0;
}

#define HALF_WORD 0xFFFFu /* all of a register of SPI or I2C */

/* SPI */

enum { SPI_SR = 2, SPI_DR };

uint32_t spi_read(struct soc *s, unsigned unit, uint32_t offset)
{
	switch (offset / 4) {
	case SPI_SR: /* TXE; never busy */
		return 2 | (s->spi_rxne >> unit & 1);
	case SPI_DR:
		s->spi_rxne &= (uint8_t) ~(1u << unit);
		return 0xFFFF;
	default:
		return soc_peek(s, own_base(s, spi_read, unit) + offset);
	}
}

void spi_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	if (offset / 4 == SPI_DR)
		s->spi_rxne |= (uint8_t)(1u << unit);
	else if (offset / 4 != SPI_SR)
		soc_poke(s, own_base(s, spi_read, unit) + offset, value, mask & HALF_WORD);
}

void spi_reset(struct soc *s, unsigned unit)
{
	s->spi_rxne &= (uint8_t) ~(1u << unit);
}

/* I2C: start, address, nothing. */

enum { I2C_CR1, I2C_DR = 4, I2C_SR1, I2C_SR2 };
#define START (1u << 8)
#define STOP (1u << 9)
#define SB (1u << 0)
#define AF (1u << 10)

uint32_t i2c_read(struct soc *s, unsigned unit, uint32_t offset)
{
	if (offset / 4 == I2C_SR1)
		return s->i2c_sr1[unit];
	if (offset / 4 == I2C_SR2) /* master and busy between start and stop */
		return s->i2c_sr1[unit] ? 3 : 0;
	return soc_peek(s, own_base(s, i2c_read, unit) + offset);
}

void i2c_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	uint32_t *sr1 = &s->i2c_sr1[unit];

	switch (offset / 4) {
	case I2C_CR1:
		if (value & START)
			*sr1 |= SB;
		if (value & STOP)
			*sr1 &= ~SB;
		soc_poke(s, own_base(s, i2c_read, unit) + offset, value & ~(START | STOP), mask & HALF_WORD);
		return;
	case I2C_DR:
		if (*sr1 & SB)
			*sr1 = (*sr1 & ~SB) | AF;
		return;
	case I2C_SR1:
		*sr1 &= value | ~(mask & 0xDF00);
		return;
	default:
		soc_poke(s, own_base(s, i2c_read, unit) + offset, value, mask & HALF_WORD);
		return;
	}
}

void i2c_reset(struct soc *s, unsigned unit)
{
	s->i2c_sr1[unit] = 0;
}

/* ADC1 to 3, and the common registers behind them */

enum { ADC_SR, ADC_CR1, ADC_CR2, ADC_DR = 19 };
#define EOC (1u << 1)
#define STRT (1u << 4)
#define SWSTART (1u << 30)
#define HALF 0x800u

uint32_t adc_read(struct soc *s, unsigned unit, uint32_t offset)
{
	unsigned which = offset >> 8;

	(void)unit;
	if (which < 3 && (offset & 0xFF) / 4 == ADC_SR)
		return s->adc_sr[which];
	if (which < 3 && (offset & 0xFF) / 4 == ADC_DR) {
		s->adc_sr[which] &= ~EOC;
		return HALF;
	}
	return soc_peek(s, own_base(s, adc_read, 0) + offset);
}

void adc_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	unsigned which = offset >> 8;

	(void)unit;
	if (which < 3 && (offset & 0xFF) / 4 == ADC_SR) {
		s->adc_sr[which] &= value | ~mask;
		return;
	}
	if (which < 3 && (offset & 0xFF) / 4 == ADC_CR2 && value & SWSTART) {
		s->adc_sr[which] |= EOC | STRT; /* at once */
		value &= ~SWSTART;
	}
	soc_poke(s, own_base(s, adc_read, 0) + offset, value, mask);
}

void adc_reset(struct soc *s, unsigned unit)
{
	(void)unit;
	for (unsigned i = 0; i < 3; i++)
		s->adc_sr[i] = 0;
}

/* SDIO: each command that wants an answer times out. */

enum { SDIO_CMD = 3, SDIO_STA = 13, SDIO_ICR };
#define CPSMEN (1u << 10)
#define CTIMEOUT (1u << 2)
#define CMDSENT (1u << 7)

uint32_t sdio_read(struct soc *s, unsigned unit, uint32_t offset)
{
	(void)unit;
	return offset / 4 == SDIO_STA ? s->sdio_sta : soc_peek(s, own_base(s, sdio_read, 0) + offset);
}

void sdio_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	(void)unit;
	if (offset / 4 == SDIO_ICR) {
		s->sdio_sta &= ~(value & mask);
		return;
	}
	if (offset / 4 == SDIO_CMD && value & CPSMEN)
		s->sdio_sta |= value >> 6 & 3 ? CTIMEOUT : CMDSENT;
	soc_poke(s, own_base(s, sdio_read, 0) + offset, value, mask);
}

void sdio_reset(struct soc *s, unsigned unit)
{
	(void)unit;
	s->sdio_sta = 0;
}
