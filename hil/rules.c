/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All rules over all calls, and what they have in common. */
#include "rules.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rules_internal.h"

#define SET_CONFIGURATION 9
#define SET_INTERFACE 11

static void (*const checks[RULES])(struct judge *) = {
	[RULE_STATE_NOT_ASKED] = check_state_not_asked,
	[RULE_CLRSTATUS_MISSING] = check_clrstatus_missing,
	[RULE_CLRSTATUS_OUTSIDE_ERROR] = check_clrstatus_outside_error,
	[RULE_CLRSTATUS_LOOP] = check_clrstatus_loop,
	[RULE_POLLING_IN_ERROR] = check_polling_in_error,
	[RULE_NO_ABORT_RECOVERY] = check_no_abort_recovery,
	[RULE_ABORT_BEFORE_UPLOAD] = check_abort_before_upload,
	[RULE_ABORT_BEFORE_DOWNLOAD] = check_abort_before_download,
	[RULE_GETSTATUS_AFTER_DNLOAD] = check_getstatus_after_dnload,
	[RULE_BUSY_NOT_WAITED_FOR] = check_busy_not_waited_for,
	[RULE_POLL_TIMEOUT_IGNORED] = check_poll_timeout_ignored,
	[RULE_EARLY_POLL] = check_early_poll,
	[RULE_USB_TIMEOUT_TOO_SHORT] = check_usb_timeout_too_short,
	[RULE_REQUEST_AFTER_STALL_IGNORED] = check_request_after_stall_ignored,
	[RULE_ERROR_IGNORED] = check_error_ignored,
	[RULE_LEFT_BUSY] = check_left_busy,
	[RULE_LEFT_UNFINISHED] = check_left_unfinished,
	[RULE_WRONG_INTERFACE] = check_wrong_interface,
	[RULE_WRONG_ALT] = check_wrong_alt,
	[RULE_BLOCK_NUMBER] = check_block_number,
	[RULE_TRANSFER_SIZE] = check_transfer_size,
	[RULE_SHORT_MIDDLE_BLOCK] = check_short_middle_block,
	[RULE_ODD_LENGTH] = check_odd_length,
	[RULE_SET_ADDRESS_OUTSIDE_MAP] = check_set_address_outside_map,
	[RULE_OPTION_BLOCK] = check_option_block,
	[RULE_LEAVE_WITHOUT_GETSTATUS] = check_leave_without_getstatus,
	[RULE_GETSTATUS_AFTER_MANIFEST] = check_getstatus_after_manifest,
	[RULE_LEAVE_WITHOUT_SET_ADDRESS] = check_leave_without_set_address,
	[RULE_ERASE_NOT_ASKED] = check_erase_not_asked,
	[RULE_ERASE_TWICE] = check_erase_twice,
	[RULE_WRITE_WITHOUT_ERASE] = check_write_without_erase,
	[RULE_WRITE_BEYOND_FILE] = check_write_beyond_file,
	[RULE_SUCCESS_BUT_DIFFERS] = check_success_but_differs,
	[RULE_FAILURE_BUT_RIGHT] = check_failure_but_right,
	[RULE_CLAIMED_VERIFY_WITHOUT_UPLOAD] = check_claimed_verify_without_upload,
};

const char *severity_name(enum severity severity)
{
	static const char *const names[] = { "note", "warning", "error" };

	return names[severity];
}

const struct rule *rule_find(const char *id)
{
	for (const struct rule *r = rules; r->id; r++)
		if (!strcmp(r->id, id))
			return r;
	return NULL;
}

void rule_tell(struct judge *j, enum rule_number number, size_t exchange, const char *format, ...)
{
	struct finding *f;
	va_list arguments;

	for (size_t i = 0; i < j->count; i++) {
		if (j->all[i].rule != &rules[number] || j->all[i].call != j->call_index)
			continue;
		j->all[i].times++;
		return;
	}
	if (j->count == j->room) {
		size_t room = j->room ? j->room * 2 : 8;
		void *p = realloc(j->all, room * sizeof(*j->all));

		if (!p) {
			j->error = -ENOMEM;
			return;
		}
		j->all = p;
		j->room = room;
	}
	f = &j->all[j->count++];
	*f = (struct finding){ .rule = &rules[number], .exchange = exchange, .call = j->call_index, .times = 1 };
	va_start(arguments, format);
	vsnprintf(f->text, sizeof(f->text), format, arguments);
	va_end(arguments);
}

size_t rule_next(const struct judge *j, size_t n)
{
	for (size_t i = n + 1; i < j->end; i++) {
		const struct exchange *x = &j->t->exchanges[i];

		if (x->op != OP_NONE && x->op != OP_GETSTATE && x->incarnation == j->t->exchanges[n].incarnation)
			return i;
	}
	return RULE_NOWHERE;
}

