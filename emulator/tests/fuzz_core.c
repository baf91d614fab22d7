/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a board and a bystander under arbitrary transfers, cancels, pins and time, also from within callbacks.
 * Whatever comes: the DFU state is one of the table and a ROM that holds says dfuDNBUSY once, bits of main flash come back
 * to 1 by erasing alone, time never runs back, attach and detach alternate, and each transfer completes exactly once.
 */
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "cdc.h"
#include "fixed.h"
#include "flash.h"
#include "mcu.h"

#define FLASH_BYTES 0x10000u
#define URBS 24u
#define DATA_BYTES 4200u
#define STEPS_MAX 400u

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

struct transfer {
	struct usb_urb urb;
	struct usbdev *dev;
	bool pending;
	unsigned uses;
	uint8_t data[DATA_BYTES];
};

struct input {
	const uint8_t *data;
	size_t size;
};

struct world {
	struct usbhost host;
	struct bench *bench;
	struct mcu *mcu;
	struct mcu_profile profile;
	struct input in;
	bool attached, erased;
	unsigned busy_replies;
	unsigned depth;
	struct usbhost fixed_host;
	struct fixed *fixed;
	bool fixed_attached;
	struct cdc_app *cdc;
	struct transfer transfers[URBS];
	uint8_t before[FLASH_BYTES];
	uint64_t generation;
	struct usbdev app;
	struct usb_urb *app_urbs;
};

static struct world world;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t vector_table[8] = { 0x00, 0x00, 0x02, 0x20, 0x01, 0x01, 0x00, 0x08 };
static const struct flash_sectors sectors[] = { { 4, FLASH_BYTES / 4 }, { 0, 0 } };
static struct mem_region regions[8];

/* The bystander: alternate 1 of its interface has endpoints. */
static uint8_t fixed_configuration[] = { 9, 2, 41,   0, 1, 1, 0, 0x80, 50,   9, 4, 0, 0,  0, 0xff, 0,    0, 0,  9, 4, 0,
					 1, 2, 0xff, 0, 0, 0, 7, 5,    0x81, 3, 8, 0, 10, 7, 5,    0x01, 2, 64, 0, 0 };
static uint8_t *fixed_configurations[] = { fixed_configuration };
static const struct fixed_descriptors fixed_descriptors = {
	.speed = USB_SPEED_IS_FULL,
	.device = { 18, 1, 0, 2, 0, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0, 1, 1, 0, 0, 1 },
	.configurations = fixed_configurations,
	.strings = { NULL, "bystander" },
};

