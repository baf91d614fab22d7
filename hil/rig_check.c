// SPDX-License-Identifier: GPL-2.0-or-later
/* `dfuhil rig check`: step by step, from the file to a board that does what its wires say, with how to mend what is wrong. */
#include "rig_check.h"
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "commands.h"
#include "history.h"
#include "protection.h"
#include "rig_board.h"
#include "rig_choice.h"
#include "rig_command.h"
#include "usbmon_tap.h"
#include "writer.h"

static const char usage[] =
	"usage: dfuhil rig check [--json] RIG\n"
	"\n"
	"Try out a rig file of a real board, step by step: the file, the drivers, the lock, each wire, the supply, "
	"the\n"
	"bootloader, the application. It says what it switches, what it expects, what it saw, and how to mend what is\n"
	"wrong. The board's flash is not written. Exit status: 0 all is well; 2 wrong usage, a mistake in the file; 3 "
	"the\n"
	"rig is unfit.\n";

#define TURN_US UINT64_C(3600000000) /* for other boards */
#define TURN_POLL_NS 50000000

static const char *const verdicts[] = { "ok", "warning", "failed", "skipped" };

/* --- steps --- */

struct rig_check_step *rig_check_begin(struct rig_check *c, const char *name)
{
	struct rig_check_step *s = &c->steps[c->count < RIG_CHECK_STEPS ? c->count : RIG_CHECK_STEPS - 1];

	*s = (struct rig_check_step){ .name = name };
	return s;
}

void rig_check_end(struct rig_check *c, struct rig_check_step *s, enum rig_check_verdict verdict, const char *saw, ...)
{
	va_list args;

	va_start(args, saw);
	vsnprintf(s->saw, sizeof(s->saw), saw, args);
	va_end(args);
	s->verdict = verdict;
	c->failed |= verdict == RIG_CHECK_FAILED;
	if (c->count < RIG_CHECK_STEPS)
		c->count++;
	c->told(c, s);
}

void rig_check_mend(struct rig_check_step *s, const char *format, ...)
{
	va_list args;

	if (s->mend_count == RIG_CHECK_MENDS)
		return;
	va_start(args, format);
	vsnprintf(s->mends[s->mend_count++], sizeof(s->mends[0]), format, args);
	va_end(args);
}

static void say(const struct rig_check *c, const struct rig_check_step *s)
{
	(void)c;
	printf("%-8s %s", verdicts[s->verdict], s->name);
	if (*s->does)
		printf(": %s", s->does);
	putchar('\n');
	if (*s->expects)
		printf("           expected  %s\n", s->expects);
	if (*s->saw)
		printf("           saw       %s\n", s->saw);
	for (unsigned i = 0; i < s->mend_count; i++)
		printf("           %s %s\n", i ? "          or" : "to mend it", s->mends[i]);
	fflush(stdout);
}

static void say_nothing(const struct rig_check *c, const struct rig_check_step *s)
{
	(void)c, (void)s;
}

/* --- before anything is switched --- */

static void check_file(struct rig_check *c)
{
	struct rig_check_step *s = rig_check_begin(c, "file");
	char wires[200] = "";
	size_t used = 0;

	for (enum wire w = WIRE_BOOT0; w < WIRES; w++)
		if (c->rig->wires[w] && used < sizeof(wires))
			used += (size_t)snprintf(wires + used, sizeof(wires) - used, "%s%s", used ? ", " : "",
						 wire_name(w));
	snprintf(s->does, sizeof(s->does), "%.190s", c->rig->path);
	if (c->rig->wires[WIRE_BOOT0] && c->rig->reset_by != WIRES) {
		rig_check_end(c, s, RIG_CHECK_OK, "board %04x:%04x%s%s%s%s, wires %s", c->rig->vendor, c->rig->product,
			      c->rig->serial ? " with serial number " : "", c->rig->serial ? c->rig->serial : "",
			      c->rig->port ? " at port " : "", c->rig->port ? c->rig->port : "", wires);
		return;
	}
	rig_check_mend(s, "wire BOOT0 and NRST (or the supply) and name them under 'wires'");
	rig_check_end(c, s, RIG_CHECK_FAILED,
		      "%s%s: without BOOT0 and a reset nobody but a hand brings the board into its bootloader",
		      *wires ? "wires " : "no wires", wires);
}

static void check_drivers(struct rig_check *c)
{
	struct rig_check_step *s = rig_check_begin(c, "drivers");
	char why[WIRES_WHY];

	if (wires_possible(c->rig, why))
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s", why);
	else
		rig_check_end(c, s, RIG_CHECK_OK, "all that the wires need are built in");
}

static struct rig_board_claim *check_lock(struct rig_check *c)
{
	struct rig_check_step *s = rig_check_begin(c, "lock");
	char why[RIG_WHY];
	int error;
	struct rig_board_claim *claim = rig_board_claim(c->rig, &error, why);

	if (claim) {
		rig_check_end(c, s, RIG_CHECK_OK, "nobody else has the board");
		return claim;
	}
	if (error == -EBUSY)
		rig_check_mend(s, "wait until that process has ended, or end it");
	rig_check_end(c, s, RIG_CHECK_FAILED, "%s", why);
	return NULL;
}

