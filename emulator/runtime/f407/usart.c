// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USART1 to 6 (RM0090 chapter 30), asynchronous: bytes take their time by BRR. What they send goes to the board's console in
 * lines; what comes in goes to all that listen.
 */
#include "soc_internal.h"
#include <string.h>

enum { SR, DR, BRR, CR1, CR2, CR3, GTPR };

#define ORE (1u << 3)
#define IDLE (1u << 4)
#define RXNE (1u << 5)
#define TC (1u << 6)
#define TXE (1u << 7)
#define RE (1u << 2)
#define TE (1u << 3)
#define WORD_9 (1u << 12)
#define UE (1u << 13)
#define OVER8 (1u << 15)
#define EIE (1u << 0)
#define DMAR (1u << 6)
#define DMAT (1u << 7)

static const struct {
	uint32_t base;
	uint8_t irq;
	enum soc_bus bus;
} usarts[USARTS] = {
	{ 0x40011000, 37, ON_APB2 }, { 0x40004400, 38, ON_APB1 }, { 0x40004800, 39, ON_APB1 },
	{ 0x40004C00, 52, ON_APB1 }, { 0x40005000, 53, ON_APB1 }, { 0x40011400, 71, ON_APB2 },
};

static const uint32_t cr_masks[] = { 0xBFFF, 0x7F6F, 0x0FFF };

static void update(struct soc *s, unsigned unit)
{
	const struct usart *u = &s->usart[unit];
	/* The enable bits of CR1 are where the flags are in SR, but that ORE goes with RXNE (RM0090 30.5). */
	uint32_t up = u->sr & u->cr[0] & (IDLE | RXNE | TC | TXE);

	if (u->sr & ORE && (u->cr[0] & RXNE || (u->cr[2] & (EIE | DMAR)) == (EIE | DMAR)))
		up |= ORE;
	soc_irq(s, usarts[unit].irq, 0, up != 0);
}

/* A frame in cycles of HCLK: start, 8 or 9 bits, stop. */
static uint64_t frame(const struct soc *s, unsigned unit)
{
	const struct usart *u = &s->usart[unit];
	uint64_t bit = u->brr & 0xFFFF, least = u->cr[0] & OVER8 ? 8 : 16; /* samples of a bit */

	if (u->cr[0] & OVER8)
		bit = (bit >> 4) * 8 + (bit & 7);
	return (bit > least ? bit : least) * (u->cr[0] & WORD_9 ? 11 : 10) * rcc_pclk_div(s, usarts[unit].bus);
}

/* The console */

static void end_line(struct soc *s, struct usart *u)
{
	s->parts.user->say(s->parts.user_context, console_line_end(&u->line));
	soc_disarm(s, &u->silence);
}

static void console(struct soc *s, struct usart *u, uint8_t byte)
{
	if (console_line_put(&u->line, byte))
		end_line(s, u);
	else if (u->line.length)
		soc_arm_after_us(s, &u->silence, CONSOLE_SILENCE_US);
}

static void silent(struct soc *s, unsigned unit)
{
	if (s->usart[unit].line.length)
		end_line(s, &s->usart[unit]);
}

void usart_flush(struct soc *s)
{
	for (unsigned i = 0; i < USARTS; i++)
		silent(s, i);
}

/* Sending */

static void put(struct soc *s, unsigned unit, uint16_t byte)
{
	struct usart *u = &s->usart[unit];

	if (u->tc_was_read) /* SR, then DR: without the first it stays as it is (RM0090 30.6.1) */
		u->sr &= ~TC;
	u->tc_was_read = false;
	if (u->shifting) {
		u->tdr = byte;
		u->tdr_full = true;
		u->sr &= ~TXE;
		return;
	}
	u->shift = byte;
	u->shifting = true;
	soc_arm_after(s, &u->sent, frame(s, unit));
}

static bool sends(const struct usart *u)
{
	return (u->cr[0] & (UE | TE)) == (UE | TE);
}

static void ask_dma(struct soc *s, unsigned unit)
{
	struct usart *u = &s->usart[unit];
	uint32_t value;

	while (sends(u) && u->cr[2] & DMAT && u->sr & TXE && dma_request(s, usarts[unit].base + 4, true, &value))
		put(s, unit, (uint16_t)value);
}

