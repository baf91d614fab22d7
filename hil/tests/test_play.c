// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios played with dfu-util and with small tools that behave as told: what each step says when it is not so. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "play.h"
#include "private_bus.h"
#include "problems.h"

/* Its operations are what `words` say: a shell script each. */
#define SHELL_TOOL \
	"tool: shell\nabout: a\ncommand: sh\nexit: {success: [0], meanings: {9: nine}}\nformat: both\n" \
	"operations:\n" \
	"  list: [-c, \"echo listed\"]\n" \
	"  download: [-c, \"exit 0\", \"${file}\"]\n" \
	"  mass-erase: [-c, \"exit 9\"]\n" \
	"lacks: {upload: it cannot read}\n"
#define RAW_TOOL "tool: raw\nabout: a\ncommand: \"true\"\nformat: raw\noperations: {download: [\"${file}\"]}\n"
#define DFUSE_TOOL \
	"tool: dfuse\nabout: a\ncommand: sh\nformat: dfuse\noperations: {download: [-c, \"wc -c <$0\", " \
	"\"${file}\"]}\n"
#define NAMING_TOOL \
	"tool: naming\nabout: a\ncommand: sh\nformat: both\noperations:\n" \
	"  download: [-c, \"exit 0\", \"${file}\", [-S, \"${serial}\"]]\n"
#define DFU_UTIL \
	"tool: dfu-util\nabout: a\ncommand: dfu-util\nexit: {success: [0], meanings: {74: input/output " \
	"error}}\nformat: both\n" \
	"words: {leave: \":leave\"}\n" \
	"operations:\n" \
	"  list: [-l]\n" \
	"  download: [-d, \"${usb}\", [-S, \"${serial}\"], -a, \"${alt:0}\", [-s, \"${address}${leave}\"], -D, " \
	"\"${file}\"]\n" \
	"  upload: [-a, \"0\", -s, \"${address}:${length}\", -U, \"${output}\"]\n"

static struct result *play(const char *tool, const char *text, const char *version, bool strict)
{
	struct problems *problems = problems_new();
	struct play_options options = {
		.time = RIG_TIME_VIRTUAL, .scale = 1, .seed = 1, .repeat = 1, .strict = strict, .tool_version = version
	};
	struct rig_choice *rig = rig_choose("emulated", problems);
	char folder[] = "/tmp/play-XXXXXX", command[64], head[8192];
	struct result *r;
	struct scenario *s;
	struct tool *t;

	snprintf(head, sizeof(head), "name: n\nwhy: w\nreference: r\n%s", text);
	s = scenario_parse("x.yaml", head, strlen(head), problems);
	t = tool_parse("t.yaml", tool, strlen(tool), problems);
	problems_print(problems, stderr, false);
	assert_non_null(rig);
	assert_non_null(s);
	assert_non_null(t);
	assert_non_null(mkdtemp(folder));
	options.scenario = s;
	options.tool = t;
	options.rig = rig;
	options.folder = folder;
	r = play_scenario(&options);
	assert_non_null(r);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	assert_int_equal(system(command), 0);
	scenario_free(s);
	tool_free(t);
	rig_choice_free(rig);
	problems_free(problems);
	return r;
}

#define IMAGE "files:\n  image: {size: 5000, seed: 7, bootable: true}\n"
#define PUT "  - prepare: {flash: [{file: image}]}\n"
#define ROM "  - bootloader\n"
#define TWO "board: {count: 2, serials: [\"207A389B5848\", \"206737645746\"]}\n"
#define FLASHED ROM "  - download: {file: image, address: 0x08000000}\n"

struct one {
	const char *name;
	const char *tool;
	const char *text;
	enum verdict verdict;
	const char *message; /* part of it; NULL: none */
	unsigned line;       /* of the failure, from the fourth on; 0: any */
};

