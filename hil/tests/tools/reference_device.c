// SPDX-License-Identifier: GPL-2.0-or-later
/* dfu-reference: a device with DfuSe over libusb (DFU 1.1, AN3156). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "reference.h"

#define OUT 0x21
#define IN 0xa1
#define FIRST_BLOCK 2u
#define STALLS 3u
/* How long an answer may take: a block 0.2 s, a sector 4 s, all of the flash 32 s at most (STM32F405 datasheet, x8), and some. */
#define SHORT_MS 5000u
#define ERASE_MS 20000u
#define MASS_ERASE_MS 60000u
#define START_MS 40000u /* what an earlier run left may still erase */
#define GONE_MS 5000u

enum request { DETACH, DNLOAD, UPLOAD, GETSTATUS, CLRSTATUS, GETSTATE, ABORT };
enum state { IDLE = 2, DNLOAD_SYNC, DNBUSY, DNLOAD_IDLE, MANIFEST_SYNC, MANIFEST, WAIT_RESET, UPLOAD_IDLE, ERROR };

struct status {
	uint8_t status, state;
	uint32_t poll_ms;
};

static const char *status_name(const struct status *s)
{
	static const char *const names[] = { "OK",         "errTARGET",       "errFILE",     "errWRITE",
					     "errERASE",   "errCHECK_ERASED", "errPROG",     "errVERIFY",
					     "errADDRESS", "errNOTDONE",      "errFIRMWARE", "errVENDOR",
					     "errUSBR",    "errPOR",          "errUNKNOWN",  "errSTALLEDPKT" };

	return s->status < 16 ? names[s->status] : "unknown status";
}

/* What was done, for those who compare a mutant with its original. */
__attribute__((format(printf, 1, 2))) static void trace(const char *format, ...)
{
	static FILE *stream;
	const char *path = getenv("DFU_REFERENCE_TRACE");
	va_list args;

	if (!path || (!stream && !(stream = fopen(path, "a"))))
		return;
	va_start(args, format);
	vfprintf(stream, format, args);
	va_end(args);
	fflush(stream);
}

static void wait_ms(uint32_t ms)
{
	if (!ms || mutant(M_NO_POLL_WAIT))
		return;
	trace("wait %u ms\n", ms);
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}

/* Bytes moved, or an error of libusb. */
static int control(struct device *d, uint8_t type, enum request request, uint16_t value, uint8_t *data, uint16_t length,
		   unsigned limit_ms)
{
	unsigned sum = 0;
	int r;

	if (mutant(M_TIMEOUT_5S) && limit_ms > 5000)
		limit_ms = 5000;
	if (mutant(M_TIMEOUT_500MS))
		limit_ms = 500;
	if (mutant(M_NO_TIMEOUT))
		limit_ms = 0;
	do
		r = libusb_control_transfer(d->handle, type, (uint8_t)request, value,
					    mutant(M_WRONG_INDEX) ? 1 : d->interface, data, length, limit_ms);
	while (r == LIBUSB_ERROR_PIPE && mutant(M_RETRIES_FOR_EVER));
	for (int i = 0; i < length && data; i++)
		sum = sum * 31 + data[i];
	trace("%02x %u value %u length %u data %08x: %d\n", type, (unsigned)request, value, length, sum, r);
	if (r == LIBUSB_ERROR_PIPE && mutant(M_STALL_IS_DONE))
		return length;
	if (r == LIBUSB_ERROR_IO && mutant(M_BUS_ERROR_IS_DONE))
		return length;
	return r;
}

static enum outcome usb_failed(const char *what, int r)
{
	if (r >= 0)
		return fail(DEVICE_FAILED, "%s: %d bytes moved, which is too few", what, r);
	return fail(r == LIBUSB_ERROR_TIMEOUT     ? NO_ANSWER
		    : r == LIBUSB_ERROR_NO_DEVICE ? NO_DEVICE
						  : DEVICE_FAILED,
		    "%s: %s", what,
		    r == LIBUSB_ERROR_PIPE        ? "the device refuses it (STALL)"
		    : r == LIBUSB_ERROR_NO_DEVICE ? "the device is gone"
						  : libusb_strerror((enum libusb_error)r));
}

static enum outcome state_failed(const char *what, const struct status *s)
{
	if (s->state == ERROR && s->status == 11)
		return fail(PROTECTED, "%s: errVENDOR: the flash is protected from readout; unprotect erases it", what);
	return fail(DEVICE_FAILED, "%s: the device says %s, state %u", what, status_name(s), s->state);
}

static int get_status(struct device *d, struct status *s, unsigned limit_ms)
{
	uint8_t b[6] = { 0 };
	int r = control(d, IN, GETSTATUS, 0, b, sizeof(b), limit_ms);

	*s = (struct status){ b[0], b[4], (uint32_t)b[1] | (uint32_t)b[2] << 8 | (uint32_t)b[3] << 16 };
	if (r >= 0 && r < 6)
		return LIBUSB_ERROR_IO;
	return r < 0 ? r : 0;
}