static void check_usbmon(struct rig_check *c)
{
	struct rig_check_step *s = rig_check_begin(c, "usbmon");
	char device[32], why[USBMON_TAP_WHY];

	if (!c->rig->usbmon) {
		rig_check_end(c, s, RIG_CHECK_SKIPPED, "the file wants nothing recorded ('usbmon')");
		return;
	}
	usbmon_tap_device(c->rig->port, device);
	snprintf(s->does, sizeof(s->does), "%.100s", strcmp(c->rig->usbmon, "auto") ? c->rig->usbmon : device);
	if (!usbmon_tap_possible(s->does, why)) {
		rig_check_end(c, s, RIG_CHECK_OK, "it can be read: runs are recorded");
		return;
	}
	rig_check_mend(s,
		       "do so, and run this again; or leave it: scenarios that look at requests are skipped then, and "
		       "a tool's erases are not counted");
	rig_check_end(c, s, strcmp(c->rig->usbmon, "auto") ? RIG_CHECK_FAILED : RIG_CHECK_WARNING, "%s", why);
}

static void check_wear(struct rig_check *c)
{
	const struct mcu_profile *profile = mcu_profile_find(c->rig->profile);
	struct rig_check_step *s = rig_check_begin(c, "wear");
	uint32_t at = profile->flash_base, most_at = at;
	char why[HISTORY_WHY] = "";
	struct history *history;
	int64_t most = 0, worn = 0;

	if ((!c->rig->wear_warn && !c->rig->wear_stop) || !c->rig->serial) {
		rig_check_end(c, s, RIG_CHECK_SKIPPED,
			      c->rig->serial ? "the file sets no limit ('wear')"
					     : "the file names no serial number to count by");
		return;
	}
	snprintf(s->expects, sizeof(s->expects), "fewer than %u erases of any sector", c->rig->wear_warn);
	history = history_open(NULL, why);
	for (const struct flash_sectors *f = profile->sectors; history && f->count && worn >= 0; f++)
		for (uint32_t i = 0; i < f->count && worn >= 0; i++, at += f->size_bytes) {
			worn = history_wear(history, c->rig->serial, at, why);
			if (worn > most) {
				most = worn;
				most_at = at;
			}
		}
	history_close(history);
	if (!history || worn < 0)
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s", why);
	else if (c->rig->wear_stop && most >= c->rig->wear_stop) {
		rig_check_mend(s, "take another board: the chip is made for 10,000 erases of a sector");
		rig_check_end(c, s, RIG_CHECK_FAILED, "%lld erases of the sector at 0x%08x, and the file stops at %u",
			      (long long)most, most_at, c->rig->wear_stop);
	} else {
		rig_check_end(c, s, c->rig->wear_warn && most >= c->rig->wear_warn ? RIG_CHECK_WARNING : RIG_CHECK_OK,
			      "%lld at most, of the sector at 0x%08x", (long long)most, most_at);
	}
}

static void mend_wires(struct rig_check_step *s, int error)
{
	if (error == -EACCES || error == -EPERM) {
		rig_check_mend(s, "copy 60-dfubench.rules (fixtures/rigs, or share/dfubench/rigs) to "
				  "/etc/udev/rules.d, be in the "
				  "group plugdev, and plug the adapter in anew");
	} else if (error == -ENODEV || error == -ENOENT) {
		if (error == -ENODEV)
			rig_check_mend(s, "is the adapter plugged in, so that 'lsusb' lists it, and are its kernel "
					  "modules loaded (usbhid and hid-generic for relays 16c0:05df, hid-cp2112, "
					  "hid-mcp2221)?");
		rig_check_mend(s, "does the file name it as it is called here? What is not there at all has to go from "
				  "'wires'");
	} else if (error == -EBUSY) {
		rig_check_mend(s, "end the program that has it");
	}
}

/* While another board like this one is in its bootloader, a tool that is at work on that would find two. */
static bool check_turn(struct rig_check *c)
{
	uint64_t end = rig_check_now_us() + TURN_US;
	char why[WIRES_WHY];
	bool told = false;
	int error;

	while (!(c->turn = rig_board_turn(c->rig, &error, why))) {
		struct rig_check_step *s = told ? NULL : rig_check_begin(c, "turn");

		if (error != -EBUSY || rig_check_now_us() > end) {
			s = rig_check_begin(c, "turn");
			rig_check_end(c, s, RIG_CHECK_FAILED, "%s", why);
			return false;
		}
		if (s) {
			snprintf(s->does, sizeof(s->does),
				 "waiting until another board %04x:%04x of this machine has left its bootloader",
				 c->rig->vendor, c->rig->product);
			rig_check_end(c, s, RIG_CHECK_OK, "%s", why);
			told = true;
		}
		nanosleep(&(struct timespec){ .tv_nsec = TURN_POLL_NS }, NULL);
	}
	return true;
}

