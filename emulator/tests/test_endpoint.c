// SPDX-License-Identifier: GPL-2.0-or-later
/* Endpoints between a device (the application's serial port) and a file (one end of a socket pair). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bench.h"
#include "cdc.h"
#include "endpoint.h"
#include "export.h"
#include "loop.h"

struct trial {
	struct bench *bench;
	struct loop *loop;
	struct front_env env;
	struct cdc_app *app;
	struct usbdev *device;
	struct export *export;
	struct endpoint *in, *out;
	struct usb_urb configure, direct;
	bool ready, configured;
	int fds[2]; /* the kernel's end of the device's, and the host's */
};

static void say(void *context, const char *line)
{
	(void)context;
	fail_msg("%s", line);
}

static void probe(void *context, struct usbdev *device, bool on)
{
	(void)context;
	(void)device;
	(void)on;
}

static void is_ready(void *context, const struct usb_description *d)
{
	struct trial *t = context;

	assert_non_null(d);
	t->ready = true;
}

static void is_gone(void *context)
{
	struct trial *t = context;

	t->ready = false;
}

static void completed(void *context, struct usb_urb *urb)
{
	struct trial *t = context;

	if (urb == &t->configure)
		t->configured = urb->result == USB_ACK;
	else if (urb != &t->direct && !endpoint_complete(t->in, urb))
		assert_true(endpoint_complete(t->out, urb));
}

static const struct export_ops export_ops = { .ready = is_ready, .gone = is_gone, .complete = completed };

static int setup(void **state)
{
	static struct trial t;
	int error;

	memset(&t, 0, sizeof(t));
	t.bench = bench_new(1);
	t.loop = loop_new(t.bench, 1, &error);
	t.env = (struct front_env){ .bench = t.bench, .loop = t.loop, .warn = say, .note = say, .probe = probe };
	t.app = cdc_app_new(CDC_STM32_VCP, "1");
	t.device = cdc_app_ops.start(t.app, NULL, 0);
	usbdev_attach(t.device, USB_SPEED_IS_FULL);
	t.export = export_new(&t.env, t.device, 1, &export_ops, &t);
	assert_non_null(t.export);
	bench_advance(t.bench, 10000000);
	assert_true(t.ready);
	t.configure = (struct usb_urb){ .setup = { .request = USB_REQUEST_SET_CONFIGURATION, .value = 1 } };
	export_submit(t.export, &t.configure);
	assert_true(t.configured);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, t.fds), 0);
	assert_int_equal(fcntl(t.fds[1], F_SETFL, O_NONBLOCK), 0);
	t.in = endpoint_new(t.loop, t.export, 0x81, 512, t.fds[0], 0, endpoint_file_move, &error);
	t.out = endpoint_new(t.loop, t.export, 0x01, 64, t.fds[0], 0, endpoint_file_move, &error);
	assert_non_null(t.in);
	assert_non_null(t.out);
	endpoint_start(t.in);
	endpoint_start(t.out);
	loop_start(t.loop);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	struct trial *t = *state;

	endpoint_free(t->in);
	endpoint_free(t->out);
	export_free(t->export);
	cdc_app_ops.stop(t->app, NULL);
	cdc_app_free(t->app);
	loop_free(t->loop);
	bench_free(t->bench);
	close(t->fds[0]);
	close(t->fds[1]);
	return 0;
}

static void data_goes_out_and_comes_back_in(void **state)
{
	struct trial *t = *state;
	uint8_t sent[5000], got[5000];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7);
	assert_int_equal(write(t->fds[1], sent, sizeof(sent)), sizeof(sent));
	for (unsigned i = 0; n < sizeof(got) && i < 10000; i++) {
		ssize_t r;

		assert_int_equal(loop_step(t->loop, 1000), 0);
		r = read(t->fds[1], got + n, sizeof(got) - n);
		n += r > 0 ? (size_t)r : 0;
	}
	assert_int_equal(n, sizeof(got));
	assert_memory_equal(sent, got, sizeof(got));
}

/* It completes within export_submit(). */
static void data_that_waits_already_comes_in_too(void **state)
{
	struct trial *t = *state;
	uint8_t text[4] = "abc", got[4] = "";
	ssize_t n = 0;
	int error;

	endpoint_free(t->in);
	t->in = NULL;
	t->direct = (struct usb_urb){ .endpoint = 0x01, .data = text, .length = 3 };
	export_submit(t->export, &t->direct);
	t->in = endpoint_new(t->loop, t->export, 0x81, 512, t->fds[0], 0, endpoint_file_move, &error);
	assert_non_null(t->in);
	endpoint_start(t->in);
	for (unsigned i = 0; n <= 0 && i < 100; i++) {
		loop_step(t->loop, 10);
		n = read(t->fds[1], got, sizeof(got));
	}
	assert_int_equal(n, 3);
	assert_memory_equal(got, "abc", 3);
}

static void freeing_takes_transfers_and_calls_back(void **state)
{
	struct trial *t = *state;

	endpoint_free(t->in);
	endpoint_free(t->out);
	t->in = t->out = NULL;
	assert_int_equal(write(t->fds[1], "x", 1), 1);
	loop_step(t->loop, 0);
	assert_int_equal(read(t->fds[1], (char[1]){ 0 }, 1), -1);
}

static void a_device_that_leaves_ends_them(void **state)
{
	struct trial *t = *state;

	usbdev_detach(t->device);
	assert_false(t->ready);
	assert_int_equal(write(t->fds[1], "x", 1), 1);
	for (unsigned i = 0; i < 10; i++)
		loop_step(t->loop, 5);
	assert_int_equal(read(t->fds[1], (char[1]){ 0 }, 1), -1);
}

static void a_file_that_is_hung_up_ends_them(void **state)
{
	struct trial *t = *state;

	assert_int_equal(shutdown(t->fds[1], SHUT_RDWR), 0);
	for (unsigned i = 0; worker_is_busy(t->out->worker) && i < 1000; i++)
		loop_step(t->loop, 5);
	assert_false(worker_is_busy(t->out->worker));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(data_goes_out_and_comes_back_in, setup, teardown),
		cmocka_unit_test_setup_teardown(data_that_waits_already_comes_in_too, setup, teardown),
		cmocka_unit_test_setup_teardown(freeing_takes_transfers_and_calls_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_leaves_ends_them, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_hung_up_ends_them, setup, teardown),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
