// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: fault rules. What parses must come out of formatting and parsing as it went in. */
#include <stdlib.h>
#include <string.h>
#include "fault_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), once[FAULT_RULE_BYTES], twice[FAULT_RULE_BYTES];
	struct fault_rule rule;
	struct fault_rule_error error;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	if (fault_rule_parse(text, &rule, &error)) {
		if (!error.column || error.column > size + 1 || !error.expected[0])
			abort();
	} else {
		fault_rule_format(&rule, once, sizeof(once));
		if (fault_rule_parse(once, &rule, &error))
			abort();
		fault_rule_format(&rule, twice, sizeof(twice));
		if (strcmp(once, twice))
			abort();
	}
	free(text);
	return 0;
}
