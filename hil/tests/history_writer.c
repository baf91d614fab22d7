// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes into the history what lines of standard input say, words between tabs, and says after each what came of it:
 *   begin RIG TOOL VERSION STARTED    -> run N        STARTED as when_parse() takes it
 *   add SCENARIO VERDICT ATTEMPT BLAME EMULATED WALL-US MESSAGE
 *   end EXIT SUMMARY ENDED
 *   wear SERIAL SECTOR ERASES SLOWEST-US
 * Usage: history-writer FILE
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "history.h"
#include "when.h"

#define WORDS 8

struct writer_state {
	struct history *history;
	int64_t run;
	char why[HISTORY_WHY];
};

static int64_t when(const char *text)
{
	int64_t at = 0;

	if (!when_parse(text, 0, &at))
		fprintf(stderr, "'%s' is no time\n", text);
	return at;
}

static int64_t begin(struct writer_state *w, char **word)
{
	const struct history_run run = { .rig = word[0],
					 .serial = "326237753036",
					 .tool = word[1],
					 .tool_version = *word[2] ? word[2] : NULL,
					 .host = "bench",
					 .started = when(word[3]) };

	w->run = history_begin(w->history, &run, w->why);
	if (w->run > 0)
		printf("run %" PRId64 "\n", w->run);
	return w->run;
}

static int number_of(const char *name, const char *(*name_of)(int), int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(name, name_of(i)))
			return i;
	fprintf(stderr, "'%s' is unknown\n", name);
	exit(2);
}

static const char *a_verdict(int i)
{
	return verdict_name((enum verdict)i);
}

static const char *a_blame(int i)
{
	return blame_name((enum blame)i);
}

static int64_t add(struct writer_state *w, char **word)
{
	struct result r = { .id = word[0],
			    .file = "scenarios/a.yaml",
			    .line = 7,
			    .repeat = 1,
			    .verdict = (enum verdict)number_of(word[1], a_verdict, VERDICT_ERROR + 1),
			    .wall_us = strtoull(word[5], NULL, 10),
			    .message = *word[6] ? word[6] : NULL };

	return history_add(w->history, w->run, &r, (unsigned)atoi(word[2]),
			   (enum blame)number_of(word[3], a_blame, BLAME_RIG + 1),
			   (enum verdict)number_of(word[4], a_verdict, VERDICT_ERROR + 1), w->why);
}

static int64_t end(struct writer_state *w, char **word)
{
	return history_end(w->history, w->run, atoi(word[0]), word[1], when(word[2]), w->why);
}

static int64_t wear(struct writer_state *w, char **word)
{
	return history_wear_add(w->history, word[0], (uint32_t)strtoul(word[1], NULL, 0), (unsigned)atoi(word[2]),
				strtoull(word[3], NULL, 10), w->why);
}

static const struct {
	const char *name;
	unsigned words;
	int64_t (*act)(struct writer_state *, char **word);
} acts[] = { { "begin", 4, begin }, { "add", 7, add }, { "end", 3, end }, { "wear", 4, wear } };

/* One line: 0, or an exit status. */
static int act(struct writer_state *w, char *line)
{
	char *word[WORDS + 1];
	unsigned count = 0;

	line[strcspn(line, "\n")] = '\0';
	while (line && count <= WORDS)
		word[count++] = strsep(&line, "\t");
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		if (strcmp(word[0], acts[i].name) != 0 || count != acts[i].words + 1)
			continue;
		if (acts[i].act(w, word + 1) < 0) {
			fprintf(stderr, "%s\n", w->why);
			return 1;
		}
		puts("ok");
		fflush(stdout);
		return 0;
	}
	fprintf(stderr, "'%s' with %u words: unknown\n", word[0], count - 1);
	return 2;
}

int main(int argc, char **argv)
{
	struct writer_state w = { .run = 0 };
	char *line = NULL;
	size_t size = 0;
	int status = 0;

	if (argc != 2)
		return 2;
	w.history = history_open(argv[1], w.why);
	if (!w.history) {
		fprintf(stderr, "%s\n", w.why);
		return 1;
	}
	while (!status && getline(&line, &size, stdin) > 0)
		status = act(&w, line);
	free(line);
	history_close(w.history);
	return status;
}
