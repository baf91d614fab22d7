/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board: the MCU with its pins, its ROM and its flash. All of its state is here; a process holds as many as it likes.
 * (RM0090 2.4; AN2606; f407.md BOOT, LV, OB, RDP rows.)
 */
#ifndef DFUBENCH_MCU_H
#define DFUBENCH_MCU_H

#include <stdbool.h>
#include <stdint.h>
#include "app.h"
#include "bench.h"
#include "dfu_machine.h"
#include "flash.h"
#include "identity.h"
#include "profile.h"
#include "usbdev.h"

struct mcu;

/* VBUS stands for the USB cable: the ROM does not sense it (BOOT rows), but without it no host sees the pull-up. */
enum mcu_pin { PIN_BOOT0, PIN_BOOT1, PIN_NRST, PIN_VDD, PIN_VBUS };
#define MCU_PIN_COUNT 5

enum mcu_mode {
	MCU_OFF,          /* no supply */
	MCU_IN_RESET,     /* NRST low */
	MCU_ROM_STARTING, /* ROM runs, no pull-up yet */
	MCU_ROM,          /* ROM, USB or all interfaces open */
	MCU_ROM_OTHER,    /* ROM, another interface (USART, CAN...) was selected: no USB until reset */
	MCU_APPLICATION,  /* user code */
	MCU_LOCKUP,       /* user code that cannot start, or cannot go on: no device, or one that answers nothing */
};
enum reset_cause {
	RESET_POWER_ON,
	RESET_PIN,
	RESET_OPTION_BYTES,
	RESET_UNPROTECT,
	RESET_NOT_EXECUTABLE,
	RESET_SOFTWARE,
	RESET_WATCHDOG,
	RESET_WINDOW_WATCHDOG,
	RESET_LOW_POWER, /* instead of standby or stop, as an option byte will have it */
	RESET_STANDBY    /* out of it */
};
#define RESET_CAUSES (RESET_STANDBY + 1)
enum boot_interface { BOOT_USART1, BOOT_USART3, BOOT_CAN2, BOOT_I2C, BOOT_SPI };

enum mcu_event_type {
	MCU_EVENT_RESET,  /* cause */
	MCU_EVENT_BOOTED, /* mode: ROM_STARTING, then ROM or ROM_OTHER; APPLICATION; LOCKUP */
	MCU_EVENT_STATE,  /* dfu_state, dfu_status */
	MCU_EVENT_ERASED, /* address, length: a sector; whole flash for mass erase. Not where protection prevented it */
	MCU_EVENT_PROGRAMMED, /* address, length */
	MCU_EVENT_OPTIONS,    /* option bytes rewritten */
	MCU_EVENT_CUT,        /* a flash operation on address, length was cut short */
	MCU_EVENT_PIN,        /* pin, high */
	MCU_EVENT_CONSOLE,    /* line: the application has said it on its serial console */
	MCU_EVENT_LED,        /* name, high: lit */
	MCU_EVENT_FAULT,      /* fault: of the application */
	MCU_EVENT_UNMODELLED, /* address: the application has read, or if high written, a register that is not modelled */
};
#define MCU_EVENT_TYPES (MCU_EVENT_UNMODELLED + 1)

struct mcu_event {
	enum mcu_event_type type;
	uint64_t at_us;
	enum reset_cause cause;
	enum mcu_mode mode;
	enum dfu_state state;
	enum dfu_status status;
	uint32_t address, length;
	enum mcu_pin pin;
	bool high;
	const char *line;              /* without its end; as long as the listener is called, NULL in what is kept */
	const char *name;              /* for good */
	const struct mcu_fault *fault; /* as line */
};

/* The board comes without power, all pins low but NRST (pulled up). prof and bench must outlive it. NULL on ENOMEM. */
struct mcu *mcu_new(struct bench *, const struct mcu_profile *, const struct mcu_identity *);
void mcu_free(struct mcu *); /* detaches first; NULL is fine */

/* What the hand does: strap, button, supply, cable. From a callback of the port in the middle of a reset or the like it takes
 * effect right after that. */
