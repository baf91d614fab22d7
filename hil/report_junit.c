// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JUnit's XML, as Jenkins, GitLab and the actions of GitHub read it: a test suite for each tool, a test case for each scenario.
 * Nothing in it that the schema of Jenkins' xUnit plugin does not know (junit-10.xsd): no file or line at a test case, so
 * they begin the text of its failure. time is real time; the board's clock is told in system-out.
 */
#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "outfile.h"
#include "report.h"
#include "results.h"
#include "text.h"

struct report_junit {
	struct report report;
	struct results results;
	const struct report_plan *plan;
	char started[32]; /* ISO 8601, UTC */
};

#define NAME(text) ((const xmlChar *)(text))

static int junit_begin(struct report *report, const struct report_plan *plan)
{
	struct report_junit *r = (struct report_junit *)report;
	time_t now = time(NULL);
	struct tm tm;

	r->plan = plan;
	strftime(r->started, sizeof(r->started), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &tm));
	return 0;
}

static int junit_running(struct report *report, const char *scenario, const char *tool)
{
	(void)report;
	(void)scenario;
	(void)tool;
	return 0;
}

static int junit_result(struct report *report, const struct result *result)
{
	return results_keep(&((struct report_junit *)report)->results, result);
}

/* Each returns whether all went well so far. */

static bool attribute(xmlTextWriterPtr writer, const char *name, const char *text)
{
	char *clean = text_clean(text ? text : "");
	bool ok = clean && xmlTextWriterWriteAttribute(writer, NAME(name), NAME(clean)) >= 0;

	free(clean);
	return ok;
}

static bool number(xmlTextWriterPtr writer, const char *name, size_t value)
{
	return xmlTextWriterWriteFormatAttribute(writer, NAME(name), "%zu", value) >= 0;
}

static bool seconds(xmlTextWriterPtr writer, uint64_t us)
{
	return xmlTextWriterWriteFormatAttribute(writer, NAME("time"), "%.3f", (double)us / 1e6) >= 0;
}

static bool property(xmlTextWriterPtr writer, const char *name, const char *value)
{
	return !value || (xmlTextWriterStartElement(writer, NAME("property")) >= 0 && attribute(writer, "name", name) &&
			  attribute(writer, "value", value) && xmlTextWriterEndElement(writer) >= 0);
}

/* An element whose message is the first line, for lists, and whose text is all. */
static bool element(xmlTextWriterPtr writer, const char *name, const char *type, const char *message, const char *text)
{
	char *first = strdup(message ? message : "");
	bool ok = first != NULL;

	if (first)
		first[strcspn(first, "\n")] = 0;
	ok = ok && xmlTextWriterStartElement(writer, NAME(name)) >= 0 && attribute(writer, "message", first) &&
	     (!type || attribute(writer, "type", type)) &&
	     (!text || xmlTextWriterWriteString(writer, NAME(text)) >= 0) && xmlTextWriterEndElement(writer) >= 0;
	free(first);
	return ok;
}

static char *explanation(const struct result *result)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return NULL;
	result_explain(memory, result, "");
	fclose(memory);
	return text;
}

static bool outcome(xmlTextWriterPtr writer, const struct result *result)
{
	char *text = verdict_is_bad(result->verdict) ? explanation(result) : NULL;
	char *why = NULL;
	bool ok = true;

	switch (result->verdict) {
	case VERDICT_PASSED:
		break;
	case VERDICT_SKIPPED:
		ok = element(writer, "skipped", NULL, result->message, NULL);
		break;
	case VERDICT_EXPECTED_FAILURE: /* JUnit has no word for it; nothing was found out that is new */
		why = text_format("expected failure: %s", result->message ? result->message : "");
		ok = why && element(writer, "skipped", NULL, why, NULL);
		break;
	case VERDICT_ERROR:
		ok = text && element(writer, "error", "error", result->message, text);
		break;
	case VERDICT_FAILED:
	case VERDICT_UNEXPECTED_PASS:
		ok = text && element(writer, "failure", verdict_name(result->verdict), result->message, text);
		break;
	}
	free(why);
	free(text);
	return ok;
}

/* What is not in the schema as an attribute, and what went wrong without being a failure. */
static char *remarks(const struct result *r)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return NULL;
	fprintf(memory, "%s\nfile: %s\n", r->name, r->file);
	if (r->profile)
		fprintf(memory, "profile: %s\n", r->profile);
	fprintf(memory, "seed: %llu\nboard's clock: %.6f s\n", (unsigned long long)r->seed, (double)r->board_us / 1e6);
	if (r->capture)
		fprintf(memory, "capture: %s\n", r->capture);
	if (r->verdict == VERDICT_EXPECTED_FAILURE)
		result_explain(memory, r, "");
	else if (!verdict_is_bad(r->verdict)) {
		result_warnings(memory, r, "");
		result_findings(memory, r, "");
	}
	fclose(memory);
	return text;
}

