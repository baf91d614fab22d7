/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the private bus: what readers find, what changes, what is left when all is over. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "tree.h"

#define DEVICES "sys/bus/usb/devices/"
#define BOARD "sys/devices/platform/dfubench.0/usb1/1-1/"

static uint8_t rom_configuration[54] = {
	0x09, 0x02, 0x36, 0x00, 0x01, 0x01, 0x00, 0xc0, 0x32, 0x09, 0x04, 0x00, 0x00, 0x00, 0xfe, 0x01, 0x02, 0x04,
	0x09, 0x04, 0x00, 0x01, 0x00, 0xfe, 0x01, 0x02, 0x05, 0x09, 0x04, 0x00, 0x02, 0x00, 0xfe, 0x01, 0x02, 0x06,
	0x09, 0x04, 0x00, 0x03, 0x00, 0xfe, 0x01, 0x02, 0x07, 0x09, 0x21, 0x0b, 0xff, 0x00, 0x00, 0x08, 0x1a, 0x01,
};
static char manufacturer[] = "STMicroelectronics", product[] = "STM32  BOOTLOADER", serial[] = "326237753036";
static char flash_name[] = "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg";
static struct usb_interface_name rom_names[] = { { 1, 0, 0, flash_name } };

static const struct usb_description rom = {
	.speed = USB_SPEED_IS_FULL,
	.device = { 0x12, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x40, 0x83, 0x04, 0x11, 0xdf, 0x00, 0x22, 0x01, 0x02,
		    0x03, 0x01 },
	.configuration = 1,
	.configuration_count = 1,
	.configurations = { { .bytes = rom_configuration, .length = sizeof(rom_configuration) } },
	.manufacturer = manufacturer,
	.product = product,
	.serial = serial,
	.interface_names = rom_names,
	.interface_name_count = 1,
};

/* Two configurations; the first has a CDC-like pair, whose data interface has endpoints in alternate setting 1 only. */
static uint8_t cdc_configuration[] = {
	9, 2,  55, 0, 2, 1, 0, 0x80, 25, 9, 4,    0, 0, 1, 2, 2, 1,    0, 7,  5, 0x82, 3, 8, 0,    16, 9,  4, 1, 0,
	0, 10, 0,  0, 0, 9, 4, 1,    1,  2, 0xff, 0, 0, 0, 7, 5, 0x01, 2, 64, 0, 0,    7, 5, 0x81, 2,  64, 0, 0,
};
static uint8_t other_configuration[] = { 9, 2, 18, 0, 1, 2, 0, 0xe0, 250, 9, 4, 3, 0, 0, 0xff, 1, 2, 0 };
static char configuration_name[] = "both";

static const struct usb_description cdc = {
	.speed = USB_SPEED_IS_FULL,
	.device = { 0x12, 0x01, 0x00, 0x02, 0x02, 0x00, 0x00, 0x08, 0x83, 0x04, 0x40, 0x57, 0x34, 0x12, 0x00, 0x00,
		    0x00, 0x02 },
	.configuration = 1,
	.configuration_count = 2,
	.configurations = { { .bytes = cdc_configuration,
			      .length = sizeof(cdc_configuration),
			      .name = configuration_name },
			    { .bytes = other_configuration, .length = sizeof(other_configuration) } },
};

struct place {
	char base[64];
	struct tree *tree;
};

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int setup_base(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	strcpy(p->base, "/tmp/dfubench-test-XXXXXX");
	assert_non_null(mkdtemp(p->base));
	*state = p;
	return 0;
}

static int setup(void **state)
{
	int error;

	setup_base(state);
	((struct place *)*state)->tree = tree_new(((struct place *)*state)->base, &error);
	assert_non_null(((struct place *)*state)->tree);
	assert_int_equal(tree_show(((struct place *)*state)->tree), 0);
	return 0;
}