static void sent(struct soc *s, unsigned unit)
{
	struct usart *u = &s->usart[unit];

	u->shifting = false;
	console(s, u, (uint8_t)u->shift);
	if (u->tdr_full) {
		u->tdr_full = false;
		u->sr |= TXE;
		put(s, unit, u->tdr);
	}
	ask_dma(s, unit);
	if (!u->shifting)
		u->sr |= TC;
	update(s, unit);
}

/* Receiving */

static void give_to_dma(struct soc *s, unsigned unit)
{
	struct usart *u = &s->usart[unit];
	uint32_t value = u->rdr;

	if (u->sr & RXNE && u->cr[2] & DMAR && dma_request(s, usarts[unit].base + 4, false, &value))
		u->sr &= ~RXNE;
}

static void received(struct soc *s, unsigned unit)
{
	struct usart *u = &s->usart[unit];

	if (!u->rx_count) { /* a frame of silence */
		u->receiving = false;
		u->sr |= IDLE;
		update(s, unit);
		return;
	}
	if (u->sr & RXNE)
		u->sr |= ORE;
	else
		u->rdr = u->rx[u->rx_first];
	u->sr |= RXNE;
	u->rx_first = (u->rx_first + 1) % RX_ROOM;
	u->rx_count--;
	give_to_dma(s, unit);
	update(s, unit);
	soc_arm_after(s, &u->received, frame(s, unit));
}

void usart_receive(struct soc *s, unsigned unit, const uint8_t *bytes, size_t length, size_t *taken)
{
	struct usart *u = &s->usart[unit];
	size_t n = 0;

	if ((u->cr[0] & (UE | RE)) != (UE | RE))
		return;
	for (; n < length && u->rx_count < RX_ROOM; n++)
		u->rx[(u->rx_first + u->rx_count++) % RX_ROOM] = bytes[n];
	if (n > *taken)
		*taken = n;
	if (n && !u->receiving) {
		u->receiving = true;
		soc_arm_after(s, &u->received, frame(s, unit));
	}
}

size_t soc_console(struct soc *s, const uint8_t *bytes, size_t length)
{
	size_t taken = 0;

	for (unsigned i = 0; i < USARTS; i++)
		usart_receive(s, i, bytes, length, &taken);
	return taken;
}

/* Registers */

uint32_t usart_read(struct soc *s, unsigned unit, uint32_t offset)
{
	struct usart *u = &s->usart[unit];

	switch (offset / 4) {
	case SR:
		u->sr_was_read = true;
		u->tc_was_read = u->sr & TC;
		return u->sr;
	case DR:
		u->sr &= ~RXNE;
		if (u->sr_was_read)
			u->sr &= ~(IDLE | ORE);
		u->sr_was_read = false;
		update(s, unit);
		return u->rdr;
	case BRR:
		return u->brr;
	case CR1:
	case CR2:
	case CR3:
		return u->cr[offset / 4 - CR1];
	case GTPR:
		return u->gtpr;
	default:
		return 0;
	}
}

void usart_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	struct usart *u = &s->usart[unit];

	switch (offset / 4) {
	case SR:
		u->sr &= ~(~value & mask & (TC | RXNE)); /* those that are cleared by writing 0 */
		break;
	case DR:
		if (sends(u))
			put(s, unit, value & (u->cr[0] & WORD_9 ? 0x1FF : 0xFF));
		break;
	case BRR:
		u->brr = soc_merge(u->brr, value, mask & 0xFFFF);
		return;
	case CR1:
	case CR2:
	case CR3:
		u->cr[offset / 4 - CR1] = soc_merge(u->cr[offset / 4 - CR1], value, mask & cr_masks[offset / 4 - CR1]);
		give_to_dma(s, unit);
		ask_dma(s, unit);
		break;
	case GTPR:
		u->gtpr = soc_merge(u->gtpr, value, mask & 0xFFFF);
		return;
	default:
		return;
	}
	update(s, unit);
}

void usart_reset(struct soc *s, unsigned unit)
{
	struct usart *u = &s->usart[unit];

	soc_disarm(s, &u->sent);
	soc_disarm(s, &u->received);
	soc_disarm(s, &u->silence);
	memset(u, 0, sizeof(*u));
	u->sr = TXE | TC;
	u->sent = (struct soc_timer){ .at = SOC_NEVER, .fire = sent, .unit = unit };
	u->received = (struct soc_timer){ .at = SOC_NEVER, .fire = received, .unit = unit };
	u->silence = (struct soc_timer){ .at = SOC_NEVER, .fire = silent, .unit = unit };
	update(s, unit);
}
