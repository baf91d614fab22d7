/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This build has nothing that executes instructions.
 */
#include <errno.h>
#include "cortexm/engine.h"

int engine_new(struct cpu *c)
{
	(void)c;
	return -ENOSYS;
}

void engine_free(struct cpu *c)
{
	(void)c;
}

const char *engine_missing(void)
{
	return "this build runs no firmware: it was made without Unicorn (libunicorn-dev)";
}

const char *engine_name(void)
{
	return "none";
}

enum event engine_run(struct cpu *c)
{
	c->now = c->horizon;
	return EVENT_HORIZON;
}

void engine_map(struct cpu *c)
{
	(void)c;
}

void engine_changed(struct cpu *c, uint32_t address, uint32_t size_bytes)
{
	(void)c;
	(void)address;
	(void)size_bytes;
}

void engine_peek(struct cpu *c)
{
	(void)c;
}

void engine_fp_load(struct cpu *c)
{
	(void)c;
}

void engine_fp_store(struct cpu *c)
{
	(void)c;
}
