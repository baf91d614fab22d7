// SPDX-License-Identifier: GPL-2.0-or-later
/* USB/IP as bytes: field by field. */
#include "usbip_wire.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_BIT 0x8000u
#define ENDPOINT_MOST 15u

static uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)get16(b) << 16 | get16(b + 2);
}

static void put16(uint8_t *b, uint32_t value)
{
	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
}

static void put32(uint8_t *b, uint32_t value)
{
	put16(b, value >> 16);
	put16(b + 2, value & 0xFFFFu);
}

static enum usbip_verdict bad(char why[USBIP_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, USBIP_WHY, format, args);
	va_end(args);
	return USBIP_BAD;
}

/* A text in a field of fixed size: what is behind its NUL does not count. False: there is none. */
static bool get_text(char *to, const uint8_t *from, size_t size)
{
	if (!memchr(from, 0, size))
		return false;
	memset(to, 0, size);
	strcpy(to, (const char *)from);
	return true;
}

/* ---- requests and replies ---- */

/* What both begin with: version, code, status. */
static enum usbip_verdict head_decode(const uint8_t *bytes, size_t length, unsigned bit, enum usbip_code *code,
				      char why[USBIP_WHY])
{
	if (length >= 2 && get16(bytes) != USBIP_VERSION)
		return bad(why, "version 0x%04x: must be 0x%04x", get16(bytes), USBIP_VERSION);
	if (length >= 4 && get16(bytes + 2) != (bit | USBIP_DEVLIST) && get16(bytes + 2) != (bit | USBIP_IMPORT))
		return bad(why, "code 0x%04x: must be 0x%04x or 0x%04x", get16(bytes + 2), bit | USBIP_DEVLIST,
			   bit | USBIP_IMPORT);
	if (length < USBIP_HEAD_BYTES)
		return USBIP_MORE;
	*code = (enum usbip_code)(get16(bytes + 2) & ~bit);
	return USBIP_DONE;
}

static void head_encode(uint8_t *bytes, unsigned code, uint32_t status)
{
	put16(bytes, USBIP_VERSION);
	put16(bytes + 2, code);
	put32(bytes + 4, status);
}

enum usbip_verdict usbip_request_decode(const uint8_t *bytes, size_t length, struct usbip_request *request,
					size_t *used, char why[USBIP_WHY])
{
	enum usbip_verdict verdict = head_decode(bytes, length, REQUEST_BIT, &request->code, why);

	memset(request->busid, 0, sizeof(request->busid));
	*used = USBIP_HEAD_BYTES;
	if (verdict != USBIP_DONE || request->code == USBIP_DEVLIST)
		return verdict;
	*used = USBIP_REQUEST_BYTES;
	if (length < USBIP_REQUEST_BYTES)
		return USBIP_MORE;
	if (!get_text(request->busid, bytes + USBIP_HEAD_BYTES, USBIP_BUSID))
		return bad(why, "bus id '%.*s': does not end", USBIP_BUSID, (const char *)bytes + USBIP_HEAD_BYTES);
	return USBIP_DONE;
}

size_t usbip_request_encode(const struct usbip_request *request, uint8_t bytes[USBIP_REQUEST_BYTES])
{
	head_encode(bytes, REQUEST_BIT | request->code, 0);
	if (request->code == USBIP_DEVLIST)
		return USBIP_HEAD_BYTES;
	memcpy(bytes + USBIP_HEAD_BYTES, request->busid, USBIP_BUSID);
	return USBIP_REQUEST_BYTES;
}

enum usbip_verdict usbip_reply_decode(const uint8_t *bytes, size_t length, struct usbip_reply *reply, size_t *used,
				      char why[USBIP_WHY])
{
	enum usbip_verdict verdict = head_decode(bytes, length, 0, &reply->code, why);

	if (verdict != USBIP_DONE)
		return verdict;
	*used = USBIP_HEAD_BYTES;
	reply->status = get32(bytes + 4);
	reply->count = reply->code == USBIP_IMPORT && !reply->status;
	if (reply->code == USBIP_IMPORT || reply->status)
		return USBIP_DONE;
	*used = USBIP_DEVLIST_HEAD_BYTES;
	if (length < USBIP_DEVLIST_HEAD_BYTES)
		return USBIP_MORE;
	reply->count = get32(bytes + USBIP_HEAD_BYTES);
	return USBIP_DONE;
}

