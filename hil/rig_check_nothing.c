// SPDX-License-Identifier: GPL-2.0-or-later
/* `dfuhil rig check`: no bootloader came up. What can be known of the cause, by what is there instead and by trying other wirings. */
#include <stdio.h>
#include "rig_check.h"

#define TRY_US UINT64_C(3000000) /* for the bootloader, where another wiring than that of the file is tried */

/* Of a bootloader that went when the pins were so, does it come when they are otherwise? What was there all the time is not the board. */
static bool gone(struct rig_check *c)
{
	rig_check_pause(c, c->rig->reset_us + c->rig->settle_us);
	return rig_check_wait_rom_gone(c, RIG_CHECK_GONE_US);
}

static bool comes(struct rig_check *c)
{
	char why[BOARD_USB_WHY];
	struct host_device d;

	return !rig_check_wait_rom(c, &d, c->rig->listed_us < TRY_US ? c->rig->listed_us : TRY_US, why);
}

static bool put(struct rig_check *c, bool boot0, bool nrst)
{
	return rig_check_tried(c, WIRE_BOOT0, boot0) && rig_check_tried(c, WIRE_NRST, nrst);
}

bool rig_check_mend_by_trying(struct rig_check *c, struct rig_check_step *s)
{
	char boot0[320], nrst[320];

	if (c->rig->reset_by != WIRE_NRST)
		return false;
	snprintf(boot0, sizeof(boot0), "%s", wires_text(c->rig, WIRE_BOOT0));
	snprintf(nrst, sizeof(nrst), "%s", wires_text(c->rig, WIRE_NRST));
	if (put(c, true, true) && gone(c) && put(c, true, false) && comes(c))
		rig_check_mend(s, "it came up while NRST was held low: 'active' of nrst is the wrong way round: %.200s",
			       nrst);
	else if (put(c, false, false) && gone(c) && put(c, false, true) && comes(c))
		rig_check_mend(s, "it came up with BOOT0 low: 'active' of boot0 is the wrong way round: %.200s", boot0);
	else if (put(c, false, true) && gone(c) && put(c, true, true) && comes(c))
		rig_check_mend(
			s,
			"it came up when BOOT0 was let go in the place of NRST: the two are swapped, in the file "
			"or on the board: %.130s; %.130s",
			boot0, nrst);
	else
		return false;
	return true;
}

void rig_check_mend_nothing(struct rig_check *c, struct rig_check_step *s, bool app_before)
{
	struct host_device d;
	char boot0[320];

	if (rig_check_mend_by_trying(c, s))
		return;
	snprintf(boot0, sizeof(boot0), "%s", wires_text(c->rig, WIRE_BOOT0));
	if (!board_usb_application(c->rig, rig_check_port(c), &d)) {
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
	for (enum wire w = WIRE_POWER; w <= WIRE_VBUS; w++)
		if (c->rig->wires[w])
			rig_check_mend(s, "is it on? 'active' the wrong way round cuts it when it is to be on: %.200s",
				       wires_text(c->rig, w));
	rig_check_mend(
		s, "does NRST ever get high? 'active' the wrong way round holds the board in reset for good: %.150s",
		wires_text(c->rig, c->rig->reset_by));
	rig_check_mend(
		s,
		"does BOOT0 get high, and is it high as the reset ends? Measure it (P2 of the Discovery); a wrong "
		"line, or that of NRST, or 'active' the wrong way round? %.150s",
		boot0);
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
