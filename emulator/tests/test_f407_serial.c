// SPDX-License-Identifier: GPL-2.0-or-later
/* USARTs with their console, DMA, and buses with nothing at the other end. */
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
#define DMA1 0x40026000u
#define DMA2 0x40026400u
#define STREAM(dma, n) ((dma) + 0x10 + 0x18 * (n))

/* 115200 baud at 16 MHz: a frame is 10 * 139 cycles. */
#define FRAME 1390

static void open_usart2(struct f407 *s, uint32_t cr1)
{
	f407_open(s);
	set_bits(s, RCC_APB1ENR, 1u << 17);
	set_bits(s, RCC_AHB1ENR, 3u << 21);
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

static void dma_sends_what_is_in_memory(void **state)
{
	struct f407 s;
	size_t size;

	(void)state;
	open_usart2(&s, 0);
	memcpy(soc_ram(s.soc, &size), "by dma\n", 7);
	wr(&s, STREAM(DMA1, 6) + 4, 7);
	wr(&s, STREAM(DMA1, 6) + 8, DR(USART2));
	wr(&s, STREAM(DMA1, 6) + 0xC, 0x20000000);
	wr(&s, STREAM(DMA1, 6), 4u << 25 | 1u << 10 | 1u << 6 | 1u << 4 | 1u << 3 | 1); /* MINC, to it, TCIE, HTIE */
	wr(&s, CR3(USART2), 0x80);
	f407_pass(&s, 3 * FRAME);
	assert_true(s.irq[17]); /* half of it */
	wr(&s, DMA1 + 0xC, 0x10u << 16);
	assert_false(s.irq[17]);
	f407_pass(&s, 5 * FRAME);
	assert_string_equal(s.said, "by dma|");
	assert_true(s.irq[17]);
	assert_int_equal(rd(&s, DMA1 + 4) >> 16 & 0x3D, 0x20);
	assert_int_equal(rd(&s, STREAM(DMA1, 6)) & 1, 0);
	assert_int_equal(rd(&s, STREAM(DMA1, 6) + 4), 0);
	f407_close(&s);
}

static void a_stream_of_the_wrong_channel_serves_nobody(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	wr(&s, STREAM(DMA1, 6) + 4, 1);
	wr(&s, STREAM(DMA1, 6) + 8, DR(USART2));
	wr(&s, STREAM(DMA1, 6) + 0xC, 0x20000000);
	wr(&s, STREAM(DMA1, 6), 5u << 25 | 1u << 6 | 1);
	wr(&s, CR3(USART2), 0x80);
	f407_pass(&s, 10 * FRAME);
	assert_int_equal(rd(&s, DMA1 + 4), 0);
	assert_int_equal(rd(&s, STREAM(DMA1, 6)) & 1, 1);
	f407_close(&s);
}

static void dma_goes_round_in_what_comes_in(void **state)
{
	struct f407 s;
	const uint8_t *ram;
	size_t size;

	(void)state;
	open_usart2(&s, 0);
	ram = soc_ram(s.soc, &size);
	wr(&s, STREAM(DMA1, 5) + 4, 4);
	wr(&s, STREAM(DMA1, 5) + 8, DR(USART2));
	wr(&s, STREAM(DMA1, 5) + 0xC, 0x20000100);
	wr(&s, STREAM(DMA1, 5), 4u << 25 | 1u << 10 | 1u << 8 | 1); /* MINC, CIRC */
	wr(&s, CR3(USART2), 0x40);
	soc_console(s.soc, (const uint8_t *)"012345", 6);
	f407_pass(&s, 8 * FRAME);
	assert_memory_equal(ram + 0x100, "4523", 4);
	assert_int_equal(rd(&s, STREAM(DMA1, 5) + 4), 2);
	assert_int_equal(rd(&s, SR(USART2)) & RXNE, 0);
	f407_close(&s);
}

static void dma_copies_memory(void **state)
{
	struct f407 s;
	uint8_t *ram;
	size_t size;

	(void)state;
	open_usart2(&s, 0);
	ram = soc_ram(s.soc, &size);
	for (unsigned i = 0; i < 64; i++)
		ram[i] = (uint8_t)i;
	wr(&s, STREAM(DMA2, 0) + 4, 16);
	wr(&s, STREAM(DMA2, 0) + 8, 0x20000000);
	wr(&s, STREAM(DMA2, 0) + 0xC, 0x20000200);
	wr(&s, STREAM(DMA2, 0), 2u << 13 | 2u << 11 | 3u << 9 | 2u << 6 | 1u << 4 | 1);
	assert_int_equal(rd(&s, DMA2) & 0x20, 0);
	f407_pass(&s, 1000);
	assert_memory_equal(ram + 0x200, ram, 64);
	assert_true(s.irq[56]);
	wr(&s, DMA2 + 8, 0x3D);
	assert_false(s.irq[56]);

	wr(&s, STREAM(DMA2, 0) + 8, 0x60000000); /* where nothing is */
	wr(&s, STREAM(DMA2, 0), 2u << 13 | 2u << 11 | 3u << 9 | 2u << 6 | 1u << 2 | 1);
	f407_pass(&s, 1000);
	assert_int_equal(rd(&s, DMA2) & 8, 8);
	assert_true(s.irq[56]);
	f407_close(&s);
}

/* What would change its direction, or make it go round for ever, in the middle. */
static void a_stream_that_is_on_keeps_its_way(void **state)
{
	const uint32_t on = 2u << 13 | 2u << 11 | 3u << 9 | 2u << 6 | 1;
	struct f407 s;
	uint8_t *ram;
	size_t size;

	(void)state;
	open_usart2(&s, 0);
	ram = soc_ram(s.soc, &size);
	memset(ram, 7, 64);
	wr(&s, STREAM(DMA2, 0) + 4, 16);
	wr(&s, STREAM(DMA2, 0) + 8, 0x20000000);
	wr(&s, STREAM(DMA2, 0) + 0xC, 0x20000200);
	wr(&s, STREAM(DMA2, 0), on);
	wr(&s, STREAM(DMA2, 0), on | 1u << 8 | 1u << 4); /* CIRC, TCIE */
	wr(&s, STREAM(DMA2, 0), (on & ~(3u << 6)) | 1u << 6 | 1u << 4);
	wr(&s, STREAM(DMA2, 0) + 4, 1);
	wr(&s, STREAM(DMA2, 0) + 8, 0);
	wr(&s, STREAM(DMA2, 0) + 0xC, 0);
	wr(&s, STREAM(DMA2, 0) + 0x10, 1);
	assert_int_equal(rd(&s, STREAM(DMA2, 0) + 0x10), 0);
	assert_int_equal(rd(&s, STREAM(DMA2, 0)), on | 1u << 4);
	f407_pass(&s, 1000);
	assert_memory_equal(ram + 0x200, ram, 64);
	assert_int_equal(rd(&s, STREAM(DMA2, 0)) & 1, 0);
	assert_true(s.irq[56]);
	f407_close(&s);
}

/* RM0090 10.3.9: each time round the other memory, and only the one that is not in use can be moved. */
static void two_buffers_take_turns(void **state)
{
	const uint32_t cr = 4u << 25 | 1u << 18 | 1u << 10 | 1u << 2; /* DBM, MINC, TEIE */
	struct f407 s;
	const uint8_t *ram;
	size_t size;

	(void)state;
	open_usart2(&s, 0);
	ram = soc_ram(s.soc, &size);
	wr(&s, STREAM(DMA1, 5) + 4, 2);
	wr(&s, STREAM(DMA1, 5) + 8, DR(USART2));
	wr(&s, STREAM(DMA1, 5) + 0xC, 0x20000100);
	wr(&s, STREAM(DMA1, 5) + 0x10, 0x20000200);
	wr(&s, STREAM(DMA1, 5), cr | 1);
	assert_int_equal(rd(&s, STREAM(DMA1, 5)), cr | 1u << 8 | 1); /* and CIRC */
	wr(&s, CR3(USART2), 0x40);
	soc_console(s.soc, (const uint8_t *)"0123", 4);
	f407_pass(&s, 2 * FRAME);
	assert_int_equal(rd(&s, STREAM(DMA1, 5)) >> 19 & 1, 1);
	wr(&s, STREAM(DMA1, 5) + 0xC, 0x20000300);
	assert_int_equal(rd(&s, STREAM(DMA1, 5) + 0xC), 0x20000300);
	f407_pass(&s, 2 * FRAME);
	assert_memory_equal(ram + 0x100, "01", 2);
	assert_memory_equal(ram + 0x200, "23", 2);
	assert_int_equal(rd(&s, STREAM(DMA1, 5)) >> 19 & 1, 0);
	assert_false(s.irq[16]);
	wr(&s, STREAM(DMA1, 5) + 0xC, 0x20000100); /* that is in use */
	assert_true(s.irq[16]);
	assert_int_equal(rd(&s, STREAM(DMA1, 5)) & 1, 0);
	assert_int_equal(rd(&s, DMA1 + 4) >> 6 & 8, 8);
	assert_int_equal(rd(&s, STREAM(DMA1, 5) + 0xC), 0x20000300);
	f407_close(&s);
}

/* RM0090 10.5.5: in direct mode there are no bursts, and one size. */
static void direct_mode_decides_for_itself(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	wr(&s, STREAM(DMA1, 5), 4u << 25 | 15u << 21 | 1u << 15 | 2u << 13 | 1u << 11 | 1u << 5 | 1u << 8 | 1);
	assert_int_equal(rd(&s, STREAM(DMA1, 5)), 4u << 25 | 1u << 13 | 1u << 11 | 1u << 5 | 1);
	assert_int_equal(rd(&s, STREAM(DMA1, 5) + 0x14), 0x21);
	f407_close(&s);
}

static void bursts_that_do_not_fit_the_fifo_are_an_error(void **state)
{
	static const struct {
		uint32_t mburst, msize, threshold;
		bool fits;
	} cases[] = { { 1, 0, 0, true },  { 2, 0, 0, false }, { 1, 0, 2, true }, { 2, 0, 2, false },
		      { 3, 0, 3, true },  { 1, 1, 0, false }, { 1, 1, 1, true }, { 2, 1, 3, true },
		      { 1, 2, 2, false }, { 1, 2, 3, true },  { 2, 2, 3, false } };
	struct f407 s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_usart2(&s, 0);
		wr(&s, STREAM(DMA2, 3) + 0x14, 0x80 | 4 | cases[i].threshold);
		wr(&s, STREAM(DMA2, 3), cases[i].mburst << 23 | cases[i].msize << 13 | 1);
		assert_int_equal(rd(&s, DMA2) >> 22 & 1, !cases[i].fits);
		assert_int_equal(rd(&s, STREAM(DMA2, 3)) & 1, cases[i].fits);
		assert_int_equal(s.irq[59], !cases[i].fits);
		f407_close(&s);
	}
}

