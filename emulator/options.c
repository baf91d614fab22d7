// SPDX-License-Identifier: GPL-2.0-or-later
/* The board options as a table: one row each, from which the parser, the help and the suggestions are made. */
#include "options.h"
#include "engine.h"
#include "faults.h"
#include "gear.h"
#include "qemu.h"
#include "suggest.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SCALE_LEAST 0.001
#define SCALE_MOST 100000.0

struct row {
	const char *name;
	char letter;          /* 0: none */
	const char *argument; /* NULL: takes none */
	enum options_where where;
	const char *help; /* lines are broken by \n */
	int (*set)(struct options *, const char *value, char why[OPTIONS_WHY]);
};

static int refuse(char why[OPTIONS_WHY], const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(char why[OPTIONS_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, OPTIONS_WHY, format, args);
	va_end(args);
	return -EINVAL;
}

/* Index of value among words, or -EINVAL. accepted says in words what there is. */
static int choose(const char *option, const char *value, const char *const *words, const char *accepted,
		  char why[OPTIONS_WHY])
{
	const char *near;

	for (int i = 0; words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	near = suggest_nearest(value, words);
	return refuse(why, "%s '%.100s': must be %s%s%s%s", option, value, accepted, near ? " (did you mean '" : "",
		      near ? near : "", near ? "'?)" : "");
}

/* Decimal digits, or 0x and hexadecimal ones, and nothing else. */
static bool number(const char *text, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*out = strtoull(text, &end, !strncmp(text, "0x", 2) ? 16 : 10);
	return !errno && !*end;
}

static bool hex_digits(const char *text, size_t count)
{
	return strlen(text) == count && strspn(text, "0123456789abcdefABCDEF") == count;
}

static int set_profile(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	const char *words[64] = { NULL };
	size_t n = 0, used = 0;
	char names[512] = "";

	o->profile = mcu_profile_find(value);
	o->profile_given = true;
	if (o->profile)
		return 0;
	for (size_t i = 0; mcu_profiles[i]; i++) {
		if (n < sizeof(words) / sizeof(*words) - 1)
			words[n++] = mcu_profiles[i]->name;
		for (const char *const *alias = mcu_profiles[i]->aliases;
		     *alias && n < sizeof(words) / sizeof(*words) - 1; alias++)
			words[n++] = *alias;
	}
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(names + used, used < sizeof(names) ? sizeof(names) - used : 0, "%s%s",
					 !i           ? ""
					 : i + 1 == n ? " or "
						      : ", ",
					 words[i]);
	choose("--profile", value, words, names, why);
	return -EINVAL;
}

static int set_text(const char **text, const char *option, const char *what, const char *value, char why[OPTIONS_WHY])
{
	if (!*value)
		return refuse(why, "%s '': must be %s", option, what);
	if (*text)
		return refuse(why, "%s '%.200s': there is one already, '%.200s'", option, value, *text);
	*text = value;
	return 0;
}

static int set_path(const char **path, const char *option, const char *value, char why[OPTIONS_WHY])
{
	return set_text(path, option, "the name of a file", value, why);
}

static int set_listen(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	return set_text(&o->front.listen, "--listen", "an address and a port, as 127.0.0.1:3240", value, why);
}

static int set_udc(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	return set_text(&o->front.udc, "--udc", "a name in /sys/class/udc", value, why);
}

static int set_socket(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	return set_text(&o->front.socket, "--socket", "the name of a Unix socket, or 'listen:' and that name", value,
			why);
}

static int set_boards(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	uint64_t n;

	if (!number(value, &n) || n < 1 || n > o->of->room)
		return refuse(why, "--boards '%.100s': must be a number from 1 to %u", value, o->of->room);
	o->boards = (unsigned)n;
	return 0;
}

static struct identity_option *next_identity(struct options *o, char why[OPTIONS_WHY])
{
	if (o->identity_count == o->of->room) {
		refuse(why, "--serial and --uid: more than %u in all", o->of->room);
		return NULL;
	}
	return &o->identities[o->identity_count++];
}

static int set_serial(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	struct identity_option *identity;

	if (!hex_digits(value, 12))
		return refuse(why, "--serial '%.100s': must be 12 hex digits, as 326237753036", value);
	identity = next_identity(o, why);
	if (!identity)
		return -EINVAL;
	identity->serial = value;
	return 0;
}

static int set_uid(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	struct identity_option *identity;

	if (!hex_digits(value, 24))
		return refuse(why, "--uid '%.100s': must be 24 hex digits, the three words in order of address", value);
	identity = next_identity(o, why);
	if (!identity)
		return -EINVAL;
	for (unsigned i = 0; i < 3; i++) {
		char word[9] = "";

		memcpy(word, value + 8 * i, 8);
		identity->uid.uid[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	return 0;
}

static int set_flash(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	return set_path(&o->flash, "--flash", value, why);
}

static int set_state(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	return set_path(&o->state, "--state", value, why);
}

static int set_capture(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	return set_path(&o->capture, "--capture", value, why);
}

static int set_control(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	return set_path(&o->control, "--control", value, why);
}

/* RULE, or BOARD:RULE; no rule begins with a digit. */
static int set_fault(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	struct fault_option *fault = &o->faults[o->fault_count];
	size_t digits = strspn(value, "0123456789");
	char mistake[FAULTS_WHY];
	uint64_t board = 0;

	if (o->fault_count == OPTIONS_FAULTS)
		return refuse(why, "--fault: more than %d", OPTIONS_FAULTS);
	if (digits && value[digits] == ':') {
		char text[16];

		snprintf(text, sizeof(text), "%.*s", (int)(digits < 15 ? digits : 15), value);
		if (!number(text, &board) || board < 1 || board > o->of->room)
			return refuse(why, "--fault '%.100s': the board must be a number from 1 to %u", value,
				      o->of->room);
		value += digits + 1;
	}
	if (faults_parse(value, &fault->rule, mistake))
		return refuse(why, "--fault '%.100s': %s", value, mistake);
	fault->board = (unsigned)board;
	o->fault_count++;
	return 0;
}

static int set_bench(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	struct gear_rule *rule = &o->gear[o->gear_count];
	char mistake[GEAR_RULE_WHY];

	if (o->gear_count == OPTIONS_GEAR)
		return refuse(why, "--bench: more than %d", OPTIONS_GEAR);
	if (gear_rule_parse(value, rule, mistake))
		return refuse(why, "--bench '%.100s': %s", value, mistake);
	for (unsigned i = 0; rule->serial_given && i < o->gear_count; i++)
		if (!strcmp(rule->serial, o->gear[i].serial) && !rule->relays == !o->gear[i].relays)
			return refuse(why, "--bench '%.100s': there is one with serial number %s already", value,
				      rule->serial);
	o->gear_count++;
	return 0;
}

static const char *const levels[] = { "low", "high", NULL };

static int set_boot0(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	int i = choose("--boot0", value, levels, "high or low", why);

	o->boot0 = i == 1;
	o->boot0_given = true;
	return i < 0 ? i : 0;
}

static int set_boot1(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	int i = choose("--boot1", value, levels, "high or low", why);

	o->boot1 = i == 1;
	return i < 0 ? i : 0;
}

double options_time_scale(const char *text)
{
	size_t whole, fraction = 0;
	double scale;

	if (!strcmp(text, "real"))
		return 1;
	if (*text++ != 'x')
		return 0;
	/* strtod() alone takes more than a decimal number: blanks, signs, exponents, hex, inf, nan */
	whole = strspn(text, "0123456789");
	if (text[whole] == '.')
		fraction = 1 + strspn(text + whole + 1, "0123456789");
	if (!whole || fraction == 1 || text[whole + fraction])
		return 0;
	scale = strtod(text, NULL);
	return scale >= SCALE_LEAST && scale <= SCALE_MOST ? scale : 0;
}

static int set_time(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	static const char *const words[] = { "real", "virtual", "virtual-always", NULL };
	char accepted[120];

	if (!(o->of->where & FOR_TOOL) && !strncmp(value, "virtual", 7))
		return refuse(
			why,
			"--time '%.100s': waits can be skipped on the private bus alone (dfuemu exec): the clock of "
			"a host kernel cannot be moved; must be real, or x and a number, as x20",
			value);
	o->time = !strcmp(value, "virtual")          ? TIME_VIRTUAL
		  : !strcmp(value, "virtual-always") ? TIME_VIRTUAL_ALWAYS
						     : TIME_SCALED;
	o->scale = o->time == TIME_SCALED ? options_time_scale(value) : 1;
	if (o->scale > 0)
		return 0;
	snprintf(accepted, sizeof(accepted), "real, %sor x and a number from %g to %.0f, as x20",
		 o->of->where & FOR_TOOL ? "virtual, virtual-always, " : "", SCALE_LEAST, SCALE_MOST);
	choose("--time", value, words, accepted, why);
	return -EINVAL;
}

static int set_also(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	static const char suffix[] = ":denied";
	size_t length = strlen(value);
	struct also_option *also;

	if (o->also_count == o->of->room)
		return refuse(why, "--also: more than %u", o->of->room);
	also = &o->also[o->also_count];
	also->denied = length >= strlen(suffix) && !strcmp(value + length - strlen(suffix), suffix);
	if (also->denied)
		length -= strlen(suffix);
	if (also->denied && !(o->of->where & FOR_TOOL))
		return refuse(why, "--also '%.200s': who may open a device is the host's to say, ':denied' is for exec",
			      value);
	if (!length)
		return refuse(why,
			      "--also '%s': must be the name of a file with descriptors, or that name and ':denied'",
			      value);
	also->path = strndup(value, length);
	if (!also->path)
		return refuse(why, "--also '%.200s': %s", value, strerror(ENOMEM));
	o->also_count++;
	return 0;
}

const char *const options_apps[] = { [APP_STM32_VCP] = "0483:5740", [APP_PYBOARD] = "f055:9800", [APP_NONE] = "none",
				     [APP_FIRMWARE] = "firmware",   [APP_QEMU] = "qemu",         NULL };

static int set_app(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	int i = choose("--app", value, options_apps, "0483:5740, f055:9800, none, firmware or qemu", why);

	if (i < 0)
		return i;
	o->app = (enum app_option)i;
	if (o->app == APP_FIRMWARE && engine_lacks())
		return refuse(why, "--app firmware: %s", engine_lacks());
	if (o->app == APP_QEMU && qemu_lacks())
		return refuse(why, "--app qemu: %s", qemu_lacks());
	return 0;
}

static int set_tty(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	static const char *const words[] = { "on", "off", NULL };
	int i = choose("--tty", value, words, "on or off", why);

	o->no_tty = i == 1;
	return i < 0 ? i : 0;
}

static int set_seed(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	if (!number(value, &o->seed))
		return refuse(why, "--seed '%.100s': must be a number from 0 to 18446744073709551615, decimal or 0x...",
			      value);
	return 0;
}

static int set_erase_times(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	static const char *const words[] = {
		[DURATION_TYPICAL] = "typical", [DURATION_MAXIMUM] = "maximum", [DURATION_RANDOM] = "random", NULL
	};
	int i = choose("--erase-times", value, words, "typical, maximum or random", why);

	if (i < 0)
		return i;
	o->erase_times = (enum flash_durations)i;
	return 0;
}

static int set_replay(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	return set_path(&o->replay, "--replay", value, why);
}

static int set_loose(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	(void)value, (void)why;
	o->loose = true;
	return 0;
}

static int set_json(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	return set_path(&o->json, "--json", value, why);
}

static int set_verbose(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	(void)value, (void)why;
	o->level = 1;
	return 0;
}

static int set_quiet(struct options *o, const char *value, char why[OPTIONS_WHY])
{
	(void)value, (void)why;
	o->level = -1;
	return 0;
}

static const struct row rows[] = {
	{ "profile", 0, "NAME", FOR_BOARDS, "which ROM: see 'dfuemu profiles' (default f407)", set_profile },
	{ "boards", 0, "N", FOR_BOARDS, "that many boards (default 1)", set_boards },
	{ "serial", 0, "HEX12", FOR_BOARDS, "serial number as the ROM reports it; once for each board", set_serial },
	{ "uid", 0, "HEX24", FOR_BOARDS, "the unique ID behind it instead, three words in order of address", set_uid },
	{ "flash", 0, "FILE", FOR_BOARDS,
	  "the main flash: loaded if the file exists, saved at exit; with several boards\n"
	  "'%d' in FILE is the number of the board, else FILE, FILE-2, FILE-3 (before the extension)",
	  set_flash },
	{ "state", 0, "FILE", FOR_BOARDS, "likewise option bytes, OTP, unique ID and wear", set_state },
	{ "boot0", 0, "high|low", FOR_BOARDS, "high: the ROM starts; low: the application (default high)", set_boot0 },
	{ "boot1", 0, "high|low", FOR_BOARDS, "(default low)", set_boot1 },
	{ "time", 0, "WHICH", FOR_TOOL,
	  "real (default); virtual: waits are skipped; virtual-always: sleeps with no device open, too;\n"
	  "xN: boards run N times as fast",
	  set_time },
	{ "time", 0, "WHICH", FOR_SERVE,
	  "real (default), or xN: boards run N times as fast; the host's clock stays as it is", set_time },
	{ "capture", 0, "FILE", FOR_ALL, "record the USB traffic as pcapng, for Wireshark", set_capture },
	{ "also", 0, "FILE[:denied]", FOR_TOOL,
	  "plug in a device described in FILE too; denied: without permission to open it", set_also },
	{ "also", 0, "FILE", FOR_SERVE, "plug in a device described in FILE too", set_also },
	{ "fault", 0, "[N:]RULE", FOR_BOARDS,
	  "something that goes wrong, as 'stall on=dnload,block=2'; N: with board N alone;\n"
	  "see FAULT RULES in dfuemu(1)",
	  set_fault },
	{ "control", 0, "SOCKET", FOR_BOARDS, "take commands of 'dfuemu ctl' on a Unix socket of this name",
	  set_control },
	{ "app", 0, "WHAT", FOR_BOARDS,
	  "the running application: a device that runs no code, 0483:5740 or f055:9800; none; firmware: execute\n"
	  "what is in the flash; or qemu: have QEMU do that, with a console and no USB (default 0483:5740)",
	  set_app },
	{ "tty", 0, "on|off", FOR_EXEC, "off: no driver takes serial ports, and there is no /dev/ttyACM0 (default on)",
	  set_tty },
	{ "bench", 0, "DEVICE[:WIRES]", FOR_BOARDS,
	  "one more device, which switches pins: cp2112 or usbrelay2, as 'usbrelay2:1=boot0,2=!nrst'", set_bench },
	{ "seed", 0, "N", FOR_BOARDS, "root of all that is random (default 1)", set_seed },
	{ "erase-times", 0, "WHICH", FOR_BOARDS,
	  "of the datasheet: typical, maximum or random between the two (default typical)", set_erase_times },
	{ "listen", 0, "ADDRESS:PORT", FOR_USBIP,
	  "where to wait for hosts (default 127.0.0.1:3240); port 0: any that is free", set_listen },
	{ "udc", 0, "NAME", FOR_GADGET | FOR_RAW_GADGET,
	  "USB device controller, of those in /sys/class/udc (default: the only one)", set_udc },
	{ "socket", 0, "[listen:]PATH", FOR_REDIR,
	  "Unix socket of QEMU's chardev, listen: make it, QEMU connects; with several boards names are made\n"
	  "as for --flash",
	  set_socket },
	{ "replay", 0, "CAPTURE", FOR_SERVE, "the devices of this recording instead of boards: see REPLAY in dfuemu(1)",
	  set_replay },
	{ "loose", 0, NULL, FOR_RECORDING,
	  "forgive the host another order, and more or fewer GETSTATUS, GETSTATE and descriptors", set_loose },
	{ "json", 0, "FILE", FOR_RECORDING, "tell how the recording and the host went together as JSON", set_json },
	{ "verbose", 'v', NULL, FOR_ALL, "a line on stderr for each event of a board", set_verbose },
	{ "quiet", 'q', NULL, FOR_ALL, "errors only", set_quiet },
	{ "help", 'h', NULL, FOR_ALL, "this text", NULL },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define LONG_ONLY 256 /* getopt's value of row i is its letter or this + i */

static const struct row *row_of(int value)
{
	for (size_t i = 0; i < ROWS; i++)
		if (value == LONG_ONLY + (int)i || (rows[i].letter && value == rows[i].letter))
			return &rows[i];
	return NULL;
}

static const struct {
	enum options_where where;
	const char *name;
} commands[] = {
	{ FOR_EXEC, "exec" },           { FOR_USBIP, "serve usbip" },           { FOR_VHCI, "serve vhci" },
	{ FOR_GADGET, "serve gadget" }, { FOR_RAW_GADGET, "serve raw-gadget" }, { FOR_REDIR, "serve redir" },
	{ FOR_REPLAY, "replay" },
};

/* An option that there is, elsewhere. */
static int refuse_elsewhere(const struct row *row, const struct options_for *of, char why[OPTIONS_WHY])
{
	char names[160] = "";

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (row->where & commands[i].where) {
			strcat(names, *names ? ", " : "");
			strcat(names, commands[i].name);
		}
	return refuse(why, "option '--%s' is not for %s, but for %s", row->name, of->name, names);
}

/* What getopt_long() did not like: word is the one it stopped at, value its optopt. */
static int refuse_option(const struct options_for *of, const char *word, int value, char why[OPTIONS_WHY])
{
	const struct row *row = row_of(value);
	const char *words[ROWS + 1] = { NULL };
	const char *help = of->where == FOR_EXEC     ? "dfuemu help exec"
			   : of->where == FOR_REPLAY ? "dfuemu help replay"
						     : "dfuemu help serve";
	char name[64];
	const char *near;
	unsigned same = 0, count = 0;

	if (row)
		return refuse(why, "option '--%s' takes no value, there is one in '%.100s'", row->name, word);
	if (value)
		return refuse(why, "unknown option '-%c': try '%s'", value, help);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].where & of->where) {
			words[count++] = rows[i].name;
			same += !strncmp(rows[i].name, name, strlen(name));
		} else if (!strcmp(rows[i].name, name)) {
			row = &rows[i];
		}
	}
	if (same > 1)
		return refuse(why, "option '--%s' is ambiguous: try '%s'", name, help);
	if (row)
		return refuse_elsewhere(row, of, why);
	near = suggest_nearest(name, words);
	if (near)
		return refuse(why, "unknown option '--%s' (did you mean '--%s'?)", name, near);
	return refuse(why, "unknown option '--%s': try '%s'", name, help);
}

/* What one option alone does not show. */
static int check(const struct options *o, char why[OPTIONS_WHY])
{
	if (o->identity_count > o->boards)
		return refuse(why, "--serial and --uid name %u boards, --boards has %u", o->identity_count, o->boards);
	for (unsigned i = 0; i < o->fault_count; i++)
		if (o->faults[i].board > o->boards)
			return refuse(why, "--fault is for board %u, --boards has %u", o->faults[i].board, o->boards);
	for (unsigned i = 0; i < o->gear_count; i++)
		for (unsigned w = 0; w < o->gear[i].wire_count; w++)
			if (o->gear[i].wires[w].board > o->boards && !o->replay)
				return refuse(why, "--bench %s goes to board %u, --boards has %u",
					      gear_kind(&o->gear[i]), o->gear[i].wires[w].board, o->boards);
	if (o->app == APP_QEMU && o->time != TIME_SCALED)
		return refuse(why, "--app qemu: QEMU keeps a clock of its own, of which nothing can be skipped: "
				   "--time must be real or xN (or --app firmware)");
	if (o->replay && o->of_boards)
		return refuse(why, "--%s is about boards: with a recording there are none", o->of_boards);
	if (!o->replay && o->of->where & FOR_SERVE && (o->loose || o->json))
		return refuse(why, "--%s is about a recording: '--replay' names one", o->loose ? "loose" : "json");
	if (o->boards + o->gear_count + o->also_count > o->of->room)
		return refuse(why, "%u boards and %u devices by %s: %s has room for %u", o->boards,
			      o->gear_count + o->also_count, o->gear_count ? "--bench and --also" : "--also",
			      o->of->where & FOR_TOOL ? "a bus" : o->of->name, o->of->room);
	return 0;
}

static void set_defaults(struct options *o, const struct options_for *of)
{
	assert(of->room <= OPTIONS_DEVICES);
	*o = (struct options){
		.of = of,
		.profile = mcu_profile_find("f407"),
		.boards = 1,
		.boot0 = true,
		.scale = 1,
		.app = APP_STM32_VCP,
		.seed = 1,
	};
}

static int parse(struct options *o, int argc, char **argv, char why[OPTIONS_WHY])
{
	const struct options_for *of = o->of;
	struct option longs[ROWS + 1] = { { 0 } }, *next = longs;
	char shorts[2 * ROWS + 3] = "+:"; /* up to the first word that is none; tell a missing value apart */
	int value;

	for (size_t i = 0; i < ROWS; i++) {
		if (!(rows[i].where & of->where))
			continue;
		*next++ = (struct option){ rows[i].name, rows[i].argument ? required_argument : no_argument, NULL,
					   rows[i].letter ? rows[i].letter : LONG_ONLY + (int)i };
		if (rows[i].letter)
			strcat(shorts, (char[]){ rows[i].letter, 0 });
	}
	optind = 0; /* glibc and musl: start anew */
	opterr = 0;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct row *row = row_of(value);
		int r;

		if (value == ':')
			return refuse(why, "option '--%s' needs a value: %s", row_of(optopt)->name,
				      row_of(optopt)->argument);
		if (!row)
			return refuse_option(of, argv[optind - 1], optopt, why);
		if (!row->set)
			return 1;
		if (row->where == FOR_BOARDS)
			o->of_boards = row->name;
		r = row->set(o, optarg, why);
		if (r)
			return r;
	}
	o->rest = argv + optind;
	return 0;
}

int options_parse(struct options *o, const struct options_for *of, int argc, char **argv, char why[OPTIONS_WHY])
{
	int r;

	set_defaults(o, of);
	r = parse(o, argc, argv, why);
	if (!r && o->replay)
		o->boards = 0;
	return r ? r : check(o, why);
}

int options_parse_word(struct options *o, const struct options_for *of, int argc, char **argv, const char **word,
		       char why[OPTIONS_WHY])
{
	int r;

	*word = NULL;
	set_defaults(o, of);
	o->boards = 0;
	r = parse(o, argc, argv, why);
	if (!r && *o->rest) {
		*word = *o->rest;
		r = parse(o, argc - (int)(o->rest - argv), o->rest, why);
	}
	return r ? r : check(o, why);
}

void options_free(struct options *o)
{
	for (unsigned i = 0; i < o->also_count; i++)
		free(o->also[i].path);
	o->also_count = 0;
}

void options_help(FILE *out, enum options_where where)
{
	for (size_t i = 0; i < ROWS; i++) {
		const char *help = rows[i].help;
		char left[40];

		if (!(rows[i].where & where))
			continue;
		if (rows[i].letter)
			snprintf(left, sizeof(left), "-%c, --%s", rows[i].letter, rows[i].name);
		else
			snprintf(left, sizeof(left), "    --%s %s", rows[i].name,
				 rows[i].argument ? rows[i].argument : "");
		while (*help) {
			int length = (int)strcspn(help, "\n");

			fprintf(out, "  %-25s %.*s\n", left, length, help);
			left[0] = 0;
			help += length + (help[length] == '\n');
		}
	}
}