static void check_wires(struct rig_check *c)
{
	struct rig_check_step *s = rig_check_begin(c, "wires");
	char why[WIRES_WHY];
	int error;

	snprintf(s->does, sizeof(s->does), "all are opened and brought to idle");
	c->wires = wires_open(c->rig, &error, why);
	if (!c->wires) {
		mend_wires(s, error);
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s", why);
		return;
	}
	rig_check_end(c, s, RIG_CHECK_OK, "they can be switched from here");
}

static void check_idle(struct rig_check *c)
{
	struct rig_check_step *s = rig_check_begin(c, "idle");
	char why[WIRES_WHY];

	snprintf(s->does, sizeof(s->does), "all wires go back to idle");
	if (wires_idle(c->wires, why))
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s", why);
	else
		rig_check_end(c, s, RIG_CHECK_OK, "they are");
}

static void check_claimed(struct rig_check *c)
{
	check_usbmon(c);
	check_wear(c);
	if (check_turn(c))
		check_wires(c);
	if (c->wires) {
		c->console = c->rig->console || c->rig->console_usb
				     ? console_port_new(c->rig->console, c->port, c->rig->console_speed)
				     : NULL;
		rig_check_board(c);
		check_idle(c);
	}
	wires_close(c->wires);
	board_lock_give(c->turn);
	console_port_free(c->console);
}

static void check_all(struct rig_check *c)
{
	struct rig_board_claim *claim;

	check_file(c);
	check_drivers(c);
	claim = c->failed ? NULL : check_lock(c);
	if (claim)
		check_claimed(c);
	rig_board_claim_free(claim);
}

static void begin(struct rig_check *c, const struct board_rig *rig,
		  void (*told)(const struct rig_check *, const struct rig_check_step *))
{
	c->rig = rig;
	c->told = told;
	if (rig->port)
		snprintf(c->port, sizeof(c->port), "%.31s", rig->port);
}

bool rig_check_is_fit(const struct board_rig *rig, bool *board, char why[RIG_WHY])
{
	struct rig_check *c = calloc(1, sizeof(*c));
	bool fit = c != NULL;

	*board = false;
	snprintf(why, RIG_WHY, "%s", strerror(ENOMEM));
	if (!c)
		return false;
	begin(c, rig, say_nothing);
	check_file(c);
	check_drivers(c);
	if (!c->failed)
		check_claimed(c);
	for (unsigned i = 0; i < c->count && fit; i++) {
		if (c->steps[i].verdict != RIG_CHECK_FAILED)
			continue;
		fit = false;
		*board = c->steps[i].of_board;
		snprintf(why, RIG_WHY, "%s: %.560s ('dfuhil rig check' tells how to mend it)", c->steps[i].name,
			 c->steps[i].saw);
	}
	free(c);
	return fit;
}

/* --- telling --- */

static int print_json(const struct rig_check *c)
{
	struct writer w;
	int failed;

	writer_init(&w, true);
	writer_string(&w, "rig", c->rig->name);
	writer_bool(&w, "fit", !c->failed);
	writer_array(&w, "steps");
	for (unsigned i = 0; i < c->count; i++) {
		const struct rig_check_step *s = &c->steps[i];

		writer_object(&w, NULL);
		writer_string(&w, "step", s->name);
		writer_string(&w, "verdict", verdicts[s->verdict]);
		writer_string(&w, "does", s->does);
		writer_string(&w, "expected", s->expects);
		writer_string(&w, "saw", s->saw);
		writer_array(&w, "mend");
		for (unsigned k = 0; k < s->mend_count; k++)
			writer_string(&w, NULL, s->mends[k]);
		writer_end(&w);
		writer_end(&w);
	}
	writer_end(&w);
	writer_finish(&w);
	failed = writer_failed(&w);
	if (!failed)
		puts(w.text);
	writer_free(&w);
	return failed;
}

int rig_check_main(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	static struct rig_check check; /* large */
	struct problems *problems;
	struct rig_choice *choice;
	bool json = false;
	int option, r = HIL_USAGE;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (option != 'j')
			return HIL_USAGE;
		json = true;
	}
	if (argc - optind != 1) {
		fputs(usage, stderr);
		return HIL_USAGE;
	}
	problems = problems_new();
	choice = problems ? rig_choose(argv[optind], problems) : NULL;
	if (!choice) {
		if (problems)
			problems_print(problems, stderr, false);
	} else if (!rig_choice_board(choice)) {
		fprintf(stderr,
			"dfuhil rig check: '%s' is no rig of a real board (kind: board): there are no wires to "
			"check\n",
			argv[optind]);
	} else {
		begin(&check, rig_choice_board(choice), json ? say_nothing : say);
		check_all(&check);
		r = check.failed ? HIL_UNFIT : 0;
		if (json && print_json(&check))
			r = HIL_UNFIT;
		if (!json)
			printf("\nthe rig '%s' is %s\n", check.rig->name, check.failed ? "unfit" : "fit");
		if (fflush(stdout) || ferror(stdout))
			r = HIL_UNFIT;
	}
	rig_choice_free(choice);
	problems_free(problems);
	return r;
}
