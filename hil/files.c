// SPDX-License-Identifier: GPL-2.0-or-later
/* The files of a scenario, made on demand. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "files.h"
#include "prng.h"

#define TARGET_NAME_BYTES 255u
/* Valid as stack pointer on every part: the first of its RAM is there on all of them. */
#define STACK_POINTER 0x20001000u
#define CODE_OFFSET 0x100u

struct files {
	const struct value *entries;
	char *folder;
	struct file *made;
	char **outputs; /* their paths */
	size_t output_count;
	unsigned depth; /* of files that need others that are being made */
};

/* Bytes that grow. */
struct bytes {
	uint8_t *data;
	size_t length, room;
	bool failed; /* out of memory, or beyond FILES_BYTES */
};

static void put(struct bytes *b, const void *data, size_t length)
{
	if (b->failed || length > FILES_BYTES - b->length) {
		b->failed = true;
		return;
	}
	if (b->length + length > b->room) {
		size_t room = 2 * (b->length + length) + 512;
		uint8_t *more = realloc(b->data, room);

		if (!more) {
			b->failed = true;
			return;
		}
		b->data = more;
		b->room = room;
	}
	if (length)
		memcpy(b->data + b->length, data, length);
	b->length += length;
}

static void put_number(struct bytes *b, uint64_t value, unsigned size)
{
	uint8_t le[8];

	for (unsigned i = 0; i < size; i++)
		le[i] = (uint8_t)(value >> 8 * i);
	put(b, le, size);
}

