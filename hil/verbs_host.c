// SPDX-License-Identifier: GPL-2.0-or-later
/* Verb: a scripted host, which is this program in another process. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "files.h"
#include "host_script.h"
#include "verbs.h"
#include "share.h"
#include "yaml.h"

#define WORDS 64

const struct field host_fields[] = {
	{ .name = "script", .type = FIELD_TEXT, .required = true, .help = "the requests, as dfuhil(1) has them" },
	{ .type = FIELD_END },
};

struct words {
	char *list[WORDS + 1];
	int count;
	bool failed;
};

static void add(struct words *w, const char *a, const char *b, const char *c)
{
	char *word;

	if (w->count == WORDS || asprintf(&word, "%s%s%s", a, b, c) < 0) {
		w->failed = true;
		return;
	}
	w->list[w->count++] = word;
}

static bool has(const struct words *w, const char *name)
{
	size_t length = strlen(name);

	for (int i = 0; i < w->count; i++)
		if (!strncmp(w->list[i], name, length) && w->list[i][length] == '=')
			return true;
	return false;
}

/* What it names is what the host is to know. */
static bool add_files(struct play *play, const struct step *step, struct mark mark, const char *text, struct words *w,
		      struct erases *erases)
{
	size_t longest = 1;
	struct problems *problems = problems_new();
	struct host_script *script = problems ? host_script_parse(mark, text, strlen(text), problems) : NULL;
	const struct host_data *d;
	bool good = script != NULL;
	char why[FILES_WHY];

	for (size_t i = 0; good && (d = host_script_file(script, i)); i++) {
		const struct file *file = files_get(play->state->files, d->file, mark.file, why);

		if (!file) {
			play_error(play, "%s", why);
			good = false;
		} else if (!has(w, d->file)) {
			add(w, "--file", "", "");
			add(w, d->file, "=", play_short_path(play, file->path));
		}
		if (file && file->length > longest)
			longest = file->length;
	}
	if (good)
		erases_of_script(erases, script, longest, play->rig->ops->profile(play->rig, play_board(step)));
	host_script_free(script);
	problems_free(problems);
	return good;
}

void check_host(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	const struct value *text = object_value(step->arguments, "script");
	const char *newline = strchr(text->text, '\n');
	struct mark mark = text->mark;
	struct host_script *script;
	const struct host_data *d;

	(void)needs;
	if (!yaml_mark_block(s->yaml, text->text, &mark) && newline && newline[1]) {
		problems_add(problems, mark, NULL,
			     "'script' of step 'host': several lines are to be a block: 'host: |'");
		return;
	}
	script = host_script_parse(mark, text->text, strlen(text->text), problems);
	for (size_t i = 0; script && (d = host_script_file(script, i)); i++)
		scenario_check_name(s, step, d->file, d->mark, problems);
	host_script_free(script);
}

static char *write_script(struct play *play, const char *text)
{
	char *path;
	int error;

	if (asprintf(&path, "%s/host-%zu.txt", play->options->folder, play->state->step_index + 1) < 0)
		return NULL;
	error = files_write_new(path, text, strlen(text));
	if (error) {
		play_error(play, "cannot write '%s': %s", path, strerror(-error));
		free(path);
		return NULL;
	}
	return path;
}

/* The device that the script means, unless it says so itself. */
static void add_device(struct play *play, const struct step *step, struct words *w)
{
	const uint8_t *d = play->rig->ops->profile(play->rig, play_board(step))->device_descriptor;
	struct rig_status status;
	char usb[16];

	snprintf(usb, sizeof(usb), "%02x%02x:%02x%02x", d[9], d[8], d[11], d[10]);
	add(w, "--usb", "", "");
	add(w, usb, "", "");
	if (step->board && play->rig->ops->profile(play->rig, 2) && (play->rig->ops->can & RIG_STATE) &&
	    !play->rig->ops->status(play->rig, step->board, &status)) {
		add(w, "--serial", "", "");
		add(w, status.serial, "", "");
	}
}

enum play_outcome play_script(struct play *play, const struct step *step, struct mark mark, const char *text)
{
	struct play_job job = { .raw = true, .host = true };
	struct words w = { .count = 0 };
	char *path = write_script(play, text), program[4096] = "";
	enum play_outcome r = PLAY_ERROR;

	if (play->options->program)
		snprintf(program, sizeof(program), "%s", play->options->program);
	else
		share_program(program, sizeof(program));
	add(&w, program, "", "");
	add(&w, "host", "", "");
	add_device(play, step, &w);
	if (path && add_files(play, step, mark, text, &w, &job.erases)) {
		add(&w, play_short_path(play, path), "", "");
		job.words = w.list;
		r = w.failed ? play_error(play, "%s", strerror(ENOMEM)) : play_tool(play, step, &job);
	} else {
		r = play_error(play, "%s", strerror(ENOMEM));
	}
	for (int i = 0; i < w.count; i++)
		free(w.list[i]);
	free(path);
	return r;
}

enum play_outcome run_host(struct play *play, const struct step *step)
{
	const struct value *script = object_value(step->arguments, "script");

	return play_script(play, step, script->mark, script->text);
}