static bool test_case(xmlTextWriterPtr writer, const struct result *result)
{
	char *name = result->repeat > 1 ? text_format("%s (repeat %u)", result->id, result->repeat)
					: strdup(result->id);
	char *text = remarks(result), *clean = text ? text_clean(text) : NULL;
	bool ok = name && clean && xmlTextWriterStartElement(writer, NAME("testcase")) >= 0 &&
		  attribute(writer, "name", name) && attribute(writer, "classname", result->tool) &&
		  seconds(writer, result->wall_us) && outcome(writer, result) &&
		  xmlTextWriterWriteElement(writer, NAME("system-out"), NAME(clean)) >= 0 &&
		  xmlTextWriterEndElement(writer) >= 0;

	free(name);
	free(text);
	free(clean);
	return ok;
}

static bool figures(xmlTextWriterPtr writer, const struct results *results, const char *tool)
{
	size_t counts[RESULTS_VERDICTS], tests = 0;
	uint64_t us = 0;
	bool ok;

	results_count(results, tool, counts);
	for (size_t i = 0; i < results->count; i++) {
		if (tool && strcmp(tool, results->list[i]->tool) != 0)
			continue;
		tests++;
		us += results->list[i]->wall_us;
	}
	ok = number(writer, "tests", tests) &&
	     number(writer, "failures", counts[VERDICT_FAILED] + counts[VERDICT_UNEXPECTED_PASS]) &&
	     number(writer, "errors", counts[VERDICT_ERROR]) && seconds(writer, us);
	/* Of all suites together the schema does not want to know. */
	return ok && (!tool || number(writer, "skipped", counts[VERDICT_SKIPPED] + counts[VERDICT_EXPECTED_FAILURE]));
}

static bool suite(xmlTextWriterPtr writer, const struct report_junit *r, const char *tool)
{
	const char *version = NULL;
	bool ok;

	for (size_t i = 0; i < r->results.count && !version; i++)
		if (!strcmp(tool, r->results.list[i]->tool))
			version = r->results.list[i]->tool_version;
	ok = xmlTextWriterStartElement(writer, NAME("testsuite")) >= 0 && attribute(writer, "name", tool) &&
	     figures(writer, &r->results, tool) && attribute(writer, "timestamp", r->started) &&
	     xmlTextWriterStartElement(writer, NAME("properties")) >= 0 && property(writer, "tool", tool) &&
	     property(writer, "tool-version", version) && property(writer, "rig", r->plan->rig) &&
	     property(writer, "time", r->plan->time) && property(writer, "dfuhil-version", DFUBENCH_VERSION) &&
	     xmlTextWriterEndElement(writer) >= 0;
	for (size_t i = 0; i < r->results.count && ok; i++)
		if (!strcmp(tool, r->results.list[i]->tool))
			ok = test_case(writer, r->results.list[i]);
	return ok && xmlTextWriterEndElement(writer) >= 0;
}

static bool document(xmlTextWriterPtr writer, const struct report_junit *r)
{
	const char *tool;
	bool ok = xmlTextWriterSetIndent(writer, 1) >= 0 &&
		  xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL) >= 0 &&
		  xmlTextWriterStartElement(writer, NAME("testsuites")) >= 0 && attribute(writer, "name", "dfuhil") &&
		  figures(writer, &r->results, NULL);

	for (size_t i = 0; ok && (tool = results_tool(&r->results, i)); i++)
		ok = suite(writer, r, tool);
	return ok && xmlTextWriterEndDocument(writer) >= 0;
}

static int junit_end(struct report *report, bool interrupted)
{
	struct report_junit *r = (struct report_junit *)report;
	xmlBufferPtr buffer = xmlBufferCreate();
	xmlTextWriterPtr writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
	int error = -ENOMEM;

	(void)interrupted; /* what ran is there */
	results_sort(&r->results);
	if (writer && document(writer, r)) {
		xmlFreeTextWriter(writer); /* flushes */
		writer = NULL;
		error = outfile_write(report->path, (const char *)xmlBufferContent(buffer),
				      (size_t)xmlBufferLength(buffer), report->why);
	}
	if (writer)
		xmlFreeTextWriter(writer);
	if (buffer)
		xmlBufferFree(buffer);
	return error;
}

static void junit_free(struct report *report)
{
	results_free(&((struct report_junit *)report)->results);
	free(report);
}

static const struct report_ops junit_ops = {
	.name = "JUnit",
	.begin = junit_begin,
	.running = junit_running,
	.result = junit_result,
	.end = junit_end,
	.free = junit_free,
};

struct report *report_junit_new(const char *path)
{
	struct report_junit *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->report.ops = &junit_ops;
	r->report.path = path;
	return &r->report;
}
