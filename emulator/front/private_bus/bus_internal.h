/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the private bus share. Not for users of the library: see private_bus.h. */
#ifndef DFUBENCH_BUS_INTERNAL_H
#define DFUBENCH_BUS_INTERNAL_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "bench.h"
#include "describe.h"
#include "private_bus.h"
#include "spawn.h"
#include "syscalls.h"
#include "tree.h"
#include "uevent.h"
#include "usbdev.h"

#define RESERVED_COUNT 256
#define MAX_INTERFACES 32
#define NODE_KNOWN 4
#define HELD_WATCHES 64
#define LINE_MAX_BYTES 4096
#define ACCESS_MODE (O_WRONLY | O_RDWR) /* of open flags; O_ACCMODE has O_PATH in it with musl */

/* A notified call, waiting for its answer. */
struct call_info {
	uint64_t id; /* the notification's */
	pid_t tid;
	enum call call;
	uint64_t args[6];
};

/* Something that a descriptor of the reserved range stands for. */
enum node_kind { NODE_USBFS, NODE_UEVENT };

struct node {
	enum node_kind kind;
	int number;                   /* the descriptor, the same in every process that inherits it */
	int pipe;                     /* our end: read end for usbfs, write end for uevents; -1: gone */
	uint64_t inode;               /* of the pipe, to recognise it under other numbers */
	bool filled;                  /* usbfs: a byte is in the pipe */
	pid_t known_tids[NODE_KNOWN]; /* threads that have been seen to hold it: spares looking again */
	unsigned next_known;
	struct watch *watch;
};

enum watch_kind {
	WATCH_LISTENER,
	WATCH_LIFELINE,
	WATCH_TOOL,
	WATCH_EXEC,
	WATCH_NODE,
	WATCH_USER,
	WATCH_HELD,
	WATCH_TERMINAL
};

/* One descriptor in the epoll set. */
struct watch {
	enum watch_kind kind;
	int fd;
	uint32_t events;
	struct node *node;                    /* WATCH_NODE */
	void (*ready)(void *context, int fd); /* WATCH_USER */
	void *context; /* WATCH_USER; WATCH_HELD: the struct held; WATCH_TERMINAL: the terminal */
	struct watch *next;
	bool dead; /* freed at the end of the turn */
};

struct handle;   /* usbfs.c */
struct alt_name; /* usbfs_alt.c */
struct monitor;  /* netlink.c */
struct terminal; /* terminals.h */
struct ghost;    /* terminals.c */

/* A port of the root hub. */
struct port {
	struct usbhost host;
	struct private_bus *bus;
	struct usbdev *dev; /* NULL: nothing plugged */
	int number;
	bool denied;
	struct describe *describe;                 /* while enumerating, and as owner of the description */
	const struct usb_description *description; /* NULL: nothing enumerated */
	uint8_t address;
	uint8_t configuration;
	uint8_t alt[MAX_INTERFACES];
	struct alt_name *alt_names; /* of settings that have been set */
	struct handle *claims[MAX_INTERFACES];
	struct terminal *bound[MAX_INTERFACES]; /* interfaces that cdc-acm has */
	struct transfer *transfers;             /* pending ones */
	struct usb_description *before_reset;   /* while the port is being reset */
	struct call_info reset_call;
};

