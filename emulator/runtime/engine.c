// SPDX-License-Identifier: GPL-2.0-or-later
/* What all engines have in common, and the one that runs no code. */
#include "engine.h"
#include <errno.h>
#include <stdlib.h>
#include "cortexm/cpu.h"
#include "f407/soc.h"

void engine_close(struct engine *e)
{
	if (e)
		e->ops->free(e);
}

size_t engine_console(struct engine *e, const uint8_t *bytes, size_t length)
{
	return e->ops->console(e, bytes, length);
}

int engine_button(struct engine *e, bool pressed)
{
	return e->ops->button(e, pressed);
}

void engine_status(struct engine *e, struct engine_status *status)
{
	*status = (struct engine_status){ .state = ENGINE_STOPPED };
	e->ops->status(e, status);
}

uint64_t engine_starts(const struct engine *e)
{
	return e->ops->starts(e);
}

const char *engine_lacks(void)
{
	return cpu_missing();
}

bool engine_knows(const struct mcu_profile *profile)
{
	return profile->chip == CHIP_STM32F407;
}

const char *engine_led_name(unsigned led)
{
	return soc_led_name(led);
}

const char *engine_state_name(enum engine_state state)
{
	switch (state) {
	case ENGINE_STOPPED:
		return "stopped";
	case ENGINE_RUNS:
		return "runs";
	case ENGINE_WAITS:
		return "waits";
	case ENGINE_SLEEPS:
		return "sleeps";
	case ENGINE_LOCKED_UP:
		return "lockup";
	}
	return "?";
}

/* The stub */

struct stub {
	struct engine engine; /* first: a struct engine * of ours is a struct stub * */
	struct cdc_app *cdc;
	bool runs;
};

static struct usbdev *stub_start(void *context, struct mcu *mcu, uint32_t vector)
{
	struct stub *stub = context;

	stub->runs = true;
	return cdc_app_ops.start(stub->cdc, mcu, vector);
}

static void stub_stop(void *context, struct mcu *mcu)
{
	struct stub *stub = context;

	stub->runs = false;
	cdc_app_ops.stop(stub->cdc, mcu);
}

static const struct mcu_app_ops stub_app_ops = { .start = stub_start, .stop = stub_stop };

static void stub_free(struct engine *e)
{
	cdc_app_free(((struct stub *)e)->cdc);
	free(e);
}

static size_t stub_console(struct engine *e, const uint8_t *bytes, size_t length)
{
	(void)e, (void)bytes, (void)length;
	return 0;
}

static int stub_button(struct engine *e, bool pressed)
{
	(void)e, (void)pressed;
	return -ENOTSUP;
}

static void stub_status(struct engine *e, struct engine_status *status)
{
	status->name = "stub";
	status->state = ((struct stub *)e)->runs ? ENGINE_RUNS : ENGINE_STOPPED;
}

static uint64_t stub_starts(const struct engine *e)
{
	(void)e;
	return 0;
}

static const struct engine_ops stub_ops = {
	.app = &stub_app_ops,
	.free = stub_free,
	.console = stub_console,
	.button = stub_button,
	.status = stub_status,
	.starts = stub_starts,
};

struct engine *engine_stub_new(enum cdc_identity identity, const char *serial)
{
	struct stub *stub = calloc(1, sizeof(*stub));

	if (!stub)
		return NULL;
	stub->engine.ops = &stub_ops;
	stub->cdc = cdc_app_new(identity, serial);
	if (!stub->cdc) {
		free(stub);
		return NULL;
	}
	return &stub->engine;
}
