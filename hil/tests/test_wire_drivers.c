// SPDX-License-Identifier: GPL-2.0-or-later
/* Drivers of wires as far as they can be had without hardware: a serial relay at the other end of a pseudo-terminal; what uhubctl and
 * labgrid-client are started with, by scripts in their place (no hub here can switch its ports, and labgrid is tried in a test of its
 * own); what is told when there is nothing. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>
#include "a_rig.h"
#include "board_lock.h"
#include "janitor.h"
#include "place_keeper.h"
#include "wire_driver.h"

static char folder[] = "/tmp/test-wire-drivers-XXXXXX";
static char why[WIRES_WHY], old_path[4096];

static int begin(void **state)
{
	char path[5000];

	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) || setenv("DFUBENCH_LOCK_DIR", folder, 1))
		return 1;
	snprintf(path, sizeof(path), "%s:%s", folder, old_path);
	return setenv("PATH", path, 1) || setenv("LG_HOSTNAME", "here", 1) || setenv("LG_USERNAME", "me", 1);
}

static int end(void **state)
{
	(void)state;
	setenv("PATH", old_path, 1);
	return chdir("/") || folder_remove(folder);
}

static struct board_rig *rig_with(const char *rest)
{
	char text[2000];
	struct board_rig *rig;

	snprintf(text, sizeof(text), "rig: r\nkind: board\nboard: {serial: S}\n%s\n", rest);
	rig = a_rig(text);
	assert_non_null(rig);
	return rig;
}

static void lacks(const struct wire_driver *driver)
{
	if (!driver->lacks)
		return;
	print_message("%s\n", driver->lacks);
	skip();
}

static struct wires *opened(const struct board_rig *rig)
{
	int error;
	struct wires *w = wires_open(rig, &error, why);

	if (!w)
		fail_msg("%d: %s", error, why);
	return w;
}

static void refuses(const struct board_rig *rig, int want, const char *said)
{
	int error;

	assert_null(wires_open(rig, &error, why));
	if (!strstr(why, said))
		fail_msg("'%s' is missing from: %s", said, why);
	assert_int_equal(error, want);
}

static void script(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	assert_int_equal(chmod(name, 0755), 0);
}

static void file_is(const char *name, const char *want)
{
	char text[2000] = "";
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	assert_string_equal(text, want);
}

/* --- serial relays --- */

/* A pseudo-terminal has no modem lines, which libserialport insists on reading: they are made up here, for it and everybody else. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list more;
	void *argument;

	va_start(more, request);
	argument = va_arg(more, void *);
	va_end(more);
	if (request == TIOCMGET) {
		*(int *)argument = 0;
		return 0;
	}
	return request == TIOCMSET || request == TIOCMBIC || request == TIOCMBIS
		       ? 0
		       : (int)syscall(SYS_ioctl, fd, request, argument);
}

/* A pseudo-terminal, and a name of it under which libserialport takes it: /dev/NAME with something of that NAME in /sys/class/tty. */
static int terminal(int *slave, char device[100])
{
	char name[64];
	int master;

	assert_int_equal(openpty(&master, slave, name, NULL, NULL), 0);
	unlink("relay");
	assert_int_equal(symlink(name, "relay"), 0);
	snprintf(device, 100, "/dev/../../..%s/relay", folder);
	return master;
}

/* What has come to the other end since, all of it. */
static void heard(int master, const char *want, size_t length)
{
	char bytes[64];
	size_t n = 0;

	while (n < length) {
		struct pollfd fd = { .fd = master, .events = POLLIN };
		ssize_t r;

		assert_int_equal(poll(&fd, 1, 5000), 1);
		r = read(master, bytes + n, sizeof(bytes) - n);
		assert_true(r > 0);
		n += (size_t)r;
	}
	assert_int_equal(n, length);
	assert_memory_equal(bytes, want, length);
}

static void a_serial_relay_gets_number_state_and_sum(void **state)
{
	char name[100], text[600];
	struct board_rig *rig;
	struct termios tio;
	int master, slave;
	struct wires *w;

	(void)state;
	lacks(&wire_relay_serial);
	master = terminal(&slave, name);
	snprintf(text, sizeof(text),
		 "wires:\n  nrst: {relay-serial: {device: %s, relay: 1}, active: low}\n"
		 "  power: {relay-serial: {device: %s, relay: 2}}\norder: {idle: [power, nrst]}",
		 name, name);
	rig = rig_with(text);
	w = opened(rig);
	heard(master, "\xa0\x02\x01\xa3\xa0\x01\x00\xa1", 8);
	assert_int_equal(wires_set(w, WIRE_NRST, false, why), 0);
	heard(master, "\xa0\x01\x01\xa2", 4);
	assert_int_equal(wires_set(w, WIRE_POWER, false, why), 0);
	heard(master, "\xa0\x02\x00\xa2", 4);
	assert_int_equal(tcgetattr(slave, &tio), 0);
	assert_int_equal(cfgetospeed(&tio), B9600);
	assert_int_equal(tio.c_cflag & (CSIZE | PARENB | CSTOPB), CS8);
	assert_int_equal(tio.c_oflag & OPOST, 0);
	wires_close(w);
	heard(master, "\xa0\x02\x01\xa3\xa0\x01\x00\xa1", 8);
	close(master);
	close(slave);
	refuses(rig, -ENOENT, "No such file or directory: is the relay plugged in?");
	board_rig_free(rig);
}

