// SPDX-License-Identifier: GPL-2.0-or-later
/* DFU 1.1 to the letter: which requests a state takes, and where each leads (appendix A.2). */
#include <string.h>
#include "dfu11.h"

/* bmAttributes of the functional descriptor, DFU 1.1 4.1.3 */
#define CAN_DOWNLOAD 0x01u
#define CAN_UPLOAD 0x02u
#define MANIFESTATION_TOLERANT 0x04u
#define WILL_DETACH 0x08u

#define BIT(request) (1u << (request))
#define STATUS_AND_STATE (BIT(DFU_GETSTATUS) | BIT(DFU_GETSTATE))

/* Whatever is not here is stalled and leads to dfuERROR. */
static const uint8_t requests_of_state[] = {
	[DFU_IDLE] = STATUS_AND_STATE | BIT(DFU_DNLOAD) | BIT(DFU_UPLOAD) | BIT(DFU_ABORT),
	[DFU_DNLOAD_SYNC] = STATUS_AND_STATE,
	[DFU_DNBUSY] = 0,
	[DFU_DNLOAD_IDLE] = STATUS_AND_STATE | BIT(DFU_DNLOAD) | BIT(DFU_ABORT),
	[DFU_MANIFEST_SYNC] = STATUS_AND_STATE,
	[DFU_MANIFEST] = 0,
	[DFU_MANIFEST_WAIT_RESET] = STATUS_AND_STATE,
	[DFU_UPLOAD_IDLE] = STATUS_AND_STATE | BIT(DFU_UPLOAD) | BIT(DFU_ABORT),
	[DFU_ERROR] = STATUS_AND_STATE | BIT(DFU_CLRSTATUS),
};

static unsigned attributes(const struct dfu_machine *d)
{
	return d->profile->functional_descriptor[2];
}

static uint32_t flash_left(const struct dfu_machine *d)
{
	return d->profile->flash_base + d->profile->flash_size_bytes - d->pointer;
}

static void go_idle(struct dfu_machine *d)
{
	dfu_drop_download(d);
	d->pointer = d->profile->flash_base;
	dfu_commit(d, DFU_IDLE, DFU_OK);
}

static void reset(struct dfu_machine *d, const struct mcu_profile *profile, const struct dfu_ops *ops)
{
	dfu_machine_init(d, profile, ops);
	d->pointer = profile->flash_base;
	dfu_commit(d, (enum dfu_state)profile->boot_state, (enum dfu_status)profile->boot_status);
}

/* An error that is there already keeps its status; after the manifestation only a reset counts. */
static enum usb_result refuse(struct dfu_machine *d)
{
	if (d->state == DFU_ERROR || d->state == DFU_MANIFEST_WAIT_RESET)
		return USB_STALL;
	dfu_drop_download(d);
	dfu_commit(d, DFU_ERROR, DFU_ERR_STALLEDPKT);
	return USB_STALL;
}

static enum usb_result download(struct dfu_machine *d, const struct usb_setup *s, const uint8_t *data)
{
	if (!(attributes(d) & CAN_DOWNLOAD) || s->length > d->profile->transfer_size_bytes)
		return refuse(d);
	if (!s->length) {
		if (d->state == DFU_IDLE)
			return refuse(d); /* there is no image yet */
		d->job = (struct dfu_job){ .kind = JOB_MANIFEST, .address = d->profile->flash_base };
		dfu_commit(d, DFU_MANIFEST_SYNC, DFU_OK);
		return USB_ACK;
	}
	/* wBlockNum is for devices that must know it (DFU 1.1 6.1.1): this one counts for itself. */
	memcpy(d->buffer, data, s->length);
	d->block = s->value;
	d->length = s->length;
	dfu_commit(d, DFU_DNLOAD_SYNC, DFU_OK);
	return USB_ACK;
}

/* A short frame is the end of the image, an empty one if it fills the last block (DFU 1.1 6.2). */
static enum usb_result upload(struct dfu_machine *d, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	enum dfu_status status = DFU_OK;
	uint32_t left = flash_left(d);
	size_t length = s->length < left ? s->length : left;

	if (!(attributes(d) & CAN_UPLOAD) || !s->length || s->length > d->profile->transfer_size_bytes)
		return refuse(d);
	if (length)
		status = d->ops.read(d->ops.context, d->pointer, data, length);
	if (status != DFU_OK) {
		dfu_commit(d, DFU_ERROR, status);
		return USB_STALL;
	}
	*actual = length;
	if (length < s->length) {
		go_idle(d);
		return USB_ACK;
	}
	d->pointer += (uint32_t)length;
	dfu_commit(d, DFU_UPLOAD_IDLE, DFU_OK);
	return USB_ACK;
}