bool rule_acknowledged(const struct exchange *x)
{
	return x->complete && x->result == USB_ACK;
}

bool rule_is_download(const struct exchange *x)
{
	return x->op >= OP_SET_ADDRESS && x->op <= OP_WRITE;
}

bool rule_is_upload(const struct exchange *x)
{
	return x->op == OP_GET || x->op == OP_READ;
}

size_t rule_operation_before(const struct judge *j, size_t n)
{
	for (size_t i = n; i--;) {
		const struct exchange *x = &j->t->exchanges[i];

		if (x->incarnation == j->t->exchanges[n].incarnation && (rule_is_download(x) || x->op == OP_LEAVE) &&
		    rule_acknowledged(x))
			return i;
	}
	return RULE_NOWHERE;
}

bool rule_call_ended(const struct judge *j)
{
	return !j->call || j->call->ended;
}

bool rule_call_is(const struct judge *j, enum operation operation)
{
	return j->call && !j->call->raw && j->call->call.operation == operation;
}

const struct mcu_profile *rule_profile(const struct rules_input *input, unsigned board)
{
	return board && board <= input->board_count ? input->boards[board - 1] : input->profile;
}

const struct mcu_profile *rule_profile_of(const struct judge *j, const struct exchange *x)
{
	return x->board ? rule_profile(j->input, x->board) : j->profile;
}

int rule_sector(const struct mcu_profile *p, uint32_t address, uint32_t *start, uint32_t *size_bytes)
{
	uint32_t base;
	int number = 0;

	if (!p || address < p->flash_base || address - p->flash_base >= p->flash_size_bytes)
		return -1;
	base = p->flash_base;
	for (const struct flash_sectors *s = p->sectors; s->count; s++) {
		uint32_t within = (address - base) / s->size_bytes;

		if (within < s->count) {
			*start = base + within * s->size_bytes;
			*size_bytes = s->size_bytes;
			return number + (int)within;
		}
		base += s->count * s->size_bytes;
		number += (int)s->count;
	}
	return -1;
}

const struct mem_region *rule_region(const struct mcu_profile *p, uint32_t address)
{
	for (size_t i = 0; i < p->region_count; i++)
		if (address >= p->regions[i].base && address - p->regions[i].base < p->regions[i].size_bytes)
			return &p->regions[i];
	return NULL;
}

bool rule_begins_anew(const struct judge *j, const struct exchange *x)
{
	return !j->call && (x->setup.type == 0x00 || x->setup.type == 0x01) &&
	       (x->setup.request == SET_CONFIGURATION || x->setup.request == SET_INTERFACE);
}

const char *rule_seconds(uint64_t us, char text[24])
{
	if (us < 1000000)
		snprintf(text, 24, "%u.%u ms", (unsigned)(us / 1000), (unsigned)(us % 1000 / 100));
	else
		snprintf(text, 24, "%llu.%u s", (unsigned long long)(us / 1000000), (unsigned)(us % 1000000 / 100000));
	return text;
}

const struct rules_device *rule_device(const struct judge *j, const struct exchange *x)
{
	return &j->devices[x->incarnation < j->device_count ? x->incarnation : 0];
}

static int compare(const void *a, const void *b)
{
	const struct finding *f = a, *g = b;

	if (f->call != g->call)
		return f->call < g->call ? -1 : 1;
	if (f->exchange != g->exchange)
		return f->exchange < g->exchange ? -1 : 1;
	return f->rule < g->rule ? -1 : f->rule > g->rule;
}

static void judge_call(struct judge *j, size_t first, size_t count)
{
	j->first = first < j->t->count ? first : j->t->count;
	j->end = count < j->t->count - j->first ? j->first + count : j->t->count;
	for (int i = 0; i < RULES; i++)
		checks[i](j);
}

int rules_judge(const struct rules_input *input, struct finding **findings, size_t *count)
{
	struct judge j = { .t = input->transcript, .profile = input->profile, .input = input };
	int error = rules_devices(input, &j.devices, &j.device_count);

	*findings = NULL;
	*count = 0;
	if (error)
		return error;
	if (!input->calls)
		judge_call(&j, 0, j.t->count);
	for (size_t i = 0; input->calls && i < input->call_count; i++) {
		j.call = &input->calls[i];
		j.call_index = i;
		j.profile = rule_profile(input, j.call->board);
		judge_call(&j, j.call->first, j.call->count);
	}
	free(j.devices);
	if (j.error) {
		free(j.all);
		return j.error;
	}
	if (j.count)
		qsort(j.all, j.count, sizeof(*j.all), compare);
	*findings = j.all;
	*count = j.count;
	return 0;
}
