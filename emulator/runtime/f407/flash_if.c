// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The flash interface (RM0090 chapter 3): an application erases and programs the flash that the ROM does, at the speed that PSIZE
 * says, under the same protection. FL, TM and OB rows are those of f407.md.
 */
#include "soc_internal.h"
#include <errno.h>
#include <string.h>

enum { ACR, KEYR, OPTKEYR, SR, CR, OPTCR };

#define EOP (1u << 0)
#define OPERR (1u << 1)
#define WRPERR (1u << 4)
#define PGAERR (1u << 5)
#define PGPERR (1u << 6)
#define PGSERR (1u << 7)
#define ERRORS 0xF2u
#define BSY (1u << 16)
#define PG (1u << 0)
#define SER (1u << 1)
#define MER (1u << 2)
#define SNB(cr) ((cr) >> 3 & 15)
#define PSIZE(cr) ((cr) >> 8 & 3)
#define STRT (1u << 16)
#define EOPIE (1u << 24)
#define ERRIE (1u << 25)
#define LOCK (1u << 31)
#define OPTLOCK (1u << 0)
#define OPTSTRT (1u << 1)

#define ICRST (1u << 11)
#define DCRST (1u << 12)
#define DCEN (1u << 10)

#define FLASH_IRQ 4
#define TELL_US 10000 /* what is programmed word by word is told as one, once nothing more has come for that long */

static struct flash_registers *of(struct soc *s)
{
	return &s->flash_registers;
}

static void update(struct soc *s)
{
	const struct flash_registers *r = of(s);

	soc_irq(s, FLASH_IRQ, 0, (r->sr & EOP && r->cr & EOPIE) || (r->sr & OPERR && r->cr & ERRIE));
}

/* OPERR is what interrupts, and is there only if that is enabled (RM0090 3.6.6, 3.9.5). */
static void refuse(struct soc *s, uint32_t error)
{
	of(s)->sr |= of(s)->cr & ERRIE ? error | OPERR : error;
	update(s);
}

/* What has been programmed */

static void tell_run(struct soc *s, unsigned unit)
{
	struct flash_registers *r = of(s);

	(void)unit;
	soc_disarm(s, &r->tell);
	if (r->run_length)
		s->parts.user->touched(s->parts.user_context, MCU_EVENT_PROGRAMMED, r->run, r->run_length);
	r->run_length = 0;
}

static void add_to_run(struct soc *s)
{
	struct flash_registers *r = of(s);

	if (r->run_length && r->address != r->run + r->run_length)
		tell_run(s, 0);
	if (!r->run_length)
		r->run = r->address;
	r->run_length += r->length;
	soc_arm_after_us(s, &r->tell, TELL_US);
}

/* Operations */

/* The flash has changed, by us: the core's copy follows. */
static void take_over(struct soc *s)
{
	struct flash_registers *r = of(s);
	const struct mcu_profile *p = s->parts.profile;
	uint32_t offset = r->address - p->flash_base;

	if (r->what != MCU_EVENT_PROGRAMMED || offset >= p->flash_size_bytes) {
		soc_refresh_flash(s);
		return;
	}
	flash_read(s->parts.flash, r->address, s->flash + offset, r->length);
	r->generation = flash_generation(s->parts.flash);
	s->parts.core->changed(s->parts.core_context, r->address, r->length);
}

static void tell(struct soc *s)
{
	struct flash_registers *r = of(s);

	if (r->what == MCU_EVENT_PROGRAMMED) {
		add_to_run(s);
		return;
	}
	tell_run(s, 0);
	s->parts.user->touched(s->parts.user_context, r->what, r->address, r->length);
}

