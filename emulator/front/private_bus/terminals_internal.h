/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of terminals share. */
#ifndef DFUBENCH_PB_TERMINALS_INTERNAL_H
#define DFUBENCH_PB_TERMINALS_INTERNAL_H

/* The kernel's struct termios2, which the C library's header hides. */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include "terminals.h"
#include "usbfs.h"

#define TERMINAL_OUT_ROOM 20480u /* cdc-acm: 16 transfers of 20 packets of 64 bytes */
#define TERMINAL_IN_ROOM 65536u

/* USB PSTN 1.2 table 13, 18; CDC's line state */
#define SET_LINE_CODING 0x20u
#define SET_CONTROL_LINE_STATE 0x22u
#define SEND_BREAK 0x23u
#define LINE_CODING_BYTES 7u
#define CAPABILITY_BREAK 4u /* bmCapabilities, table 4 */
#define LINE_DTR 1u
#define LINE_RTS 2u
#define CONTROL_MS 5000u /* of the driver's requests */
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

struct terminal {
	struct terminal *next;
	struct private_bus *bus;
	struct port *port;
	unsigned minor;
	uint8_t control, data;                    /* interfaces */
	uint8_t in, out, notify;                  /* endpoints */
	uint8_t capabilities;                     /* bmCapabilities of the ACM descriptor */
	size_t in_bytes, out_bytes, notify_bytes; /* of one transfer */
	uint8_t coding[LINE_CODING_BYTES];        /* as last told to the device */
	unsigned line;                            /* likewise, LINE_DTR and LINE_RTS */
	unsigned state;                           /* as the device told it: SERIAL_STATE */
	struct termios2 settings;                 /* they outlast a close */
	bool hung_by_speed;                       /* they say B0 */
	bool exclusive;                           /* TIOCEXCL: nobody else may open it */
	bool gone;                                /* with its interface; freed at the end of the turn */

	int master; /* -1: nobody has it open */
	uint64_t slave_device, slave_inode;
	struct watch *watch; /* NULL: hung up by the tool */
	bool closing;        /* the last descriptor of the tool is closed, */
	bool dry;            /* and all has been read that it left, */
	bool lowered;        /* and the device is being told */
	struct bench_event close_limit, read_again, listen_again, break_end;
	struct call_info break_call;
	struct transfer *reading, *writing, *listening;
	bool moving; /* push() is on the stack */
	/* So much of what is in out_data goes out: all, but in virtual time. There the rest waits until the tool waits, or it is full, so
	 * that transfers are cut at the same places each time. For the like reason the device may give so much until then, and not
	 * so much as the tool happens to have read. */
	size_t commit, credit;
	bool starved;                /* it has no more to give, or no room */
	bool dirty;                  /* we have written to the master, and nobody has made sure that it arrived */
	uint8_t *in_data, *out_data; /* TERMINAL_IN_ROOM and TERMINAL_OUT_ROOM bytes; NULL: nobody has it open */
	size_t in_length, out_length;
};

static inline bool terminal_is_gone(int status)
{
	return status == -ESHUTDOWN || status == -ENOENT;
}

/* --- terminal_line.c --- */
/* A class request of the driver's own to its interface. c: the call that done() answers; may be NULL. */
void terminal_request(struct terminal *, const struct call_info *c, uint8_t request, uint16_t value, const void *data,
		      size_t length, void (*done)(struct transfer *));
void terminal_request_done(struct transfer *); /* answers the call, if there is one */
void terminal_listen(struct terminal *);       /* it is open: start to read, and to hear of the lines */
void terminal_read_on(struct terminal *);
void terminal_deliver(struct terminal *);   /* to the tool, what there is */
void terminal_watch_for(struct terminal *); /* what can be moved */
void terminal_pull(struct terminal *);      /* from the tool, what there is and has room */
void terminal_commit(struct terminal *);    /* all of that goes out as it is */
void terminal_progress(struct terminal *);  /* something has been taken, or come */
/* Nothing is on its way to the device any more; whatever the tool wrote before goes out as it is. */
bool terminal_is_drained(struct terminal *);
/* Until that is so, or until a close is over; then the call is made again. 0 or -ENOMEM. */
int terminal_hold(struct terminal *, const struct call_info *);
void terminal_again(struct terminal *, enum call); /* CALL_IOCTL, CALL_OPEN */
struct held *terminal_take_held(struct terminal *,
				enum call); /* CALL_NONE: any. The caller frees it; NULL: there is none */

/* --- terminal_open.c --- */
void terminal_end_closing(struct terminal *); /* nothing is left that has to go out */
void terminal_hang_up(struct terminal *);     /* the device goes, or has closed the line */

/* --- terminal_ioctl.c --- */
/* What the settings of the terminal make of the line; as c_cflag was asked for. *c is answered when the device has been told. */
void terminal_tell(struct terminal *, const struct call_info *, uint32_t cflag);

#endif
