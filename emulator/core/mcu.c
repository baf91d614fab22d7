/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A board: supply, reset, boot selection, and which of ROM and application is behind the USB port. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "mcu.h"
#include "mem.h"
#include "prng.h"
#include "rom.h"

#define DEFERRED_PINS 32u

struct mcu {
	struct bench *bench;
	const struct mcu_profile *profile;
	struct mcu_identity identity;
	char serial[13];
	bool pins[MCU_PIN_COUNT], hand[MCU_PIN_COUNT];
	unsigned wires[MCU_PIN_COUNT]; /* that move it away from rest */
	enum mcu_mode mode;
	enum reset_cause cause; /* of the reset in force */
	unsigned resets;        /* causes since power came, or since they were cleared */
	bool jumped;            /* the application was entered by the ROM */
	uint64_t powered_us;
	struct flash *flash;
	struct mem *ram;
	struct rom *rom;

	struct usbdev port;
	struct usbhost inside;     /* our side of the device behind the port */
	struct usbdev *behind;     /* ROM or application; NULL: nothing with USB runs */
	struct usb_urb *under_way; /* all that went through the port and has not come back */
	bool closing;

	/* Pins set from a callback in the middle of a change of mode: they take effect right after it. */
	bool changing;
	struct {
		enum mcu_pin pin;
		bool high;
	} deferred[DEFERRED_PINS];
	unsigned deferred_count;

	const struct mcu_app_ops *app;
	void *app_context;
	bool app_runs;

	struct bench_event boot_event;   /* the end of a reset that the chip made itself */
	struct bench_event attach_event; /* ROM or application pulls up */

	void (*listener)(void *context, const struct mcu_event *);
	void *listener_context;
};

/* Listener */

static void tell(struct mcu *m, struct mcu_event event)
{
	event.at_us = bench_now_us(m->bench);
	if (m->listener)
		m->listener(m->listener_context, &event);
}

static void enter(struct mcu *m, enum mcu_mode mode)
{
	m->mode = mode;
	tell(m, (struct mcu_event){ .type = MCU_EVENT_BOOTED, .mode = mode });
}

/* One change of mode at a time */

static void apply_pin(struct mcu *m, enum mcu_pin pin, bool high);

/* False inside another change. */
static bool begin_change(struct mcu *m)
{
	if (m->changing)
		return false;
	m->changing = true;
	return true;
}

static void end_change(struct mcu *m)
{
	for (unsigned i = 0; i < m->deferred_count; i++)
		apply_pin(m, m->deferred[i].pin, m->deferred[i].high);
	m->deferred_count = 0;
	m->changing = false;
}

/* The port */

static struct mcu *mcu_of_port(struct usbdev *port)
{
	return (struct mcu *)((char *)port - offsetof(struct mcu, port));
}

static struct mcu *mcu_of_inside(struct usbhost *inside)
{
	return (struct mcu *)((char *)inside - offsetof(struct mcu, inside));
}

static void port_submit(struct usbdev *port, struct usb_urb *urb)
{
	struct mcu *m = mcu_of_port(port);

	if (!port->attached || m->closing) {
		usbdev_complete(port, urb, USB_GONE, 0);
		return;
	}
	urb->port_next = m->under_way;
	urb->port_link = &m->under_way;
	if (m->under_way)
		m->under_way->port_link = &urb->port_next;
	m->under_way = urb;
	m->behind->ops->submit(m->behind, urb);
}

static void port_cancel(struct usbdev *port, struct usb_urb *urb)
{
	struct mcu *m = mcu_of_port(port);

	if (m->behind)
		m->behind->ops->cancel(m->behind, urb);
}

static void port_bus_reset(struct usbdev *port)
{
	struct mcu *m = mcu_of_port(port);

	if (port->attached && !m->closing)
		m->behind->ops->bus_reset(m->behind);
}

static const struct usbdev_ops port_ops = {
	.submit = port_submit,
	.cancel = port_cancel,
	.bus_reset = port_bus_reset,
};

static void inside_complete(struct usbhost *inside, struct usb_urb *urb)
{
	struct mcu *m = mcu_of_inside(inside);

	*urb->port_link = urb->port_next;
	if (urb->port_next)
		urb->port_next->port_link = urb->port_link;
	urb->port_next = NULL;
	urb->port_link = NULL;
	/* What we take back for the host's cable, the host must not take for its own cancelling. */
	usbdev_complete(&m->port, urb, m->closing && urb->result == USB_CANCELLED ? USB_GONE : urb->result,
			urb->actual);
}

