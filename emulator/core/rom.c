/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bootloader in system memory as a USB device: transfers in order, jobs, leaving and coming back. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "dfu11.h"
#include "dfuse.h"
#include "ep0.h"
#include "rom.h"
#include "rom_memory.h"

#define FUNCTIONAL_DESCRIPTOR 0x21u /* DFU 1.1 4.1.3 */

static const struct dfu_protocol *const protocols[] = {
	[PROTOCOL_DFUSE] = &dfuse_protocol,
	[PROTOCOL_DFU11] = &dfu11_protocol,
};

struct rom {
	struct bench *bench;
	const struct mcu_profile *profile;
	const struct dfu_protocol *protocol;
	const struct rom_ops *ops;
	void *context;
	char serial[13];
	const uint8_t *configurations[1];

	struct usbdev usb;
	struct ep0 ep0;
	struct dfu_machine dfu;
	struct rom_memory memory;
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
	bool off_the_bus;   /* DETACH: between the two halves */
	bool rearm_pending; /* a reset of the port or a configuration came while executing */
};

static void pump(struct rom *r);

static enum dfu_status read_memory(void *context, uint32_t address, uint8_t *data, size_t length)
{
	struct rom *r = context;

	return rom_memory_read(&r->memory, address, data, length);
}

static void execute(void *context, const struct dfu_job *job)
{
	struct rom *r = context;
	uint64_t duration_us;

	r->job_started_us = bench_now_us(r->bench);
	r->outcome = rom_memory_begin(&r->memory, job, &duration_us);
	bench_after(r->bench, &r->job_event, duration_us > job->least_us ? duration_us : job->least_us);
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
	if (r->dfu.executing)
		r->rearm_pending = true;
	else
		r->protocol->reset(&r->dfu, r->profile, &r->dfu.ops);
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
	const struct dfu_job *job = &r->dfu.job;
	enum dfu_status outcome;
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
	outcome = rom_memory_finish(&r->memory, job, r->outcome);
	if (r->memory.event == MCU_EVENT_OPTIONS && outcome == DFU_OK) { /* OB-7, RDP-4, RDP-8 */
		r->ops->reset(r->context, job->kind == JOB_READ_UNPROTECT ? RESET_UNPROTECT : RESET_OPTION_BYTES);
		return;
	}
	if (job->kind == JOB_DETACH)
		r->off_the_bus = false;
	r->protocol->finish(&r->dfu, outcome);
	if (job->kind == JOB_DETACH)
		usbdev_attach(&r->usb, USB_SPEED_IS_FULL);
	service_again(r);
}

static void state_changed(void *context, enum dfu_state state, enum dfu_status status)
{
	struct rom *r = context;

	r->ops->state(r->context, state, status);
}

static struct dfu_ops dfu_ops_of(struct rom *r)
{
	return (struct dfu_ops){ .read = read_memory, .execute = execute, .changed = state_changed, .context = r };
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
		return -1; /* what is never answered does not get here: is_never_answered() */
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
	return r->protocol->request(&r->dfu, s, data, actual);
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
	enum dfu_job_kind kind = r->dfu.job.kind;

	if (!r->dfu.executing)
		return false;
	return r->profile->busy_rule == BUSY_HOLDS || r->status_waits || kind == JOB_LEAVE ||
	       kind == JOB_READ_UNPROTECT || kind == JOB_DETACH || r->memory.event == MCU_EVENT_OPTIONS;
}

/* NAKed until the host takes it back: C5-3. */
static bool is_never_answered(const struct rom *r, const struct usb_setup *s)
{
	return r->profile->functional_request == FUNCTIONAL_NEVER_ANSWERED && s->type == 0x81 && s->request == 6 &&
	       s->value >> 8 == FUNCTIONAL_DESCRIPTOR;
}

/* Bytes of the data stage. Standard replies are short of wLength more often than not; asking for them has no effect. */
static size_t data_stage_bytes(struct rom *r, const struct usb_urb *urb)
{
	const struct usb_setup *s = &urb->setup;
	size_t actual = s->length;

	if ((s->type & 0xe0) == 0x80)
		ep0_control(&r->ep0, s, urb->data, &actual);
	else if ((s->type & 0xe0) == 0xa0 && s->request == DFU_UPLOAD && !s->value &&
		 r->profile->protocol == PROTOCOL_DFUSE)
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
	if (r->profile->first_getstatus_waits && r->dfu.reply_starts && r->dfu.state == DFU_DNBUSY) {
		r->status_waits = r->bus_time_over = true; /* ASSUMED: U3, the other way (EX-10) */
		dfu_reply_delivered(&r->dfu);
		return;
	}
	r->queue = urb->next;
	urb->next = NULL;
	usbdev_complete(&r->usb, urb, result, urb->actual);
	if (epoch == r->epoch) /* the host may have pulled the board's pins in complete() */
		dfu_reply_delivered(&r->dfu);
}

static void pump(struct rom *r)
{
	uint64_t bus_us;

	if (r->pumping)
		return;
	r->pumping = true;
	while (r->queue && !services_nothing(r) && !bench_is_scheduled(&r->bus_event) &&
	       !is_never_answered(r, &r->queue->setup)) {
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
		rearm(r); /* ASSUMED: U2 (ST-15, RST-9) */
	r->protocol->bus_reset(&r->dfu);
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
	r->protocol = protocols[profile->protocol];
	r->ops = ops;
	r->context = context;
	r->memory = (struct rom_memory){
		.profile = profile, .flash = flash, .ops = ops, .context = context, .alternate = r->ep0.alt
	};
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
					    .accepts_unadvertised_features = profile->protocol ==
									     PROTOCOL_DFUSE, /* USB-6 */
					    .bytes_string_index = profile->serial_is_bytes ? profile->serial_index : 0,
					    .short_string_index = profile->short_string_index,
					    .short_string_bytes = profile->short_string_bytes,
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
	struct dfu_ops ops = dfu_ops_of(r);

	r->epoch++;
	r->host_seen = false;
	r->rearm_pending = false;
	flash_set_feature(r->memory.flash, &(const uint8_t){ 0 },
			  1); /* FEAT-2: a jump into the ROM begins anew as well */
	ep0_bus_reset(&r->ep0);
	r->protocol->reset(&r->dfu, r->profile, &ops);
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
	rom_memory_cut(&r->memory, bench_now_us(r->bench) - r->job_started_us);
}

bool rom_has_seen_host(const struct rom *r)
{
	return r->host_seen;
}

struct usbdev *rom_usb(struct rom *r)
{
	return &r->usb;
}

const struct dfu_machine *rom_dfu(const struct rom *r)
{
	return &r->dfu;
}
