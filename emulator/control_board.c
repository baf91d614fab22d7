// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands: pins, supply and cable of a board; what boards there are, and how they are. */
#include "control_internal.h"
#include <string.h>

/* The commands that move one pin. */
static const struct {
	const char *command;
	enum mcu_pin pin;
	const char *const *levels; /* the word, low before high; NULL: there is none, and it goes to: */
	bool level;
} pin_commands[] = {
	{ "boot0", PIN_BOOT0, (const char *const[]){ "low", "high", NULL }, false },
	{ "boot1", PIN_BOOT1, (const char *const[]){ "low", "high", NULL }, false },
	{ "nrst", PIN_NRST, (const char *const[]){ "low", "high", NULL }, false },
	{ "power", PIN_VDD, call_switches, false },
	{ "unplug", PIN_VBUS, NULL, false },
	{ "plug", PIN_VBUS, NULL, true },
};

enum outcome control_run_pin(struct call *call, int count, char **words)
{
	struct mcu *mcu = call_board(call);
	size_t i = 0;
	int level;

	(void)count;
	while (strcmp(pin_commands[i].command, call->command->name))
		i++;
	level = pin_commands[i].level;
	if (pin_commands[i].levels)
		level = call_choose(call, pin_commands[i].command, words[0], pin_commands[i].levels);
	if (level < 0)
		return REFUSED;
	if (!mcu)
		return FAILED;
	mcu_set_pin(mcu, pin_commands[i].pin, level == 1);
	return DONE;
}

enum outcome control_run_traffic(struct call *call, int count, char **words)
{
	static const char *const names[] = { [BOOT_USART1] = "usart1", [BOOT_USART3] = "usart3", [BOOT_CAN2] = "can2",
					     [BOOT_I2C] = "i2c",       [BOOT_SPI] = "spi",       NULL };
	struct mcu *mcu = call_board(call);
	int i = call_choose(call, "traffic", words[0], names);

	(void)count;
	if (i < 0)
		return REFUSED;
	if (!mcu)
		return FAILED;
	mcu_boot_traffic(mcu, (enum boot_interface)i);
	return DONE;
}

enum outcome control_run_software_entry(struct call *call, int count, char **words)
{
	struct mcu *mcu = call_board(call);

	(void)count, (void)words;
	if (!mcu)
		return FAILED;
	if (mcu_software_entry(mcu))
		return call_fail(call, FAILED, "board %u runs no application that could jump to the bootloader",
				 call->board);
	return DONE;
}

enum outcome control_run_erase_times(struct call *call, int count, char **words)
{
	static const char *const names[] = {
		[DURATION_TYPICAL] = "typical", [DURATION_MAXIMUM] = "maximum", [DURATION_RANDOM] = "random", NULL
	};
	struct mcu *mcu = call_board(call);
	int i = call_choose(call, "erase-times", words[0], names);

	(void)count;
	if (i < 0)
		return REFUSED;
	if (!mcu)
		return FAILED;
	flash_set_durations(mcu_flash(mcu), (enum flash_durations)i);
	return DONE;
}

static void write_pins(struct writer *w, const struct mcu *mcu)
{
	static const struct {
		const char *key;
		enum mcu_pin pin;
	} pins[] = { { "boot0", PIN_BOOT0 },
		     { "boot1", PIN_BOOT1 },
		     { "nrst", PIN_NRST },
		     { "vdd", PIN_VDD },
		     { "vbus", PIN_VBUS } };

	writer_object(w, "pins");
	for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++)
		writer_string(w, pins[i].key, mcu_pin(mcu, pins[i].pin) ? "high" : "low");
	writer_end(w);
}

static void write_board(struct call *call, unsigned number)
{
	struct control *c = call->control;
	struct mcu *mcu = desk_mcu(c->desk, number);
	struct usbdev *device = desk_board_device(c->desk, number);
	const struct flash *flash = mcu_flash(mcu);
	struct writer *w = &call->out;
	struct fault_info info;
	uint64_t erases = 0;
	unsigned faults = 0;

	for (unsigned i = 0; i < flash_sector_count(flash); i++)
		erases += flash_erase_count(flash, i);
	while (fault_list(desk_fault(c->desk, number), faults, &info))
		faults++;
	writer_object(w, NULL);
	writer_number(w, "board", number);
	writer_string(w, "profile", mcu_profile(mcu)->name);
	writer_string(w, "serial", mcu_serial(mcu));
	writer_string(w, "mode", mcu_mode_name(mcu_mode(mcu)));
	if (mcu_mode(mcu) == MCU_ROM) {
		writer_string(w, "state", dfu_state_name(mcu_dfu_state(mcu)));
		writer_string(w, "status", dfu_status_name(mcu_dfu_status(mcu)));
		writer_hex(w, "pointer", mcu_dfu_pointer(mcu));
	}
	writer_bool(w, "attached", device->attached);
	writer_number(w, "address", c->loop->address(c->loop->context, device));
	write_pins(w, mcu);
	writer_number(w, "rdp_level", (uint64_t)flash_rdp(flash));
	writer_bool(w, "flash_busy", flash_is_busy(flash));
	writer_number(w, "erases", erases);
	writer_number(w, "faults", faults);
	control_write_engine(call, number);
	writer_end(w);
}

