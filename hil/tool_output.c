// SPDX-License-Identifier: GPL-2.0-or-later
/* What a tool writes, as far as it is kept. */
#include "tool_output.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stream_put(struct tool_stream *s, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++, s->total++) {
		if (s->total < sizeof(s->head))
			s->head[s->total] = bytes[i];
		else
			s->tail[(s->total - sizeof(s->head)) % sizeof(s->tail)] = bytes[i];
	}
}

void tool_output_wrote(void *context, bool error, const char *bytes, size_t length)
{
	struct tool_output *s = context;

	stream_put(&s->of[error], bytes, length);
}

void tool_output_warned(void *context, const char *line)
{
	struct tool_output *s = context;
	char *more;

	if (asprintf(&more, "%s%s%s", s->warnings ? s->warnings : "", s->warnings ? "\n" : "", line) < 0)
		return;
	free(s->warnings);
	s->warnings = more;
}

char *tool_output_text(const struct tool_output *output, bool error)
{
	const struct tool_stream *s = &output->of[error];
	size_t head = s->total < sizeof(s->head) ? s->total : sizeof(s->head);
	size_t rest = s->total - head, tail = rest < sizeof(s->tail) ? rest : sizeof(s->tail);
	char *text = malloc(head + tail + 64), *at = text;

	if (!text)
		return NULL;
	memcpy(at, s->head, head);
	at += head;
	if (rest > tail)
		at += sprintf(at, "\n[%zu bytes left out]\n", rest - tail);
	for (size_t i = rest - tail; i < rest; i++)
		*at++ = s->tail[i % sizeof(s->tail)];
	for (char *c = text; c < at; c++)
		if (!*c)
			*c = ' ';
	*at = 0;
	return text;
}

bool tool_output_cut(const struct tool_output *output)
{
	for (unsigned i = 0; i < 2; i++)
		if (output->of[i].total > TOOL_OUTPUT_KEPT)
			return true;
	return false;
}
