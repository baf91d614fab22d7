// SPDX-License-Identifier: GPL-2.0-or-later
/* Preloaded: libusb's call that selects an alternate setting sends the request by itself. umockdev knows transfers, but not
 * the ioctl by which libusb has the kernel send this one. */
#include <libusb.h>

int libusb_set_interface_alt_setting(libusb_device_handle *handle, int interface, int alt)
{
	int r = libusb_control_transfer(handle, 0x01, LIBUSB_REQUEST_SET_INTERFACE, (uint16_t)alt, (uint16_t)interface,
					NULL, 0, 5000);

	return r < 0 ? r : 0;
}