static void dma1_does_not_copy_memory(void **state)
{
	struct f407 s;
	uint8_t *ram;
	size_t size;

	(void)state;
	open_usart2(&s, 0);
	ram = soc_ram(s.soc, &size);
	memset(ram, 7, 64);
	wr(&s, STREAM(DMA1, 0) + 4, 16);
	wr(&s, STREAM(DMA1, 0) + 8, 0x20000000);
	wr(&s, STREAM(DMA1, 0) + 0xC, 0x20000200);
	wr(&s, STREAM(DMA1, 0), 2u << 13 | 2u << 11 | 3u << 9 | 2u << 6 | 1);
	assert_int_equal(rd(&s, STREAM(DMA1, 0) + 0x14), 0x25); /* no direct mode there */
	f407_pass(&s, 1000);
	assert_int_equal(ram[0x200], 0);
	assert_int_equal(rd(&s, DMA1), 8);
	f407_close(&s);
}

static void a_stream_with_nothing_to_do_waits(void **state)
{
	struct f407 s;

	(void)state;
	open_usart2(&s, 0);
	wr(&s, STREAM(DMA1, 6) + 8, DR(USART2));
	wr(&s, STREAM(DMA1, 6) + 0xC, 0x20000000);
	wr(&s, STREAM(DMA1, 6), 4u << 25 | 1u << 6 | 1);
	wr(&s, CR3(USART2), 0x80);
	f407_pass(&s, 10 * FRAME);
	assert_int_equal(rd(&s, STREAM(DMA1, 6)) & 1, 1);
	assert_int_equal(rd(&s, DMA1 + 4), 0);
	assert_string_equal(s.said, "");
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
		cmocka_unit_test(dma_sends_what_is_in_memory),
		cmocka_unit_test(a_stream_of_the_wrong_channel_serves_nobody),
		cmocka_unit_test(dma_goes_round_in_what_comes_in),
		cmocka_unit_test(dma_copies_memory),
		cmocka_unit_test(a_stream_that_is_on_keeps_its_way),
		cmocka_unit_test(two_buffers_take_turns),
		cmocka_unit_test(direct_mode_decides_for_itself),
		cmocka_unit_test(bursts_that_do_not_fit_the_fifo_are_an_error),
		cmocka_unit_test(dma1_does_not_copy_memory),
		cmocka_unit_test(a_stream_with_nothing_to_do_waits),
		cmocka_unit_test(no_frame_is_shorter_than_its_samples),
		cmocka_unit_test(crc_is_that_of_the_unit),
		cmocka_unit_test(random_numbers_follow_from_the_seed),
		cmocka_unit_test(nobody_is_there_on_i2c_spi_and_sdio),
	};

	return cmocka_run_group_tests_name("f407_serial", tests, NULL, NULL);
}