/* Every test: nothing may be left behind. */
static int teardown(void **state)
{
	struct place *p = *state;
	int left;

	tree_free(p->tree);
	left = entries(p->base);
	nftw(p->base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(p);
	return left ? -1 : 0;
}

static const char *path_of(const struct tree *t, const char *name)
{
	static char path[4][PATH_MAX];
	static unsigned turn;
	char *out = path[turn++ % 4];

	snprintf(out, PATH_MAX, "%s/%s", tree_root(t), name);
	return out;
}

static bool exists(const struct tree *t, const char *name)
{
	struct stat st;

	return !lstat(path_of(t, name), &st);
}

static size_t slurp(const struct tree *t, const char *name, char *out, size_t size)
{
	FILE *f = fopen(path_of(t, name), "r");
	size_t n;

	if (!f)
		fail_msg("%s: %s", name, strerror(errno));
	n = fread(out, 1, size - 1, f);
	fclose(f);
	out[n] = '\0';
	return n;
}

static void expect(const struct tree *t, const char *name, const char *want)
{
	char text[4096];

	slurp(t, name, text, sizeof(text));
	if (strcmp(text, want))
		fail_msg("%s: '%s', not '%s'", name, text, want);
}

static void expect_link(const struct tree *t, const char *name, const char *want)
{
	char text[256];
	ssize_t n = readlink(path_of(t, name), text, sizeof(text) - 1);

	if (n < 0)
		fail_msg("%s: %s", name, strerror(errno));
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void board_reads_as_under_linux(void **state)
{
	static const struct {
		const char *name, *want;
	} attributes[] = {
		{ "idVendor", "0483\n" },
		{ "idProduct", "df11\n" },
		{ "bcdDevice", "2200\n" },
		{ "version", " 1.00\n" },
		{ "speed", "12\n" },
		{ "busnum", "1\n" },
		{ "devnum", "2\n" },
		{ "devpath", "1\n" },
		{ "dev", "189:1\n" },
		{ "maxchild", "0\n" },
		{ "bDeviceClass", "00\n" },
		{ "bDeviceSubClass", "00\n" },
		{ "bDeviceProtocol", "00\n" },
		{ "bMaxPacketSize0", "64\n" },
		{ "bNumConfigurations", "1\n" },
		{ "bNumInterfaces", " 1\n" },
		{ "bConfigurationValue", "1\n" },
		{ "bmAttributes", "c0\n" },
		{ "bMaxPower", "100mA\n" },
		{ "configuration", "" },
		{ "manufacturer", "STMicroelectronics\n" },
		{ "product", "STM32  BOOTLOADER\n" },
		{ "serial", "326237753036\n" },
		{ "urbnum", "0\n" },
		{ "quirks", "0x0\n" },
		{ "authorized", "1\n" },
		{ "ltm_capable", "no\n" },
		{ "avoid_reset_quirk", "0\n" },
		{ "rx_lanes", "1\n" },
		{ "tx_lanes", "1\n" },
		{ "uevent", "MAJOR=189\nMINOR=1\nDEVNAME=bus/usb/001/002\nDEVTYPE=usb_device\nDRIVER=usb\n"
			    "PRODUCT=483/df11/2200\nTYPE=0/0/0\nBUSNUM=001\nDEVNUM=002\n" },
		{ "ep_00/bEndpointAddress", "00\n" },
		{ "ep_00/wMaxPacketSize", "0040\n" },
		{ "ep_00/type", "Control\n" },
		{ "ep_00/direction", "both\n" },
		{ "ep_00/interval", "0ms\n" },
		{ "1-1:1.0/bInterfaceNumber", "00\n" },
		{ "1-1:1.0/bAlternateSetting", " 0\n" },
		{ "1-1:1.0/bNumEndpoints", "00\n" },
		{ "1-1:1.0/bInterfaceClass", "fe\n" },
		{ "1-1:1.0/bInterfaceSubClass", "01\n" },
		{ "1-1:1.0/bInterfaceProtocol", "02\n" },
		{ "1-1:1.0/interface", "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg\n" },
		{ "1-1:1.0/modalias", "usb:v0483pDF11d2200dc00dsc00dp00icFEisc01ip02in00\n" },
		{ "1-1:1.0/uevent", "DEVTYPE=usb_interface\nPRODUCT=483/df11/2200\nTYPE=0/0/0\nINTERFACE=254/1/2\n"
				    "MODALIAS=usb:v0483pDF11d2200dc00dsc00dp00icFEisc01ip02in00\n" },
	};
	struct tree *t = ((struct place *)*state)->tree;
	char bytes[256], name[128];
	struct stat st;

	assert_int_equal(tree_add_device(t, 2, 1, &rom, false), 0);
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		snprintf(name, sizeof(name), DEVICES "1-1/%s", attributes[i].name);
		expect(t, name, attributes[i].want);
	}
	assert_int_equal(slurp(t, DEVICES "1-1/descriptors", bytes, sizeof(bytes)), 18 + 54);
	assert_memory_equal(bytes, rom.device, 18);
	assert_memory_equal(bytes + 18, rom_configuration, 54);
	assert_int_equal(stat(path_of(t, "dev/bus/usb/001/002"), &st), 0);
	assert_true(S_ISCHR(st.st_mode) || S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0664);
	assert_true(exists(t, "run/udev/control"));
	assert_true(exists(t, "run/udev/data/c189:1"));
	assert_true(exists(t, "run/udev/data/+usb:1-1:1.0"));
}

static void links_are_those_of_sysfs(void **state)
{
	static const struct {
		const char *name, *want, *leads_to;
	} links[] = {
		{ DEVICES "1-1", "../../../devices/platform/dfubench.0/usb1/1-1", BOARD },
		{ DEVICES "1-1:1.0", "../../../devices/platform/dfubench.0/usb1/1-1/1-1:1.0", BOARD "1-1:1.0" },
		{ DEVICES "usb1", "../../../devices/platform/dfubench.0/usb1", BOARD ".." },
		{ DEVICES "1-0:1.0", "../../../devices/platform/dfubench.0/usb1/1-0:1.0", BOARD "../1-0:1.0" },
		{ "sys/dev/char/189:1", "../../devices/platform/dfubench.0/usb1/1-1", BOARD },
		{ "sys/dev/char/189:0", "../../devices/platform/dfubench.0/usb1", BOARD ".." },
		{ BOARD "subsystem", "../../../../../bus/usb", "sys/bus/usb" },
		{ BOARD "driver", "../../../../../bus/usb/drivers/usb", "sys/bus/usb/drivers/usb" },
		{ BOARD "1-1:1.0/subsystem", "../../../../../../bus/usb", "sys/bus/usb" },
		{ BOARD "../subsystem", "../../../../bus/usb", "sys/bus/usb" },
		{ BOARD "../1-0:1.0/subsystem", "../../../../../bus/usb", "sys/bus/usb" },
		{ BOARD "../1-0:1.0/driver", "../../../../../bus/usb/drivers/hub", "sys/bus/usb/drivers/hub" },
		{ "sys/bus/usb/drivers/usb/1-1", "../../../../devices/platform/dfubench.0/usb1/1-1", BOARD },
		{ "sys/bus/usb/drivers/hub/1-0:1.0", "../../../../devices/platform/dfubench.0/usb1/1-0:1.0",
		  BOARD "../1-0:1.0" },
	};
	struct tree *t = ((struct place *)*state)->tree;

	assert_int_equal(tree_add_device(t, 2, 1, &rom, false), 0);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct stat there, want;

		expect_link(t, links[i].name, links[i].want);
		assert_int_equal(stat(path_of(t, links[i].name), &there), 0);
		assert_int_equal(stat(path_of(t, links[i].leads_to), &want), 0);
		assert_int_equal(there.st_ino, want.st_ino);
	}
	assert_false(exists(t, BOARD "1-1:1.0/driver"));
	assert_int_equal(entries(path_of(t, DEVICES)), 4);
}

