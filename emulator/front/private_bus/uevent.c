/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts and datagrams by which the kernel and udev announce a USB device. */
#include "uevent.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Lines or NUL-terminated strings are added until the room ends; then the whole is void. */
struct text {
	char *at;
	size_t size, length;
	char end; /* of each entry: '\n' in files, '\0' in datagrams */
	bool full;
};

static void add(struct text *t, const char *bytes, size_t n)
{
	if (t->full || n > t->size - t->length) {
		t->full = true;
		return;
	}
	memcpy(t->at + t->length, bytes, n);
	t->length += n;
}

__attribute__((format(printf, 2, 3))) static void entry(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	if (t->full)
		return;
	va_start(ap, format);
	n = vsnprintf(t->at + t->length, t->size - t->length, format, ap);
	va_end(ap);
	/* The terminating NUL takes the place of the end mark. */
	if (n < 0 || (size_t)n >= t->size - t->length) {
		t->full = true;
		return;
	}
	t->length += (size_t)n;
	t->at[t->length++] = t->end;
}

/* Texts leave with a NUL behind them that is not counted. */
static int close_text(struct text *t, bool terminate)
{
	if (terminate && !t->full && t->length == t->size)
		t->full = true;
	if (t->full)
		return -ENOSPC;
	if (terminate)
		t->at[t->length] = '\0';
	return (int)t->length;
}

static unsigned le16(const uint8_t *b)
{
	return (unsigned)b[0] | (unsigned)b[1] << 8;
}

static const uint8_t *device_descriptor(const struct uevent_device *d)
{
	return d->description->device;
}

void uevent_modalias(const struct uevent_device *d, char out[64])
{
	const uint8_t *b = device_descriptor(d), *i = d->interface;

	snprintf(out, 64, "usb:v%04Xp%04Xd%04Xdc%02Xdsc%02Xdp%02Xic%02Xisc%02Xip%02Xin%02X", le16(b + 8), le16(b + 10),
		 le16(b + 12), b[4], b[5], b[6], i[5], i[6], i[7], i[2]);
}

/* What both the attribute and the datagrams carry, in the kernel's order. */
static void add_node(struct text *t, const struct uevent_device *d, const char *dev)
{
	if (d->terminal) {
		entry(t, "MAJOR=%u", ACM_TTY_MAJOR);
		entry(t, "MINOR=%u", d->minor);
		entry(t, "DEVNAME=%s%s", dev, d->terminal);
	}
	if (d->interface)
		return;
	entry(t, "MAJOR=%u", USB_DEVICE_MAJOR);
	entry(t, "MINOR=%u", usb_device_minor(d->bus, d->number));
	entry(t, "DEVNAME=%sbus/usb/%03u/%03u", dev, d->bus, d->number);
}

static void add_kind(struct text *t, const struct uevent_device *d, bool driver)
{
	const uint8_t *b = device_descriptor(d);
	char modalias[64];

	if (d->terminal)
		return;
	entry(t, "DEVTYPE=%s", d->interface ? "usb_interface" : "usb_device");
	if (driver && d->driver)
		entry(t, "DRIVER=%s", d->driver);
	entry(t, "PRODUCT=%x/%x/%x", le16(b + 8), le16(b + 10), le16(b + 12));
	entry(t, "TYPE=%u/%u/%u", b[4], b[5], b[6]);
	if (d->interface) {
		uevent_modalias(d, modalias);
		entry(t, "INTERFACE=%u/%u/%u", d->interface[5], d->interface[6], d->interface[7]);
		entry(t, "MODALIAS=%s", modalias);
	} else {
		entry(t, "BUSNUM=%03u", d->bus);
		entry(t, "DEVNUM=%03u", d->number);
	}
}

int uevent_attribute(const struct uevent_device *d, char *out, size_t size)
{
	struct text t = { .at = out, .size = size, .end = '\n' };

	add_node(&t, d, "");
	add_kind(&t, d, true);
	return close_text(&t, true);
}

/* ---- udev's properties, as its usb_id and path_id builtins form them (systemd 252) ---- */

#define UDEV_TEXT_BYTES 64 /* model and vendor are cut to this in udev */
#define UDEV_CODED_BYTES 256

static bool is_plain(unsigned char c)
{
	return (c < 0x80 && isalnum(c)) || (c && strchr("#+-.:=@_", c));
}