static const struct one cases[] = {
	/* a tool's end */
	{ "success is expected of a tool", SHELL_TOOL, "steps:\n  - mass-erase\n", VERDICT_FAILED,
	  "exit status 9 (nine), expected success", 5 },
	{ "failure can be expected", SHELL_TOOL, "steps:\n  - mass-erase:\n    expect: {exit: failure}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "a number can be", SHELL_TOOL, "steps:\n  - mass-erase:\n    expect: {exit: [8, 9]}\n", VERDICT_PASSED, NULL,
	  0 },
	{ "another number is none of them", SHELL_TOOL, "steps:\n  - mass-erase:\n    expect: {exit: [7, 8]}\n",
	  VERDICT_FAILED, "exit status 9 (nine), expected 7 or 8", 0 },
	{ "a signal is a failure whatever is expected", SHELL_TOOL,
	  "steps:\n  - run: [sh, -c, \"kill -SEGV $$\"]\n    expect: {exit: any}\n", VERDICT_FAILED,
	  "it died of signal 11 (Segmentation fault)", 5 },
	{ "the scenario's limit ends a tool", SHELL_TOOL, "limit: 20s\nsteps:\n  - run: [sleep, \"100\"]\n",
	  VERDICT_FAILED, "it still ran after 20", 0 },
	{ "a step's limit ends it", SHELL_TOOL,
	  "steps:\n  - run: [sleep, \"100\"]\n    expect: {within: 30s, exit: any}\n", VERDICT_FAILED,
	  "it still ran after 30s on the board's clock, and was killed", 0 },
	{ "a hang can be what is expected", SHELL_TOOL,
	  "steps:\n  - run: [sleep, \"100\"]\n    expect: {within: 30s, hangs: true}\n", VERDICT_PASSED, NULL, 0 },
	{ "then an end is not", SHELL_TOOL,
	  "steps:\n  - run: [sleep, \"10\"]\n    expect: {within: 30s, hangs: true}\n", VERDICT_FAILED,
	  "expected it to hang", 0 },
	{ "it may take a time at least", SHELL_TOOL, "steps:\n  - run: [sleep, \"1\"]\n    expect: {at-least: 2s}\n",
	  VERDICT_FAILED, "on the board's clock, expected at least 2s", 0 },
	{ "an interrupt that comes too late did not happen", SHELL_TOOL,
	  "steps:\n  - run: {words: [sleep, \"1\"], interrupt: {after: 5s}}\n", VERDICT_FAILED,
	  "it ended (exit status 0) before it could be interrupted", 0 },
	{ "an interrupted tool may end in any way", SHELL_TOOL,
	  "steps:\n  - run: {words: [sleep, \"10\"], interrupt: {after: 5s}}\n", VERDICT_PASSED, NULL, 0 },
	{ "unless an end is asked for", SHELL_TOOL,
	  "steps:\n  - run: {words: [sleep, \"10\"], interrupt: {after: 5s}}\n    expect: {exit: success}\n",
	  VERDICT_FAILED, "signal 2 (Interrupt), expected success", 0 },
	{ "a program that is not there is no verdict", SHELL_TOOL, "steps:\n  - run: [no-such-thing]\n", VERDICT_ERROR,
	  "cannot run 'no-such-thing'", 0 },

	/* what it says */
	{ "text is found in lines", SHELL_TOOL,
	  "steps:\n  - list:\n    expect: {stdout: [\"^listed$\", st], output: li}\n", VERDICT_PASSED, NULL, 0 },
	{ "text that is missing", SHELL_TOOL, "steps:\n  - list:\n    expect: {stdout: [listed, unlisted]}\n",
	  VERDICT_FAILED, "stdout has no match for /unlisted/", 0 },
	{ "text on the other stream", SHELL_TOOL, "steps:\n  - list:\n    expect: {stderr: listed}\n", VERDICT_FAILED,
	  "stderr has no match for /listed/", 0 },
	{ "text that might be there", SHELL_TOOL,
	  "steps:\n  - run: [sh, -c, \"seq 100000\"]\n    expect: {not-output: \"^50000$\"}\n", VERDICT_ERROR,
	  "it says too much", 0 },
	{ "text that must not be there", SHELL_TOOL, "steps:\n  - list:\n    expect: {not-output: lis}\n",
	  VERDICT_FAILED, "the output has a match for /lis/", 0 },

	/* flash */
	{ "flash equals", DFU_UTIL, IMAGE "steps:\n" FLASHED "  - flash: {equals: image}\n", VERDICT_PASSED, NULL, 0 },
	{ "no bytes are no verdict", SHELL_TOOL, "files: {image: {size: 0}}\nsteps:\n  - flash: {equals: image}\n",
	  VERDICT_ERROR, "there is nothing to look at: 0 bytes", 6 },
	{ "flash that differs is told to the byte", SHELL_TOOL,
	  IMAGE "  other: {copy: image, set: [{at: 4100, hex: \"00 01\"}, {at: 4990, hex: \"02\"}]}\nsteps:\n" PUT
		"  - flash: {equals: other}\n",
	  VERDICT_FAILED, "flash at 0x08001004 (sector 0): expected 00 (other), got ", 0 },
	{ "flash is erased behind the file alone", SHELL_TOOL,
	  IMAGE "steps:\n" PUT "  - flash: {address: 0x08001388, erased: true}\n  - flash: {erased: true}\n",
	  VERDICT_FAILED, "flash at 0x08000000 (sector 0): expected ff (erased), got 00;", 9 },
	{ "flash is filled", SHELL_TOOL,
	  "steps:\n  - prepare: {flash: [{address: 0x08004000, fill: 0x5a, size: 32}]}\n"
	  "  - flash: {address: 0x08004000, length: 32, fill: 0x5a}\n  - flash: {address: 0x08004000, length: 33, "
	  "fill: 0x5a}\n",
	  VERDICT_FAILED, "flash at 0x08004020 (sector 1): expected 5a (filled), got ff; 1 of 33 bytes differ", 7 },
	{ "flash is unchanged since a snapshot", SHELL_TOOL,
	  IMAGE "steps:\n  - flash: {unchanged: true, since: start}\n" PUT
		"  - snapshot: put\n  - flash: {unchanged: true, since: put}\n"
		"  - flash: {unchanged: true, since: start}\n",
	  VERDICT_FAILED, "(as in 'start')", 11 },
	{ "the range is in flash", SHELL_TOOL, "steps:\n  - flash: {address: 0x080ffff0, length: 17, erased: true}\n",
	  VERDICT_ERROR, "0x080ffff0, 17 bytes, is not within the flash of board 1", 0 },
	{ "sectors erased, exactly", DFU_UTIL, IMAGE "steps:\n" FLASHED "  - sectors: {erased: [0], untouched: [1]}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "sectors erased that were not to be", DFU_UTIL, IMAGE "steps:\n" FLASHED "  - sectors: {erased: []}\n",
	  VERDICT_FAILED, "sectors erased: expected none, got 0", 0 },
	{ "sectors not erased that were to be", DFU_UTIL, IMAGE "steps:\n" FLASHED "  - sectors: {erased: [0, 3]}\n",
	  VERDICT_FAILED, "sectors erased: expected 0, 3, got 0", 0 },
	{ "sectors touched", DFU_UTIL, IMAGE "steps:\n" FLASHED "  - sectors: {untouched: [2, 0]}\n", VERDICT_FAILED,
	  "sector 0 was erased, expected it to be left alone", 0 },

	/* option bytes and state */
	{ "options that are as prepared", SHELL_TOOL,
	  "steps:\n  - prepare: {options: {rdp: 1, write-protect: [2, 11]}}\n  - options: {rdp: 1, write-protect: [11, "
	  "2]}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "the level of protection", SHELL_TOOL, "steps:\n  - options: {rdp: 1}\n", VERDICT_FAILED,
	  "read protection: expected level 1, got level 0", 0 },
	{ "sectors that are protected", SHELL_TOOL,
	  "steps:\n  - prepare: {options: {write-protect: [2]}}\n  - options: {write-protect: [2, 3]}\n",
	  VERDICT_FAILED, "sectors that are write protected: expected 2, 3, got 2", 0 },
	{ "options unchanged", SHELL_TOOL,
	  "steps:\n  - prepare: {options: {write-protect: [2]}}\n  - options: {unchanged: true, since: start}\n",
	  VERDICT_FAILED, "option bytes, which were to stay, from byte 0 on: expected ", 0 },
	{ "the state after a reset", SHELL_TOOL,
	  "steps:\n" ROM "  - state: {dfu: dfuERROR, status: errFIRMWARE, mode: rom, reset-cause: pin}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "another state", SHELL_TOOL, "steps:\n" ROM "  - state: dfuIDLE\n", VERDICT_FAILED,
	  "DFU state: expected dfuIDLE, got dfuERROR", 0 },
	{ "another mode", SHELL_TOOL, "steps:\n  - power: off\n  - state: {mode: lockup}\n", VERDICT_FAILED,
	  "mode: expected lockup, got off", 0 },
	{ "another cause", SHELL_TOOL, "steps:\n  - state: {reset-cause: software}\n", VERDICT_FAILED,
	  "cause of the last reset: expected software, got power-on", 0 },

	/* pins and waits */
	{ "a bootloader that does not come", SHELL_TOOL, "steps:\n  - power: off\n  - bootloader\n", VERDICT_FAILED,
	  "0483:df11 has not come up within 3s; mode of board 1: off", 6 },
	{ "pins, supply, cable, jump", SHELL_TOOL,
	  IMAGE
	  "board: {boot0: high, powered: false, plugged: false}\nsteps:\n  - state: {mode: off}\n  - power: on\n  - "
	  "plug\n"
	  "  - wait: {usb: \"0483:df11\"}\n  - unplug\n  - wait: {gone: \"0483:df11\", within: 1s}\n  - plug\n" PUT
	  "  - application\n  - wait: {usb: \"0483:5740\"}\n  - software-entry\n  - wait: {usb: \"0483:df11\"}\n"
	  "  - reset: 10ms\n  - power: cycle\n  - wait: {usb: \"0483:5740\"}\n  - wait: 2s\n  - boot1: high\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "no jump without an application", SHELL_TOOL, "steps:\n  - software-entry\n", VERDICT_FAILED,
	  "no application runs", 0 },
	{ "what the application says", SHELL_TOOL,
	  IMAGE "steps:\n" PUT "  - application\n  - wait: {console: \"^application at 0x08000000$\"}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "and what it does not", SHELL_TOOL, "steps:\n  - wait: {console: hello, within: 2s}\n", VERDICT_FAILED,
	  "nothing on the console matches /hello/ within 2s", 0 },
	{ "it is forgotten by a reset", SHELL_TOOL,
	  IMAGE "steps:\n" PUT "  - application\n  - wait: {console: application}\n  - bootloader\n"
		"  - wait: {console: application, within: 1s}\n",
	  VERDICT_FAILED, "nothing on the console matches /application/ within 1s", 0 },

	/* requests */
	{ "requests in order", DFU_UTIL,
	  IMAGE "steps:\n" FLASHED "  - requests: {contains: [CLRSTATUS, ERASE, \"WRITE block=2\"], absent: [LEAVE],\n"
		"      first: GETSTATUS, count: {pattern: WRITE, exactly: 3}}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "requests are seen, whatever a tool does to its folder", DFU_UTIL,
	  IMAGE "steps:\n" FLASHED "  - run: [sh, -c, \"rm -rf ./* ./.[!.]*\"]\n"
		"  - requests: {of: scenario, absent: [WRITE]}\n",
	  VERDICT_FAILED, "is 'WRITE', which must not be there", 0 },
	{ "and if it takes the capture itself away", DFU_UTIL,
	  IMAGE "steps:\n  - run: [sh, -c, \"rm $PWD.pcapng\"]\n" FLASHED "  - requests: {absent: [WRITE]}\n",
	  VERDICT_FAILED, "is 'WRITE', which must not be there", 0 },
	{ "and if it empties that", DFU_UTIL,
	  IMAGE "steps:\n" FLASHED
		"  - run: [sh, -c, \": >$PWD.pcapng\"]\n  - requests: {of: scenario, absent: [WRITE]}\n",
	  VERDICT_ERROR, "the capture cannot be read", 0 },
	{ "which is no verdict, asked or not", DFU_UTIL,
	  IMAGE "steps:\n" FLASHED "  - run: [sh, -c, \": >$PWD.pcapng\"]\n", VERDICT_ERROR,
	  "the capture cannot be read", 0 },
	{ "nor is a rule kept then", DFU_UTIL,
	  IMAGE "steps:\n" FLASHED "  - run: [sh, -c, \": >$PWD.pcapng\"]\n"
		"  - findings: {of: scenario, none: [getstatus-after-dnload]}\n",
	  VERDICT_ERROR, "the capture cannot be read", 0 },
	{ "requests out of order", DFU_UTIL, IMAGE "steps:\n" FLASHED "  - requests: {contains: [WRITE, CLRSTATUS]}\n",
	  VERDICT_FAILED, "WRITE 0x08000000 -> ACK is 'CLRSTATUS'", 0 },
	{ "a request that must not be there", DFU_UTIL, IMAGE "steps:\n" FLASHED "  - requests: {absent: [ERASE]}\n",
	  VERDICT_FAILED, "ERASE 0x08000000 -> ACK is 'ERASE', which must not be there", 0 },
	{ "the first request", DFU_UTIL, IMAGE "steps:\n" FLASHED "  - requests: {first: ABORT}\n", VERDICT_FAILED,
	  "the first DFU request: expected 'ABORT', got ", 0 },
	{ "how many requests", DFU_UTIL,
	  IMAGE "steps:\n" FLASHED "  - requests: {count: [{pattern: WRITE, at-least: 1, at-most: 2}]}\n",
	  VERDICT_FAILED, "requests that are 'WRITE': expected at least 1 and at most 2, got 3", 0 },
	{ "requests of the last tool alone", DFU_UTIL,
	  IMAGE "steps:\n" FLASHED
		"  - list\n  - requests: {absent: [WRITE]}\n  - requests: {of: scenario, absent: [WRITE]}\n",
	  VERDICT_FAILED, "must not be there", 11 },

	/* files */
	{ "a file that is read back", DFU_UTIL,
	  IMAGE "steps:\n" PUT ROM "  - upload: {output: back, address: 0x08000000, length: 5000}\n"
		"  - file: {file: back, equals: image, size: 5000}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "a file that differs", DFU_UTIL,
	  IMAGE
	  "steps:\n" ROM
	  "  - upload: {output: back, address: 0x08000000, length: 5000}\n  - file: {file: back, equals: image}\n",
	  VERDICT_FAILED, "'back' at offset 0: expected 00 (image), got ff", 0 },
	{ "a file that is shorter", DFU_UTIL,
	  IMAGE "steps:\n" PUT ROM
		"  - upload: {output: back, address: 0x08000000, length: 100}\n  - file: {file: back, equals: image}\n",
	  VERDICT_FAILED, "'back' has 100 bytes, expected the 5000 bytes of 'image'", 0 },

	/* tools */
	{ "what a tool lacks is skipped", SHELL_TOOL, "steps:\n  - upload: {output: back}\n", VERDICT_SKIPPED,
	  "it cannot read", 0 },
	{ "a scenario for others is skipped", SHELL_TOOL, "tools: [dfu-util, pydfu]\nsteps:\n  - list\n",
	  VERDICT_SKIPPED, "it is for dfu-util and pydfu alone", 0 },
	{ "a DfuSe file is not for everybody", RAW_TOOL,
	  IMAGE
	  "  pack: {dfuse: [{address: 0x08000000, of: image}]}\n  bad: {copy: pack, set: [{at: -1, hex: \"00\"}]}\n"
	  "steps:\n  - download: bad\n",
	  VERDICT_SKIPPED, "raw takes raw files alone, and 'bad' is a DfuSe file", 0 },
	{ "nor is a raw one", DFUSE_TOOL, IMAGE "steps:\n  - download: image\n", VERDICT_SKIPPED,
	  "dfuse takes DfuSe files alone, and without an address 'image' cannot be made one", 0 },
	{ "which is wrapped where there is an address", DFUSE_TOOL,
	  IMAGE "  plain: {dfu-suffix: image}\nsteps:\n  - download: {file: plain, address: 0x08000000}\n"
		"    expect: {stdout: \"^5309$\"}\n  - flash: {erased: true}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "success without flash fails by itself", SHELL_TOOL, IMAGE "steps:\n" FLASHED, VERDICT_FAILED,
	  "success-but-differs: ", 8 },
	{ "also if the scenario looks elsewhere", SHELL_TOOL,
	  IMAGE "steps:\n" FLASHED "  - flash: {address: 0x08004000, length: 16K, erased: true}\n", VERDICT_FAILED,
	  "success-but-differs: ", 8 },
	{ "unless the scenario looks itself", SHELL_TOOL, IMAGE "steps:\n" FLASHED "  - flash: {erased: true}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "findings that are there", SHELL_TOOL,
	  IMAGE "steps:\n" FLASHED "  - flash: {erased: true}\n  - findings: {has: success-but-differs}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "findings that are not", SHELL_TOOL, "steps:\n  - list\n  - findings: {has: success-but-differs}\n",
	  VERDICT_FAILED, "rule 'success-but-differs' was kept, expected a finding", 0 },
	{ "findings that must not be", SHELL_TOOL,
	  IMAGE "steps:\n" FLASHED "  - findings: {none: success-but-differs}\n", VERDICT_FAILED,
	  "rule 'success-but-differs' was broken", 0 },
	{ "findings no worse than", SHELL_TOOL, IMAGE "steps:\n" FLASHED "  - findings: {at-most: warning}\n",
	  VERDICT_FAILED, "rule 'success-but-differs' was broken (error)", 0 },

	/* faults */
	{ "a fault fails the tool", DFU_UTIL,
	  IMAGE
	  "faults: [\"stall on=write,count=2\"]\nsteps:\n" ROM
	  "  - download: {file: image, address: 0x08000000}\n    expect: {exit: failure}\n  - fault: {clear: true}\n"
	  "  - download: {file: image, address: 0x08000000}\n  - flash: {equals: image}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "a fault from a step on", DFU_UTIL,
	  IMAGE "steps:\n" ROM "  - fault: stall on=write,count=2\n  - download: {file: image, address: 0x08000000}\n",
	  VERDICT_FAILED, "exit status 74 (input/output error), expected success", 9 },

	{ "a link that a tool leaves leads to no other file", SHELL_TOOL,
	  IMAGE "steps:\n  - run: [sh, -c, \"echo kept >other; ln -s other image.bin\"]\n"
		"  - download: {file: image, address: 0x08000000}\n  - flash: {erased: true}\n"
		"  - run: [grep, -x, kept, other]\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "a FIFO that it leaves holds nothing up", SHELL_TOOL,
	  IMAGE "steps:\n  - run: [mkfifo, image.bin]\n"
		"  - download: {file: image, address: 0x08000000}\n  - flash: {erased: true}\n",
	  VERDICT_PASSED, NULL, 0 },

	/* several boards */
	{ "boards of their own", DFU_UTIL,
	  IMAGE "board: {count: 2}\nsteps:\n" ROM "  - {bootloader: , board: 2}\n"
		"  - {download: {file: image, address: 0x08000000}, board: 2}\n  - {flash: {equals: image}, board: 2}\n"
		"  - flash: {erased: true}\n",
	  VERDICT_PASSED, NULL, 0 },

	{ "the board that is named is the one looked at", NAMING_TOOL,
	  IMAGE TWO "steps:\n  - {prepare: {flash: [{file: image}]}, board: 2}\n"
		    "  - download: {file: image, address: 0x08000000, serial: \"206737645746\"}\n"
		    "  - findings: {none: success-but-differs}\n",
	  VERDICT_PASSED, NULL, 0 },
	{ "and not another that has it all", NAMING_TOOL,
	  IMAGE TWO "steps:\n" PUT "  - download: {file: image, address: 0x08000000, serial: \"206737645746\"}\n",
	  VERDICT_FAILED, "success-but-differs", 9 },
	{ "the step's own board is, if none is named", NAMING_TOOL,
	  IMAGE TWO "steps:\n  - {prepare: {flash: [{file: image}]}, board: 2}\n"
		    "  - {download: {file: image, address: 0x08000000}, board: 2}\n"
		    "  - findings: {none: success-but-differs}\n",
	  VERDICT_PASSED, NULL, 0 },

	/* expected failures */
	{ "a failure that is expected", SHELL_TOOL,
	  "expected-failure: [{tool: shell, why: it always fails, reference: ticket 1}]\nsteps:\n  - mass-erase\n",
	  VERDICT_EXPECTED_FAILURE, "it always fails (ticket 1)", 0 },
	{ "of another tool", SHELL_TOOL,
	  "expected-failure: [{tool: other, why: it always fails}]\nsteps:\n  - mass-erase\n", VERDICT_FAILED,
	  "exit status 9", 0 },
	{ "that does not happen", SHELL_TOOL,
	  "expected-failure: [{tool: shell, why: it cannot list}]\nsteps:\n  - list\n", VERDICT_UNEXPECTED_PASS,
	  "it passed, and was expected to fail: it cannot list", 0 },
	{ "of this version", SHELL_TOOL,
	  "expected-failure: [{tool: shell, why: old, versions: \"^0[.]9\"}]\nsteps:\n  - mass-erase\n",
	  VERDICT_EXPECTED_FAILURE, "old", 0 },
	{ "told as expected", SHELL_TOOL,
	  "expected-failure: [{tool: shell, why: old, message: \"^exit status 9\"}]\nsteps:\n  - mass-erase\n",
	  VERDICT_EXPECTED_FAILURE, "old", 0 },
	{ "told otherwise", SHELL_TOOL,
	  "expected-failure: [{tool: shell, why: old, message: \"^exit status 8\"}]\nsteps:\n  - mass-erase\n",
	  VERDICT_FAILED, "exit status 9", 0 },
	{ "of another version", SHELL_TOOL,
	  "expected-failure: [{tool: shell, why: old, versions: \"^0[.]8\"}]\nsteps:\n  - mass-erase\n", VERDICT_FAILED,
	  "exit status 9", 0 },
};