/* dfuDNBUSY and dfuMANIFEST last for as long as the device has said, and nothing is answered till then (A.2.5, A.2.8). */
static uint32_t announce(struct dfu_machine *d, enum dfu_state state, uint32_t poll_ms)
{
	d->poll_ms = poll_ms;
	d->job.least_us = poll_ms * UINT64_C(1000);
	d->reply_starts = true;
	dfu_commit(d, state, DFU_OK);
	return poll_ms;
}

static uint32_t getstatus_transition(struct dfu_machine *d)
{
	switch (d->state) {
	case DFU_DNLOAD_SYNC:
		if (!d->length) {
			dfu_commit(d, DFU_DNLOAD_IDLE, DFU_OK);
			return 0;
		}
		if (d->length > flash_left(d)) {
			dfu_drop_download(d);
			dfu_commit(d, DFU_ERROR, DFU_ERR_ADDRESS);
			return 0;
		}
		d->job = (struct dfu_job){
			.kind = JOB_STORE, .address = d->pointer, .data = d->buffer, .length = d->length
		};
		return announce(d, DFU_DNBUSY, d->profile->poll_write_ms);
	case DFU_MANIFEST_SYNC:
		if (d->job.kind != JOB_MANIFEST) {
			go_idle(d);
			return 0;
		}
		if (!(attributes(d) & MANIFESTATION_TOLERANT) && attributes(d) & WILL_DETACH)
			d->job.kind = JOB_LEAVE; /* DFU 1.1 chapter 7 */
		return announce(d, DFU_MANIFEST, d->profile->poll_manifest_ms);
	default:
		return 0;
	}
}

static enum usb_result request(struct dfu_machine *d, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	bool in = (s->type & 0x80) != 0;
	bool wants_in = s->request == DFU_UPLOAD || s->request == DFU_GETSTATUS || s->request == DFU_GETSTATE;

	*actual = 0;
	d->spoken_to = true;
	if (s->request > DFU_ABORT || (s->length && in != wants_in) || !(requests_of_state[d->state] & BIT(s->request)))
		return refuse(d);
	switch ((enum dfu_request)s->request) {
	case DFU_DNLOAD:
		return download(d, s, data);
	case DFU_UPLOAD:
		return upload(d, s, data, actual);
	case DFU_GETSTATUS:
		return dfu_answer_status(d, getstatus_transition(d), s, data, actual);
	case DFU_CLRSTATUS:
		if (d->executing)
			return USB_STALL; /* ASSUMED: an error made while busy is not cleared before the work is done */
		go_idle(d);
		return USB_ACK;
	case DFU_GETSTATE:
		return dfu_answer_state(d, s, data, actual);
	case DFU_ABORT:
		go_idle(d);
		return USB_ACK;
	case DFU_DETACH:
		break; /* for the run-time device alone */
	}
	return refuse(d);
}

static void finish(struct dfu_machine *d, unsigned status)
{
	enum dfu_job_kind kind = d->job.kind;
	size_t length = d->length;

	d->executing = false;
	dfu_drop_download(d);
	d->job.kind = JOB_NOTHING;
	if (d->state != DFU_DNBUSY && d->state != DFU_MANIFEST)
		return; /* the host has been too early: dfuERROR */
	if (status != DFU_OK)
		dfu_commit(d, DFU_ERROR, (enum dfu_status)status);
	else if (kind == JOB_STORE) {
		d->pointer += (uint32_t)length;
		dfu_commit(d, DFU_DNLOAD_SYNC, DFU_OK);
	} else if (kind == JOB_MANIFEST) {
		dfu_commit(d, attributes(d) & MANIFESTATION_TOLERANT ? DFU_MANIFEST_SYNC : DFU_MANIFEST_WAIT_RESET,
			   DFU_OK);
	}
}

/* Every state of DFU mode ends with a reset: the application starts (A.2.3 to A.2.11). Those of the enumeration come before
 * the first request. ASSUMED: none is seen while there is work in hand. */
static void bus_reset(struct dfu_machine *d)
{
	if (d->executing || !d->spoken_to)
		return;
	d->job = (struct dfu_job){ .kind = JOB_LEAVE, .address = d->profile->flash_base };
	d->executing = true;
	d->ops.execute(d->ops.context, &d->job);
}

const struct dfu_protocol dfu11_protocol = {
	.reset = reset,
	.request = request,
	.finish = finish,
	.bus_reset = bus_reset,
};