static void other_buses_lead_to_the_machines_own(void **state)
{
	struct tree *t = ((struct place *)*state)->tree;
	DIR *real = opendir("/sys/bus");
	struct dirent *entry;
	char name[300], want[300];
	struct stat st;

	assert_int_equal(lstat(path_of(t, "sys/bus/usb"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	if (!real)
		return;
	while ((entry = readdir(real))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "usb"))
			continue;
		snprintf(name, sizeof(name), "sys/bus/%s", entry->d_name);
		snprintf(want, sizeof(want), "/sys/bus/%s", entry->d_name);
		expect_link(t, name, want);
	}
	closedir(real);
}

static void root_hub_is_device_1(void **state)
{
	struct tree *t = ((struct place *)*state)->tree;
	char bytes[256];

	expect(t, DEVICES "usb1/idVendor", "1d6b\n");
	expect(t, DEVICES "usb1/idProduct", "0001\n");
	expect(t, DEVICES "usb1/version", " 1.10\n");
	expect(t, DEVICES "usb1/bDeviceClass", "09\n");
	expect(t, DEVICES "usb1/devnum", "1\n");
	expect(t, DEVICES "usb1/devpath", "0\n");
	expect(t, DEVICES "usb1/product", "dfubench private bus\n");
	expect(t, DEVICES "usb1/serial", "dfubench.0\n");
	expect(t, DEVICES "1-0:1.0/bInterfaceClass", "09\n");
	expect(t, DEVICES "1-0:1.0/ep_81/type", "Interrupt\n");
	expect(t, DEVICES "1-0:1.0/ep_81/interval", "255ms\n");
	expect(t, DEVICES "1-0:1.0/ep_81/wMaxPacketSize", "0002\n");
	assert_int_equal(slurp(t, DEVICES "usb1/descriptors", bytes, sizeof(bytes)), 18 + 25);
	assert_int_equal(tree_remove_device(t, 1), -ENODEV);
	assert_int_equal(tree_set_configuration(t, 1, 0), -ENODEV);
}

static void removed_device_leaves_nothing(void **state)
{
	struct tree *t = ((struct place *)*state)->tree;
	unsigned others = entries(path_of(t, "sys/dev/char")); /* the root hub, and the machine's own */

	assert_int_equal(tree_add_device(t, 2, 1, &rom, false), 0);
	assert_int_equal(tree_set_driver(t, 2, 0, "usbfs"), 0);
	assert_int_equal(tree_remove_device(t, 2), 0);
	assert_int_equal(tree_remove_device(t, 2), -ENODEV);
	assert_int_equal(entries(path_of(t, DEVICES)), 2);
	assert_int_equal(entries(path_of(t, "sys/dev/char")), others);
	assert_int_equal(entries(path_of(t, "dev/bus/usb/001")), 1);
	assert_int_equal(entries(path_of(t, "run/udev/data")), 2);
	assert_int_equal(entries(path_of(t, "sys/bus/usb/drivers/usb")), 1);
	assert_int_equal(entries(path_of(t, "sys/bus/usb/drivers/usbfs")), 0);
	assert_int_equal(entries(path_of(t, "stage")), 0);
	assert_false(exists(t, BOARD));
	assert_null(tree_description(t, 2));
}

static void port_takes_another_device_afterwards(void **state)
{
	struct tree *t = ((struct place *)*state)->tree;

	assert_int_equal(tree_add_device(t, 2, 1, &rom, false), 0);
	assert_int_equal(tree_add_device(t, 2, 2, &rom, false), -EEXIST);
	assert_int_equal(tree_add_device(t, 3, 1, &rom, false), -EEXIST);
	assert_int_equal(tree_remove_device(t, 2), 0);
	assert_int_equal(tree_add_device(t, 3, 1, &cdc, false), 0);
	expect(t, DEVICES "1-1/devnum", "3\n");
	expect(t, DEVICES "1-1/idProduct", "5740\n");
	expect(t, DEVICES "1-1/configuration", "both\n");
	assert_false(exists(t, DEVICES "1-1/serial"));
	assert_false(exists(t, "dev/bus/usb/001/002"));
	assert_true(exists(t, "dev/bus/usb/001/003"));
	assert_true(exists(t, DEVICES "1-1:1.1"));
}

static void numbers_outside_are_refused(void **state)
{
	static const unsigned pairs[][2] = { { 0, 1 }, { 1, 1 }, { 128, 1 }, { 2, 0 }, { 2, 16 } };
	struct tree *t = ((struct place *)*state)->tree;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_int_equal(tree_add_device(t, pairs[i][0], pairs[i][1], &rom, false), -EINVAL);
	assert_int_equal(tree_add_device(t, 127, 15, &rom, false), 0);
	expect(t, DEVICES "1-15/dev", "189:126\n");
}

static void denied_node_may_not_be_written(void **state)
{
	struct tree *t = ((struct place *)*state)->tree;
	struct stat st;

	assert_int_equal(tree_add_device(t, 2, 1, &rom, true), 0);
	assert_int_equal(stat(path_of(t, "dev/bus/usb/001/002"), &st), 0);
	assert_true(S_ISCHR(st.st_mode) || S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0444);
}

static void configuration_takes_its_interfaces_along(void **state)
{
	struct tree *t = ((struct place *)*state)->tree;

	assert_int_equal(tree_add_device(t, 2, 1, &cdc, false), 0);
	expect(t, DEVICES "1-1/bNumInterfaces", " 2\n");
	expect(t, DEVICES "1-1:1.0/ep_82/interval", "16ms\n");
	assert_int_equal(tree_interface(t, 2, 0), 0);
	assert_int_equal(tree_interface(t, 2, 1), 1);
	assert_int_equal(tree_interface(t, 2, 2), -1);
	assert_int_equal(tree_set_driver(t, 2, 1, "usbfs"), 0);

	assert_int_equal(tree_set_configuration(t, 2, 2), 0);
	expect(t, DEVICES "1-1/bConfigurationValue", "2\n");
	expect(t, DEVICES "1-1/bMaxPower", "500mA\n");
	expect(t, DEVICES "1-1/configuration", "");
	expect(t, DEVICES "1-1:2.3/bInterfaceNumber", "03\n");
	assert_true(exists(t, "run/udev/data/+usb:1-1:2.3"));
	assert_false(exists(t, DEVICES "1-1:1.0"));
	assert_false(exists(t, BOARD "1-1:1.0"));
	assert_false(exists(t, "run/udev/data/+usb:1-1:1.1"));
	assert_int_equal(entries(path_of(t, "sys/bus/usb/drivers/usbfs")), 0);

	assert_int_equal(tree_set_configuration(t, 2, 0), 0);
	expect(t, DEVICES "1-1/bConfigurationValue", "");
	assert_int_equal(tree_interface(t, 2, 0), -1);
	assert_int_equal(entries(path_of(t, DEVICES)), 3);

	assert_int_equal(tree_set_configuration(t, 2, 9), -EINVAL);
	assert_int_equal(tree_set_configuration(t, 2, 1), 0);
	expect(t, DEVICES "1-1/configuration", "both\n");
	assert_true(exists(t, DEVICES "1-1:1.1/bAlternateSetting"));
	assert_int_equal(tree_set_configuration(t, 3, 1), -ENODEV);
	assert_int_equal(entries(path_of(t, "stage")), 0);
}

static void alternate_setting_shows(void **state)
{
	struct tree *t = ((struct place *)*state)->tree;

	assert_int_equal(tree_add_device(t, 2, 1, &cdc, false), 0);
	assert_int_equal(tree_add_device(t, 3, 2, &rom, false), 0);
	assert_false(exists(t, DEVICES "1-1:1.1/ep_81"));
	assert_int_equal(tree_set_alt(t, 2, 1, 1, NULL), 0);
	expect(t, DEVICES "1-1:1.1/bAlternateSetting", " 1\n");
	expect(t, DEVICES "1-1:1.1/bNumEndpoints", "02\n");
	expect(t, DEVICES "1-1:1.1/bInterfaceClass", "ff\n");
	expect(t, DEVICES "1-1:1.1/modalias", "usb:v0483p5740d1234dc02dsc00dp00icFFisc00ip00in01\n");
	expect(t, DEVICES "1-1:1.1/ep_81/direction", "in\n");
	expect(t, DEVICES "1-1:1.1/ep_01/type", "Bulk\n");
	assert_int_equal(tree_set_alt(t, 2, 1, 1, NULL), 0);
	assert_int_equal(tree_set_alt(t, 2, 1, 0, NULL), 0);
	expect(t, DEVICES "1-1:1.1/bInterfaceClass", "0a\n");
	assert_false(exists(t, DEVICES "1-1:1.1/ep_81"));

	assert_int_equal(tree_set_alt(t, 3, 0, 2, "@OTP Memory /0x1FFF7800/01*512 e,01*016 e"), 0);
	expect(t, DEVICES "1-2:1.0/bAlternateSetting", " 2\n");
	expect(t, DEVICES "1-2:1.0/interface", "@OTP Memory /0x1FFF7800/01*512 e,01*016 e\n");
	assert_int_equal(tree_set_alt(t, 3, 0, 3, NULL), 0);
	assert_false(exists(t, DEVICES "1-2:1.0/interface"));
	assert_int_equal(tree_set_alt(t, 3, 0, 0, NULL), 0);
	expect(t, DEVICES "1-2:1.0/interface", "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg\n");
	assert_int_equal(tree_set_alt(t, 3, 0, 4, NULL), -EINVAL);
	assert_int_equal(tree_set_alt(t, 3, 1, 0, NULL), -EINVAL);
	assert_int_equal(tree_set_alt(t, 4, 0, 0, NULL), -ENODEV);
	assert_int_equal(entries(path_of(t, "stage")), 0);
}

static void driver_shows_while_bound(void **state)
{
	struct tree *t = ((struct place *)*state)->tree;
	struct uevent_device event;

	assert_int_equal(tree_add_device(t, 2, 1, &rom, false), 0);
	assert_int_equal(tree_set_driver(t, 2, 0, "usbfs"), 0);
	assert_int_equal(tree_set_driver(t, 2, 0, "usbfs"), 0);
	expect_link(t, DEVICES "1-1:1.0/driver", "../../../../../../bus/usb/drivers/usbfs");
	expect_link(t, "sys/bus/usb/drivers/usbfs/1-1:1.0", "../../../../devices/platform/dfubench.0/usb1/1-1/1-1:1.0");
	expect(t, DEVICES "1-1:1.0/uevent",
	       "DEVTYPE=usb_interface\nDRIVER=usbfs\nPRODUCT=483/df11/2200\nTYPE=0/0/0\nINTERFACE=254/1/2\n"
	       "MODALIAS=usb:v0483pDF11d2200dc00dsc00dp00icFEisc01ip02in00\n");
	assert_int_equal(tree_event(t, 2, 0, &event), 0);
	assert_string_equal(event.driver, "usbfs");
	assert_int_equal(tree_set_driver(t, 2, 0, "cdc_acm"), 0);
	assert_true(exists(t, "sys/bus/usb/drivers/cdc_acm/1-1:1.0"));
	assert_false(exists(t, "sys/bus/usb/drivers/usbfs/1-1:1.0"));
	assert_int_equal(tree_set_driver(t, 2, 0, NULL), 0);
	assert_false(exists(t, DEVICES "1-1:1.0/driver"));
	assert_false(exists(t, "sys/bus/usb/drivers/cdc_acm/1-1:1.0"));
	assert_int_equal(tree_set_driver(t, 2, 0, "../../x"), -EINVAL);
	assert_int_equal(tree_set_driver(t, 2, 5, "usbfs"), -EINVAL);
	assert_int_equal(tree_set_driver(t, 9, 0, "usbfs"), -ENODEV);
}

static void event_describes_device_and_interface(void **state)
{
	struct tree *t = ((struct place *)*state)->tree;
	struct uevent_device event;

	assert_int_equal(tree_add_device(t, 2, 1, &rom, false), 0);
	assert_int_equal(tree_event(t, 2, -1, &event), 0);
	assert_string_equal(event.devpath, "/devices/platform/dfubench.0/usb1/1-1");
	assert_string_equal(event.port, "1");
	assert_int_equal(event.number, 2);
	assert_null(event.interface);
	assert_int_equal(tree_event(t, 2, 0, &event), 0);
	assert_string_equal(event.devpath, "/devices/platform/dfubench.0/usb1/1-1/1-1:1.0");
	assert_memory_equal(event.interface, rom_configuration + 9, 9);
	assert_int_equal(tree_event(t, 2, 7, &event), -EINVAL);
	assert_int_equal(tree_event(t, 3, -1, &event), -ENODEV);
}

static void strings_are_just_content(void **state)
{
	static char *const odd[] = { "../../etc", "a/b", "%s%n", "a\nb\x01\x7f", "\xff\xfe" };
	struct tree *t = ((struct place *)*state)->tree;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct usb_interface_name name = { 1, 0, 0, odd[i] };
		struct usb_description u = rom;
		char want[32];

		u.serial = u.product = u.manufacturer = odd[i];
		u.interface_names = &name;
		snprintf(want, sizeof(want), "%s\n", odd[i]);
		assert_int_equal(tree_add_device(t, 2, 1, &u, false), 0);
		expect(t, DEVICES "1-1/serial", want);
		expect(t, DEVICES "1-1:1.0/interface", want);
		assert_int_equal(tree_remove_device(t, 2), 0);
	}
}

