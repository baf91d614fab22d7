// SPDX-License-Identifier: GPL-2.0-or-later
/* What the reports say of the same results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>
#include <stdio.h>
#include <unistd.h>
#include "a_result.h"
#include "outfile.h"
#include "report.h"

static const char *const tools[] = { "dfu-util", "pydfu", NULL };
static const char *const one_tool[] = { "dfu-util", NULL };
static char folder[] = "/tmp/test_report-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/report", folder);
	return 0;
}

static int take_folder_away(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

/* Each of these in the order in which they might end; the report is freed. */
static int feed(struct report *report, bool interrupted)
{
	const struct report_plan plan = { .jobs = 6, .tools = tools, .rig = "emulated", .time = "virtual", .seed = 1 };
	struct result *results[] = {
		a_failure("start/dfuerror", "dfu-util"),
		a_result("start/idle", "pydfu", VERDICT_SKIPPED, "pydfu has no upload # really"),
		a_result("start/dfuerror", "pydfu", VERDICT_PASSED, NULL),
		a_result("leave/alone", "dfu-util", VERDICT_EXPECTED_FAILURE, "it cannot <yet>"),
		a_result("start/idle", "dfu-util", VERDICT_ERROR, "died of signal 11\n\033[1mlast words"),
		a_result("leave/alone", "pydfu", VERDICT_UNEXPECTED_PASS, "it passed"),
	};
	int r = report->ops->begin(report, &plan);

	for (size_t i = 0; i < 6; i++) {
		if (!r)
			r = report->ops->running(report, results[i]->id, results[i]->tool);
		if (!r && (i < 3 || !interrupted))
			r = report->ops->result(report, results[i]);
		result_free(results[i]);
	}
	if (!r)
		r = report->ops->end(report, interrupted);
	return r;
}

static char *said_by(struct report *(*make)(FILE *), bool interrupted)
{
	char *said = NULL;
	size_t size;
	FILE *memory = open_memstream(&said, &size);
	struct report *report = make(memory);

	assert_int_equal(feed(report, interrupted), 0);
	report->ops->free(report);
	fclose(memory);
	return said;
}

static void assert_says(const char *said, const char *words)
{
	if (!strstr(said, words))
		fail_msg("'%s' is missing from:\n%s", words, said);
}

/* --- JUnit --- */

static char *text_at(xmlDocPtr document, const char *xpath)
{
	xmlXPathContextPtr context = xmlXPathNewContext(document);
	xmlXPathObjectPtr found = xmlXPathEvalExpression((const xmlChar *)xpath, context);
	char *out = (char *)xmlXPathCastToString(found);

	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
	return out;
}

static void assert_at(xmlDocPtr document, const char *xpath, const char *want)
{
	char *got = text_at(document, xpath);

	if (strcmp(got, want) != 0)
		fail_msg("%s is '%s' instead of '%s'", xpath, got, want);
	xmlFree(got);
}

static xmlDocPtr junit(void)
{
	struct report *report = report_junit_new(path);
	xmlDocPtr document;

	assert_int_equal(feed(report, false), 0);
	report->ops->free(report);
	document = xmlReadFile(path, NULL, XML_PARSE_NONET);
	assert_non_null(document);
	return document;
}

static void junit_keeps_to_the_schema(void **state)
{
	xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt("hil/tests/junit.xsd");
	xmlSchemaPtr schema = xmlSchemaParse(parser);
	xmlSchemaValidCtxtPtr validator;
	xmlDocPtr document = junit();

	(void)state;
	assert_non_null(schema);
	validator = xmlSchemaNewValidCtxt(schema);
	assert_int_equal(xmlSchemaValidateDoc(validator, document), 0);
	xmlSchemaFreeValidCtxt(validator);
	xmlSchemaFree(schema);
	xmlSchemaFreeParserCtxt(parser);
	xmlFreeDoc(document);
}

