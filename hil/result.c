// SPDX-License-Identifier: GPL-2.0-or-later
/* Results, and their form as JSON: a table of members for each struct, read in both directions. */
#include "result.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

static const char *const verdict_names[] = {
	[VERDICT_PASSED] = "passed",
	[VERDICT_FAILED] = "failed",
	[VERDICT_SKIPPED] = "skipped",
	[VERDICT_EXPECTED_FAILURE] = "expected-failure",
	[VERDICT_UNEXPECTED_PASS] = "unexpected-pass",
	[VERDICT_ERROR] = "error",
};
#define VERDICTS (sizeof(verdict_names) / sizeof(*verdict_names))

const char *verdict_name(enum verdict verdict)
{
	return (unsigned)verdict < VERDICTS ? verdict_names[verdict] : "unknown";
}

bool verdict_is_bad(enum verdict verdict)
{
	return verdict == VERDICT_FAILED || verdict == VERDICT_UNEXPECTED_PASS || verdict == VERDICT_ERROR;
}

enum kind { END, TEXT, FLAG, INT, LONG, UNSIGNED, U32, U64, SIZE, VERDICT, LIST };

struct member {
	const char *name;
	enum kind kind;
	size_t at;
	/* of a LIST */
	const struct member *members;
	size_t count_at, size;
};

#define MEMBER(s, kind, name, json) \
	{ \
		json, kind, offsetof(struct s, name), NULL, 0, 0 \
	}
#define MEMBERS(s, name, count, json, of) \
	{ \
		json, LIST, offsetof(struct s, name), of##_members, offsetof(struct s, count), sizeof(struct of) \
	}

static const struct member result_step_members[] = {
	MEMBER(result_step, TEXT, text, "text"),
	MEMBER(result_step, TEXT, file, "file"),
	MEMBER(result_step, UNSIGNED, line, "line"),
	MEMBER(result_step, UNSIGNED, column, "column"),
	MEMBER(result_step, VERDICT, verdict, "verdict"),
	MEMBER(result_step, TEXT, message, "message"),
	MEMBER(result_step, TEXT, expected, "expected"),
	MEMBER(result_step, TEXT, got, "got"),
	MEMBER(result_step, TEXT, application, "application"),
	MEMBER(result_step, U64, start_us, "start-us"),
	MEMBER(result_step, U64, end_us, "end-us"),
	MEMBER(result_step, TEXT, command, "command"),
	MEMBER(result_step, INT, exit_status, "exit-status"),
	MEMBER(result_step, TEXT, output, "stdout"),
	MEMBER(result_step, TEXT, error, "stderr"),
	MEMBER(result_step, TEXT, warnings, "warnings"),
	MEMBER(result_step, SIZE, first_exchange, "first-exchange"),
	MEMBER(result_step, SIZE, exchange_count, "exchange-count"),
	{ NULL, END, 0, NULL, 0, 0 },
};

static const struct member result_finding_members[] = {
	MEMBER(result_finding, TEXT, rule, "rule"),         MEMBER(result_finding, TEXT, severity, "severity"),
	MEMBER(result_finding, TEXT, summary, "summary"),   MEMBER(result_finding, TEXT, explanation, "explanation"),
	MEMBER(result_finding, TEXT, citation, "citation"), MEMBER(result_finding, TEXT, text, "text"),
	MEMBER(result_finding, LONG, exchange, "exchange"), MEMBER(result_finding, UNSIGNED, step, "step"),
	MEMBER(result_finding, UNSIGNED, times, "times"),   { NULL, END, 0, NULL, 0, 0 },
};

static const struct member result_exchange_members[] = {
	MEMBER(result_exchange, U64, start_us, "start-us"),
	MEMBER(result_exchange, U64, end_us, "end-us"),
	MEMBER(result_exchange, UNSIGNED, board, "board"),
	MEMBER(result_exchange, TEXT, text, "text"),
	MEMBER(result_exchange, TEXT, op, "op"),
	MEMBER(result_exchange, TEXT, state, "state"),
	MEMBER(result_exchange, TEXT, outcome, "outcome"),
	{ NULL, END, 0, NULL, 0, 0 },
};