static void hostile_configurations_are_survived(void **state)
{
	static uint8_t same_twice[] = { 9, 2, 36, 0, 2, 0, 0,   0, 0, 9, 4, 255, 9, 3,
					1, 2, 3,  9, 9, 4, 255, 9, 0, 1, 2, 3,   0 };
	static uint8_t endpoints[] = { 9, 2, 0, 0, 1, 1,    0, 0, 0, 9,    4,    0, 0,    255,  0, 0, 0,    0,
				       7, 5, 0, 0, 0, 0,    0, 7, 5, 0x81, 1,    0, 0xff, 0xff, 7, 5, 0x81, 3,
				       0, 0, 0, 7, 5, 0xff, 3, 0, 0, 255,  7,    5, 0x8f, 1,    0, 0, 0,    9,
				       4, 0, 1, 0, 0, 0,    0, 0, 7, 5,    0x02, 3, 0,    0,    0, 0 };
	struct tree *t = ((struct place *)*state)->tree;
	struct usb_description u = rom;
	uint8_t many[9 + 9 * 256] = { 9, 2, 0, 0, 255, 1, 0, 0, 0 };

	u.configurations[0] = (struct usb_configuration){ .bytes = same_twice, .length = sizeof(same_twice) };
	u.configuration = 0;
	assert_int_equal(tree_add_device(t, 2, 1, &u, false), 0);
	expect(t, DEVICES "1-1:0.255/bAlternateSetting", " 9\n");
	assert_int_equal(tree_set_alt(t, 2, 255, 9, NULL), 0);
	assert_int_equal(tree_remove_device(t, 2), 0);

	u.configurations[0] = (struct usb_configuration){ .bytes = endpoints, .length = sizeof(endpoints) };
	u.configuration = 1;
	assert_int_equal(tree_add_device(t, 2, 1, &u, false), 0);
	assert_true(exists(t, DEVICES "1-1:1.0/ep_81"));
	assert_true(exists(t, DEVICES "1-1:1.0/ep_8f"));
	assert_false(exists(t, DEVICES "1-1:1.0/ep_00"));
	assert_false(exists(t, DEVICES "1-1:1.0/ep_02"));
	assert_int_equal(tree_remove_device(t, 2), 0);

	for (unsigned i = 0; i < 256; i++)
		memcpy(many + 9 + 9 * i, (uint8_t[9]){ 9, 4, (uint8_t)i, 0, 0, 1, 2, 3, 0 }, 9);
	u.configurations[0] = (struct usb_configuration){ .bytes = many, .length = sizeof(many) };
	assert_int_equal(tree_add_device(t, 2, 1, &u, false), 0);
	assert_int_equal(entries(path_of(t, DEVICES)), 2 + 1 + 32);
}