/* No pull-up for the host to see: everything under way is gone, then the device. */
static void close_port(struct mcu *m)
{
	struct usb_urb *urb;

	if (!m->port.attached || m->closing)
		return;
	m->closing = true;
	while ((urb = m->under_way)) {
		m->behind->ops->cancel(m->behind, urb);
		if (m->under_way == urb)
			break; /* the device is giving it back further up the stack */
	}
	m->closing = false;
	usbdev_detach(&m->port);
}

static void update_port(struct mcu *m)
{
	if (!m->behind || !m->behind->attached || !m->pins[PIN_VBUS])
		close_port(m);
	else
		usbdev_attach(&m->port, m->behind->speed);
}

static void inside_attach(struct usbhost *inside, struct usbdev *behind)
{
	struct mcu *m = mcu_of_inside(inside);
	bool outermost = begin_change(m);

	(void)behind;
	update_port(m);
	if (outermost)
		end_change(m);
}

static const struct usbhost_ops inside_ops = {
	.complete = inside_complete, .attach = inside_attach, .detach = inside_attach, /* looks at the pull-up again */
};

/* Address space, as far as a vector table may lie in it */

static bool in_ram(const struct mcu_profile *p, uint32_t address, size_t length)
{
	return address >= p->ram_base && address - p->ram_base <= p->ram_size_bytes &&
	       length <= p->ram_size_bytes - (address - p->ram_base);
}

int mcu_read_ram(const struct mcu *m, uint32_t address, uint8_t *data, size_t length)
{
	if (!in_ram(m->profile, address, length))
		return -EFAULT;
	mem_read(m->ram, address - m->profile->ram_base, data, length);
	return 0;
}

int mcu_write_ram(struct mcu *m, uint32_t address, const uint8_t *data, size_t length)
{
	if (!in_ram(m->profile, address, length))
		return -EFAULT;
	return mem_write(m->ram, address - m->profile->ram_base, data, length);
}

static uint32_t little_endian(const uint8_t b[4])
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/*
 * Would user code start from this vector table? AN3156 5.5 says "not executable" and no more; taken as what a Cortex-M4
 * on this bus matrix cannot run (LV-3): MSP must be a word-aligned address in SRAM or CCM (their ends included, the
 * stack grows down), PC must have the Thumb bit and lie in main flash or SRAM (CCM is not on the instruction bus).
 * ASSUMED: that the ROM resets for just these. CCM counts though some ROMs leave it switched off (LV-5).
 */
static bool is_executable(const struct mcu *m, uint32_t vector)
{
	const struct mcu_profile *p = m->profile;
	uint8_t table[8];
	uint32_t msp, pc;
	bool msp_ok, pc_ok;

	if (vector % 4 ||
	    (flash_read(m->flash, vector, table, sizeof table) && mcu_read_ram(m, vector, table, sizeof table)))
		return false;
	if (p->vector_rule == VECTOR_CODE)
		return little_endian(table) != 0xffffffff; /* ASSUMED: only erased flash is told from code (GD-6) */
	msp = little_endian(table);
	pc = little_endian(table + 4);
	msp_ok = (msp > p->ram_base && msp - p->ram_base <= p->ram_size_bytes) ||
		 (msp > p->stack_ram_base && msp - p->stack_ram_base <= p->stack_ram_size_bytes);
	pc_ok = in_ram(p, pc - 1, 2) || (pc - 1 >= p->flash_base && pc - 1 - p->flash_base < p->flash_size_bytes);
	return msp % 4 == 0 && msp_ok && (pc & 1) && pc_ok;
}

/* What runs, and its end */

static void stop_all(struct mcu *m)
{
	bench_cancel(m->bench, &m->boot_event);
	bench_cancel(m->bench, &m->attach_event);
	close_port(m);
	if (m->behind)
		usbdev_connect(m->behind, NULL);
	m->behind = NULL;
	if (m->app_runs) {
		m->app_runs = false;
		m->app->stop(m->app_context, m);
	}
	rom_stop(m->rom);
}

static void pull_up(struct bench_event *e)
{
	struct mcu *m = e->context;

	begin_change(m);
	if (m->app_runs) {
		usbdev_attach(m->behind, m->behind->speed ? m->behind->speed : USB_SPEED_IS_FULL);
	} else {
		enter(m, MCU_ROM);
		rom_attach(m->rom);
	}
	end_change(m);
}

