/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rig: boards with their pins, cables and supply, the host's end of USB on which a tool runs, and a clock. A scenario never knows
 * which one it has: it states what it needs (enum rig_can) and is skipped elsewhere. One file each: rig_desk.c, rig_control.c.
 */
#ifndef DFUBENCH_RIG_H
#define DFUBENCH_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mcu.h"
#include "problems.h"
#include "transcript.h"

#define RIG_WHY 640

/* What a rig can do; a set. */
enum rig_can {
	RIG_PINS = 1,              /* BOOT0, NRST */
	RIG_POWER = 2,             /* supply */
	RIG_CABLE = 4,             /* pull the plug */
	RIG_PREPARE = 8,           /* put contents into flash and option bytes without a tool */
	RIG_READ = 16,             /* look at flash and option bytes without a tool */
	RIG_STATE = 32,            /* look at mode, DFU state, serial number */
	RIG_FAULTS = 64,           /* faults */
	RIG_PROFILES = 128,        /* other chips than the one that is there */
	RIG_BOARDS = 256,          /* several boards, bystanders */
	RIG_TRANSCRIPT = 512,      /* sees the requests */
	RIG_DURATIONS = 1024,      /* chooses erase times */
	RIG_IRREVERSIBLE = 2048,   /* nothing of value is lost: RDP level 2, OTP */
	RIG_SOFTWARE_ENTRY = 4096, /* the application can be made to jump to the ROM */
	RIG_DENIED = 8192,         /* bystanders whose nodes may not be opened */
	RIG_CONSOLE = 16384,       /* hears what the application says on its serial port */
	RIG_EVENTS = 32768,        /* knows which sectors were erased and written */
	RIG_INSIDE = 65536,        /* knows what no host is told: causes of resets, lock-ups */
	RIG_BOOT1 = 131072,        /* BOOT1 */
	RIG_FIRMWARE = 262144,     /* what is in flash really runs */
	RIG_SEND = 524288,         /* says something to the application, on its serial port */
	RIG_LEDS = 1048576,        /* sees the LEDs */
	RIG_BUTTON = 2097152,      /* presses the user button */
};
const char *rig_can_name(enum rig_can); /* of one: "faults" */

enum rig_time { RIG_TIME_VIRTUAL, RIG_TIME_SCALED };

enum rig_application {
	RIG_NO_APPLICATION, /* nothing with USB */
	RIG_SERIAL_PORT,    /* a stub, whatever is in flash; on a board that is none: what is in flash */
	RIG_FLASHED,        /* what is in flash */
};

/* As --app of dfuemu has it: "0483:5740" */
const char *rig_application_word(enum rig_application);

/* What the scenario wants on the desk. All strings are the caller's. */
struct rig_bystander {
	const char *descriptors; /* file */
	bool denied;
};
struct rig_setup {
	const char *profile;        /* "f407" */
	unsigned boards;            /* at least 1 */
	const char *const *serials; /* boards of them, from the first NULL on made up; or NULL */
	const struct rig_bystander *bystanders;
	size_t bystander_count;
	bool boot0, boot1, powered, plugged; /* at the start */
	enum rig_application application;
	enum flash_durations erase_times;
	uint64_t seed;
	enum rig_time time;
	double scale;        /* RIG_TIME_SCALED: 1 is real time */
	const char *capture; /* file for the capture; never NULL */
	const char *folder;  /* for what the rig must keep in files */
};

/* A tool to run, and how it went. */
struct rig_erase {
	uint32_t address;
	uint64_t length; /* the sectors that this is in */
};
struct rig_run {
	char *const *words;
	const char *const *environment; /* additions "NAME=value", NULL ends; or NULL */
	const char *folder;             /* to start it in */
	const char *serial;             /* number of the board that the tool is told; NULL: it takes what it finds */
	/* What it writes to stdout (or stderr), as it comes. stdin is empty. Called while run() runs, as the next is, which may be NULL. */
	void (*wrote)(void *context, bool error, const char *bytes, size_t length);
	/* What is to be known of the run beside that, one line each: processes that it left behind, a call that goes round the bus. */
	void (*warned)(void *context, const char *line);
	void *context;
	uint64_t limit_us;      /* on the board's clock: killed after it; 0: none */
	uint64_t wall_limit_ms; /* of real time: killed after it */
	/* Send signal when so many DFU requests have been answered, or so much time on the board's clock has passed; signal 0: do
	 * not. */
	int signal;
	uint64_t signal_after_us;
	unsigned signal_after_requests; /* 0: go by the time */
	/* What it is going to erase, as far as is known before: for rigs that count that, and hear nothing of the bus. */
	const struct rig_erase *erases;
	size_t erase_count;
};
struct rig_ran {
	int status;                /* as from wait(2) */
	int exec_failed;           /* 126 or 127: it never ran; why[] says why */
	bool timed_out;            /* killed: limit_us */
	bool wall_timed_out;       /* killed: wall_limit_ms */
	bool signalled;            /* the signal was sent */
	uint64_t start_us, end_us; /* on the board's clock */
};

struct rig_status {
	enum mcu_mode mode;
	enum dfu_state state; /* of the ROM */
	enum dfu_status status;
	enum reset_cause cause; /* of the last reset */
	enum rdp_level rdp;
	bool busy; /* flash is being erased or programmed */
	const char *serial;
};

