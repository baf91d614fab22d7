// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests of the runner's own DFU host. */
#include "dfu_client.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "host_usb.h"
#include "host_wait.h"
#include "option_bytes.h"

#define REQUEST_US \
	UINT64_C(5000000) /* for what is answered at once: what a host allows any request (USB 2.0 9.2.6.1) */
/* A 128 KiB sector takes 4 s at most (DS8626, programming with x8): a board that holds an answer longer is stuck. */
#define SECTOR_US UINT64_C(10000000)
#define BUSY_MOST 200 /* answers of dfuDNBUSY to one command, which the ROM gives once */
#define UNDER_WAY 8u  /* blocks that are asked for before the first of them is here */
#define OUT 0x21
#define IN 0xa1

struct dfu_client {
	const struct mcu_profile *profile;
	struct host_usb *usb;
	char why[DFU_CLIENT_WHY];
};

struct reply {
	enum dfu_status status;
	enum dfu_state state;
	uint32_t poll_ms;
};

struct dfu_client *dfu_client_open(const struct mcu_profile *profile, unsigned bus, unsigned address,
				   char why[DFU_CLIENT_WHY])
{
	struct dfu_client *c = calloc(1, sizeof(*c));
	char reason[HOST_USB_WHY] = "out of memory";

	if (c)
		c->usb = host_usb_new(reason);
	if (c && c->usb && host_usb_open_at(c->usb, bus, address, reason)) {
		c->profile = profile;
		return c;
	}
	snprintf(why, DFU_CLIENT_WHY, "%.*s", DFU_CLIENT_WHY - 1, reason);
	dfu_client_close(c);
	return NULL;
}

void dfu_client_close(struct dfu_client *c)
{
	if (!c)
		return;
	host_usb_free(c->usb);
	free(c);
}

const char *dfu_client_why(const struct dfu_client *c)
{
	return c->why;
}

static int fail(struct dfu_client *c, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int fail(struct dfu_client *c, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->why, sizeof(c->why), format, args);
	va_end(args);
	return error;
}

/* --- requests --- */

static int judge(struct dfu_client *c, enum host_end end, size_t moved, size_t length, uint64_t within_us,
		 const char *name)
{
	if (host_usb_signal(c->usb))
		return fail(c, -EINTR, "signal %d came", host_usb_signal(c->usb));
	switch (end) {
	case HOST_OK:
		if (moved == length)
			return 0;
		return fail(c, -EPROTO, "%s moved %zu bytes of %zu", name, moved, length);
	case HOST_STALL:
		return fail(c, -EPIPE, "%s was stalled", name);
	case HOST_LATE:
		return fail(c, -ETIMEDOUT, "%s was not answered within %.1f s", name, (double)within_us / 1e6);
	case HOST_GONE:
		return fail(c, -ENODEV, "the device has gone at %s", name);
	default:
		return fail(c, -EIO, "%s failed on the bus", name);
	}
}

static int request(struct dfu_client *c, uint8_t type, uint8_t number, uint16_t value, uint8_t *data, size_t length,
		   uint64_t within_us, const char *name)
{
	size_t moved = 0;
	enum host_end end = host_usb_control(c->usb, type, number, value, host_usb_interface(c->usb), data,
					     (uint16_t)length, within_us, &moved);

	return judge(c, end, moved, length, within_us, name);
}

static int get_status(struct dfu_client *c, struct reply *reply, uint64_t within_us)
{
	uint8_t b[6] = { 0 };
	int error = request(c, IN, DFU_GETSTATUS, 0, b, sizeof(b), within_us, "GETSTATUS");

	if (error)
		return error;
	*reply = (struct reply){ .status = (enum dfu_status)b[0],
				 .state = (enum dfu_state)b[4],
				 .poll_ms = b[1] | (uint32_t)b[2] << 8 | (uint32_t)b[3] << 16 };
	return 0;
}

int dfu_client_state(struct dfu_client *c, enum dfu_state *state, uint64_t within_us)
{
	uint8_t b = 0;
	int error = request(c, IN, DFU_GETSTATE, 0, &b, 1, within_us, "GETSTATE");

	*state = (enum dfu_state)b;
	return error;
}

int dfu_client_status(struct dfu_client *c, enum dfu_state *state, enum dfu_status *status)
{
	struct reply r = { 0 };
	int error = get_status(c, &r, REQUEST_US);

	*state = r.state;
	*status = r.status;
	return error;
}

