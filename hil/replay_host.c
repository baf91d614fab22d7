// SPDX-License-Identifier: GPL-2.0-or-later
/* The process on a rig that sends a recording's requests. It judges nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "commands.h"
#include "host_usb.h"
#include "replay_wire.h"

#define DFU_GETSTATUS_REQUEST 3

struct known {
	uint16_t vendor, product;
	char serial[RECORDING_SERIAL];
	bool lost; /* nothing is to be sent to it before it has come up again */
};

struct sender {
	struct host_usb *usb;
	FILE *answers;
	struct known boards[RECORDING_BOARDS + 1];
	unsigned open;    /* board; 0: none */
	uint64_t poll_us; /* of the last status */
	uint8_t buffer[UINT16_MAX];
	char why[HOST_USB_WHY];
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static bool open_board(struct sender *s, unsigned board, uint64_t within_us)
{
	const struct known *k = &s->boards[board];

	if (s->open == board && host_usb_is_open(s->usb))
		return true;
	s->open = 0;
	if (!host_usb_open(s->usb, k->vendor, k->product, *k->serial ? k->serial : NULL, within_us, s->why))
		return false;
	s->open = board;
	return true;
}

/* A device that was there before and is not has to leave first. */
static enum host_end arrive(struct sender *s, const struct replay_order *o)
{
	struct known *k = &s->boards[o->board];

	if (!o->first && s->open == o->board && !host_usb_wait_gone(s->usb, o->timeout_us))
		return HOST_LATE;
	*k = (struct known){ .vendor = o->value, .product = o->index };
	if (o->data)
		snprintf(k->serial, sizeof(k->serial), "%s", (char *)o->data);
	if (s->open == o->board) {
		host_usb_close(s->usb);
		s->open = 0;
	}
	return host_usb_wait_there(s->usb, o->value, o->index, o->timeout_us) ? HOST_OK : HOST_GONE;
}

static enum host_end send_order(struct sender *s, const struct replay_order *o, struct replay_answer *a)
{
	uint8_t *data = s->buffer;

	switch (o->kind) {
	case RECORDED_ARRIVAL:
		return arrive(s, o);
	case RECORDED_RESET:
		return host_usb_reset(s->usb);
	case RECORDED_SET_INTERFACE:
		return host_usb_set_interface(s->usb, (uint8_t)o->value);
	case RECORDED_SET_CONFIGURATION:
		return host_usb_set_configuration(s->usb, (uint8_t)o->value);
	case RECORDED_REQUEST:
		break;
	}
	if (o->type & 0x80)
		memset(data, 0, o->length);
	else if (o->length && o->data)
		memcpy(data, o->data, o->length);
	return host_usb_control(s->usb, o->type, o->request, o->value, o->index, data, o->length, o->timeout_us,
				&a->actual);
}

static void remember_poll(struct sender *s, const struct replay_order *o, const struct replay_answer *a)
{
	const uint8_t *b = s->buffer;

	s->poll_us = 0;
	if (o->kind == RECORDED_REQUEST && o->request == DFU_GETSTATUS_REQUEST && a->end == HOST_OK && a->actual == 6)
		s->poll_us = ((uint32_t)b[1] | (uint32_t)b[2] << 8 | (uint32_t)b[3] << 16) * UINT64_C(1000);
}

/* False: no more can be sent. */
static bool do_order(struct sender *s, const struct replay_order *o)
{
	struct replay_answer a = { .number = o->number };
	uint64_t wait_us = o->polled && s->poll_us > o->gap_us ? s->poll_us : o->gap_us;
	bool in = o->kind == RECORDED_REQUEST && o->type & 0x80;

	if (o->kind != RECORDED_ARRIVAL && s->boards[o->board].lost)
		return true;
	if (!host_usb_sleep(s->usb, wait_us))
		return false;
	if (o->kind != RECORDED_ARRIVAL && !open_board(s, o->board, o->timeout_us)) {
		fprintf(stderr, "%s\n", s->why);
		return false;
	}
	a.start_us = now_us();
	a.end = send_order(s, o, &a);
	a.end_us = now_us();
	if (host_usb_signal(s->usb))
		return false;
	remember_poll(s, o, &a);
	if (a.end == HOST_GONE || (o->kind == RECORDED_ARRIVAL && a.end != HOST_OK))
		s->boards[o->board].lost = true;
	if (!in || a.end != HOST_OK)
		a.actual = in || a.end != HOST_OK ? 0 : a.actual;
	if (replay_answer_write(s->answers, &a, in ? s->buffer : NULL))
		return true;
	fprintf(stderr, "answers cannot be written: %s\n", strerror(errno));
	return false;
}

static int send_all(struct sender *s, FILE *orders)
{
	struct replay_order o;
	bool more = true;
	int r = 0;

	while (more && (r = replay_order_read(orders, &o)) > 0) {
		more = do_order(s, &o);
		free(o.data);
	}
	if (r < 0)
		fprintf(stderr, "orders cannot be read: %s\n", strerror(-r));
	return r < 0 || !more ? HIL_FAILED : 0;
}

int replay_host_main(int argc, char **argv)
{
	struct sender *s = calloc(1, sizeof(*s));
	FILE *orders = argc == 3 ? fopen(argv[1], "re") : NULL;
	int status = HIL_USAGE, number;

	if (s && orders)
		s->answers = fopen(argv[2], "we");
	if (!s || !orders || !s->answers) {
		fprintf(stderr, "replay-host: wants a file of orders and one for answers\n");
		goto out;
	}
	s->usb = host_usb_new(s->why);
	if (!s->usb) {
		fprintf(stderr, "%s\n", s->why);
		status = HIL_UNFIT;
		goto out;
	}
	status = send_all(s, orders);
	number = host_usb_signal(s->usb);
	host_usb_free(s->usb);
	if (number)
		status = 128 + number;
out:
	if (orders)
		fclose(orders);
	if (s && s->answers && fclose(s->answers) && !status)
		status = HIL_FAILED;
	free(s);
	return status;
}
