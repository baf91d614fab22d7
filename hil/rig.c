// SPDX-License-Identifier: GPL-2.0-or-later
/* What all rigs have in common: the names of what they can do. */
#include <stddef.h>
#include "rig.h"

const char *rig_can_name(enum rig_can can)
{
	switch (can) {
	case RIG_PINS:
		return "pins";
	case RIG_POWER:
		return "power";
	case RIG_CABLE:
		return "cable";
	case RIG_PREPARE:
		return "prepare";
	case RIG_READ:
		return "read";
	case RIG_STATE:
		return "state";
	case RIG_FAULTS:
		return "faults";
	case RIG_PROFILES:
		return "profiles";
	case RIG_BOARDS:
		return "boards";
	case RIG_TRANSCRIPT:
		return "transcript";
	case RIG_DURATIONS:
		return "durations";
	case RIG_IRREVERSIBLE:
		return "irreversible";
	case RIG_SOFTWARE_ENTRY:
		return "software-entry";
	case RIG_DENIED:
		return "denied";
	case RIG_CONSOLE:
		return "console";
	case RIG_EVENTS:
		return "events";
	case RIG_INSIDE:
		return "inside";
	case RIG_BOOT1:
		return "boot1";
	case RIG_FIRMWARE:
		return "firmware";
	case RIG_SEND:
		return "send";
	case RIG_LEDS:
		return "leds";
	case RIG_BUTTON:
		return "button";
	}
	return NULL;
}

const char *rig_application_word(enum rig_application application)
{
	static const char *const words[] = {
		[RIG_NO_APPLICATION] = "none", [RIG_SERIAL_PORT] = "0483:5740", [RIG_FLASHED] = "firmware"
	};

	return words[application];
}

bool rig_event_is_kept(const struct mcu_event *e)
{
	return e->type == MCU_EVENT_ERASED || e->type == MCU_EVENT_PROGRAMMED || e->type == MCU_EVENT_OPTIONS ||
	       e->type == MCU_EVENT_CUT;
}
