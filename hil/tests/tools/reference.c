// SPDX-License-Identifier: GPL-2.0-or-later
/* dfu-reference: the command line, and operations as sequences of what a device can do. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "reference.h"

static const char *const usage =
	"usage: dfu-reference [OPTION...] OPERATION\n\n"
	"  list   download FILE   upload FILE   erase   mass-erase   leave   unprotect   option-bytes HEX\n\n"
	"  --usb VVVV:PPPP   --serial S   --alt N   --address A   --length N\n"
	"  --leave   --verify   --no-erase   --mass-erase   --force (outside of the memories that the device tells "
	"of)\n"
	"  --mutant NAME (or DFU_REFERENCE_MUTANT): get one thing wrong; --mutants lists them\n\n"
	"Exit status: 0 done, 1 usage, 2 file, 3 no device, 4 the device failed, 5 no answer in time, 6 flash "
	"differs,\n"
	"7 protected\n";

struct order {
	struct choice choice;
	unsigned alt;
	bool has_address, has_length, leave, verify, no_erase, mass_erase, force;
	uint32_t address;
	size_t length;
	const char *file;
};

enum outcome fail(enum outcome o, const char *format, ...)
{
	va_list args;

	fputs("dfu-reference: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return o;
}

static uint16_t block_number(size_t index)
{
	size_t base = mutant(M_BLOCK_BASE_0) ? 0 : mutant(M_BLOCK_BASE_1) ? 1 : mutant(M_BLOCK_BASE_3) ? 3 : 2;

	if (mutant(M_FIXED_BLOCK))
		return 2;
	return mutant(M_BLOCK_8_BITS) ? (uint8_t)(base + index) : (uint16_t)(base + index);
}

/* Erasing */

static bool overlaps(const struct sector *s, uint32_t address, size_t length)
{
	return s->address < (uint64_t)address + length && address < (uint64_t)s->address + s->size;
}

static enum outcome erase_chunks(struct device *d, const struct layout *l, const struct element *e)
{
	enum outcome o = DONE;

	for (size_t at = 0; at < e->length && !o; at += d->transfer_size)
		o = device_erase(d, layout_at(l, e->address + (uint32_t)at)->address);
	return o;
}

/* Each sector once, whoever wants it. */
static enum outcome erase_sectors(struct device *d, unsigned alt, const struct element *elements, size_t count)
{
	const struct layout *l = &d->layouts[alt];
	uint32_t first = UINT32_MAX, last = 0;
	size_t wanted = 0, done = 0;
	enum outcome o = DONE;

	for (size_t e = 0; e < count; e++) {
		first = elements[e].address < first ? elements[e].address : first;
		last = elements[e].address > last ? elements[e].address : last;
	}
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < l->count && !o; i++) {
			bool wants = mutant(M_ERASE_GAP) && overlaps(&l->sectors[i], first, last - first);

			for (size_t e = 0; e < count && !wants; e++)
				wants = elements[e].alt == alt &&
					overlaps(&l->sectors[i], elements[e].address, elements[e].length);
			if (!wants || !l->sectors[i].erasable)
				continue;
			if (!pass) {
				wanted++;
				continue;
			}
			if (++done == wanted && wanted > 1 && mutant(M_SECTOR_TOO_FEW))
				break;
			o = device_erase(d, l->sectors[i].address);
			if (done == wanted && i + 1 < l->count && !o && mutant(M_SECTOR_TOO_MANY))
				o = device_erase(d, l->sectors[i + 1].address);
		}
	return o;
}

/* Writing */

static enum outcome write_element(struct device *d, const struct element *e)
{
	uint8_t padded[UINT16_MAX];
	enum outcome o = mutant(M_NO_ADDRESS) ? DONE : device_set_address(d, e->address);

	for (size_t at = 0, n; at < e->length && !o; at += n) {
		const uint8_t *data = e->data + at;

		n = e->length - at < d->transfer_size ? e->length - at : d->transfer_size;
		if (n < d->transfer_size && mutant(M_DROP_TAIL))
			break;
		if (n < d->transfer_size && (mutant(M_PAD_FF) || mutant(M_PAD_00))) {
			memset(padded, mutant(M_PAD_FF) ? 0xff : 0, d->transfer_size);
			memcpy(padded, data, n);
			data = padded;
			n = d->transfer_size;
		}
		if (mutant(M_ERASE_BEFORE_CHUNK) && layout_at(&d->layouts[e->alt], e->address)) {
			o = device_erase(d, layout_at(&d->layouts[e->alt], e->address + (uint32_t)at)->address);
			o = o ? o : device_set_address(d, e->address);
		}
		o = o ? o : device_write(d, block_number(at / d->transfer_size), data, n);
	}
	if (!o && e->length % d->transfer_size == 0 && mutant(M_EMPTY_BLOCK))
		o = device_write(d, block_number(e->length / d->transfer_size), NULL, 0);
	return o;
}

