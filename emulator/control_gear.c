// SPDX-License-Identifier: GPL-2.0-or-later
/* Command: cables of bench devices; and what lines and relays do, for `status`. */
#include "control_internal.h"

enum outcome control_run_bench(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "unplug", "plug", NULL };
	struct gear *gear = desk_gear(call->control->desk);
	unsigned number;
	int verb;

	(void)count;
	if (!call_number(words[0], &number))
		return call_fail(call, REFUSED, "bench '%.60s': expected the number of a bench device", words[0]);
	verb = call_choose(call, "bench", words[1], verbs);
	if (verb < 0)
		return REFUSED;
	if (!gear_device(gear, number))
		return call_fail(call, FAILED, "there is no bench device %u, but %u of them", number, gear_count(gear));
	gear_plug(gear, number, verb == 1);
	return DONE;
}

/* Lines that go nowhere are left out; wires as in a rule. */
static void write_line(struct writer *w, const struct gear *gear, unsigned number, unsigned line)
{
	const struct gear_rule *rule = gear_rule(gear, number);
	char wires[GEAR_WIRES * 16] = "";
	size_t used = 0;

	for (unsigned i = 0; i < rule->wire_count; i++) {
		const struct gear_wire *wire = &rule->wires[i];

		if (wire->line == line)
			used += (size_t)snprintf(wires + used, sizeof(wires) - used, "%s%s%u:%s", used ? "," : "",
						 wire->inverted ? "!" : "", wire->board, gear_pin_name(wire->pin));
	}
	if (!used)
		return;
	writer_object(w, NULL);
	writer_number(w, "line", line);
	writer_string(w, "drive", gear_drive_name(rule, gear_drive(gear, number, line)));
	writer_string(w, "wires", wires);
	writer_end(w);
}

void control_write_gear(struct call *call)
{
	const struct gear *gear = desk_gear(call->control->desk);
	const struct control_loop *loop = call->control->loop;
	struct writer *w = &call->out;

	if (!gear)
		return;
	writer_array(w, "bench");
	for (unsigned n = 1; n <= gear_count(gear); n++) {
		unsigned first = gear_first_line(gear, n);

		writer_object(w, NULL);
		writer_number(w, "bench", n);
		writer_string(w, "device", gear_kind(gear_rule(gear, n)));
		writer_string(w, "serial", gear_serial(gear, n));
		writer_bool(w, "plugged", gear_is_plugged(gear, n));
		writer_number(w, "address", loop->address(loop->context, gear_device(gear, n)));
		writer_array(w, "lines");
		for (unsigned line = first; line < first + gear_lines(gear, n); line++)
			write_line(w, gear, n, line);
		writer_end(w);
		writer_end(w);
	}
	writer_end(w);
}
