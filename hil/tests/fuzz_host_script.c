// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: scripted hosts. A script is refused with a mistake that lies in it, or its steps are whole. */
#include <stdlib.h>
#include <string.h>
#include "host_script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems *problems = problems_new();
	char *text = malloc(size + 1);
	struct host_script *script;

	if (!problems || !text)
		abort();
	if (size)
		memcpy(text, data, size);
	script = host_script_parse((struct mark){ "fuzz", 1, 1 }, text, size, problems);
	if (!script == !problems_count(problems))
		abort();
	for (size_t i = 0; script && i < script->count; i++) {
		const struct host_step *s = &script->steps[i];

		if (!s->text || !*s->text || !s->mark.line || !s->mark.column)
			abort();
		if (!s->each && (s->data.kind == HOST_CHUNK || s->wish.data.kind == HOST_CHUNK || s->chunk_address ||
				 s->chunk_block || s->chunk_length))
			abort();
		if (s->data.kind == HOST_BYTES && s->data.length > UINT16_MAX)
			abort();
	}
	for (size_t i = 0; script && host_script_file(script, i); i++)
		if (!host_script_file(script, i)->file)
			abort();
	host_script_free(script);
	problems_free(problems);
	free(text);
	return 0;
}
