// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rig of a real board: looking into it, and putting contents there, with a DFU host of the runner's own. That takes the board out of
 * what it does, so what it did is gone back to: the state of the bootloader, or the application, which starts anew.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "rig_board_look.h"

#define POLL_US 10000u
#define ASK_US UINT64_C(1000000)
#define GONE_US UINT64_C(3000000)

static void mute(struct board *b, bool on)
{
	if (b->tap)
		usbmon_tap_mute(b->tap, on);
}

/* Whatever is about to be done to it: it is the one that is meant. */
int look_check_identity(struct board *b, struct host_device *d)
{
	char why[BOARD_USB_WHY];
	int r = board_usb_rom(b->file, d, why);

	if (r)
		return board_fail(b, r, "%s", why);
	if (*b->serial && strcasecmp(b->serial, d->serial))
		return board_fail(b, -EXDEV, "another board: that at port %s has serial number %s, it was %s before",
				  d->port, *d->serial ? d->serial : "(none)", b->serial);
	board_learn(b, d);
	return 0;
}

static int wait_listed(struct board *b, struct host_device *d)
{
	uint64_t end = board_now_us(b) + b->file->listed_us;
	int r;

	for (;;) {
		r = look_check_identity(b, d);
		if (!r && board_is_ready(b, d))
			return 0;
		if (board_now_us(b) >= end)
			break;
		board_pause(b, POLL_US);
	}
	if (r != -ENODEV)
		return r;
	return board_fail(b, -ENODEV,
			  "the bootloader, %04x:%04x, has not come up within %.1f s after a reset with BOOT0 high",
			  b->file->vendor, b->file->product, (double)b->file->listed_us / 1e6);
}

void look_wait_gone(struct board *b, const struct host_device *was, uint64_t limit_us)
{
	uint64_t end = board_now_us(b) + limit_us;
	char why[BOARD_USB_WHY];
	struct host_device d;

	while (board_now_us(b) < end && !board_usb_rom(b->file, &d, why) && d.address == was->address)
		board_pause(b, POLL_US);
}

/* A device that answers to the description while the board is held in reset is another one, or the reset does not reach it: it must
 * not be taken for the board when that comes back. */
static int check_gone(struct board *b)
{
	uint64_t end = board_now_us(b) + GONE_US;
	char why[BOARD_USB_WHY];
	struct host_device d = { 0 };
	int r;

	while ((r = board_usb_rom(b->file, &d, why)) == 0 || r == -ENOTUNIQ) {
		if (board_now_us(b) >= end)
			return board_fail(
				b, -EXDEV,
				"a device that answers to the description, at port %s, is there while the board "
				"is held in reset: it is another one (the rig file must say which, by 'port'), "
				"or the reset does not reach it",
				d.port);
		board_pause(b, POLL_US);
	}
	return 0;
}

/* Into a bootloader that has just started. */
int board_enter(struct board *b, struct host_device *d)
{
	char why[BOARD_USB_WHY];
	struct host_device was;
	int r = 0, there = board_usb_rom(b->file, &was, why);

	/* While ours is in reset only the other one would be there. */
	if (there == -ENOTUNIQ)
		return board_fail(b, there, "%s", why);
	for (enum wire w = WIRE_POWER; w <= WIRE_VBUS && !r; w++)
		if (b->file->wires[w] && !b->high[w])
			r = board_wire(b, w, true);
	if (!r)
		r = board_wire(b, WIRE_BOOT0, true);
	if (!r)
		r = board_wire(b, WIRE_NRST, false);
	if (!r)
		r = check_gone(b);
	if (!r)
		r = board_wire(b, WIRE_NRST, true);
	return r ? r : wait_listed(b, d);
}

int look_client_error(struct board *b, const struct dfu_client *c, int error, const char *what)
{
	return board_fail(b, error, "%s: %s", what, dfu_client_why(c));
}

int look_open_client(struct board *b, struct look *l)
{
	char why[DFU_CLIENT_WHY];

	l->client = dfu_client_open(b->profile, l->device.bus, l->device.address, why);
	return l->client ? 0 : board_fail(b, -EACCES, "%s", why);
}