enum outcome control_run_status(struct call *call, int count, char **words)
{
	(void)count, (void)words;
	writer_number(&call->out, "time_us", bench_now_us(control_bench(call->control)));
	writer_number(&call->out, "events", call->control->events);
	writer_array(&call->out, "boards");
	for (unsigned i = 1; i <= desk_last_board(call->control->desk); i++)
		if (desk_mcu(call->control->desk, i))
			write_board(call, i);
	writer_end(&call->out);
	control_write_gear(call);
	return DONE;
}

enum outcome control_run_boards(struct call *call, int count, char **words)
{
	struct desk *d = call->control->desk;

	(void)count, (void)words;
	writer_array(&call->out, "boards");
	for (unsigned i = 1; i <= desk_last_board(d); i++) {
		if (!desk_mcu(d, i))
			continue;
		writer_object(&call->out, NULL);
		writer_number(&call->out, "board", i);
		writer_string(&call->out, "serial", mcu_serial(desk_mcu(d, i)));
		writer_string(&call->out, "mode", mcu_mode_name(mcu_mode(desk_mcu(d, i))));
		writer_end(&call->out);
	}
	writer_end(&call->out);
	return DONE;
}

enum outcome control_run_time(struct call *call, int count, char **words)
{
	(void)count, (void)words;
	writer_number(&call->out, "time_us", bench_now_us(control_bench(call->control)));
	return DONE;
}

static enum outcome add_board(struct call *call, int count, char **words)
{
	struct control *c = call->control;
	const char *serial = NULL;
	int number, r;

	if (count == 2 && !strcmp(words[0], "--serial"))
		serial = words[1];
	else if (count == 1 && !strncmp(words[0], "--serial=", 9))
		serial = words[0] + 9;
	else if (count)
		return call_fail(call, REFUSED, "board add: expected [--serial HEX12]");
	if (serial && (strlen(serial) != 12 || strspn(serial, "0123456789abcdefABCDEF") != 12))
		return call_fail(call, REFUSED, "serial '%.60s': must be 12 hex digits", serial);
	number = desk_add_board(c->desk, serial, call->why);
	if (number < 0)
		return FAILED;
	r = c->loop->plug(c->loop->context, desk_board_device(c->desk, (unsigned)number));
	if (r) {
		desk_remove_board(c->desk, (unsigned)number);
		return call_fail(call, FAILED, "cannot plug in another board: %s", strerror(-r));
	}
	writer_number(&call->out, "board", (uint64_t)number);
	writer_string(&call->out, "serial", mcu_serial(desk_mcu(c->desk, (unsigned)number)));
	return DONE;
}

static enum outcome remove_board(struct call *call, const char *word)
{
	struct control *c = call->control;
	unsigned number;
	int r;

	if (!call_number(word, &number))
		return call_fail(call, REFUSED, "board remove '%.60s': expected the number of a board", word);
	if (!desk_mcu(c->desk, number))
		return call_fail(call, FAILED, "there is no board %u", number);
	mcu_set_pin(desk_mcu(c->desk, number), PIN_VBUS, false);
	c->loop->unplug(c->loop->context, desk_board_device(c->desk, number));
	r = desk_remove_board(c->desk, number);
	wait_board_gone(c, number);
	return r ? call_fail(call, FAILED, "board %u is gone, its files could not be saved: %s", number, strerror(-r))
		 : DONE;
}

enum outcome control_run_board(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "add", "remove", NULL };
	int i = call_choose(call, "board", words[0], verbs);

	if (i < 0)
		return REFUSED;
	if (i == 0)
		return add_board(call, count - 1, words + 1);
	if (count != 2)
		return call_fail(call, REFUSED, "usage: board remove N");
	return remove_board(call, words[1]);
}