/* Blocks of an upload from address on, into data. */
static enum outcome read_range(struct device *d, uint32_t address, uint8_t *data, size_t length)
{
	enum outcome o = device_set_address(d, address);
	size_t base = mutant(M_UPLOAD_BASE_0) ? 0 : 2;

	/* AN3156 4: an upload is for dfuIDLE and dfuUPLOAD-IDLE. */
	if (!o && !mutant(M_NO_UPLOAD_ABORT))
		o = device_to_idle(d);
	for (size_t at = 0, n; at < length && !o; at += n) {
		n = length - at < d->transfer_size ? length - at : d->transfer_size;
		o = device_read(d, (uint16_t)(base + at / d->transfer_size), data + at, n);
	}
	return o ? o : device_to_idle(d);
}

static enum outcome verify(struct device *d, const struct element *e)
{
	uint8_t *data = malloc(e->length);
	enum outcome o = data ? read_range(d, e->address, data, e->length) : fail(BAD_FILE, "out of memory");
	size_t i = 0;

	while (!o && i < e->length && data[i] == e->data[i])
		i++;
	if (!o && i < e->length)
		o = fail(DIFFERS, "the flash differs from the file at 0x%08zx: 0x%02x instead of 0x%02x",
			 e->address + i, data[i], e->data[i]);
	free(data);
	return o;
}

/* What a file wants, before anything is changed. */
static enum outcome check_element(const struct device *d, const struct element *e, bool force)
{
	const struct sector *s;

	if (e->alt >= d->alts)
		return fail(BAD_FILE, "the file is for alternate setting %u, which the device does not have", e->alt);
	if ((uint64_t)e->address + e->length > UINT64_C(0x100000000))
		return fail(BAD_FILE, "the file does not fit behind 0x%08x", e->address);
	for (uint64_t at = e->address; at < (uint64_t)e->address + e->length && !force;
	     at = (uint64_t)s->address + s->size) {
		s = layout_at(&d->layouts[e->alt], (uint32_t)at);
		if (!s || !s->writable)
			return fail(BAD_FILE, "0x%08x is no memory that can be written in alternate setting %u",
				    (uint32_t)at, e->alt);
	}
	return DONE;
}

static enum outcome leave(struct device *d, bool has_address, uint32_t address)
{
	enum outcome o = device_to_idle(d);

	if (!o && has_address && !mutant(M_LEAVE_NO_ADDRESS))
		o = device_set_address(d, address);
	return o ? o : device_leave(d);
}

static enum outcome download(struct device *d, const struct order *order, const struct image *image)
{
	enum outcome o = DONE;

	if (image->has_ids && !mutant(M_NO_ID) && !order->force &&
	    ((image->vendor != 0xffff && image->vendor != d->vendor) ||
	     (image->product != 0xffff && image->product != d->product)))
		return fail(BAD_FILE, "the file is for %04x:%04x, the device is %04x:%04x", image->vendor,
			    image->product, d->vendor, d->product);
	for (size_t i = 0; i < image->count && !o; i++)
		o = check_element(d, &image->elements[i], order->force);
	o = o ? o : device_select(d, image->elements[0].alt);
	o = o ? o : device_to_idle(d);
	if (!o && (order->mass_erase || mutant(M_MASS_ERASE)))
		o = device_mass_erase(d);
	else if (!o && mutant(M_ERASE_EACH_CHUNK))
		for (size_t i = 0; i < image->count && !o; i++)
			o = erase_chunks(d, &d->layouts[image->elements[i].alt], &image->elements[i]);
	else if (!o && !order->no_erase && !mutant(M_NO_ERASE))
		for (unsigned alt = 0; alt < d->alts && !o; alt++)
			o = erase_sectors(d, alt, image->elements, image->count);
	for (size_t i = 0; i < image->count && !o; i++) {
		if (i && image->elements[i].alt != image->elements[i - 1].alt)
			o = device_select(d, image->elements[i].alt);
		o = o ? o : write_element(d, &image->elements[i]);
	}
	for (size_t i = 0; i < image->count && !o && order->verify && !mutant(M_CLAIMS_VERIFY); i++)
		o = verify(d, &image->elements[i]);
	if (!o && order->verify)
		puts("verified");
	if (o)
		return o;
	return order->leave || mutant(M_LEAVES_ALWAYS) ? leave(d, true, image->elements[0].address) : device_to_idle(d);
}

