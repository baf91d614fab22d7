// SPDX-License-Identifier: GPL-2.0-or-later
/* What is going to be erased. */
#include "erases.h"
#include <stdlib.h>
#include "dfuse.h"
#include "host_script.h"
#include "play.h"
#include "transcript.h"

static void add(struct erases *e, uint32_t address, uint64_t length)
{
	struct rig_erase *more = realloc(e->list, (e->count + 1) * sizeof(*more));

	e->no_memory |= !more;
	if (!more)
		return;
	e->list = more;
	more[e->count++] = (struct rig_erase){ .address = address, .length = length };
}

static void add_all(struct erases *e, const struct mcu_profile *p)
{
	add(e, p->flash_base, p->flash_size_bytes);
}

void erases_free(struct erases *e)
{
	free(e->list);
	*e = (struct erases){ .list = NULL };
}

void erases_of_job(struct erases *e, const struct play_job *job, const struct mcu_profile *p)
{
	const struct tool_call *call = &job->call;
	struct dfuse_element part;

	if (job->raw)
		return;
	if (call->operation == OPERATION_MASS_ERASE || call->operation == OPERATION_UNPROTECT || call->mass_erase_first)
		add_all(e, p);
	else if (call->operation == OPERATION_ERASE)
		add(e, call->address, call->length);
	else if (call->operation != OPERATION_DOWNLOAD || call->no_erase || !job->file)
		return;
	else if (!file_is_dfuse(job->file) && job->has_address)
		add(e, job->address, file_payload(job->file));
	else
		for (size_t i = 0; file_element(job->file, i, &part); i++)
			add(e, part.address, part.length);
}

static void command(struct erases *e, const uint8_t *data, size_t known, size_t length, uint64_t reach,
		    const struct mcu_profile *p)
{
	if (known && (data[0] == DFUSE_READ_UNPROTECT || (data[0] == DFUSE_ERASE && length == 1)))
		add_all(e, p);
	else if (known >= 5 && data[0] == DFUSE_ERASE)
		add(e, data[1] | (uint32_t)data[2] << 8 | (uint32_t)data[3] << 16 | (uint32_t)data[4] << 24, reach);
}

void erases_of_script(struct erases *e, const struct host_script *script, size_t longest, const struct mcu_profile *p)
{
	for (size_t i = 0; i < script->count; i++) {
		const struct host_step *s = &script->steps[i];

		if (s->verb != HOST_DNLOAD || s->value || s->chunk_block || s->data.kind != HOST_BYTES)
			continue;
		if (s->each && s->chunk_address && s->data.length && s->data.bytes[0] == DFUSE_ERASE)
			add(e, s->each->address, s->each->file.has_length ? s->each->file.length : longest);
		else
			command(e, s->data.bytes, s->data.length, s->data.length, 1, p);
	}
}

void erases_of_exchange(struct erases *e, const struct exchange *x, const struct mcu_profile *p)
{
	if (x->op == OP_ERASE || x->op == OP_MASS_ERASE || x->op == OP_UNPROTECT)
		command(e, x->data, x->length, x->setup.length, 1, p);
}
