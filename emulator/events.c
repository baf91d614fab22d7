// SPDX-License-Identifier: GPL-2.0-or-later
/* Events of boards and fault filters in words. */
#include "events.h"
#include <stdio.h>

uint64_t event_time_us(const struct desk_event *d)
{
	return d->gear ? d->gear->at_us : d->mcu ? d->mcu->at_us : d->fault ? d->fault->at_us : d->listed_us;
}

static int mcu_text(const struct mcu_event *e, char *text, size_t size)
{
	switch (e->type) {
	case MCU_EVENT_RESET:
		return snprintf(text, size, "reset by %s", reset_cause_name(e->cause));
	case MCU_EVENT_BOOTED:
		return snprintf(text, size, "now %s", mcu_mode_name(e->mode));
	case MCU_EVENT_STATE:
		return snprintf(text, size, "%s, %s", dfu_state_name(e->state), dfu_status_name(e->status));
	case MCU_EVENT_ERASED:
		return snprintf(text, size, "erased 0x%08x, %u bytes", e->address, e->length);
	case MCU_EVENT_PROGRAMMED:
		return snprintf(text, size, "programmed 0x%08x, %u bytes", e->address, e->length);
	case MCU_EVENT_OPTIONS:
		return snprintf(text, size, "option bytes written");
	case MCU_EVENT_CUT:
		return snprintf(text, size, "flash operation cut short at 0x%08x", e->address);
	case MCU_EVENT_PIN:
		return snprintf(text, size, "%s %s", mcu_pin_name(e->pin), e->high ? "high" : "low");
	case MCU_EVENT_CONSOLE:
		return snprintf(text, size, "says '%s'", e->line);
	case MCU_EVENT_LED:
		return snprintf(text, size, "LED %s %s", e->name, e->high ? "on" : "off");
	case MCU_EVENT_FAULT:
		return snprintf(text, size, "%s%s at 0x%08x (CFSR 0x%08x, HFSR 0x%08x)",
				mcu_exception_name(e->fault->exception), e->fault->lockup ? ", lockup" : "",
				e->fault->r[15], e->fault->cfsr, e->fault->hfsr);
	case MCU_EVENT_UNMODELLED:
		return snprintf(text, size, "%s 0x%08x, which is not modelled", e->high ? "writes to" : "reads",
				e->address);
	}
	return 0;
}

static void fault_text(const struct fault_event *e, char *text, size_t size)
{
	char rule[FAULT_RULE_BYTES];

	switch (e->type) {
	case FAULT_EVENT_FIRED:
		fault_rule_format(e->rule, rule, sizeof(rule));
		snprintf(text, size, "fault %u: %s", e->id, rule);
		break;
	case FAULT_EVENT_ATTACHED:
		snprintf(text, size, "attached");
		break;
	case FAULT_EVENT_DETACHED:
		snprintf(text, size, "detached");
		break;
	}
}

static void gear_text(const struct gear_event *e, char *text, size_t size)
{
	const char *what = e->rule->relays ? "relay" : "line";

	if (e->type == GEAR_LINE)
		snprintf(text, size, "%s %u %s", what, e->line, gear_drive_name(e->rule, e->drive));
	else
		snprintf(text, size, "%s", e->type == GEAR_PLUGGED ? "plugged" : "unplugged");
}

void event_text(const struct desk_event *d, char text[EVENT_BYTES])
{
	uint64_t at_us = event_time_us(d);
	int used = snprintf(text, EVENT_BYTES, "%llu.%06llu %s %u: ", (unsigned long long)(at_us / 1000000),
			    (unsigned long long)(at_us % 1000000), d->gear ? "bench" : "board",
			    d->gear ? d->gear->device : d->board);

	if (d->gear)
		gear_text(d->gear, text + used, EVENT_BYTES - (size_t)used);
	else if (d->mcu)
		mcu_text(d->mcu, text + used, EVENT_BYTES - (size_t)used);
	else if (d->fault)
		fault_text(d->fault, text + used, EVENT_BYTES - (size_t)used);
	else
		snprintf(text + used, EVENT_BYTES - (size_t)used, "listed");
}

