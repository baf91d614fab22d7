// SPDX-License-Identifier: GPL-2.0-or-later
/* Faults of an application in words. */
#include "fault_text.h"
#include <stdio.h>
#include <stdlib.h>

#define CFSR_MMARVALID (1u << 7)
#define CFSR_BFARVALID (1u << 15)
#define HFSR_FORCED (1u << 30)

struct flag {
	unsigned bit;
	const char *name;
};

/* PM0214 4.4.10, 4.4.11 */
static const struct flag cfsr_flags[] = {
	{ 0, "IACCVIOL" },  { 1, "DACCVIOL" }, { 3, "MUNSTKERR" },  { 4, "MSTKERR" },      { 5, "MLSPERR" },
	{ 7, "MMARVALID" }, { 8, "IBUSERR" },  { 9, "PRECISERR" },  { 10, "IMPRECISERR" }, { 11, "UNSTKERR" },
	{ 12, "STKERR" },   { 13, "LSPERR" },  { 15, "BFARVALID" }, { 16, "UNDEFINSTR" },  { 17, "INVSTATE" },
	{ 18, "INVPC" },    { 19, "NOCP" },    { 24, "UNALIGNED" }, { 25, "DIVBYZERO" },   { 0, NULL },
};
static const struct flag hfsr_flags[] = { { 1, "VECTTBL" }, { 30, "FORCED" }, { 31, "DEBUGEVT" }, { 0, NULL } };

static void put_flags(FILE *out, const char *name, uint32_t value, const struct flag *flags)
{
	fprintf(out, "%s %08x", name, value);
	for (; flags->name; flags++)
		if (value >> flags->bit & 1)
			fprintf(out, " %s", flags->name);
}

static void put_registers(FILE *out, const struct mcu_fault *f)
{
	for (unsigned i = 0; i < 12; i++)
		fprintf(out, "%cr%u %08x", i % 4 ? ' ' : '\n', i, f->r[i]);
	fprintf(out, "\nr12 %08x sp %08x lr %08x pc %08x xpsr %08x", f->r[12], f->r[13], f->r[14], f->r[15], f->xpsr);
}

char *fault_text(const struct rig_fault *fault, unsigned board)
{
	const struct mcu_fault *f = &fault->fault;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	if (board)
		fprintf(out, "board %u: ", board);
	fprintf(out, "%s at 0x%08x%s, at %.6f s\n", mcu_exception_name(f->exception), f->r[15],
		f->hfsr & HFSR_FORCED && f->exception != 3 ? ", escalated to HardFault" : "",
		(double)fault->at_us / 1e6);
	put_flags(out, "CFSR", f->cfsr, cfsr_flags);
	put_flags(out, ", HFSR", f->hfsr, hfsr_flags);
	if (f->cfsr & CFSR_MMARVALID)
		fprintf(out, ", MMFAR %08x", f->mmfar);
	if (f->cfsr & CFSR_BFARVALID)
		fprintf(out, ", BFAR %08x", f->bfar);
	put_registers(out, f);
	if (fault->count > 1)
		fprintf(out, "\nfaults that came after it: %u", fault->count - 1);
	if (fault->lockup)
		fprintf(out, "\nthe core has locked up");
	if (fault->was_reset)
		fprintf(out, "\nthen a reset: %s", reset_cause_name(fault->cause));
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}
