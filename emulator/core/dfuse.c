/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DFU 1.1 with ST's DfuSe commands: the ROM's state machine (f407.md ST, GS, EX, BLK, CMD, UP rows). */
#include <assert.h>
#include <string.h>
#include "dfuse.h"

#define FIRST_DATA_BLOCK 2u /* BLK-1..BLK-3 */

void dfuse_reset(struct dfu_machine *d, const struct mcu_profile *profile, const struct dfu_ops *ops)
{
	dfu_machine_init(d, profile, ops);
	d->pointer = profile->default_pointer;                                                     /* BLK-6 */
	dfu_commit(d, (enum dfu_state)profile->boot_state, (enum dfu_status)profile->boot_status); /* ST-11 */
}

/* A request that the state or the machine does not know. */
static enum usb_result refuse(struct dfu_machine *d)
{
	/* ASSUMED: U21. An error that is there already keeps its status. */
	if (d->profile->wrong_state == WRONG_STATE_STALL_TO_ERROR && d->state != DFU_ERROR && !d->executing) {
		dfu_drop_download(d);
		dfu_commit(d, DFU_ERROR, DFU_ERR_STALLEDPKT);
	}
	return USB_STALL;
}

/* wBlockNum counts in the constant transfer size, however much is sent (BLK-3); the sum is a 32-bit register. */
static uint32_t block_address(const struct dfu_machine *d, uint16_t block)
{
	return d->pointer + (block - FIRST_DATA_BLOCK) * (uint32_t)d->profile->transfer_size_bytes;
}

static uint32_t command_address(const struct dfu_machine *d)
{
	return (uint32_t)d->buffer[1] | (uint32_t)d->buffer[2] << 8 | (uint32_t)d->buffer[3] << 16 |
	       (uint32_t)d->buffer[4] << 24;
}

static bool has_command(const struct mcu_profile *p, uint8_t command)
{
	for (unsigned i = 0; i < p->get_commands_count; i++)
		if (p->get_commands[i] == command)
			return true;
	return false;
}

/* What the buffered download asks for (CMD rows). */
static struct dfu_job decode(const struct dfu_machine *d)
{
	struct dfu_job job = { .kind = JOB_BAD_COMMAND };

	if (d->block >= FIRST_DATA_BLOCK)
		return (struct dfu_job){
			.kind = JOB_WRITE, .address = block_address(d, d->block), .data = d->buffer, .length = d->length
		};
	if (d->block)
		return (struct dfu_job){ .kind = JOB_NOTHING };
	if (!has_command(d->profile, d->buffer[0]))
		return job;
	if (d->buffer[0] == DFUSE_SET_ADDRESS && d->length == 5) {
		job.kind = JOB_SET_ADDRESS;
		job.address = command_address(d);
	} else if (d->buffer[0] == DFUSE_ERASE && d->length == 5) {
		job.kind = JOB_ERASE;
		job.address = command_address(d);
	} else if (d->buffer[0] == DFUSE_ERASE && d->length == 1) {
		job.kind = JOB_MASS_ERASE;
	} else if (d->buffer[0] == DFUSE_READ_UNPROTECT && d->length == 1) {
		job.kind = JOB_READ_UNPROTECT;
	}
	return job;
}

/* By command (GS-6 to GS-13), unless the memory that the old pointer is in has its own: U1 (GS-15, GS-16). */
static uint32_t poll_timeout_ms(const struct dfu_machine *d, enum dfu_job_kind kind)
{
	bool erases = !d->block && d->buffer[0] == DFUSE_ERASE;

	for (size_t i = 0; i < d->profile->region_count && kind != JOB_LEAVE; i++) {
		const struct mem_region *m = &d->profile->regions[i];
		uint32_t poll_ms = erases ? m->poll_erase_ms : m->poll_ms;

		if (poll_ms && d->pointer >= m->base && d->pointer - m->base < m->size_bytes)
			return poll_ms;
	}
	switch (kind) {
	case JOB_SET_ADDRESS:
		return d->profile->poll_set_address_ms;
	case JOB_ERASE:
		return d->profile->poll_erase_ms;
	case JOB_MASS_ERASE:
		return d->profile->poll_mass_erase_ms;
	case JOB_READ_UNPROTECT:
		return d->profile->poll_unprotect_ms;
	case JOB_LEAVE:
		return d->profile->poll_manifest_ms;
	case JOB_BAD_COMMAND: /* GS-15 goes by the first byte */
		return erases ? d->profile->poll_erase_ms : d->profile->poll_write_ms;
	case JOB_WRITE:
	case JOB_STORE:
	case JOB_MANIFEST:
	case JOB_NOTHING:
	case JOB_DETACH:
		break;
	}
	return d->profile->poll_write_ms;
}

