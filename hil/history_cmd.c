// SPDX-License-Identifier: GPL-2.0-or-later
/* dfuhil history: what the nights gave. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "history_show.h"
#include "outfile.h"
#include "when.h"

static int complain(const char *why)
{
	fprintf(stderr, "dfuhil: %s\n", why);
	return HIL_USAGE;
}

static int forget(struct history *h, const struct history_options *o, char why[HISTORY_WHY])
{
	int64_t gone = history_forget(h, o->forget_before, why);
	char when[WHEN_TEXT];

	if (gone < 0)
		return complain(why);
	printf("%lld run%s before %s forgotten\n", (long long)gone, gone == 1 ? "" : "s",
	       when_text(o->forget_before, when));
	return 0;
}

static int find_run(struct history *h, struct history_shown *shown, char why[HISTORY_WHY])
{
	const char *word = shown->options->run;
	bool last = !strcmp(word, "last");
	int64_t id = last ? 0 : strtoll(word, NULL, 10);

	for (size_t i = shown->view.run_count; i-- && !shown->run;)
		if (last || shown->view.runs[i].id == id)
			shown->run = &shown->view.runs[i];
	if (!shown->run) {
		snprintf(why, HISTORY_WHY, "%s%s is not in the history '%.200s', or not in what was asked for",
			 last ? "a last run" : "run ", last ? "" : word, shown->path);
		return -ENOENT;
	}
	return history_view_jobs(h, shown->run->id, &shown->jobs, &shown->job_count, why);
}

static int load(struct history *h, struct history_shown *shown, char why[HISTORY_WHY])
{
	const struct history_options *o = shown->options;
	bool wear = o->html || o->what == SHOW_ERASES || o->what == SHOW_WEAR;
	char problem[OUTFILE_WHY];
	int r = o->html ? outfile_check(o->html, problem) : 0;

	if (r) {
		snprintf(why, HISTORY_WHY, "%.500s", problem);
		return r;
	}
	if (o->html || !wear)
		r = history_view_load(h, &o->filter, &shown->view, why);
	if (!r && wear)
		r = history_wear_view_load(h, o->serial, o->filter.since, o->filter.until, &shown->wear, why);
	if (!r && !o->html && o->what == SHOW_RUN)
		r = find_run(h, shown, why);
	return r;
}

/* Made as a whole before anything of it is written. */
static int show(const struct history_shown *shown, char why[HISTORY_WHY])
{
	const struct history_options *o = shown->options;
	char *text = NULL, problem[OUTFILE_WHY];
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int r = -ENOMEM;

	if (out) {
		r = o->html ? history_page(out, shown) : o->json ? history_json(out, shown) : history_print(out, shown);
		if (fclose(out) && !r)
			r = -ENOMEM;
	}
	if (r)
		snprintf(why, HISTORY_WHY, "%s", strerror(-r));
	else {
		r = outfile_write(o->html ? o->html : "-", text, length, problem);
		if (r)
			snprintf(why, HISTORY_WHY, "%.500s", problem);
	}
	free(text);
	return r;
}

int history_main(int argc, char **argv)
{
	struct history_options options;
	struct history_shown shown = { .options = &options, .now = when_now() };
	char why[HISTORY_WHY], *own = NULL;
	struct history *h;
	int r = history_options_parse(&options, argc, argv, shown.now, why);

	if (r < 0)
		return complain(why);
	if (r) {
		history_options_help(stdout);
		return 0;
	}
	shown.path = options.file ? options.file : (own = history_default_path(why));
	h = shown.path ? history_open_existing(shown.path, why) : NULL;
	if (!h && shown.path && access(shown.path, F_OK) && errno == ENOENT)
		snprintf(why, sizeof(why),
			 "there is no history '%.200s': 'dfuhil nightly' makes it, --history names another",
			 shown.path);
	if (!h)
		r = complain(why);
	else if (options.forget)
		r = forget(h, &options, why);
	else if (load(h, &shown, why) || show(&shown, why))
		r = complain(why);
	history_view_free(&shown.view);
	history_wear_view_free(&shown.wear);
	history_view_jobs_free(shown.jobs, shown.job_count);
	history_close(h);
	free(own);
	return r;
}
