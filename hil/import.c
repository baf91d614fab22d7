// SPDX-License-Identifier: GPL-2.0-or-later
/* dfuhil import: from a capture to a scenario with its files. */
#include "import.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "outfile.h"
#include "text.h"

#define INLINE_BYTES 32u

struct import_options {
	const char *path, *output;
	const struct mcu_profile *profile;
	bool as_host, force;
};

static void help(FILE *stream)
{
	fputs("usage: dfuhil import [OPTIONS] CAPTURE\n\n"
	      "Write a scenario that does what a recording shows, to be edited, and files with the data beside it. "
	      "What the "
	      "host\n"
	      "wrote and read is then in those files: firmware, keys, whatever it was.\n"
	      "Exit status: 0, or 2 for usage, a bad capture, or files that cannot be written.\n\n"
	      "  -o, --output FILE    the scenario (default: the capture's name with .yaml, in this folder)\n"
	      "      --host           each request as it was, even where a tool could be asked for the whole\n"
	      "      --profile NAME   ROM of the board (default: by the descriptors in the recording)\n"
	      "      --force          write over files that are there\n"
	      "  -h, --help           this text\n",
	      stream);
}

const char *import_data(struct import *im, const char *prefix, const uint8_t *data, size_t length)
{
	struct import_file *more;

	for (size_t i = 0; i < im->file_count; i++)
		if (im->files[i].length == length && (!length || !memcmp(im->files[i].data, data, length)))
			return im->files[i].name;
	more = realloc(im->files, (im->file_count + 1) * sizeof(*more));
	if (more)
		im->files = more;
	if (more)
		more[im->file_count] = (struct import_file){ .data = malloc(length + 1), .length = length };
	if (!more || !more[im->file_count].data) {
		im->failed = true;
		return NULL;
	}
	more += im->file_count++;
	if (length)
		memcpy(more->data, data, length);
	snprintf(more->name, sizeof(more->name), "%s-%zu", prefix, im->file_count);
	return more->name;
}

/* --- steps --- */

static void put_prepare(struct import *im, unsigned board)
{
	const struct mcu_profile *p = im->recording->profile;
	struct recorded_flash f;
	size_t size = p->flash_size_bytes;
	bool first = true;

	if (!recording_flash(im->recording, board, &f)) {
		im->failed = true;
		recorded_flash_free(&f);
		return;
	}
	if (!f.any && !f.locked) {
		recorded_flash_free(&f);
		return;
	}
	fprintf(im->steps, "  # %s\n  - prepare:\n",
		f.any ? "What was read before it was written; all else is taken to be blank."
		      : "Reading was refused as by a board with read protection.");
	for (size_t at = 0, end; at < size && f.any; at = end) {
		const char *name;

		for (end = at; end < size && f.known[end] == f.known[at]; end++)
			continue;
		if (!f.known[at])
			continue;
		name = import_data(im, "before", f.bytes + at, end - at);
		fprintf(im->steps, "%s        - {address: 0x%08x, file: %s}\n", first ? "      flash:\n" : "",
			(unsigned)(p->flash_base + at), name ? name : "");
		first = false;
	}
	if (f.locked)
		fputs("      options: {rdp: 1}\n", im->steps);
	if (im->recording->boards > 1)
		fprintf(im->steps, "    board: %u\n", board);
	recorded_flash_free(&f);
}

static void put_start(struct import *im)
{
	const struct recording *r = im->recording;

	for (unsigned b = 1; b <= r->boards; b++) {
		if (r->boards > 1)
			fprintf(im->steps, "  - bootloader: {}\n    board: %u\n", b);
		else
			fputs("  - bootloader\n", im->steps);
		put_prepare(im, b);
	}
}

static void put_arrival(struct import *im, const struct recorded *i)
{
	if (i->first)
		return;
	if (i->pulled) {
		fprintf(im->steps, "  # Packet %zu: it came back, and nothing before had made it leave.\n",
			i->exchange->packet);
		for (unsigned k = 0; k < 3; k++) {
			fputs(k == 0 ? "  - unplug" : k == 1 ? "  - wait: 1s\n" : "  - plug", im->steps);
			if (k == 1)
				continue;
			if (im->recording->boards > 1)
				fprintf(im->steps, ": {}\n    board: %u", i->board);
			fputc('\n', im->steps);
		}
	}
	/* One that comes back under the same numbers may not have left yet. */
	if (!i->pulled)
		fprintf(im->steps, "  - wait: %llums\n", (unsigned long long)(i->gap_us / 1000 + 1));
	fprintf(im->steps, "  - wait: {usb: \"%04x:%04x\", within: 60s}\n", i->vendor, i->product);
}

