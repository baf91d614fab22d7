// SPDX-License-Identifier: GPL-2.0-or-later
/* The CP2112: reports by AN495, numbered there as here. */
#include "cp2112.h"
#include <stdlib.h>
#include <string.h>
#include "hid.h"

enum {
	RESET_DEVICE = 0x01,
	GPIO_CONFIG = 0x02,
	GPIO_GET = 0x03,
	GPIO_SET = 0x04,
	VERSION_INFO = 0x05,
	SMBUS_CONFIG = 0x06,
	DATA_READ_REQUEST = 0x10,
	DATA_WRITE_READ_REQUEST = 0x11,
	DATA_READ_FORCE_SEND = 0x12,
	DATA_READ_RESPONSE = 0x13,
	DATA_WRITE_REQUEST = 0x14,
	TRANSFER_STATUS_REQUEST = 0x15,
	TRANSFER_STATUS_RESPONSE = 0x16,
	CANCEL_TRANSFER = 0x17,
	LOCK_BYTE = 0x20,
	USB_CONFIG = 0x21,
	MANUFACTURER_STRING = 0x22,
	PRODUCT_STRING = 0x23,
	SERIAL_STRING = 0x24,
};

/* Status of a transfer, and why it failed */
enum { STATUS_IDLE = 0, STATUS_ERROR = 3 };
enum { ERROR_NACK = 0 };

/* All with the report's number in front */
#define GPIO_CONFIG_BYTES 5
#define SMBUS_CONFIG_BYTES 14
#define USB_CONFIG_BYTES 10
#define STRING_BYTES 63
#define REPORT_BYTES 64 /* of those on the interrupt endpoints */
#define STRINGS 3

#define RESET_US 100000u /* ASSUMED: how long it is away from the bus */

/* From dmesg and usb-devices of a real one: OpenWrt pull request 3755. */
static const uint8_t device_descriptor[18] = { 18,   1,    0x10, 0x01, 0,    0, 0, 64, 0xc4,
					       0x10, 0x90, 0xea, 0x00, 0x00, 1, 2, 3,  1 };
static const char *const texts[] = { "Silicon Laboratories", "CP2112 HID USB-to-SMBus Bridge" };

/* ASSUMED: AN495 tells lengths, not how they are declared: numbers and lengths are its, the rest is the plainest that has them. */
/* clang-format off */
#define REPORT(id, count, item) 0x85, (id), 0x95, (count), 0x09, 0x01, (item), 0x02
#define IN_REPORT(id) REPORT(id, REPORT_BYTES - 1, 0x81)
#define OUT_REPORT(id) REPORT(id, REPORT_BYTES - 1, 0x91)
#define FEATURE_REPORT(id, bytes) REPORT(id, (bytes) - 1, 0xb1)

static const uint8_t report_descriptor[] = {
	0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01,   /* vendor's page, usage 1, application */
	0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08,   /* bytes */
	FEATURE_REPORT(RESET_DEVICE, 2),
	FEATURE_REPORT(GPIO_CONFIG, GPIO_CONFIG_BYTES),
	FEATURE_REPORT(GPIO_GET, 2),
	FEATURE_REPORT(GPIO_SET, 3),
	FEATURE_REPORT(VERSION_INFO, 3),
	FEATURE_REPORT(SMBUS_CONFIG, SMBUS_CONFIG_BYTES),
	OUT_REPORT(DATA_READ_REQUEST),
	OUT_REPORT(DATA_WRITE_READ_REQUEST),
	OUT_REPORT(DATA_READ_FORCE_SEND),
	IN_REPORT(DATA_READ_RESPONSE),
	OUT_REPORT(DATA_WRITE_REQUEST),
	OUT_REPORT(TRANSFER_STATUS_REQUEST),
	IN_REPORT(TRANSFER_STATUS_RESPONSE),
	OUT_REPORT(CANCEL_TRANSFER),
	FEATURE_REPORT(LOCK_BYTE, 2),
	FEATURE_REPORT(USB_CONFIG, USB_CONFIG_BYTES),
	FEATURE_REPORT(MANUFACTURER_STRING, STRING_BYTES),
	FEATURE_REPORT(PRODUCT_STRING, STRING_BYTES),
	FEATURE_REPORT(SERIAL_STRING, STRING_BYTES),
	0xc0,
};

