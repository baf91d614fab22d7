// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine that executes the flash: a Cortex-M4F in an STM32F407, between the board (core/mcu.h) and the bench. */
#include "firmware.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "flash.h"

#define SYSTEM_BASE 0x1FFF0000u
#define SYSTEM_BYTES 0x7800u
#define SYSCFG_MEMRMP 0x40013800u
#define PAGE_BYTES 4096u
#define OTG_BASE 0x50000000u
#define OTG_BYTES 0x40000u

void firmware_fault(const struct firmware *f, struct mcu_fault *out)
{
	struct cpu_fault fault;

	cpu_fault(f->cpu, &fault);
	*out = (struct mcu_fault){
		.exception = fault.exception,
		.cfsr = fault.cfsr,
		.hfsr = fault.hfsr,
		.mmfar = fault.mmfar,
		.bfar = fault.bfar,
		.xpsr = fault.xpsr,
	};
	memcpy(out->r, fault.r, sizeof(out->r));
}

/* The chip's side of the core */

static uint64_t core_cycles(void *context)
{
	const struct firmware *f = context;

	return cpu_cycles(f->cpu);
}

static void core_irq(void *context, unsigned number, bool level)
{
	struct firmware *f = context;

	cpu_irq(f->cpu, number, level);
}

static void core_alias(void *context, uint32_t base, uint32_t size_bytes)
{
	struct firmware *f = context;

	cpu_alias(f->cpu, base, size_bytes);
}

static void core_changed(void *context, uint32_t address, uint32_t size_bytes)
{
	struct firmware *f = context;

	cpu_changed(f->cpu, address, size_bytes);
}

static void core_halt(void *context)
{
	struct firmware *f = context;

	if (f->inside)
		cpu_halt(f->cpu);
}

static void core_event(void *context)
{
	struct firmware *f = context;

	cpu_event(f->cpu);
}

static const struct soc_core soc_core = {
	.cycles = core_cycles,
	.irq = core_irq,
	.alias = core_alias,
	.changed = core_changed,
	.halt = core_halt,
	.event = core_event,
};

/* The core's side of the chip */

static void see_polling(struct firmware *f, uint32_t address, uint32_t value)
{
	for (unsigned i = 0; i < POLL_REGISTERS; i++) {
		if (f->polled[i].address != address)
			continue;
		f->polled_count = f->polled[i].value == value ? f->polled_count + 1 : 0;
		f->polled[i].value = value;
		if (f->polled_count == POLL_READS) {
			f->polls = true;
			core_halt(f);
		}
		return;
	}
	f->polled[f->polled_next].address = address;
	f->polled[f->polled_next].value = value;
	f->polled_next = (f->polled_next + 1) % POLL_REGISTERS;
	f->polled_count = 0;
}

static bool bus_read(void *context, uint32_t address, unsigned size, uint32_t *value)
{
	struct firmware *f = context;
	bool ok = soc_read(f->soc, address, size, value);

	see_polling(f, address, *value);
	return ok;
}

static bool is_as_read(const struct firmware *f, uint32_t address, uint32_t value)
{
	for (unsigned i = 0; i < POLL_REGISTERS; i++)
		if (f->polled[i].address == address)
			return f->polled[i].value == value;
	return false;
}

static bool bus_write(void *context, uint32_t address, unsigned size, uint32_t value)
{
	struct firmware *f = context;

	if (!is_as_read(f, address, value)) {
		f->polled_count = 0;
		if (address - OTG_BASE < OTG_BYTES)
			f->outside++;
	}
	return soc_write(f->soc, address, size, value);
}

static const struct cpu_bus_ops bus_ops = { .read = bus_read, .write = bus_write };

/* The chip's side of the board */

static void soc_says(void *context, const char *line)
{
	struct firmware *f = context;

	f->outside++;
	mcu_say(f->mcu, line);
}

/* What has flickered within a quantum is as it is now. */
void firmware_tell_leds(struct firmware *f)
{
	unsigned changed = f->leds ^ f->told_leds;

	f->told_leds = f->leds;
	for (unsigned i = 0; i < SOC_LEDS; i++)
		if (changed >> i & 1)
			mcu_tell_led(f->mcu, soc_led_name(i), f->leds >> i & 1);
}

static void soc_led(void *context, unsigned led, bool on)
{
	struct firmware *f = context;

	f->outside++;
	f->leds = on ? f->leds | 1u << led : f->leds & ~(1u << led);
	if (!f->inside)
		firmware_tell_leds(f);
}

static void soc_resets(void *context, enum reset_cause cause)
{
	struct firmware *f = context;

	f->after = AFTER_RESET;
	f->cause = cause;
	core_halt(f);
}

static void soc_forgets_resets(void *context)
{
	struct firmware *f = context;

	mcu_forget_resets(f->mcu);
}

