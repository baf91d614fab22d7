// SPDX-License-Identifier: GPL-2.0-or-later
/* USARTs with their console, CRC, RNG, and buses with nothing at the other end. */
#include "f407_scene.h"

#define USART1 0x40011000u
#define USART2 0x40004400u
#define SR(u) (u)
#define DR(u) ((u) + 4)
#define BRR(u) ((u) + 8)
#define CR1(u) ((u) + 0xC)
#define CR3(u) ((u) + 0x14)
#define IDLE 0x10u
#define RXNE 0x20u
#define TC 0x40u
#define TXE 0x80u

/* 115200 baud at 16 MHz: a frame is 10 * 139 cycles. */
#define FRAME 1390

static void open_usart2(struct f407 *s, uint32_t cr1)
{
	f407_open(s);
	set_bits(s, RCC_APB1ENR, 1u << 17);
	wr(s, BRR(USART2), 139);
	wr(s, CR1(USART2), 0x200C | cr1); /* UE TE RE */
}

static void say(struct f407 *s, const char *text)
{
	for (; *text; text++) {
		while (!(rd(s, SR(USART2)) & TXE))
			f407_pass(s, 100);
		wr(s, DR(USART2), (uint8_t)*text);
	}
}

static void bytes_go_out_at_their_speed_and_in_lines(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	assert_int_equal(rd(&s, SR(USART2)), TXE | TC);
	wr(&s, DR(USART2), 'a');
	assert_int_equal(rd(&s, SR(USART2)) & (TXE | TC), TXE);
	wr(&s, DR(USART2), '\n');
	assert_int_equal(rd(&s, SR(USART2)) & (TXE | TC), 0);
	f407_pass(&s, FRAME - 1);
	assert_int_equal(rd(&s, SR(USART2)) & TXE, 0);
	f407_pass(&s, 1);
	assert_int_equal(rd(&s, SR(USART2)) & (TXE | TC), TXE);
	assert_string_equal(s.said, "");
	f407_pass(&s, FRAME);
	assert_int_equal(rd(&s, SR(USART2)) & TC, TC);
	assert_string_equal(s.said, "a|");
	f407_close(&s);
}

static void what_has_no_end_is_told_after_a_while_and_no_terminal_is_told_what_to_do(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	say(&s, "one\r\n>>> \x1b[2J");
	f407_pass_us(&s, 1000);
	assert_string_equal(s.said, "one|");
	f407_pass_us(&s, 200000);
	assert_string_equal(s.said, "one|>>> .[2J|");
	say(&s, "left");
	f407_pass_us(&s, 1000);
	soc_stop(s.soc, 1, false);
	assert_string_equal(s.said, "one|>>> .[2J|left|");
	f407_close(&s);
}

static void each_flag_interrupts_if_it_is_enabled(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, RXNE);
	assert_false(s.irq[38]);
	assert_int_equal(soc_console(s.soc, (const uint8_t *)"xy", 2), 2);
	f407_pass(&s, FRAME);
	assert_true(s.irq[38]);
	assert_int_equal(rd(&s, DR(USART2)), 'x');
	assert_false(s.irq[38]);
	f407_pass(&s, FRAME);
	assert_int_equal(rd(&s, DR(USART2)), 'y');
	wr(&s, CR1(USART2), 0x200C | IDLE);
	assert_false(s.irq[38]);
	f407_pass(&s, FRAME);
	assert_true(s.irq[38]); /* silence after it */
	rd(&s, SR(USART2));
	rd(&s, DR(USART2));
	assert_false(s.irq[38]);
	wr(&s, CR1(USART2), 0x200C | TXE);
	assert_true(s.irq[38]);
	f407_close(&s);
}

static void bytes_that_nobody_takes_are_overrun(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	assert_int_equal(soc_console(s.soc, (const uint8_t *)"abc", 3), 3);
	f407_pass(&s, 3 * FRAME);
	assert_int_equal(rd(&s, SR(USART2)) & 8, 8);
	assert_int_equal(rd(&s, DR(USART2)), 'a');
	assert_int_equal(rd(&s, SR(USART2)) & (RXNE | 8), 0);
	f407_close(&s);
}

/* RM0090 30.6.1: SR read, then DR written; or a 0 written to it. */
static void tc_stays_until_it_has_been_seen(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	wr(&s, DR(USART2), 'a');
	assert_int_equal(rd(&s, SR(USART2)) & TC, TC);
	wr(&s, DR(USART2), 'b');
	assert_int_equal(rd(&s, SR(USART2)) & TC, 0);
	f407_pass(&s, 2 * FRAME);
	wr(&s, SR(USART2), ~TC);
	assert_int_equal(rd(&s, SR(USART2)) & TC, 0);
	f407_close(&s);
}

/* What is narrower than a word fills it (RM0090 2.1.11): with 8 bits that is no 9th one. */
static void a_byte_to_the_data_register_is_that_byte(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	assert_true(soc_write(s.soc, DR(USART2), 1, 'a'));
	assert_true(soc_write(s.soc, DR(USART2), 1, '\n'));
	f407_pass(&s, 2 * FRAME);
	assert_string_equal(s.said, "a|");
	assert_true(soc_write(s.soc, BRR(USART2) + 1, 1, 1));
	assert_int_equal(rd(&s, BRR(USART2)), 0x0101);
	f407_close(&s);
}