/* LV-2 */
static void announce_leave(struct dfu_machine *d)
{
	d->job = (struct dfu_job){ .kind = JOB_LEAVE, .address = d->pointer };
	d->poll_ms = poll_timeout_ms(d, JOB_LEAVE);
	d->reply_starts = true;
	dfu_commit(d, DFU_MANIFEST, d->status);
}

static enum usb_result download(struct dfu_machine *d, const struct usb_setup *s, const uint8_t *data)
{
	if (d->state != DFU_IDLE && d->state != DFU_DNLOAD_IDLE)
		return refuse(d);
	if (!s->length) { /* LV-1: wValue does not matter */
		dfu_drop_download(d);
		if (d->profile->leaves_at_once) {
			announce_leave(d);
			return USB_ACK;
		}
		dfu_commit(d, DFU_MANIFEST_SYNC, d->status);
		return USB_ACK;
	}
	/* ASSUMED: U7. Without the stall we take what our buffer takes. */
	if (s->length > d->profile->transfer_size_bytes &&
	    (d->profile->oversize_stalls || s->length > DFU_MAX_TRANSFER))
		return USB_STALL;
	if (s->value == 1 && d->profile->block1_download_stalls)
		return USB_STALL; /* ASSUMED: U5 (BLK-2) */
	memcpy(d->buffer, data, s->length);
	d->block = s->value;
	d->length = s->length;
	dfu_commit(d, DFU_DNLOAD_SYNC, d->status); /* EX-1: only buffered */
	return USB_ACK;
}

static enum usb_result upload(struct dfu_machine *d, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	enum dfu_status status;

	if (!s->length) { /* ST-22: from every state, and bStatus keeps its value */
		dfu_drop_download(d);
		dfu_commit(d, DFU_IDLE, d->status);
		return USB_ACK;
	}
	if (d->state != DFU_IDLE && d->state != DFU_UPLOAD_IDLE)
		return refuse(d);
	if (s->length > d->profile->transfer_size_bytes && d->profile->oversize_stalls)
		return USB_STALL; /* ASSUMED: U7, at SETUP, whatever the block */
	if (!s->value) {          /* Get: allowed under RDP too (UP-1) */
		size_t count = d->profile->get_commands_count;
		bool is_short = s->length > count;

		*actual = is_short ? count : s->length;
		memcpy(data, d->profile->get_commands, *actual);
		/* ASSUMED: U9 (UP-2) */
		dfu_commit(d, is_short && d->profile->short_get_goes_idle ? DFU_IDLE : DFU_UPLOAD_IDLE, d->status);
		return USB_ACK;
	}
	if (s->value == 1) { /* ASSUMED: U5 (UP-5) */
		if (d->profile->block1_upload_status)
			dfu_commit(d, DFU_ERROR, (enum dfu_status)d->profile->block1_upload_status);
		return USB_STALL;
	}
	status = d->ops.read(d->ops.context, block_address(d, s->value), data, s->length);
	if (status != DFU_OK) {
		dfu_commit(d, DFU_ERROR, status);
		/* ASSUMED: U4 (UP-7) */
		return d->profile->upload_refusal == UPLOAD_REFUSED_EMPTY ? USB_ACK : USB_STALL;
	}
	*actual = s->length;
	dfu_commit(d, DFU_UPLOAD_IDLE, d->status);
	return USB_ACK;
}

/* bState in the reply is the state that this very request leads to (GS-3); poll_ms comes back with it. */
static uint32_t getstatus_transition(struct dfu_machine *d)
{
	switch (d->state) {
	case DFU_DNLOAD_SYNC:
		d->job = decode(d);
		if (d->job.kind == JOB_BAD_COMMAND && d->profile->bad_command_at_first_getstatus) {
			dfu_drop_download(d);
			dfu_commit(d, DFU_ERROR, DFU_ERR_STALLEDPKT); /* ERR-5; ASSUMED: U6 */
			return 0;
		}
		d->poll_ms = poll_timeout_ms(d, d->job.kind);
		d->reply_starts = true;
		dfu_commit(d, DFU_DNBUSY, d->status); /* whatever the address, protected or not: EX-2 */
		return d->poll_ms;
	case DFU_MANIFEST_SYNC:
		announce_leave(d);
		return d->poll_ms;
	case DFU_DNBUSY:
	case DFU_MANIFEST:
		return d->poll_ms; /* EX-11: ROMs that answer while busy say so again */
	default:
		return 0;
	}
}

static enum usb_result getstatus(struct dfu_machine *d, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	uint32_t poll_ms = getstatus_transition(d);

	return dfu_answer_status(d, poll_ms, s, data, actual);
}

