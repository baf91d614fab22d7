// SPDX-License-Identifier: GPL-2.0-or-later
/* What modes, pins, causes and faults are called. */
#include "mcu.h"

const char *mcu_mode_name(enum mcu_mode mode)
{
	switch (mode) {
	case MCU_OFF:
		return "off";
	case MCU_IN_RESET:
		return "reset";
	case MCU_ROM_STARTING:
		return "bootloader-starting";
	case MCU_ROM:
		return "bootloader";
	case MCU_ROM_OTHER:
		return "bootloader-other-interface";
	case MCU_APPLICATION:
		return "application";
	case MCU_LOCKUP:
		return "lockup";
	}
	return "?";
}

const char *mcu_pin_name(enum mcu_pin pin)
{
	static const char *const names[] = { "BOOT0", "BOOT1", "NRST", "VDD", "VBUS" };

	return (unsigned)pin < MCU_PIN_COUNT ? names[pin] : "?";
}

const char *mcu_exception_name(unsigned exception)
{
	static const char *const names[] = { "HardFault", "MemManage", "BusFault", "UsageFault" };

	return exception - 3 < 4 ? names[exception - 3] : "no fault";
}

const char *reset_cause_name(enum reset_cause cause)
{
	switch (cause) {
	case RESET_POWER_ON:
		return "power-on";
	case RESET_PIN:
		return "pin";
	case RESET_OPTION_BYTES:
		return "option-bytes";
	case RESET_UNPROTECT:
		return "unprotect";
	case RESET_NOT_EXECUTABLE:
		return "not-executable";
	case RESET_SOFTWARE:
		return "software";
	case RESET_WATCHDOG:
		return "watchdog";
	case RESET_WINDOW_WATCHDOG:
		return "window-watchdog";
	case RESET_LOW_POWER:
		return "low-power";
	case RESET_STANDBY:
		return "standby";
	}
	return "?";
}
