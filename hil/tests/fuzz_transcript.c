/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: reading captures as requests of DFU, and judging them. */
#include <stdlib.h>
#include <string.h>
#include "rules.h"
#include "transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum; /* so that every byte is looked at */

static void look_at(const struct transcript *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct exchange *x = &t->exchanges[i];
		char text[200];

		if (x->number != i || (x->has_reply && !x->complete) || (!x->complete && x->end_us))
			abort();
		for (size_t k = 0; k < x->length; k++)
			sum += x->data[k];
		sum += (unsigned)strlen(exchange_text(x, text, sizeof(text)));
	}
}

static void judge(const struct transcript *t, const struct mcu_profile *profile)
{
	struct rules_input input = { .transcript = t, .profile = profile };
	struct finding *findings;
	size_t count;

	if (rules_judge(&input, &findings, &count))
		return;
	for (size_t i = 0; i < count; i++)
		if (!findings[i].rule || !findings[i].text[0] || !findings[i].times ||
		    (findings[i].exchange != SIZE_MAX && findings[i].exchange >= t->count))
			abort();
	free(findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mcu_profile *profile = mcu_profile_find("f407");
	struct transcript_facts facts = transcript_facts_of(profile);
	struct transcript t;
	int error = transcript_read(&t, data, size, size & 1 ? &facts : NULL);

	if (error && !t.damage)
		abort();
	look_at(&t);
	judge(&t, size & 1 ? profile : NULL);
	transcript_free(&t);
	return 0;
}
