// SPDX-License-Identifier: GPL-2.0-or-later
/* PWR (RM0090 chapter 5): its registers, and what becomes of the chip when the core sleeps deeply. Regulators are ready at once. */
#include <string.h>
#include "soc_internal.h"

enum { CR, CSR };
#define PDDS (1u << 1)
#define CWUF (1u << 2)
#define CSBF (1u << 3)
#define CR_MASK 0x43F3u
#define VOS (1u << 14)
#define WUF (1u << 0)
#define SBF (1u << 1)
#define BRR (1u << 3)
#define EWUP (1u << 8)
#define BRE (1u << 9)
#define VOSRDY (1u << 14)
#define N_RST_STOP (1u << 6) /* of the option bytes, as OPTCR has them */
#define N_RST_STDBY (1u << 7)
#define WKUP_PIN 1u /* PA0 */

/* WKUP, or something of the RTC that interrupts (RM0090 5.4.2, WUF). */
void pwr_event(struct soc *s)
{
	s->pwr[CSR] |= WUF;
	if (s->power == SOC_STANDBY)
		s->parts.user->reset(s->parts.user_context, RESET_STANDBY);
}

void pwr_pin(struct soc *s, bool rises)
{
	if (rises && s->pwr[CSR] & EWUP)
		pwr_event(s);
}

uint32_t pwr_read(struct soc *s, unsigned unit, uint32_t offset)
{
	(void)unit;
	if (offset / 4 == CSR)
		return s->pwr[CSR] | VOSRDY | (s->pwr[CSR] & BRE ? BRR : 0);
	return offset / 4 == CR ? s->pwr[CR] : 0;
}

void pwr_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	uint32_t before = s->pwr[CSR];

	(void)unit;
	value &= mask;
	if (offset / 4 == CR) {
		s->pwr[CR] = soc_merge(s->pwr[CR], value, mask) & CR_MASK;
		s->pwr[CSR] &= ~((value & CWUF ? WUF : 0) | (value & CSBF ? SBF : 0));
	} else if (offset / 4 == CSR) {
		mask &= rtc_may_write(s) ? EWUP | BRE : EWUP;
		s->pwr[CSR] = soc_merge(before, value, mask);
		pwr_pin(s, !(before & EWUP) && s->gpio[0].driven & s->gpio[0].level & WKUP_PIN);
	}
}

/* Out of standby CSR is as it was; a system reset leaves BRE and SBF (RM0090 5.4.2). */
void pwr_reset(struct soc *s, unsigned unit)
{
	(void)unit;
	s->pwr[CR] = VOS;
	if (s->power != SOC_STANDBY)
		s->pwr[CSR] &= BRE | SBF;
	s->power = SOC_SLEEPS;
}

void pwr_backup_reset(struct soc *s)
{
	s->pwr[CSR] &= ~BRE;
}

void pwr_power_on(struct soc *s)
{
	s->pwr[CSR] = 0;
	s->power = SOC_SLEEPS;
}

/* What the 1.2 V domain has is lost, but for the standby circuitry; RTC and IWDG go on (RM0090 5.3.6). */
static void stand_by(struct soc *s)
{
	s->power = SOC_STANDBY;
	s->pwr[CSR] |= SBF;
	for (const struct soc_block *b = soc_blocks; b->read; b++)
		if (b->reset != pwr_reset)
			b->reset(s, b->unit);
	memset(s->sram, 0, SRAM_BYTES);
	memset(s->ccm, 0, CCM_BYTES);
	s->parts.core->changed(s->parts.core_context, 0x20000000, SRAM_BYTES);
}

/* RM0090 5.3.4, 5.3.6, 7.1.1. ASSUMED: where standby is not entered for a flag that is up, it is a sleep like others. */
enum soc_power soc_sleep_deeply(struct soc *s)
{
	bool standby = s->pwr[CR] & PDDS;

	if (s->power || s->flash_registers.busy || (standby && s->pwr[CSR] & WUF))
		return s->power;
	if (!(s->flash_registers.loaded & (standby ? N_RST_STDBY : N_RST_STOP))) {
		s->parts.user->reset(s->parts.user_context, RESET_LOW_POWER);
		return SOC_SLEEPS;
	}
	if (standby)
		stand_by(s);
	else
		s->power = SOC_STOPPED;
	rcc_stop(s);
	return s->power;
}

void soc_wake(struct soc *s)
{
	if (s->power != SOC_STOPPED)
		return;
	s->power = SOC_SLEEPS;
	for (unsigned i = 0; i < CPU_IRQS; i++)
		s->parts.core->irq(s->parts.core_context, i, s->irq_sources[i] != 0);
}

enum soc_power soc_power(const struct soc *s)
{
	return s->power;
}