/* GETSTATUS until the device is no longer busy. A STALL in the middle comes from chips that were asked too early. */
static enum outcome settle(struct device *d, const char *what, unsigned limit_ms, struct status *s)
{
	uint32_t waited_ms = 0, poll_ms = 0;
	unsigned stalls = 0, busy = 0;

	for (;;) {
		int r = get_status(d, s, limit_ms);

		if (r == LIBUSB_ERROR_PIPE && poll_ms && ++stalls <= STALLS && !mutant(M_GIVES_UP_STALLED)) {
			wait_ms(poll_ms);
			continue;
		}
		if (r)
			return usb_failed(what, r);
		if (s->state != DNBUSY && s->state != DNLOAD_SYNC && !(s->state == ERROR && mutant(M_POLLS_FOR_EVER)))
			return DONE;
		if (++busy == 2 && mutant(M_GIVES_UP_BUSY))
			return fail(DEVICE_FAILED, "%s: the device is still busy", what);
		poll_ms = s->poll_ms ? s->poll_ms : 1;
		if (waited_ms > limit_ms && !mutant(M_POLLS_FOR_EVER))
			return fail(NO_ANSWER, "%s: the device stays busy", what);
		if (mutant(M_CLRSTATUS_BUSY))
			control(d, OUT, CLRSTATUS, 0, NULL, 0, SHORT_MS);
		wait_ms(poll_ms);
		waited_ms += poll_ms;
	}
}

static enum outcome finish(struct device *d, const char *what, unsigned limit_ms)
{
	struct status s;
	enum outcome o = settle(d, what, limit_ms, &s);

	if (mutant(M_ALWAYS_SUCCESS) || (mutant(M_STALL_IS_DONE) && !o && !s.state))
		return o == NO_DEVICE ? o : DONE;
	if (o)
		return o;
	if (s.state != DNLOAD_IDLE || s.status)
		return state_failed(what, &s);
	wait_ms(s.poll_ms);
	return DONE;
}

/* A block that the device has not taken is sent again, twice at most: where its state says that it knows nothing of it. */
static enum outcome dnload(struct device *d, const char *what, uint16_t block, const uint8_t *data, size_t length)
{
	struct status s;
	int r, tries = 0;

	do {
		r = control(d, OUT, DNLOAD, block, (uint8_t *)data, (uint16_t)length, SHORT_MS);
		if (r != LIBUSB_ERROR_PIPE && r != LIBUSB_ERROR_IO)
			break;
	} while (++tries < 3 && !get_status(d, &s, SHORT_MS) && (s.state == IDLE || s.state == DNLOAD_IDLE));
	return r == (int)length || mutant(M_ALWAYS_SUCCESS) ? DONE : usb_failed(what, r);
}

static enum outcome command(struct device *d, const char *what, uint8_t code, uint32_t address, unsigned limit_ms)
{
	uint8_t b[5] = { code };
	enum outcome o;

	for (unsigned i = 0; i < 4; i++)
		b[1 + i] = (uint8_t)(address >> (mutant(M_BIG_ENDIAN) ? 24 - 8 * i : 8 * i));
	o = dnload(d, what, 0, b, sizeof(b));
	return o ? o : finish(d, what, limit_ms);
}

enum outcome device_set_address(struct device *d, uint32_t address)
{
	char what[64];

	snprintf(what, sizeof(what), "set address 0x%08x", address);
	return command(d, what, 0x21, address, SHORT_MS);
}

enum outcome device_erase(struct device *d, uint32_t address)
{
	char what[64];

	snprintf(what, sizeof(what), "erase 0x%08x", address);
	return command(d, what, 0x41, address, ERASE_MS);
}

enum outcome device_mass_erase(struct device *d)
{
	enum outcome o = dnload(d, "mass erase", 0, (const uint8_t[]){ 0x41 }, 1);

	return o ? o : finish(d, "mass erase", MASS_ERASE_MS);
}

enum outcome device_write(struct device *d, uint16_t block, const uint8_t *data, size_t length)
{
	struct status s;
	char what[64];
	enum outcome o;

	snprintf(what, sizeof(what), "write of block %u", block);
	o = dnload(d, what, block, data, length);
	if (o || mutant(M_NO_GETSTATUS))
		return o;
	if (mutant(M_ONE_GETSTATUS)) {
		int r = get_status(d, &s, SHORT_MS);

		wait_ms(s.poll_ms);
		return r ? usb_failed(what, r) : DONE;
	}
	return finish(d, what, SHORT_MS);
}

enum outcome device_read(struct device *d, uint16_t block, uint8_t *data, size_t length)
{
	struct status s;
	char what[64];
	int r = control(d, IN, UPLOAD, block, data, (uint16_t)length, SHORT_MS);

	if (r == (int)length || (mutant(M_ALWAYS_SUCCESS) && r != LIBUSB_ERROR_NO_DEVICE))
		return DONE;
	snprintf(what, sizeof(what), "upload of block %u", block);
	if (r == LIBUSB_ERROR_PIPE && !get_status(d, &s, SHORT_MS) && s.state == ERROR)
		return state_failed(what, &s);
	return usb_failed(what, r);
}