size_t usbip_reply_encode(const struct usbip_reply *reply, uint8_t bytes[USBIP_DEVLIST_HEAD_BYTES])
{
	head_encode(bytes, reply->code, reply->status);
	if (reply->code == USBIP_IMPORT || reply->status)
		return USBIP_HEAD_BYTES;
	put32(bytes + USBIP_HEAD_BYTES, reply->count);
	return USBIP_DEVLIST_HEAD_BYTES;
}

enum usbip_verdict usbip_device_decode(const uint8_t *bytes, size_t length, bool with_interfaces,
				       struct usbip_device *d, size_t *used, char why[USBIP_WHY])
{
	const uint8_t *b = bytes + USBIP_PATH + USBIP_BUSID;

	*used = USBIP_DEVICE_BYTES;
	if (length < USBIP_DEVICE_BYTES)
		return USBIP_MORE;
	*used += with_interfaces ? b[23] * (size_t)USBIP_INTERFACE_BYTES : 0;
	if (length < *used)
		return USBIP_MORE;
	memset(d, 0, sizeof(*d));
	if (!get_text(d->path, bytes, USBIP_PATH) || !get_text(d->busid, bytes + USBIP_PATH, USBIP_BUSID))
		return bad(why, "path or bus id of a device: does not end");
	d->busnum = get32(b);
	d->devnum = get32(b + 4);
	d->speed = get32(b + 8);
	d->vendor = get16(b + 12);
	d->product = get16(b + 14);
	d->bcd_device = get16(b + 16);
	d->device_class = b[18];
	d->subclass = b[19];
	d->protocol = b[20];
	d->configuration = b[21];
	d->configuration_count = b[22];
	d->interface_count = b[23];
	for (unsigned i = 0; with_interfaces && i < d->interface_count; i++) {
		const uint8_t *interface = bytes + USBIP_DEVICE_BYTES + i * (size_t)USBIP_INTERFACE_BYTES;

		d->interfaces[i].interface_class = interface[0];
		d->interfaces[i].subclass = interface[1];
		d->interfaces[i].protocol = interface[2];
	}
	return USBIP_DONE;
}

size_t usbip_device_encode(const struct usbip_device *d, bool with_interfaces, uint8_t *bytes)
{
	uint8_t *b = bytes + USBIP_PATH + USBIP_BUSID;

	memcpy(bytes, d->path, USBIP_PATH);
	memcpy(bytes + USBIP_PATH, d->busid, USBIP_BUSID);
	put32(b, d->busnum);
	put32(b + 4, d->devnum);
	put32(b + 8, d->speed);
	put16(b + 12, d->vendor);
	put16(b + 14, d->product);
	put16(b + 16, d->bcd_device);
	b[18] = d->device_class;
	b[19] = d->subclass;
	b[20] = d->protocol;
	b[21] = d->configuration;
	b[22] = d->configuration_count;
	b[23] = d->interface_count;
	b += 24;
	for (unsigned i = 0; with_interfaces && i < d->interface_count; i++, b += USBIP_INTERFACE_BYTES) {
		b[0] = d->interfaces[i].interface_class;
		b[1] = d->interfaces[i].subclass;
		b[2] = d->interfaces[i].protocol;
		b[3] = 0;
	}
	return (size_t)(b - bytes);
}

/* ---- messages ---- */

static bool is_isochronous(const struct usbip_message *m)
{
	return m->packets && m->packets != USBIP_NOT_ISOCHRONOUS;
}

