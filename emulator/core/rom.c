/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bootloader in system memory as a USB device: transfers in order, memory decoding, protection, execution. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ep0.h"
#include "rom.h"

#define FUNCTIONAL_DESCRIPTOR 0x21u /* DFU 1.1 4.1.3 */
#define OPTION_BYTES 16u

struct rom {
	struct bench *bench;
	const struct mcu_profile *profile;
	struct flash *flash;
	const struct rom_ops *ops;
	void *context;
	char serial[13];
	const uint8_t *configurations[1];

	struct usbdev usb;
	struct ep0 ep0;
	struct dfuse dfuse;
	bool host_seen;

	/* Transfers, oldest first; the first of them is the one on the bus while bus_event runs. */
	struct usb_urb *queue;
	struct usb_urb *dropped; /* being given back by drop_all() */
	struct bench_event bus_event;
	bool bus_time_over; /* the first has had its bus time */
	bool status_waits;  /* the first has had its data, and gets its status stage when the job is over */
	bool pumping;       /* pump() is further up the stack */
	bool stopping;
	unsigned epoch; /* counts rom_start() and rom_stop() */

	/* The job that dfuse has handed out. */
	struct bench_event job_event;
	uint64_t job_started_us;
	enum dfu_status outcome;
	const struct mem_region *written;  /* JOB_WRITE */
	enum mcu_event_type outcome_event; /* MCU_EVENT_PIN: nothing to tell */
	uint32_t touched_address, touched_length;
	bool off_the_bus;   /* DETACH: between the two halves */
	bool rearm_pending; /* a reset of the port or a configuration came while executing */
};

static void pump(struct rom *r);

/* Memory map */

/* Alternate setting whose name covers a memory (STR-4..STR-7). */
static uint8_t alt_of_memory(enum mem_kind kind)
{
	switch (kind) {
	case MEM_OPTION:
		return 1;
	case MEM_OTP:
		return 2;
	case MEM_FEATURE:
		return 3;
	case MEM_FLASH:
	case MEM_RAM:
	case MEM_SYSTEM:
		break;
	}
	return 0;
}

/* Region that holds the whole range; NULL: out of reach (ERR-1). */
static const struct mem_region *region_of(const struct rom *r, uint32_t address, size_t length)
{
	const struct mcu_profile *p = r->profile;

	for (size_t i = 0; i < p->region_count; i++) {
		const struct mem_region *m = &p->regions[i];

		if (address < m->base || address - m->base >= m->size_bytes ||
		    length > m->size_bytes - (address - m->base))
			continue;
		/* The address decides, unless the profile has it otherwise: ASSUMED: U10 (RST-6) */
		if (p->alt_selects_memory && alt_of_memory(m->kind) != r->ep0.alt[0])
			return NULL;
		return m;
	}
	return NULL;
}

static bool protected_from_readout(const struct rom *r)
{
	return flash_rdp(r->flash) != RDP_LEVEL_0;
}

/* Behind the flash of a part that has less than it advertises nothing is written, and reading succeeds (UP-11). What
 * comes is ASSUMED: U20 (FF). */
static void read_flash(const struct rom *r, uint32_t address, uint8_t *data, size_t length)
{
	size_t offset = address - r->profile->flash_base, installed = r->profile->flash_size_bytes, n = 0;

	if (offset < installed) {
		n = length < installed - offset ? length : installed - offset;
		flash_read(r->flash, address, data, n);
	}
	memset(data + n, 0xff, length - n);
}

static enum dfu_status read_memory(void *context, uint32_t address, uint8_t *data, size_t length)
{
	struct rom *r = context;
	const struct mem_region *m = region_of(r, address, length);
	enum dfu_status refusal = (enum dfu_status)r->profile->upload_refusal_status; /* ASSUMED: U4 (UP-6, ERR-13) */
	uint32_t id_offset = r->profile->bootloader_id_address - address;
	uint8_t feature[4];
	int rc = 0;