static uint8_t take(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static uint16_t take16(struct input *in)
{
	uint16_t low = take(in);

	return (uint16_t)(low | take(in) << 8);
}

/* A command with an address at one of the places where memories begin and end. */
static void fill_command(struct input *in, uint8_t *data)
{
	static const uint8_t commands[] = { 0x21, 0x41, 0x92, 0x00, 0x21, 0x41, 0x21, 0x55 };
	static const uint32_t addresses[] = { 0x08000000, 0x08004000, 0x0800ffff, 0x08010000, 0x20002000, 0x20004000,
					      0x1fff7800, 0x1fff7a00, 0x1fffc000, 0xffff0000, 0x1fff0000, 0x00000000,
					      0xfffffff0, 0x08100000, 0x1ffff800, 0x1fff7000 };
	uint8_t choice = take(in);
	uint32_t address = addresses[(choice >> 3) % (sizeof addresses / sizeof *addresses)];

	data[0] = commands[choice & 7];
	for (unsigned i = 0; i < 4; i++)
		data[1 + i] = (uint8_t)(address >> 8 * i);
}

static void fill_options(struct input *in, uint8_t *data)
{
	uint8_t user = 0xef, rdp = take(in), wrp = take(in);
	const uint8_t options[16] = { user,          rdp, (uint8_t)~user, (uint8_t)~rdp, user, rdp, (uint8_t)~user,
				      (uint8_t)~rdp, wrp, 0x7f,           (uint8_t)~wrp, 0x80, wrp, 0x7f,
				      (uint8_t)~wrp, 0x80 };

	memcpy(data, options, sizeof options);
}

/* Three quarters of what happens goes to the board. */
static struct usbdev *choose_device(struct world *w, uint8_t choice)
{
	return choice % 4 == 3 ? fixed_usbdev(w->fixed) : mcu_usb(w->mcu);
}

static void submit(struct world *w, struct usbdev *dev)
{
	static const uint8_t endpoints[] = { 0x81, 0x01, 0x82, 0x83, 0x03, 0x81, 0x01, 0x80 };
	static const uint16_t lengths[] = { 0, 1, 4, 5, 6, 8, 16, 64, 255, 2047, 2048, 2049, 4096, 4097, 3, 2 };
	struct transfer *t = NULL;
	struct usb_setup s = { 0 };
	uint8_t kind = take(&w->in);

	for (unsigned i = 0; i < URBS && !t; i++)
		if (!w->transfers[i].pending)
			t = &w->transfers[i];
	if (!t)
		return;
	memset(t->data, kind, sizeof t->data);
	switch (kind % 12) {
	case 0:
	case 1:
		s = (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 };
		break;
	case 2:
		s = (struct usb_setup){ 0x21, DFU_CLRSTATUS, 0, 0, 0 };
		break;
	case 3:
		s = (struct usb_setup){ 0x21, DFU_ABORT, 0, 0, 0 };
		break;
	case 4:
		s = (struct usb_setup){ 0x21, DFU_DNLOAD, 0, 0, kind & 16 ? 1 : 5 };
		fill_command(&w->in, t->data);
		break;
	case 5:
		s = (struct usb_setup){ 0x21, DFU_DNLOAD, (uint16_t)(take(&w->in) % 40), 0,
					lengths[take(&w->in) % 16] };
		break;
	case 6:
		s = (struct usb_setup){ 0xa1, DFU_UPLOAD, (uint16_t)(take(&w->in) % 40), 0,
					lengths[take(&w->in) % 16] };
		break;
	case 7:
		s = (struct usb_setup){ 0x00, 9, 1, 0, 0 };
		break;
	case 8:
		s = (struct usb_setup){ 0x21, DFU_DNLOAD, 2, 0, 16 };
		fill_options(&w->in, t->data);
		break;
	case 9:
		s = (struct usb_setup){ 0x01, 11, (uint16_t)(take(&w->in) % 5), 0, 0 };
		if (kind & 16) /* halt or set free an endpoint */
			s = (struct usb_setup){ 0x02, kind & 32 ? 3 : 1, 0, endpoints[s.value], 0 };
		break;
	case 10: /* a vector table that starts */
		s = (struct usb_setup){ 0x21, DFU_DNLOAD, 2, 0, 8 };
		memcpy(t->data, vector_table, sizeof vector_table);
		break;
	default:
		s.type = take(&w->in);
		s.request = take(&w->in);
		s.value = take16(&w->in);
		s.index = take16(&w->in);
		s.length = (uint16_t)(take16(&w->in) % DATA_BYTES);
		break;
	}
	t->pending = true;
	t->uses++;
	t->urb = (struct usb_urb){ .setup = s, .data = t->data, .length = s.length, .context = t };
	if (kind >= 208)
		t->urb.endpoint = kind >= 250 ? take(&w->in) : endpoints[kind % 8];
	t->dev = dev;
	dev->ops->submit(dev, &t->urb);
}

static void cancel(struct world *w)
{
	struct transfer *t = &w->transfers[take(&w->in) % URBS];
	unsigned uses = t->uses;

	if (!t->pending)
		return;
	t->dev->ops->cancel(t->dev, &t->urb);
	CHECK(!t->pending || t->uses != uses); /* it is back, from the middle of a mass cancelling too */
}

static void toggle_bystander(struct world *w)
{
	if (w->fixed_attached)
		fixed_unplug(w->fixed);
	else
		fixed_plug(w->fixed);
}

static void act_from_within(struct world *w)
{
	uint8_t act = take(&w->in);
	struct usbdev *dev;

	if (w->depth > 3 || !w->mcu)
		return;
	w->depth++;
	dev = choose_device(w, act >> 4);
	act &= 15;
	if (act == 1)
		submit(w, dev);
	else if (act == 2)
		mcu_set_pin(w->mcu, (enum mcu_pin)(take(&w->in) % MCU_PIN_COUNT), take(&w->in) & 1);
	else if (act == 3)
		dev->ops->bus_reset(dev);
	else if (act == 4)
		cancel(w);
	else if (act == 5)
		toggle_bystander(w);
	w->depth--;
}

static void on_complete(struct usbhost *host, struct usb_urb *urb)
{
	struct transfer *t = urb->context;

	(void)host;
	CHECK(t->pending);
	CHECK(urb->actual <= urb->length);
	t->pending = false;
	if (!urb->endpoint && urb->result == USB_ACK && urb->setup.type == 0xa1 && urb->actual == 6 &&
	    urb->setup.request == DFU_GETSTATUS && mcu_mode(world.mcu) == MCU_ROM && t->data[4] == DFU_DNBUSY)
		CHECK(++world.busy_replies == 1 || world.profile.busy_rule != BUSY_HOLDS ||
		      world.profile.hardware_error_status == DFU_STAYS_BUSY || world.profile.stuck_erase_from);
	act_from_within(&world);
}

static void on_attach(struct usbhost *host, struct usbdev *dev)
{
	struct world *w = (struct world *)host;

	(void)dev;
	CHECK(!w->attached);
	w->attached = true;
}

static void on_detach(struct usbhost *host, struct usbdev *dev)
{
	struct world *w = (struct world *)host;

	(void)dev;
	CHECK(w->attached);
	w->attached = false;
}

static const struct usbhost_ops host_ops = { on_complete, on_attach, on_detach };

static void on_fixed_attach(struct usbhost *host, struct usbdev *dev)
{
	(void)host;
	(void)dev;
	CHECK(!world.fixed_attached);
	world.fixed_attached = true;
}

static void on_fixed_detach(struct usbhost *host, struct usbdev *dev)
{
	(void)host;
	(void)dev;
	CHECK(world.fixed_attached);
	world.fixed_attached = false;
}

static const struct usbhost_ops fixed_host_ops = { on_complete, on_fixed_attach, on_fixed_detach };

/* An application that holds what it gets. */
static void app_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct world *w = (struct world *)((char *)dev - offsetof(struct world, app));

	urb->next = w->app_urbs;
	w->app_urbs = urb;
}