static const uint8_t configuration[] = {
	9, 2, 41, 0, 1, 1, 0, 0x80, 50,
	9, 4, 0, 0, 2, 3, 0, 0, 0,
	9, 0x21, 0x01, 0x01, 0, 1, 0x22, sizeof(report_descriptor), 0, /* HID 1.01 */
	7, 5, 0x81, 3, 64, 0, 1,
	7, 5, 0x01, 3, 64, 0, 1,
};
/* clang-format on */
_Static_assert(sizeof(configuration) == 41 && sizeof(report_descriptor) < 256, "as the descriptors say");

static const struct hid_face face = {
	.speed = USB_SPEED_IS_FULL,
	.device = device_descriptor,
	.configuration = configuration,
	.report_descriptor = report_descriptor,
	.report_descriptor_length = sizeof(report_descriptor),
	.in = 0x81,
	.out = 0x01,
};

struct cp2112 {
	struct hid *hid;
	struct bench *bench;
	const struct lines_user *user;
	char serial[CP2112_SERIAL_MAX + 1];
	bool in; /* the cable is */
	struct bench_event reset, back;
	/* A bit for each line */
	uint8_t output, push_pull, latch;
	uint8_t special, clock_divider;
	uint8_t smbus[SMBUS_CONFIG_BYTES]; /* each with its number in front */
	uint8_t status;
	/* Kept without supply. A bit of the lock is 1 as long as what it stands for can be written. */
	uint8_t lock, usb[USB_CONFIG_BYTES], strings[STRINGS][STRING_BYTES];
	enum line_drive told[CP2112_LINES];
};

/* AN495 "Set GPIO configuration": bit 0 makes a clock of line 7, bits 1 and 2 make lamps of lines 0 and 1. */
static bool is_special(const struct cp2112 *c, unsigned line)
{
	return (line == 7 && c->special & 1) || (line == 0 && c->special & 2) || (line == 1 && c->special & 4);
}

enum line_drive cp2112_drive(const struct cp2112 *c, unsigned line)
{
	unsigned bit = 1u << line;

	if (!c->in || !(c->output & bit) || is_special(c, line))
		return LINE_RELEASED;
	if (!(c->latch & bit))
		return LINE_LOW;
	return c->push_pull & bit ? LINE_HIGH : LINE_RELEASED;
}

static void tell_lines(struct cp2112 *c)
{
	for (unsigned i = 0; i < CP2112_LINES; i++) {
		enum line_drive drive = cp2112_drive(c, i);

		if (c->told[i] == drive)
			continue;
		c->told[i] = drive;
		c->user->driven(c->user->context, i, drive);
	}
}

/* A pin with nothing on it has a weak pull-up of its own: data sheet, port I/O. */
static uint8_t levels(const struct cp2112 *c)
{
	uint8_t all = 0;

	for (unsigned i = 0; i < CP2112_LINES; i++) {
		bool high;

		if (!c->user->sensed(c->user->context, i, &high))
			high = cp2112_drive(c, i) != LINE_LOW;
		all |= (uint8_t)(high << i);
	}
	return all;
}

/* Settings that it has after each start. ASSUMED: lines are inputs, open drain. */
static void set_defaults(struct cp2112 *c)
{
	/* 100 kHz, address 2, no automatic read, no time-outs, no limit of retries */
	static const uint8_t smbus[SMBUS_CONFIG_BYTES] = { SMBUS_CONFIG, 0x00, 0x01, 0x86, 0xa0, 0x02 };

	c->output = c->push_pull = 0;
	c->latch = 0xff;
	c->special = c->clock_divider = 0;
	c->status = STATUS_IDLE;
	memcpy(c->smbus, smbus, sizeof(smbus));
}

static const char *text(void *context, uint8_t index)
{
	const struct cp2112 *c = context;

	return index == 3 ? c->serial : index && index < 3 ? texts[index - 1] : NULL;
}

static int answer(uint8_t *data, size_t room, const uint8_t *report, size_t length)
{
	size_t n = length < room ? length : room;

	if (n)
		memcpy(data, report, n);
	return (int)n;
}

