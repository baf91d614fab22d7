// SPDX-License-Identifier: GPL-2.0-or-later
/* GPIO lines by libgpiod 2.x. */
#include <dirent.h>
#include <errno.h>
#include <gpiod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire_driver.h"
#include "wire_gpio.h"

struct gpio {
	struct gpiod_line_request *request;
	unsigned offset;
};

static bool has_label(struct gpiod_chip *chip, const char *label)
{
	struct gpiod_chip_info *info = gpiod_chip_get_info(chip);
	bool same = info && !strcmp(gpiod_chip_info_get_label(info), label);

	gpiod_chip_info_free(info);
	return same;
}

static bool has_line(struct gpiod_chip *chip, const char *name)
{
	return gpiod_chip_get_line_offset_from_name(chip, name) >= 0;
}

/* Path of the one chip that has something of that name; else *error. */
static bool find_chip(const char *name, bool (*has)(struct gpiod_chip *, const char *), char path[GPIO_PATH],
		      char second[GPIO_PATH], int *error)
{
	DIR *dir = opendir("/dev");
	struct dirent *entry;

	path[0] = second[0] = 0;
	*error = dir ? 0 : -errno;
	while (dir && (entry = readdir(dir))) {
		struct gpiod_chip *chip;
		char candidate[GPIO_PATH];

		if (strncmp(entry->d_name, "gpiochip", 8))
			continue;
		snprintf(candidate, sizeof(candidate), "/dev/%s", entry->d_name);
		if (!gpiod_is_gpiochip_device(candidate))
			continue;
		chip = gpiod_chip_open(candidate);
		if (!chip) {
			*error = -errno;
			continue;
		}
		if (has(chip, name))
			snprintf(path[0] ? second : path, GPIO_PATH, "%s", candidate);
		gpiod_chip_close(chip);
	}
	if (dir)
		closedir(dir);
	return path[0] && !second[0];
}

static struct gpiod_chip *open_chip(const struct wire_file *f, int *error, char why[WIRES_WHY])
{
	char path[GPIO_PATH], second[GPIO_PATH];
	struct gpiod_chip *chip;

	if (f->device && !gpio_path(f->device, path)) {
		if (!find_chip(f->device, has_label, path, second, error)) {
			*error = gpio_no_label(f->device, path, second, path[0] ? 0 : *error, why);
			return NULL;
		}
	} else if (!f->device && !find_chip(f->line, has_line, path, second, error)) {
		*error = gpio_no_line(f->line, path, second, path[0] ? 0 : *error, why);
		return NULL;
	}
	chip = gpiod_chip_open(path);
	*error = chip ? 0 : gpio_no_chip(path, errno, why);
	return chip;
}

static int find_line(struct gpiod_chip *chip, const char *name, unsigned *offset, char why[WIRES_WHY])
{
	struct gpiod_chip_info *info = gpiod_chip_get_info(chip);
	size_t lines = info ? gpiod_chip_info_get_num_lines(info) : 0;
	int r = 0, found;

	if (!gpio_offset(name, offset)) {
		found = gpiod_chip_get_line_offset_from_name(chip, name);
		*offset = found < 0 ? 65535 : (unsigned)found;
	}
	if (*offset >= lines)
		r = gpio_no_offset(name, info ? gpiod_chip_info_get_label(info) : "the chip", lines, why);
	gpiod_chip_info_free(info);
	return r;
}

static enum gpiod_line_value value(bool high)
{
	return high ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
}

static struct gpiod_line_settings *settings_for(const struct wire_file *f)
{
	static const enum gpiod_line_drive drives[] = { GPIOD_LINE_DRIVE_PUSH_PULL, GPIOD_LINE_DRIVE_OPEN_DRAIN,
							GPIOD_LINE_DRIVE_OPEN_SOURCE };
	static const enum gpiod_line_bias biases[] = { GPIOD_LINE_BIAS_AS_IS, GPIOD_LINE_BIAS_DISABLED,
						       GPIOD_LINE_BIAS_PULL_UP, GPIOD_LINE_BIAS_PULL_DOWN };
	struct gpiod_line_settings *s = gpiod_line_settings_new();

	if (!s)
		return NULL;
	if (!gpiod_line_settings_set_direction(s, GPIOD_LINE_DIRECTION_OUTPUT) &&
	    !gpiod_line_settings_set_drive(s, drives[f->drive]) && !gpiod_line_settings_set_bias(s, biases[f->bias]) &&
	    !gpiod_line_settings_set_output_value(s, value(f->idle_high))) {
		/* The kernel inverts then. */
		gpiod_line_settings_set_active_low(s, f->active_low);
		return s;
	}
	gpiod_line_settings_free(s);
	return NULL;
}

static int refused(struct gpiod_chip *chip, unsigned offset, int error, char why[WIRES_WHY])
{
	struct gpiod_line_info *info = gpiod_chip_get_line_info(chip, offset);
	int r = gpio_refused(error, info ? gpiod_line_info_get_consumer(info) : NULL, why);

	gpiod_line_info_free(info);
	return r;
}

static int request(struct gpio *g, struct gpiod_chip *chip, const struct wire_file *f, char why[WIRES_WHY])
{
	struct gpiod_line_settings *settings = settings_for(f);
	struct gpiod_line_config *lines = gpiod_line_config_new();
	struct gpiod_request_config *config = gpiod_request_config_new();
	char consumer[32];
	int error;

	snprintf(consumer, sizeof(consumer), "dfuhil %s", wire_name(f->wire));
	if (settings && lines && config && !gpiod_line_config_add_line_settings(lines, &g->offset, 1, settings)) {
		gpiod_request_config_set_consumer(config, consumer);
		g->request = gpiod_chip_request_lines(chip, config, lines);
	}
	error = errno;
	gpiod_line_settings_free(settings);
	gpiod_line_config_free(lines);
	gpiod_request_config_free(config);
	return g->request ? 0 : refused(chip, g->offset, error, why);
}

static void gpio_close(void *state)
{
	struct gpio *g = state;

	gpiod_line_request_release(g->request);
	free(g);
}

static void *gpio_open(const struct wire_file *f, int *error, char why[WIRES_WHY])
{
	struct gpio *g = calloc(1, sizeof(*g));
	struct gpiod_chip *chip;

	*error = -ENOMEM;
	snprintf(why, WIRES_WHY, "%s", strerror(ENOMEM));
	if (!g)
		return NULL;
	chip = open_chip(f, error, why);
	if (chip) {
		*error = find_line(chip, f->line, &g->offset, why);
		if (!*error)
			*error = request(g, chip, f, why);
		gpiod_chip_close(chip); /* the request has what it needs */
	}
	if (!*error)
		return g;
	free(g);
	return NULL;
}

static int gpio_set(void *state, bool high, char why[WIRES_WHY])
{
	struct gpio *g = state;

	if (!gpiod_line_request_set_value(g->request, g->offset, value(high)))
		return 0;
	return gpio_failed(errno, why);
}

const struct wire_driver wire_gpio = {
	.name = "gpio",
	.needs = "libgpiod 2",
	.open = gpio_open,
	.set = gpio_set,
	.close = gpio_close,
};