static void junit_has_a_suite_for_each_tool(void **state)
{
	xmlDocPtr document = junit();
	char *text;

	(void)state;
	assert_at(document, "count(/testsuites/testsuite)", "2");
	assert_at(document, "string(/testsuites/@tests)", "6");
	assert_at(document, "string(/testsuites/@failures)", "2");
	assert_at(document, "string(/testsuites/@errors)", "1");
	assert_at(document, "string(//testsuite[@name='dfu-util']/@skipped)", "1");
	assert_at(document, "string(//testsuite[@name='dfu-util']//property[@name='tool-version']/@value)", "0.11");
	/* Sorted, whatever ended first. */
	assert_at(document, "string(//testsuite[1]/testcase[1]/@name)", "leave/alone");
	assert_at(document, "string(//testsuite[@name='dfu-util']/testcase[2]/@name)", "start/dfuerror");
	assert_at(document, "string(//testcase[@classname='pydfu']/skipped/@message)", "pydfu has no upload # really");
	assert_at(document, "string(//testcase[@name='leave/alone'][@classname='dfu-util']/skipped/@message)",
		  "expected failure: it cannot <yet>");
	assert_at(document, "string(//testcase[@classname='pydfu']/failure/@type)", "unexpected-pass");
	assert_at(document, "string(//error/@message)", "died of signal 11");
	text = text_at(document, "string(//testcase[@name='start/dfuerror'][@classname='dfu-util']/failure)");
	assert_int_equal(strncmp(text, "scenarios/a.yaml:12:5: download image", 37), 0);
	assert_says(text, "expected: success");
	assert_says(text, "got:      status 74");
	assert_says(text, "command:  dfu-util -D 'a & b.bin'");
	assert_says(text, "#1 DFU_DNLOAD block 2, 2048 bytes -> STALL");
	assert_says(text, "| ]]> <b>");
	assert_says(text, "[getstatus-after-dnload], request #1, 3 times");
	xmlFree(text);
	xmlFreeDoc(document);
}

static void a_file_that_cannot_be_written_is_told(void **state)
{
	struct report *(*const make[])(const char *) = { report_junit_new, report_json_new };
	char why[OUTFILE_WHY];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct report *report = make[i]("/dev/full");

		assert_int_equal(feed(report, false), -ENOSPC);
		assert_string_equal(report->why, "cannot write '/dev/full': No space left on device");
		report->ops->free(report);
	}
	assert_int_equal(outfile_check("/dev/full", why), 0);
	assert_int_equal(outfile_check(folder, why), -EISDIR);
	assert_int_equal(outfile_check("/nonexistent/report", why), -ENOENT);
	assert_string_equal(why, "cannot write '/nonexistent/report': No such file or directory");
	assert_int_equal(outfile_check(path, why), 0);
}

/* --- JSON --- */

static void json_has_it_all(void **state)
{
	struct report *report = report_json_new(path);
	json_t *json, *results;
	struct result *first;

	(void)state;
	assert_int_equal(feed(report, true), 0);
	report->ops->free(report);
	json = json_load_file(path, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "format")), 1);
	assert_true(json_is_true(json_object_get(json, "interrupted")));
	assert_int_equal(json_integer_value(json_object_get(json, "planned")), 6);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "summary"), "failed")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "summary"), "error")), 0);
	results = json_object_get(json, "results");
	assert_int_equal(json_array_size(results), 3);
	first = result_from_json(json_array_get(results, 0));
	assert_non_null(first);
	assert_string_equal(first->id, "start/dfuerror");
	assert_string_equal(first->tool, "dfu-util");
	assert_int_equal(first->step_count, 2);
	result_free(first);
	json_decref(json);
}

/* --- TAP --- */

static void tap_has_a_line_for_each(void **state)
{
	char *said = said_by(report_tap_new, false);

	(void)state;
	assert_int_equal(strncmp(said, "TAP version 13\n1..6\n", 20), 0);
	assert_says(said, "\nnot ok 1 - start/dfuerror (dfu-util): the tool does as it should\n  ---\n");
	assert_says(said, "\n  at: \"scenarios/a.yaml:12:5\"\n");
	assert_says(said, "\n  got: \"status 74\"\n");
	assert_says(said, "\n  ...\n");
	assert_says(said,
		    "\nok 2 - start/idle (pydfu): the tool does as it should # SKIP pydfu has no upload \\# really\n");
	assert_says(said, "\nok 3 - ");
	assert_says(said, "\nnot ok 4 - leave/alone (dfu-util): the tool does as it should # TODO it cannot <yet>\n");
	assert_says(said, "\nnot ok 5 - ");
	assert_says(said, "\n  message: \"died of signal 11\\n\xef\xbf\xbd[1mlast words\"\n");
	/* Of what passed unexpectedly, TODO would make a success. */
	assert_says(said, "\nnot ok 6 - leave/alone (pydfu): the tool does as it should\n");
	assert_null(strstr(said, "Bail out!"));
	free(said);
	said = said_by(report_tap_new, true);
	assert_says(said, "\nBail out! interrupted after 3 of 6\n");
	free(said);
}