static void start_rom(struct mcu *m)
{
	m->behind = rom_usb(m->rom);
	usbdev_connect(m->behind, &m->inside);
	enter(m, MCU_ROM_STARTING);
	rom_start(m->rom);
	bench_after(m->bench, &m->attach_event, m->profile->startup_us); /* ASSUMED: U16 (BOOT-15) */
}

static void start_application(struct mcu *m, uint32_t vector)
{
	enter(m, MCU_APPLICATION);
	if (!m->app)
		return;
	m->app_runs = true;
	m->behind = m->app->start(m->app_context, m, vector);
	if (!m->behind)
		return;
	usbdev_connect(m->behind, &m->inside);
	if (!m->app->attaches_itself)
		bench_after(m->bench, &m->attach_event, m->profile->app_attach_us);
}

/* BOOT0 and BOOT1 are sampled as reset ends (BOOT-1, RM0090 2.4). Level 2 boots main flash, whatever they say (RDP-3). */
static void boot(struct mcu *m, enum reset_cause cause)
{
	bool selectable;
	uint32_t vector = m->profile->flash_base;

	flash_reset(m->flash);
	selectable = m->pins[PIN_BOOT0] && flash_rdp(m->flash) != RDP_LEVEL_2;
	m->jumped = false;
	if (cause == RESET_STANDBY)
		m->resets = 0; /* as the power's, for those flags (RM0090 7.1.2, 7.3.21) */
	m->resets |= 1u << cause;
	tell(m, (struct mcu_event){ .type = MCU_EVENT_RESET, .cause = cause });
	if (selectable && !(m->pins[PIN_BOOT1] && m->profile->boot1_is_pin)) {
		start_rom(m);
		return;
	}
	if (selectable)
		vector = m->profile->ram_base;
	/* No core looks at a table before it starts: a stack pointer may be anything until it is used, and at 0 is what was booted. */
	if ((m->app && m->app->executes) || is_executable(m, vector))
		start_application(m, vector);
	else
		enter(m, MCU_LOCKUP);
}

static void boot_again(struct bench_event *e)
{
	struct mcu *m = e->context;

	begin_change(m);
	boot(m, m->cause);
	end_change(m);
}

/* The chip resets itself; seen from USB it is away for a moment. */
static void reset_itself(struct mcu *m, enum reset_cause cause)
{
	stop_all(m);
	m->mode = MCU_IN_RESET;
	m->cause = cause;
	bench_after(m->bench, &m->boot_event, m->profile->disconnect_us);
}

/* What the ROM asks of its board */

static int rom_reads_ram(void *context, uint32_t address, uint8_t *data, size_t length)
{
	return mcu_read_ram(context, address, data, length);
}

static int rom_writes_ram(void *context, uint32_t address, const uint8_t *data, size_t length)
{
	return mcu_write_ram(context, address, data, length);
}

static void rom_state(void *context, enum dfu_state state, enum dfu_status status)
{
	tell(context, (struct mcu_event){ .type = MCU_EVENT_STATE, .state = state, .status = status });
}

static void rom_touched(void *context, enum mcu_event_type type, uint32_t address, uint32_t length)
{
	tell(context, (struct mcu_event){ .type = type, .address = address, .length = length });
}

/* A jump, not a reset: BOOT0 does not matter (LV-3, LV-6, LV-8). */
static void rom_leaves(void *context, uint32_t pointer)
{
	struct mcu *m = context;

	begin_change(m);
	if (is_executable(m, pointer)) {
		stop_all(m);
		m->jumped = true;
		start_application(m, pointer);
	} else {
		reset_itself(m, RESET_NOT_EXECUTABLE);
	}
	end_change(m);
}

static void rom_resets(void *context, enum reset_cause cause)
{
	struct mcu *m = context;

	begin_change(m);
	if (cause == RESET_UNPROTECT)
		mem_fill(m->ram, 0, mem_size(m->ram)); /* RDP-4, RDP-8 */
	reset_itself(m, cause);
	end_change(m);
}

static const struct rom_ops rom_ops = {
	.read_ram = rom_reads_ram,
	.write_ram = rom_writes_ram,
	.state = rom_state,
	.touched = rom_touched,
	.leave = rom_leaves,
	.reset = rom_resets,
};

/* Pins */