static int get_report(void *context, enum hid_report type, uint8_t id, uint8_t *data, size_t room)
{
	const struct cp2112 *c = context;

	if (type != HID_FEATURE)
		return -1;
	switch (id) {
	case GPIO_CONFIG:
		return answer(data, room,
			      (const uint8_t[]){ id, c->output, c->push_pull, c->special, c->clock_divider },
			      GPIO_CONFIG_BYTES);
	case GPIO_GET:
		return answer(data, room, (const uint8_t[]){ id, levels(c) }, 2);
	case VERSION_INFO: /* of the one above */
		return answer(data, room, (const uint8_t[]){ id, 0x0c, 0x02 }, 3);
	case SMBUS_CONFIG:
		return answer(data, room, c->smbus, sizeof(c->smbus));
	case LOCK_BYTE:
		return answer(data, room, (const uint8_t[]){ id, c->lock }, 2);
	case USB_CONFIG:
		return answer(data, room, c->usb, sizeof(c->usb));
	case MANUFACTURER_STRING:
	case PRODUCT_STRING:
	case SERIAL_STRING:
		return answer(data, room, c->strings[id - MANUFACTURER_STRING], STRING_BYTES);
	default:
		return -1;
	}
}

static void set_gpio_config(struct cp2112 *c, const uint8_t *data)
{
	c->output = data[1];
	c->push_pull = data[2];
	c->special = data[3];
	c->clock_divider = data[4];
	/* An input is an output that lets go: it is high when it becomes an output again, until a value is set (seen on an evaluation
	 * board: Linux commit beb9d007a846). */
	c->latch |= (uint8_t)~c->output;
	tell_lines(c);
}

/* The last byte says which fields: one bit of the lock for each, in the same order. Each can be written once. */
static void set_usb_config(struct cp2112 *c, const uint8_t *data)
{
	static const struct {
		uint8_t at, bytes;
	} fields[] = { { 1, 2 }, { 3, 2 }, { 5, 1 }, { 6, 1 }, { 7, 2 } };
	uint8_t mask = data[USB_CONFIG_BYTES - 1] & c->lock;

	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (mask >> i & 1) {
			memcpy(c->usb + fields[i].at, data + fields[i].at, fields[i].bytes);
			c->lock &= (uint8_t) ~(1u << i);
		}
}

static void set_string(struct cp2112 *c, uint8_t id, const uint8_t *data, size_t length)
{
	unsigned i = id - MANUFACTURER_STRING;
	uint8_t bit = (uint8_t)(1u << (5 + i));

	if (!(c->lock & bit))
		return;
	memset(c->strings[i], 0, STRING_BYTES);
	memcpy(c->strings[i], data, length < STRING_BYTES ? length : STRING_BYTES);
	c->lock &= (uint8_t)~bit;
}

static int set_report(void *context, enum hid_report type, uint8_t id, const uint8_t *data, size_t length)
{
	static const struct {
		uint8_t id, least; /* bytes */
	} rows[] = {
		{ RESET_DEVICE, 2 },
		{ GPIO_CONFIG, GPIO_CONFIG_BYTES },
		{ GPIO_SET, 3 },
		{ SMBUS_CONFIG, SMBUS_CONFIG_BYTES },
		{ LOCK_BYTE, 2 },
		{ USB_CONFIG, USB_CONFIG_BYTES },
		{ MANUFACTURER_STRING, 3 },
		{ PRODUCT_STRING, 3 },
		{ SERIAL_STRING, 3 },
	};
	struct cp2112 *c = context;
	size_t row = 0;

	while (row < sizeof(rows) / sizeof(rows[0]) && rows[row].id != id)
		row++;
	/* ASSUMED: what it does not know, or is too short, is refused. */
	if (type != HID_FEATURE || row == sizeof(rows) / sizeof(rows[0]) || length < rows[row].least || data[0] != id)
		return -1;
	switch (id) {
	case RESET_DEVICE:
		if (data[1] == 1)
			bench_after(c->bench, &c->reset, 0); /* when this has been answered */
		break;
	case GPIO_CONFIG:
		set_gpio_config(c, data);
		break;
	case GPIO_SET: /* values, and which of them; inputs are not affected: AN495 "Set GPIO values" */
		c->latch = (uint8_t)((c->latch & ~(data[2] & c->output)) | (data[1] & data[2] & c->output));
		tell_lines(c);
		break;
	case SMBUS_CONFIG:
		memcpy(c->smbus, data, sizeof(c->smbus));
		break;
	case LOCK_BYTE:
		c->lock &= data[1];
		break;
	case USB_CONFIG:
		set_usb_config(c, data);
		break;
	default:
		set_string(c, id, data, length);
	}
	return 0;
}