/* --- for people --- */

static void people_are_told_what_went_wrong_and_where(void **state)
{
	char *said = said_by(report_console_new, false);

	(void)state;
	assert_says(said, "FAIL  start/dfuerror (dfu-util)\n"
			  "      scenarios/a.yaml:12:5: download image to 0x08000000\n"
			  "        the tool failed\n"
			  "        expected: success\n"
			  "        got:      status 74\n"
			  "        command:  dfu-util -D 'a & b.bin'\n");
	assert_says(said, "        | last line\n");
	assert_says(said, "skip  start/idle (pydfu): pydfu has no upload # really\n");
	assert_says(said, "xfail leave/alone (dfu-util): it cannot <yet>\n");
	/* The matrix */
	assert_says(said, "\n                dfu-util  pydfu");
	assert_says(said, "\nleave/alone     xfail     XPASS");
	assert_says(said, "\nstart/dfuerror  FAIL      ok");
	assert_says(said, "\nstart/idle      ERROR     skip");
	assert_says(said, "error: GETSTATUS follows each DNLOAD [getstatus-after-dnload], first in start/dfuerror\n");
	assert_says(said,
		    "\n1 passed, 1 failed, 1 skipped, 1 failed as expected, 1 passed unexpectedly, 1 with errors;");
	assert_null(strchr(said, '\033'));
	free(said);
	said = said_by(report_console_new, true);
	assert_says(said, "\ninterrupted: 3 of 6 ran: 1 passed, 1 failed, 1 skipped;");
	free(said);
}

static void what_fails_now_and_then_is_told(void **state)
{
	const struct report_plan plan = { .jobs = 3, .tools = one_tool, .rig = "emulated", .quiet = true };
	char *said = NULL;
	size_t size;
	FILE *memory = open_memstream(&said, &size);
	struct report *report = report_console_new(memory);

	(void)state;
	assert_int_equal(report->ops->begin(report, &plan), 0);
	for (unsigned i = 3; i >= 1; i--) {
		struct result *result = a_result("start/dfuerror", "dfu-util", i == 2 ? VERDICT_FAILED : VERDICT_PASSED,
						 "why");

		result->repeat = i;
		assert_int_equal(report->ops->result(report, result), 0);
		result_free(result);
	}
	assert_int_equal(report->ops->end(report, false), 0);
	report->ops->free(report);
	fclose(memory);
	assert_int_equal(strncmp(said, "FAIL  start/dfuerror repeat 2\n", 30), 0);
	assert_says(said, "\nfails now and then: start/dfuerror (dfu-util), 1 times of 3\n");
	free(said);
}

static void a_progress_line_is_for_terminals_and_wiped(void **state)
{
	const struct report_plan plan = {
		.jobs = 1, .tools = one_tool, .rig = "emulated", .live = true, .colour = true
	};
	struct result *result = a_result("start/dfuerror", "dfu-util", VERDICT_PASSED, NULL);
	char *said = NULL;
	size_t size;
	FILE *memory = open_memstream(&said, &size);
	struct report *report = report_console_new(memory);

	(void)state;
	assert_int_equal(report->ops->begin(report, &plan), 0);
	assert_int_equal(report->ops->running(report, result->id, result->tool), 0);
	assert_int_equal(report->ops->result(report, result), 0);
	assert_int_equal(report->ops->end(report, false), 0);
	report->ops->free(report);
	fclose(memory);
	assert_says(said, "[0/1] start/dfuerror (dfu-util)\r\033[K\033[32mok   \033[0m start/dfuerror\n");
	free(said);
	result_free(result);
}

static void a_stream_that_fails_is_told(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct report *(*const make[])(FILE *) = { report_console_new, report_tap_new };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct report *report = make[i](full);

		assert_int_equal(feed(report, false), -ENOSPC);
		report->ops->free(report);
	}
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(junit_keeps_to_the_schema),
		cmocka_unit_test(junit_has_a_suite_for_each_tool),
		cmocka_unit_test(a_file_that_cannot_be_written_is_told),
		cmocka_unit_test(json_has_it_all),
		cmocka_unit_test(tap_has_a_line_for_each),
		cmocka_unit_test(people_are_told_what_went_wrong_and_where),
		cmocka_unit_test(what_fails_now_and_then_is_told),
		cmocka_unit_test(a_progress_line_is_for_terminals_and_wiped),
		cmocka_unit_test(a_stream_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, make_folder, take_folder_away);
}
