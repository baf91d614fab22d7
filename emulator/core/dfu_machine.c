// SPDX-License-Identifier: GPL-2.0-or-later
/* What the protocols have in common: the one place where the state changes, the replies that tell it, names. */
#include <assert.h>
#include <string.h>
#include "dfu_machine.h"

#define STATUS_BYTES 6u

void dfu_machine_init(struct dfu_machine *d, const struct mcu_profile *profile, const struct dfu_ops *ops)
{
	struct dfu_ops kept = *ops; /* ops may be the machine's own */

	assert(profile->transfer_size_bytes <= DFU_MAX_TRANSFER);
	memset(d, 0, sizeof *d);
	d->profile = profile;
	d->ops = kept;
}

void dfu_commit(struct dfu_machine *d, enum dfu_state state, enum dfu_status status)
{
	if (state == d->state && status == d->status)
		return;
	d->state = state;
	d->status = status;
	d->ops.changed(d->ops.context, state, status);
}

void dfu_drop_download(struct dfu_machine *d)
{
	d->block = 0;
	d->length = 0;
	d->reply_starts = false;
}

enum usb_result dfu_answer_status(const struct dfu_machine *d, uint32_t poll_ms, const struct usb_setup *s,
				  uint8_t *data, size_t *actual)
{
	uint8_t reply[STATUS_BYTES] = {
		(uint8_t)d->status,       (uint8_t)poll_ms,  (uint8_t)(poll_ms >> 8),
		(uint8_t)(poll_ms >> 16), (uint8_t)d->state, 0, /* GS-2 */
	};

	*actual = s->length < STATUS_BYTES ? s->length : STATUS_BYTES;
	if (*actual)
		memcpy(data, reply, *actual);
	return USB_ACK;
}

enum usb_result dfu_answer_state(const struct dfu_machine *d, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	*actual = s->length ? 1 : 0;
	if (*actual)
		data[0] = (uint8_t)d->state;
	return USB_ACK;
}

void dfu_reply_delivered(struct dfu_machine *d)
{
	if (!d->reply_starts)
		return;
	d->reply_starts = false;
	d->executing = true;
	d->ops.execute(d->ops.context, &d->job); /* may have finished, or reset us, when it returns */
}

static const char *name_of(const char *const *names, size_t count, unsigned value)
{
	return value < count ? names[value] : "?";
}

const char *dfu_state_name(unsigned state)
{
	static const char *const names[] = {
		"appIDLE",        "appDETACH",        "dfuIDLE",     "dfuDNLOAD-SYNC",         "dfuDNBUSY",
		"dfuDNLOAD-IDLE", "dfuMANIFEST-SYNC", "dfuMANIFEST", "dfuMANIFEST-WAIT-RESET", "dfuUPLOAD-IDLE",
		"dfuERROR",
	};

	return name_of(names, sizeof names / sizeof *names, state);
}

const char *dfu_status_name(unsigned status)
{
	static const char *const names[] = {
		"OK",      "errTARGET", "errFILE",    "errWRITE",      "errERASE",    "errCHECK_ERASED",
		"errPROG", "errVERIFY", "errADDRESS", "errNOTDONE",    "errFIRMWARE", "errVENDOR",
		"errUSBR", "errPOR",    "errUNKNOWN", "errSTALLEDPKT",
	};

	return name_of(names, sizeof names / sizeof *names, status);
}

const char *dfu_request_name(unsigned request)
{
	static const char *const names[] = {
		"DFU_DETACH", "DFU_DNLOAD", "DFU_UPLOAD", "DFU_GETSTATUS", "DFU_CLRSTATUS", "DFU_GETSTATE", "DFU_ABORT",
	};

	return name_of(names, sizeof names / sizeof *names, request);
}
