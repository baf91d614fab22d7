/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket: lines, commands, several clients, and clients that behave badly. No real time passes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"
#include "exec.h"
#include "options.h"

#define ANSWER_BYTES (512 * 1024)

struct bed {
	struct options options;
	struct say say;
	struct desk *desk;
	struct control_loop loop;
	struct control *control;
	void (*ready)(void *, int);
	void *ready_context;
	int fd; /* the control's */
	unsigned syncs, plugs, unplugs;
	int client;
	char folder[32];
	char answer[ANSWER_BYTES];
};

static int control_watch(void *context, int fd, void (*ready)(void *, int), void *ready_context)
{
	struct bed *bed = context;

	bed->fd = fd;
	bed->ready = ready;
	bed->ready_context = ready_context;
	return 0;
}

static void control_sync(void *context)
{
	struct bed *bed = context;

	bed->syncs++;
}

static int control_plug(void *context, struct usbdev *device)
{
	struct bed *bed = context;

	assert_non_null(device);
	bed->plugs++;
	return 0;
}

static void control_unplug(void *context, struct usbdev *device)
{
	struct bed *bed = context;

	assert_non_null(device);
	bed->unplugs++;
}

static unsigned control_address(void *context, struct usbdev *device)
{
	(void)context, (void)device;
	return 7;
}

static int connect_client(struct bed *bed)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(control_adopt(bed->control, pair[0]), 0);
	return pair[1];
}

static int setup(void **state)
{
	static char *const argv[] = { "exec", "-q", NULL };
	struct bed *bed = calloc(1, sizeof(*bed));
	char why[OPTIONS_WHY];

	assert_non_null(bed);
	assert_int_equal(options_parse(&bed->options, &exec_options, 2, (char **)argv, why), 0);
	bed->say = (struct say){ .stream = stderr, .level = -1 };
	bed->desk = desk_new(&bed->options, &bed->say);
	assert_non_null(bed->desk);
	bed->loop = (struct control_loop){ control_watch,   control_sync, control_plug, control_unplug,
					   control_address, bed,          false };
	bed->control = control_new(bed->desk, &bed->loop, NULL, why);
	assert_non_null(bed->control);
	desk_power_up(bed->desk);
	bed->client = connect_client(bed);
	strcpy(bed->folder, "/tmp/test_control-XXXXXX");
	assert_non_null(mkdtemp(bed->folder));
	*state = bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	control_free(bed->control);
	control_free(NULL);
	desk_free(bed->desk);
	options_free(&bed->options);
	if (bed->client >= 0)
		close(bed->client);
	rmdir(bed->folder);
	free(bed);
	return 0;
}

static void turn(struct bed *bed)
{
	for (unsigned i = 0; i < 8; i++)
		bed->ready(bed->ready_context, bed->fd);
}

/* All that has come back so far. */
static const char *hear(struct bed *bed, int client)
{
	size_t used = 0;
	ssize_t n;

	turn(bed);
	while (used + 1 < sizeof(bed->answer) &&
	       (n = recv(client, bed->answer + used, sizeof(bed->answer) - 1 - used, MSG_DONTWAIT)) > 0) {
		used += (size_t)n;
		turn(bed);
	}
	bed->answer[used] = 0;
	return bed->answer;
}