static enum usb_result clrstatus(struct dfu_machine *d)
{
	if (d->state == DFU_ERROR) {
		dfu_drop_download(d);
		dfu_commit(d, DFU_IDLE, DFU_OK); /* ST-13 */
		return USB_ACK;
	}
	if (d->profile->clrstatus_rule == CLRSTATUS_STALLS)
		return USB_STALL;
	dfu_drop_download(d);
	dfu_commit(d, DFU_ERROR, DFU_ERR_UNKNOWN); /* ST-24, ERR-6 */
	return USB_ACK;
}

static enum usb_result abort_transfer(struct dfu_machine *d)
{
	if (d->state == DFU_ERROR && !d->profile->abort_leaves_error)
		return USB_ACK; /* ASSUMED: U12 (RST-2) */
	dfu_drop_download(d);   /* the pointer stays: RST-1 */
	dfu_commit(d, DFU_IDLE, DFU_OK);
	return USB_ACK;
}

static enum usb_result detach(struct dfu_machine *d)
{
	/* ASSUMED: U11 (RST-4); no source says what bStatus becomes, so it stays. */
	dfu_drop_download(d);
	dfu_commit(d, DFU_IDLE, d->status);
	if (d->profile->detach_reattaches) {
		d->job = (struct dfu_job){ .kind = JOB_DETACH };
		d->reply_starts = true;
	}
	return USB_ACK;
}

/* In dfuDNBUSY: ROMs that stay on the bus while they work (EX-11), or one that hangs (DFU_STAYS_BUSY). Nothing but the
 * question how far it is can be answered; CLRSTATUS frees what hangs, by way of dfuERROR (ST-24). */
static enum usb_result request_while_busy(struct dfu_machine *d, const struct usb_setup *s, uint8_t *data,
					  size_t *actual)
{
	if (d->executing && d->profile->busy_rule != BUSY_SAYS_BUSY)
		return USB_STALL;
	if (s->request == DFU_GETSTATUS)
		return getstatus(d, s, data, actual);
	if (s->request == DFU_GETSTATE)
		return dfu_answer_state(d, s, data, actual);
	if (s->request == DFU_CLRSTATUS && !d->executing)
		return clrstatus(d);
	return USB_STALL;
}

enum usb_result dfuse_request(struct dfu_machine *d, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	bool in = (s->type & 0x80) != 0;
	bool wants_in = s->request == DFU_UPLOAD || s->request == DFU_GETSTATUS || s->request == DFU_GETSTATE;

	assert(!d->executing || d->profile->busy_rule != BUSY_HOLDS);
	*actual = 0;
	/* ST-10; without a data stage the direction means nothing (USB 2.0 9.3.1). */
	if (s->request > DFU_ABORT || (s->length && in != wants_in))
		return refuse(d); /* ST-17 */
	if (d->executing || d->state == DFU_DNBUSY || d->state == DFU_MANIFEST)
		return request_while_busy(d, s, data, actual);

	switch ((enum dfu_request)s->request) {
	case DFU_DETACH:
		return detach(d);
	case DFU_DNLOAD:
		return download(d, s, data);
	case DFU_UPLOAD:
		return upload(d, s, data, actual);
	case DFU_GETSTATUS:
		return getstatus(d, s, data, actual);
	case DFU_CLRSTATUS:
		return clrstatus(d);
	case DFU_GETSTATE:
		return dfu_answer_state(d, s, data, actual);
	case DFU_ABORT:
		return abort_transfer(d);
	}
	return refuse(d);
}

void dfuse_finish(struct dfu_machine *d, unsigned status)
{
	enum dfu_job_kind kind = d->job.kind;

	assert(d->executing && kind != JOB_LEAVE);
	d->executing = false;
	dfu_drop_download(d);
	if (kind == JOB_DETACH)
		return;
	/* On an error the pointer stays: ASSUMED: U18 */
	if ((status == DFU_OK || d->profile->errors_set_pointer) &&
	    (kind == JOB_SET_ADDRESS || (kind == JOB_ERASE && d->profile->erase_sets_pointer)))
		d->pointer = d->job.address;
	if (status != DFU_STAYS_BUSY)
		dfu_commit(d, status == DFU_OK ? DFU_DNLOAD_IDLE : DFU_ERROR,
			   (enum dfu_status)status); /* GS-11, GS-12 */
}

static void bus_reset(struct dfu_machine *d)
{
	(void)d; /* the profile's bus_reset_rearms is the owner's to see to (ST-15) */
}

const struct dfu_protocol dfuse_protocol = {
	.reset = dfuse_reset,
	.request = dfuse_request,
	.finish = dfuse_finish,
	.bus_reset = bus_reset,
};