struct private_bus {
	struct bench *bench;
	struct private_bus_options options;
	const struct syscall_table *syscalls;
	struct spawn spawn;
	struct tree *tree;
	int epoll;
	struct watch *watches;
	struct node *nodes[RESERVED_COUNT];
	uint32_t reserved_base;
	struct port *ports[PRIVATE_BUS_PORTS + 1]; /* by number; 0 is the root hub itself */
	uint8_t last_address;
	struct handle *handles;
	struct monitor *monitors;
	struct terminal *terminals, *gone_terminals;
	struct ghost *ghosts;
	uint64_t uevent_number;
	size_t transfer_bytes; /* memory of all transfers: usbfs gives so much and no more */
	struct held *held;
	struct vtime *vtime; /* NULL: real or scaled time */
	uint64_t wall_origin_ns, bench_origin_us;
	uint64_t wall_now_ns, looked_after_ns;
	bool ticking; /* bench time goes with the wall */
	bool running; /* there is a tool: what follows down to warned_chdir is its own */
	bool ending;  /* it has ended, or is being killed, and what it has started goes with it */
	bool over;    /* the guardian has reported */
	int failure;  /* the run cannot go on: -errno, or 0 */
	int status, exec_error, exec_failed;
	bool warned_memory, warned_foreign, warned_uring, warned_chdir;
	cpu_set_t cpus; /* that we may run on; while we share one with the tool */
	bool shares_cpu;
	size_t notif_size, resp_size;
	void *notif, *resp;
	struct private_bus_counts counts;
};