	if (protected_from_readout(r))
		return (enum dfu_status)r->profile->rdp_access_status; /* UP-10, RDP-2 */
	if (!m || !m->readable)
		return refusal;
	switch (m->kind) {
	case MEM_FLASH:
		read_flash(r, address, data, length);
		break;
	case MEM_RAM:
		rc = r->ops->read_ram(r->context, address, data, length);
		break;
	case MEM_SYSTEM: /* what ST's code reads as is not modelled (ASSUMED: FF), the id byte is (MAP-6) */
		memset(data, 0xff, length);
		if (id_offset < length)
			data[id_offset] = r->profile->bootloader_id;
		break;
	case MEM_OTP:
		rc = flash_read_otp(r->flash, address, data, length);
		break;
	case MEM_OPTION: /* only whole: OB-6 */
		if (address != m->base || length != OPTION_BYTES)
			return refusal;
		flash_read_options(r->flash, data);
		break;
	case MEM_FEATURE:
		flash_get_feature(r->flash, feature);
		memcpy(data, feature + (address - m->base), length);
		break;
	}
	return rc ? refusal : DFU_OK;
}

/* Jobs */

static void touches(struct rom *r, enum mcu_event_type type, uint32_t address, size_t length)
{
	r->outcome_event = type;
	r->touched_address = address;
	r->touched_length = (uint32_t)length;
}

static bool is_write_protected(const struct rom *r, uint32_t address)
{
	int sector = flash_sector_at(r->flash, address, NULL, NULL);

	return sector >= 0 && flash_sector_protected(r->flash, (unsigned)sector);
}

static enum dfu_status begin_flash(struct rom *r, enum flash_op op, const struct dfuse_job *job, uint64_t *duration_us)
{
	switch (flash_begin(r->flash, op, job->address, job->data, job->length, duration_us)) {
	case 0:
		return DFU_OK;
	case -EFAULT:
		return DFU_ERR_TARGET;
	default:
		return (enum dfu_status)r->profile->hardware_error_status; /* ERR-7; ASSUMED: U14 */
	}
}

static enum dfu_status begin_erase(struct rom *r, const struct dfuse_job *job, uint64_t *duration_us)
{
	const struct mem_region *m = region_of(r, job->address, 1);
	uint32_t start, size_bytes;

	if (!m || m->kind != MEM_FLASH || !m->writable)
		return DFU_ERR_TARGET; /* ERR-1, ERR-11 */
	if (flash_sector_at(r->flash, job->address, &start, &size_bytes) >= 0 && !is_write_protected(r, job->address))
		touches(r, MCU_EVENT_ERASED, start, size_bytes);
	return begin_flash(r, FLASH_ERASE_SECTOR, job, duration_us);
}

static enum dfu_status begin_mass_erase(struct rom *r, const struct dfuse_job *job, uint64_t *duration_us)
{
	bool any_protected = false;

	for (unsigned i = 0; i < flash_sector_count(r->flash); i++)
		any_protected |= flash_sector_protected(r->flash, i);
	if (!any_protected) /* FL-8 */
		touches(r, MCU_EVENT_ERASED, r->profile->flash_base, r->profile->flash_size_bytes);
	return begin_flash(r, FLASH_MASS_ERASE, job, duration_us);
}

static enum dfu_status begin_write(struct rom *r, const struct dfuse_job *job, uint64_t *duration_us)
{
	const struct mem_region *m = region_of(r, job->address, job->length);

	if (!m || !m->writable)
		return DFU_ERR_TARGET; /* ERR-1 */
	r->written = m;
	switch (m->kind) {
	case MEM_FLASH:
		if (!is_write_protected(r, job->address) ||
		    !is_write_protected(r, job->address + (uint32_t)job->length - 1))
			touches(r, MCU_EVENT_PROGRAMMED, job->address, job->length);
		return begin_flash(r, FLASH_PROGRAM, job, duration_us);
	case MEM_OTP:
		touches(r, MCU_EVENT_PROGRAMMED, job->address, job->length);
		return begin_flash(r, FLASH_PROGRAM_OTP, job, duration_us);
	case MEM_OPTION: /* not performed unless it is the whole block: OB-7, OB-8. ASSUMED: no source has the status */
		if (job->address != m->base || job->length != OPTION_BYTES)
			return DFU_ERR_TARGET;
		touches(r, MCU_EVENT_OPTIONS, job->address, job->length);
		return begin_flash(r, FLASH_PROGRAM_OPTIONS, job, duration_us);
	case MEM_RAM:
	case MEM_FEATURE: /* done at the end: no cells, no time to speak of */
		return DFU_OK;
	case MEM_SYSTEM:
		break;
	}
	return DFU_ERR_TARGET;
}

