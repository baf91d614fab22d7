// SPDX-License-Identifier: GPL-2.0-or-later
/* `dfuhil rig check`: what is done to the board. Its flash is looked at, never written. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "dfu_client.h"
#include "option_bytes.h"
#include "protection.h"
#include "rig_check.h"

#define POLL_US 10000u
#define GONE_US UINT64_C(3000000)
#define ATTEMPTS 3 /* to come up as bootloader */
#define ASK_US UINT64_C(2000000)
#define CONSOLE_US UINT64_C(3000000)

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void pause_us(struct rig_check *c, uint64_t us)
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
		pause_us(c, c->rig->on_us);
	return true;
}

static bool hold(struct rig_check *c, struct rig_check_step *s, bool held)
{
	return c->rig->reset_by == WIRE_NRST ? set(c, s, WIRE_NRST, !held) : supply(c, s, !held);
}

static bool wait_rom_gone(struct rig_check *c, uint64_t within_us)
{
	uint64_t end = now_us() + within_us;
	char why[BOARD_USB_WHY];
	struct host_device d;

	int r;

	while ((r = board_usb_rom(c->rig, &d, why)) == 0 || r == -ENOTUNIQ) {
		if (now_us() >= end)
			return false;
		pause_us(c, POLL_US);
	}
	return true;
}