static void app_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct world *w = (struct world *)((char *)dev - offsetof(struct world, app));
	struct usb_urb **link = &w->app_urbs;

	while (*link && *link != urb)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = urb->next;
	usbdev_complete(dev, urb, USB_CANCELLED, 0);
}

static void app_bus_reset(struct usbdev *dev)
{
	struct world *w = (struct world *)((char *)dev - offsetof(struct world, app));

	for (unsigned i = 0; w->app_urbs && i < URBS; i++)
		app_cancel(dev, w->app_urbs);
}

static const struct usbdev_ops app_dev_ops = { app_submit, app_cancel, app_bus_reset };

static struct usbdev *app_start(void *context, struct mcu *mcu, uint32_t vector)
{
	struct world *w = context;

	(void)mcu;
	(void)vector;
	w->app.ops = &app_dev_ops;
	return &w->app;
}

static void app_stop(void *context, struct mcu *mcu)
{
	struct world *w = context;

	(void)mcu;
	CHECK(!w->app_urbs);
	usbdev_detach(&w->app);
}

static const struct mcu_app_ops app_ops = { .start = app_start, .stop = app_stop };

static void on_event(void *context, const struct mcu_event *event)
{
	struct world *w = context;

	if (event->type == MCU_EVENT_ERASED || event->type == MCU_EVENT_CUT)
		w->erased = true;
	if (event->type == MCU_EVENT_STATE) {
		CHECK(event->state >= DFU_IDLE && event->state <= DFU_ERROR && event->status <= DFU_ERR_STALLEDPKT);
		w->busy_replies = 0;
	}
}

static void check(struct world *w)
{
	static uint8_t now[FLASH_BYTES];

	CHECK(w->attached == mcu_usb(w->mcu)->attached);
	if (w->generation == flash_generation(mcu_flash(w->mcu)))
		return;
	w->generation = flash_generation(mcu_flash(w->mcu));
	CHECK(!flash_read(mcu_flash(w->mcu), 0x08000000, now, sizeof now));
	if (!w->erased)
		for (size_t i = 0; i < sizeof now; i++)
			CHECK(!(now[i] & ~w->before[i]));
	w->erased = false;
	memcpy(w->before, now, sizeof now);
}

static void step(struct world *w)
{
	uint8_t what = take(&w->in);
	struct usbdev *dev = choose_device(w, what >> 4);
	uint64_t now_us = bench_now_us(w->bench);

	switch (what % 8) {
	case 0:
	case 1:
	case 2:
		submit(w, dev);
		break;
	case 3:
		cancel(w);
		break;
	case 4:
		mcu_set_pin(w->mcu, (enum mcu_pin)(take(&w->in) % MCU_PIN_COUNT), what & 8);
		break;
	case 5:
	case 6:
		bench_advance(w->bench, now_us + (UINT64_C(1) << (take(&w->in) % 27)));
		break;
	default:
		if (what == 7)
			toggle_bystander(w);
		else if (what & 8)
			dev->ops->bus_reset(dev);
		else if (what & 16)
			mcu_boot_traffic(w->mcu, (enum boot_interface)(what >> 5 & 3));
		else if (what & 32)
			mcu_software_entry(w->mcu);
		else if (what & 64)
			mcu_software_reset(w->mcu);
		break;
	}
	CHECK(bench_now_us(w->bench) >= now_us);
	check(w);
}

/* A ROM as it is; its flash is no smaller than what is looked at. */
static void choose_sibling(struct world *w, uint8_t which)
{
	unsigned count = 0;

	while (mcu_profiles[count])
		count++;
	w->profile = *mcu_profiles[which % count];
	CHECK(w->profile.flash_size_bytes >= FLASH_BYTES);
}