static enum dfu_status begin_unprotect(struct rom *r, const struct dfuse_job *job, uint64_t *duration_us)
{
	if (flash_begin(r->flash, FLASH_UNPROTECT, job->address, job->data, job->length, duration_us))
		return (enum dfu_status)r->profile->unprotect_failed_status; /* ERR-4 */
	touches(r, MCU_EVENT_OPTIONS, r->profile->option_base, OPTION_BYTES);
	return DFU_OK;
}

/* Checks are made here, at execution (EX-2). What is refused takes as long as Set-Address. */
static enum dfu_status begin_job(struct rom *r, const struct dfuse_job *job, uint64_t *duration_us)
{
	const struct mcu_profile *p = r->profile;
	bool touches_memory = job->kind == JOB_ERASE || job->kind == JOB_MASS_ERASE || job->kind == JOB_WRITE;

	if (touches_memory && protected_from_readout(r))
		return (enum dfu_status)p->rdp_access_status; /* ERR-2 */
	switch (job->kind) {
	case JOB_SET_ADDRESS:
		if (protected_from_readout(r) && p->rdp_set_address_status)
			return (enum dfu_status)p->rdp_set_address_status; /* ERR-3; ASSUMED: U19 */
		return region_of(r, job->address, 1) ? DFU_OK : DFU_ERR_TARGET;
	case JOB_ERASE:
		return begin_erase(r, job, duration_us);
	case JOB_MASS_ERASE:
		return begin_mass_erase(r, job, duration_us);
	case JOB_WRITE:
		return begin_write(r, job, duration_us);
	case JOB_READ_UNPROTECT:
		return begin_unprotect(r, job, duration_us);
	case JOB_LEAVE:
		*duration_us = p->leave_us; /* BOOT-16 */
		return DFU_OK;
	case JOB_BAD_COMMAND:
		return DFU_ERR_STALLEDPKT;
	case JOB_NOTHING:
	case JOB_DETACH:
		break;
	}
	return DFU_OK;
}

static void execute(void *context, const struct dfuse_job *job)
{
	struct rom *r = context;
	uint64_t duration_us = r->profile->set_address_us;

	r->job_started_us = bench_now_us(r->bench);
	touches(r, MCU_EVENT_PIN, 0, 0);
	r->outcome = begin_job(r, job, &duration_us);
	bench_after(r->bench, &r->job_event, duration_us);
}

/* RAM and the feature word: DFU_OK where the job has nothing to do with them. */
static enum dfu_status finish_write(struct rom *r, const struct dfuse_job *job)
{
	const struct mem_region *m = r->written;
	uint8_t feature[4];

	if (m->kind == MEM_RAM)
		return r->ops->write_ram(r->context, job->address, job->data, job->length)
			       ? (enum dfu_status)r->profile->hardware_error_status
			       : DFU_OK;
	if (m->kind != MEM_FEATURE)
		return DFU_OK;
	flash_get_feature(r->flash, feature);
	memcpy(feature + (job->address - m->base), job->data, job->length);
	if (flash_set_feature(r->flash, feature, sizeof feature))
		return (enum dfu_status)r->profile->feature_refusal_status; /* ERR-12; ASSUMED: U14 */
	return DFU_OK;
}

/* The link that holds urb; for NULL the last. */
static struct usb_urb **find(struct usb_urb **link, const struct usb_urb *urb)
{
	while (*link && *link != urb)
		link = &(*link)->next;
	return link;
}

/* The oldest transfer goes before its time. */
static void forget_first(struct rom *r)
{
	bench_cancel(r->bench, &r->bus_event);
	r->bus_time_over = false;
	r->status_waits = false;
}

