// SPDX-License-Identifier: GPL-2.0-or-later
/* `dfuhil rig check`: what is done to the board. Its flash is looked at, never written. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "rig_check.h"

#define POLL_US 10000u
#define ATTEMPTS 3 /* to come up as bootloader */
#define CONSOLE_US UINT64_C(3000000)

uint64_t rig_check_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void rig_check_pause(struct rig_check *c, uint64_t us)
{
	nanosleep(&(struct timespec){ .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000 * 1000) }, NULL);
	if (c->console)
		console_port_listen(c->console);
}

static bool has(const struct rig_check *c, enum wire wire)
{
	return c->rig->wires[wire];
}

/* False: the wire failed, which the step then says. */
static bool set(struct rig_check *c, struct rig_check_step *s, enum wire wire, bool high)
{
	char why[WIRES_WHY];

	if (!wires_set(c->wires, wire, high, why))
		return true;
	rig_check_mend(s, "try the driver by hand: %.300s", wires_text(c->rig, wire));
	rig_check_end(c, s, RIG_CHECK_FAILED, "%s", why);
	return false;
}

static bool supply(struct rig_check *c, struct rig_check_step *s, bool high)
{
	for (const enum wire *w = high ? c->rig->on_order : c->rig->off_order; *w != WIRES; w++)
		if (!set(c, s, *w, high))
			return false;
	if (high)
		rig_check_pause(c, c->rig->on_us);
	return true;
}

static bool hold(struct rig_check *c, struct rig_check_step *s, bool held)
{
	return c->rig->reset_by == WIRE_NRST ? set(c, s, WIRE_NRST, !held) : supply(c, s, !held);
}

bool rig_check_wait_rom_gone(struct rig_check *c, uint64_t within_us)
{
	uint64_t end = rig_check_now_us() + within_us;
	char why[BOARD_USB_WHY];
	struct host_device d;

	int r;

	while ((r = board_usb_rom(c->rig, &d, why)) == 0 || r == -ENOTUNIQ) {
		if (rig_check_now_us() >= end)
			return false;
		rig_check_pause(c, POLL_US);
	}
	return true;
}

static void mend_reset(struct rig_check *c, struct rig_check_step *s)
{
	rig_check_mend(
		s,
		"the reset does not reach the board: measure it at the board; wrong line or relay, or 'active' the "
		"wrong way round? %.200s",
		wires_text(c->rig, c->rig->reset_by));
}

static bool reset(struct rig_check *c, struct rig_check_step *s, bool boot0)
{
	char why[WIRES_WHY];

	if (!set(c, s, WIRE_BOOT0, boot0) || !hold(c, s, true))
		return false;
	rig_check_pause(c, c->rig->reset_by == WIRE_NRST ? c->rig->reset_us : c->rig->off_us);
	rig_check_pause(c, c->rig->settle_us);
	if (c->console)
		console_port_clear(c->console);
	/* What is there while the board is held is not it. */
	if (!rig_check_wait_rom_gone(c, RIG_CHECK_GONE_US)) {
		if (!rig_check_mend_by_trying(c, s)) {
			mend_reset(c, s);
			rig_check_mend(
				s, "is it another board that looks the same? 'port' of 'board' says which is meant");
		}
		rig_check_end(c, s, RIG_CHECK_FAILED, "the device stayed while the board was held in reset");
		wires_idle(c->wires, why);
		return false;
	}
	return hold(c, s, false);
}

static const char *reset_text(const struct rig_check *c, char out[64])
{
	if (c->rig->reset_by == WIRE_NRST)
		snprintf(out, 64, "NRST low for %llu ms", (unsigned long long)c->rig->reset_us / 1000);
	else
		snprintf(out, 64, "the supply off for %llu ms", (unsigned long long)c->rig->off_us / 1000);
	return out;
}

int rig_check_wait_rom(struct rig_check *c, struct host_device *d, uint64_t within_us, char why[BOARD_USB_WHY])
{
	uint64_t end = rig_check_now_us() + within_us;
	struct host_refused refused = { 0 };
	int r;

	for (;;) {
		r = board_usb_rom(c->rig, d, why);
		if (!r && host_device_is_ready(d, rig_check_now_us(), &refused)) {
			snprintf(c->port, sizeof(c->port), "%s", d->port);
			return 0;
		}
		if (rig_check_now_us() >= end)
			return r ? r : -EAGAIN;
		rig_check_pause(c, POLL_US);
	}
}

const char *rig_check_port(const struct rig_check *c)
{
	return *c->port ? c->port : NULL;
}

bool rig_check_tried(struct rig_check *c, enum wire wire, bool high)
{
	char why[WIRES_WHY];

	return !wires_set(c->wires, wire, high, why);
}

