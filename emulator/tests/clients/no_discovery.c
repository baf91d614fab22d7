// SPDX-License-Identifier: GPL-2.0-or-later
// For LD_PRELOAD: libusb does not look for devices by itself. fwupd built with a libusb before 1.0.27 cannot tell it so: both
// want the netlink port that has the process's number, libusb gets it first, and fwupdtool install finds no device on any
// kernel (fwupd issue 8083, mended by its pull request 10422).
#include <libusb.h>

__attribute__((constructor)) static void no_discovery(void)
{
	libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
}