/* The address that the bootloader works on, as far as usbmon tells. */
static uint32_t pointer_now(struct board *b)
{
	const struct transcript *t = board_transcript(&b->rig);
	uint32_t pointer = b->profile->default_pointer;

	for (size_t i = 0; i < t->count; i++) {
		const struct exchange *x = &t->exchanges[i];

		if ((x->op == OP_SET_ADDRESS || (x->op == OP_ERASE && b->profile->erase_sets_pointer)) && x->has_target)
			pointer = x->target;
	}
	return pointer;
}

/* In dfuIDLE when it returns 0. gently: not at the price of a state that nothing can bring back; then -EAGAIN. */
int look_begin(struct board *b, struct look *l, bool gently)
{
	char why[BOARD_USB_WHY];
	struct host_device app;
	enum dfu_status status = DFU_OK;
	int r;

	*l = (struct look){ .in_reset = b->in_reset, .left = b->left };
	memcpy(l->high, b->high, sizeof(l->high));
	if (!(b->ops.can & RIG_PINS))
		return board_fail(b, -EOPNOTSUPP, "the rig switches no pins");
	l->pointer = pointer_now(b);
	b->looking = true;
	mute(b, true);
	if (!b->stuck && !board_usb_rom(b->file, &l->device, why) && l->device.configured) {
		r = look_check_identity(b, &l->device);
		if (!r)
			r = look_open_client(b, l);
		if (!r)
			r = dfu_client_state(l->client, &l->state, b->touched ? BUSY_US : ASK_US);
		if (!r && (l->state == DFU_IDLE || l->state == DFU_DNLOAD_IDLE || l->state == DFU_UPLOAD_IDLE ||
			   l->state == DFU_ERROR)) {
			r = dfu_client_status(l->client, &l->state, &status);
			l->doing = l->state == DFU_ERROR && status == DFU_ERR_FIRMWARE ? DOES_FRESH_DFU : DOES_DFU;
			if (!r)
				r = dfu_client_idle(l->client);
			if (!r)
				return 0;
		} else if (!r && gently) {
			r = board_fail(b, -EAGAIN, "the bootloader is in %s: looking at the flash would disturb it",
				       dfu_state_name(l->state));
		} else if (r == -ETIMEDOUT) {
			b->stuck = true;
			r = look_client_error(b, l->client, gently ? -EAGAIN : r, "the bootloader does not answer");
		}
		dfu_client_close(l->client);
		l->client = NULL;
		/* One that leaves goes in the middle; of others that cannot be brought back, a reset is the nearest. */
		l->doing = r == -ENODEV ? DOES_OTHER : DOES_FRESH_DFU;
		if (r == -EAGAIN || r == -EXDEV || r == -EINTR)
			l->doing = DOES_NOTHING_NEW;
		if (l->doing == DOES_NOTHING_NEW)
			return r;
	} else if (b->stuck && gently) {
		l->doing = DOES_NOTHING_NEW;
		return board_fail(b, -EAGAIN, "the bootloader does not answer since it was asked last");
	}
	l->app_listed = !board_usb_application(b->file, *b->port ? b->port : NULL, &app);
	/* A bootloader that can be seen, and is not, has started something. */
	if (l->doing == DOES_OTHER && (!b->file->wires[WIRE_VBUS] || b->high[WIRE_VBUS]) && !b->in_reset)
		l->left |= b->booted_rom;
	r = board_enter(b, &l->device);
	if (!r)
		r = look_open_client(b, l);
	if (!r && (r = dfu_client_idle(l->client)))
		look_client_error(b, l->client, r, "the bootloader");
	return r;
}