static void supply(struct mcu *m, bool high)
{
	if (!high) {
		stop_all(m);
		m->mode = MCU_OFF;
		mem_fill(m->ram, 0, mem_size(m->ram));
		return;
	}
	m->cause = RESET_POWER_ON;
	m->resets = 1u << RESET_POWER_ON;
	m->powered_us = bench_now_us(m->bench);
	if (m->pins[PIN_NRST])
		boot(m, RESET_POWER_ON);
	else
		m->mode = MCU_IN_RESET;
}

static void reset_pin(struct mcu *m, bool high)
{
	if (!m->pins[PIN_VDD])
		return;
	if (!high) {
		stop_all(m);
		m->mode = MCU_IN_RESET;
		m->cause = RESET_PIN;
		return;
	}
	boot(m, m->cause);
}

static void apply_pin(struct mcu *m, enum mcu_pin pin, bool high)
{
	if (m->pins[pin] == high)
		return;
	m->pins[pin] = high;
	tell(m, (struct mcu_event){ .type = MCU_EVENT_PIN, .pin = pin, .high = high });
	switch (pin) {
	case PIN_VDD:
		supply(m, high);
		break;
	case PIN_NRST:
		reset_pin(m, high);
		break;
	case PIN_VBUS: /* the ROM takes no notice (BOOT-4, RST-10); the host does */
		update_port(m);
		break;
	case PIN_BOOT0: /* sampled at reset only */
	case PIN_BOOT1:
		break;
	}
	if (m->app_runs && m->app->pin && pin != PIN_NRST && pin != PIN_VDD)
		m->app->pin(m->app_context, m);
}

bool mcu_pin_rest(enum mcu_pin pin)
{
	return pin != PIN_BOOT0 && pin != PIN_BOOT1;
}

static void settle_pin(struct mcu *m, enum mcu_pin pin)
{
	bool rest = mcu_pin_rest(pin);
	bool high = m->wires[pin] || m->hand[pin] != rest ? !rest : rest;

	if (!begin_change(m)) {
		if (m->deferred_count == DEFERRED_PINS)
			return; /* a host that answers each change with another, for ever */
		m->deferred[m->deferred_count].pin = pin;
		m->deferred[m->deferred_count++].high = high;
		return;
	}
	apply_pin(m, pin, high);
	end_change(m);
}

void mcu_set_pin(struct mcu *m, enum mcu_pin pin, bool high)
{
	assert(pin < MCU_PIN_COUNT);
	m->hand[pin] = high;
	settle_pin(m, pin);
}

void mcu_wire_pin(struct mcu *m, enum mcu_pin pin, bool away)
{
	assert(pin < MCU_PIN_COUNT && (away || m->wires[pin]));
	m->wires[pin] += away ? 1 : -1u;
	settle_pin(m, pin);
}

bool mcu_pin(const struct mcu *m, enum mcu_pin pin)
{
	assert(pin < MCU_PIN_COUNT);
	return m->pins[pin];
}

/* The world outside USB */

static bool rom_has_interface(const struct mcu *m, enum boot_interface interface)
{
	/* I2C and SPI came with V9.x (BOOT-9, VAR-4). */
	return (interface != BOOT_I2C && interface != BOOT_SPI) || m->profile->bootloader_id >= 0x90;
}

/* Before the ROM listens, traffic is lost (BOOT-13); once USB is chosen, it is ignored (BOOT-10). */
void mcu_boot_traffic(struct mcu *m, enum boot_interface interface)
{
	if (m->mode != MCU_ROM || rom_has_seen_host(m->rom) || !rom_has_interface(m, interface) || !begin_change(m))
		return;
	stop_all(m);
	enter(m, MCU_ROM_OTHER);
	end_change(m);
}

int mcu_software_entry(struct mcu *m)
{
	if (m->mode != MCU_APPLICATION || flash_rdp(m->flash) == RDP_LEVEL_2 || !begin_change(m))
		return -EINVAL;
	stop_all(m);
	start_rom(m); /* BOOT-18 */
	end_change(m);
	return 0;
}

void mcu_say(struct mcu *m, const char *line)
{
	tell(m, (struct mcu_event){ .type = MCU_EVENT_CONSOLE, .line = line });
}

int mcu_software_reset(struct mcu *m)
{
	return mcu_watchdog_reset(m, RESET_SOFTWARE);
}