/* --- the bootloader --- */

static bool check_bootloader(struct rig_check *c, struct host_device *d)
{
	struct rig_check_step *s = rig_check_begin(c, "bootloader");
	char why[BOARD_USB_WHY] = "", text[64];
	struct host_device app;
	bool app_before = !board_usb_application(c->rig, rig_check_port(c), &app);
	uint64_t start = 0;
	unsigned attempt = 0;
	int r = -ENODEV;

	snprintf(s->does, sizeof(s->does), "BOOT0 high, %s", reset_text(c, text));
	snprintf(s->expects, sizeof(s->expects), "%04x:%04x%s%s%s%s within %.1f s", c->rig->vendor, c->rig->product,
		 c->rig->serial ? " with serial number " : "", c->rig->serial ? c->rig->serial : "",
		 c->rig->port ? " at port " : "", c->rig->port ? c->rig->port : "", (double)c->rig->listed_us / 1e6);
	while (attempt++ < ATTEMPTS && r == -ENODEV) {
		if (!reset(c, s, true))
			return false;
		/* One that was there before says nothing. */
		start = rig_check_now_us();
		r = rig_check_wait_rom(c, d, c->rig->listed_us, why);
	}
	if (r) {
		s->of_board = r == -ENODEV || r == -EAGAIN;
		if (r == -ENODEV)
			rig_check_mend_nothing(c, s, app_before);
		else if (r == -EXDEV)
			rig_check_mend(s,
				       "plug in the board that is meant, or write the serial number and port that were "
				       "seen into the file");
		else if (r == -EAGAIN)
			rig_check_mend(s,
				       "the kernel does not configure it: see 'dmesg' for its USB errors; try another "
				       "cable, and no hub");
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s%s", why, r == -ENODEV ? ", at each of three attempts" : "");
		return false;
	}
	if (--attempt > 1) {
		rig_check_mend(
			s, "traffic on another interface of the bootloader, or a clock (HSE) that starts late, makes "
			   "it come up now and then: see AN2606 on both");
		rig_check_end(c, s, RIG_CHECK_WARNING, "it came, but only at attempt %u", attempt);
	} else {
		rig_check_end(c, s, RIG_CHECK_OK, "serial number %s, port %s, after %.2f s",
			      *d->serial ? d->serial : "(none)", d->port, (double)(rig_check_now_us() - start) / 1e6);
	}
	return true;
}

static bool check_alone(struct rig_check *c)
{
	struct rig_check_step *s = rig_check_begin(c, "alone");
	char why[BOARD_USB_WHY];
	struct host_device d;

	snprintf(s->expects, sizeof(s->expects), "no other device %04x:%04x on this machine", c->rig->vendor,
		 c->rig->product);
	if (!board_usb_rom_alone(c->rig, &d, why)) {
		rig_check_end(c, s, RIG_CHECK_OK, "there is none");
		return true;
	}
	rig_check_mend(s, "keep other boards out of their bootloaders: BOOT0 low, and a reset");
	rig_check_end(c, s, RIG_CHECK_FAILED, "%s", why);
	return false;
}

static bool check_access(struct rig_check *c, const struct host_device *d)
{
	struct rig_check_step *s = rig_check_begin(c, "access");
	int r = host_device_access(d);

	snprintf(s->does, sizeof(s->does), "/dev/bus/usb/%03u/%03u", d->bus, d->address);
	snprintf(s->expects, sizeof(s->expects), "it may be read and written");
	if (!r) {
		rig_check_end(c, s, RIG_CHECK_OK, "it may");
		return true;
	}
	rig_check_mend(s,
		       "a udev rule: SUBSYSTEM==\"usb\", ATTR{idVendor}==\"%04x\", ATTR{idProduct}==\"%04x\", "
		       "MODE=\"0660\", GROUP=\"plugdev\", TAG+=\"uaccess\"; then plug it in anew",
		       c->rig->vendor, c->rig->product);
	rig_check_end(c, s, RIG_CHECK_FAILED, "%s", strerror(-r));
	return false;
}