static void drop_all(struct rom *r, enum usb_result result)
{
	struct usb_urb *urb;

	forget_first(r);
	*find(&r->dropped, NULL) = r->queue;
	r->queue = NULL; /* what complete() submits is not of these */
	while ((urb = r->dropped)) {
		r->dropped = urb->next;
		urb->next = NULL;
		usbdev_complete(&r->usb, urb, result, 0);
	}
}

static void leave_bus(struct rom *r)
{
	r->stopping = true; /* what complete() submits now is gone at once */
	drop_all(r, USB_GONE);
	usbdev_detach(&r->usb);
	r->stopping = false;
}

static void rearm(struct rom *r)
{
	if (r->dfuse.executing)
		r->rearm_pending = true;
	else
		dfuse_reset(&r->dfuse, r->profile, &r->dfuse.ops);
}

static void service_again(struct rom *r)
{
	if (r->rearm_pending) {
		r->rearm_pending = false;
		rearm(r);
	}
	pump(r);
}

static void job_over(struct bench_event *e)
{
	struct rom *r = e->context;
	const struct dfuse_job *job = &r->dfuse.job;
	enum dfu_status outcome = r->outcome;
	unsigned epoch = r->epoch;

	if (job->kind == JOB_DETACH && !r->off_the_bus) {
		r->off_the_bus = true;
		leave_bus(r);
		if (epoch != r->epoch)
			return; /* the host took the chance to reset the board */
		ep0_bus_reset(&r->ep0);
		bench_after(r->bench, &r->job_event, r->profile->disconnect_us);
		return;
	}
	if (job->kind == JOB_LEAVE) {
		r->ops->leave(r->context, job->address);
		return;
	}
	if (flash_is_busy(r->flash))
		flash_finish(r->flash);
	if (job->kind == JOB_WRITE && outcome == DFU_OK)
		outcome = finish_write(r, job);
	if (job->kind == JOB_READ_UNPROTECT && outcome == DFU_OK && protected_from_readout(r))
		r->ops->touched(r->context, MCU_EVENT_ERASED, r->profile->flash_base, r->profile->flash_size_bytes);
	if (r->outcome_event != MCU_EVENT_PIN && outcome == DFU_OK)
		r->ops->touched(r->context, r->outcome_event, r->touched_address, r->touched_length);
	if (r->outcome_event == MCU_EVENT_OPTIONS && outcome == DFU_OK) { /* OB-7, RDP-4, RDP-8 */
		r->ops->reset(r->context, job->kind == JOB_READ_UNPROTECT ? RESET_UNPROTECT : RESET_OPTION_BYTES);
		return;
	}
	if (job->kind == JOB_DETACH)
		r->off_the_bus = false;
	dfuse_finish(&r->dfuse, outcome);
	if (job->kind == JOB_DETACH)
		usbdev_attach(&r->usb, USB_SPEED_IS_FULL);
	service_again(r);
}

static void state_changed(void *context, enum dfu_state state, enum dfu_status status)
{
	struct rom *r = context;

	r->ops->state(r->context, state, status);
}

static struct dfuse_ops dfuse_ops_of(struct rom *r)
{
	return (struct dfuse_ops){ .read = read_memory, .execute = execute, .changed = state_changed, .context = r };
}

/* Endpoint 0 */

static const char *string_of(void *context, uint8_t index)
{
	struct rom *r = context;

	if (index == r->profile->serial_index)
		return r->serial;
	return index <= r->profile->string_count ? r->profile->strings[index - 1] : NULL;
}

static int functional_descriptor(void *context, const struct usb_setup *s, const uint8_t **data, size_t *length)
{
	struct rom *r = context;

	if (s->value >> 8 != FUNCTIONAL_DESCRIPTOR)
		return -1;
	*data = r->profile->functional_descriptor;
	*length = r->profile->functional_descriptor[0];
	return 0;
}

static enum usb_result class_request(void *context, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	struct rom *r = context;

	/* Class requests to the interface, and to the device as ST's library takes them (ST-19). ASSUMED: so does the ROM. */
	if ((s->type >> 5 & 3) != 1 || (s->type & 0x1f) > 1)
		return USB_STALL;
	return dfuse_request(&r->dfuse, s, data, actual);
}