int mcu_watchdog_reset(struct mcu *m, enum reset_cause cause)
{
	bool locked_up = m->mode == MCU_LOCKUP && m->app_runs;

	if ((m->mode != MCU_APPLICATION && !locked_up) || !begin_change(m))
		return -EINVAL;
	reset_itself(m, cause);
	end_change(m);
	return 0;
}

void mcu_lock_up(struct mcu *m, const struct mcu_fault *fault)
{
	if (m->mode != MCU_APPLICATION)
		return;
	mcu_tell_fault(m, fault);
	enter(m, MCU_LOCKUP);
}

void mcu_tell_fault(struct mcu *m, const struct mcu_fault *fault)
{
	tell(m, (struct mcu_event){ .type = MCU_EVENT_FAULT, .fault = fault });
}

void mcu_tell_led(struct mcu *m, const char *name, bool on)
{
	tell(m, (struct mcu_event){ .type = MCU_EVENT_LED, .name = name, .high = on });
}

void mcu_tell_unmodelled(struct mcu *m, uint32_t address, bool write)
{
	tell(m, (struct mcu_event){ .type = MCU_EVENT_UNMODELLED, .address = address, .high = write });
}

void mcu_tell_touched(struct mcu *m, enum mcu_event_type type, uint32_t address, uint32_t length)
{
	rom_touched(m, type, address, length);
}

unsigned mcu_resets(const struct mcu *m)
{
	return m->resets;
}

void mcu_forget_resets(struct mcu *m)
{
	m->resets = 0;
}

bool mcu_was_jumped_to(const struct mcu *m)
{
	return m->jumped;
}

uint64_t mcu_powered_at_us(const struct mcu *m)
{
	return m->powered_us;
}

const struct mcu_identity *mcu_identity(const struct mcu *m)
{
	return &m->identity;
}

/* Life */

struct mcu *mcu_new(struct bench *bench, const struct mcu_profile *profile, const struct mcu_identity *identity)
{
	/* Boards on one bench that differ in UID differ in their random choices. */
	struct prng prng = { .state = bench_seed(bench) };
	struct mcu *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	for (unsigned i = 0; i < 3; i++)
		prng.state = prng_next(&prng) ^ identity->uid[i];
	m->bench = bench;
	m->profile = profile;
	m->identity = *identity;
	m->pins[PIN_NRST] = m->hand[PIN_NRST] = true;
	m->port.ops = &port_ops;
	m->inside.ops = &inside_ops;
	m->boot_event.fire = boot_again;
	m->boot_event.context = m;
	m->attach_event.fire = pull_up;
	m->attach_event.context = m;
	mcu_serial_of(profile, identity, m->serial);
	m->flash = flash_new(profile, &prng);
	m->ram = mem_new(profile->ram_size_bytes, 0);
	m->rom = m->flash && m->ram ? rom_new(bench, profile, m->serial, m->flash, &rom_ops, m) : NULL;
	if (!m->rom) {
		mcu_free(m);
		return NULL;
	}
	return m;
}

void mcu_free(struct mcu *m)
{
	if (!m)
		return;
	m->changing = true; /* for good: callbacks change nothing any more */
	if (m->rom)
		stop_all(m);
	rom_free(m->rom);
	mem_free(m->ram);
	flash_free(m->flash);
	free(m);
}

enum mcu_mode mcu_mode(const struct mcu *m)
{
	return m->mode;
}

enum dfu_state mcu_dfu_state(const struct mcu *m)
{
	return rom_dfu(m->rom)->state;
}

enum dfu_status mcu_dfu_status(const struct mcu *m)
{
	return rom_dfu(m->rom)->status;
}

uint32_t mcu_dfu_pointer(const struct mcu *m)
{
	return rom_dfu(m->rom)->pointer;
}

struct flash *mcu_flash(struct mcu *m)
{
	return m->flash;
}

struct usbdev *mcu_usb(struct mcu *m)
{
	return &m->port;
}

const struct mcu_profile *mcu_profile(const struct mcu *m)
{
	return m->profile;
}

struct bench *mcu_bench(struct mcu *m)
{
	return m->bench;
}

const char *mcu_serial(const struct mcu *m)
{
	return m->serial;
}

void mcu_listen(struct mcu *m, void (*event)(void *context, const struct mcu_event *), void *context)
{
	m->listener = event;
	m->listener_context = context;
}

void mcu_set_app(struct mcu *m, const struct mcu_app_ops *app, void *context)
{
	assert(!m->app_runs);
	m->app = app;
	m->app_context = context;
}