static uint32_t word_at(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Its first words are a stack pointer and a reset vector, as far as that can be told: what has none is not waited for. */
bool look_may_start(const struct board *b)
{
	const struct mcu_profile *p = b->profile;
	uint32_t stack, start;
	bool in_ram, in_flash;

	if (!b->flash_known)
		return true;
	stack = word_at(b->flash);
	start = word_at(b->flash + 4) - 1;
	if (p->vector_rule == VECTOR_CODE)
		return stack != 0xffffffff;
	in_ram = start >= p->ram_base && start - p->ram_base < p->ram_size_bytes;
	in_flash = start >= p->flash_base && start - p->flash_base < p->flash_size_bytes;
	return ((stack > p->ram_base && stack - p->ram_base <= p->ram_size_bytes) ||
		(stack > p->stack_ram_base && stack - p->stack_ram_base <= p->stack_ram_size_bytes)) &&
	       start % 2 == 0 && (in_ram || in_flash);
}

static int back_to_levels(struct board *b, const struct look *l)
{
	int r = board_wire(b, WIRE_BOOT0, l->high[WIRE_BOOT0]);

	for (enum wire w = WIRE_POWER; w <= WIRE_VBUS; w++)
		if (!r && b->file->wires[w] && b->high[w] != l->high[w])
			r = board_wire(b, w, l->high[w]);
	return r;
}

/* Back into the bootloader, as after a reset. */
static int back_to_fresh(struct board *b, struct look *l)
{
	int r = board_enter(b, &l->device);

	return r ? r : back_to_levels(b, l);
}

static int back_to_other(struct board *b, struct look *l)
{
	uint64_t end = board_now_us(b) + b->file->listed_us;
	struct host_device app;
	int r = board_wire(b, WIRE_BOOT0, l->high[WIRE_BOOT0]);

	if (r)
		return r;
	if (l->in_reset)
		return board_wire(b, WIRE_NRST, false);
	/* What a tool has had started while BOOT0 is high, no reset starts. */
	if (l->left && l->high[WIRE_BOOT0] && l->client && !dfu_client_leave(l->client, b->profile->flash_base)) {
		b->left = true;
	} else {
		dfu_client_close(l->client);
		l->client = NULL;
		r = board_reset(b);
	}
	look_wait_gone(b, &l->device, GONE_US);
	while (!r && l->app_listed && look_may_start(b) && board_now_us(b) < end &&
	       (board_usb_application(b->file, *b->port ? b->port : NULL, &app) || !app.configured))
		board_pause(b, POLL_US);
	return r ? r : back_to_levels(b, l);
}

/* error: of what was done, which is what is told. */
int look_end(struct board *b, struct look *l, int error)
{
	char why[RIG_WHY];
	int r = 0;

	snprintf(why, sizeof(why), "%s", b->why);
	if (l->client && l->doing == DOES_DFU) {
		r = dfu_client_restore(l->client, l->state, l->pointer);
		if (r && r != -EACCES)
			look_client_error(b, l->client, r, "the bootloader cannot be brought back to its state");
		else
			r = 0; /* read protected: it has no pointer to give back */
	}
	if (l->doing != DOES_OTHER || error == -EXDEV) {
		dfu_client_close(l->client);
		l->client = NULL;
	}
	if (l->doing == DOES_FRESH_DFU)
		r = back_to_fresh(b, l);
	else if (l->doing == DOES_OTHER && error != -EXDEV)
		r = back_to_other(b, l);
	dfu_client_close(l->client);
	mute(b, false);
	b->looking = false;
	if (error)
		snprintf(b->why, sizeof(b->why), "%s", why);
	return error ? error : r;
}

/* --- reading --- */

int look_read_all(struct board *b, struct look *l)
{
	int r = dfu_client_read(l->client, b->profile->flash_base, b->flash, b->profile->flash_size_bytes);

	b->flash_known = !r;
	if (r == -EACCES || r == -EPIPE) /* an upload that is refused is stalled */
		dfu_client_idle(l->client);
	return r ? look_client_error(b, l->client, r, "the flash cannot be read") : 0;
}

/* The level that cannot be read is known by that. */
int look_read_options(struct board *b, struct look *l)
{
	size_t at = 0;
	int r = 0;

	for (unsigned i = 0; i < 2 && b->profile->option_banks[i].size_bytes && !r; i++) {
		r = dfu_client_read(l->client, b->profile->option_banks[i].base, b->options + at,
				    b->profile->option_banks[i].size_bytes);
		at += b->profile->option_banks[i].size_bytes;
	}
	if (r == -EACCES) {
		dfu_client_idle(l->client);
		b->rdp = RDP_LEVEL_1;
		b->options_known = true;
		option_bytes_make(b->profile, b->profile->option_factory, b->options);
		b->options[b->profile->rdp_offset] = 0x55;
		option_bytes_make(b->profile, b->options, b->options);
		return 0;
	}
	b->options_known = !r;
	if (!r)
		b->rdp = option_bytes_level(b->profile, b->options);
	return r ? look_client_error(b, l->client, r, "the option bytes cannot be read") : 0;
}

int look_refresh(struct board *b, bool gently)
{
	struct look l;
	int r;

	if (b->options_known && (b->flash_known || b->rdp != RDP_LEVEL_0))
		return 0;
	r = look_begin(b, &l, gently);
	if (!r)
		r = look_read_options(b, &l);
	if (!r && b->rdp == RDP_LEVEL_0)
		r = look_read_all(b, &l);
	return look_end(b, &l, r);
}

int board_peek(struct rig *rig, unsigned board)
{
	return board == 1 ? look_refresh(board_of(rig), true) : -ENOENT;
}

int board_flash_read(struct rig *rig, unsigned board, uint32_t address, uint8_t *data, size_t length)
{
	struct board *b = board_of(rig);
	uint32_t base = b->profile->flash_base;
	int r;

	if (board != 1)
		return -ENOENT;
	if (address < base || address - base > b->profile->flash_size_bytes ||
	    length > b->profile->flash_size_bytes - (address - base))
		return board_fail(b, -EFAULT, "it is not within the flash");
	r = look_refresh(b, false);
	if (!r && !b->flash_known)
		r = board_fail(b, -EACCES, "the board is read protected: its flash cannot be looked at");
	if (!r)
		memcpy(data, b->flash + (address - base), length);
	return r;
}

int board_options_read(struct rig *rig, unsigned board, uint8_t bytes[OPTION_MAX_BYTES])
{
	struct board *b = board_of(rig);
	int r = board == 1 ? look_refresh(b, false) : -ENOENT;

	/* What is there without the flash is enough here. */
	if (r && b->options_known)
		r = 0;
	if (!r)
		memcpy(bytes, b->options, option_bytes_size(b->profile));
	return r;
}

/* --- what it does --- */

int board_status(struct rig *rig, unsigned board, struct rig_status *status)
{
	struct board *b = board_of(rig);
	struct dfu_client *c = NULL;
	char why[DFU_CLIENT_WHY];
	struct host_device d;
	int r;

	if (board != 1)
		return -ENOENT;
	*status = (struct rig_status){ .serial = b->serial, .rdp = b->rdp, .cause = RESET_PIN };
	if (b->file->wires[WIRE_POWER] && !b->high[WIRE_POWER]) {
		status->mode = MCU_OFF;
		return 0;
	}
	if (b->in_reset) {
		status->mode = MCU_IN_RESET;
		return 0;
	}
	if (!board_usb_rom(b->file, &d, why)) {
		status->mode = MCU_ROM;
		board_learn(b, &d);
		if (b->stuck)
			return 0;
		mute(b, true);
		c = dfu_client_open(b->profile, d.bus, d.address, why);
		r = c ? dfu_client_state(c, &status->state, b->touched ? BUSY_US : ASK_US) : -EACCES;
		b->stuck |= r == -ETIMEDOUT;
		if (!r && (status->state == DFU_IDLE || status->state == DFU_DNLOAD_IDLE ||
			   status->state == DFU_UPLOAD_IDLE || status->state == DFU_ERROR))
			dfu_client_status(c, &status->state, &status->status);
		dfu_client_close(c);
		mute(b, false);
		return 0;
	}
	/* Without a device nobody knows; what BOOT0 was, and whether an application was to be seen, says most. */
	if (!board_usb_application(b->file, *b->port ? b->port : NULL, &d))
		status->mode = MCU_APPLICATION;
	else if (b->booted_rom && !b->left)
		status->mode = MCU_ROM_STARTING;
	else
		status->mode = b->file->app_vendor || b->file->app_product ? MCU_LOCKUP : MCU_APPLICATION;
	return 0;
}