static void configured(void *context, uint8_t value)
{
	struct rom *r = context;

	if (value && r->profile->set_configuration_rearms)
		rearm(r); /* ASSUMED: U2 (ST-15) */
}

/* The CPU is in the operation, or on its way out. */
static bool services_nothing(const struct rom *r)
{
	enum dfuse_job_kind kind = r->dfuse.job.kind;

	if (!r->dfuse.executing)
		return false;
	return r->profile->busy_rule == BUSY_HOLDS || r->status_waits || kind == JOB_LEAVE || kind == JOB_READ_UNPROTECT ||
	       kind == JOB_DETACH || r->outcome_event == MCU_EVENT_OPTIONS;
}

/* Bytes of the data stage. Standard replies are short of wLength more often than not; asking for them has no effect. */
static size_t data_stage_bytes(struct rom *r, const struct usb_urb *urb)
{
	const struct usb_setup *s = &urb->setup;
	size_t actual = s->length;

	if ((s->type & 0xe0) == 0x80)
		ep0_control(&r->ep0, s, urb->data, &actual);
	else if ((s->type & 0xe0) == 0xa0 && s->request == DFU_UPLOAD && !s->value)
		actual = actual < r->profile->get_commands_count ? actual : r->profile->get_commands_count;
	else if ((s->type & 0xe0) == 0xa0 && s->request != DFU_UPLOAD)
		actual = actual < 64 ? actual : 64;
	return actual;
}

/* SETUP, data packets and status take their turn on the bus (EX-12). */
static uint64_t bus_time_us(struct rom *r, const struct usb_urb *urb)
{
	if (!r->profile->ep0_packet_us)
		return 0;
	return (2 + (data_stage_bytes(r, urb) + 63) / 64) * (uint64_t)r->profile->ep0_packet_us;
}

/* The oldest transfer takes effect and completes; then the job that its reply has announced begins (GS-3, EX-10). */
static void transfer(struct rom *r)
{
	struct usb_urb *urb = r->queue;
	unsigned epoch = r->epoch;
	enum usb_result result = USB_ACK;

	if (!r->status_waits)
		result = ep0_control(&r->ep0, &urb->setup, urb->data, &urb->actual);
	else
		r->status_waits = false;
	if (r->profile->first_getstatus_waits && r->dfuse.reply_starts && r->dfuse.state == DFU_DNBUSY) {
		r->status_waits = r->bus_time_over = true; /* ASSUMED: U3, the other way (EX-10) */
		dfuse_reply_delivered(&r->dfuse);
		return;
	}
	r->queue = urb->next;
	urb->next = NULL;
	usbdev_complete(&r->usb, urb, result, urb->actual);
	if (epoch == r->epoch) /* the host may have pulled the board's pins in complete() */
		dfuse_reply_delivered(&r->dfuse);
}

static void pump(struct rom *r)
{
	uint64_t bus_us;

	if (r->pumping)
		return;
	r->pumping = true;
	while (r->queue && !services_nothing(r) && !bench_is_scheduled(&r->bus_event)) {
		bus_us = r->bus_time_over ? 0 : bus_time_us(r, r->queue);
		if (bus_us) {
			bench_after(r->bench, &r->bus_event, bus_us);
			break;
		}
		r->bus_time_over = false;
		transfer(r);
	}
	r->pumping = false;
}

static void bus_time_is_over(struct bench_event *e)
{
	struct rom *r = e->context;

	r->bus_time_over = true;
	pump(r);
}

static struct rom *rom_of(struct usbdev *usb)
{
	return (struct rom *)((char *)usb - offsetof(struct rom, usb));
}

static void submit(struct usbdev *usb, struct usb_urb *urb)
{
	struct rom *r = rom_of(usb);

	if (!usb->attached || r->stopping) {
		usbdev_complete(usb, urb, USB_GONE, 0);
		return;
	}
	r->host_seen = true;
	if (urb->endpoint) { /* there is none but the default pipe (ID-14) */
		usbdev_complete(usb, urb, USB_SILENT, 0);
		return;
	}
	assert(urb->length == urb->setup.length);
	urb->next = NULL;
	*find(&r->queue, NULL) = urb;
	pump(r);
}