static enum outcome do_download(struct device *d, const struct order *order)
{
	struct image image;
	enum outcome o = image_read(&image, order->file, (uint8_t)order->alt, order->has_address, order->address);

	o = o ? o : device_open(d, &order->choice);
	o = o ? o : download(d, order, &image);
	if (!o)
		puts("download done");
	image_free(&image);
	return o;
}

static enum outcome upload(struct device *d, const struct order *order)
{
	const struct layout *l = &d->layouts[order->alt < d->alts ? order->alt : 0];
	const struct sector *end = l->count ? &l->sectors[(mutant(M_UPLOAD_SEGMENT) ? l->first_group : l->count) - 1]
					    : NULL;
	uint32_t address = order->has_address ? order->address : l->count ? l->sectors[0].address : 0;
	size_t length = order->length, room = end ? end->address + end->size - address : 0;
	enum outcome o = device_select(d, order->alt);
	uint8_t *data;
	FILE *f;

	if (o)
		return o;
	if (!order->has_length || (mutant(M_UPLOAD_SEGMENT) && length > room))
		length = layout_at(l, address) ? room : 0;
	if (!length)
		return fail(BAD_USAGE, "--length is missing: the device does not tell how much there is at 0x%08x",
			    address);
	if (mutant(M_UPLOAD_SHORT))
		length -= length % d->transfer_size;
	data = malloc(length + 1);
	o = data ? device_to_idle(d) : fail(BAD_FILE, "out of memory");
	o = o ? o : read_range(d, address, data, length);
	if (!o) {
		f = fopen(order->file, "wb");
		if (!f || fwrite(data, 1, length, f) != length)
			o = fail(BAD_FILE, "cannot write '%s'", order->file);
		if (f && fclose(f) && !o)
			o = fail(BAD_FILE, "cannot write '%s'", order->file);
	}
	free(data);
	return o;
}

static enum outcome do_upload(struct device *d, const struct order *order)
{
	enum outcome o = device_open(d, &order->choice);

	return o ? o : upload(d, order);
}

static enum outcome start(struct device *d, const struct order *order)
{
	enum outcome o = device_open(d, &order->choice);

	o = o ? o : device_select(d, order->alt);
	return o ? o : device_to_idle(d);
}

static enum outcome do_erase(struct device *d, const struct order *order)
{
	struct element e = { .alt = (uint8_t)order->alt,
			     .address = order->address,
			     .length = order->has_length ? order->length : 1 };
	enum outcome o;

	if (!order->has_address)
		return fail(BAD_USAGE, "--address is missing");
	o = start(d, order);
	o = o ? o : check_element(d, &e, false);
	o = o ? o : erase_sectors(d, order->alt, &e, 1);
	return o ? o : device_to_idle(d);
}

static enum outcome do_mass_erase(struct device *d, const struct order *order)
{
	enum outcome o = start(d, order);

	o = o ? o : device_mass_erase(d);
	return o ? o : device_to_idle(d);
}

static enum outcome do_leave(struct device *d, const struct order *order)
{
	enum outcome o = start(d, order);

	return o ? o : leave(d, order->has_address, order->address);
}

static enum outcome do_unprotect(struct device *d, const struct order *order)
{
	enum outcome o = start(d, order);

	return o ? o : device_unprotect(d);
}

/* Alternate setting 1 has them, unless another one was asked for. */
static enum outcome do_option_bytes(struct device *d, const struct order *order)
{
	unsigned alt = order->alt ? order->alt : 1;
	uint8_t bytes[256];
	size_t length = 0;
	unsigned byte;
	int used;
	enum outcome o;

