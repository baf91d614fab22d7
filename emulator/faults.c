// SPDX-License-Identifier: GPL-2.0-or-later
/* Fault rules: the mistake in words, and the pins. */
#include "faults.h"
#include <stdio.h>
#include "mcu.h"
#include "suggest.h"

int faults_parse(const char *text, struct fault_rule *rule, char why[FAULTS_WHY])
{
	struct fault_rule_error error;
	const char *near;
	int r = fault_rule_parse(text, rule, &error);

	if (!r)
		return 0;
	near = error.words && error.word[0] ? suggest_nearest(error.word, error.words) : NULL;
	if (error.word[0])
		snprintf(why, FAULTS_WHY, "fault rule: column %zu: '%s': %s%s%s%s", error.column, error.word,
			 error.expected, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	else
		snprintf(why, FAULTS_WHY, "fault rule: column %zu: %s", error.column, error.expected);
	return r;
}

static bool in_rom(void *context)
{
	return mcu_mode(context) == MCU_ROM;
}

static enum dfu_state state(void *context)
{
	return mcu_dfu_state(context);
}

static uint32_t pointer(void *context)
{
	return mcu_dfu_pointer(context);
}

static void cable(void *context, bool in)
{
	mcu_set_pin(context, PIN_VBUS, in);
}

static void power(void *context, bool on)
{
	mcu_set_pin(context, PIN_VDD, on);
}

static void reset(void *context, bool high)
{
	mcu_set_pin(context, PIN_NRST, high);
}

const struct fault_ops faults_mcu_ops = {
	.in_rom = in_rom,
	.state = state,
	.pointer = pointer,
	.cable = cable,
	.power = power,
	.reset = reset,
};
