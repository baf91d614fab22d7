/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the private tree share: tree.c (the whole), tree_devices.c, tree_attributes.c, tree_files.c. */
#ifndef DFUBENCH_TREE_INTERNAL_H
#define DFUBENCH_TREE_INTERNAL_H

#include "tree.h"

#define CONTROLLER "devices/platform/dfubench.0"
#define HUB CONTROLLER "/usb1"

struct interface {
	uint8_t number, alt;
	char driver[32]; /* "": none */
	char name[24];   /* "1-1:1.0" */
	char path[96];   /* below sys/, with a slash before it */
};

struct device {
	struct usb_description *description; /* NULL: the number is free */
	unsigned number, port;
	bool denied;
	uint64_t initialized_us;
	char name[16];     /* "1-1", "usb1" */
	char port_name[8]; /* "1", "0" */
	char path[64];     /* "/devices/platform/dfubench.0/usb1/1-1" */
	unsigned depth;    /* how many "../" lead from its folder to sys/ */
	struct interface interfaces[USB_MAX_INTERFACES];
	unsigned interface_count;
};

struct terminal_entry {
	unsigned number; /* of its device; 0: there is none */
	uint8_t interface;
	uint64_t initialized_us;
	char name[16];  /* "ttyACM0" */
	char path[128]; /* "/devices/.../1-1:1.0/tty/ttyACM0" */
};

struct tree {
	int base, root; /* root is what is locked */
	int sys, devices, drivers, chars, nodes, udev, stage;
	bool shown; /* the files are there, and the descriptors above */
	bool merged_dev, merged_class;
	unsigned staged; /* counts names in stage/ */
	char *name, *path;
	struct device list[TREE_ADDRESSES + 1]; /* by device number */
	struct terminal_entry terminals[TREE_TERMINALS];
};

/* Files being made in one folder: after the first failure nothing more is done. */
struct folder {
	struct tree *tree;
	int fd;
	bool replace; /* the folder is in sight: write aside and rename */
	int error;
};

/* --- tree_files.c: files and folders; nothing is done after the first failure of a struct folder --- */
int tree_open_folder(int at, const char *path);
int tree_remove_folder(int at, const char *name);
int tree_unlink_if_there(int at, const char *name);
void tree_put_bytes(struct folder *f, const char *name, const void *data, size_t length);
void tree_put(struct folder *f, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
void tree_put_link(struct folder *f, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
struct folder tree_subfolder(struct folder *f, const char *name);
void tree_close_subfolder(struct folder *f, struct folder *sub);
int tree_discard(struct tree *t, int at, const char *name);
void tree_put_up(struct folder *f, const char *name, unsigned depth, const char *target);
struct folder tree_aside_folder(struct folder *f, char aside[16]);
void tree_show_aside(struct folder *f, struct folder *sub, const char *aside, int at, const char *name);

/* --- tree_attributes.c: what Linux writes into sysfs of a device --- */
void tree_event_of(const struct device *d, const struct interface *i, struct uevent_device *out);
void tree_put_uevent(struct folder *f, const struct uevent_device *event);
void tree_put_configuration(struct folder *f, const struct device *d);
void tree_put_device(struct folder *f, const struct device *d);
void tree_remove_endpoints(struct folder *f);
void tree_put_alt(struct folder *f, const struct device *d, const struct interface *i, const uint8_t *old,
		  const char *text);
void tree_put_interface(struct folder *f, const struct device *d, const struct interface *i);

/* --- tree_devices.c --- */
int tree_device_add(struct tree *t, unsigned number, unsigned port, const struct usb_description *u, bool denied);
int tree_device_show(struct tree *t, struct device *d);
struct device *tree_find(const struct tree *t, unsigned number);
struct interface *tree_find_interface(struct device *d, uint8_t number);
uint64_t tree_now_us(void); /* CLOCK_MONOTONIC */

/* --- tree_terminals.c --- */
int tree_terminals_show(struct tree *t);

#endif