/* What a person beside the board can wait for. */
struct rig_sign {
	enum { SIGN_LED, SIGN_FAULT } kind;
	unsigned led; /* 0 to 3: green, orange, red, blue */
	bool on;
	/* a fault of the application since the last reset */
	unsigned exception; /* 3 HardFault, 4 MemManage, 5 BusFault, 6 UsageFault; 0: any */
	bool lockup;        /* one that could not be taken */
};

/* The first fault of an application: those that come after it mostly come of it. */
struct rig_fault {
	unsigned count; /* faults since; 0: there was none, and nothing else here says anything */
	uint64_t at_us; /* on the board's clock */
	struct mcu_fault fault;
	bool lockup;            /* this, or one since */
	bool was_reset;         /* since, not by a hand: */
	enum reset_cause cause; /* the first time */
};

/* What has happened to flash and option bytes of the boards, in order. */
struct rig_event {
	unsigned board;
	struct mcu_event event;
};
/* This is such an event. Of others firmware may make any number. */
bool rig_event_is_kept(const struct mcu_event *);

struct rig;
struct rig_ops {
	const char *name;
	unsigned can; /* set of rig_can */
	/* Pins */
	int (*pin)(struct rig *, unsigned board, enum mcu_pin, bool high);
	/* Let time pass on the board's clock; the wall's too where that is real. */
	int (*pass)(struct rig *, uint64_t us);
	/* Until programs can see a device with that ID (or none): 0, -ETIMEDOUT. board: that one's alone; 0: any device. */
	int (*wait_usb)(struct rig *, unsigned board, uint16_t vendor, uint16_t product, bool there, uint64_t limit_us);
	/* In what it has said since its last reset; fresh: and since the last console_send(). -EOPNOTSUPP */
	int (*wait_console)(struct rig *, unsigned board, const char *regex, bool fresh, uint64_t limit_us);
	const char *(*console_said)(struct rig *, unsigned board); /* that, until the next call; "": nothing */
	int (*console_send)(struct rig *, unsigned board, const char *text);                        /* -EOPNOTSUPP */
	int (*wait_sign)(struct rig *, unsigned board, const struct rig_sign *, uint64_t limit_us); /* or -ETIMEDOUT */
	int (*button)(struct rig *, unsigned board, bool pressed);                                  /* -EOPNOTSUPP */
	/* Of what has run since a hand has reset the board; the rig's, until the next call. NULL: there was none, or none is known. */
	const struct rig_fault *(*fault)(struct rig *, unsigned board);
	uint64_t (*now_us)(struct rig *);
	int (*run)(struct rig *, const struct rig_run *, struct rig_ran *, char why[RIG_WHY]);

	/* Others that nobody asked for are there beside the board, which a tool could take for it: it is to be told the serial number. */
	bool (*crowded)(struct rig *);
	/* Can flash and option bytes be looked at without the board losing what it is doing? 0, and then the next look sees what is
	 * there now; -EAGAIN: they cannot; else -errno. */
	int (*look)(struct rig *, unsigned board);
	/* Without a tool. 0 or -errno with why. */
	int (*flash_load)(struct rig *, unsigned board, uint32_t address, const uint8_t *data, size_t length);
	int (*flash_read)(struct rig *, unsigned board, uint32_t address, uint8_t *data, size_t length);
	/* option_bytes_size() of the board's profile, as they are mapped. */
	int (*options_load)(struct rig *, unsigned board, const uint8_t *bytes);
	int (*options_read)(struct rig *, unsigned board, uint8_t bytes[OPTION_MAX_BYTES]);
	int (*status)(struct rig *, unsigned board, struct rig_status *);
	int (*fault_add)(struct rig *, unsigned board, const char *rule, char why[RIG_WHY]);
	int (*fault_clear)(struct rig *, unsigned board);
	int (*durations)(struct rig *, enum flash_durations);
	int (*software_entry)(struct rig *, unsigned board);
	const struct mcu_profile *(*profile)(struct rig *, unsigned board);

	/* What has happened since open. The transcript is complete up to now; both are the rig's, valid until the next call. */
	const struct transcript *(*transcript)(struct rig *);
	const struct rig_event *(*events)(struct rig *, size_t *count);
	/* Of what failed last, where there is more to say than its error; else NULL. */
	const char *(*why)(struct rig *);
	void (*close)(struct rig *); /* ends the capture */
};
struct rig {
	const struct rig_ops *ops;
};

/* The board in this process, on a private bus. NULL with why. */
struct rig *rig_desk_open(const struct rig_setup *, char why[RIG_WHY]);
/* A running `dfuemu serve ... --control SOCKET`, whose boards this machine's kernel or another way shows to tools. */
struct rig *rig_control_open(const struct rig_setup *, const char *socket, char why[RIG_WHY]);
/* `dfuemu serve vhci`, started and ended here. */
struct rig *rig_vhci_open(const struct rig_setup *, char why[RIG_WHY]);

/* A rig by what --rig says: "emulated" (default), "vhci", "control:SOCKET", or a rig file. */
struct rig_choice;
struct rig_choice *rig_choose(const char *text, struct problems *);
void rig_choice_free(struct rig_choice *);
unsigned rig_choice_can(const struct rig_choice *);
const char *rig_choice_name(const struct rig_choice *);
struct rig *rig_open(const struct rig_choice *, const struct rig_setup *, char why[RIG_WHY]);

#endif
