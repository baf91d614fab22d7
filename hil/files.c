// SPDX-License-Identifier: GPL-2.0-or-later
/* The files of a scenario: which are there, and where. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "files_internal.h"
#include "share.h"
#include "text.h"

struct files {
	const struct value *entries;
	char *folder;
	struct file *made;
	char **outputs; /* their paths */
	size_t output_count;
	unsigned depth; /* of files that need others that are being made */
};

int files_refuse(char why[FILES_WHY], const char *format, ...)
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
		return files_refuse(why, "cannot open '%.300s': %s", path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		r = files_refuse(why, "'%.300s' is no regular file", path);
	while (!r && !b->failed && (n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno != EINTR)
			r = files_refuse(why, "cannot read '%.300s': %s", path, strerror(errno));
		else if (n > 0)
			bytes_put(b, buffer, (size_t)n);
	}
	if (b->failed)
		r = files_refuse(why, "'%.300s' is larger than %u bytes, or there is no memory for it", path,
				 FILES_BYTES);
	close(fd);
	return r;
}

int files_write_new(const char *path, const void *data, size_t length)
{
	const char *at = data;
	int fd, error = 0;
	ssize_t n;

	if (unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	while (length && !error) {
		n = write(fd, at, length);
		if (n < 0 && errno != EINTR)
			error = -errno;
		at += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
	return close(fd) && !error ? -errno : error;
}

static int write_whole(const char *path, const struct bytes *b, char why[FILES_WHY])
{
	int error = files_write_new(path, b->data, b->length);

	return error ? files_refuse(why, "cannot write '%.300s': %s", path, strerror(-error)) : 0;
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

char *files_firmware(const char *beside, const char *name)
{
	char *file = strchr(name, '/') ? NULL : text_format("firmware/%s%s", name, strchr(name, '.') ? "" : ".bin");
	char *path = file ? share_fixture(beside, file) : NULL;

	free(file);
	return path;
}

static const struct file *make_entry(struct files *f, const struct value *entry, char why[FILES_WHY])
{
	struct bytes b = { 0 };
	struct file *file;
	char *path = NULL;
	bool dfu;
	int r;

	if (object_given(entry->object, "path") || object_given(entry->object, "firmware")) {
		path = object_given(entry->object, "path")
			       ? path_beside(entry->mark.file, object_text(entry->object, "path", ""))
			       : files_firmware(entry->mark.file, object_text(entry->object, "firmware", ""));
		r = path ? read_whole(path, &b, why) : files_refuse(why, "%s", strerror(ENOMEM));
	} else {
		r = files_make(f, entry, &b, why);
		if (!r && b.failed)
			r = files_refuse(why, "'%s' is larger than %u bytes, or there is no memory for it", entry->key,
					 FILES_BYTES);
		/* Some tools go by the extension. */
		dfu = b.length > 16 && (!memcmp(b.data, "DfuSe", 5) || !memcmp(b.data + b.length - 8, "UFD", 3));
		if (!r && asprintf(&path, "%s/%s.%s", f->folder, entry->key, dfu ? "dfu" : "bin") < 0) {
			path = NULL;
			r = files_refuse(why, "%s", strerror(ENOMEM));
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
		files_refuse(why, "%s", strerror(ENOMEM));
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
		files_refuse(why, "%s", strerror(ENOMEM));
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
			files_refuse(why, "it is made of itself");
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
		files_refuse(why, "%s", strerror(ENOMEM));
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
		files_refuse(why, "output '%.100s' must be a plain name", name);
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
	files_refuse(why, "%s", strerror(ENOMEM));
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
		files_refuse(why, "%s", strerror(ENOMEM));
		return NULL;
	}
	if (write_whole(path, b, why)) {
		free(path);
		free(b->data);
		return NULL;
	}
	file = keep(f, name, path, b);
	if (!file)
		files_refuse(why, "%s", strerror(ENOMEM));
	return file;
}

const struct file *files_bytes(struct files *f, const char *name, const uint8_t *data, size_t length,
			       char why[FILES_WHY])
{
	struct bytes b = { 0 };

	bytes_put(&b, data, length);
	return finish(f, name, "bin", &b, why);
}

const struct file *files_wrapped(struct files *f, const struct file *raw, uint32_t address, uint8_t alt,
				 char why[FILES_WHY])
{
	const char *slash = strrchr(raw->name, '/');
	const struct file *made;
	struct bytes b = { 0 };
	char name[200];

	snprintf(name, sizeof(name), "%.150s-%08x-%u", slash ? slash + 1 : raw->name, address, alt);
	made = made_before(f, name);
	if (made)
		return made;
	files_make_wrapped(&b, raw, address, alt);
	return finish(f, name, "dfu", &b, why);
}