static void finish(struct soc *s)
{
	struct flash_registers *r = of(s);

	flash_finish(s->parts.flash);
	r->busy = false;
	r->sr &= ~BSY;
	r->cr &= ~STRT;
	r->optcr &= ~OPTSTRT;
	if (r->cr & EOPIE)
		r->sr |= EOP; /* only then (RM0090 3.9.5) */
	if (r->bares_backup)
		memset(s->backup_sram, 0, sizeof(s->backup_sram));
	r->bares_backup = false;
	take_over(s);
	tell(s);
	update(s);
}

static void done(struct soc *s, unsigned unit)
{
	(void)unit;
	finish(s);
}

static void let_go(struct soc *s, unsigned unit)
{
	(void)s, (void)unit; /* the core looks for itself */
}

/* A write while it is busy stalls the bus until it is not (RM0090 3.6.1): the operation is as good as over, and the core waits. */
static void hold(struct soc *s)
{
	struct flash_registers *r = of(s);

	if (!r->busy)
		return;
	r->held_until = r->done.at;
	soc_disarm(s, &r->done);
	finish(s);
	soc_arm(s, &r->held, r->held_until);
	s->parts.core->halt(s->parts.core_context);
}

bool soc_holds_core(const struct soc *s)
{
	return soc_now(s) < s->flash_registers.held_until;
}

static void wait_for(struct soc *s, int error, uint64_t duration_us)
{
	struct flash_registers *r = of(s);

	if (error) { /* no memory: as if the cells did not take it */
		refuse(s, PGSERR);
		return;
	}
	r->busy = true;
	r->sr |= BSY;
	r->began_us = soc_now_us(s);
	soc_arm_after_us(s, &r->done, duration_us);
	if (soc_holds_core(s))
		soc_arm(s, &r->done, r->done.at + (r->held_until - soc_now(s)));
	s->parts.core->halt(s->parts.core_context); /* what fetches from the flash waits */
}

/* f407.md FEAT-1: the values of PSIZE as those of the device feature, for the time of one operation's start. */
static void with_parallelism(struct soc *s, unsigned psize)
{
	static const uint8_t feature[] = { 0, 1, 3, 4 };

	flash_set_feature(s->parts.flash, &feature[psize], 1);
}

static uint32_t sector_address(const struct soc *s, unsigned sector, uint32_t *size_bytes)
{
	uint32_t address = s->parts.profile->flash_base;

	for (unsigned i = 0; flash_sector_at(s->parts.flash, address, NULL, size_bytes) >= 0; i++) {
		if (i == sector)
			return address;
		address += *size_bytes;
	}
	return 0;
}

static bool any_protected(const struct soc *s)
{
	for (unsigned i = 0; i < flash_sector_count(s->parts.flash); i++)
		if (flash_sector_protected(s->parts.flash, i))
			return true;
	return false;
}

static void erase(struct soc *s)
{
	struct flash_registers *r = of(s);
	bool all = r->cr & MER;
	uint64_t duration_us = 0;
	uint32_t length = s->parts.profile->flash_size_bytes;
	uint32_t address = all ? s->parts.profile->flash_base : sector_address(s, SNB(r->cr), &length);
	int error;

	if (!address || (all ? any_protected(s) : flash_sector_protected(s->parts.flash, SNB(r->cr)))) {
		refuse(s, WRPERR); /* no such sector, too (RM0090 3.7.4; FL-7, FL-8) */
		return;
	}
	r->what = MCU_EVENT_ERASED;
	r->address = address;
	r->length = length;
	with_parallelism(s, PSIZE(r->cr));
	error = flash_begin(s->parts.flash, all ? FLASH_MASS_ERASE : FLASH_ERASE_SECTOR, address, NULL, 0,
			    &duration_us);
	with_parallelism(s, 0);
	wait_for(s, error, duration_us);
}

/* A block of the OTP area whose lock byte is 0 (RM0090 3.8, OTP-2). */
static bool is_locked_otp(const struct soc *s, uint32_t address)
{
	const struct mcu_profile *p = s->parts.profile;
	uint32_t offset = address - p->otp_base, data = p->otp_block_bytes * p->otp_block_count;
	uint8_t lock;

	return offset < data &&
	       !flash_read_otp(s->parts.flash, p->otp_base + data + offset / p->otp_block_bytes, &lock, 1) && !lock;
}