static void soc_touched(void *context, enum mcu_event_type type, uint32_t address, uint32_t length)
{
	struct firmware *f = context;

	mcu_tell_touched(f->mcu, type, address, length);
}

static void soc_unknown(void *context, uint32_t address, bool write)
{
	struct firmware *f = context;

	mcu_tell_unmodelled(f->mcu, address, write);
}

static const struct soc_user soc_user = {
	.say = soc_says,
	.led = soc_led,
	.reset = soc_resets,
	.forget_resets = soc_forgets_resets,
	.touched = soc_touched,
	.unknown = soc_unknown,
};

/* OTG_FS and its wire */

static void otg_interrupt(void *context, bool level)
{
	struct firmware *f = context;

	f->otg_level = level;
	if (soc_power(f->soc) == SOC_SLEEPS) /* else it has no clock */
		cpu_irq(f->cpu, OTG_IRQ, level);
	if (!f->inside)
		firmware_schedule(f);
}

static void otg_sync(void *context)
{
	firmware_sync(context);
}

static void otg_unknown(void *context, uint32_t offset, bool write)
{
	soc_unknown(context, OTG_BASE + offset, write);
}

/* Start and stop */

/* What is the ROM's and the application's in turn. Pages that are as they were cost nothing. */
static void take_ram(struct firmware *f)
{
	size_t size;
	uint8_t *ram = soc_ram(f->soc, &size);

	mcu_read_ram(f->mcu, mcu_profile(f->mcu)->ram_base, ram, size);
	cpu_changed(f->cpu, mcu_profile(f->mcu)->ram_base, (uint32_t)size);
}

static void give_ram(struct firmware *f)
{
	uint32_t base = mcu_profile(f->mcu)->ram_base;
	size_t size;
	const uint8_t *ram = soc_ram(f->soc, &size);
	uint8_t page[PAGE_BYTES];

	for (size_t at = 0; at < size; at += PAGE_BYTES) {
		mcu_read_ram(f->mcu, base + (uint32_t)at, page, PAGE_BYTES);
		if (memcmp(page, ram + at, PAGE_BYTES))
			mcu_write_ram(f->mcu, base + (uint32_t)at, ram + at, PAGE_BYTES); /* without memory: it fades */
	}
}

