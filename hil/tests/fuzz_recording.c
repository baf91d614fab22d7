/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any capture as a recording: what is to be sent, what the flash held, and the steps of a scenario. */
#include <stdlib.h>
#include <string.h>
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct recording *r)
{
	bool came[RECORDING_BOARDS + 1] = { false };

	for (size_t i = 0; i < r->count; i++) {
		const struct recorded *item = &r->items[i];
		char text[200];

		if (!item->exchange || !item->board || item->board > r->boards || item->session > r->sessions)
			abort();
		came[item->board] |= item->kind == RECORDED_ARRIVAL;
		if (!came[item->board])
			abort();
		if (!*recorded_text(item, text, sizeof(text)))
			abort();
	}
	for (unsigned b = 1; b <= r->boards; b++) {
		struct recorded_flash f;

		recording_flash(r, b, &f);
		recorded_flash_free(&f);
	}
}

static void import(const struct recording *r, bool as_host)
{
	struct import im = { .recording = r, .as_host = as_host, .stem = "x" };
	char *text = NULL;
	size_t length;

	im.steps = open_memstream(&text, &length);
	if (!im.steps)
		return;
	import_steps(&im);
	fclose(im.steps);
	for (size_t i = 0; i < im.file_count; i++)
		free(im.files[i].data);
	free(im.files);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording r;
	char why[RECORDING_WHY] = "";
	int error = recording_read(&r, data, size, size & 1 ? mcu_profile_find("l476") : NULL, why);

	if (error && !*why)
		abort();
	if (!error) {
		look_at(&r);
		import(&r, false);
		import(&r, true);
	}
	recording_free(&r);
	return 0;
}