const char *event_name(const struct desk_event *d)
{
	static const char *const of_mcu[] = {
		[MCU_EVENT_RESET] = "reset",
		[MCU_EVENT_BOOTED] = "booted",
		[MCU_EVENT_STATE] = "state",
		[MCU_EVENT_ERASED] = "erased",
		[MCU_EVENT_PROGRAMMED] = "programmed",
		[MCU_EVENT_OPTIONS] = "options",
		[MCU_EVENT_CUT] = "cut",
		[MCU_EVENT_PIN] = "pin",
		[MCU_EVENT_CONSOLE] = "console",
		[MCU_EVENT_LED] = "led",
		[MCU_EVENT_FAULT] = "cpu-fault",
		[MCU_EVENT_UNMODELLED] = "unmodelled",
	};
	static const char *const of_fault[] = {
		[FAULT_EVENT_FIRED] = "fault", [FAULT_EVENT_ATTACHED] = "attached", [FAULT_EVENT_DETACHED] = "detached"
	};

	static const char *const of_gear[] = {
		[GEAR_LINE] = "line", [GEAR_PLUGGED] = "plugged", [GEAR_UNPLUGGED] = "unplugged"
	};

	if (d->gear)
		return of_gear[d->gear->type];
	return d->mcu ? of_mcu[d->mcu->type] : d->fault ? of_fault[d->fault->type] : "listed";
}

void event_write_fault(const struct mcu_fault *f, struct writer *w)
{
	char name[8];

	writer_string(w, "exception", mcu_exception_name(f->exception));
	writer_bool(w, "lockup", f->lockup);
	writer_hex(w, "cfsr", f->cfsr);
	writer_hex(w, "hfsr", f->hfsr);
	writer_hex(w, "mmfar", f->mmfar);
	writer_hex(w, "bfar", f->bfar);
	for (unsigned i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), i < 13 ? "r%u" : i == 13 ? "sp" : i == 14 ? "lr" : "pc", i);
		writer_hex(w, name, f->r[i]);
	}
	writer_hex(w, "xpsr", f->xpsr);
}

static void write_mcu(const struct mcu_event *e, struct writer *w)
{
	switch (e->type) {
	case MCU_EVENT_RESET:
		writer_string(w, "cause", reset_cause_name(e->cause));
		break;
	case MCU_EVENT_BOOTED:
		writer_string(w, "mode", mcu_mode_name(e->mode));
		break;
	case MCU_EVENT_STATE:
		writer_string(w, "state", dfu_state_name(e->state));
		writer_string(w, "status", dfu_status_name(e->status));
		break;
	case MCU_EVENT_ERASED:
	case MCU_EVENT_PROGRAMMED:
	case MCU_EVENT_CUT:
		writer_hex(w, "address", e->address);
		writer_number(w, "length", e->length);
		break;
	case MCU_EVENT_OPTIONS:
		break;
	case MCU_EVENT_PIN:
		writer_string(w, "pin", mcu_pin_name(e->pin));
		writer_bool(w, "high", e->high);
		break;
	case MCU_EVENT_CONSOLE:
		writer_string(w, "line", e->line);
		break;
	case MCU_EVENT_LED:
		writer_string(w, "led", e->name);
		writer_bool(w, "on", e->high);
		break;
	case MCU_EVENT_FAULT:
		event_write_fault(e->fault, w);
		break;
	case MCU_EVENT_UNMODELLED:
		writer_hex(w, "address", e->address);
		writer_bool(w, "write", e->high);
		break;
	}
}

void event_write(const struct desk_event *d, struct writer *w)
{
	char rule[FAULT_RULE_BYTES];

	writer_string(w, "event", event_name(d));
	writer_number(w, "at_us", event_time_us(d));
	if (d->gear) {
		writer_number(w, "bench", d->gear->device);
		writer_string(w, "device", gear_kind(d->gear->rule));
		if (d->gear->type == GEAR_LINE) {
			writer_number(w, "line", d->gear->line);
			writer_string(w, "drive", gear_drive_name(d->gear->rule, d->gear->drive));
		}
		return;
	}
	writer_number(w, "board", d->board);
	if (d->mcu)
		write_mcu(d->mcu, w);
	else if (d->fault && d->fault->type == FAULT_EVENT_FIRED) {
		fault_rule_format(d->fault->rule, rule, sizeof(rule));
		writer_number(w, "fault", d->fault->id);
		writer_string(w, "rule", rule);
	}
}