static void nothing_is_written_before_a_look(void **state)
{
	struct place *p = *state;
	struct uevent_device event;
	int error;

	p->tree = tree_new(p->base, &error);
	assert_non_null(p->tree);
	assert_int_equal(tree_add_device(p->tree, 2, 1, &rom, false), 0);
	assert_int_equal(tree_add_device(p->tree, 3, 2, &rom, false), 0);
	assert_int_equal(tree_remove_device(p->tree, 2), 0);
	assert_int_equal(tree_add_device(p->tree, 4, 1, &cdc, true), 0);
	assert_int_equal(tree_event(p->tree, 4, 1, &event), 0);
	assert_int_equal(entries(tree_root(p->tree)), 0);

	assert_int_equal(tree_show(p->tree), 0);
	assert_int_equal(entries(path_of(p->tree, DEVICES)), 2 + 3 + 2);
	assert_int_equal(entries(path_of(p->tree, "dev/bus/usb/001")), 3);
	expect(p->tree, DEVICES "usb1/product", "dfubench private bus\n");
	expect(p->tree, DEVICES "1-1/idProduct", "5740\n");
	expect(p->tree, DEVICES "1-2/devnum", "3\n");
	assert_true(exists(p->tree, "sys/bus/usb/drivers/hub/1-0:1.0"));

	assert_int_equal(unlink(path_of(p->tree, DEVICES "1-2")), 0);
	assert_int_equal(tree_show(p->tree), 0); /* once is enough */
	assert_false(exists(p->tree, DEVICES "1-2"));
}

