// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gadget: the kernel's own composite gadget. FunctionFS has the device, but takes no class descriptors other than DFU's and HID's,
 * without which no host knows a serial port: a device with others goes by gadgetfs, or where that is missing, a serial port behind
 * the kernel's own ACM function.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "acm.h"
#include "configfs.h"
#include "export.h"
#include "ffs.h"
#include "ffs_descriptors.h"
#include "front.h"
#include "gadgetfs.h"
#include "udc.h"

#define ADDRESS 1u /* the host's own is known to the controller alone */

struct front {
	const struct front_env *env;
	char udc[UDC_NAME];
	struct configfs *configfs;
	struct usbdev *device;
	struct export *export;
	struct usb_description
		*made; /* what the gadget in the tree is like; NULL: nothing yet, FunctionFS is mounted */
	bool has_gadget;
	bool on_bus;
	bool told; /* what this kernel will not show */
	bool told_why;
	/* What carries the device: one of them, or none. */
	struct ffs *ffs;
	struct gadgetfs *gadgetfs;
	struct acm *acm;
};

static void warn(const struct front *f, const char *why)
{
	char line[FRONT_WHY + 192];

	snprintf(line, sizeof(line), "gadget: %s", why);
	f->env->warn(f->env->context, line);
}

/* The gadget. */

