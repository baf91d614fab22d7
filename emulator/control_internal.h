/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the control socket share. Not for its users: see control.h. */
#ifndef DFUBENCH_CONTROL_INTERNAL_H
#define DFUBENCH_CONTROL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "bench.h"
#include "control.h"
#include "desk.h"
#include "events.h"
#include "fault_rule.h"
#include "mcu.h"
#include "writer.h"

enum waiting { WAIT_NOTHING, WAIT_EVENT, WAIT_EVENTS, WAIT_TASK };

/* What `wait` waits for. */
struct wish {
	unsigned board;
	char name[16];   /* event_name() */
	char detail[40]; /* mode, cause or state; "" is any */
	unsigned left;   /* requests yet to be answered */
};

struct client {
	struct client *next;
	struct control *control;
	int fd;
	bool dead, ended; /* hung up on; the peer has said all */
	uint64_t heard;   /* control.turns when it last said something */
	bool json;
	bool discarding; /* an answer that ends the connection is on its way out */
	enum waiting waiting;
	struct wish wish;
	struct bench_event timeout;
	char in[CONTROL_LINE];
	size_t in_used;
	char *out;
	size_t out_used, out_sent, out_size;
};

struct task; /* control_task.c */

struct control {
	struct desk *desk;
	const struct control_loop *loop;
	int epoll, listener, spare; /* spare: a descriptor to give up when there is no other */
	bool running;               /* watched, and the desk's listener */
	char *path;
	dev_t device; /* of the socket that we made */
	ino_t inode;
	struct client *clients;
	struct task *tasks;
	struct bench_event resume; /* clients may have lines that waited */
	uint64_t turns;            /* counts what clients say */
	uint64_t events;           /* that have been told so far, whoever listened */
};

enum outcome { DONE, FAILED, REFUSED, PENDING }; /* refused: not a command */

/* A command as it is carried out. */
struct call {
	struct control *control;
	struct client *client;
	const struct command *command;
	unsigned board;
	struct writer out;
	char why[CONTROL_WHY];
};

struct command {
	const char *name, *usage, *help;
	int least, most; /* words after the name; most -1: any */
	enum outcome (*run)(struct call *, int count, char **words);
};

/* --- control_client.c --- */
/* Closes the connection and takes back what waits for it. The memory stays until nobody can be in the middle of it. */
void client_hang_up(struct client *);
void client_tell_epoll(struct client *);
void client_flush(struct client *); /* as much as the socket takes */
/* Into the queue; client_push() when the answer is whole. */
void client_queue_text(struct client *, const char *text);
void client_queue_indented(struct client *, const char *text);
void client_push(struct client *);
/* The whole answer to a command. out NULL: nothing to tell; why: unless DONE. */
void client_answer(struct client *, enum outcome, struct writer *out, const char *why);
/* The lines behind the one that waited are looked at soon. */
void client_go_on(struct client *);

/* --- control_commands.c --- */
struct bench *control_bench(const struct control *);
/* Carries out a line, which is changed, and answers it. later: its time has come. True: the answer comes later. */
bool call_line(struct client *, unsigned board, char *line, bool later);
/* The reason in call->why; returns the outcome given. */
enum outcome call_fail(struct call *, enum outcome, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* NULL with why. */
struct mcu *call_board(struct call *);
/* Index of a word in a list that NULL ends, or -1 with why, to be refused. */
int call_choose(struct call *, const char *what, const char *word, const char *const *words);
bool call_number(const char *word, unsigned *out);
extern const char *const call_switches[]; /* off, on */

/* --- control_task.c --- */
enum outcome task_schedule(struct call *, uint64_t at_us, int count, char **words);
void task_leave(struct client *); /* it waits for none any more */
void task_free_all(struct control *);
enum outcome control_run_reset(struct call *, int count, char **words);

/* --- control_wait.c --- */
void wait_timed_out(struct bench_event *);
void wait_desk_tells(void *context, const struct desk_event *);
void wait_transfer_completed(void *context, unsigned board, const struct usb_urb *);
void wait_board_gone(struct control *, unsigned board);
enum outcome control_run_wait(struct call *, int count, char **words);
enum outcome control_run_events(struct call *, int count, char **words);

/* --- control_board.c --- */
enum outcome control_run_pin(struct call *, int count, char **words);
enum outcome control_run_board(struct call *, int count, char **words);
enum outcome control_run_boards(struct call *, int count, char **words);
enum outcome control_run_status(struct call *, int count, char **words);
enum outcome control_run_time(struct call *, int count, char **words);
enum outcome control_run_traffic(struct call *, int count, char **words);
enum outcome control_run_software_entry(struct call *, int count, char **words);
enum outcome control_run_erase_times(struct call *, int count, char **words);

/* --- control_app.c --- */
enum outcome control_run_console(struct call *, int count, char **words);
enum outcome control_run_button(struct call *, int count, char **words);
enum outcome control_run_led(struct call *, int count, char **words);
void control_write_engine(struct call *,
			  unsigned board); /* into the object that is open; nothing unless it runs code */

/* --- control_gear.c --- */
enum outcome control_run_bench(struct call *, int count, char **words);
void control_write_gear(struct call *); /* into the object that is open; nothing without bench devices */

/* --- control_about.c --- */
enum outcome control_run_about(struct call *, int count, char **words);

/* --- control_faults.c --- */
enum outcome control_run_fault(struct call *, int count, char **words);

/* --- control_files.c --- */
enum outcome control_run_flash(struct call *, int count, char **words);
enum outcome control_run_options(struct call *, int count, char **words);

#endif
