// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands: the fault rules of a board. */
#include "control_internal.h"
#include <errno.h>
#include <string.h>
#include "faults.h"

static enum outcome add_fault(struct call *call, struct fault *fault, int count, char **words)
{
	struct fault_rule rule;
	char text[CONTROL_LINE] = "";
	size_t used = 0;
	int id;

	for (int i = 0; i < count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "", words[i]);
	if (faults_parse(text, &rule, call->why))
		return REFUSED;
	id = fault_add(fault, &rule);
	if (id == -ENOSPC)
		return call_fail(call, FAILED, "there are %d rules already", FAULT_RULES);
	if (id < 0)
		return call_fail(call, FAILED, "%s", strerror(-id));
	fault_rule_format(&rule, text, sizeof(text));
	writer_number(&call->out, "fault", (uint64_t)id);
	writer_string(&call->out, "rule", text);
	return DONE;
}

static void list_faults(struct call *call, const struct fault *fault)
{
	char text[FAULT_RULE_BYTES];
	struct fault_info info;

	writer_array(&call->out, "faults");
	for (unsigned i = 0; fault_list(fault, i, &info); i++) {
		fault_rule_format(&info.rule, text, sizeof(text));
		writer_object(&call->out, NULL);
		writer_number(&call->out, "fault", info.id);
		writer_string(&call->out, "rule", text);
		writer_number(&call->out, "matches", info.matches);
		writer_number(&call->out, "fired", info.fired);
		writer_end(&call->out);
	}
	writer_end(&call->out);
}

enum outcome control_run_fault(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "add", "list", "remove", "clear", NULL };
	struct fault *fault = desk_fault(call->control->desk, call->board);
	int i = call_choose(call, "fault", words[0], verbs);
	unsigned id = 0;

	if (i < 0)
		return REFUSED;
	if ((i == 0 && count < 2) || ((i == 1 || i == 3) && count != 1) ||
	    (i == 2 && (count != 2 || !call_number(words[1], &id))))
		return call_fail(call, REFUSED, "usage: fault add RULE | list | remove N | clear");
	if (!fault)
		return call_fail(call, FAILED, "there is no board %u", call->board);
	if (i == 0)
		return add_fault(call, fault, count - 1, words + 1);
	if (i == 1)
		list_faults(call, fault);
	else if (i == 2 && fault_remove(fault, id))
		return call_fail(call, FAILED, "board %u has no fault %u", call->board, id);
	else if (i == 3)
		fault_clear(fault);
	return DONE;
}