static void changes_show_the_tree(void **state)
{
	struct place *p = *state;
	int error;

	for (int i = 0; i < 2; i++) {
		p->tree = tree_new(p->base, &error);
		assert_non_null(p->tree);
		assert_int_equal(tree_add_device(p->tree, 2, 1, &cdc, false), 0);
		error = i ? tree_set_configuration(p->tree, 2, 2) : tree_set_alt(p->tree, 2, 1, 1, NULL);
		assert_int_equal(error, 0);
		assert_int_equal(exists(p->tree, DEVICES "1-1:1.1/ep_81"), i == 0);
		assert_int_equal(exists(p->tree, DEVICES "1-1:2.3"), i == 1);
		assert_true(exists(p->tree, DEVICES "usb1"));
		tree_free(p->tree);
		p->tree = NULL;
	}
}

/* The kernel's own drivers bind whether anybody looks or not. */
static void drivers_and_terminals_wait_for_the_tree(void **state)
{
	struct place *p = *state;
	int error;

	p->tree = tree_new(p->base, &error);
	assert_non_null(p->tree);
	assert_int_equal(tree_add_device(p->tree, 2, 1, &cdc, false), 0);
	assert_int_equal(tree_set_driver(p->tree, 2, 0, "cdc_acm"), 0);
	assert_int_equal(tree_add_terminal(p->tree, 0, 2, 0), 0);
	assert_int_equal(entries(tree_root(p->tree)), 0);
	assert_int_equal(tree_show(p->tree), 0);
	assert_true(exists(p->tree, DEVICES "1-1:1.0/driver"));
	assert_true(exists(p->tree, "sys/class/tty/ttyACM0"));
}

#define BY_PATH "dev/serial/by-path/platform-dfubench.0-usb-0:1:1.0"
#define BY_ID "dev/serial/by-id/usb-0483_5740-if00"

static void terminal_comes_and_goes(void **state)
{
	struct place *p = *state;
	struct uevent_device event;

	assert_int_equal(tree_add_terminal(p->tree, 3, 2, 0), -ENODEV);
	assert_int_equal(tree_add_device(p->tree, 2, 1, &cdc, false), 0);
	assert_int_equal(tree_add_terminal(p->tree, 3, 2, 7), -EINVAL);
	assert_int_equal(tree_add_terminal(p->tree, TREE_TERMINALS, 2, 0), -EINVAL);
	assert_int_equal(tree_add_terminal(p->tree, 3, 2, 0), 0);
	assert_int_equal(tree_add_terminal(p->tree, 3, 2, 1), -EEXIST);
	expect(p->tree, BOARD "1-1:1.0/tty/ttyACM3/dev", "166:3\n");
	expect(p->tree, "sys/class/tty/ttyACM3/uevent", "MAJOR=166\nMINOR=3\nDEVNAME=ttyACM3\n");
	expect(p->tree, "sys/class/tty/ttyACM3/device/bInterfaceClass", "02\n");
	expect(p->tree, "sys/class/tty/ttyACM3/device/../idProduct", "5740\n");
	expect(p->tree, "sys/class/tty/ttyACM3/subsystem/ttyACM3/dev", "166:3\n");
	expect(p->tree, "sys/dev/char/166:3/dev", "166:3\n");
	assert_true(exists(p->tree, "dev/ttyACM3"));
	assert_true(exists(p->tree, "run/udev/data/c166:3"));
	assert_true(exists(p->tree, BY_PATH));
	assert_true(exists(p->tree, BY_ID));
	assert_int_equal(tree_terminal_event(p->tree, 3, &event), 0);
	assert_string_equal(event.terminal, "ttyACM3");
	assert_string_equal(event.devpath, "/devices/platform/dfubench.0/usb1/1-1/1-1:1.0/tty/ttyACM3");

	assert_int_equal(tree_remove_terminal(p->tree, 3), 0);
	assert_int_equal(tree_remove_terminal(p->tree, 3), -ENODEV);
	assert_int_equal(tree_terminal_event(p->tree, 3, &event), -ENODEV);
	assert_false(exists(p->tree, BOARD "1-1:1.0/tty"));
	assert_false(exists(p->tree, "sys/class/tty/ttyACM3"));
	assert_false(exists(p->tree, "sys/dev/char/166:3"));
	assert_false(exists(p->tree, "run/udev/data/c166:3"));
	assert_false(exists(p->tree, "dev/ttyACM3"));
	assert_false(exists(p->tree, "dev/serial"));
}

