// SPDX-License-Identifier: GPL-2.0-or-later
/* The main flash of a board as a file. */
#include "image.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct image {
	struct savefile *file;
	struct flash *flash;
	uint32_t base;
	uint64_t generation; /* of the flash, as it is in the file */
};

struct image *image_open(const char *path, struct flash *flash, uint32_t base, char note[SAVEFILE_WHY],
			 char why[SAVEFILE_WHY])
{
	struct image *image = calloc(1, sizeof(*image));
	uint8_t *data = NULL;
	size_t length;

	note[0] = 0;
	if (!image) {
		snprintf(why, SAVEFILE_WHY, "cannot open '%s': %s", path, strerror(ENOMEM));
		return NULL;
	}
	image->flash = flash;
	image->base = base;
	image->file = savefile_open(path, why);
	if (!image->file || savefile_read(image->file, flash_size(flash), "flash", &data, &length, why))
		goto refuse;
	if (length && flash_load(flash, 0, data, length)) {
		snprintf(why, SAVEFILE_WHY, "cannot load '%s': %s", path, strerror(ENOMEM));
		goto refuse;
	}
	if (savefile_exists(image->file) && length < flash_size(flash))
		snprintf(note, SAVEFILE_WHY, "'%s' has %zu bytes: the other %zu of flash are erased", path, length,
			 flash_size(flash) - length);
	free(data);
	image->generation = flash_generation(flash);
	return image;
refuse:
	free(data);
	image_close(image);
	return NULL;
}

int image_save(struct image *image, char why[SAVEFILE_WHY])
{
	uint64_t generation = flash_generation(image->flash);
	size_t size = flash_size(image->flash);
	uint8_t *data;
	int r;

	if (savefile_exists(image->file) && generation == image->generation)
		return 0;
	data = malloc(size);
	if (!data) {
		snprintf(why, SAVEFILE_WHY, "cannot save the flash: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	r = flash_read(image->flash, image->base, data, size);
	assert(!r);
	if (!r)
		r = savefile_save(image->file, data, size, why);
	if (!r)
		image->generation = generation;
	free(data);
	return r;
}

void image_close(struct image *image)
{
	if (!image)
		return;
	savefile_close(image->file);
	free(image);
}