void mcu_set_pin(struct mcu *, enum mcu_pin, bool high);
/* One more wire moves the pin away from where it rests, or one less. The pin is at rest when neither hand nor wire moves it away:
 * so any of them sets the strap, holds the reset, cuts the supply. Balanced by the caller; takes effect as above. */
void mcu_wire_pin(struct mcu *, enum mcu_pin, bool away);
/* Where it rests: BOOT0 and BOOT1 low (pull-down), NRST high (pull-up), supply on, cable in. */
bool mcu_pin_rest(enum mcu_pin);
bool mcu_pin(const struct mcu *, enum mcu_pin); /* its level */
enum mcu_mode mcu_mode(const struct mcu *);
enum dfu_state mcu_dfu_state(const struct mcu *); /* meaningful in MCU_ROM */
enum dfu_status mcu_dfu_status(const struct mcu *);
uint32_t mcu_dfu_pointer(const struct mcu *); /* address pointer of the ROM */
struct flash *mcu_flash(struct mcu *);
struct usbdev *mcu_usb(struct mcu *); /* the port: one object for the life of the board, whatever is behind it */
const struct mcu_profile *mcu_profile(const struct mcu *);
struct bench *mcu_bench(struct mcu *);
const char *mcu_serial(const struct mcu *); /* as the ROM reports it */

/* RAM of the part, by absolute address; 0 or -EFAULT. Kept over resets, lost with power. */
int mcu_read_ram(const struct mcu *, uint32_t address, uint8_t *data, size_t length);
int mcu_write_ram(struct mcu *, uint32_t address, const uint8_t *data, size_t length);

/* One listener; called in the middle of things: look, do not touch (schedule an event instead). NULL: none. */
void mcu_listen(struct mcu *, void (*event)(void *context, const struct mcu_event *), void *context);
/* What runs as application; NULL: nothing has USB. Set before power comes. */
void mcu_set_app(struct mcu *, const struct mcu_app_ops *, void *context);

/* Traffic on another boot interface: selects it if the ROM has not settled on USB yet (BOOT rows); else nothing. */
void mcu_boot_traffic(struct mcu *, enum boot_interface);
/* The application jumps to the ROM in system memory, without a reset. 0, or -EINVAL if no application runs (or it is just
 * being started or stopped), or RDP is at level 2. */
int mcu_software_entry(struct mcu *);
/* The application says a line on its serial console, a UART that is wired to whoever listens. Not while it is stopped. */
void mcu_say(struct mcu *, const char *line);
/* The application resets the chip, or a watchdog does. 0 or -EINVAL as above. */
int mcu_software_reset(struct mcu *);
int mcu_watchdog_reset(struct mcu *, enum reset_cause);
/* The application's core stands still, for good: the device stays as it is, until a reset. */
void mcu_lock_up(struct mcu *, const struct mcu_fault *);
/* For application engines to tell: a fault that was taken, an LED, what they did to the flash (erased, programmed, options, cut). */
void mcu_tell_fault(struct mcu *, const struct mcu_fault *);
void mcu_tell_led(struct mcu *, const char *name, bool on);
void mcu_tell_unmodelled(struct mcu *, uint32_t address, bool write);
void mcu_tell_touched(struct mcu *, enum mcu_event_type, uint32_t address, uint32_t length);

/* What an application can see of how it came to run: a bit for each cause of a reset since power came or mcu_forget_resets();
 * whether the ROM has jumped to it, with no reset between; and when power came. */
unsigned mcu_resets(const struct mcu *);
void mcu_forget_resets(struct mcu *);
bool mcu_was_jumped_to(const struct mcu *);
uint64_t mcu_powered_at_us(const struct mcu *);
const struct mcu_identity *mcu_identity(const struct mcu *);

const char *mcu_mode_name(enum mcu_mode);
const char *mcu_pin_name(enum mcu_pin);
const char *reset_cause_name(enum reset_cause);
const char *mcu_exception_name(unsigned exception); /* of a fault */

#endif
