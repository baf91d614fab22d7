// SPDX-License-Identifier: GPL-2.0-or-later
/* The files of scenarios: what is made, what is refused, and the formats to the byte. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "files.h"
#include "problems.h"
#include "scenario.h"

struct fixture {
	char folder[64];
	struct scenario *scenario;
	struct files *files;
};

static void begin(struct fixture *f, const char *files)
{
	struct problems *problems = problems_new();
	char text[4096];

	strcpy(f->folder, "/tmp/files-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(text, sizeof(text), "name: n\nwhy: w\nreference: r\nsteps: [bootloader]\nfiles:\n%s", files);
	f->scenario = scenario_parse("x.yaml", text, strlen(text), problems);
	if (!f->scenario)
		problems_print(problems, stderr, false);
	assert_non_null(f->scenario);
	problems_free(problems);
	f->files = files_new(object_value(f->scenario->top, "files"), f->folder);
	assert_non_null(f->files);
}

static void end(struct fixture *f)
{
	char command[128];

	files_free(f->files);
	scenario_free(f->scenario);
	snprintf(command, sizeof(command), "rm -r '%s'", f->folder);
	assert_int_equal(system(command), 0);
}

static const struct file *get(struct fixture *f, const char *name)
{
	char why[FILES_WHY] = "";
	const struct file *file = files_get(f->files, name, "x.yaml", why);

	assert_string_equal(why, "");
	assert_non_null(file);
	return file;
}

static void refused(struct fixture *f, const char *name, const char *reason)
{
	char why[FILES_WHY] = "";

	assert_null(files_get(f->files, name, "x.yaml", why));
	if (!strstr(why, reason))
		fail_msg("'%s' is not in: %s", reason, why);
}

static void is_on_disk(const struct file *f)
{
	FILE *in = fopen(f->path, "rb");
	uint8_t *bytes = malloc(f->length + 1);

	assert_non_null(in);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, f->length + 1, in), f->length);
	assert_memory_equal(bytes, f->data, f->length);
	fclose(in);
	free(bytes);
}

static void noise_is_the_same_for_a_seed_and_differs_between_seeds(void **state)
{
	struct fixture f, g;

	(void)state;
	begin(&f, "  a: {size: 5000, seed: 7}\n  b: {size: 5000, seed: 8}\n  c: {size: 3000, seed: 7}\n  z: {size: 2K, "
		  "fill: 0}\n");
	begin(&g, "  other: {size: 5000, seed: 7}\n");
	assert_int_equal(get(&f, "a")->length, 5000);
	assert_memory_equal(get(&f, "a")->data, get(&g, "other")->data, 5000);
	assert_memory_equal(get(&f, "a")->data, get(&f, "c")->data, 3000);
	assert_memory_not_equal(get(&f, "a")->data, get(&f, "b")->data, 100);
	assert_int_equal(get(&f, "z")->length, 2048);
	for (unsigned i = 0; i < 2048; i++)
		assert_int_equal(get(&f, "z")->data[i], 0);
	is_on_disk(get(&f, "a"));
	assert_ptr_equal(get(&f, "a"), get(&f, "a"));
	end(&f);
	end(&g);
}

static void a_bootable_file_begins_with_a_vector_table(void **state)
{
	static const uint8_t table[] = { 0x00, 0x10, 0x00, 0x20, 0x01, 0x81, 0x00, 0x08 };
	struct fixture f;

	(void)state;
	begin(&f, "  a: {size: 5000, bootable: true, at: 0x08008000}\n  tiny: {size: 9, bootable: true}\n");
	assert_memory_equal(get(&f, "a")->data, table, sizeof(table));
	refused(&f, "tiny", "'tiny' cannot be bootable with 9 bytes: it needs 16");
	end(&f);
}

static void files_are_cut_joined_and_changed(void **state)
{
	static const uint8_t changed[] = { 0xaa, 2, 3, 0xbb };
	static const uint8_t joined[] = { 2, 3, 1, 2, 3, 4 };
	struct fixture f;

	(void)state;
	begin(&f, "  words: {hex: \"01 02 03 04\"}\n"
		  "  part: {of: words, from: 1, size: 2}\n"
		  "  joined: {join: [part, words]}\n"
		  "  changed: {copy: words, set: [{at: 0, hex: aa}, {at: -1, hex: bb}]}\n"
		  "  long: {of: words, from: 1, size: 4}\n"
		  "  beyond: {copy: words, set: [{at: -1, hex: \"aabb\"}]}\n");
	assert_int_equal(get(&f, "joined")->length, sizeof(joined));
	assert_memory_equal(get(&f, "joined")->data, joined, sizeof(joined));
	assert_memory_equal(get(&f, "changed")->data, changed, sizeof(changed));
	assert_int_equal(get(&f, "words")->data[0], 1);
	refused(&f, "long", "'long' wants 4 bytes at 1 of 'words', which has 4");
	refused(&f, "beyond", "2 bytes at -1 are not within 'words', which has 4");
	end(&f);
}

/* CRC-32's check value is cbf43926; DFU leaves out the last inversion. */
static void the_crc_is_that_of_dfu_1_1(void **state)
{
	(void)state;
	assert_int_equal(dfu_crc(0xffffffffu, (const uint8_t *)"123456789", 9), 0xcbf43926u ^ 0xffffffffu);
	assert_int_equal(dfu_crc(dfu_crc(0xffffffffu, (const uint8_t *)"1234", 4), (const uint8_t *)"56789", 5),
			 0x340bc6d9u);
}