static void check_reset(struct rig_check *c)
{
	struct rig_check_step *s = rig_check_begin(c, c->rig->reset_by == WIRE_NRST ? "nrst" : "reset");
	char why[BOARD_USB_WHY];
	struct host_device d;
	bool gone;

	snprintf(s->does, sizeof(s->does), "%s",
		 c->rig->reset_by == WIRE_NRST ? "NRST low, and high again" : "the supply off, and on again");
	snprintf(s->expects, sizeof(s->expects), "the device goes, and comes back");
	if (!hold(c, s, true))
		return;
	gone = rig_check_wait_rom_gone(c, RIG_CHECK_GONE_US);
	if (!hold(c, s, false))
		return;
	c->no_reset = !gone;
	if (!gone) {
		mend_reset(c, s);
		rig_check_end(c, s, RIG_CHECK_FAILED, "the device stayed");
	} else if (rig_check_wait_rom(c, &d, c->rig->listed_us, why)) {
		rig_check_mend(s, "what was said of the bootloader may be so now and then; run this check again");
		rig_check_end(c, s, RIG_CHECK_FAILED, "it went, and did not come back: %s", why);
	} else {
		rig_check_end(c, s, RIG_CHECK_OK, "so it did");
	}
}

/* --- the application --- */

static void check_application(struct rig_check *c)
{
	struct rig_check_step *s = rig_check_begin(c, "boot0");
	bool known = c->rig->app_vendor || c->rig->app_product;
	uint64_t end;
	struct host_device d;
	char text[64];
	int r = -ENODEV;

	snprintf(s->does, sizeof(s->does), "BOOT0 low, %s", reset_text(c, text));
	if (known && !c->blank)
		snprintf(s->expects, sizeof(s->expects), "the bootloader goes, and the application, %04x:%04x, comes",
			 c->rig->app_vendor, c->rig->app_product);
	else
		snprintf(s->expects, sizeof(s->expects), "the bootloader goes, and stays away");
	if (!reset(c, s, false))
		return;
	if (!rig_check_wait_rom_gone(c, RIG_CHECK_GONE_US)) {
		if (c->no_reset)
			rig_check_mend(
				s, "first the reset, which does not reach the board: BOOT0 counts at a reset alone");
		rig_check_mend(s,
			       "BOOT0 does not get low: is the jumper BOOT0-VDD still in P2, or 'active' the wrong way "
			       "round? %.200s",
			       wires_text(c->rig, WIRE_BOOT0));
		rig_check_end(c, s, RIG_CHECK_FAILED, "the bootloader is still there");
		return;
	}
	end = rig_check_now_us() + c->rig->listed_us;
	while (known && !c->blank && (r = board_usb_application(c->rig, rig_check_port(c), &d)) &&
	       rig_check_now_us() < end)
		rig_check_pause(c, POLL_US);
	c->no_application = known && !c->blank && r;
	if (c->no_application) {
		rig_check_mend(
			s, "is what is in the flash the application of the file, and does it use the USB socket? Write "
			   "it with a tool, or take 'application' out of the file");
		rig_check_end(c, s, RIG_CHECK_WARNING, "the bootloader went; %s",
			      r == -ENOTUNIQ ? "several such devices are there" : "nothing came");
		return;
	}
	rig_check_end(c, s, RIG_CHECK_OK, "%s", known && !c->blank ? "so it did" : "the bootloader went");
}

static void check_console(struct rig_check *c)
{
	struct rig_check_step *s = rig_check_begin(c, "console");
	uint64_t end = rig_check_now_us() + CONSOLE_US;
	char why[CONSOLE_PORT_WHY];
	const char *text;
	size_t length;

	if (!c->console) {
		rig_check_end(c, s, RIG_CHECK_SKIPPED, "the file has none");
		return;
	}
	snprintf(s->does, sizeof(s->does), "listening after that reset");
	snprintf(s->expects, sizeof(s->expects), "some text within %.0f s", (double)CONSOLE_US / 1e6);
	while (!*(text = console_port_text(c->console)) && rig_check_now_us() < end)
		rig_check_pause(c, POLL_US);
	if (*text) {
		text += strspn(text, "\n\t ");
		length = strcspn(text, "\n");
		rig_check_end(c, s, RIG_CHECK_OK, "'%.*s'", (int)(length > 120 ? 120 : length), text);
	} else if (console_port_state(c->console, why)) {
		/* The application's own port cannot be there without it; an adapter's can. */
		if (c->rig->console)
			rig_check_mend(s,
				       "is the serial adapter plugged in, and may you open it? Its path is 'device' of "
				       "'console' in the file ('ls -l /dev/serial/by-id')");
		else if (c->no_application)
			rig_check_mend(s,
				       "the application that the file speaks of did not come, and so did not its port");
		else if (c->blank)
			rig_check_mend(s, "no application is in the board: what a first download brings will open it");
		rig_check_end(c, s,
			      (c->blank || c->no_application) && !c->rig->console ? RIG_CHECK_WARNING
										  : RIG_CHECK_FAILED,
			      "%s", why);
	} else {
		rig_check_mend(
			s,
			"does the application say anything when it starts, at %u baud? TX of the board goes to RX "
			"of the adapter, and both share GND",
			c->rig->console_speed);
		rig_check_end(c, s, RIG_CHECK_WARNING, "nothing was said");
	}
}