static void an_overrun_interrupts_dma_with_its_own_bit(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	wr(&s, CR3(USART2), 0x41); /* DMAR, EIE, and no stream */
	assert_int_equal(soc_console(s.soc, (const uint8_t *)"ab", 2), 2);
	f407_pass(&s, FRAME);
	assert_false(s.irq[38]);
	f407_pass(&s, FRAME);
	assert_true(s.irq[38]);
	f407_close(&s);
}

static void a_usart_that_is_off_takes_nothing(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	assert_int_equal(soc_console(s.soc, (const uint8_t *)"abc", 3), 0);
	f407_close(&s);
}

static void no_frame_is_shorter_than_its_samples(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	for (unsigned brr = 0; brr <= 16; brr++) {
		wr(&s, BRR(USART2), brr);
		wr(&s, SR(USART2), ~TC);
		wr(&s, DR(USART2), '\n');
		f407_pass(&s, 159);
		assert_false(rd(&s, SR(USART2)) & TC);
		f407_pass(&s, 1);
		assert_true(rd(&s, SR(USART2)) & TC);
	}
	f407_close(&s);
}

static void crc_is_that_of_the_unit(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	set_bits(&s, RCC_AHB1ENR, 1u << 12);
	wr(&s, 0x40023000, 0x12345678);
	assert_int_equal(rd(&s, 0x40023000), 0xdf8a8a2b);
	wr(&s, 0x40023008, 1);
	assert_int_equal(rd(&s, 0x40023000), UINT32_MAX);
	f407_close(&s);
}

static void random_numbers_follow_from_the_seed(void **state)
{
	struct f407 s;
	uint32_t first[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		f407_open(&s);
		set_bits(&s, RCC + 0x34, 1u << 6);
		assert_int_equal(rd(&s, 0x50060804), 0);
		wr(&s, 0x50060800, 4);
		assert_int_equal(rd(&s, 0x50060804), 1);
		first[i] = rd(&s, 0x50060808);
		assert_int_not_equal(rd(&s, 0x50060808), first[i]);
		f407_close(&s);
	}
	assert_int_equal(first[0], first[1]);
}

static void nobody_is_there_on_i2c_spi_and_sdio(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	set_bits(&s, RCC_APB1ENR, 1u << 21);
	set_bits(&s, RCC_APB2ENR, 1u << 12 | 1u << 11 | 1u << 8);
	wr(&s, 0x40005400, 0x101); /* PE, START */
	assert_int_equal(rd(&s, 0x40005414), 1);
	wr(&s, 0x40005410, 0x98);
	assert_int_equal(rd(&s, 0x40005414), 0x400);
	wr(&s, 0x40005414, 0);
	wr(&s, 0x40005400, 0x201);
	assert_int_equal(rd(&s, 0x40005414) | rd(&s, 0x40005418), 0);

	wr(&s, 0x4001300C, 0x55);
	assert_int_equal(rd(&s, 0x40013008), 3);
	assert_int_equal(rd(&s, 0x4001300C), 0xFFFF);
	assert_int_equal(rd(&s, 0x40013008), 2);

	wr(&s, 0x40012C0C, 1u << 10);
	assert_int_equal(rd(&s, 0x40012C34), 0x80);
	wr(&s, 0x40012C0C, 1u << 10 | 1u << 6 | 8);
	assert_int_equal(rd(&s, 0x40012C34), 0x84);
	wr(&s, 0x40012C38, 0x84);
	assert_int_equal(rd(&s, 0x40012C34), 0);

	wr(&s, 0x40012108, 1u << 30 | 1); /* ADC2 */
	assert_int_equal(rd(&s, 0x40012100) & 2, 2);
	assert_int_equal(rd(&s, 0x4001214C), 0x800);
	assert_int_equal(s.unknowns, 0);
	f407_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_go_out_at_their_speed_and_in_lines),
		cmocka_unit_test(what_has_no_end_is_told_after_a_while_and_no_terminal_is_told_what_to_do),
		cmocka_unit_test(each_flag_interrupts_if_it_is_enabled),
		cmocka_unit_test(bytes_that_nobody_takes_are_overrun),
		cmocka_unit_test(tc_stays_until_it_has_been_seen),
		cmocka_unit_test(a_byte_to_the_data_register_is_that_byte),
		cmocka_unit_test(an_overrun_interrupts_dma_with_its_own_bit),
		cmocka_unit_test(a_usart_that_is_off_takes_nothing),
		cmocka_unit_test(no_frame_is_shorter_than_its_samples),
		cmocka_unit_test(crc_is_that_of_the_unit),
		cmocka_unit_test(random_numbers_follow_from_the_seed),
		cmocka_unit_test(nobody_is_there_on_i2c_spi_and_sdio),
	};

	return cmocka_run_group_tests_name("f407_serial", tests, NULL, NULL);
}
