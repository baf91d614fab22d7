/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a good host does: findings over a transcript. No I/O. Each rule is one row with its explanation and citation. */
#ifndef DFUBENCH_RULES_H
#define DFUBENCH_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profile.h"
#include "tool.h"
#include "transcript.h"

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };
const char *severity_name(enum severity);

struct rule {
	const char *id; /* stable: "getstatus-after-dnload" */
	enum severity severity;
	const char *summary;     /* one sentence */
	const char *explanation; /* what happens on real boards if it is broken */
	const char *citation;    /* document and section, or a public report */
};
extern const struct rule rules[]; /* id NULL ends */
const struct rule *rule_find(const char *id);

struct rules_part {
	uint32_t address;
	const uint8_t *data;
	size_t length;
};

/* What the tool was asked to do with the requests first .. first + count - 1; and what became of it. */
struct rules_call {
	size_t first, count;
	struct tool_call call;
	unsigned board;        /* that it is about, from 1; 0: not known */
	bool raw;              /* words of the scenario's own: call says nothing */
	bool ended, succeeded; /* by its exit status */
	const char *output;    /* stdout and stderr, "" if unknown */
	/* flash of that board before and after, all of its profile's main flash; NULL where nobody could look */
	const uint8_t *before, *after;
	/* what flash should hold from address on, for a download; NULL: not known */
	const uint8_t *wanted;
	uint32_t wanted_address;
	size_t wanted_length;
	/* the other parts of a file that has several; the first is told above */
	const struct rules_part *others;
	size_t other_count;
};

struct rules_input {
	const struct transcript *transcript;
	const struct mcu_profile *profile; /* NULL: not known, rules that need it keep quiet */
	/* Of the boards of the transcript, by number less one, where they are known one by one. */
	const struct mcu_profile *const *boards;
	size_t board_count;
	const struct rules_call *calls; /* NULL: the whole transcript is one call of which nothing is known */
	size_t call_count;
};

struct finding {
	const struct rule *rule;
	size_t exchange; /* index of the offending request; SIZE_MAX: the call as a whole */
	size_t call;     /* index of the call */
	unsigned times;  /* the same finding is told once a call, with how often it was seen */
	char text[256];  /* what happened here */
};

/* All findings, in the order of the requests, to be freed with free(). 0 or -ENOMEM. */
int rules_judge(const struct rules_input *, struct finding **, size_t *count);

#endif