/* Length of the valid UTF-8 sequence of two or more bytes at s, or 0. */
static size_t utf8_length(const char *s)
{
	const unsigned char *b = (const unsigned char *)s;
	size_t n = b[0] >= 0xf0 && b[0] < 0xf5   ? 4
		   : b[0] >= 0xe0 && b[0] < 0xf0 ? 3
		   : b[0] >= 0xc2 && b[0] < 0xe0 ? 2
						 : 0;

	for (size_t i = 1; i < n; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] >= 0xa0) || (b[0] == 0xf0 && b[1] < 0x90) ||
	    (b[0] == 0xf4 && b[1] >= 0x90))
		return 0;
	return n;
}

/* ID_x: runs of white space become one '_', at the ends nothing; what is not plain becomes '_'. */
static void plain_text(const char *from, char out[UDEV_TEXT_BYTES])
{
	size_t n = 0, length = strlen(from), i = 0;

	while (length && isspace((unsigned char)from[length - 1]))
		length--;
	while (i < length && isspace((unsigned char)from[i]))
		i++;
	while (i < length && n < UDEV_TEXT_BYTES - 1) {
		size_t wide = utf8_length(from + i);

		if (isspace((unsigned char)from[i])) {
			out[n++] = '_';
			while (i < length && isspace((unsigned char)from[i]))
				i++;
		} else if (wide) {
			if (n + wide > UDEV_TEXT_BYTES - 1)
				break;
			memcpy(out + n, from + i, wide);
			n += wide;
			i += wide;
		} else {
			out[n++] = is_plain((unsigned char)from[i]) ? from[i] : '_';
			i++;
		}
	}
	out[n] = '\0';
}

/* ID_x_ENC: what is not plain becomes \xHH. */
static void coded_text(const char *from, char out[UDEV_CODED_BYTES])
{
	size_t n = 0;

	while (*from && n + 4 < UDEV_CODED_BYTES) {
		size_t wide = utf8_length(from);

		if (wide) {
			memcpy(out + n, from, wide);
			n += wide;
			from += wide;
		} else if (is_plain((unsigned char)*from)) {
			out[n++] = *from++;
		} else {
			n += (size_t)snprintf(out + n, UDEV_CODED_BYTES - n, "\\x%02x", (unsigned char)*from++);
		}
	}
	out[n] = '\0';
}

/* udev takes a serial only if the USB mass storage rules allow every character of it. */
static bool serial_is_usable(const char *serial)
{
	for (const char *c = serial; *c; c++)
		if (*c < 0x20 || *c > 0x7e || *c == ',')
			return false;
	return *serial;
}

/* Each class/subclass/protocol that occurs, once, in the order of the descriptors. */
static void interface_list(const struct usb_description *u, char *out, size_t size)
{
	size_t n = 1;

	strcpy(out, ":");
	for (size_t c = 0; c < u->configuration_count; c++) {
		size_t offset = 0;
		const uint8_t *i;
		char one[10];

		while ((i = usb_configuration_next(&u->configurations[c], &offset, USB_DT_INTERFACE, 9))) {
			snprintf(one, sizeof(one), ":%02x%02x%02x:", i[5], i[6], i[7]);
			if (!strstr(out, one) && n + 7 < size) {
				memcpy(out + n, one + 1, 8);
				n += 7;
			}
		}
	}
}

struct names {
	char vendor[UDEV_TEXT_BYTES], model[UDEV_TEXT_BYTES], serial[UDEV_TEXT_BYTES]; /* serial: may be "" */
	char vendor_coded[UDEV_CODED_BYTES], model_coded[UDEV_CODED_BYTES];
};

static void names_of(const struct usb_description *u, struct names *n)
{
	char vendor_id[5], model_id[5];
	const char *text;

	snprintf(vendor_id, sizeof(vendor_id), "%04x", le16(u->device + 8));
	snprintf(model_id, sizeof(model_id), "%04x", le16(u->device + 10));
	text = u->manufacturer ? u->manufacturer : vendor_id;
	plain_text(text, n->vendor);
	coded_text(text, n->vendor_coded);
	text = u->product ? u->product : model_id;
	plain_text(text, n->model);
	coded_text(text, n->model_coded);
	n->serial[0] = '\0';
	if (u->serial && serial_is_usable(u->serial))
		plain_text(u->serial, n->serial);
}

