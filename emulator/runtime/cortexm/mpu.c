/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MPU (DDI 0403 B3.5, PMSAv7; PM0214 4.2): eight regions, and what they let pass. Answers are kept for as far as they hold, since
 * each load and store asks.
 */
#include <string.h>
#include "machine.h"

enum { CONTROL_ENABLE = 1, CONTROL_HFNMIENA = 2, CONTROL_PRIVDEFENA = 4, REGION_ENABLE = 1 };

#define REGION_XN 0x10000000u
#define RASR_BITS 0x173FFF3Fu

void mpu_reset(struct cpu *c)
{
	memset(&c->mpu, 0, sizeof c->mpu);
}

uint32_t mpu_read(struct cpu *c, uint32_t address)
{
	unsigned region = c->mpu.number;
	switch (address) {
	case 0xE000ED90:
		return MPU_REGIONS << 8;
	case 0xE000ED94:
		return c->mpu.control;
	case 0xE000ED98:
		return region;
	default: /* the aliases too */
		return (address & 4) ? c->mpu.base[region] | region : c->mpu.attributes[region];
	}
}

void mpu_write(struct cpu *c, uint32_t address, uint32_t value)
{
	struct mpu *m = &c->mpu;
	switch (address) {
	case 0xE000ED90:
		return;
	case 0xE000ED94:
		m->control = value & 7;
		break;
	case 0xE000ED98:
		m->number = value & (MPU_REGIONS - 1);
		return;
	default:
		if (address & 4) {
			if (value & 0x10)
				m->number = value & (MPU_REGIONS - 1);
			m->base[m->number] = value & 0xFFFFFFE0u;
		} else {
			m->attributes[m->number] = value & RASR_BITS;
		}
	}
	mpu_changed(c);
	c->horizon = 0;
}

void mpu_changed(struct cpu *c)
{
	memset(c->mpu.passed, 0, sizeof c->mpu.passed);
	if (c->mpu.control & CONTROL_ENABLE)
		c->horizon = 0;
}

struct mpu_by mpu_now(const struct cpu *c)
{
	/* HardFault, NMI and FAULTMASK are all that makes the priority of execution negative (B1.5.4). */
	return (struct mpu_by){ privileged(c),
				c->faultmask || (c->active.word[0] & (1 << EXCEPTION_NMI | 1 << EXCEPTION_HARD)) };
}

void mpu_begin(struct cpu *c)
{
	struct mpu_by by = mpu_now(c);
	unsigned key = by.privileged | by.urgent << 1;
	if (!(c->mpu.control & CONTROL_ENABLE) || key == c->mpu.passed_by)
		return;
	mpu_changed(c);
	c->mpu.passed_by = key;
}

bool mpu_minds(const struct cpu *c)
{
	return (c->mpu.control & CONTROL_ENABLE) && ((c->mpu.control & CONTROL_HFNMIENA) || !mpu_now(c).urgent);
}

/* Does the region, or its part, have the address? The span is cut down to where the answer is the same. */
static bool is_in(const struct mpu *m, unsigned region, uint32_t address, struct span *span)
{
	uint32_t attributes = m->attributes[region];
	unsigned bits = (attributes >> 1 & 31) + 1;
	if (!(attributes & REGION_ENABLE) || bits < 5) /* below: UNPREDICTABLE, ASSUMED: no region */
		return false;
	uint32_t mask = bits == 32 ? 0xFFFFFFFFu : (1u << bits) - 1, first = m->base[region] & ~mask;
	if (address - first > mask) {
		if (address < first && span->last >= first)
			span->last = first - 1;
		if (address > first && span->first <= first + mask)
			span->first = first + mask + 1;
		return false;
	}
	bool in = true;
	if (bits >= 8) { /* smaller ones have no subregions */
		unsigned part = (address - first) >> (bits - 3);
		mask >>= 3;
		first += part * (mask + 1);
		in = !(attributes >> (8 + part) & 1);
	}
	if (span->first < first)
		span->first = first;
	if (span->last > first + mask)
		span->last = first + mask;
	return in;
}

/* AP, table B3-15: 4 is UNPREDICTABLE, ASSUMED: no access. */
static bool passes(unsigned ap, enum mpu_access access, bool privileged)
{
	static const struct {
		bool read[2], write[2]; /* unprivileged, privileged */
	} rights[8] = {
		[1] = { { false, true }, { false, true } }, [2] = { { true, true }, { false, true } },
		[3] = { { true, true }, { true, true } },   [5] = { { false, true }, { false, false } },
		[6] = { { true, true }, { false, false } }, [7] = { { true, true }, { false, false } },
	};
	return access == MPU_WRITE ? rights[ap].write[privileged] : rights[ap].read[privileged];
}

/* ValidateAddress() and CheckPermission(), B3.5. */
bool mpu_passes(const struct cpu *c, uint32_t address, enum mpu_access access, struct mpu_by by, struct span *span)
{
	const struct mpu *m = &c->mpu;
	bool privately = address >> 20 == 0xE00, on = m->control & CONTROL_ENABLE;
	bool never = address >> 29 == 2 || address >> 29 >= 5; /* the default map, B3.1 */
	*span = (struct span){ address & 0xE0000000u, address | 0x1FFFFFFFu };
	if (address >> 29 == 7)
		*span = privately ? (struct span){ 0xE0000000u, 0xE00FFFFFu }
				  : (struct span){ 0xE0100000u, 0xFFFFFFFFu };
	if (privately || !on || (by.urgent && !(m->control & CONTROL_HFNMIENA)))
		return access != MPU_FETCH || !never;
	bool hit = by.privileged && (m->control & CONTROL_PRIVDEFENA);
	unsigned ap = 3;
	for (unsigned r = 0; r < MPU_REGIONS; r++)
		if (is_in(m, r, address, span)) {
			hit = true;
			ap = m->attributes[r] >> 24 & 7;
			never = m->attributes[r] & REGION_XN;
		}
	never |= address >> 29 == 7;
	return hit && passes(ap, access, by.privileged) && !(access == MPU_FETCH && never);
}

static void keep(struct mpu *m, enum mpu_access access, const struct span *span)
{
	struct mpu_passed *p = &m->passed[access];
	p->windows[p->next] = (struct window){ span->first, span->last - span->first };
	p->next = (p->next + 1) % MPU_WINDOWS;
}

bool mpu_look(struct cpu *c, uint32_t address, uint32_t bytes, enum mpu_access access, bool as_user, uint32_t *where)
{
	struct mpu_by by = mpu_now(c);
	struct span span;
	bool user = as_user && by.privileged;
	by.privileged &= !as_user;
	for (uint32_t done = 0; done < bytes;) {
		if (!mpu_passes(c, address + done, access, by, &span)) {
			*where = address + done;
			return false;
		}
		if (!user)
			keep(&c->mpu, access, &span);
		uint32_t more = span.last - (address + done);
		if (more >= bytes - done - 1)
			return true;
		done += more + 1;
	}
	return true;
}
