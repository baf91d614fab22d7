/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a tool writes while a rig runs it (struct rig_run), and what the rig has to say of that run. */
#ifndef DFUBENCH_TOOL_OUTPUT_H
#define DFUBENCH_TOOL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#define TOOL_OUTPUT_KEPT (64u * 1024u) /* bytes of each stream: the first half and the last */

struct tool_stream {
	char head[TOOL_OUTPUT_KEPT / 2], tail[TOOL_OUTPUT_KEPT / 2];
	size_t total;
};
/* All zero at first. */
struct tool_output {
	struct tool_stream of[2]; /* stdout, stderr */
	char *warnings;           /* lines; NULL: none. To be freed by whoever has this */
};

/* The members of struct rig_run of these names; context is the tool_output. */
void tool_output_wrote(void *context, bool error, const char *bytes, size_t length);
void tool_output_warned(void *context, const char *line);
/* As text, where NUL becomes a blank and what was not kept is told; to be freed. NULL on ENOMEM. */
char *tool_output_text(const struct tool_output *, bool error);
/* Has something of it been left out? */
bool tool_output_cut(const struct tool_output *);

#endif
