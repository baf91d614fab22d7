// SPDX-License-Identifier: GPL-2.0-or-later
/* DMA in memory, and for USART2 (RM0090 chapter 10). */
#include "f407_scene.h"

#define USART2 0x40004400u
#define SR(u) (u)
#define DR(u) ((u) + 4)
#define CR3(u) ((u) + 0x14)
#define RXNE 0x20u
#define DMA1 0x40026000u
#define DMA2 0x40026400u
#define STREAM(dma, n) ((dma) + 0x10 + 0x18 * (n))

/* 115200 baud at 16 MHz: a frame is 10 * 139 cycles. */
#define FRAME 1390

static void open_usart2(struct f407 *s)
{
	f407_open(s);
	set_bits(s, RCC_APB1ENR, 1u << 17);
	set_bits(s, RCC_AHB1ENR, 3u << 21);
	wr(s, USART2 + 8, 139);
	wr(s, USART2 + 0xC, 0x200C); /* UE TE RE */
}

static void dma_sends_what_is_in_memory(void **state)
{
	struct f407 s;
	size_t size;

	(void)state;
	open_usart2(&s);
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
	open_usart2(&s);
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
	open_usart2(&s);
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
	open_usart2(&s);
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
	open_usart2(&s);
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
	open_usart2(&s);
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
	open_usart2(&s);
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
		open_usart2(&s);
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
	open_usart2(&s);
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
	open_usart2(&s);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests_name("f407_dma", tests, NULL, NULL);
}
