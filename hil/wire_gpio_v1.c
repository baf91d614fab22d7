// SPDX-License-Identifier: GPL-2.0-or-later
/* GPIO lines by libgpiod 1.x, from 1.5 on (bias). */
#include <errno.h>
#include <gpiod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire_driver.h"
#include "wire_gpio.h"

struct gpio {
	const struct wire_file *file;
	struct gpiod_chip *chip;
	struct gpiod_line *line;
};

static struct gpiod_chip *open_path(const char *path, int *error, char why[WIRES_WHY])
{
	struct gpiod_chip *chip = gpiod_chip_open(path);

	*error = chip ? 0 : gpio_no_chip(path, errno, why);
	return chip;
}

static struct gpiod_chip *open_named(const char *name, int *error, char why[WIRES_WHY])
{
	char path[80];

	snprintf(path, sizeof(path), "/dev/%s", name);
	return open_path(path, error, why);
}

/* The one chip with that label. */
static struct gpiod_chip *chip_by_label(const char *label, int *error, char why[WIRES_WHY])
{
	struct gpiod_chip_iter *iter = gpiod_chip_iter_new();
	struct gpiod_chip *chip;
	char found[64] = "", second[64] = "";

	*error = -errno;
	if (iter) {
		gpiod_foreach_chip(iter, chip) if (!strcmp(gpiod_chip_label(chip), label))
			snprintf(found[0] ? second : found, sizeof(found), "%s", gpiod_chip_name(chip));
		gpiod_chip_iter_free(iter);
	}
	if (!found[0] || second[0]) {
		*error = gpio_no_label(label, found, second, iter ? 0 : *error, why);
		return NULL;
	}
	return open_named(found, error, why);
}

static struct gpiod_chip *open_chip(const char *name, int *error, char why[WIRES_WHY])
{
	char path[GPIO_PATH];

	return gpio_path(name, path) ? open_path(path, error, why) : chip_by_label(name, error, why);
}

/* The chip of the only line with that name. */
static struct gpiod_chip *chip_of_line(const char *name, int *error, char why[WIRES_WHY])
{
	struct gpiod_chip_iter *iter = gpiod_chip_iter_new();
	struct gpiod_chip *chip;
	char found[64] = "", second[64] = "";

	*error = -errno;
	if (iter) {
		gpiod_foreach_chip(iter, chip) if (gpiod_chip_find_line(chip, name))
			snprintf(found[0] ? second : found, sizeof(found), "%s", gpiod_chip_name(chip));
		gpiod_chip_iter_free(iter);
	}
	if (!found[0] || second[0]) {
		*error = gpio_no_line(name, found, second, iter ? 0 : *error, why);
		return NULL;
	}
	return open_named(found, error, why);
}

static struct gpiod_line *find_line(struct gpiod_chip *chip, const char *name)
{
	unsigned offset;

	if (!gpio_offset(name, &offset))
		return gpiod_chip_find_line(chip, name);
	if (offset >= gpiod_chip_num_lines(chip)) {
		errno = ENOENT;
		return NULL;
	}
	return gpiod_chip_get_line(chip, offset);
}

static int request(struct gpio *g, char why[WIRES_WHY])
{
	static const int drives[] = { 0, GPIOD_LINE_REQUEST_FLAG_OPEN_DRAIN, GPIOD_LINE_REQUEST_FLAG_OPEN_SOURCE };
	static const int biases[] = { 0, GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE, GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP,
				      GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN };
	char consumer[32];
	const struct gpiod_line_request_config config = {
		.consumer = consumer,
		.request_type = GPIOD_LINE_REQUEST_DIRECTION_OUTPUT,
		.flags = drives[g->file->drive] | biases[g->file->bias] |
			 (g->file->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0),
	};

	snprintf(consumer, sizeof(consumer), "dfuhil %s", wire_name(g->file->wire));
	if (!gpiod_line_request(g->line, &config, g->file->idle_high))
		return 0;
	return gpio_refused(errno, gpiod_line_consumer(g->line), why);
}

static void gpio_close(void *state)
{
	struct gpio *g = state;

	gpiod_chip_close(g->chip); /* releases the line */
	free(g);
}

static void *gpio_open(const struct wire_file *f, int *error, char why[WIRES_WHY])
{
	struct gpio *g = calloc(1, sizeof(*g));

	*error = -ENOMEM;
	snprintf(why, WIRES_WHY, "%s", strerror(ENOMEM));
	if (!g)
		return NULL;
	g->file = f;
	g->chip = f->device ? open_chip(f->device, error, why) : chip_of_line(f->line, error, why);
	if (!g->chip) {
		free(g);
		return NULL;
	}
	g->line = find_line(g->chip, f->line);
	*error = g->line ? request(g, why)
			 : gpio_no_offset(f->line, gpiod_chip_label(g->chip), gpiod_chip_num_lines(g->chip), why);
	if (!*error)
		return g;
	gpio_close(g);
	return NULL;
}

static int gpio_set(void *state, bool high, char why[WIRES_WHY])
{
	struct gpio *g = state;

	/* By the flag of the request, the kernel inverts what is active low. */
	if (!gpiod_line_set_value(g->line, high))
		return 0;
	return gpio_failed(errno, why);
}

const struct wire_driver wire_gpio = {
	.name = "gpio",
	.needs = "libgpiod 1",
	.open = gpio_open,
	.set = gpio_set,
	.close = gpio_close,
};