/* The bus is empty: whoever is addressed does not answer, as often as it is tried. */
static void send_status(struct cp2112 *c)
{
	uint8_t report[REPORT_BYTES] = { TRANSFER_STATUS_RESPONSE, c->status, ERROR_NACK };

	if (c->status == STATUS_ERROR)
		memcpy(report + 3, c->smbus + SMBUS_CONFIG_BYTES - 2, 2); /* retries */
	hid_send(c->hid, report, sizeof(report));
}

static void output(void *context, const uint8_t *data, size_t length)
{
	struct cp2112 *c = context;

	switch (data[0]) {
	case DATA_READ_REQUEST:
	case DATA_WRITE_READ_REQUEST:
	case DATA_WRITE_REQUEST:
		if (length > 2 && !(data[1] & 1)) /* an address is 7 bits and a 0 */
			c->status = STATUS_ERROR;
		break;
	case DATA_READ_FORCE_SEND:
		hid_send(c->hid, (const uint8_t[REPORT_BYTES]){ DATA_READ_RESPONSE, c->status }, REPORT_BYTES);
		break;
	case TRANSFER_STATUS_REQUEST:
		if (length > 1 && data[1] == 1)
			send_status(c);
		break;
	case CANCEL_TRANSFER:
		if (length > 1 && data[1] == 1)
			c->status = STATUS_IDLE;
		break;
	}
}

static const struct hid_ops ops = {
	.string = text,
	.get_report = get_report,
	.set_report = set_report,
	.output = output,
};

static void reset(struct bench_event *event)
{
	struct cp2112 *c = event->context;

	hid_unplug(c->hid);
	set_defaults(c);
	tell_lines(c);
	bench_after(c->bench, &c->back, RESET_US);
}

static void back(struct bench_event *event)
{
	struct cp2112 *c = event->context;

	hid_plug(c->hid);
}

/* UTF-16LE, behind number, length and type of a string descriptor. */
static void store_string(uint8_t report[STRING_BYTES], uint8_t id, const char *ascii)
{
	size_t n = strlen(ascii);

	report[0] = id;
	report[1] = (uint8_t)(2 + 2 * n);
	report[2] = 3;
	for (size_t i = 0; i < n; i++)
		report[3 + 2 * i] = (uint8_t)ascii[i];
}

struct cp2112 *cp2112_new(struct bench *bench, const char *serial, const struct lines_user *user)
{
	/* The IDs, 100 mA, supply from the bus, release 0.0 */
	static const uint8_t usb[USB_CONFIG_BYTES] = { USB_CONFIG, 0xc4, 0x10, 0x90, 0xea, 50 };
	struct cp2112 *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->bench = bench;
	c->user = user;
	strncpy(c->serial, serial, CP2112_SERIAL_MAX);
	c->lock = 0xff;
	memcpy(c->usb, usb, sizeof(usb));
	store_string(c->strings[0], MANUFACTURER_STRING, texts[0]);
	store_string(c->strings[1], PRODUCT_STRING, texts[1]);
	store_string(c->strings[2], SERIAL_STRING, c->serial);
	c->reset = (struct bench_event){ .fire = reset, .context = c };
	c->back = (struct bench_event){ .fire = back, .context = c };
	set_defaults(c);
	c->hid = hid_new(bench, &face, &ops, c);
	if (!c->hid) {
		free(c);
		return NULL;
	}
	return c;
}

void cp2112_free(struct cp2112 *c)
{
	if (!c)
		return;
	bench_cancel(c->bench, &c->reset);
	bench_cancel(c->bench, &c->back);
	hid_free(c->hid);
	free(c);
}

struct usbdev *cp2112_usbdev(struct cp2112 *c)
{
	return hid_usbdev(c->hid);
}

void cp2112_plug(struct cp2112 *c, bool in)
{
	if (c->in == in)
		return;
	c->in = in;
	bench_cancel(c->bench, &c->reset);
	bench_cancel(c->bench, &c->back);
	set_defaults(c);
	if (in)
		hid_plug(c->hid);
	else
		hid_unplug(c->hid);
	tell_lines(c);
}
