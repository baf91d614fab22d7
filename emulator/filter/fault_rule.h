/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fault rule, as people write it: what goes wrong, and when.
 *
 *	ACTION[=VALUE] [CONDITION=VALUE[,CONDITION=VALUE...]]
 *
 *	stall on=dnload,block=2           delay=300ms on=getstatus,count=3
 *	power-cut=1s on=erase,address=0x08004000,after=10ms
 *
 * Blanks and commas separate alike. Words are of either case; numbers decimal or 0x...; times have a unit (us, ms, s,
 * min). The grammar is told in full in dfuemu(1). No input or output here.
 */
#ifndef DFUBENCH_FAULT_RULE_H
#define DFUBENCH_FAULT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_action {
	FAULT_STALL,     /* the transfer is stalled; the board has not seen it */
	FAULT_SILENT,    /* it is never answered: held until the host gives up */
	FAULT_BUS_ERROR, /* no handshake: the host gets a protocol error at once */
	FAULT_DELAY,     /* value: held so long before the board gets it */
	FAULT_SHORT,   /* value: IN data cut to that many bytes; of OUT data the board gets and acknowledges so many */
	FAULT_CORRUPT, /* value: the byte that one bit flips in; without: one to eight bits anywhere */
	FAULT_STATUS,  /* value: bStatus of a GETSTATUS reply; reply_state too if given */
	FAULT_UNPLUG,  /* value: time until the cable is back; without: for good */
	FAULT_POWER_CUT, /* value: time until power is back; without: for good */
	FAULT_RESET,     /* value: time that NRST is low */
	FAULT_FLAKY_HSE, /* value: time after boot in which no host sees the ROM, unless there is another reset */
};
#define FAULT_ACTIONS 11

/* Bits of on: what a transfer is. */
enum fault_request {
	FAULT_ANY,
	FAULT_DFU, /* any DFU class request */
	FAULT_DNLOAD,
	FAULT_UPLOAD,
	FAULT_GETSTATUS,
	FAULT_CLRSTATUS,
	FAULT_GETSTATE,
	FAULT_ABORT,
	FAULT_DETACH,
	/* what a DNLOAD asks for */
	FAULT_SET_ADDRESS,
	FAULT_ERASE,
	FAULT_MASS_ERASE,
	FAULT_UNPROTECT,
	FAULT_WRITE,
	FAULT_LEAVE,
	FAULT_GET,
	FAULT_READ, /* what an UPLOAD asks for */
	FAULT_GET_DESCRIPTOR,
	FAULT_SET_CONFIGURATION,
	FAULT_GET_CONFIGURATION,
	FAULT_SET_INTERFACE,
	FAULT_GET_INTERFACE,
	FAULT_SET_USB_ADDRESS,
};
#define FAULT_REQUESTS 23
#define FAULT_BIT(request) (UINT32_C(1) << (request))
/* What the board executes after a GETSTATUS: actions on the board wait for that moment. */
#define FAULT_OPERATIONS \
	(FAULT_BIT(FAULT_SET_ADDRESS) | FAULT_BIT(FAULT_ERASE) | FAULT_BIT(FAULT_MASS_ERASE) | \
	 FAULT_BIT(FAULT_UNPROTECT) | FAULT_BIT(FAULT_WRITE) | FAULT_BIT(FAULT_LEAVE))

#define FAULT_ALWAYS UINT32_MAX
#define FAULT_CERTAIN 1000000u

struct fault_rule {
	enum fault_action action;
	bool has_value;
	uint64_t value;
	bool has_reply_state;
	uint8_t reply_state;

	bool has_on;
	uint32_t on; /* FAULT_BITs, one of them must be the transfer's; set to the default without has_on */
	bool has_block;
	uint16_t block_first, block_last; /* wValue of a DNLOAD or UPLOAD */
	bool has_address;
	uint32_t address_first, address_last; /* some byte of what the request works on lies in here */
	bool has_state;
	uint8_t state; /* of the board as the request arrives */
	/* Of the transfers that all else holds for, by number from 1; every: each so-manyth of them instead, 0: no. */
	bool has_count;
	uint32_t count_first, count_last, count_every;
	uint32_t probability; /* of FAULT_CERTAIN */
	uint64_t from_us;     /* of bench time */
	uint64_t after_us;    /* from the match to the action */
};

#define FAULT_RULE_BYTES 512 /* room for any rule as text */
#define FAULT_EXPECTED_BYTES 400

/* The first mistake. */
struct fault_rule_error {
	size_t column;                       /* from 1, in bytes */
	char word[48];                       /* what is there; "" at the end */
	char expected[FAULT_EXPECTED_BYTES]; /* "expected a request (dnload, upload, ...)" */
	const char *const *words;            /* what would have done, NULL ends; or NULL: no list. Static. */
};

/* 0 or -EINVAL. */
int fault_rule_parse(const char *text, struct fault_rule *, struct fault_rule_error *);
/* The rule as text that parses to the same; at most FAULT_RULE_BYTES. */
void fault_rule_format(const struct fault_rule *, char *text, size_t size);
/* Pins, cable and supply rather than a transfer. */
bool fault_acts_on_board(enum fault_action);
/* Without conditions on transfers, an action on the board happens by itself at from_us + after_us. */
bool fault_rule_is_timed(const struct fault_rule *);

/* "300ms", "1.5s": a whole word. False if it is none, or above 11 days. */
bool fault_time_parse(const char *text, uint64_t *us);
void fault_time_format(uint64_t us, char *text, size_t size);

const char *fault_action_name(enum fault_action);

#endif