int dfu_client_idle(struct dfu_client *c)
{
	struct reply r;

	/* CLRSTATUS outside dfuERROR leads into it, so the second turn is of use. */
	for (int i = 0; i < 4; i++) {
		int error = get_status(c, &r, SECTOR_US);

		if (error)
			return error;
		if (r.state == DFU_IDLE)
			return 0;
		error = r.state == DFU_ERROR ? request(c, OUT, DFU_CLRSTATUS, 0, NULL, 0, REQUEST_US, "CLRSTATUS")
					     : request(c, OUT, DFU_ABORT, 0, NULL, 0, REQUEST_US, "ABORT");
		if (error)
			return error;
	}
	return fail(c, -EPROTO, "the board does not go to dfuIDLE: it stays in %s (%s)", dfu_state_name(r.state),
		    dfu_status_name(r.status));
}

/* What it makes of a download: dfuDNBUSY with a time to wait, and when that is over dfuDNLOAD-IDLE or an error. */
static int settle(struct dfu_client *c, uint64_t within_us, const char *what)
{
	uint64_t until = host_wait_now_us() + within_us;
	struct reply r;

	for (int i = 0; i < BUSY_MOST; i++) {
		uint64_t now = host_wait_now_us();
		int error = get_status(c, &r, now < until ? until - now : 1);

		if (error)
			return error;
		if (r.state == DFU_DNLOAD_IDLE)
			return 0;
		if (r.state == DFU_ERROR)
			return fail(c, r.status == DFU_ERR_VENDOR ? -EACCES : -EIO, "%s: the board says %s%s", what,
				    dfu_status_name(r.status),
				    r.status == DFU_ERR_VENDOR ? ": it is read protected" : "");
		if (r.state != DFU_DNBUSY)
			return fail(c, -EPROTO, "%s: the board is in %s", what, dfu_state_name(r.state));
		if (!host_usb_sleep(c->usb, (uint64_t)r.poll_ms * 1000))
			return fail(c, -EINTR, "signal %d came", host_usb_signal(c->usb));
		if (host_wait_now_us() >= until)
			break;
	}
	return fail(c, -ETIMEDOUT, "%s: the board stays in dfuDNBUSY", what);
}

static int command(struct dfu_client *c, uint8_t code, uint32_t address, uint64_t within_us, const char *name)
{
	uint8_t b[5] = { code, (uint8_t)address, (uint8_t)(address >> 8), (uint8_t)(address >> 16),
			 (uint8_t)(address >> 24) };
	char what[64];
	int error;

	snprintf(what, sizeof(what), "%s 0x%08x", name, address);
	error = request(c, OUT, DFU_DNLOAD, 0, b, sizeof(b), REQUEST_US, what);
	return error ? error : settle(c, within_us, what);
}

int dfu_client_set_address(struct dfu_client *c, uint32_t address)
{
	return command(c, DFUSE_SET_ADDRESS, address, REQUEST_US, "Set Address");
}

int dfu_client_erase(struct dfu_client *c, uint32_t address, uint64_t *took_us)
{
	uint64_t start = host_wait_now_us();
	int error = command(c, DFUSE_ERASE, address, SECTOR_US, "Erase");

	*took_us = host_wait_now_us() - start;
	return error;
}

int dfu_client_write(struct dfu_client *c, uint32_t address, const uint8_t *data, size_t length)
{
	size_t size = c->profile->transfer_size_bytes;
	int error = dfu_client_set_address(c, address);
	uint8_t *block = malloc(size);

	if (!block)
		error = fail(c, -ENOMEM, "%s", strerror(ENOMEM));
	for (size_t at = 0, number = 2; at < length && !error; at += size, number++) {
		size_t part = length - at < size ? length - at : size;
		char what[64];

		snprintf(what, sizeof(what), "write to 0x%08zx", (size_t)address + at);
		memcpy(block, data + at, part);
		error = request(c, OUT, DFU_DNLOAD, (uint16_t)number, block, part, REQUEST_US, what);
		if (!error)
			error = settle(c, SECTOR_US, what);
	}
	free(block);
	return error;
}

static struct host_request *ask_block(struct dfu_client *c, size_t number, size_t length)
{
	size_t size = c->profile->transfer_size_bytes, left = length - number * size;