/* A write to the flash's own addresses. Never a bus fault: SR says what was wrong (FL-4, FL-5). */
bool flash_if_program(struct soc *s, uint32_t address, unsigned size, uint32_t value)
{
	static const uint8_t width[] = { 1, 2, 4, 4 }; /* x64 comes as two words */
	struct flash_registers *r = of(s);
	uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24) };
	int sector = flash_sector_at(s->parts.flash, address, NULL, NULL);
	uint64_t duration_us = 0;
	int error;

	hold(s);
	if (r->cr & LOCK || !(r->cr & PG)) {
		refuse(s, PGSERR);
		return true;
	}
	if (width[PSIZE(r->cr)] != size || address % size) {
		refuse(s, address % 16 + size > 16 ? PGAERR : PGPERR);
		return true;
	}
	if ((sector >= 0 && flash_sector_protected(s->parts.flash, (unsigned)sector)) || is_locked_otp(s, address)) {
		refuse(s, WRPERR);
		return true;
	}
	error = flash_begin_write(s->parts.flash, address, bytes, size, &duration_us);
	if (error == -EFAULT) { /* system memory, or the option bytes, which are OPTCR's (RM0090 3.7.4) */
		refuse(s, WRPERR);
		return true;
	}
	r->what = MCU_EVENT_PROGRAMMED;
	r->address = address;
	r->length = size;
	wait_for(s, error, duration_us);
	return true;
}

/* OB-1, OB-5: the register has the values alone. */
static void load_optcr(struct soc *s)
{
	uint8_t b[OPTION_MAX_BYTES];

	flash_read_options(s->parts.flash, b);
	of(s)->optcr = OPTLOCK | (b[0] & 0xECu) | (uint32_t)b[1] << 8 | (uint32_t)(b[8] | (b[9] & 15) << 8) << 16;
}

static void program_options(struct soc *s)
{
	struct flash_registers *r = of(s);
	uint64_t duration_us = 0;
	uint8_t b[OPTION_MAX_BYTES];
	int error;

	flash_read_options(s->parts.flash, b);
	b[0] = (uint8_t)((b[0] & ~0xECu) | (r->optcr & 0xEC));
	b[1] = (uint8_t)(r->optcr >> 8);
	b[8] = (uint8_t)(r->optcr >> 16);
	b[9] = (uint8_t)((b[9] & 0xF0) | (r->optcr >> 24 & 15));
	error = flash_begin(s->parts.flash, FLASH_PROGRAM_OPTIONS, OPTION_PAGE, b, flash_option_bytes(s->parts.flash),
			    &duration_us);
	if (error) {
		refuse(s, WRPERR); /* level 2: for good */
		return;
	}
	/* From level 1 to 0: the cells' erase is the flash's own (RM0090 3.7.3). */
	r->bares_backup = flash_rdp(s->parts.flash) == RDP_LEVEL_1 && b[1] == 0xAA;
	r->what = MCU_EVENT_OPTIONS;
	r->address = r->length = 0;
	wait_for(s, 0, duration_us);
}

/* Registers */

/* Two keys in order; anything else locks until the next reset (RM0090 3.6.1). ASSUMED: what comes after that has no effect at all. */
static bool unlocks(uint32_t *seen, bool *spoilt, uint32_t first, uint32_t second, uint32_t value)
{
	if (*spoilt || (!*seen && value != first) || (*seen && value != second)) {
		*spoilt = true;
		return false;
	}
	if (!*seen) {
		*seen = first;
		return false;
	}
	*seen = 0;
	return true;
}

