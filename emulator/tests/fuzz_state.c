// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: the state file. What parses must come out of formatting and parsing as it went in. */
#include <stdlib.h>
#include <string.h>
#include "state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct board_state once, twice;
	struct state_error error;
	char *text;

	if (state_parse((const char *)data, size, &once, &error)) {
		if (!error.line || !error.column || !error.text[0])
			abort();
		return 0;
	}
	text = state_format(&once);
	if (!text || state_parse(text, strlen(text), &twice, &error) || memcmp(&once, &twice, sizeof(once)))
		abort();
	free(text);
	return 0;
}