static void dismantle(struct front *f)
{
	configfs_unbind(f->configfs);
	ffs_free(f->ffs);
	f->ffs = NULL;
	gadgetfs_free(f->gadgetfs);
	f->gadgetfs = NULL;
	acm_free(f->acm);
	f->acm = NULL;
	configfs_remove(f->configfs);
	usb_description_free(f->made);
	f->made = NULL;
	f->has_gadget = false;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static bool same(const struct usb_description *a, const struct usb_description *b)
{
	const struct usb_configuration *c = &a->configurations[0], *d = &b->configurations[0];

	if (a->speed != b->speed || memcmp(a->device, b->device, sizeof(a->device)) || c->length != d->length ||
	    memcmp(c->bytes, d->bytes, c->length) || !same_text(a->manufacturer, b->manufacturer) ||
	    !same_text(a->product, b->product) || !same_text(a->serial, b->serial) ||
	    a->interface_name_count != b->interface_name_count)
		return false;
	for (size_t i = 0; i < a->interface_name_count; i++)
		if (strcmp(a->interface_names[i].text, b->interface_names[i].text))
			return false;
	return true;
}

static int make_ffs(struct front *f, const struct usb_description *d, char why[FRONT_WHY])
{
	int r = 0;

	/* At the start there is one already, mounted and without descriptors. */
	if (!f->has_gadget || f->made) {
		dismantle(f);
		r = configfs_make(f->configfs, CONFIGFS_FFS, why);
		f->has_gadget = !r;
	}
	if (!r)
		r = configfs_describe(f->configfs, d, why);
	if (r)
		return r;
	f->ffs = ffs_new(f->env, f->export, configfs_mounted(f->configfs), d, &f->told, why);
	return f->ffs ? 0 : -EIO;
}

static int make_acm(struct front *f, const struct usb_description *d, char why[FRONT_WHY])
{
	int r;

	dismantle(f);
	r = configfs_make(f->configfs, CONFIGFS_ACM, why);
	f->has_gadget = !r;
	return r ? r : configfs_describe(f->configfs, d, why);
}

static int make(struct front *f, const struct usb_description *d, bool acm, char why[FRONT_WHY])
{
	int r;

	if (f->made && same(f->made, d))
		return 0;
	r = acm ? make_acm(f, d, why) : make_ffs(f, d, why);
	if (!r) {
		f->made = usb_description_copy(d);
		if (f->made)
			return 0;
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
	}
	dismantle(f);
	return -EIO;
}

/* Does it have descriptors that FunctionFS takes from nobody? */
static bool exceeds_ffs(const struct usb_description *d)
{
	struct ffs_blob blob;
	unsigned left_out = 0;

	if (!ffs_descriptors(d, &d->configurations[0], FFS_ALL, &blob, &left_out))
		free(blob.bytes);
	return left_out > 0;
}

/* False with why[]: not by gadgetfs. */
static bool begin_gadgetfs(struct front *f, const struct usb_description *d, char why[FRONT_WHY])
{
	dismantle(f);
	f->gadgetfs = gadgetfs_new(f->env, f->export, configfs_mounted(f->configfs), f->udc, d, why);
	return f->gadgetfs != NULL;
}

static int begin_acm(struct front *f, const struct usb_description *d, uint8_t in, uint8_t out, char why[FRONT_WHY])
{
	char path[32];
	int port, r = make(f, d, true, why);

	if (r)
		return r;
	acm_free(f->acm);
	port = configfs_acm_port(f->configfs);
	snprintf(path, sizeof(path), "/dev/ttyGS%d", port);
	f->acm = acm_new(f->env, f->export, path, in, out, why);
	return f->acm ? 0 : -EIO;
}

static void without_gadgetfs(struct front *f, bool acm, const char *why)
{
	char line[FRONT_WHY + 160];

	if (f->told_why)
		return;
	f->told_why = true;
	snprintf(line, sizeof(line), "%s%s", why,
		 acm ? ": the serial port is the kernel's own, the board does not hear what a host asks of it" : "");
	warn(f, line);
}

static void gadget_ready(void *context, const struct usb_description *d)
{
	struct front *f = context;
	char why[FRONT_WHY];
	uint8_t in, out;
	bool acm;
	int r;

	if (d->configuration_count > 1)
		warn(f, "only the first configuration of the device is shown");
	gadgetfs_free(f->gadgetfs);
	f->gadgetfs = NULL;
	acm = ffs_acm(&d->configurations[0], &in, &out);
	if (exceeds_ffs(d)) {
		f->on_bus = begin_gadgetfs(f, d, why);
		if (f->on_bus)
			return;
		without_gadgetfs(f, acm, why);
	}
	r = acm ? begin_acm(f, d, in, out, why) : make(f, d, false, why);
	if (!r)
		r = configfs_bind(f->configfs, why);
	if (r) {
		acm_gone(f->acm);
		warn(f, why);
		return;
	}
	f->on_bus = true;
	if (acm)
		acm_start(f->acm);
}

static void gadget_gone(void *context)
{
	struct front *f = context;

	gadgetfs_gone(f->gadgetfs);
	ffs_gone(f->ffs);
	acm_gone(f->acm);
	configfs_unbind(f->configfs);
	f->on_bus = false;
}

static void gadget_complete(void *context, struct usb_urb *urb)
{
	struct front *f = context;

	if (!gadgetfs_complete(f->gadgetfs, urb) && !acm_complete(f->acm, urb))
		ffs_complete(f->ffs, urb);
}

static const struct export_ops gadget_export_ops = {
	.ready = gadget_ready,
	.gone = gadget_gone,
	.complete = gadget_complete,
};

static int gadget_plug(struct front *f, struct usbdev *device)
{
	if (f->export)
		return -ENOSPC;
	f->export = export_new(f->env, device, ADDRESS, &gadget_export_ops, f);
	if (!f->export)
		return -ENOMEM;
	f->device = device;
	return 0;
}

static void gadget_unplug(struct front *f, struct usbdev *device)
{
	if (!f->export || f->device != device)
		return;
	gadget_gone(f);
	dismantle(f);
	export_free(f->export);
	f->export = NULL;
	f->device = NULL;
}

static unsigned gadget_address(const struct front *f, const struct usbdev *device)
{
	return f->device == device && f->on_bus ? ADDRESS : 0;
}

static void gadget_tell(const struct front *f, char text[FRONT_WHY])
{
	snprintf(text, FRONT_WHY, "on controller %s", f->udc);
}

static void gadget_close(struct front *f)
{
	if (f->device)
		gadget_unplug(f, f->device);
	configfs_free(f->configfs);
	free(f);
}

static struct front *gadget_open(const struct front_env *env, const struct front_options *options, char why[FRONT_WHY])
{
	struct front *f = calloc(1, sizeof(*f));

	if (!f) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	f->env = env;
	/* A crashed run may still sit on the controller: what it left goes first. */
	f->configfs = configfs_new(env, f->udc, why);
	/* The function is made at once, so that whatever is missing is said at once. */
	if (f->configfs && !udc_choose(UDC_CLASS, options->udc, f->udc, why) &&
	    !configfs_make(f->configfs, CONFIGFS_FFS, why)) {
		f->has_gadget = true;
		return f;
	}
	configfs_free(f->configfs);
	free(f);
	return NULL;
}

const struct front_ops gadget_front = {
	.name = "gadget",
	.summary = "a Linux gadget on a USB device controller of this machine (FunctionFS)",
	.room = 1,
	.open = gadget_open,
	.plug = gadget_plug,
	.unplug = gadget_unplug,
	.address = gadget_address,
	.tell = gadget_tell,
	.close = gadget_close,
};
