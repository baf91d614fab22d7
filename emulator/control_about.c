// SPDX-License-Identifier: GPL-2.0-or-later
/* Command: what this dfuemu is, for programs that find it running. */
#include "control_internal.h"
#include <stdlib.h>
#include <unistd.h>
#include "options.h"

static void write_time(struct writer *w, const struct options *o)
{
	char text[32];

	if (o->time != TIME_SCALED) {
		writer_string(w, "time", o->time == TIME_VIRTUAL ? "virtual" : "virtual-always");
		return;
	}
	snprintf(text, sizeof(text), "x%g", o->scale);
	writer_string(w, "time", o->scale == 1 ? "real" : text);
}

enum outcome control_run_about(struct call *call, int count, char **words)
{
	const struct options *o = desk_given(call->control->desk);
	struct writer *w = &call->out;
	char *capture = o->capture ? realpath(o->capture, NULL) : NULL;

	(void)count, (void)words;
	writer_string(w, "version", DFUBENCH_VERSION);
	writer_string(w, "command", o->of->name);
	writer_number(w, "process", (uint64_t)getpid());
	write_time(w, o);
	writer_string(w, "application", options_apps[o->app]);
	writer_bool(w, "lists", call->control->loop->lists);
	if (o->capture) {
		writer_string(w, "capture", capture ? capture : o->capture);
		writer_number(w, "epoch_us", desk_epoch_us(call->control->desk));
	}
	free(capture);
	return DONE;
}
