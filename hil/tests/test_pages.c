// SPDX-License-Identifier: GPL-2.0-or-later
/* Manual pages against the tables: each key of the tables is in its place on the page, and no others are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "board_rig.h"
#include "rig_choice.h"
#include "scenario.h"
#include "tool.h"
#include "verb.h"
#include "wire_driver.h"

/* Names in a section: between its heading and the next of the same kind, in lines `.It Cm a , b`, and after `.Cm` elsewhere. */
#define NAMES 200
struct names {
	char list[NAMES][40];
	size_t count;
};

static bool has(const struct names *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++)
		if (!strcmp(n->list[i], name))
			return true;
	return false;
}

static void add(struct names *n, const char *name)
{
	if (has(n, name))
		return;
	assert_true(n->count < NAMES);
	snprintf(n->list[n->count++], sizeof(n->list[0]), "%s", name);
}

/* items: those of `.It Cm` alone. */
static void read_section(const char *page, const char *heading, struct names *items, struct names *mentions)
{
	FILE *f = fopen(page, "r");
	char line[512];
	bool inside = false, found = false;

	memset(items, 0, sizeof(*items));
	memset(mentions, 0, sizeof(*mentions));
	if (!f)
		fail_msg("cannot open %s: run from the top of the tree", page);
	while (fgets(line, sizeof(line), f)) {
		bool item;

		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, ".Sh", 3) || !strncmp(line, ".Ss", 3)) {
			inside = !strcmp(line, heading);
			found |= inside;
			continue;
		}
		item = !strncmp(line, ".It Cm ", 7);
		if (!inside || (!item && strncmp(line, ".Cm ", 4)))
			continue;
		for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
			if (word[0] != '.' && strcmp(word, "Cm") && !strchr(",;:", word[0])) {
				add(mentions, word);
				if (item)
					add(items, word);
			}
	}
	fclose(f);
	if (!found)
		fail_msg("%s has no section '%s'", page, heading);
}

static void collect(const struct field *f, struct names *names)
{
	for (; f && f->type != FIELD_END; f++) {
		if (f->name[0])
			add(names, f->name);
		if (f->fields && f->fields != wire_fields) /* a section of its own */
			collect(f->fields, names);
	}
}

static unsigned hold(const char *page, const char *heading, const struct field *fields)
{
	static struct names items, mentions, table;
	unsigned wrong = 0;

	memset(&table, 0, sizeof(table));
	collect(fields, &table);
	read_section(page, heading, &items, &mentions);
	for (size_t i = 0; i < table.count; i++)
		if (!has(&mentions, table.list[i])) {
			print_error("%s, '%s': '%s' is missing\n", page, heading, table.list[i]);
			wrong++;
		}
	for (size_t i = 0; i < items.count; i++)
		if (!has(&table, items.list[i])) {
			print_error("%s, '%s': there is no '%s'\n", page, heading, items.list[i]);
			wrong++;
		}
	return wrong;
}

static const char scenario_page[] = "hil/dfu-scenario.5";
static const char tool_page[] = "hil/dfu-tool.5";
static const char rig_page[] = "hil/dfu-rig.5";

static void each_step_of_the_table_is_on_the_page(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (const struct verb *v = verbs; v->name; v++) {
		char heading[80];

		snprintf(heading, sizeof(heading), ".Ss %s", v->name);
		wrong += hold(scenario_page, heading, v->fields);
	}
	assert_int_equal(wrong, 0);
}

static void each_step_of_the_page_is_in_the_table(void **state)
{
	FILE *f = fopen(scenario_page, "r");
	char line[512];
	unsigned count = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, ".Ss ", 4) || !strcmp(line, ".Ss Kinds of values"))
			continue;
		if (!verb_find(line + 4))
			fail_msg("%s tells of a step '%s'", scenario_page, line + 4);
		count++;
	}
	fclose(f);
	assert_true(count > 20);
}

static void each_name_is_found(void **state)
{
	size_t count = 0;

	(void)state;
	for (; verbs[count].name; count++) {
		assert_non_null(verb_names[count]);
		assert_ptr_equal(verb_find(verb_names[count]),
				 verb_find(verbs[count].name) ? verb_find(verb_names[count]) : NULL);
		assert_non_null(verb_find(verb_names[count]));
	}
	assert_null(verb_names[count]);
	for (const struct verb *v = verbs; v->name; v++) {
		bool named = !v->scalar;

		for (const struct field *f = v->fields; f && f->type != FIELD_END; f++)
			named |= v->scalar && !strcmp(v->scalar, f->name);
		if (!named)
			fail_msg("step '%s' may stand for '%s', which it has not", v->name, v->scalar);
	}
}

static void keys_of_scenarios_are_on_the_page(void **state)
{
	(void)state;
	assert_int_equal(hold(scenario_page, ".Sh KEYS OF THE FILE", scenario_fields), 0);
	assert_int_equal(hold(scenario_page, ".Sh EXPECTATIONS", expect_fields), 0);
}

static void keys_of_adapters_are_on_the_page(void **state)
{
	(void)state;
	assert_int_equal(hold(tool_page, ".Sh KEYS", tool_fields), 0);
}

static void keys_of_rigs_are_on_the_page(void **state)
{
	(void)state;
	assert_int_equal(hold(rig_page, ".Sh KEYS OF BOARDS IN SOFTWARE", rig_fields), 0);
	assert_int_equal(hold(rig_page, ".Sh KEYS OF A BOARD", board_rig_fields), 0);
	assert_int_equal(hold(rig_page, ".Sh WIRES", wire_fields), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_of_the_table_is_on_the_page),
		cmocka_unit_test(each_step_of_the_page_is_in_the_table),
		cmocka_unit_test(each_name_is_found),
		cmocka_unit_test(keys_of_scenarios_are_on_the_page),
		cmocka_unit_test(keys_of_adapters_are_on_the_page),
		cmocka_unit_test(keys_of_rigs_are_on_the_page),
	};

	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