	for (const char *at = order->file; *at; at += used) {
		if (length == sizeof(bytes) || sscanf(at, " %2x%n", &byte, &used) != 1)
			return fail(BAD_USAGE, "'%s' is no row of bytes", order->file);
		bytes[length++] = (uint8_t)byte;
	}
	o = device_open(d, &order->choice);
	o = o ? o : device_select(d, alt);
	if (!o && !d->layouts[alt].count)
		o = fail(DEVICE_FAILED, "the device does not tell where its option bytes are");
	o = o ? o : device_to_idle(d);
	o = o ? o : device_set_address(d, order->has_address ? order->address : d->layouts[alt].sectors[0].address);
	return o ? o : device_write_options(d, bytes, length);
}

static enum outcome do_list(struct device *d, const struct order *order)
{
	(void)d;
	return device_list(&order->choice);
}

static const struct operation {
	const char *name;
	bool has_file;
	enum outcome (*run)(struct device *, const struct order *);
} operations[] = {
	{ "list", false, do_list },           { "download", true, do_download },         { "upload", true, do_upload },
	{ "erase", false, do_erase },         { "mass-erase", false, do_mass_erase },    { "leave", false, do_leave },
	{ "unprotect", false, do_unprotect }, { "option-bytes", true, do_option_bytes }, { NULL, false, NULL },
};

static bool number(const char *text, unsigned long long most, unsigned long long *n)
{
	char *end;

	*n = strtoull(text, &end, 0);
	return end != text && !*end && *text != '-' && *n <= most;
}

/* false: it is wrong */
static bool read_option(struct order *order, int option, const char *text)
{
	unsigned vendor, product;
	unsigned long long n = 0;

	switch (option) {
	case 'u':
		if (sscanf(text, "%4x:%4x", &vendor, &product) != 2)
			return false;
		order->choice.vendor = (uint16_t)vendor;
		order->choice.product = (uint16_t)product;
		return true;
	case 's':
		order->choice.serial = text;
		return true;
	case 'a':
		order->has_address = number(text, UINT32_MAX, &n);
		order->address = (uint32_t)n;
		return order->has_address;
	case 'l':
		order->has_length = number(text, UINT32_MAX, &n) && n;
		order->length = (size_t)n;
		return order->has_length;
	case 't':
		order->alt = number(text, 255, &n) ? (unsigned)n : 256;
		return order->alt < 256;
	case 'm':
		return mutant_choose(text);
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static struct order order;
	static struct device device;
	int option, mutants = 0, leaves = 0, verifies = 0, keeps = 0, mass = 0, forced = 0;
	const struct option options[] = {
		{ "usb", required_argument, NULL, 'u' },
		{ "serial", required_argument, NULL, 's' },
		{ "address", required_argument, NULL, 'a' },
		{ "length", required_argument, NULL, 'l' },
		{ "alt", required_argument, NULL, 't' },
		{ "mutant", required_argument, NULL, 'm' },
		{ "leave", no_argument, &leaves, 1 },
		{ "verify", no_argument, &verifies, 1 },
		{ "no-erase", no_argument, &keeps, 1 },
		{ "mass-erase", no_argument, &mass, 1 },
		{ "force", no_argument, &forced, 1 },
		{ "mutants", no_argument, &mutants, 1 },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	const struct operation *operation = operations;
	const char *name = getenv("DFU_REFERENCE_MUTANT");
	enum outcome o;

	if (name && *name && !mutant_choose(name))
		return fail(BAD_USAGE, "there is no mutant '%s'", name);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h' || option == 'v') {
			fputs(option == 'h' ? usage : "dfu-reference 1.0\n", stdout);
			return DONE;
		}
		if (option == '?' || (option && !read_option(&order, option, optarg)))
			return option == '?' ? BAD_USAGE
					     : fail(BAD_USAGE, "'%s' is not what was expected there", optarg);
	}
	if (mutants) {
		mutants_print();
		return DONE;
	}
	order.leave = leaves;
	order.verify = verifies;
	order.no_erase = keeps;
	order.mass_erase = mass;
	order.force = forced;
	while (operation->name && (optind == argc || strcmp(operation->name, argv[optind])))
		operation++;
	if (!operation->name || argc - optind != (operation->has_file ? 2 : 1)) {
		fputs(usage, stderr);
		return BAD_USAGE;
	}
	order.file = operation->has_file ? argv[optind + 1] : NULL;
	o = operation->run(&device, &order);
	device_close(&device);
	if (device.context)
		libusb_exit(device.context);
	return mutant(M_EXIT_ZERO) ? DONE : (int)o;
}
