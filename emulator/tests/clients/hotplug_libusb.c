// SPDX-License-Identifier: GPL-2.0-or-later
/* What libusb offers beyond control transfers in a row: hotplug_libusb hotplug | cancel | fork | threads */
#define _GNU_SOURCE
#include <libusb.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "dfuse_raw.h"

static int control(void *device, uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length)
{
	return libusb_control_transfer(device, type, request, value, 0, data, length, TIMEOUT_MS);
}

static libusb_device_handle *open_board(libusb_context *usb)
{
	libusb_device_handle *h = libusb_open_device_with_vid_pid(usb, 0x0483, 0xdf11);

	if (!h)
		die("no board", 0);
	return h;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void check_result(const char *what, int result, int want)
{
	printf("%s: %s\n", what, libusb_error_name(result));
	if (result != want)
		die(what, result);
}

/* --- the board leaves, and comes back as something else --- */

static bool board_left, application_arrived;

static int LIBUSB_CALL plugged(libusb_context *usb, libusb_device *device, libusb_hotplug_event event, void *context)
{
	struct libusb_device_descriptor d;

	(void)usb;
	(void)context;
	libusb_get_device_descriptor(device, &d);
	printf("%s %04x:%04x\n", event == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED ? "arrived" : "left", d.idVendor,
	       d.idProduct);
	if (event == LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT && d.idProduct == 0xdf11)
		board_left = true;
	if (event == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED && d.idProduct == 0x5740)
		application_arrived = true;
	return 0;
}

static void hotplug(libusb_context *usb)
{
	struct timeval slice = { 0, 100000 };
	libusb_device_handle *h = open_board(usb);
	struct dfuse d = { control, h };
	double limit = now() + 20;
	uint8_t bytes[8];
	int state;

	check_result("register",
		     libusb_hotplug_register_callback(
			     usb, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
			     LIBUSB_HOTPLUG_NO_FLAGS, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
			     LIBUSB_HOTPLUG_MATCH_ANY, plugged, NULL, NULL),
		     0);
	check_result("claim", libusb_claim_interface(h, 0), 0);
	dfuse_to_idle(&d);
	dfuse_out(&d, DFU_DNLOAD, 0, NULL, 0);
	state = dfuse_state(&d);
	if (state != DFU_MANIFEST)
		die("dfuMANIFEST expected: state", state);
	while (!(board_left && application_arrived) && now() < limit)
		libusb_handle_events_timeout(usb, &slice);
	if (!board_left || !application_arrived)
		die("no news of the board", board_left);
	check_result("control transfer", control(h, 0xA1, DFU_GETSTATUS, 0, bytes, 6), LIBUSB_ERROR_NO_DEVICE);
	libusb_close(h);
}

/* --- a transfer that the board holds is taken back --- */

static bool completed;

static void LIBUSB_CALL done(struct libusb_transfer *t)
{
	(void)t;
	completed = true;
}

static void cancel(libusb_context *usb)
{
	libusb_device_handle *h = open_board(usb);
	struct libusb_transfer *t = libusb_alloc_transfer(0);
	struct timeval slice = { 0, 50000 };
	struct dfuse d = { control, h };
	uint8_t mass_erase = 0x41, buffer[LIBUSB_CONTROL_SETUP_SIZE + 6];
	double start, limit;
	int state;

	check_result("claim", libusb_claim_interface(h, 0), 0);
	dfuse_to_idle(&d);
	dfuse_out(&d, DFU_DNLOAD, 0, &mass_erase, 1);
	state = dfuse_state(&d);
	if (state != DFU_DNBUSY)
		die("dfuDNBUSY expected: state", state);
	for (int i = 0; i < 2; i++) {
		completed = false;
		libusb_fill_control_setup(buffer, 0xA1, DFU_GETSTATUS, 0, 0, 6);
		libusb_fill_control_transfer(t, h, buffer, done, NULL, 0);
		check_result("submit", libusb_submit_transfer(t), 0);
		libusb_handle_events_timeout_completed(usb, &slice, NULL);
		if (completed)
			die("the board did not hold its answer", t->status);
		start = now();
		check_result("cancel", libusb_cancel_transfer(t), 0);
		for (limit = start + 10; !completed && now() < limit;)
			libusb_handle_events_timeout(usb, &slice);
		if (!completed || t->status != LIBUSB_TRANSFER_CANCELLED || now() - start > 0.5)
			die("not cancelled at once: status", t->status);
	}
	state = dfuse_state(&d);
	if (state != DFU_DNLOAD_IDLE)
		die("dfuDNLOAD-IDLE expected: state", state);
	check_result("cancel of what is done", libusb_cancel_transfer(t), LIBUSB_ERROR_NOT_FOUND);
	libusb_free_transfer(t);
	libusb_close(h);
}

/* --- a child has a context of its own, while ours goes on --- */

static void expect_serial(libusb_device_handle *h)
{
	unsigned char text[64] = "";
	int r = libusb_get_string_descriptor_ascii(h, 3, text, sizeof(text));

	if (r != 12 || strcmp((char *)text, "326237753036"))
		die("serial number", r);
}

static void in_child(void)
{
	libusb_context *usb;
	libusb_device_handle *h;

	if (libusb_init(&usb))
		_exit(2);
	h = open_board(usb);
	for (int i = 0; i < 200; i++)
		expect_serial(h);
	if (libusb_claim_interface(h, 0) != LIBUSB_ERROR_BUSY)
		_exit(3);
	libusb_close(h);
	libusb_exit(usb);
	_exit(0);
}

static void forked(libusb_context *usb)
{
	libusb_device_handle *h = open_board(usb);
	struct dfuse d = { control, h };
	int status = 0;
	pid_t child;

	check_result("claim", libusb_claim_interface(h, 0), 0);
	child = fork();
	if (child == 0)
		in_child();
	for (int i = 0; i < 200; i++)
		dfuse_state(&d);
	if (waitpid(child, &status, 0) != child || status)
		die("the child failed", status);
	/* The child's end has closed its copies of our descriptors: ours must still work. */
	dfuse_to_idle(&d);
	expect_serial(h);
	libusb_close(h);
}

/* --- two threads on one handle --- */

static void *ask(void *handle)
{
	for (int i = 0; i < 500; i++)
		expect_serial(handle);
	return NULL;
}

static void threads(libusb_context *usb)
{
	libusb_device_handle *h = open_board(usb);
	pthread_t other;

	check_result("claim", libusb_claim_interface(h, 0), 0);
	if (pthread_create(&other, NULL, ask, h))
		die("no thread", 0);
	ask(h);
	pthread_join(other, NULL);
	libusb_close(h);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(libusb_context *);
	} tests[] = { { "hotplug", hotplug }, { "cancel", cancel }, { "fork", forked }, { "threads", threads } };
	libusb_context *usb;
	int r = libusb_init(&usb);

	if (r)
		die("libusb_init", r);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc == 2 && i < sizeof(tests) / sizeof(*tests); i++) {
		if (strcmp(tests[i].name, argv[1]))
			continue;
		tests[i].run(usb);
		libusb_exit(usb);
		puts("done");
		return 0;
	}
	die("usage", argc);
}