static void a_suffix_has_its_fields_in_the_order_of_appendix_b(void **state)
{
	static const uint8_t want[] = { 0x00, 0x22, 0x11, 0xdf, 0x83, 0x04, 0x00, 0x01, 'U', 'F', 'D', 16 };
	struct fixture f;
	const struct file *plain;
	uint32_t crc;

	(void)state;
	begin(&f, "  a: {size: 100}\n  plain: {dfu-suffix: a, vendor: 0x0483, product: 0xdf11, device: 0x2200}\n"
		  "  bad: {copy: plain, set: [{at: -1, hex: \"00\"}]}\n");
	plain = get(&f, "plain");
	assert_int_equal(plain->length, 116);
	assert_memory_equal(plain->data, get(&f, "a")->data, 100);
	assert_memory_equal(plain->data + 100, want, sizeof(want));
	crc = dfu_crc(0xffffffffu, plain->data, 112);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(plain->data[112 + i], crc >> 8 * i & 0xff);
	assert_int_equal(file_payload(plain), 100);
	assert_false(file_is_dfuse(plain));
	assert_non_null(strstr(plain->path, "/plain.dfu"));
	/* One chance in 256 that this byte was 0 already: the noise is fixed. */
	assert_int_equal(file_payload(get(&f, "bad")), 116);
	end(&f);
}

static uint32_t get32(const uint8_t *b)
{
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void dfuse_files_are_laid_out_as_in_um0391(void **state)
{
	static const uint8_t suffix[] = { 0x00, 0x22, 0x11, 0xdf, 0x83, 0x04, 0x1a, 0x01, 'U', 'F', 'D', 16 };
	struct dfuse_element e;
	struct fixture f;
	const struct file *p;

	(void)state;
	begin(&f, "  a: {size: 10}\n  b: {size: 20, seed: 2}\n  c: {hex: \"77\"}\n"
		  "  pack: {dfuse: [{address: 0x08000000, of: a, target: ST}, {address: 0x08020000, of: b},\n"
		  "         {address: 0x1FFFC000, of: c, alt: 1}], device: 0x2200}\n"
		  "  cut: {of: pack, size: 320}\n");
	p = get(&f, "pack");
	assert_true(file_is_dfuse(p));
	/* prefix: signature, version, size without suffix, targets */
	assert_memory_equal(p->data, "DfuSe\x01", 6);
	assert_int_equal(get32(p->data + 6), p->length - 16);
	assert_int_equal(p->data[10], 2);
	/* first target: its name, and two elements */
	assert_memory_equal(p->data + 11, "Target\0\x01\0\0\0ST\0", 14);
	assert_int_equal(get32(p->data + 11 + 266), 8 + 10 + 8 + 20);
	assert_int_equal(get32(p->data + 11 + 270), 2);
	assert_int_equal(get32(p->data + 11 + 274), 0x08000000);
	assert_int_equal(get32(p->data + 11 + 278), 10);
	assert_memory_equal(p->data + 11 + 282, get(&f, "a")->data, 10);
	/* second target: alt 1, no name */
	assert_memory_equal(p->data + 11 + 274 + 46, "Target\x01\0\0\0\0", 11);
	assert_memory_equal(p->data + p->length - 16, suffix, sizeof(suffix));
	assert_int_equal(file_payload(p), p->length - 16);
	assert_true(file_element(p, 1, &e));
	assert_int_equal(e.address, 0x08020000);
	assert_memory_equal(e.data, get(&f, "b")->data, 20);
	assert_true(file_element(p, 2, &e));
	assert_int_equal(e.alt, 1);
	assert_int_equal(e.length, 1);
	assert_false(file_element(p, 3, &e));
	/* Cut in the second element: the first is there. */
	assert_true(file_element(get(&f, "cut"), 0, &e));
	assert_false(file_element(get(&f, "cut"), 1, &e));
	end(&f);
}

static void raw_files_are_wrapped_once(void **state)
{
	struct fixture f;
	const struct file *w;
	char why[FILES_WHY];
	struct dfuse_element e;

	(void)state;
	begin(&f, "  a: {size: 10}\n");
	w = files_wrapped(f.files, get(&f, "a"), 0x08004000, 0, why);
	assert_non_null(w);
	assert_true(file_element(w, 0, &e));
	assert_int_equal(e.address, 0x08004000);
	assert_ptr_equal(files_wrapped(f.files, get(&f, "a"), 0x08004000, 0, why), w);
	assert_ptr_not_equal(files_wrapped(f.files, get(&f, "a"), 0x08008000, 0, why), w);
	is_on_disk(w);
	end(&f);
}

static void outputs_are_read_as_they_are_now(void **state)
{
	char why[FILES_WHY];
	struct fixture f;
	const char *path;
	FILE *out;

	(void)state;
	begin(&f, "  a: {size: 10}\n");
	path = files_output(f.files, "back", why);
	assert_non_null(path);
	refused(&f, "back", "cannot open");
	out = fopen(path, "w");
	fputs("one", out);
	fclose(out);
	assert_int_equal(get(&f, "back")->length, 3);
	out = fopen(path, "w");
	fputs("three", out);
	fclose(out);
	assert_int_equal(get(&f, "back")->length, 5);
	assert_ptr_equal(files_output(f.files, "back", why), path);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_null(files_output(f.files, "../back", why));
	refused(&f, "/dev/null", "is no regular file");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise_is_the_same_for_a_seed_and_differs_between_seeds),
		cmocka_unit_test(a_bootable_file_begins_with_a_vector_table),
		cmocka_unit_test(files_are_cut_joined_and_changed),
		cmocka_unit_test(the_crc_is_that_of_dfu_1_1),
		cmocka_unit_test(a_suffix_has_its_fields_in_the_order_of_appendix_b),
		cmocka_unit_test(dfuse_files_are_laid_out_as_in_um0391),
		cmocka_unit_test(raw_files_are_wrapped_once),
		cmocka_unit_test(outputs_are_read_as_they_are_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