static const struct member result_sector_members[] = {
	MEMBER(result_sector, U32, address, "address"),         MEMBER(result_sector, U32, size, "size"),
	MEMBER(result_sector, UNSIGNED, erased, "erased"),      MEMBER(result_sector, U32, written, "written"),
	MEMBER(result_sector, FLAG, is_protected, "protected"), MEMBER(result_sector, FLAG, blank, "blank"),
	MEMBER(result_sector, FLAG, touched, "touched"),        { NULL, END, 0, NULL, 0, 0 },
};

static const struct member result_measurement_members[] = {
	MEMBER(result_measurement, TEXT, unknown, "unknown"),
	MEMBER(result_measurement, TEXT, field, "field"),
	MEMBER(result_measurement, TEXT, got, "got"),
	MEMBER(result_measurement, TEXT, value, "value"),
	MEMBER(result_measurement, TEXT, modelled, "modelled"),
	MEMBER(result_measurement, FLAG, same, "same"),
	{ NULL, END, 0, NULL, 0, 0 },
};

static const struct member result_members[] = {
	MEMBER(result, TEXT, id, "scenario"),
	MEMBER(result, TEXT, name, "name"),
	MEMBER(result, TEXT, why, "why"),
	MEMBER(result, TEXT, file, "file"),
	MEMBER(result, TEXT, tool, "tool"),
	MEMBER(result, TEXT, tool_version, "tool-version"),
	MEMBER(result, TEXT, rig, "rig"),
	MEMBER(result, TEXT, profile, "profile"),
	MEMBER(result, TEXT, time, "time"),
	MEMBER(result, UNSIGNED, repeat, "repeat"),
	MEMBER(result, U64, seed, "seed"),
	MEMBER(result, VERDICT, verdict, "verdict"),
	MEMBER(result, TEXT, message, "message"),
	MEMBER(result, UNSIGNED, line, "line"),
	MEMBER(result, U64, board_us, "board-us"),
	MEMBER(result, U64, wall_us, "wall-us"),
	MEMBER(result, TEXT, capture, "capture"),
	MEMBERS(result, steps, step_count, "steps", result_step),
	MEMBERS(result, findings, finding_count, "findings", result_finding),
	MEMBERS(result, exchanges, exchange_count, "exchanges", result_exchange),
	MEMBERS(result, measurements, measurement_count, "measurements", result_measurement),
	MEMBERS(result, sectors, sector_count, "sectors", result_sector),
	{ NULL, END, 0, NULL, 0, 0 },
};

/* Whatever a pointer to a member of that kind points to */
#define AT(type, base, m) (*(type *)((char *)(base) + (m)->at))
#define CONST_AT(type, base, m) (*(const type *)((const char *)(base) + (m)->at))

static void clear(void *object, const struct member *members)
{
	for (const struct member *m = members; m->name; m++) {
		if (m->kind == TEXT) {
			free(AT(char *, object, m));
		} else if (m->kind == LIST) {
			char *list = AT(char *, object, m);
			size_t count = *(size_t *)((char *)object + m->count_at);

			for (size_t i = 0; list && i < count; i++)
				clear(list + i * m->size, m->members);
			free(list);
		}
	}
}

struct result *result_new(void)
{
	return calloc(1, sizeof(struct result));
}

void result_free(struct result *result)
{
	if (!result)
		return;
	clear(result, result_members);
	free(result);
}

static json_t *object_to_json(const void *object, const struct member *members);

static json_t *text_to_json(const char *text)
{
	json_t *json;
	char *clean;

	if (!text)
		return json_null();
	json = json_string(text);
	if (json)
		return json;
	clean = text_clean(text);
	json = clean ? json_string(clean) : NULL;
	free(clean);
	return json;
}