/* --- cable and supply --- */

static void check_cut(struct rig_check *c, enum wire wire)
{
	bool power = wire == WIRE_POWER;
	struct rig_check_step *s = rig_check_begin(c, wire_name(wire));
	char why[BOARD_USB_WHY];
	struct host_device d;
	bool gone;

	if (!has(c, wire)) {
		rig_check_end(c, s, RIG_CHECK_SKIPPED, "the file has no such wire");
		return;
	}
	snprintf(s->does, sizeof(s->does),
		 power ? "in its bootloader, supply off, and on again" : "in its bootloader, VBUS off, and on again");
	snprintf(s->expects, sizeof(s->expects), "the device goes, and comes back");
	if (!reset(c, s, true))
		return;
	if (rig_check_wait_rom(c, &d, c->rig->listed_us, why)) {
		rig_check_end(c, s, RIG_CHECK_FAILED, "the bootloader did not come up: %s", why);
		return;
	}
	if (power ? !supply(c, s, false) : !set(c, s, wire, false))
		return;
	gone = rig_check_wait_rom_gone(c, RIG_CHECK_GONE_US);
	rig_check_pause(c, power ? c->rig->off_us : 0);
	if (power ? !supply(c, s, true) : !set(c, s, wire, true))
		return;
	if (!gone) {
		rig_check_mend(
			s, power ? "the board has another supply as well, or the wire is another one: a Discovery is "
				   "powered by CN1, by 5V and by 3V"
				 : "the hub does not switch this port, or it is another port ('uhubctl' lists those "
				   "that can be)");
		rig_check_end(c, s, RIG_CHECK_FAILED, "the device stayed");
	} else if (rig_check_wait_rom(c, &d, c->rig->listed_us, why)) {
		rig_check_mend(s, "give the supply more time ('timing': on, off)");
		rig_check_end(c, s, RIG_CHECK_FAILED, "it went, and did not come back: %s", why);
	} else {
		rig_check_end(c, s, RIG_CHECK_OK, "so it did");
	}
}

/* What idles off is off until somebody asks for it. */
static bool check_supply(struct rig_check *c)
{
	bool power_off = !wire_idles_high(c->rig, WIRE_POWER), vbus_off = !wire_idles_high(c->rig, WIRE_VBUS);
	struct rig_check_step *s = rig_check_begin(c, "supply");

	if (!power_off && !vbus_off)
		return true;
	snprintf(s->does, sizeof(s->does), "%s%s%s on, which idle%s off", power_off ? "power" : "",
		 power_off && vbus_off ? " and " : "", vbus_off ? "VBUS" : "", power_off && vbus_off ? "" : "s");
	if (!supply(c, s, true))
		return false;
	rig_check_end(c, s, RIG_CHECK_OK, "the drivers say so");
	return true;
}

static void check_board(struct rig_check *c)
{
	struct host_device d;

	if (!check_supply(c) || !check_bootloader(c, &d) || !check_access(c, &d) || !check_alone(c) ||
	    !rig_check_state(c, &d))
		return;
	check_reset(c);
	rig_check_memory(c);
	check_cut(c, WIRE_VBUS);
	check_cut(c, WIRE_POWER);
	check_application(c);
	check_console(c);
}

/* Where a check ended early: tools that work on other boards are to find no second one. */
static void leave(struct rig_check *c)
{
	char why[BOARD_USB_WHY];
	struct host_device d;
	bool by_nrst = c->rig->reset_by == WIRE_NRST;
	const enum wire *w = c->rig->off_order;

	/* Another board than the one that is meant has come by these wires as well. */
	if (board_usb_rom(c->rig, &d, why) == -ENODEV || !rig_check_tried(c, WIRE_BOOT0, false))
		return;
	rig_check_pause(c, c->rig->settle_us);
	for (; !by_nrst && *w != WIRES; w++)
		rig_check_tried(c, *w, false);
	if (by_nrst)
		rig_check_tried(c, WIRE_NRST, false);
	rig_check_pause(c, by_nrst ? c->rig->reset_us : c->rig->off_us);
	for (w = c->rig->on_order; !by_nrst && *w != WIRES; w++)
		rig_check_tried(c, *w, true);
	if (by_nrst)
		rig_check_tried(c, WIRE_NRST, true);
	rig_check_wait_rom_gone(c, RIG_CHECK_GONE_US);
}

void rig_check_board(struct rig_check *c)
{
	check_board(c);
	leave(c);
}