static void a_serial_relay_that_goes_is_told(void **state)
{
	char name[100], text[300];
	struct board_rig *rig;
	int master, slave;
	struct wires *w;

	(void)state;
	lacks(&wire_relay_serial);
	master = terminal(&slave, name);
	snprintf(text, sizeof(text), "wires: {nrst: {relay-serial: {device: %s, relay: 1, speed: 115200}}}", name);
	rig = rig_with(text);
	w = opened(rig);
	close(master);
	close(slave);
	assert_true(wires_set(w, WIRE_NRST, false, why) < 0);
	assert_non_null(strstr(why, "cannot bring to low nrst (relay 1 at "));
	/* A second of the kind takes its place, as its name does. */
	wires_close(w);
	board_rig_free(rig);
}

/* --- programs --- */

static void a_hub_is_switched_by_uhubctl_and_its_report_is_believed(void **state)
{
	struct board_rig *rig = rig_with("wires: {vbus: {hub: {location: 1-1.4, port: 3}, idle: off}}");
	struct wires *w;

	(void)state;
	script("uhubctl", "echo \"$*\" >>log\n"
			  "[ $6 = on ] && s='0100 power' || s='0000 off'\n"
			  "[ ! -e stuck ] || s='0100 power'\n"
			  "echo 'Current status for hub 1-1.4 [05e3:0610 USB2.1 Hub, USB 2.10, 4 ports, ppps]'\n"
			  "echo '  Port 3: 0503 power highspeed enable connect [0483:df11]'\n"
			  "echo \"Sent power $6 request\"\n"
			  "echo 'New status for hub 1-1.4 [05e3:0610 USB2.1 Hub, USB 2.10, 4 ports, ppps]'\n"
			  "echo \"  Port 3: $s\"");
	w = opened(rig);
	assert_int_equal(wires_set(w, WIRE_VBUS, true, why), 0);
	wires_close(w);
	file_is("log", "-l 1-1.4 -p 3 -a off\n-l 1-1.4 -p 3 -a on\n-l 1-1.4 -p 3 -a off\n");
	assert_int_equal(close(creat("stuck", 0600)), 0);
	refuses(rig, -EIO, "uhubctl says that port 3 is still on");
	script("uhubctl", "echo 'No compatible devices detected at location 1-1.4!' >&2\nexit 1");
	refuses(rig, -EIO, "'uhubctl' ended with status 1: No compatible devices detected at location 1-1.4!");
	assert_int_equal(unlink("uhubctl"), 0);
	setenv("PATH", folder, 1);
	refuses(rig, -ENOENT, "uhubctl is not installed");
	board_rig_free(rig);
}

/* One that says what the real one does, and has `mood` for what it makes of acquire. */
static void labgrid(const char *mood)
{
	char text[1200];

	snprintf(text, sizeof(text),
		 "place() { while [ \"$1\" != -p ]; do shift; done; echo \"$2\"; }\necho \"$*\" >>log\n"
		 "case \"$*\" in *acquire) %s\necho \"acquired place $(place \"$@\")\" ;; esac",
		 mood);
	script("labgrid-client", text);
}

static struct place_keeper *keeper(const struct board_rig *rig, int want)
{
	struct board_lock *lock = board_lock_take("run-K", NULL, &(int){ 0 }, why);
	struct place_keeper *k;
	int error;

	unlink("log");
	assert_non_null(lock);
	k = place_keeper_start(rig, lock, &error, why);
	assert_int_equal(error, want);
	assert_true(!k == !!want);
	/* What the keeper has of it stays. */
	board_lock_give(lock);
	return k;
}

