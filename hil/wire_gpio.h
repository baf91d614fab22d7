/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both versions of libgpiod have in common: how a chip and a line are named, and what is told when they cannot be had. */
#ifndef DFUBENCH_WIRE_GPIO_H
#define DFUBENCH_WIRE_GPIO_H

#include <stdbool.h>
#include <stddef.h>
#include "wires.h"

#define GPIO_PATH 280

/* A path or the name of a chip ("gpiochip0") as path; false: it is a label. */
bool gpio_path(const char *chip, char path[GPIO_PATH]);
bool gpio_offset(const char *line, unsigned *offset); /* false: it is a name */

/* Each tells in why, and returns -errno. first, second: names of chips that have it; "": none. error: of listing the chips; 0: none. */
int gpio_no_chip(const char *path, int error, char why[WIRES_WHY]);
int gpio_no_label(const char *label, const char *first, const char *second, int error, char why[WIRES_WHY]);
int gpio_no_line(const char *name, const char *first, const char *second, int error, char why[WIRES_WHY]);
int gpio_no_offset(const char *line, const char *label, size_t lines, char why[WIRES_WHY]);
int gpio_refused(int error, const char *consumer, char why[WIRES_WHY]); /* consumer: who has it; NULL */
int gpio_failed(int error, char why[WIRES_WHY]);

#endif