/* --- private_bus.c --- */
void bus_warn(struct private_bus *, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct watch *bus_watch(struct private_bus *, enum watch_kind, int fd, uint32_t events);
void bus_unwatch(struct private_bus *, struct watch *);
void bus_watch_for(struct private_bus *, struct watch *, uint32_t events); /* others from now on */
/* The port that a device address belongs to, or NULL. */
struct port *bus_port_of_address(struct private_bus *, unsigned address);
/* The memory of a process is out of reach. If it is the tool itself that starts, the run cannot go on. */
void bus_no_memory_access(struct private_bus *);
/* The tool looks at the tree: it must be there. If it cannot be written the run ends. */
void bus_show_tree(struct private_bus *);
/* Bench microseconds for a time that the tool's kernel would measure on the wall. */
uint64_t bus_wall_ms(const struct private_bus *, uint64_t ms);
/* What the bench's time is by the wall: the bench itself stands where the turn began, and time-outs that count from there would
 * be early. */
uint64_t bus_now_us(const struct private_bus *);
/* USBDEVFS_RESET: reset the port, enumerate again, then answer the call. A device that is another one afterwards has
 * been replugged: -ENODEV. */
void bus_reset_port(struct port *, const struct call_info *);

/* From now on bench time goes with the wall. */
void bus_start_clock(struct private_bus *);

/* --- tool.c --- */
void tool_setup(struct private_bus *);                    /* once, before all others */
void tool_reported(struct private_bus *, struct watch *); /* the lifeline is readable */
void tool_executed(struct private_bus *, struct watch *); /* the exec pipe is */
int tool_broken(struct private_bus *, int error);         /* kill it; returns error */
/* Nothing is left of the tool but its status; the bus is ready for another. Also while there is none. */
void tool_gone(struct private_bus *);
/* The same at its end; and in virtual time the devices have seen it, too. */
void tool_ended(struct private_bus *);

/* --- ports.c --- */
void bus_forget_resets(struct private_bus *); /* nobody waits for them any more */
int bus_plug_root_hub(struct private_bus *);  /* 0 or -ENOMEM */
void bus_unplug_all(struct private_bus *);    /* the root hub too */

/* --- notify.c: answers. Each ends the call. --- */
void answer_value(struct private_bus *, uint64_t id, int64_t value);
void answer_error(struct private_bus *, uint64_t id, int error); /* -errno */
void answer_continue(struct private_bus *, uint64_t id);         /* let the kernel do it */
/* Put fd into the caller's table, at number (-1: the lowest free one), and return that number to it. fd stays ours. */
int answer_fd(struct private_bus *, uint64_t id, int fd, int number, bool cloexec);
void notify_ready(struct private_bus *); /* the listener is readable */
int notify_setup(struct private_bus *);  /* once; 0 or -errno */
bool notify_alive(struct private_bus *, uint64_t id);

/* Calls that wait. */
enum held_kind { HELD_REAP, HELD_RECEIVE, HELD_SLEEP, HELD_POLL, HELD_FUTEX, HELD_TERMINAL };
struct held {
	struct held *next;
	enum held_kind kind;
	struct call_info call;
	struct node *node;         /* HELD_REAP, HELD_RECEIVE */
	struct terminal *terminal; /* HELD_TERMINAL: until it is drained, or has closed */
	/* waits.c, in virtual time */
	struct private_bus *bus;
	struct bench_event deadline;
	uint64_t remaining_at; /* where to write what is left of a sleep; 0: nowhere */
	bool masked;           /* the call has a signal mask of its own: */
	uint64_t mask;
	struct watch *watches[HELD_WATCHES];
	unsigned watch_count;
	uint32_t word; /* HELD_FUTEX: the value that it waits on */
};
int held_add(struct private_bus *, enum held_kind, const struct call_info *, struct node *);
/* Take the first waiting call of a node off the list; the caller frees it. NULL: none. */
struct held *held_take(struct private_bus *, enum held_kind, const struct node *);
/* Answer EINTR to those that a signal waits for, drop those whose caller is gone. True: there was one. */
bool held_look_after(struct private_bus *);
bool held_any(const struct private_bus *);
void held_drop_node(struct private_bus *, const struct node *, int error);

/* --- nodes.c: descriptors of the reserved range --- */
/* A new node with a pipe; *theirs is the end for the tool (the caller closes it). NULL: -errno in *error. */
struct node *node_new(struct private_bus *, enum node_kind, pid_t tid, int open_flags, int *theirs, int *error);
void node_free(struct private_bus *, struct node *);
/* The node behind a descriptor of the caller, under its own number or a duplicate's; NULL: none of ours. */
struct node *node_of(struct private_bus *, pid_t tid, int fd);
/* The same for URBs and other calls of which there are many: a thread that once held it is taken at its word. */
struct node *node_of_known(struct private_bus *, pid_t tid, int fd);
/* usbfs: POLLOUT off or on at the tool's end. */
void node_set_writable(struct node *, bool writable);
/* uevents: POLLIN on or off at the tool's end. */
void node_set_readable(struct node *, bool readable);
/* usbfs: POLLERR at the tool's end, for good. */
void node_hang_up(struct private_bus *, struct node *);

/* --- paths.c --- */
void paths_call(struct private_bus *, const struct call_info *);

/* --- usbfs.c --- */
/* Open a device node. */
void usbfs_open(struct private_bus *, const struct call_info *, unsigned address, int flags);
void usbfs_call(struct private_bus *, const struct call_info *, struct node *);
void usbfs_closed(struct private_bus *, struct node *); /* the last descriptor is closed; frees the node */
struct transfer;
void transfer_take_back(struct transfer *); /* it completes as cancelled */
/* A transfer of the port has completed; false: it is not usbfs's. */
bool usbfs_complete(struct port *, struct usb_urb *);
/* Does a synchronous ioctl of this thread wait for its transfer? */
bool usbfs_waits(const struct private_bus *, pid_t tid);
/* After a port reset: configuration and settings as they were. */
void usbfs_restore(struct port *);
void usbfs_port_gone(struct port *); /* all transfers have completed */
void usbfs_forget_names(struct port *);
void usbfs_free_all(struct private_bus *);

/* --- roothub.c --- */
/* The root hub as a device, with as many ports as there are. NULL on ENOMEM. description must outlive it. */
struct usbdev *roothub_new(const struct usb_description *);
void roothub_free(struct usbdev *);

/* --- netlink.c --- */
void netlink_socket(struct private_bus *, const struct call_info *);
void netlink_call(struct private_bus *, const struct call_info *, struct node *);
void netlink_closed(struct private_bus *, struct node *);
void netlink_announce(struct port *, enum uevent_action); /* of the device and its interfaces */
void netlink_announce_one(struct private_bus *, const struct uevent_device *, enum uevent_action);
void netlink_free_all(struct private_bus *);

#endif