/* Every alternative of every unknown is in reach. */
static void choose_profile(struct world *w)
{
	struct mcu_profile *p = &w->profile;
	uint8_t a = take(&w->in), b = take(&w->in), c = take(&w->in);

	if (a % 4 == 3) {
		choose_sibling(w, b);
		return;
	}
	*p = *mcu_profile_find("f407");
	for (size_t i = 0; i < p->region_count && i < 8; i++) {
		regions[i] = p->regions[i];
		if (regions[i].kind == MEM_FLASH)
			regions[i].size_bytes = FLASH_BYTES;
	}
	p->regions = regions;
	p->sectors = sectors;
	p->flash_size_bytes = FLASH_BYTES;
	p->busy_rule = (enum busy_rule)(a % 4);
	p->wrong_state = a & 4 ? WRONG_STATE_STALL_TO_ERROR : WRONG_STATE_STALL_STAYS;
	p->clrstatus_rule = a & 8 ? CLRSTATUS_STALLS : CLRSTATUS_TO_ERROR;
	p->upload_refusal = a & 16 ? UPLOAD_REFUSED_EMPTY : UPLOAD_REFUSED_STALL;
	p->bus_reset_rearms = a & 32;
	p->set_configuration_rearms = a & 64;
	p->block1_download_stalls = !(a & 128);
	p->block1_upload_status = b & 1 ? 0 : 0x0f;
	p->bad_command_at_first_getstatus = !(b & 2);
	p->oversize_stalls = !(b & 4);
	p->odd_length_ok = !(b & 8);
	p->alt_selects_memory = b & 16;
	p->detach_reattaches = b & 32;
	p->abort_leaves_error = b & 64;
	p->erase_sets_pointer = !(b & 128);
	p->rdp_set_address_status = c & 1 ? 0 : 0x0b;
	p->ep0_packet_us = c & 2 ? 0 : 130;
	p->first_getstatus_waits = c & 8;
	if (c & 16)
		p->hardware_error_status = p->feature_refusal_status = DFU_STAYS_BUSY;
	p->short_get_goes_idle = !(c & 128);
	p->errors_set_pointer = c & 128;
	if (c & 32)
		w->cdc = cdc_app_new(c & 64 ? CDC_PYBOARD : CDC_STM32_VCP, "326237753036");
	if (c & 4)
		p->set_address_us = p->leave_us = p->option_write_us = p->disconnect_us = p->app_attach_us =
			p->startup_us = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = &world;
	struct mcu *mcu;

	memset(w, 0, sizeof *w);
	w->in = (struct input){ data, size };
	w->host.ops = &host_ops;
	choose_profile(w);
	w->bench = bench_new(1);
	w->mcu = mcu_new(w->bench, &w->profile, &(struct mcu_identity){ { 1, 2, 3 } });
	CHECK(w->mcu);
	mcu_listen(w->mcu, on_event, w);
	if (w->cdc)
		mcu_set_app(w->mcu, &cdc_app_ops, w->cdc);
	else
		mcu_set_app(w->mcu, &app_ops, w);
	w->fixed_host.ops = &fixed_host_ops;
	w->fixed = fixed_new(&fixed_descriptors);
	CHECK(w->fixed);
	usbdev_connect(fixed_usbdev(w->fixed), &w->fixed_host);
	fixed_plug(w->fixed);
	usbdev_connect(mcu_usb(w->mcu), &w->host);
	memset(w->before, 0xff, sizeof w->before);
	if (w->cdc) { /* then it is what starts */
		CHECK(!flash_load(mcu_flash(w->mcu), 0, vector_table, sizeof vector_table));
		memcpy(w->before, vector_table, sizeof vector_table);
	}
	w->generation = flash_generation(mcu_flash(w->mcu));
	mcu_set_pin(w->mcu, PIN_VBUS, true);
	mcu_set_pin(w->mcu, PIN_BOOT0, !w->cdc);
	mcu_set_pin(w->mcu, PIN_VDD, true);
	bench_advance(w->bench, 100000);
	for (unsigned i = 0; i < STEPS_MAX && w->in.size; i++)
		step(w);
	w->in.size = 0; /* nothing from within any more */
	mcu_set_pin(w->mcu, PIN_VBUS, false);
	fixed_unplug(w->fixed);
	CHECK(!w->attached && !w->fixed_attached);
	for (unsigned i = 0; i < URBS; i++)
		CHECK(!w->transfers[i].pending);
	mcu = w->mcu;
	w->mcu = NULL;
	mcu_free(mcu);
	cdc_app_free(w->cdc);
	fixed_free(w->fixed);
	CHECK(bench_next_us(w->bench) == BENCH_NEVER);
	bench_free(w->bench);
	return 0;
}