static void add_identity(struct text *t, const struct uevent_device *d, const char *prefix, const struct names *n)
{
	const uint8_t *b = device_descriptor(d);

	entry(t, "%sMODEL=%s", prefix, n->model);
	entry(t, "%sMODEL_ENC=%s", prefix, n->model_coded);
	entry(t, "%sMODEL_ID=%04x", prefix, le16(b + 10));
	entry(t, "%sSERIAL=%s_%s%s%s", prefix, n->vendor, n->model, *n->serial ? "_" : "", n->serial);
	if (*n->serial)
		entry(t, "%sSERIAL_SHORT=%s", prefix, n->serial);
	entry(t, "%sVENDOR=%s", prefix, n->vendor);
	entry(t, "%sVENDOR_ENC=%s", prefix, n->vendor_coded);
	entry(t, "%sVENDOR_ID=%04x", prefix, le16(b + 8));
	entry(t, "%sREVISION=%04x", prefix, le16(b + 12));
}

static void add_device_properties(struct text *t, const struct uevent_device *d)
{
	const struct usb_description *u = d->description;
	char interfaces[UDEV_CODED_BYTES];
	struct names n;

	names_of(u, &n);
	entry(t, "ID_BUS=usb");
	if (d->terminal) {
		entry(t, "ID_TYPE=generic");
		entry(t, "ID_USB_TYPE=generic");
		entry(t, "ID_USB_INTERFACE_NUM=%02x", d->interface[2]);
		entry(t, "ID_USB_DRIVER=cdc_acm");
	}
	add_identity(t, d, "ID_", &n);
	add_identity(t, d, "ID_USB_", &n);
	interface_list(u, interfaces, sizeof(interfaces));
	if (interfaces[1])
		entry(t, "ID_USB_INTERFACES=%s", interfaces);
}

#define PATH_BYTES 64

static void path_text(const struct uevent_device *d, char path[PATH_BYTES])
{
	if (d->interface)
		snprintf(path, PATH_BYTES, "platform-dfubench.0-usb-0:%s:%u.%u", d->port, d->description->configuration,
			 d->interface[2]);
	else if (strcmp(d->port, "0"))
		snprintf(path, PATH_BYTES, "platform-dfubench.0-usb-0:%s", d->port);
	else
		snprintf(path, PATH_BYTES, "platform-dfubench.0");
}

static void add_path(struct text *t, const struct uevent_device *d)
{
	char path[PATH_BYTES], tag[PATH_BYTES];
	size_t n;

	path_text(d, path);
	for (n = 0; path[n]; n++)
		tag[n] = isalnum((unsigned char)path[n]) || path[n] == '-' ? path[n] : '_';
	tag[n] = '\0';
	entry(t, "ID_PATH=%s", path);
	entry(t, "ID_PATH_TAG=%s", tag);
}

void uevent_links(const struct uevent_device *d, char by_id[UEVENT_LINK_BYTES], char by_path[UEVENT_LINK_BYTES])
{
	char path[PATH_BYTES];
	struct names n;

	names_of(d->description, &n);
	path_text(d, path);
	snprintf(by_id, UEVENT_LINK_BYTES, "serial/by-id/usb-%s_%s%s%s-if%02x", n.vendor, n.model, *n.serial ? "_" : "",
		 n.serial, d->interface[2]);
	snprintf(by_path, UEVENT_LINK_BYTES, "serial/by-path/%s", path);
}

int uevent_database(const struct uevent_device *d, char *out, size_t size)
{
	struct text t = { .at = out, .size = size, .end = '\n' };
	char properties[UEVENT_MAX_BYTES], by_id[UEVENT_LINK_BYTES], by_path[UEVENT_LINK_BYTES];
	struct text p = { .at = properties, .size = sizeof(properties), .end = '\0' };

	if (d->terminal) {
		uevent_links(d, by_id, by_path);
		entry(&t, "S:%s", by_path);
		entry(&t, "S:%s", by_id);
	}
	entry(&t, "I:%llu", (unsigned long long)d->initialized_us);
	if (!d->interface || d->terminal)
		add_device_properties(&p, d);
	add_path(&p, d);
	if (p.full)
		return -ENOSPC;
	for (size_t i = 0; i < p.length; i += strlen(properties + i) + 1)
		entry(&t, "E:%s", properties + i);
	entry(&t, "V:1");
	return close_text(&t, true);
}