static void write_cr(struct soc *s, uint32_t value)
{
	struct flash_registers *r = of(s);

	if (r->cr & LOCK)
		return;
	r->cr = (value & 0x8301037F) | (r->cr & STRT);
	if (value & LOCK)
		tell_run(s, 0);
	else if (value & STRT && r->cr & (SER | MER)) /* both: all of it (RM0090 3.6.3; 3.7.4 would have WRPERR) */
		erase(s);
	/* STRT alone raises no flag (RM0090 3.6.3). ASSUMED: and does nothing. */
	if (!r->busy)
		r->cr &= ~STRT;
	update(s);
}

static void write_optcr(struct soc *s, uint32_t value)
{
	struct flash_registers *r = of(s);

	if (r->optcr & OPTLOCK)
		return;
	r->optcr = value & 0x0FFFFFEF;
	if (value & OPTSTRT && !(value & OPTLOCK))
		program_options(s);
	if (!r->busy)
		r->optcr &= ~OPTSTRT;
}

uint32_t flash_if_read(struct soc *s, unsigned unit, uint32_t offset)
{
	const struct flash_registers *r = of(s);

	(void)unit;
	switch (offset / 4) {
	case ACR:
		return r->acr;
	case SR:
		return r->sr;
	case CR:
		return r->cr;
	case OPTCR:
		return r->optcr;
	default:
		return 0;
	}
}

void flash_if_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	struct flash_registers *r = of(s);
	bool spoilt;

	(void)unit;
	if (offset / 4 == CR || offset / 4 == OPTCR)
		hold(s);
	switch (offset / 4) {
	case ACR:
		value = soc_merge(r->acr, value, mask) & 0x1F07 & ~ICRST; /* which is for writing alone */
		r->acr = r->acr & DCEN ? (value & ~DCRST) | (r->acr & DCRST) : value;
		return;
	case KEYR:
		spoilt = r->key_spoilt;
		if (r->cr & LOCK && unlocks(&r->key, &r->key_spoilt, 0x45670123, 0xCDEF89AB, value))
			r->cr &= ~LOCK;
		s->bus_error = r->key_spoilt && !spoilt;
		return;
	case OPTKEYR:
		if (r->optcr & OPTLOCK && unlocks(&r->option_key, &r->option_key_spoilt, 0x08192A3B, 0x4C5D6E7F, value))
			r->optcr &= ~OPTLOCK;
		return;
	case SR:
		r->sr &= ~(value & mask & (EOP | ERRORS));
		update(s);
		return;
	case CR:
		write_cr(s, soc_merge(r->cr, value, mask));
		return;
	case OPTCR:
		write_optcr(s, soc_merge(r->optcr, value, mask));
		return;
	}
}

void flash_if_reset(struct soc *s, unsigned unit)
{
	(void)s, (void)unit; /* flash_if_start() */
}

void flash_if_start(struct soc *s)
{
	struct flash_registers *r = of(s);
	uint64_t generation = r->generation;

	*r = (struct flash_registers){ .cr = LOCK, .generation = generation };
	r->done = (struct soc_timer){ .at = SOC_NEVER, .fire = done };
	r->held = (struct soc_timer){ .at = SOC_NEVER, .fire = let_go };
	r->tell = (struct soc_timer){ .at = SOC_NEVER, .fire = tell_run };
	load_optcr(s);
	r->loaded = r->optcr;
}

void flash_if_stop(struct soc *s, uint64_t now_us, bool finish_it)
{
	struct flash_registers *r = of(s);

	if (r->busy && finish_it) {
		soc_disarm(s, &r->done);
		finish(s);
	}
	tell_run(s, 0);
	if (!r->busy)
		return;
	r->busy = false;
	flash_cut(s->parts.flash, now_us > r->began_us ? now_us - r->began_us : 0);
	s->parts.user->touched(s->parts.user_context, MCU_EVENT_CUT, r->address, r->length);
}

bool soc_flash_is_busy(const struct soc *s)
{
	return s->flash_registers.busy;
}