	return host_usb_begin(c->usb, IN, DFU_UPLOAD, (uint16_t)(number + 2), host_usb_interface(c->usb), NULL,
			      (uint16_t)(left < size ? left : size), REQUEST_US);
}

/* Some are under way at a time, lest the bus is idle while this process is waited for. */
static int read_blocks(struct dfu_client *c, uint32_t address, uint8_t *data, size_t length)
{
	size_t size = c->profile->transfer_size_bytes, count = (length + size - 1) / size, asked = 0;
	struct host_request *blocks[UNDER_WAY];
	int error = 0;

	for (size_t i = 0; i < asked || (i < count && !error); i++) {
		size_t at = i * size, moved;
		enum host_end end;
		char what[64];

		for (; !error && asked < count && asked < i + UNDER_WAY; asked++)
			blocks[asked % UNDER_WAY] = ask_block(c, asked, length);
		if (error)
			host_usb_give_up(c->usb, blocks[i % UNDER_WAY]);
		end = host_usb_end(c->usb, blocks[i % UNDER_WAY], data + at, &moved);
		snprintf(what, sizeof(what), "read from 0x%08zx", address + at);
		if (!error)
			error = judge(c, end, moved, length - at < size ? length - at : size, REQUEST_US, what);
	}
	return error;
}

int dfu_client_read(struct dfu_client *c, uint32_t address, uint8_t *data, size_t length)
{
	int error = dfu_client_set_address(c, address);

	if (!error)
		error = dfu_client_idle(c);
	if (!error)
		error = read_blocks(c, address, data, length);
	return error ? error : dfu_client_idle(c);
}

/* --- what the board goes by --- */

/* The GETSTATUS that makes it do so may find nobody any more. */
static int last_status(struct dfu_client *c, uint64_t within_us)
{
	struct reply r;
	int error = get_status(c, &r, within_us);

	if (error == -ENODEV || error == -EIO || error == -EPIPE)
		return 0;
	if (!error && r.state == DFU_ERROR)
		return fail(c, r.status == DFU_ERR_VENDOR ? -EACCES : -EIO, "the board says %s",
			    dfu_status_name(r.status));
	return error;
}

int dfu_client_leave(struct dfu_client *c, uint32_t address)
{
	int error = dfu_client_set_address(c, address);

	if (!error)
		error = request(c, OUT, DFU_DNLOAD, 2, NULL, 0, REQUEST_US, "the empty download");
	return error ? error : last_status(c, REQUEST_US);
}

int dfu_client_write_options(struct dfu_client *c, const uint8_t *bytes)
{
	uint8_t copy[OPTION_MAX_BYTES];
	int error = 0;

	for (unsigned i = 0, at = 0; i < 2 && c->profile->option_banks[i].size_bytes && !error; i++) {
		const struct option_bank *bank = &c->profile->option_banks[i];

		if (i)
			return fail(c, -EOPNOTSUPP,
				    "%s has option bytes in two places: the first are written, and it "
				    "has reset itself",
				    c->profile->name);
		memcpy(copy, bytes + at, bank->size_bytes);
		at += bank->size_bytes;
		error = dfu_client_set_address(c, bank->base);
		if (!error)
			error = request(c, OUT, DFU_DNLOAD, 2, copy, bank->size_bytes, REQUEST_US,
					"write of option bytes");
		if (!error)
			error = last_status(c, REQUEST_US);
	}
	return error;
}

int dfu_client_unprotect(struct dfu_client *c)
{
	uint8_t b = DFUSE_READ_UNPROTECT;
	int error = request(c, OUT, DFU_DNLOAD, 0, &b, 1, REQUEST_US, "Read Unprotect");

	return error ? error : last_status(c, REQUEST_US);
}

int dfu_client_restore(struct dfu_client *c, enum dfu_state state, uint32_t pointer)
{
	uint8_t byte[4];
	int error = dfu_client_set_address(c, pointer);

	if (error || state == DFU_DNLOAD_IDLE)
		return error;
	error = dfu_client_idle(c);
	if (!error && state == DFU_UPLOAD_IDLE)
		error = request(c, IN, DFU_UPLOAD, 2, byte, sizeof(byte), REQUEST_US, "read");
	if (!error && state == DFU_ERROR)
		error = request(c, OUT, DFU_CLRSTATUS, 0, NULL, 0, REQUEST_US, "CLRSTATUS");
	return error;
}