static const char *tell(struct bed *bed, const char *line)
{
	assert_int_equal(send(bed->client, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	return hear(bed, bed->client);
}

static void advance(struct bed *bed, uint64_t us)
{
	bench_advance(desk_bench(bed->desk), bench_now_us(desk_bench(bed->desk)) + us);
}

static bool is_over(int client)
{
	char byte;

	return recv(client, &byte, 1, MSG_DONTWAIT) == 0;
}

static void lines_split_into_words(void **state)
{
	static const struct {
		const char *give;
		int want;
		const char *words[4];
	} rows[] = {
		{ "", 0, { 0 } },
		{ " \t\r", 0, { 0 } },
		{ "status", 1, { "status" } },
		{ "  flash  load\tx.bin\r", 3, { "flash", "load", "x.bin" } },
		{ "load \"a b\"c \\\"d\\ e", 3, { "load", "a bc", "\"d e" } },
		{ "\"\" x", 2, { "", "x" } },
		{ "\"a\\\"b\\\\\"", 1, { "a\"b\\" } },
		{ "open \"quote", -1, { 0 } },
		{ "end\\", -1, { 0 } },
		{ "1 2 3 4 5", -1, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[64], *words[4];

		strcpy(line, rows[i].give);
		assert_int_equal(control_split(line, words, 4), rows[i].want);
		for (int w = 0; w < rows[i].want; w++)
			assert_string_equal(words[w], rows[i].words[w]);
	}
}

static void commands_are_answered(void **state)
{
	static const struct {
		const char *give, *want;
	} rows[] = {
		{ "boot0 low\n", "ok\n" },
		{ "boot1 high\n", "ok\n" },
		{ "boot1 low\n", "ok\n" },
		{ "\n\n  \n", "" },
		{ "unplug\n", "ok\n" },
		{ "wait detached\n", "  already: yes\nok\n" },
		{ "plug\n", "ok\n" },
		{ "wait attached 5s\n", "  already: yes\nok\n" },
		{ "wait booted bootloader\n", "  already: yes\nok\n" },
		{ "wait state dfuerror\n", "  already: yes\nok\n" },
		{ "power off\npower on\n", "ok\nok\n" },
		{ "nrst low\nwait detached\nnrst high\n", "ok\n  already: yes\nok\nok\n" },
		{ "traffic can2\n", "ok\n" },
		{ "erase-times maximum\n", "ok\n" },
		{ "erase-times maximal\n",
		  "refused: erase-times 'maximal': expected typical, maximum, random, did you mean 'maximum'?\n" },
		{ "software-entry\n", "error: board 1 runs no application that could jump to the bootloader\n" },
		{ "wait requests 0\n", "refused: wait requests '0': expected how many, as 3\n" },
		{ "wait requests 3 5s\n", "error: wait requests: nobody counts them without a capture (--capture)\n" },
		{ "options show\n", "  options: " },
		{ "options set 00\n", "refused: options '00': expected 32 hex digits\n" },
		{ "fault add stall on=dnload,block=2\n", "  fault: 1\n  rule: stall on=dnload,block=2\nok\n" },
		{ "fault list\n", "  faults:\n    - fault: 1\n      rule: stall on=dnload,block=2\n      matches: 0\n  "
				  "    fired: 0\nok\n" },
		{ "fault remove 2\n", "error: board 1 has no fault 2\n" },
		{ "fault remove 1\nfault clear\nfault list\n", "ok\nok\n  faults:\nok\n" },
		{ "fault add stal\n", "refused: fault rule: column 1: 'stal': expected an action (" },
		{ "fault\n", "refused: usage: fault add RULE | list | remove N | clear\n" },
		{ "fault add\n", "refused: usage: fault add RULE | list | remove N | clear\n" },
		{ "boards\n", "  boards:\n    - board: 1\n      serial: 326237753036\n      mode: lockup\nok\n" },
		{ "boot0 hihg\n", "refused: boot0 'hihg': expected low, high, did you mean 'high'?\n" },
		{ "stauts\n", "refused: unknown command 'stauts' (did you mean 'status'?)\n" },
		{ "xyzzy\n", "refused: unknown command 'xyzzy': try help\n" },
		{ "unplug now\n", "refused: usage: unplug\n" },
		{ "reset 50\n", "refused: reset '50': expected a time with its unit, as 50ms\n" },
		{ "board 2 unplug\n", "error: there is no board 2\n" },
		{ "board 2\n", "refused: a command is missing after 'board 2'\n" },
		{ "board 1 boot0 high\n", "ok\n" },
		{ "at soon unplug\n", "refused: at 'soon': expected a time with its unit, as 1.5s\n" },
		{ "at 1s\n", "refused: a command is missing after 'at 1s'\n" },
		{ "in 1s events\n", "refused: 'events' cannot be put off\n" },
		{ "in 1s unplgu\n", "refused: unknown command 'unplgu' (did you mean 'unplug'?)\n" },
		{ "in 1s in 1s unplug\n", "refused: 'in' cannot be put off\n" },
		{ "wait booted bootlader\n", "refused: wait 'bootlader': expected bootloader-starting, bootloader, " },
		{ "wait erased application\n", "refused: wait erased takes no 'application'\n" },
		{ "wait listed\n", "refused: wait listed: no host here tells what it lists; expected attached\n" },
		{ "flash load /nonexistent/file\n",
		  "error: cannot open '/nonexistent/file': No such file or directory\n" },
		{ "flash load /dev/zero\n", "error: '/dev/zero' is no regular file\n" },
		{ "flash save x 0x07000000\n", "error: address 0x07000000 is not in the flash\n" },
		{ "flash save x y\n", "refused: address 'y': expected a number, as 0x08004000\n" },
		{ "open \"quote\n",
		  "refused: a quote is open at the end of the line, or there are more than 64 words\n" },
		{ "json on\n", "{\"ok\":true,\"result\":{}}\n" },
		{ "board 9 plug\n", "{\"ok\":false,\"refused\":false,\"error\":\"there is no board 9\"}\n" },
		{ "a\"\\\"\\\\\"\n",
		  "{\"ok\":false,\"refused\":true,\"error\":\"unknown command 'a\\\"\\\\': try help\"}\n" },
		{ "json off\n", "ok\n" },
	};
	struct bed *bed = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = tell(bed, rows[i].give);
		size_t length = strlen(rows[i].want);

		/* A want without newline is a beginning. */
		if (length && rows[i].want[length - 1] != '\n' ? strncmp(got, rows[i].want, length)
							       : strcmp(got, rows[i].want))
			fail_msg("'%s' is answered '%s'", rows[i].give, got);
	}
}

static void reset_is_done_when_nrst_is_high_again(void **state)
{
	struct bed *bed = *state;

	tell(bed, "boot0 low\n");
	assert_string_equal(tell(bed, "reset 30ms\ntime\n"), "");
	assert_int_equal(mcu_mode(desk_mcu(bed->desk, 1)), MCU_IN_RESET);
	advance(bed, 29999);
	assert_string_equal(hear(bed, bed->client), "");
	advance(bed, 1);
	assert_string_equal(hear(bed, bed->client), "ok\n  time_us: 3030000\nok\n");
	assert_int_equal(mcu_mode(desk_mcu(bed->desk, 1)), MCU_LOCKUP);
}

static void nrst_goes_up_also_without_its_client(void **state)
{
	struct bed *bed = *state;

	tell(bed, "reset 30ms\n");
	close(bed->client);
	bed->client = -1;
	turn(bed);
	advance(bed, 2000000);
	assert_int_equal(mcu_mode(desk_mcu(bed->desk, 1)), MCU_ROM);
}

static void commands_happen_at_their_time(void **state)
{
	struct bed *bed = *state;
	int other = connect_client(bed);

	assert_string_equal(tell(bed, "in 200ms unplug\nplug\n"), "");
	assert_int_equal(send(other, "at 3.1s board 1 boot1 high\n", 27, 0), 27);
	assert_string_equal(hear(bed, other), "");
	advance(bed, 100000);
	assert_string_equal(hear(bed, other), "ok\n");
	assert_true(mcu_pin(desk_mcu(bed->desk, 1), PIN_BOOT1));
	advance(bed, 99999);
	assert_true(mcu_pin(desk_mcu(bed->desk, 1), PIN_VBUS));
	assert_string_equal(hear(bed, bed->client), "");
	advance(bed, 1);
	assert_string_equal(hear(bed, bed->client), "ok\nok\n");
	/* What is past is now. */
	assert_string_equal(tell(bed, "at 1s unplug\n"), "ok\n");
	close(other);
}

static void hanging_up_takes_a_command_back(void **state)
{
	struct bed *bed = *state;

	tell(bed, "in 200ms unplug\n");
	close(bed->client);
	bed->client = -1;
	turn(bed);
	advance(bed, 1000000);
	assert_true(mcu_pin(desk_mcu(bed->desk, 1), PIN_VBUS));
}

static void a_command_is_obeyed_though_its_client_has_gone(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(send(bed->client, "unplug\nboot0 l", 14, 0), 14);
	close(bed->client);
	bed->client = -1;
	turn(bed);
	assert_false(mcu_pin(desk_mcu(bed->desk, 1), PIN_VBUS));
	assert_true(mcu_pin(desk_mcu(bed->desk, 1), PIN_BOOT0));
}

static void answers_reach_a_client_that_has_said_all(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(send(bed->client, "in 10ms time\n", 13, 0), 13);
	shutdown(bed->client, SHUT_WR);
	assert_string_equal(hear(bed, bed->client), "");
	advance(bed, 10000);
	assert_string_equal(hear(bed, bed->client), "  time_us: 3010000\nok\n");
	assert_true(is_over(bed->client));
}

static void wait_returns_when_it_happens_or_time_is_over(void **state)
{
	struct bed *bed = *state;
	int other = connect_client(bed);

	assert_int_equal(send(other, "wait booted bootloader-starting\n", 32, 0), 32);
	assert_string_equal(hear(bed, other), "");
	assert_string_equal(tell(bed, "wait reset software 10ms\n"), "");
	advance(bed, 10000);
	assert_string_equal(hear(bed, bed->client), "error: time is over without 'reset software' of board 1\n");
	tell(bed, "reset\n");
	advance(bed, 60000);
	assert_string_equal(hear(bed, bed->client), "ok\n");
	assert_string_equal(hear(bed, other), "  event: 3.060000 board 1: now bootloader-starting\nok\n");
	assert_string_equal(tell(bed, "json on\nwait attached\n"), "{\"ok\":true,\"result\":{}}\n");
	advance(bed, 1000000);
	assert_string_equal(hear(bed, bed->client),
			    "{\"ok\":true,\"result\":{\"event\":\"attached\",\"at_us\":3150000,\"board\":1}}\n");
	close(other);
}

static void events_are_streamed(void **state)
{
	struct bed *bed = *state;
	int other = connect_client(bed);

	assert_string_equal(tell(bed, "events\n"), "  listening\n");
	assert_int_equal(send(other, "json on\nevents\n", 15, 0), 15);
	assert_string_equal(hear(bed, other),
			    "{\"ok\":true,\"result\":{}}\n{\"event\":\"listening\",\"at_us\":3000000,\"events\":8}\n");
	mcu_set_pin(desk_mcu(bed->desk, 1), PIN_VBUS, false);
	assert_string_equal(hear(bed, bed->client), "  3.000000 board 1: VBUS low\n  3.000000 board 1: detached\n");
	assert_string_equal(hear(bed, other),
			    "{\"event\":\"pin\",\"at_us\":3000000,\"board\":1,\"pin\":\"VBUS\",\"high\":false}\n"
			    "{\"event\":\"detached\",\"at_us\":3000000,\"board\":1}\n");
	close(other);
}

static void a_slow_reader_is_hung_up_on(void **state)
{
	struct bed *bed = *state;
	struct mcu *mcu = desk_mcu(bed->desk, 1);
	int other = connect_client(bed);
	const char *heard;
	size_t length;

	tell(bed, "events\n");
	for (unsigned i = 0; i < 40000; i++)
		mcu_set_pin(mcu, PIN_BOOT1, i % 2 == 0);
	heard = hear(bed, bed->client);
	length = strlen(heard);
	assert_true(length < 40000u * 20);
	assert_true(is_over(bed->client));
	assert_int_equal(send(other, "time\n", 5, 0), 5);
	assert_string_equal(hear(bed, other), "  time_us: 3000000\nok\n");
	close(other);
}

static void what_a_reader_takes_late_is_whole(void **state)
{
	struct bed *bed = *state;
	const char *heard;
	unsigned lines = 0;
	int small = 4096;

	setsockopt(bed->client, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(send(bed->client, "help\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\ntime\n", 45, 0), 45);
	turn(bed);
	heard = hear(bed, bed->client);
	assert_non_null(strstr(heard, "  time_us: 3000000\nok\n"));
	for (; (heard = strstr(heard, "ok\n")); heard += 3)
		lines++;
	assert_int_equal(lines, 9);
}

static void oversized_lines_are_refused(void **state)
{
	struct bed *bed = *state;
	static char line[CONTROL_LINE + 1];

	memset(line, 'x', sizeof(line));
	assert_int_equal(send(bed->client, line, sizeof(line), 0), (ssize_t)sizeof(line));
	assert_string_equal(hear(bed, bed->client), "refused: the line is too long\n");
	turn(bed);
	assert_int_equal(recv(bed->client, line, 1, MSG_DONTWAIT) > 0, 0);
}

static void a_nul_in_a_line_is_refused(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(send(bed->client, "time\0 x\ntime\n", 13, 0), 13);
	assert_string_equal(hear(bed, bed->client), "refused: there is a NUL in the line\n  time_us: 3000000\nok\n");
}

static void quit_ends_the_connection(void **state)
{
	struct bed *bed = *state;

	assert_string_equal(tell(bed, "quit\n"), "ok\n");
	assert_true(is_over(bed->client));
}

static void there_is_a_limit_to_clients(void **state)
{
	struct bed *bed = *state;
	int pair[2], clients[CONTROL_CLIENTS];

	for (unsigned i = 1; i < CONTROL_CLIENTS; i++) {
		clients[i] = connect_client(bed);
		assert_int_equal(send(clients[i], "wait erased\n", 12, 0), 12);
	}
	assert_string_equal(tell(bed, "wait erased\n"), "");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(control_adopt(bed->control, pair[0]), -EUSERS);
	assert_string_equal(hear(bed, pair[1]), "error: too many connections\n");
	close(pair[1]);
	close(clients[1]);
	turn(bed);
	clients[1] = connect_client(bed);
	for (unsigned i = 1; i < CONTROL_CLIENTS; i++)
		close(clients[i]);
}

static void the_quietest_client_goes_for_one_more(void **state)
{
	struct bed *bed = *state;
	int clients[CONTROL_CLIENTS];

	for (unsigned i = 1; i < CONTROL_CLIENTS; i++)
		clients[i] = connect_client(bed);
	assert_int_equal(send(clients[1], "wait erased\n", 12, 0), 12);
	assert_non_null(strstr(tell(bed, "time\n"), "ok\n"));
	clients[0] = connect_client(bed);
	assert_int_equal(send(clients[0], "time\n", 5, 0), 5);
	assert_non_null(strstr(hear(bed, clients[0]), "ok\n"));
	/* The first waits, the bed's has just spoken. */
	assert_false(is_over(clients[1]));
	assert_true(is_over(clients[2]));
	assert_false(is_over(clients[3]));
	assert_non_null(strstr(tell(bed, "time\n"), "ok\n"));
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		close(clients[i]);
}

static void boards_come_and_go(void **state)
{
	struct bed *bed = *state;

	assert_string_equal(tell(bed, "board add --serial 206737645746\n"), "  board: 2\n  serial: 206737645746\nok\n");
	assert_int_equal(bed->plugs, 1);
	assert_string_equal(tell(bed, "board 2 wait attached 100s\n"), "");
	advance(bed, 1000000);
	assert_non_null(strstr(hear(bed, bed->client), "board 2: attached\nok\n"));
	assert_string_equal(tell(bed, "board 2 wait erased\n"), "");
	{
		int other = connect_client(bed);

		assert_int_equal(send(other, "board remove 2\nboards\n", 22, 0), 22);
		assert_string_equal(hear(bed, other), "ok\n  boards:\n    - board: 1\n      serial: 326237753036\n"
						      "      mode: bootloader\nok\n");
		close(other);
	}
	assert_int_equal(bed->unplugs, 1);
	advance(bed, 1);
	assert_string_equal(hear(bed, bed->client), "error: the board is gone\n");
	assert_string_equal(tell(bed, "board remove 2\n"), "error: there is no board 2\n");
	assert_string_equal(tell(bed, "board add --serial 2067\n"), "refused: serial '2067': must be 12 hex digits\n");
	assert_string_equal(tell(bed, "board add\n"), "  board: 3\n  serial: 326237773036\nok\n");
	assert_string_equal(tell(bed, "board add now\n"), "refused: board add: expected [--serial HEX12]\n");
	assert_string_equal(tell(bed, "board remove 1\nunplug\n"), "ok\nerror: there is no board 1\n");
}

static void numbers_of_boards_are_used_again_at_last(void **state)
{
	struct bed *bed = *state;
	char limit[64];

	snprintf(limit, sizeof(limit), "error: no more than %d boards\n", PRIVATE_BUS_PORTS);
	for (unsigned i = 2; i <= PRIVATE_BUS_PORTS; i++)
		assert_non_null(strstr(tell(bed, "board add\n"), "ok\n"));
	assert_string_equal(tell(bed, "board add\n"), limit);
	assert_string_equal(tell(bed, "board remove 4\n"), "ok\n");
	assert_string_equal(tell(bed, "board add\n"), "  board: 4\n  serial: 326237783036\nok\n");
}

static void flash_and_options_go_through_files(void **state)
{
	struct bed *bed = *state;
	char line[256], path[64], bytes[20] = "0123456789", back[16];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/a b", bed->folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, bytes, 10), 10);
	close(fd);
	snprintf(line, sizeof(line), "flash load \"%s\" 0x08004000\n", path);
	assert_string_equal(tell(bed, line), "  bytes: 10\nok\n");
	assert_int_equal(flash_read(mcu_flash(desk_mcu(bed->desk, 1)), 0x08004000, (uint8_t *)back, 10), 0);
	assert_memory_equal(back, bytes, 10);
	snprintf(line, sizeof(line), "flash save \"%s\" 0x080FFFFC\n", path);
	assert_string_equal(tell(bed, line), "  bytes: 4\nok\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4);
	snprintf(line, sizeof(line), "options load \"%s\"\n", path);
	assert_non_null(strstr(tell(bed, line), "has 4 bytes, option bytes are 16\n"));
	snprintf(line, sizeof(line), "options save \"%s\"\noptions load \"%s\"\n", path, path);
	assert_string_equal(tell(bed, line), "ok\nok\n");
	assert_string_equal(tell(bed, "options set ef55105aef55105a7fff00807fff0080\noptions show\n"),
			    "ok\n  options: ef55105aef55105a7fff00807fff0080\nok\n");
	assert_string_equal(tell(bed, "json on\nstatus\n") ? strstr(bed->answer, "\"rdp_level\":1") ? "1" : "0" : "",
			    "1");
	unlink(path);
}

static void status_tells_all_of_a_board(void **state)
{
	struct bed *bed = *state;

	assert_string_equal(
		tell(bed, "status\n"),
		"  time_us: 3000000\n  events: 8\n  boards:\n    - board: 1\n      profile: f407-v3.1\n      serial: "
		"326237753036\n"
		"      mode: bootloader\n      state: dfuERROR\n      status: errFIRMWARE\n      pointer: 0x08000000\n"
		"      attached: yes\n      address: 7\n      pins:\n        boot0: high\n        boot1: low\n"
		"        nrst: high\n        vdd: high\n        vbus: high\n      rdp_level: 0\n      flash_busy: no\n"
		"      erases: 0\n      faults: 0\nok\n");
}

/* The socket file. */

static void the_socket_is_ours_alone_and_goes_with_us(void **state)
{
	struct bed *bed = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[64], why[CONTROL_WHY];
	struct control *control;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/socket", bed->folder);
	strcpy(address.sun_path, path);
	control_free(bed->control);
	bed->control = control_new(bed->desk, &bed->loop, path, why);
	assert_non_null(bed->control);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	/* Somebody listens. */
	control = control_new(bed->desk, &bed->loop, path, why);
	assert_null(control);
	assert_non_null(strstr(why, "somebody listens there already"));
	control_free(bed->control);
	bed->control = NULL;
	assert_int_equal(stat(path, &st), -1);
	/* A stale one gives way. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	bed->control = control_new(bed->desk, &bed->loop, path, why);
	assert_non_null(bed->control);
	control_free(bed->control);
	bed->control = NULL;
	/* Other files do not. */
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_null(control_new(bed->desk, &bed->loop, path, why));
	assert_non_null(strstr(why, "there is something else of that name"));
	assert_int_equal(stat(path, &st), 0);
	unlink(path);
	assert_null(control_new(bed->desk, &bed->loop, "", why));
	memset(why, 'x', 200);
	why[200] = 0;
	{
		char longest[201];

		memcpy(longest, why, sizeof(longest));
		assert_null(control_new(bed->desk, &bed->loop, longest, why));
		assert_non_null(strstr(why, "must have 1 to 107 bytes"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_split_into_words),
		cmocka_unit_test_setup_teardown(commands_are_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_is_done_when_nrst_is_high_again, setup, teardown),
		cmocka_unit_test_setup_teardown(nrst_goes_up_also_without_its_client, setup, teardown),
		cmocka_unit_test_setup_teardown(commands_happen_at_their_time, setup, teardown),
		cmocka_unit_test_setup_teardown(hanging_up_takes_a_command_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_command_is_obeyed_though_its_client_has_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_reach_a_client_that_has_said_all, setup, teardown),
		cmocka_unit_test_setup_teardown(wait_returns_when_it_happens_or_time_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(events_are_streamed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_reader_is_hung_up_on, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_reader_takes_late_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(oversized_lines_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_nul_in_a_line_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(quit_ends_the_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(there_is_a_limit_to_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(the_quietest_client_goes_for_one_more, setup, teardown),
		cmocka_unit_test_setup_teardown(boards_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_of_boards_are_used_again_at_last, setup, teardown),
		cmocka_unit_test_setup_teardown(flash_and_options_go_through_files, setup, teardown),
		cmocka_unit_test_setup_teardown(status_tells_all_of_a_board, setup, teardown),
		cmocka_unit_test_setup_teardown(the_socket_is_ours_alone_and_goes_with_us, setup, teardown),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
