// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report to look at: one page that carries the JSON of the run and draws it (report.html). It fetches nothing, so it can be sent
 * about as it is; captures it links to.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "document.h"
#include "outfile.h"
#include "report.h"
#include "results.h"

/* The page, between the two symbols. */
__asm__(".pushsection .rodata\n"
	"report_page: .incbin \"hil/report.html\"\n"
	"report_page_end: .byte 0\n"
	".popsection\n");
extern const char report_page[], report_page_end[];

#define PLACE "@DATA@"

struct report_html {
	struct report report;
	struct results results;
	const struct report_plan *plan;
};

/* The folder that links in a file start from, absolute. To be freed; NULL: not known. */
static char *folder_of(const char *path)
{
	char *copy = strdup(path), *slash = copy ? strrchr(copy, '/') : NULL, *whole = NULL;

	if (copy && slash == copy)
		slash[1] = '\0';
	else if (slash)
		*slash = '\0';
	if (copy)
		whole = realpath(slash ? copy : ".", NULL);
	free(copy);
	return whole;
}

/* path as seen from the folder; both absolute and without links. To be freed; NULL on ENOMEM. */
static char *seen_from(const char *folder, const char *path)
{
	size_t same = 0, ups = 0;
	char *out, *at;

	for (size_t i = 0;; i++) {
		bool a = folder[i] == '/' || !folder[i], b = path[i] == '/' || !path[i];

		if (a && b)
			same = i;
		if (!folder[i] || !path[i] || folder[i] != path[i])
			break;
	}
	for (const char *c = folder + same; *c; c++)
		if (*c == '/' && c[1])
			ups++;
	out = malloc(3 * ups + strlen(path) + 1);
	if (!out)
		return NULL;
	at = out;
	while (ups--)
		at = stpcpy(at, "../");
	strcpy(at, path + same + (path[same] == '/'));
	return out;
}

/* A path as a URL: what means something there is escaped. To be freed; NULL on ENOMEM. */
static char *as_url(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/";
	char *url = malloc(3 * strlen(path) + 1), *at = url;

	if (!url)
		return NULL;
	for (; *path; path++) {
		if (strchr(plain, *path))
			*at++ = *path;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*path);
	}
	*at = '\0';
	return url;
}

/* Captures are named as seen from where the run was started; links start from the page. */
static void relink(json_t *document, const char *page)
{
	json_t *result;
	size_t i;
	char *folder = folder_of(page);

	json_array_foreach(json_object_get(document, "results"), i, result)
	{
		const char *capture = json_string_value(json_object_get(result, "capture"));
		char *whole = capture ? realpath(capture, NULL) : NULL;
		char *path = whole && folder ? seen_from(folder, whole) : NULL;
		char *url = path ? as_url(path) : NULL;

		if (url)
			json_object_set_new(result, "capture", json_string(url));
		free(url);
		free(path);
		free(whole);
	}
	free(folder);
}

/* In a page, "<" would be markup: "</script>" ends the data. Strings alone can have it. To be freed; NULL on ENOMEM. */
static char *without_markup(const char *text)
{
	size_t count = 0;
	char *out, *at;

	for (const char *c = text; *c; c++)
		count += *c == '<';
	out = malloc(strlen(text) + 5 * count + 1);
	if (!out)
		return NULL;
	at = out;
	for (; *text; text++) {
		if (*text == '<')
			at = stpcpy(at, "\\u003c");
		else
			*at++ = *text;
	}
	*at = '\0';
	return out;
}

static int write_page(struct report_html *r, const char *data)
{
	const char *place = strstr(report_page, PLACE);
	size_t before = (size_t)(place - report_page), after = (size_t)(report_page_end - place) - strlen(PLACE);
	size_t length = before + strlen(data) + after;
	char *page = malloc(length + 1), *at;
	int error;

	if (!page)
		return -ENOMEM;
	at = mempcpy(page, report_page, before);
	at = stpcpy(at, data);
	memcpy(at, place + strlen(PLACE), after);
	error = outfile_write(r->report.path, page, length, r->report.why);
	free(page);
	return error;
}

static int html_begin(struct report *report, const struct report_plan *plan)
{
	((struct report_html *)report)->plan = plan;
	return 0;
}

static int html_running(struct report *report, const char *scenario, const char *tool)
{
	(void)report;
	(void)scenario;
	(void)tool;
	return 0;
}

static int html_result(struct report *report, const struct result *result)
{
	return results_keep(&((struct report_html *)report)->results, result);
}

static int html_end(struct report *report, bool interrupted)
{
	struct report_html *r = (struct report_html *)report;
	json_t *document;
	char *text = NULL, *data = NULL;
	int error = -ENOMEM;

	results_sort(&r->results);
	document = document_new(r->plan, &r->results, interrupted);
	if (document) {
		relink(document, strcmp(report->path, "-") ? report->path : ".");
		text = json_dumps(document, JSON_COMPACT);
	}
	if (text)
		data = without_markup(text);
	if (data)
		error = write_page(r, data);
	free(data);
	free(text);
	json_decref(document);
	return error;
}

static void html_free(struct report *report)
{
	results_free(&((struct report_html *)report)->results);
	free(report);
}

static const struct report_ops html_ops = {
	.name = "HTML",
	.begin = html_begin,
	.running = html_running,
	.result = html_result,
	.end = html_end,
	.free = html_free,
};

struct report *report_html_new(const char *path)
{
	struct report_html *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->report.ops = &html_ops;
	r->report.path = path;
	return &r->report;
}