/* ---- datagrams ---- */

static const char *const action_names[] = {
	[UEVENT_ADD] = "add",       [UEVENT_REMOVE] = "remove", [UEVENT_BIND] = "bind",
	[UEVENT_UNBIND] = "unbind", [UEVENT_CHANGE] = "change",
};

/* A device has no driver yet when it is added, and none any more when it is unbound or removed. */
static bool has_driver(enum uevent_action action)
{
	return action == UEVENT_BIND || action == UEVENT_CHANGE;
}

static void add_event(struct text *t, const struct uevent_device *d, enum uevent_action action, uint64_t seqnum,
		      const char *dev)
{
	entry(t, "ACTION=%s", action_names[action]);
	entry(t, "DEVPATH=%s", d->devpath);
	entry(t, "SUBSYSTEM=%s", d->terminal ? "tty" : "usb");
	add_node(t, d, dev);
	add_kind(t, d, has_driver(action));
	entry(t, "SEQNUM=%llu", (unsigned long long)seqnum);
}

int uevent_kernel(const struct uevent_device *d, enum uevent_action action, uint64_t seqnum, uint8_t *out, size_t size)
{
	struct text t = { .at = (char *)out, .size = size, .end = '\0' };

	assert(seqnum);
	entry(&t, "%s@%s", action_names[action], d->devpath);
	add_event(&t, d, action, seqnum, "");
	return close_text(&t, false);
}

uint32_t uevent_hash(const char *word)
{
	const uint32_t m = 0x5bd1e995;
	const unsigned char *b = (const unsigned char *)word;
	size_t n = strlen(word);
	uint32_t h = (uint32_t)n;

	for (; n >= 4; n -= 4, b += 4) {
		uint32_t k = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;

		k *= m;
		k ^= k >> 24;
		h = h * m ^ k * m;
	}
	if (n) {
		for (size_t i = 0; i < n; i++)
			h ^= (uint32_t)b[i] << 8 * i;
		h *= m;
	}
	h ^= h >> 13;
	h *= m;
	return h ^ h >> 15;
}

/* The header that sd-device's and libudev's monitors put before the properties: native order but for magic and
 * hashes. */
struct monitor_header {
	char prefix[8];
	uint8_t magic[4];
	uint32_t header_size, properties_off, properties_len;
	uint8_t subsystem_hash[4], devtype_hash[4], tag_bloom_high[4], tag_bloom_low[4];
};

static void put_be32(uint8_t out[4], uint32_t v)
{
	out[0] = (uint8_t)(v >> 24);
	out[1] = (uint8_t)(v >> 16);
	out[2] = (uint8_t)(v >> 8);
	out[3] = (uint8_t)v;
}

int uevent_udev(const struct uevent_device *d, enum uevent_action action, uint64_t seqnum, uint8_t *out, size_t size)
{
	struct text t = { .at = (char *)out, .size = size, .end = '\0' };
	struct monitor_header h = { .prefix = "libudev", .header_size = sizeof(h), .properties_off = sizeof(h) };
	char by_id[UEVENT_LINK_BYTES], by_path[UEVENT_LINK_BYTES];

	assert(seqnum);
	add(&t, (const char *)&h, sizeof(h));
	add_event(&t, d, action, seqnum, "/dev/");
	if (d->initialized_us)
		entry(&t, "USEC_INITIALIZED=%llu", (unsigned long long)d->initialized_us);
	if (!d->interface || d->terminal)
		add_device_properties(&t, d);
	add_path(&t, d);
	if (d->terminal) {
		uevent_links(d, by_id, by_path);
		entry(&t, "DEVLINKS=/dev/%s /dev/%s", by_path, by_id);
	}
	if (t.full)
		return -ENOSPC;
	put_be32(h.magic, 0xfeedcafe);
	h.properties_len = (uint32_t)(t.length - sizeof(h));
	put_be32(h.subsystem_hash, uevent_hash(d->terminal ? "tty" : "usb"));
	if (!d->terminal)
		put_be32(h.devtype_hash, uevent_hash(d->interface ? "usb_interface" : "usb_device"));
	memcpy(out, &h, sizeof(h)); /* no tags: both halves of the bloom filter stay 0 */
	return close_text(&t, false);
}