static bool reset(struct rig_check *c, struct rig_check_step *s, bool boot0)
{
	char why[WIRES_WHY];

	if (!set(c, s, WIRE_BOOT0, boot0) || !hold(c, s, true))
		return false;
	pause_us(c, c->rig->reset_by == WIRE_NRST ? c->rig->reset_us : c->rig->off_us);
	pause_us(c, c->rig->settle_us);
	if (c->console)
		console_port_clear(c->console);
	/* What is there while the board is held is not it. */
	if (!wait_rom_gone(c, GONE_US)) {
		rig_check_mend(s,
			       "the reset does not reach the board: measure it at the board; wrong line or relay, or "
			       "'active' the wrong way round? %.200s",
			       wires_text(c->rig, c->rig->reset_by));
		rig_check_mend(s, "or it is another board that looks the same: 'port' of 'board' says which is meant");
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

/* As board_usb_rom(), once that is ready; within so long. */
static int wait_rom(struct rig_check *c, struct host_device *d, uint64_t within_us, char why[BOARD_USB_WHY])
{
	uint64_t end = now_us() + within_us;
	struct host_refused refused = { 0 };
	int r;

	for (;;) {
		r = board_usb_rom(c->rig, d, why);
		if (!r && host_device_is_ready(d, now_us(), &refused)) {
			snprintf(c->port, sizeof(c->port), "%s", d->port);
			return 0;
		}
		if (now_us() >= end)
			return r ? r : -EAGAIN;
		pause_us(c, POLL_US);
	}
}

static const char *port_of(const struct rig_check *c)
{
	return *c->port ? c->port : NULL;
}

/* --- the bootloader --- */

/* Nothing came up. What can be known of the cause is in what came up instead, if anything did. */
static void mend_nothing(struct rig_check *c, struct rig_check_step *s, bool app_before)
{
	struct host_device d;

	if (!board_usb_application(c->rig, port_of(c), &d)) {
		rig_check_mend(s,
			       "the application is there instead, at port %s: BOOT0 was low at the reset, or there was "
			       "no reset. Measure BOOT0 (P2 of the Discovery) and NRST; a wrong line, or 'active' the "
			       "wrong way round? %.150s",
			       d.port, wires_text(c->rig, WIRE_BOOT0));
		return;
	}
	if (!app_before) {
		rig_check_mend(
			s, "is the board powered? The USB socket CN5 does not power a Discovery: CN1 (ST-LINK) does, "
			   "or 5 V from PA9 to the pin 5V");
		rig_check_mend(s,
			       "is the cable in CN5, does it carry data, and is it plugged into the port that the file "
			       "says? Try it with the jumper BOOT0-VDD in P2 and the button RESET: then "
			       "'lsusb' is to list %04x:%04x",
			       c->rig->vendor, c->rig->product);
	}
	rig_check_mend(
		s, "does NRST ever get high? 'active' the wrong way round holds the board in reset for good: %.150s",
		wires_text(c->rig, c->rig->reset_by));
	rig_check_mend(
		s, "is BOOT1 (PB2) high? Then the chip starts what is in its RAM, and nothing is on USB: pull it low "
		   "(AN2606, boot pattern 1)");
	rig_check_mend(s, "does something talk to the board while it starts? What comes first of USART1 (PA10), USART3 "
			  "(PB11, PC11), CAN2 (PB5) and USB is what the bootloader serves until the next reset: take "
			  "serial adapters off these pins (AN2606)");
	rig_check_mend(s, "has the chip a crystal or a clock of 4 to 26 MHz? Without HSE its bootloader resets itself "
			  "again and again; on the Discovery the clock comes from the ST-LINK, by R68, unless "
			  "X2 is used");
}

static bool check_bootloader(struct rig_check *c, struct host_device *d)
{
	struct rig_check_step *s = rig_check_begin(c, "bootloader");
	char why[BOARD_USB_WHY] = "", text[64];
	struct host_device app;
	bool app_before = !board_usb_application(c->rig, port_of(c), &app);
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
		start = now_us();
		r = wait_rom(c, d, c->rig->listed_us, why);
	}
	if (r) {
		if (r == -ENODEV)
			mend_nothing(c, s, app_before);
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
			      *d->serial ? d->serial : "(none)", d->port, (double)(now_us() - start) / 1e6);
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

/* What the bootloader says of itself right after a reset. */
static bool check_state(struct rig_check *c, const struct host_device *d)
{
	const struct mcu_profile *p = mcu_profile_find(c->rig->profile);
	struct rig_check_step *s = rig_check_begin(c, "start state");
	char why[DFU_CLIENT_WHY];
	struct dfu_client *client = dfu_client_open(p, d->bus, d->address, why);
	enum dfu_state state;
	enum dfu_status status;
	int r;

	snprintf(s->does, sizeof(s->does), "GETSTATUS");
	snprintf(s->expects, sizeof(s->expects), "%s, %s, as after a reset", dfu_state_name(p->boot_state),
		 dfu_status_name(p->boot_status));
	r = client ? dfu_client_state(client, &state, ASK_US) : -EACCES;
	if (!r)
		r = dfu_client_status(client, &state, &status);
	if (r)
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s", client ? dfu_client_why(client) : why);
	else if (state == p->boot_state && status == p->boot_status)
		rig_check_end(c, s, RIG_CHECK_OK, "so it is");
	else {
		rig_check_mend(s,
			       "was it reset at all? In its bootloader before, and still: then NRST is not wired, or "
			       "'active' is the wrong way round");
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s, %s", dfu_state_name((unsigned)state),
			      dfu_status_name((unsigned)status));
	}
	dfu_client_close(client);
	return !r;
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
	gone = wait_rom_gone(c, GONE_US);
	if (!hold(c, s, false))
		return;
	c->no_reset = !gone;
	if (!gone) {
		rig_check_mend(s,
			       "the reset does not reach the board: measure it at the board; wrong line or relay, or "
			       "'active' the wrong way round? %.200s",
			       wires_text(c->rig, c->rig->reset_by));
		rig_check_end(c, s, RIG_CHECK_FAILED, "the device stayed");
	} else if (wait_rom(c, &d, c->rig->listed_us, why)) {
		rig_check_mend(s, "what was said of the bootloader may be so now and then; run this check again");
		rig_check_end(c, s, RIG_CHECK_FAILED, "it went, and did not come back: %s", why);
	} else {
		rig_check_end(c, s, RIG_CHECK_OK, "so it did");
	}
}

/* --- its memory --- */

static void check_memory(struct rig_check *c)
{
	const struct mcu_profile *p = mcu_profile_find(c->rig->profile);
	struct rig_check_step *s = rig_check_begin(c, "memory");
	uint8_t flash[4], options[OPTION_MAX_BYTES];
	char why[DFU_CLIENT_WHY];
	struct dfu_client *client = NULL;
	struct host_device d;
	unsigned locked = 0;
	int r;

	snprintf(s->does, sizeof(s->does), "the start of the flash and the option bytes are read");
	snprintf(s->expects, sizeof(s->expects), "no protection");
	if (board_usb_rom(c->rig, &d, why)) {
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s", why);
		return;
	}
	client = dfu_client_open(p, d.bus, d.address, why);
	r = client ? dfu_client_idle(client) : -EIO;
	if (!r)
		r = dfu_client_read(client, p->flash_base, flash, sizeof(flash));
	if (!r && p->option_banks[0].size_bytes)
		r = dfu_client_read(client, p->option_banks[0].base, options, p->option_banks[0].size_bytes);
	if (r == -EACCES && client) {
		rig_check_mend(s, "%s",
			       c->rig->allows & ALLOWS_RDP1
				       ? "scenarios take the protection away as they need it, which erases the board"
				       : "take it away, which erases the board: dfu-util -s :unprotect:force, or have "
					 "the file allow it ('allows: [rdp-1]')");
		rig_check_end(c, s, c->rig->allows & ALLOWS_RDP1 ? RIG_CHECK_WARNING : RIG_CHECK_FAILED,
			      "the board is read protected");
	} else if (r) {
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s", client ? dfu_client_why(client) : why);
	} else {
		c->blank = !memcmp(flash, "\xff\xff\xff\xff", sizeof(flash));
		for (unsigned i = 0; !p->option_banks[1].size_bytes && i < protection_sector_count(p); i++)
			locked += protection_covers(p, options, i);
		if (locked)
			rig_check_mend(s,
				       "option bytes as they leave the factory have none; writing these sectors has no "
				       "effect, and no error");
		rig_check_end(c, s, locked ? RIG_CHECK_WARNING : RIG_CHECK_OK, "%s; %u sector%s write protected",
			      c->blank ? "no application is in it" : "it holds something", locked,
			      locked == 1 ? " is" : "s are");
	}
	dfu_client_close(client);
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
	if (!wait_rom_gone(c, GONE_US)) {
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
	end = now_us() + c->rig->listed_us;
	while (known && !c->blank && (r = board_usb_application(c->rig, port_of(c), &d)) && now_us() < end)
		pause_us(c, POLL_US);
	if (known && !c->blank && r) {
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
	uint64_t end = now_us() + CONSOLE_US;
	char why[CONSOLE_PORT_WHY];
	const char *text;
	size_t length;

	if (!c->console) {
		rig_check_end(c, s, RIG_CHECK_SKIPPED, "the file has none");
		return;
	}
	snprintf(s->does, sizeof(s->does), "listening after that reset");
	snprintf(s->expects, sizeof(s->expects), "some text within %.0f s", (double)CONSOLE_US / 1e6);
	while (!*(text = console_port_text(c->console)) && now_us() < end)
		pause_us(c, POLL_US);
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
		else if (c->blank)
			rig_check_mend(s, "no application is in the board: what a first download brings will open it");
		rig_check_end(c, s, c->blank && !c->rig->console ? RIG_CHECK_WARNING : RIG_CHECK_FAILED, "%s", why);
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
	if (wait_rom(c, &d, c->rig->listed_us, why)) {
		rig_check_end(c, s, RIG_CHECK_FAILED, "the bootloader did not come up: %s", why);
		return;
	}
	if (power ? !supply(c, s, false) : !set(c, s, wire, false))
		return;
	gone = wait_rom_gone(c, GONE_US);
	pause_us(c, power ? c->rig->off_us : 0);
	if (power ? !supply(c, s, true) : !set(c, s, wire, true))
		return;
	if (!gone) {
		rig_check_mend(
			s, power ? "the board has another supply as well, or the wire is another one: a Discovery is "
				   "powered by CN1, by 5V and by 3V"
				 : "the hub does not switch this port, or it is another port ('uhubctl' lists those "
				   "that can be)");
		rig_check_end(c, s, RIG_CHECK_FAILED, "the device stayed");
	} else if (wait_rom(c, &d, c->rig->listed_us, why)) {
		rig_check_mend(s, "give the supply more time ('timing': on, off)");
		rig_check_end(c, s, RIG_CHECK_FAILED, "it went, and did not come back: %s", why);
	} else {
		rig_check_end(c, s, RIG_CHECK_OK, "so it did");
	}
}

void rig_check_board(struct rig_check *c)
{
	struct host_device d;

	if (!check_bootloader(c, &d) || !check_access(c, &d) || !check_alone(c))
		return;
	if (!check_state(c, &d))
		return;
	check_reset(c);
	check_memory(c);
	check_cut(c, WIRE_VBUS);
	check_cut(c, WIRE_POWER);
	check_application(c);
	check_console(c);
}