static void verdicts_are_as_they_should_be(void **state)
{
	unsigned bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct one *c = &cases[i];
		struct result *r;

		if (!strcmp(c->tool, DFU_UTIL) && system("command -v dfu-util >/dev/null")) {
			printf("# skipped: %s: dfu-util is not installed\n", c->name);
			continue;
		}
		r = play(c->tool, c->text, "0.9.1", false);
		if (r->verdict != c->verdict || (c->message && (!r->message || !strstr(r->message, c->message))) ||
		    (c->line && r->line != c->line)) {
			printf("# %s: %s, line %u: %s\n", c->name, verdict_name(r->verdict), r->line,
			       r->message ? r->message : "(nothing)");
			bad++;
		}
		result_free(r);
	}
	assert_int_equal(bad, 0);
}

static void a_result_has_all_that_happened(void **state)
{
	struct result *r;
	const struct result_step *s;

	(void)state;
	if (system("command -v dfu-util >/dev/null"))
		skip();
	r = play(DFU_UTIL, IMAGE "steps:\n" FLASHED "  - flash: {equals: image}\n  - state: {mode: off}\n  - plug\n",
		 NULL, false);
	assert_int_equal(r->verdict, VERDICT_FAILED);
	assert_int_equal(r->step_count, 5);
	s = &r->steps[1];
	assert_string_equal(s->text, "download image, at 0x08000000");
	assert_string_equal(s->command, "dfu-util -d 0483:df11 -a 0 -s 0x08000000 -D image.bin");
	assert_int_equal(s->exit_status, 0);
	assert_non_null(strstr(s->output, "File downloaded successfully"));
	assert_int_equal(s->verdict, VERDICT_PASSED);
	assert_true(s->first_exchange > 0 && s->exchange_count > 10);
	assert_true(s->first_exchange + s->exchange_count <= r->exchange_count);
	assert_in_range(r->exchanges[s->first_exchange].start_us, s->start_us, s->end_us);
	assert_int_equal(r->steps[3].verdict, VERDICT_FAILED);
	assert_string_equal(r->steps[3].expected, "off");
	assert_int_equal(r->steps[4].verdict, VERDICT_SKIPPED);
	assert_int_equal(r->sector_count, 12);
	assert_int_equal(r->sectors[0].erased, 1);
	assert_int_equal(r->sectors[0].written, 5000);
	assert_true(r->sectors[0].touched);
	assert_true(r->sectors[1].blank && !r->sectors[1].touched && !r->sectors[1].erased);
	assert_null(r->capture);
	result_free(r);
}

