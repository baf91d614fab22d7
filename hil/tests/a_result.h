/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results to test with. Memory that runs out ends the test. */
#ifndef DFUBENCH_A_RESULT_H
#define DFUBENCH_A_RESULT_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "result.h"

static inline char *text(const char *from)
{
	char *copy = strdup(from);

	assert(copy);
	return copy;
}

static inline struct result *a_result(const char *id, const char *tool, enum verdict verdict, const char *message)
{
	struct result *r = result_new();

	assert(r);
	r->id = text(id);
	r->name = text("the tool does as it should");
	r->why = text("Some tools do not.");
	r->file = text("scenarios/a.yaml");
	r->tool = text(tool);
	r->rig = text("emulated");
	r->profile = text("f407");
	r->time = text("virtual");
	r->repeat = 1;
	r->seed = (UINT64_C(1) << 53) - 1;
	r->verdict = verdict;
	r->message = message ? text(message) : NULL;
	r->board_us = 1234567;
	r->wall_us = 2000;
	return r;
}

/* With a step that failed after some requests, and a finding. */
static inline struct result *a_failure(const char *id, const char *tool)
{
	struct result *r = a_result(id, tool, VERDICT_FAILED, "the tool failed");
	static const char *const requests[] = { "DFU_GETSTATUS -> ACK dfuIDLE",
						"DFU_DNLOAD block 2, 2048 bytes -> STALL" };

	r->tool_version = text("0.11");
	r->line = 12;
	r->capture = text("captures/a.pcapng");
	r->step_count = 2;
	r->steps = calloc(2, sizeof(*r->steps));
	r->exchange_count = 2;
	r->exchanges = calloc(2, sizeof(*r->exchanges));
	r->finding_count = 1;
	r->findings = calloc(1, sizeof(*r->findings));
	r->sector_count = 1;
	r->sectors = calloc(1, sizeof(*r->sectors));
	assert(r->steps && r->exchanges && r->findings && r->sectors);
	r->steps[0] = (struct result_step){
		.text = text("bootloader"), .file = text("scenarios/a.yaml"), .line = 11, .column = 3, .exit_status = -1
	};
	r->steps[1] = (struct result_step){ .text = text("download image to 0x08000000"),
					    .file = text("scenarios/a.yaml"),
					    .line = 12,
					    .column = 5,
					    .verdict = VERDICT_FAILED,
					    .message = text("the tool failed"),
					    .expected = text("success"),
					    .got = text("status 74"),
					    .start_us = 1000000,
					    .end_us = 1200000,
					    .command = text("dfu-util -D 'a & b.bin'"),
					    .exit_status = 74,
					    .output = text("]]> <b>\033[31m\xff\n"),
					    .error = text("dfu-util: \"cannot\"\nlast line\n"),
					    .first_exchange = 0,
					    .exchange_count = 2 };
	for (size_t i = 0; i < 2; i++)
		r->exchanges[i] = (struct result_exchange){ .start_us = 1100000 + i,
							    .end_us = 1100005 + i,
							    .board = 1,
							    .text = text(requests[i]),
							    .op = text(i ? "WRITE" : "GETSTATUS"),
							    .state = text("dfuIDLE"),
							    .outcome = text(i ? "STALL" : "ACK") };
	r->findings[0] = (struct result_finding){ .rule = text("getstatus-after-dnload"),
						  .severity = text("error"),
						  .summary = text("GETSTATUS follows each DNLOAD"),
						  .explanation = text("The board acts only when it is asked."),
						  .citation = text("DFU 1.1, A.1"),
						  .text = text("no GETSTATUS after block 2"),
						  .exchange = 1,
						  .step = 1,
						  .times = 3 };
	r->sectors[0] = (struct result_sector){ .address = 0x08000000,
						.size = 0x4000,
						.erased = 2,
						.written = 2048,
						.is_protected = true,
						.touched = true };
	return r;
}

#endif
