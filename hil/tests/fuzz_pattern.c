/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: patterns. What is refused is refused with a place and a reason; what is taken can be matched with anything. */
#include <stdlib.h>
#include <string.h>
#include "pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), why[PATTERN_WHY];
	struct pattern *p;
	size_t column = 0;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	p = pattern_parse(text, &column, why);
	if (!p && (!why[0] || !column || column > size + 1))
		abort();
	for (unsigned i = 0; p && i < 32; i++) {
		struct exchange x = {
			.complete = i & 1,
			.setup = { .type = i & 2 ? 0x21 : 0x01, .request = (uint8_t)i, .value = 2, .length = 5 },
			.data = i & 4 ? (const uint8_t *)text : NULL,
			.length = i & 4 ? size : 0,
			.op = (enum dfuse_op)(i % DFUSE_OPS),
			.has_target = i & 8,
			.before = (uint8_t)(i * 9),
			.after = DFU_STATE_UNKNOWN,
			.has_reply = i & 16,
			.status = (uint8_t)(i * 3),
			.result = (enum usb_result)(i % 5),
		};

		sum += pattern_matches(p, &x);
	}
	pattern_free(p);
	free(text);
	return 0;
}