static void places_are_acquired_used_and_released(void **state)
{
	struct board_rig *rig = rig_with("labgrid: {place: f4, coordinator: 'lab:20408'}\n"
					 "wires:\n  boot0: {labgrid: {io: BOOT0}}\n  nrst: {labgrid: {io: NRST}}\n"
					 "  power: {labgrid: {place: pdu, power: one}}\n  vbus: {labgrid: {}}");
	struct place_keeper *k;
	struct wires *w;

	(void)state;
	labgrid("");
	k = keeper(rig, 0);
	w = opened(rig);
	assert_int_equal(wires_set(w, WIRE_BOOT0, true, why), 0);
	wires_close(w);
	place_keeper_end(k);
	file_is("log", "-x lab:20408 -p f4 acquire\n-p pdu acquire\n"
		       "-x lab:20408 -p f4 io low BOOT0\n-x lab:20408 -p f4 io high NRST\n-p pdu power on -n one\n"
		       "-x lab:20408 -p f4 power on\n"
		       "-x lab:20408 -p f4 io high BOOT0\n"
		       "-x lab:20408 -p f4 io low BOOT0\n-x lab:20408 -p f4 io high NRST\n-p pdu power on -n one\n"
		       "-x lab:20408 -p f4 power on\n"
		       "-p pdu release-from here/me\n-x lab:20408 -p f4 release-from here/me\n");
	/* The second place is another's: the first is given back. */
	labgrid("case \"$*\" in *pdu*) echo \"labgrid-client: Error: Place pdu is already acquired by h/ann. To ...\" "
		">&2\n"
		"exit 1 ;; esac");
	assert_null(keeper(rig, -EBUSY));
	assert_non_null(strstr(why, "cannot acquire the labgrid place 'pdu': 'labgrid-client' ended with status 1: "
				    "labgrid-client: Error: Place pdu is already acquired by h/ann."));
	file_is("log", "-x lab:20408 -p f4 acquire\n-p pdu acquire\n-x lab:20408 -p f4 release-from here/me\n");
	assert_int_equal(unlink("labgrid-client"), 0);
	setenv("PATH", folder, 1);
	assert_null(keeper(rig, -ENOENT));
	assert_non_null(strstr(why, "labgrid-client is not installed"));
	refuses(rig, -ENOENT, "labgrid-client is not installed");
	board_rig_free(rig);
}

static void a_place_is_had_by_its_whole_name_and_by_nobody_else(void **state)
{
	struct board_rig *rig = rig_with("labgrid: {place: f4}");
	struct place_keeper *k;
	struct board_lock *lock;
	bool left;
	int error;

	(void)state;
	labgrid("echo acquired place f4-10; exit");
	assert_null(keeper(rig, -ENOENT));
	assert_non_null(strstr(why, "'f4': there is none of that name; is 'f4-10' meant?"));
	file_is("log", "-p f4 acquire\n-p f4 release\n");
	/* Who has been faster is what the second attempt tells. */
	labgrid("[ -e lost ] && { echo Place f4 is already acquired by a/b. >&2; exit 1; }\n"
		">lost; echo Server error: Error: Place f4 is already acquired >&2; exit 1");
	assert_null(keeper(rig, -EBUSY));
	assert_non_null(strstr(why, "already acquired by a/b"));
	/* By hand, and by a run that could not release it. */
	labgrid("echo You have already acquired place f4. >&2; exit 1");
	assert_null(keeper(rig, -EBUSY));
	assert_non_null(strstr(why, "outside dfuhil"));
	lock = board_lock_take_other("place", "f4@", &left, &error, why);
	assert_non_null(lock);
	assert_false(left);
	board_lock_leave(lock);
	k = keeper(rig, 0);
	place_keeper_end(k);
	file_is("log", "-p f4 acquire\n-p f4 release-from here/me\n");
	assert_null(keeper(rig, -EBUSY));
	board_rig_free(rig);
}

static void what_is_not_there_is_told(void **state)
{
	static const struct {
		const struct wire_driver *driver;
		const char *wire, *said;
		int error;
	} cases[] = {
		{ &wire_gpio, "{gpio: {chip: no-such-label, line: 3}}",
		  "no GPIO chip here has the label 'no-such-label'", -ENODEV },
		{ &wire_gpio, "{gpio: {line: NO-SUCH}}", "no GPIO chip here has the line 'NO-SUCH'", -ENODEV },
		{ &wire_gpio, "{gpio: {chip: gpiochip4321, line: 3}}", "cannot open '/dev/gpiochip4321'", -ENOENT },
		{ &wire_gpio, "{gpio: {chip: /dev/null, line: 3}}", "cannot open '/dev/null'", 0 },
		{ &wire_relay_hid, "{relay-hid: {serial: ZZZZZ, relay: 1}}", "relay board", -ENODEV },
		{ &wire_relay_serial, "{relay-serial: {device: /dev/null, relay: 1}}", "/dev/null", 0 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[300];
		struct board_rig *rig;
		int error;

		snprintf(text, sizeof(text), "wires: {nrst: %s}", cases[i].wire);
		rig = rig_with(text);
		assert_null(wires_open(rig, &error, why));
		if (cases[i].driver->lacks) {
			assert_int_equal(error, -ENOSYS);
			assert_non_null(strstr(why, "built without"));
		} else {
			if (!strstr(why, cases[i].said))
				fail_msg("'%s' is missing from: %s", cases[i].said, why);
			assert_true(error < 0);
			assert_true(!cases[i].error || error == cases[i].error);
		}
		board_rig_free(rig);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_serial_relay_gets_number_state_and_sum),
		TEST(a_serial_relay_that_goes_is_told),
		TEST(a_hub_is_switched_by_uhubctl_and_its_report_is_believed),
		TEST(places_are_acquired_used_and_released),
		TEST(a_place_is_had_by_its_whole_name_and_by_nobody_else),
		TEST(what_is_not_there_is_told),
	};

	snprintf(old_path, sizeof(old_path), "%s", getenv("PATH"));
	return cmocka_run_group_tests_name("wire drivers", tests, NULL, NULL);
}