static uint32_t word_at(struct firmware *f, uint32_t address)
{
	uint8_t b[4] = { 0 };

	if (flash_read(mcu_flash(f->mcu), address, b, 4))
		mcu_read_ram(f->mcu, address, b, 4);
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/*
 * At 0 shows what the boot pins have chosen (RM0090 2.4). After the ROM's jump too? ASSUMED: it shows the memory that is jumped to,
 * for which nobody has a source; an application that relies on it is wrong in any case where it can be started otherwise.
 */
void firmware_begin(struct firmware *f)
{
	const struct mcu_profile *p = mcu_profile(f->mcu);

	f->fresh = false;
	take_ram(f);
	if (f->powered_us != mcu_powered_at_us(f->mcu)) {
		f->powered_us = mcu_powered_at_us(f->mcu);
		soc_power_on(f->soc, f->began_us);
	}
	soc_reset(f->soc, f->began_us, mcu_resets(f->mcu), mcu_was_jumped_to(f->mcu));
	cpu_reset(f->cpu, word_at(f, f->vector), word_at(f, f->vector + 4));
	if (f->vector - p->ram_base < p->ram_size_bytes)
		soc_write(f->soc, SYSCFG_MEMRMP, 4, 3);
	f->began_cycle = cpu_cycles(f->cpu);
	f->asleep = f->locked_up = f->otg_level = false;
	f->faults = 0;
	soc_pin(f->soc, PIN_VBUS, mcu_pin(f->mcu, PIN_VBUS));
	soc_pin(f->soc, PIN_BOOT1, mcu_pin(f->mcu, PIN_BOOT1));
	soc_button(f->soc, f->button);
}

static struct usbdev *firmware_start(void *context, struct mcu *mcu, uint32_t vector)
{
	struct firmware *f = context;

	(void)mcu;
	f->vector = vector;
	f->runs = f->fresh = true;
	f->after = AFTER_NOTHING;
	f->began_us = f->reached_us = bench_now_us(f->bench);
	f->quantum_us = QUANTUM_LEAST_US;
	f->allowed_ns = 0;
	firmware_schedule(f);
	return otg_fs_usbdev(f->otg);
}

static void firmware_stop(void *context, struct mcu *mcu)
{
	struct firmware *f = context;
	uint64_t now_us = bench_now_us(f->bench);

	(void)mcu;
	firmware_bring_up(f, now_us);
	if (f->inside)
		cpu_halt(f->cpu);
	f->runs = false;
	f->after = AFTER_NOTHING;
	bench_cancel(f->bench, &f->event);
	otg_fs_reset(f->otg);
	if (f->fresh)
		return;
	soc_stop(f->soc, now_us, f->jumps);
	give_ram(f);
}

static void firmware_pin(void *context, struct mcu *mcu)
{
	struct firmware *f = context;

	if (f->fresh)
		return;
	firmware_sync(f);
	soc_pin(f->soc, PIN_VBUS, mcu_pin(mcu, PIN_VBUS));
	soc_pin(f->soc, PIN_BOOT1, mcu_pin(mcu, PIN_BOOT1));
	firmware_sync(f);
}

static const struct mcu_app_ops firmware_app_ops = {
	.start = firmware_start,
	.stop = firmware_stop,
	.pin = firmware_pin,
	.attaches_itself = true,
	.executes = true,
};

/* The engine */

static void firmware_free(struct engine *e)
{
	struct firmware *f = (struct firmware *)e;

	bench_cancel(f->bench, &f->event);
	otg_fs_free(f->otg);
	soc_free(f->soc);
	cpu_free(f->cpu);
	free(f);
}

static size_t firmware_console(struct engine *e, const uint8_t *bytes, size_t length)
{
	struct firmware *f = (struct firmware *)e;
	size_t taken;

	if (!f->runs)
		return 0;
	firmware_sync(f);
	taken = f->fresh ? 0 : soc_console(f->soc, bytes, length);
	firmware_sync(f);
	return taken;
}

static int firmware_button(struct engine *e, bool pressed)
{
	struct firmware *f = (struct firmware *)e;

	firmware_sync(f);
	f->button = pressed;
	if (f->runs && !f->fresh)
		soc_button(f->soc, pressed);
	firmware_sync(f);
	return 0;
}

static void firmware_status(struct engine *e, struct engine_status *status)
{
	struct firmware *f = (struct firmware *)e;

	firmware_sync(f);
	status->name = cpu_engine();
	status->runs_code = status->has_pins = true;
	status->state = firmware_state(f);
	status->has_core = f->runs && !f->fresh;
	if (!status->has_core)
		return;
	status->pc = cpu_register(f->cpu, 15);
	status->sp = cpu_register(f->cpu, 13);
	status->hclk_hz = soc_hclk_hz(f->soc);
	status->cycles = cpu_cycles(f->cpu) - f->began_cycle;
	status->leds = soc_leds(f->soc);
	status->faults = f->faults;
	firmware_fault(f, &status->fault);
	status->fault.lockup = f->locked_up;
}

static uint64_t firmware_starts(const struct engine *e)
{
	return cpu_starts(((const struct firmware *)e)->cpu);
}

static const struct engine_ops firmware_ops = {
	.app = &firmware_app_ops,
	.free = firmware_free,
	.console = firmware_console,
	.button = firmware_button,
	.status = firmware_status,
	.starts = firmware_starts,
};

/* 0, or an errno. */
static int make_chip(struct firmware *f)
{
	struct soc_parts parts = {
		.flash = mcu_flash(f->mcu),
		.profile = mcu_profile(f->mcu),
		.identity = mcu_identity(f->mcu),
		.seed = f->options.seed,
		.core = &soc_core,
		.core_context = f,
		.user = &soc_user,
		.user_context = f,
	};
	const struct otg_fs_user otg_user = {
		.interrupt = otg_interrupt, .sync = otg_sync, .unknown = otg_unknown, .context = f
	};
	struct cpu_memory memory[SOC_MEMORIES];

	f->otg = parts.otg = otg_fs_new(f->bench, &otg_user);
	f->soc = f->otg ? soc_new(&parts) : NULL;
	if (!f->soc)
		return ENOMEM;
	soc_memory(f->soc, memory);
	f->cpu = cpu_new(memory, SOC_MEMORIES, &bus_ops, f);
	if (!f->cpu)
		return errno;
	cpu_watch(f->cpu, SYSTEM_BASE, SYSTEM_BYTES);
	cpu_halt_at_faults(f->cpu, FAULTS_TOLD);
	return 0;
}

struct engine *engine_firmware_new(struct mcu *mcu, const struct engine_options *options)
{
	struct firmware *f;
	int error = ENOTSUP;

	if (!engine_knows(mcu_profile(mcu))) {
		errno = error;
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->engine.ops = &firmware_ops;
	f->mcu = mcu;
	f->bench = mcu_bench(mcu);
	f->options = *options;
	f->powered_us = UINT64_MAX;
	f->event.fire = firmware_fire;
	f->event.context = f;
	error = make_chip(f);
	if (!error)
		return &f->engine;
	firmware_free(&f->engine);
	errno = error;
	return NULL;
}
