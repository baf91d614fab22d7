/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a path of the tool leads: to a device node (a usbfs handle), to a terminal, to a place that the private tree stands for
 * (answered from there), or to none of our business (the kernel goes on with it).
 */
#ifndef DFUBENCH_PLACES_H
#define DFUBENCH_PLACES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct call_info;
struct private_bus;
struct terminal;

enum place {
	PLACE_ELSEWHERE,
	PLACE_TREE,     /* in the private tree */
	PLACE_NODE,     /* a device node under /dev/bus/usb */
	PLACE_TERMINAL, /* /dev/ttyACM0 */
	PLACE_BEYOND,   /* the machine's own, but named from a folder of the tree, where the kernel would not find it */
};

struct where {
	enum place place;
	bool root;        /* it is the private tree's own folder, by the machine's name of it */
	bool from_tree;   /* the descriptor that the path is relative to lies in the tree: the kernel gets it right */
	unsigned address; /* PLACE_NODE */
	struct terminal *terminal; /* PLACE_TERMINAL */
	char path[PATH_MAX * 2];   /* as the tool sees it, absolute: a folder's name and what is relative to it */
	char real[PATH_MAX * 3];   /* where it is: in the private tree, or (PLACE_BEYOND) the path itself */
};

/* The path argument of a call. 0 or -errno, for which the caller lets the kernel find out itself. */
int place_of(struct private_bus *, const struct call_info *, int dirfd, uint64_t pointer, struct where *);
/* The same for a call that follows links: those of udev to terminals. A link of the machine is the machine's. */
int place_followed(struct private_bus *, const struct call_info *, int dirfd, uint64_t pointer, bool follow,
		   struct where *);

bool place_below(const char *path, const char *folder); /* it is the folder, or in it */
/* A folder of the machine that the tree has with our own entries added. */
bool place_is_merged(const struct private_bus *, const char *path);
/* The path as the tool sees it, in place, of something whose real name may lie in the private tree. True: it does. */
bool place_unmap(const struct private_bus *, char *path);

#endif