static int put_sessions(struct import *im)
{
	const struct recording *r = im->recording;

	for (size_t i = 0; i < r->count; i++) {
		bool begins = true;

		if (r->items[i].kind == RECORDED_ARRIVAL)
			put_arrival(im, &r->items[i]);
		/* the first of this session with that board */
		for (size_t k = i; k-- > 0 && r->items[k].session == r->items[i].session;)
			begins &= r->items[k].board != r->items[i].board;
		if (begins) {
			struct import_session s;
			int error = import_session_read(r, i, r->items[i].board, &s);

			if (!error && s.requests && (im->as_host || !import_operation(im, &s))) {
				import_script(im, &s);
				if (!s.trouble)
					import_verdicts(im, &s);
			}
			import_session_free(&s);
			if (error)
				return error;
		}
	}
	return im->failed ? -ENOMEM : 0;
}

bool import_steps(struct import *im)
{
	put_start(im);
	if (put_sessions(im))
		im->failed = true;
	return !im->failed;
}

/* --- the document --- */

/* A text in double quotes, as YAML and JSON have it. */
static void put_quoted(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fputc('\\', f);
		if (c < 0x20 || c == 0x7f)
			fprintf(f, "\\x%02x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void put_files(const struct import *im, FILE *f)
{
	if (!im->file_count)
		return;
	fputs("files:\n", f);
	for (size_t i = 0; i < im->file_count; i++) {
		const struct import_file *file = &im->files[i];

		fprintf(f, "  %s: {", file->name);
		if (file->length <= INLINE_BYTES) {
			fputs("hex: \"", f);
			for (size_t k = 0; k < file->length; k++)
				fprintf(f, "%s%02x", k ? " " : "", file->data[k]);
			fputs("\"}\n", f);
			continue;
		}
		char *path = text_format("%s-%s.bin", im->stem, file->name);

		fputs("path: ", f);
		put_quoted(f, path ? path : "");
		fputs("}\n", f);
		free(path);
	}
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void put_head(const struct import *im, const struct import_options *o, FILE *f)
{
	const struct recording *r = im->recording;
	char *name = text_format("what %s shows", base(o->path)), *clean = text_clean(base(o->path));

	for (char *c = clean; c && *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
	fprintf(f, "# Made by dfuhil import of %s, to be edited.\n", clean ? clean : "");
	fputs("# The data of the recording is in this file and in those that it names: whoever gets them gets it "
	      "too.\n",
	      f);
	if (r->transcript.damage)
		fprintf(f, "# The recording is damaged: %s\n", r->transcript.damage);
	if (r->transcript.gap > 1)
		fprintf(f,
			"# Requests may be missing before packet %llu: what is expected from there on may follow from "
			"that.\n",
			(unsigned long long)r->transcript.gap);
	else if (r->transcript.gap)
		fputs("# Requests may be missing, and nobody knows where: what is expected may follow from that.\n", f);
	fputs("name: ", f);
	put_quoted(f, name ? name : "");
	fputs("\nwhy: \"It happened so when it was recorded.\"\nreference: ", f);
	put_quoted(f, base(o->path));
	fprintf(f, "\ntags: [imported]\nboard:\n  profile: %s%s\n", r->profile->name,
		r->profile_is_guess ? " # nothing in the recording tells" : "");
	if (r->boards > 1) {
		fprintf(f, "  count: %u\n  serials: [", r->boards);
		for (unsigned b = 0; b < r->boards; b++) {
			fputs(b ? ", " : "", f);
			put_quoted(f, r->serials[b]);
		}
		fputs("]\n", f);
	}
	free(name);
	free(clean);
}

static int write_new(const char *path, const char *data, size_t length, bool force)
{
	char why[OUTFILE_WHY];

	if (!force && !access(path, F_OK)) {
		fprintf(stderr, "dfuhil: '%s' is there already (--force)\n", path);
		return HIL_USAGE;
	}
	if (!outfile_write(path, data, length, why))
		return 0;
	fprintf(stderr, "dfuhil: %s\n", why);
	return HIL_USAGE;
}

static int write_data(const struct import *im, const char *output, bool force)
{
	int folder = (int)(base(output) - output), status = 0;

	for (size_t i = 0; i < im->file_count && !status; i++) {
		const struct import_file *f = &im->files[i];
		char *path;

		if (f->length <= INLINE_BYTES)
			continue;
		path = text_format("%.*s%s-%s.bin", folder, output, im->stem, f->name);
		if (!path) {
			fprintf(stderr, "dfuhil: %s\n", strerror(ENOMEM));
			return HIL_USAGE;
		}
		status = write_new(path, (const char *)f->data, f->length, force);
		if (!status)
			printf("%s: %zu bytes of the recording's data\n", path, f->length);
		free(path);
	}
	return status;
}

static int write_all(struct import *im, const struct import_options *o, const char *steps)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int status = HIL_USAGE;

	if (f) {
		put_head(im, o, f);
		put_files(im, f);
		fprintf(f, "steps:\n%s", steps);
	}
	if (!f || fclose(f)) {
		fprintf(stderr, "dfuhil: %s\n", strerror(ENOMEM));
	} else {
		/* The scenario last: one that is there is whole. */
		if (!o->force && !access(o->output, F_OK))
			fprintf(stderr, "dfuhil: '%s' is there already (--force)\n", o->output);
		else
			status = write_data(im, o->output, o->force);
		if (!status)
			status = write_new(o->output, text, strlen(text), o->force);
		if (!status)
			printf("%s: the scenario; 'dfuhil run %s' plays it\n", o->output, o->output);
	}
	free(text);
	return status;
}

static int import(struct import_options *o)
{
	struct recording r;
	char why[RECORDING_WHY], *steps = NULL, *stem, *named = NULL;
	struct import im = { .recording = &r, .as_host = o->as_host };
	size_t size;
	int status = HIL_USAGE;

	if (recording_open(&r, o->path, o->profile, why)) {
		fprintf(stderr, "dfuhil: %s: %s\n", o->path, why);
		recording_free(&r);
		return HIL_USAGE;
	}
	stem = strdup(base(o->output ? o->output : o->path));
	if (stem && strrchr(stem, '.') && strrchr(stem, '.') != stem)
		*strrchr(stem, '.') = 0;
	if (stem && !o->output)
		o->output = named = text_format("%s.yaml", stem);
	im.stem = stem;
	im.steps = open_memstream(&steps, &size);
	if (stem && o->output && im.steps)
		import_steps(&im);
	if (im.steps && fclose(im.steps))
		im.failed = true;
	if (!steps || !stem || !o->output || im.failed)
		fprintf(stderr, "dfuhil: %s\n", strerror(ENOMEM));
	else
		status = write_all(&im, o, steps);
	for (size_t i = 0; i < im.file_count; i++)
		free(im.files[i].data);
	free(im.files);
	free(steps);
	free(stem);
	free(named);
	recording_free(&r);
	return status;
}

int import_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },  { "host", no_argument, NULL, 'H' },
		{ "profile", required_argument, NULL, 'p' }, { "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
	};
	struct import_options o = { 0 };
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) >= 0) {
		switch (c) {
		case 'o':
			o.output = optarg;
			break;
		case 'H':
			o.as_host = true;
			break;
		case 'p':
			o.profile = recording_profile_named(optarg);
			if (!o.profile)
				return HIL_USAGE;
			break;
		case 'f':
			o.force = true;
			break;
		case 'h':
			help(stdout);
			return 0;
		default:
			fputs("'dfuhil import --help' tells more\n", stderr);
			return HIL_USAGE;
		}
	}
	if (argc - optind != 1) {
		fputs("dfuhil: import: one CAPTURE is wanted ('dfuhil import --help')\n", stderr);
		return HIL_USAGE;
	}
	o.path = argv[optind];
	return import(&o);
}