static enum usbip_verdict submit_decode(const uint8_t *b, struct usbip_message *m, char why[USBIP_WHY])
{
	m->flags = get32(b);
	m->length = get32(b + 4);
	m->packets = get32(b + 12);
	m->interval = get32(b + 16);
	memcpy(m->setup, b + 20, sizeof(m->setup));
	if (m->length > USBIP_TRANSFER_MOST)
		return bad(why, "transfer of %lu bytes: must be at most %u", (unsigned long)m->length,
			   USBIP_TRANSFER_MOST);
	if (is_isochronous(m) && m->packets > USBIP_PACKETS_MOST)
		return bad(why, "transfer of %lu packets: must be at most %u", (unsigned long)m->packets,
			   USBIP_PACKETS_MOST);
	m->data_bytes = m->in ? 0 : m->length;
	m->packet_bytes = is_isochronous(m) ? m->packets * (size_t)USBIP_PACKET_BYTES : 0;
	return USBIP_DONE;
}

enum usbip_verdict usbip_message_decode(const uint8_t *bytes, size_t length, struct usbip_message *m,
					char why[USBIP_WHY])
{
	const uint8_t *b = bytes + 20;
	uint32_t command, direction, endpoint;

	memset(m, 0, sizeof(*m));
	if (length < USBIP_MESSAGE_BYTES)
		return USBIP_MORE;
	command = get32(bytes);
	direction = get32(bytes + 12);
	endpoint = get32(bytes + 16);
	if (command < USBIP_SUBMIT || command > USBIP_UNLINKED)
		return bad(why, "command 0x%08lx: must be 1 to 4", (unsigned long)command);
	m->command = (enum usbip_command)command;
	m->seqnum = get32(bytes + 4);
	m->devid = get32(bytes + 8);
	/* Whoever takes a transfer back need not say where it was. */
	if (command == USBIP_SUBMIT && direction > 1)
		return bad(why, "direction %lu: must be 0 or 1", (unsigned long)direction);
	if (command == USBIP_SUBMIT && endpoint > ENDPOINT_MOST)
		return bad(why, "endpoint %lu: must be at most %u", (unsigned long)endpoint, ENDPOINT_MOST);
	if (command == USBIP_SUBMIT) {
		m->in = direction;
		m->endpoint = (uint8_t)endpoint;
	}
	switch (m->command) {
	case USBIP_SUBMIT:
		return submit_decode(b, m, why);
	case USBIP_UNLINK:
		m->unlink = get32(b);
		return USBIP_DONE;
	case USBIP_SUBMITTED:
		m->status = (int32_t)get32(b);
		m->actual = get32(b + 4);
		m->packets = get32(b + 12);
		if (m->actual > USBIP_TRANSFER_MOST)
			return bad(why, "reply of %lu bytes: must be at most %u", (unsigned long)m->actual,
				   USBIP_TRANSFER_MOST);
		return USBIP_DONE;
	case USBIP_UNLINKED:
		m->status = (int32_t)get32(b);
		return USBIP_DONE;
	}
	return USBIP_BAD;
}

void usbip_message_encode(const struct usbip_message *m, uint8_t bytes[USBIP_MESSAGE_BYTES])
{
	uint8_t *b = bytes + 20;

	memset(bytes, 0, USBIP_MESSAGE_BYTES);
	put32(bytes, m->command);
	put32(bytes + 4, m->seqnum);
	put32(bytes + 8, m->devid);
	put32(bytes + 12, m->in);
	put32(bytes + 16, m->endpoint);
	switch (m->command) {
	case USBIP_SUBMIT:
		put32(b, m->flags);
		put32(b + 4, m->length);
		put32(b + 12, m->packets);
		put32(b + 16, m->interval);
		memcpy(b + 20, m->setup, sizeof(m->setup));
		break;
	case USBIP_UNLINK:
		put32(b, m->unlink);
		break;
	case USBIP_SUBMITTED:
		put32(b, (uint32_t)m->status);
		put32(b + 4, m->actual);
		put32(b + 12, m->packets);
		break;
	case USBIP_UNLINKED:
		put32(b, (uint32_t)m->status);
		break;
	}
}