static void strict_fails_by_errors_alone(void **state)
{
	struct result *r = play(SHELL_TOOL, IMAGE "steps:\n" FLASHED "  - flash: {erased: true}\n", NULL, true);

	(void)state;
	assert_int_equal(r->verdict, VERDICT_FAILED);
	assert_non_null(strstr(r->message, "success-but-differs"));
	result_free(r);
	r = play(SHELL_TOOL, "steps:\n  - list\n", NULL, true);
	assert_int_equal(r->verdict, VERDICT_PASSED);
	result_free(r);
}

static void what_the_bus_has_to_say_reaches_the_result(void **state)
{
	struct result *r = play(
		SHELL_TOOL, "steps:\n  - run: [sh, -c, \"sleep 1000 & sleep 1000 & exit 0\"]\n  - list\n", NULL, false);

	(void)state;
	assert_int_equal(r->verdict, VERDICT_PASSED);
	assert_string_equal(r->steps[0].warnings, "2 processes that the tool left behind were ended");
	assert_null(r->steps[1].warnings);
	result_free(r);
}

static void output_is_kept_at_both_ends(void **state)
{
	struct result *r = play(
		SHELL_TOOL,
		"steps:\n  - run: [sh, -c, \"seq 100000\"]\n    expect: {stdout: [\"^1$\", \"^100000$\"]}\n", NULL,
		false);

	(void)state;
	assert_int_equal(r->verdict, VERDICT_PASSED);
	assert_true(strlen(r->steps[0].output) < 65 * 1024);
	assert_non_null(strstr(r->steps[0].output, "bytes left out"));
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_are_as_they_should_be),
		cmocka_unit_test(a_result_has_all_that_happened),
		cmocka_unit_test(strict_fails_by_errors_alone),
		cmocka_unit_test(what_the_bus_has_to_say_reaches_the_result),
		cmocka_unit_test(output_is_kept_at_both_ends),
	};
	char why[PRIVATE_BUS_ERROR];

	if (private_bus_probe(why)) {
		printf("1..0 # SKIP no private bus here: %s\n", why);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