static int refuse(char why[FILES_WHY], const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(char why[FILES_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, FILES_WHY, format, args);
	va_end(args);
	return -EINVAL;
}

struct files *files_new(const struct value *entries, const char *folder)
{
	struct files *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->entries = entries;
	f->folder = strdup(folder);
	if (!f->folder) {
		free(f);
		return NULL;
	}
	return f;
}

static void file_free(struct file *f)
{
	free((char *)f->name);
	free((char *)f->path);
	free((uint8_t *)f->data);
	free(f);
}

void files_free(struct files *f)
{
	if (!f)
		return;
	while (f->made) {
		struct file *next = f->made->next;

		file_free(f->made);
		f->made = next;
	}
	for (size_t i = 0; i < f->output_count; i++)
		free(f->outputs[i]);
	free(f->outputs);
	free(f->folder);
	free(f);
}

static const struct file *need(struct files *f, const char *name, const char *beside, const char *what,
			       char why[FILES_WHY])
{
	char reason[FILES_WHY];
	const struct file *file = files_get(f, name, beside, reason);

	if (!file)
		refuse(why, "'%s' needs '%s': %.300s", what, name, reason);
	return file;
}

/* --- contents --- */

static void make_noise(struct bytes *b, const struct object *o, uint64_t size)
{
	struct prng prng = { object_number(o, "seed", 1) };
	uint64_t left = 0;

	for (uint64_t i = 0; i < size && !b->failed; i++) {
		uint8_t byte;

		if (i % 8 == 0)
			left = prng_next(&prng);
		byte = (uint8_t)(left >> 8 * (i % 8));
		if (object_given(o, "fill"))
			byte = (uint8_t)object_number(o, "fill", 0);
		put(b, &byte, 1);
	}
}

static int make_sized(struct bytes *b, const struct object *o, const char *name, char why[FILES_WHY])
{
	uint64_t size = object_number(o, "size", 0);

	if (size > FILES_BYTES)
		return refuse(why, "'%s' would have %llu bytes, the most is %u", name, (unsigned long long)size,
			      FILES_BYTES);
	if (object_number(o, "fill", 0) > 0xff)
		return refuse(why, "'%s': fill 0x%llx is no byte", name,
			      (unsigned long long)object_number(o, "fill", 0));
	make_noise(b, o, size);
	if (object_flag(o, "bootable", false) && !b->failed) {
		uint64_t at = object_number(o, "at", 0x08000000);
		struct bytes table = { 0 };

		if (size < 16)
			return refuse(why, "'%s' cannot be bootable with %llu bytes: it needs 16", name,
				      (unsigned long long)size);
		put_number(&table, STACK_POINTER, 4);
		put_number(&table, at + (size > CODE_OFFSET ? CODE_OFFSET : 8) + 1, 4);
		if (!table.failed)
			memcpy(b->data, table.data, 8);
		b->failed |= table.failed;
		free(table.data);
	}
	return 0;
}

/* Where an offset that may count from the end lies; -1: outside. */
static int64_t place(int64_t offset, size_t length)
{
	int64_t at = offset < 0 ? (int64_t)length + offset : offset;

	return at < 0 || at > (int64_t)length ? -1 : at;
}

static int make_part(struct files *f, struct bytes *b, const struct object *o, const char *name, const char *beside,
		     char why[FILES_WHY])
{
	const struct file *whole = need(f, object_text(o, "of", ""), beside, name, why);
	int64_t from;
	uint64_t size;

	if (!whole)
		return -EINVAL;
	from = place((int64_t)object_number(o, "from", 0), whole->length);
	size = object_number(o, "size", from < 0 ? 0 : whole->length - (uint64_t)from);
	if (from < 0 || size > whole->length - (uint64_t)from)
		return refuse(why, "'%s' wants %llu bytes at %lld of '%s', which has %zu", name,
			      (unsigned long long)size, (long long)object_number(o, "from", 0), whole->name,
			      whole->length);
	put(b, whole->data + from, (size_t)size);
	return 0;
}

static int make_joined(struct files *f, struct bytes *b, const struct object *o, const char *name, const char *beside,
		       char why[FILES_WHY])
{
	const struct value *join = object_value(o, "join");

	for (size_t i = 0; i < join->count; i++) {
		const struct file *part = need(f, join->list[i].text, beside, name, why);

		if (!part)
			return -EINVAL;
		put(b, part->data, part->length);
	}
	return 0;
}

/* DFU 1.1 appendix B; UM0391 2.4 for DfuSe, which has a bcdDFU of its own. */
static void put_suffix(struct bytes *b, const struct object *o, uint16_t bcd_dfu)
{
	put_number(b, o ? object_number(o, "device", 0xffff) : 0xffff, 2);
	put_number(b, o ? object_number(o, "product", 0xdf11) : 0xdf11, 2);
	put_number(b, o ? object_number(o, "vendor", 0x0483) : 0x0483, 2);
	put_number(b, bcd_dfu, 2);
	put(b, "UFD\x10", 4);
	if (!b->failed)
		put_number(b, dfu_crc(0xffffffffu, b->data, b->length), 4);
}

struct element {
	uint32_t address;
	uint8_t alt;
	const char *target; /* NULL: unnamed */
	const struct file *file;
};

static size_t same_target(const struct element *e, size_t count)
{
	size_t n = 1;

	while (n < count && e[n].alt == e->alt && (!e[n].target || (e->target && !strcmp(e[n].target, e->target))))
		n++;
	return n;
}

/* UM0391 2.1 to 2.4: prefix, then for each target a prefix and its elements, then the suffix. */
static void put_dfuse(struct bytes *b, const struct element *elements, size_t count, const struct object *o)
{
	size_t start = b->length, targets = 0, size;

	put(b, "DfuSe\x01", 6);
	put_number(b, 0, 4); /* DFUImageSize and bTargets are known at the end */
	put_number(b, 0, 1);
	for (size_t i = 0, n; i < count; i += n, targets++) {
		char name[TARGET_NAME_BYTES] = "";
		size_t bytes = 0;

		n = same_target(elements + i, count - i);
		for (size_t j = i; j < i + n; j++)
			bytes += 8 + elements[j].file->length;
		if (elements[i].target)
			snprintf(name, sizeof(name), "%s", elements[i].target);
		put(b, "Target", 6);
		put_number(b, elements[i].alt, 1);
		put_number(b, elements[i].target != NULL, 4);
		put(b, name, sizeof(name));
		put_number(b, bytes, 4);
		put_number(b, n, 4);
		for (size_t j = i; j < i + n; j++) {
			put_number(b, elements[j].address, 4);
			put_number(b, elements[j].file->length, 4);
			put(b, elements[j].file->data, elements[j].file->length);
		}
	}
	if (b->failed)
		return;
	size = b->length - start;
	for (unsigned i = 0; i < 4; i++)
		b->data[start + 6 + i] = (uint8_t)(size >> 8 * i);
	b->data[start + 10] = (uint8_t)targets;
	put_suffix(b, o, 0x011a);
}

static int make_dfuse(struct files *f, struct bytes *b, const struct object *o, const char *name, const char *beside,
		      char why[FILES_WHY])
{
	const struct value *list = object_value(o, "dfuse");
	struct element *elements = calloc(list->count + 1, sizeof(*elements));

	for (size_t i = 0; elements && i < list->count; i++) {
		const struct object *e = list->list[i].object;
		const struct file *file = need(f, object_text(e, "of", ""), beside, name, why);

		if (!file || object_number(e, "alt", 0) > 0xff) {
			if (file)
				refuse(why, "'%s': alt %llu is more than 255", name,
				       (unsigned long long)object_number(e, "alt", 0));
			free(elements);
			return -EINVAL;
		}
		elements[i] = (struct element){ (uint32_t)object_number(e, "address", 0),
						(uint8_t)object_number(e, "alt", 0), object_text(e, "target", NULL),
						file };
	}
	if (elements)
		put_dfuse(b, elements, list->count, o);
	b->failed |= !elements;
	free(elements);
	return 0;
}

static int make_changed(struct files *f, struct bytes *b, const struct object *o, const char *name, const char *beside,
			char why[FILES_WHY])
{
	const struct file *original = need(f, object_text(o, "copy", ""), beside, name, why);
	const struct value *set = object_value(o, "set");

	if (!original)
		return -EINVAL;
	put(b, original->data, original->length);
	for (size_t i = 0; i < set->count && !b->failed; i++) {
		const struct value *bytes = object_value(set->list[i].object, "hex");
		int64_t offset = (int64_t)object_number(set->list[i].object, "at", 0), at = place(offset, b->length);

		if (at < 0 || bytes->length > b->length - (size_t)at)
			return refuse(why, "'%s': %zu bytes at %lld are not within '%s', which has %zu", name,
				      bytes->length, (long long)offset, original->name, original->length);
		memcpy(b->data + at, bytes->bytes, bytes->length);
	}
	return 0;
}

/* --- on disk --- */

/* beside is a file: relative to its folder. To be freed. */
static char *path_beside(const char *beside, const char *path)
{
	const char *slash = beside && path[0] != '/' ? strrchr(beside, '/') : NULL;
	char *out, *absolute;

	if (asprintf(&out, "%.*s%s", slash ? (int)(slash - beside) + 1 : 0, slash ? beside : "", path) < 0)
		return NULL;
	/* Tools start in a folder of their own. What is not there is told of by the name that was written. */
	absolute = realpath(out, NULL);
	if (absolute) {
		free(out);
		out = absolute;
	}
	return out;
}

static int read_whole(const char *path, struct bytes *b, char why[FILES_WHY])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t buffer[65536];
	struct stat st;
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return refuse(why, "cannot open '%.300s': %s", path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		r = refuse(why, "'%.300s' is no regular file", path);
	while (!r && !b->failed && (n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno != EINTR)
			r = refuse(why, "cannot read '%.300s': %s", path, strerror(errno));
		else if (n > 0)
			put(b, buffer, (size_t)n);
	}
	if (b->failed)
		r = refuse(why, "'%.300s' is larger than %u bytes, or there is no memory for it", path, FILES_BYTES);
	close(fd);
	return r;
}

static int write_whole(const char *path, const struct bytes *b, char why[FILES_WHY])
{
	FILE *out = fopen(path, "we");
	bool bad = !out || fwrite(b->data ? b->data : (const uint8_t *)"", 1, b->length, out) != b->length;

	if (out && fclose(out))
		bad = true;
	return bad ? refuse(why, "cannot write '%.300s': %s", path, strerror(errno)) : 0;
}

/* Takes what it is given, also when it fails. */
static struct file *keep(struct files *f, const char *name, char *path, struct bytes *b)
{
	struct file *file = calloc(1, sizeof(*file));

	if (file)
		*file = (struct file){ strdup(name), path, b->data ? b->data : calloc(1, 1), b->length, f->made };
	if (!file || !file->name || !file->data) {
		if (file)
			file_free(file);
		else
			free(path), free(b->data);
		return NULL;
	}
	f->made = file;
	return file;
}

static const struct file *made_before(const struct files *f, const char *name)
{
	for (const struct file *file = f->made; file; file = file->next)
		if (!strcmp(file->name, name))
			return file;
	return NULL;
}

/* --- looking up --- */

static int make(struct files *f, const struct value *entry, struct bytes *b, char why[FILES_WHY])
{
	const struct object *o = entry->object;
	const char *name = entry->key, *beside = entry->mark.file;
	const struct file *other;

	if (object_given(o, "of"))
		return make_part(f, b, o, name, beside, why);
	if (object_given(o, "copy"))
		return make_changed(f, b, o, name, beside, why);
	if (object_given(o, "join"))
		return make_joined(f, b, o, name, beside, why);
	if (object_given(o, "dfuse"))
		return make_dfuse(f, b, o, name, beside, why);
	if (object_given(o, "dfu-suffix")) {
		other = need(f, object_text(o, "dfu-suffix", ""), beside, name, why);
		if (!other)
			return -EINVAL;
		put(b, other->data, other->length);
		put_suffix(b, o, 0x0100);
		return 0;
	}
	if (object_given(o, "hex")) {
		put(b, object_value(o, "hex")->bytes, object_value(o, "hex")->length);
		return 0;
	}
	if (object_given(o, "size"))
		return make_sized(b, o, name, why);
	return refuse(why, "'%s' does not say what is in it: size, hex, of, join, dfuse, dfu-suffix, copy or path",
		      name);
}

static const struct file *make_entry(struct files *f, const struct value *entry, char why[FILES_WHY])
{
	struct bytes b = { 0 };
	struct file *file;
	char *path = NULL;
	bool dfu;
	int r;

	if (object_given(entry->object, "path")) {
		path = path_beside(entry->mark.file, object_text(entry->object, "path", ""));
		r = path ? read_whole(path, &b, why) : refuse(why, "%s", strerror(ENOMEM));
	} else {
		r = make(f, entry, &b, why);
		if (!r && b.failed)
			r = refuse(why, "'%s' is larger than %u bytes, or there is no memory for it", entry->key,
				   FILES_BYTES);
		/* Some tools go by the extension. */
		dfu = b.length > 16 && (!memcmp(b.data, "DfuSe", 5) || !memcmp(b.data + b.length - 8, "UFD", 3));
		if (!r && asprintf(&path, "%s/%s.%s", f->folder, entry->key, dfu ? "dfu" : "bin") < 0) {
			path = NULL;
			r = refuse(why, "%s", strerror(ENOMEM));
		}
		if (!r)
			r = write_whole(path, &b, why);
	}
	if (r) {
		free(path);
		free(b.data);
		return NULL;
	}
	file = keep(f, entry->key, path, &b);
	if (!file)
		refuse(why, "%s", strerror(ENOMEM));
	return file;
}

/* What a tool has written may change: read anew each time. */
static const struct file *read_anew(struct files *f, const char *name, const char *path, char why[FILES_WHY])
{
	struct bytes b = { 0 };
	struct file *file;
	char *copy;

	if (read_whole(path, &b, why)) {
		free(b.data);
		return NULL;
	}
	copy = strdup(path);
	file = copy ? keep(f, name, copy, &b) : NULL;
	if (!file)
		refuse(why, "%s", strerror(ENOMEM));
	return file;
}

static const char *output_path(const struct files *f, const char *name)
{
	size_t folder = strlen(f->folder) + 1;

	for (size_t i = 0; i < f->output_count; i++)
		if (!strcmp(f->outputs[i] + folder, name))
			return f->outputs[i];
	return NULL;
}

static const struct value *entry_of(const struct value *entries, const char *name)
{
	for (size_t i = 0; entries && i < entries->count; i++)
		if (!strcmp(entries->list[i].key, name))
			return &entries->list[i];
	return NULL;
}

const struct file *files_get(struct files *f, const char *name, const char *beside, char why[FILES_WHY])
{
	const struct file *file = NULL;
	const struct value *entry = entry_of(f->entries, name);
	const char *output = output_path(f, name);
	char *path;

	if (output)
		return read_anew(f, name, output, why);
	if (entry) {
		file = made_before(f, name);
		if (file)
			return file;
		if (f->depth > f->entries->count) {
			refuse(why, "it is made of itself");
			return NULL;
		}
		f->depth++;
		file = make_entry(f, entry, why);
		f->depth--;
		return file;
	}
	path = path_beside(beside, name);
	if (path)
		file = read_anew(f, name, path, why);
	else
		refuse(why, "%s", strerror(ENOMEM));
	free(path);
	return file;
}

static bool begins_as_dfuse(const char *beside, const char *name)
{
	char *path = path_beside(beside, name), start[5] = "";
	FILE *in = path ? fopen(path, "rbe") : NULL;
	bool is = in && fread(start, 1, sizeof(start), in) == sizeof(start) && !memcmp(start, "DfuSe", sizeof(start));

	if (in)
		fclose(in);
	free(path);
	return is;
}

bool files_will_be_dfuse(const struct value *entries, const char *name, const char *beside)
{
	const struct value *entry = entry_of(entries, name);

	/* Each entry comes from another: as many steps as there are entries lead to the first, or in a circle. */
	for (size_t i = 0; entry && i <= entries->count; i++) {
		const struct object *o = entry->object;
		const char *from = object_text(o, "copy", NULL);

		if (object_given(o, "dfuse"))
			return true;
		if (!from && object_given(o, "of") && !object_number(o, "from", 0))
			from = object_text(o, "of", NULL);
		if (!from && object_given(o, "join") && object_value(o, "join")->count)
			from = object_value(o, "join")->list[0].text;
		if (!from)
			from = object_text(o, "dfu-suffix", NULL);
		if (!from)
			from = object_text(o, "path", NULL);
		if (!from)
			return false;
		name = from;
		beside = entry->mark.file;
		entry = object_given(o, "path") ? NULL : entry_of(entries, name);
	}
	return !entry && begins_as_dfuse(beside, name);
}

const char *files_output(struct files *f, const char *name, char why[FILES_WHY])
{
	const char *known = output_path(f, name);
	char **more;

	if (!*name || strchr(name, '/') || name[0] == '.') {
		refuse(why, "output '%.100s' must be a plain name", name);
		return NULL;
	}
	if (known) {
		unlink(known);
		return known;
	}
	more = realloc(f->outputs, (f->output_count + 1) * sizeof(*more));
	if (more) {
		f->outputs = more;
		if (asprintf(&more[f->output_count], "%s/%s", f->folder, name) >= 0) {
			unlink(more[f->output_count]);
			return more[f->output_count++];
		}
	}
	refuse(why, "%s", strerror(ENOMEM));
	return NULL;
}

/* Writes and keeps; takes the bytes, also when it fails. */
static const struct file *finish(struct files *f, const char *name, const char *extension, struct bytes *b,
				 char why[FILES_WHY])
{
	struct file *file;
	char *path = NULL;

	if (b->failed || asprintf(&path, "%s/%s.%s", f->folder, name, extension) < 0) {
		free(b->data);
		refuse(why, "%s", strerror(ENOMEM));
		return NULL;
	}
	if (write_whole(path, b, why)) {
		free(path);
		free(b->data);
		return NULL;
	}
	file = keep(f, name, path, b);
	if (!file)
		refuse(why, "%s", strerror(ENOMEM));
	return file;
}

const struct file *files_bytes(struct files *f, const char *name, const uint8_t *data, size_t length,
			       char why[FILES_WHY])
{
	struct bytes b = { 0 };

	put(&b, data, length);
	return finish(f, name, "bin", &b, why);
}

const struct file *files_wrapped(struct files *f, const struct file *raw, uint32_t address, uint8_t alt,
				 char why[FILES_WHY])
{
	const char *slash = strrchr(raw->name, '/');
	const struct file *made;
	/* A suffix is no part of what is flashed. */
	const struct file payload = { .data = raw->data, .length = file_payload(raw) };
	struct element element = { address, alt, NULL, &payload };
	struct bytes b = { 0 };
	char name[200];

	snprintf(name, sizeof(name), "%.150s-%08x-%u", slash ? slash + 1 : raw->name, address, alt);
	made = made_before(f, name);
	if (made)
		return made;
	put_dfuse(&b, &element, 1, NULL);
	return finish(f, name, "dfu", &b, why);
}