static void lists_have_the_machines_entries_beside_ours(void **state)
{
	struct place *p = *state;

	assert_int_equal(tree_add_device(p->tree, 2, 1, &cdc, false), 0);
	assert_int_equal(tree_add_terminal(p->tree, 0, 2, 0), 0);
	assert_false(exists(p->tree, "dev/null"));
	assert_int_equal(tree_merge(p->tree, "/dev"), 0);
	assert_int_equal(tree_merge(p->tree, "/sys/class/tty"), 0);
	assert_true(exists(p->tree, "dev/null"));
	assert_true(exists(p->tree, "dev/ttyACM0"));
	assert_int_equal(entries(path_of(p->tree, "dev/bus")), 1);
	assert_int_equal(unlink(path_of(p->tree, "dev/null")), 0);
	assert_int_equal(tree_merge(p->tree, "/dev"), 0); /* once is enough */
	assert_false(exists(p->tree, "dev/null"));
}

static void two_trees_live_side_by_side(void **state)
{
	struct place *p = *state;
	int error;
	struct tree *other = tree_new(p->base, &error);

	assert_non_null(other);
	assert_string_not_equal(tree_root(other), tree_root(p->tree));
	assert_int_equal(entries(p->base), 2);
	tree_free(other);
	assert_true(exists(p->tree, DEVICES "usb1"));
}

