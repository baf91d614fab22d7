// SPDX-License-Identifier: GPL-2.0-or-later
/* A client of relay boards: relay_hidapi SERIAL [N on|off]... switches, then prints what the board says of its relays. */
#include <hidapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int report(hid_device *device, unsigned char data[9])
{
	memset(data, 0, 9);
	data[0] = 1;
	return hid_get_feature_report(device, data, 9) == 8 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct hid_device_info *all = hid_enumerate(0x16c0, 0x05df), *i = all;
	hid_device *device = NULL;
	unsigned char data[9];

	for (; i && argc > 1; i = i->next) {
		device = hid_open_path(i->path);
		if (device && !report(device, data) && !memcmp(data, argv[1], 5))
			break;
		hid_close(device);
		device = NULL;
	}
	if (!device) {
		fprintf(stderr, "there is no relay board with this serial number\n");
		return 1;
	}
	for (int n = 2; n + 1 < argc; n += 2) {
		unsigned char command[9] = { 0, !strcmp(argv[n + 1], "on") ? 0xff : 0xfd,
					     (unsigned char)atoi(argv[n]) };

		if (hid_send_feature_report(device, command, 9) < 0) {
			fprintf(stderr, "%ls\n", hid_error(device));
			return 1;
		}
	}
	if (report(device, data)) {
		fprintf(stderr, "%ls\n", hid_error(device));
		return 1;
	}
	printf("%ls %02x\n", i->product_string, data[7]);
	hid_close(device);
	hid_free_enumeration(all);
	return hid_exit();
}