static json_t *list_to_json(const void *object, const struct member *m)
{
	const char *list = CONST_AT(char *, object, m);
	size_t count = *(const size_t *)((const char *)object + m->count_at);
	json_t *array = json_array();

	for (size_t i = 0; array && i < count; i++) {
		if (json_array_append_new(array, object_to_json(list + i * m->size, m->members))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *member_to_json(const void *object, const struct member *m)
{
	switch (m->kind) {
	case TEXT:
		return text_to_json(CONST_AT(char *, object, m));
	case FLAG:
		return json_boolean(CONST_AT(bool, object, m));
	case INT:
		return json_integer(CONST_AT(int, object, m));
	case LONG:
		return json_integer(CONST_AT(long, object, m));
	case UNSIGNED:
		return json_integer(CONST_AT(unsigned, object, m));
	case U32:
		return json_integer(CONST_AT(uint32_t, object, m));
	case U64:
		return json_integer((json_int_t)CONST_AT(uint64_t, object, m));
	case SIZE:
		return json_integer((json_int_t)CONST_AT(size_t, object, m));
	case VERDICT:
		return json_string(verdict_name(CONST_AT(enum verdict, object, m)));
	case LIST:
		return list_to_json(object, m);
	case END:
		break;
	}
	return NULL;
}

static json_t *object_to_json(const void *object, const struct member *members)
{
	json_t *json = json_object();

	for (const struct member *m = members; json && m->name; m++) {
		if (json_object_set_new(json, m->name, member_to_json(object, m))) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

json_t *result_to_json(const struct result *result)
{
	return object_to_json(result, result_members);
}

static bool object_from_json(void *object, const struct member *members, const json_t *json);

static bool verdict_from_json(enum verdict *verdict, const json_t *json)
{
	const char *name = json_string_value(json);

	for (unsigned i = 0; name && i < VERDICTS; i++) {
		if (!strcmp(name, verdict_names[i])) {
			*verdict = (enum verdict)i;
			return true;
		}
	}
	return false;
}

static bool list_from_json(void *object, const struct member *m, const json_t *json)
{
	size_t count = json_array_size(json);
	char *list;

	if (!json_is_array(json))
		return false;
	if (!count)
		return true;
	list = calloc(count, m->size);
	if (!list)
		return false;
	AT(char *, object, m) = list;
	*(size_t *)((char *)object + m->count_at) = count;
	for (size_t i = 0; i < count; i++)
		if (!object_from_json(list + i * m->size, m->members, json_array_get(json, i)))
			return false;
	return true;
}

static bool member_from_json(void *object, const struct member *m, const json_t *json)
{
	json_int_t number = json_integer_value(json);

	switch (m->kind) {
	case TEXT:
		if (json_is_null(json))
			return true;
		if (!json_is_string(json))
			return false;
		AT(char *, object, m) = strdup(json_string_value(json));
		return AT(char *, object, m) != NULL;
	case FLAG:
		AT(bool, object, m) = json_is_true(json);
		return json_is_boolean(json);
	case VERDICT:
		return verdict_from_json(&AT(enum verdict, object, m), json);
	case LIST:
		return list_from_json(object, m, json);
	case INT:
		AT(int, object, m) = (int)number;
		break;
	case LONG:
		AT(long, object, m) = (long)number;
		break;
	case UNSIGNED:
		AT(unsigned, object, m) = (unsigned)number;
		break;
	case U32:
		AT(uint32_t, object, m) = (uint32_t)number;
		break;
	case U64:
		AT(uint64_t, object, m) = (uint64_t)number;
		break;
	case SIZE:
		AT(size_t, object, m) = (size_t)number;
		break;
	case END:
		return false;
	}
	return json_is_integer(json);
}

static bool object_from_json(void *object, const struct member *members, const json_t *json)
{
	if (!json_is_object(json))
		return false;
	for (const struct member *m = members; m->name; m++) {
		const json_t *value = json_object_get(json, m->name);

		if (!value || !member_from_json(object, m, value))
			return false;
	}
	return true;
}

struct result *result_from_json(const json_t *json)
{
	struct result *result = result_new();

	if (!result || object_from_json(result, result_members, json))
		return result;
	result_free(result);
	return NULL;
}