enum outcome device_select(struct device *d, unsigned alt)
{
	int r;

	if (alt >= d->alts)
		return fail(BAD_USAGE, "the device has no alternate setting %u", alt);
	if (mutant(M_IGNORES_ALT))
		return DONE;
	r = libusb_set_interface_alt_setting(d->handle, d->interface, (int)alt);
	trace("alternate setting %u: %d\n", alt, r);
	return r ? usb_failed("alternate setting", r) : DONE;
}

/* DFU 1.1 A.2: what leads to dfuIDLE from each state */
enum outcome device_to_idle(struct device *d)
{
	struct status s;
	uint32_t waited_ms = 0;
	int r;

	if (mutant(M_CLRSTATUS_ALWAYS) && (r = control(d, OUT, CLRSTATUS, 0, NULL, 0, SHORT_MS)))
		return usb_failed("CLRSTATUS", r);
	for (unsigned tries = 0; tries < 4;) {
		r = get_status(d, &s, START_MS);
		if (r == LIBUSB_ERROR_PIPE) {
			tries++;
			wait_ms(100);
			continue;
		}
		if (r)
			return usb_failed("GETSTATUS", r);
		if (s.state == IDLE && !s.status)
			return DONE;
		if (mutant(M_ALWAYS_SUCCESS) && tries)
			return DONE;
		if (s.state == DNBUSY && waited_ms <= START_MS) {
			wait_ms(s.poll_ms ? s.poll_ms : 1);
			waited_ms += s.poll_ms ? s.poll_ms : 1;
			continue;
		}
		if (s.state == ERROR && mutant(M_NO_CLRSTATUS))
			return DONE;
		if (s.state != ERROR && mutant(M_NO_RECOVERY))
			return state_failed("start", &s);
		r = control(d, OUT, s.state == ERROR && !mutant(M_ABORT_IN_ERROR) ? CLRSTATUS : ABORT, 0, NULL, 0,
			    SHORT_MS);
		if (r < 0 && r != LIBUSB_ERROR_PIPE)
			return usb_failed("recovery", r);
		tries++;
	}
	return mutant(M_STALL_IS_DONE) ? DONE : state_failed("the device does not become idle", &s);
}

/* Leaving: the device goes away */

static bool is_gone(struct device *d)
{
	libusb_device **list;
	ssize_t count = libusb_get_device_list(d->context, &list);
	bool there = false;

	for (ssize_t i = 0; i < count; i++)
		there |= list[i] == libusb_get_device(d->handle);
	if (count >= 0)
		libusb_free_device_list(list, 1);
	return count >= 0 && !there;
}

static bool leaves(struct device *d, unsigned within_ms)
{
	for (unsigned ms = 0; !is_gone(d); ms += 20) {
		if (ms >= within_ms)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	}
	return true;
}

enum outcome device_leave(struct device *d)
{
	struct status s = { 0 };
	enum outcome o = dnload(d, "leave", FIRST_BLOCK, NULL, 0);
	int r;

	if (o || mutant(M_LEAVE_NO_GETSTATUS))
		return o;
	r = get_status(d, &s, SHORT_MS);
	if (!r && s.state != MANIFEST && s.state != MANIFEST_SYNC && !mutant(M_ALWAYS_SUCCESS))
		return state_failed("leave", &s);
	wait_ms(s.poll_ms);
	if (mutant(M_LEAVE_ASKS_AGAIN) && (r = get_status(d, &s, SHORT_MS)))
		return usb_failed("leave", r);
	/* Some are gone before they have answered: they have done as they were told. */
	return leaves(d, GONE_MS) ? DONE : r ? usb_failed("leave", r) : fail(DEVICE_FAILED, "leave: the device stays");
}

static enum outcome execute_and_go(struct device *d, const char *what)
{
	struct status s;
	int r = get_status(d, &s, SHORT_MS);

	if (!r && s.state == DNBUSY) {
		wait_ms(s.poll_ms);
		r = get_status(d, &s, MASS_ERASE_MS);
	}
	if (!r && s.state == ERROR && !mutant(M_ALWAYS_SUCCESS))
		return state_failed(what, &s);
	if (r && mutant(M_UNPROTECT_ANSWER))
		return usb_failed(what, r);
	return leaves(d, MASS_ERASE_MS) ? DONE
	       : r                      ? usb_failed(what, r)
					: fail(DEVICE_FAILED, "%s: the device stays", what);
}

enum outcome device_unprotect(struct device *d)
{
	enum outcome o = dnload(d, "unprotect", 0, (const uint8_t[]){ 0x92 }, 1);

	return o ? o : execute_and_go(d, "unprotect");
}

enum outcome device_write_options(struct device *d, const uint8_t *data, size_t length)
{
	enum outcome o = dnload(d, "option bytes", FIRST_BLOCK, data, length);

	return o ? o : execute_and_go(d, "option bytes");
}
