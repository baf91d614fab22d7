/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control transfers in words for people. */
#include <stdio.h>
#include "dfuse.h"
#include "dfuse_names.h"

#define TYPE_MASK 0x60
#define TYPE_STANDARD 0x00
#define TYPE_CLASS 0x20
#define RECIPIENT_INTERFACE 0x01

static bool is_dfu(const struct usb_setup *s)
{
	return (s->type & 0x7f) == (TYPE_CLASS | RECIPIENT_INTERFACE) && s->request <= DFU_ABORT;
}

static const char *descriptor_name(unsigned type)
{
	switch (type) {
	case 1:
		return "device";
	case 2:
		return "configuration";
	case 3:
		return "string";
	case 6:
		return "device qualifier";
	case 15:
		return "BOS";
	case 0x21:
		return "class"; /* DFU functional, HID */
	case 0x22:
		return "report";
	default:
		return "type";
	}
}

/* USB 2.0 table 9-4 */
static const char *standard_name(unsigned request)
{
	static const char *const names[] = {
		"GET_STATUS",
		"CLEAR_FEATURE",
		NULL,
		"SET_FEATURE",
		NULL,
		"SET_ADDRESS",
		"GET_DESCRIPTOR",
		"SET_DESCRIPTOR",
		"GET_CONFIGURATION",
		"SET_CONFIGURATION",
		"GET_INTERFACE",
		"SET_INTERFACE",
		"SYNCH_FRAME",
	};

	return request < sizeof(names) / sizeof(names[0]) ? names[request] : NULL;
}

static void name_standard(const struct usb_setup *s, char *out, size_t size)
{
	const char *name = standard_name(s->request);

	if (!name)
		snprintf(out, size, "standard request 0x%02x value 0x%04x index 0x%04x, %u bytes", s->request, s->value,
			 s->index, s->length);
	else if (s->request == 6)
		snprintf(out, size, "%s %s %u, up to %u bytes", name, descriptor_name(s->value >> 8), s->value & 0xff,
			 s->length);
	else if (s->request == 5 || s->request == 9)
		snprintf(out, size, "%s %u", name, s->value);
	else if (s->request == 11)
		snprintf(out, size, "%s interface %u alternate %u", name, s->index, s->value);
	else if (s->request == 10)
		snprintf(out, size, "%s interface %u", name, s->index);
	else if (s->request == 1 || s->request == 3)
		snprintf(out, size, "%s %u of 0x%02x", name, s->value, s->index);
	else
		snprintf(out, size, "%s", name);
}

char *dfuse_name_setup(const struct usb_setup *s, char *out, size_t size)
{
	static const char *const types[] = { "standard", "class", "vendor", "reserved" };

	if ((s->type & TYPE_MASK) == TYPE_STANDARD)
		name_standard(s, out, size);
	else if (!is_dfu(s))
		snprintf(out, size, "%s request 0x%02x %s value 0x%04x index 0x%04x, %u bytes", types[s->type >> 5 & 3],
			 s->request, s->type & 0x80 ? "IN" : "OUT", s->value, s->index, s->length);
	else if (s->request == DFU_DNLOAD)
		snprintf(out, size, "%s block %u, %u bytes", dfu_request_name(s->request), s->value, s->length);
	else if (s->request == DFU_UPLOAD)
		snprintf(out, size, "%s block %u, up to %u bytes", dfu_request_name(s->request), s->value, s->length);
	else if (s->request == DFU_DETACH)
		snprintf(out, size, "%s time-out %u ms", dfu_request_name(s->request), s->value);
	else
		snprintf(out, size, "%s", dfu_request_name(s->request));
	return out;
}

/* AN3156 5: wValue 0 carries a command, 1 is reserved, from 2 on data. */
static void name_download(const struct usb_setup *s, const uint8_t *data, size_t length, char *out, size_t size)
{
	uint32_t address;

	if (!length) {
		snprintf(out, size, "end of download: leave");
		return;
	}
	if (s->value == 1) {
		snprintf(out, size, "reserved block, %zu bytes", length);
		return;
	}
	if (s->value) {
		snprintf(out, size, "write %zu bytes at pointer + %u blocks", length, s->value - 2);
		return;
	}
	if (length == 5) {
		address = data[1] | (uint32_t)data[2] << 8 | (uint32_t)data[3] << 16 | (uint32_t)data[4] << 24;
		if (data[0] == DFUSE_SET_ADDRESS) {
			snprintf(out, size, "Set-Address 0x%08X", (unsigned)address);
			return;
		}
		if (data[0] == DFUSE_ERASE) {
			snprintf(out, size, "Erase 0x%08X", (unsigned)address);
			return;
		}
	}
	if (length == 1 && data[0] == DFUSE_ERASE)
		snprintf(out, size, "Mass erase");
	else if (length == 1 && data[0] == DFUSE_READ_UNPROTECT)
		snprintf(out, size, "Read-Unprotect");
	else if (length == 1 && data[0] == DFUSE_GET)
		snprintf(out, size, "Get commands");
	else
		snprintf(out, size, "unknown command 0x%02x, %zu bytes", data[0], length);
}

static void name_get(const uint8_t *data, size_t length, char *out, size_t size)
{
	int n = snprintf(out, size, "commands");

	for (size_t i = 0; i < length && i < 16 && n > 0 && (size_t)n < size; i++)
		n += snprintf(out + n, size - (size_t)n, " 0x%02x", data[i]);
}

char *dfuse_name_payload(const struct usb_setup *s, const uint8_t *data, size_t length, char *out, size_t size)
{
	char state[DFUSE_CODE_TEXT], status[DFUSE_CODE_TEXT];

	out[0] = '\0';
	if (!is_dfu(s))
		return out;
	switch (s->request) {
	case DFU_DNLOAD:
		name_download(s, data, length, out, size);
		break;
	case DFU_UPLOAD:
		if (s->value == 0)
			name_get(data, length, out, size);
		else
			snprintf(out, size, "%zu bytes", length);
		break;
	case DFU_GETSTATUS:
		if (length >= 6)
			snprintf(out, size, "%s, %s, poll %u ms", dfuse_name_state(data[4], state),
				 dfuse_name_status(data[0], status),
				 (unsigned)(data[1] | data[2] << 8 | data[3] << 16));
		break;
	case DFU_GETSTATE:
		if (length >= 1)
			snprintf(out, size, "%s", dfuse_name_state(data[0], state));
		break;
	default:
		break;
	}
	return out;
}

static char *name_code(const char *name, const char *kind, unsigned code, char out[DFUSE_CODE_TEXT])
{
	if (*name == '?')
		snprintf(out, DFUSE_CODE_TEXT, "%s %u", kind, code);
	else
		snprintf(out, DFUSE_CODE_TEXT, "%s", name);
	return out;
}

char *dfuse_name_state(unsigned state, char out[DFUSE_CODE_TEXT])
{
	return name_code(dfu_state_name(state), "state", state, out);
}

char *dfuse_name_status(unsigned status, char out[DFUSE_CODE_TEXT])
{
	return name_code(dfu_status_name(status), "status", status, out);
}