/* A transfer taken back in time leaves no trace: the next SETUP supersedes it (EX-8). */
static void cancel(struct usbdev *usb, struct usb_urb *urb)
{
	struct rom *r = rom_of(usb);
	struct usb_urb **link = find(&r->queue, urb);

	if (!*link)
		link = find(&r->dropped, urb);
	if (!*link)
		return;
	if (urb == r->queue)
		forget_first(r);
	*link = urb->next;
	urb->next = NULL;
	usbdev_complete(usb, urb, USB_CANCELLED, 0);
	pump(r);
}

static void bus_reset(struct usbdev *usb)
{
	struct rom *r = rom_of(usb);
	bool pumping = r->pumping;

	if (!usb->attached)
		return;
	r->host_seen = true;
	/* In mid-operation the CPU sees it afterwards (ST-20); as nothing is answered till then, the difference is the state. */
	ep0_bus_reset(&r->ep0);
	if (r->profile->bus_reset_rearms)
		rearm(r);  /* ASSUMED: U2 (ST-15, RST-9) */
	r->pumping = true; /* what complete() submits comes after the reset */
	drop_all(r, USB_CANCELLED);
	r->pumping = pumping;
	pump(r);
}

static const struct usbdev_ops usb_ops = { .submit = submit, .cancel = cancel, .bus_reset = bus_reset };

/* Life */

struct rom *rom_new(struct bench *bench, const struct mcu_profile *profile, const char *serial, struct flash *flash,
		    const struct rom_ops *ops, void *context)
{
	struct rom *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	assert(strlen(serial) < sizeof r->serial);
	strcpy(r->serial, serial);
	r->bench = bench;
	r->profile = profile;
	r->flash = flash;
	r->ops = ops;
	r->context = context;
	r->configurations[0] = profile->configuration_descriptor;
	r->usb.ops = &usb_ops;
	r->bus_event.fire = bus_time_is_over;
	r->bus_event.context = r;
	r->job_event.fire = job_over;
	r->job_event.context = r;
	ep0_init(&r->ep0,
		 &(struct ep0_descriptors){ .device = profile->device_descriptor,
					    .configurations = r->configurations,
					    .string = string_of,
					    .interface_descriptor = functional_descriptor,
					    .accepts_unadvertised_features = true, /* USB-6 */
					    .context = r },
		 &(struct ep0_handlers){ .class_request = class_request, .configured = configured, .context = r });
	return r;
}

void rom_free(struct rom *r)
{
	if (!r)
		return;
	assert(!r->usb.attached && !bench_is_scheduled(&r->job_event));
	free(r);
}

void rom_start(struct rom *r)
{
	struct dfuse_ops ops = dfuse_ops_of(r);

	r->epoch++;
	r->host_seen = false;
	r->rearm_pending = false;
	flash_set_feature(r->flash, &(const uint8_t){ 0 }, 1); /* FEAT-2: a jump into the ROM begins anew as well */
	ep0_bus_reset(&r->ep0);
	dfuse_reset(&r->dfuse, r->profile, &ops);
}

void rom_attach(struct rom *r)
{
	usbdev_attach(&r->usb, USB_SPEED_IS_FULL); /* ID-9 */
}

void rom_stop(struct rom *r)
{
	r->epoch++;
	bench_cancel(r->bench, &r->job_event);
	leave_bus(r);
	r->off_the_bus = false;
	if (flash_is_busy(r->flash)) {
		flash_cut(r->flash, bench_now_us(r->bench) - r->job_started_us);
		r->ops->touched(r->context, MCU_EVENT_CUT, r->touched_address, r->touched_length);
	}
}

bool rom_has_seen_host(const struct rom *r)
{
	return r->host_seen;
}

struct usbdev *rom_usb(struct rom *r)
{
	return &r->usb;
}

const struct dfuse *rom_dfuse(const struct rom *r)
{
	return &r->dfuse;
}