static void root_is_private_and_named_after_its_owner(void **state)
{
	struct place *p = *state;
	char want[128];
	struct stat st;

	snprintf(want, sizeof(want), "%s/dfubench-%u-%d-", p->base, (unsigned)geteuid(), (int)getpid());
	assert_memory_equal(tree_root(p->tree), want, strlen(want));
	assert_int_equal(stat(tree_root(p->tree), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
}

static void stale_trees_are_removed_and_nothing_else(void **state)
{
	struct place *p = *state;
	char mine[PATH_MAX], bystander[PATH_MAX], victim[PATH_MAX], link[PATH_MAX], root[PATH_MAX] = "";
	int pipes[2], error, status;
	pid_t child;

	/* One left behind by a process that was killed, with a symbolic link out of it. */
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (!child) {
		struct tree *t = tree_new(p->base, &error);

		if (t && !tree_show(t) && write(pipes[1], tree_root(t), strlen(tree_root(t))) > 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_true(read(pipes[0], root, sizeof(root) - 1) > 0);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(access(root, F_OK), 0);
	snprintf(victim, sizeof(victim), "%s/victim", p->base);
	assert_int_equal(mkdir(victim, 0700), 0);
	snprintf(bystander, sizeof(bystander), "%s/victim/precious", p->base);
	assert_int_equal(mkdir(bystander, 0700), 0);
	snprintf(link, sizeof(link), "%.3000s/sys/bus/usb/out", root);
	assert_int_equal(symlink(victim, link), 0);
	/* A link that has the name of a tree is not one. */
	snprintf(mine, sizeof(mine), "%s/dfubench-%u-1-zzzzzz", p->base, (unsigned)geteuid());
	assert_int_equal(symlink(victim, mine), 0);

	p->tree = tree_new(p->base, &error);
	assert_non_null(p->tree);
	assert_int_equal(access(root, F_OK), -1);
	assert_int_equal(access(bystander, F_OK), 0);
	assert_int_equal(rmdir(bystander), 0);
	assert_int_equal(rmdir(victim), 0);
	assert_int_equal(unlink(mine), 0);
}

static void held_trees_are_not_stale(void **state)
{
	struct place *p = *state;
	int error, status;
	pid_t child = fork();

	if (!child) {
		struct tree *t = tree_new(p->base, &error);

		tree_free(t);
		_exit(t ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(exists(p->tree, DEVICES "usb1/idVendor"));
}

static void child_can_take_the_tree_away(void **state)
{
	struct place *p = *state;
	int status;
	pid_t child = fork();

	if (!child) {
		tree_free(p->tree);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(entries(p->base), 0);
	assert_true(tree_add_device(p->tree, 2, 1, &rom, false) < 0);
}

static void place_that_does_not_work_is_an_error(void **state)
{
	struct place *p = *state;
	char file[128];
	int error = 0, fd;

	assert_null(tree_new("/nonexistent/place", &error));
	assert_int_equal(error, -ENOENT);
	snprintf(file, sizeof(file), "%s/file", p->base);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_null(tree_new(file, &error));
	assert_int_equal(error, -ENOTDIR);
	assert_int_equal(unlink(file), 0);
	assert_null(tree_new("/proc", &error));
	assert_true(error < 0);
}

static void places_are_tried_in_turn(void **state)
{
	struct place *p = *state;
	const char *saved = getenv("XDG_RUNTIME_DIR");
	char *keep = saved ? strdup(saved) : NULL;
	int error;

	setenv("XDG_RUNTIME_DIR", p->base, 1);
	p->tree = tree_new(NULL, &error);
	assert_non_null(p->tree);
	assert_memory_equal(tree_root(p->tree), p->base, strlen(p->base));
	tree_free(p->tree);
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	p->tree = tree_new(NULL, &error);
	assert_non_null(p->tree);
	if (keep)
		setenv("XDG_RUNTIME_DIR", keep, 1);
	else
		unsetenv("XDG_RUNTIME_DIR");
	free(keep);
}

/* A limit on the size of files stands for a full disk. */
static void full_disk_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct tree *t = p->tree, *fresh;
	struct rlimit old, limit;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	int error;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(tree_add_device(t, 3, 2, &cdc, false), 0);
	for (rlim_t size = 0; size <= 600; size += 5) {
		int added;

		limit = old;
		limit.rlim_cur = size;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		added = tree_add_device(t, 2, 1, &rom, false);
		error = size == 600 ? 0 : tree_set_alt(t, 3, 1, size % 2 ? 1 : 0, NULL);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_true(error == 0 || error == -EFBIG);
		if (!added) {
			assert_int_equal(tree_remove_device(t, 2), 0);
		} else {
			assert_int_equal(added, -EFBIG);
		}
		assert_int_equal(entries(path_of(t, DEVICES)), 2 + 3);
		assert_int_equal(entries(path_of(t, "stage")), 0);
		assert_int_equal(entries(path_of(t, "run/udev/data")), 2 + 3);
		assert_int_equal(entries(path_of(t, "dev/bus/usb/001")), 2);
		assert_false(exists(t, BOARD));
	}
	limit = old;
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(tree_set_configuration(t, 3, 2), -EFBIG);
	fresh = tree_new(p->base, &error);
	assert_non_null(fresh);
	assert_int_equal(tree_add_device(fresh, 2, 1, &rom, false), 0);
	for (limit.rlim_cur = 0; limit.rlim_cur <= 80; limit.rlim_cur += 2) {
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		assert_int_equal(tree_show(fresh), -EFBIG);
		assert_int_equal(entries(tree_root(fresh)), 0);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(tree_show(fresh), 0);
	expect(fresh, DEVICES "1-1/idVendor", "0483\n");
	tree_free(fresh);
	assert_int_equal(entries(p->base), 1);
	assert_int_equal(entries(path_of(t, DEVICES)), 2 + 1);
	assert_int_equal(entries(path_of(t, "stage")), 0);
	assert_int_equal(tree_set_configuration(t, 3, 2), 0);
	signal(SIGXFSZ, handler);
}

static void no_descriptor_is_lost(void **state)
{
	struct place *p = *state;
	int before = entries("/proc/self/fd"), error;

	for (int i = 0; i < 3; i++) {
		struct tree *t = tree_new(p->base, &error);

		assert_non_null(t);
		assert_int_equal(tree_add_device(t, 2, 1, &cdc, false), 0);
		assert_int_equal(tree_set_configuration(t, 2, 2), 0);
		assert_int_equal(tree_set_configuration(t, 2, 1), 0);
		assert_int_equal(tree_set_alt(t, 2, 1, 1, NULL), 0);
		assert_int_equal(tree_remove_device(t, 2), 0);
		tree_free(t);
	}
	assert_int_equal(entries("/proc/self/fd"), before);
	tree_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_BASE(name) cmocka_unit_test_setup_teardown(name, setup_base, teardown)
	const struct CMUnitTest tests[] = {
		TEST(board_reads_as_under_linux),
		TEST(links_are_those_of_sysfs),
		TEST(other_buses_lead_to_the_machines_own),
		TEST(root_hub_is_device_1),
		TEST(removed_device_leaves_nothing),
		TEST(port_takes_another_device_afterwards),
		TEST(numbers_outside_are_refused),
		TEST(denied_node_may_not_be_written),
		TEST(configuration_takes_its_interfaces_along),
		TEST(alternate_setting_shows),
		TEST(driver_shows_while_bound),
		TEST(event_describes_device_and_interface),
		TEST(strings_are_just_content),
		TEST(hostile_configurations_are_survived),
		TEST_BASE(nothing_is_written_before_a_look),
		TEST_BASE(changes_show_the_tree),
		TEST_BASE(drivers_and_terminals_wait_for_the_tree),
		TEST(terminal_comes_and_goes),
		TEST(lists_have_the_machines_entries_beside_ours),
		TEST(two_trees_live_side_by_side),
		TEST(root_is_private_and_named_after_its_owner),
		TEST_BASE(stale_trees_are_removed_and_nothing_else),
		TEST(held_trees_are_not_stale),
		TEST(child_can_take_the_tree_away),
		TEST_BASE(place_that_does_not_work_is_an_error),
		TEST_BASE(places_are_tried_in_turn),
		TEST(full_disk_leaves_nothing),
		TEST_BASE(no_descriptor_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
