// SPDX-License-Identifier: GPL-2.0-or-later
/* GPIO chips and lines by name, and what a person can do when they cannot be had. */
#include "wire_gpio.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool gpio_path(const char *chip, char path[GPIO_PATH])
{
	const char *digits = chip + 8;

	if (chip[0] == '/') {
		snprintf(path, GPIO_PATH, "%s", chip);
		return true;
	}
	if (strncmp(chip, "gpiochip", 8) || !*digits || digits[strspn(digits, "0123456789")])
		return false;
	snprintf(path, GPIO_PATH, "/dev/%s", chip);
	return true;
}

bool gpio_offset(const char *line, unsigned *offset)
{
	unsigned long n;

	if (!*line || line[strspn(line, "0123456789")])
		return false;
	errno = 0;
	n = strtoul(line, NULL, 10);
	*offset = errno || n > 65535 ? 65535 : (unsigned)n;
	return true;
}

int gpio_no_chip(const char *path, int error, char why[WIRES_WHY])
{
	const char *help = "";

	if (error == EACCES || error == EPERM)
		help = ": you may not open it (group gpio, or a udev rule: see 60-dfubench.rules)";
	else if (error == ENOENT)
		help = ": is the adapter plugged in, and its module loaded? ('gpiodetect' lists the chips)";
	else if (error == ENOTTY || error == EINVAL || error == ENODEV)
		help = ": no GPIO chip";
	snprintf(why, WIRES_WHY, "cannot open '%.200s': %s%s", path, strerror(error), help);
	return -error;
}

/* What nobody has, or two have. */
static int not_one(const char *what, const char *name, const char *first, const char *second, int error,
		   char why[WIRES_WHY])
{
	if (error) {
		snprintf(why, WIRES_WHY,
			 "cannot look for the %s '%.60s': %s: a GPIO chip here may not be opened (group gpio, or a "
			 "udev rule: see "
			 "60-dfubench.rules; a path, as gpiochip0, needs that chip alone)",
			 what, name, strerror(-error));
		return error;
	}
	if (first[0]) {
		snprintf(why, WIRES_WHY, "'%.60s' is the %s of %.60s and of %.60s: name the chip by its path", name,
			 what, first, second);
		return -ENOTUNIQ;
	}
	snprintf(why, WIRES_WHY,
		 "no GPIO chip here has the %s '%.60s' ('gpiodetect' and 'gpioinfo' list what there is)", what, name);
	return -ENODEV;
}

int gpio_no_label(const char *label, const char *first, const char *second, int error, char why[WIRES_WHY])
{
	return not_one("label", label, first, second, error, why);
}

int gpio_no_line(const char *name, const char *first, const char *second, int error, char why[WIRES_WHY])
{
	return not_one("line", name, first, second, error, why);
}

int gpio_no_offset(const char *line, const char *label, size_t lines, char why[WIRES_WHY])
{
	unsigned offset;

	if (gpio_offset(line, &offset))
		snprintf(why, WIRES_WHY, "'%.60s' has the lines 0 to %zu, and no line %.20s", label,
			 lines ? lines - 1 : 0, line);
	else
		snprintf(why, WIRES_WHY, "'%.60s' has no line '%.60s' ('gpioinfo' lists them)", label, line);
	return -ENOENT;
}

int gpio_refused(int error, const char *consumer, char why[WIRES_WHY])
{
	if (error == EBUSY)
		snprintf(why, WIRES_WHY, "the line is in use by '%.60s'", consumer ? consumer : "the kernel");
	else if (error == EINVAL || error == EOPNOTSUPP || error == 524)
		snprintf(why, WIRES_WHY, "the chip cannot drive it so: %s (drive, bias)", strerror(error));
	else
		return gpio_failed(error, why);
	return -error;
}

int gpio_failed(int error, char why[WIRES_WHY])
{
	bool lost = error == ENODEV || error == EIO || error == ENXIO || error == EPIPE;

	snprintf(why, WIRES_WHY, "%s%s", strerror(error), lost ? ": has the adapter been unplugged?" : "");
	return lost ? -ENODEV : -error;
}
