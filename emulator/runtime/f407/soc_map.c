// SPDX-License-Identifier: GPL-2.0-or-later
/* Which peripheral is where (RM0090 2.3, table 1), and which bit of RCC is its (RM0090 7.3). */
#include "soc_internal.h"

#define ROW(at, bytes, on, rcc_bit, which, name) \
	{ \
		.base = (at), .size = (bytes), .bus = (on), .bit = (rcc_bit), .unit = (which), .read = name##_read, \
		.write = name##_write, .reset = name##_reset \
	}

const struct soc_block soc_blocks[] = {
	ROW(0x40023800, 0x400, ON_ALWAYS, 0, 0, rcc),
	ROW(0x40023C00, 0x400, ON_ALWAYS, 0, 0, flash_if),
	ROW(0x40007000, 0x400, ON_APB1, 28, 0, pwr),
	ROW(0x40020000, 0x400, ON_AHB1, 0, 0, gpio),
	ROW(0x40020400, 0x400, ON_AHB1, 1, 1, gpio),
	ROW(0x40020800, 0x400, ON_AHB1, 2, 2, gpio),
	ROW(0x40020C00, 0x400, ON_AHB1, 3, 3, gpio),
	ROW(0x40021000, 0x400, ON_AHB1, 4, 4, gpio),
	ROW(0x40021400, 0x400, ON_AHB1, 5, 5, gpio),
	ROW(0x40021800, 0x400, ON_AHB1, 6, 6, gpio),
	ROW(0x40021C00, 0x400, ON_AHB1, 7, 7, gpio),
	ROW(0x40022000, 0x400, ON_AHB1, 8, 8, gpio),
	ROW(0x40023000, 0x400, ON_AHB1, 12, 0, crc),
	/* backup SRAM */
	ROW(0x40024000, 0x1000, ON_AHB1, 18, 0, bkpsram),
	ROW(0x40026000, 0x400, ON_AHB1, 21, 0, dma),
	ROW(0x40026400, 0x400, ON_AHB1, 22, 1, dma),
	ROW(0x50000000, 0x40000, ON_AHB2, 7, 0, otg),
	ROW(0x50060800, 0x400, ON_AHB2, 6, 0, rng),
	ROW(0x40013800, 0x400, ON_APB2, 14, 0, syscfg),
	ROW(0x40013C00, 0x400, ON_ALWAYS, 0, 0, exti),
	ROW(0x40011000, 0x400, ON_APB2, 4, 0, usart),
	ROW(0x40004400, 0x400, ON_APB1, 17, 1, usart),
	ROW(0x40004800, 0x400, ON_APB1, 18, 2, usart),
	ROW(0x40004C00, 0x400, ON_APB1, 19, 3, usart),
	ROW(0x40005000, 0x400, ON_APB1, 20, 4, usart),
	ROW(0x40011400, 0x400, ON_APB2, 5, 5, usart),
	ROW(0x40010000, 0x400, ON_APB2, 0, 0, tim),
	ROW(0x40000000, 0x400, ON_APB1, 0, 1, tim),
	ROW(0x40000400, 0x400, ON_APB1, 1, 2, tim),
	ROW(0x40000800, 0x400, ON_APB1, 2, 3, tim),
	ROW(0x40000C00, 0x400, ON_APB1, 3, 4, tim),
	ROW(0x40001000, 0x400, ON_APB1, 4, 5, tim),
	ROW(0x40001400, 0x400, ON_APB1, 5, 6, tim),
	ROW(0x40010400, 0x400, ON_APB2, 1, 7, tim),
	ROW(0x40014000, 0x400, ON_APB2, 16, 8, tim),
	ROW(0x40014400, 0x400, ON_APB2, 17, 9, tim),
	ROW(0x40014800, 0x400, ON_APB2, 18, 10, tim),
	ROW(0x40001800, 0x400, ON_APB1, 6, 11, tim),
	ROW(0x40001C00, 0x400, ON_APB1, 7, 12, tim),
	ROW(0x40002000, 0x400, ON_APB1, 8, 13, tim),
	ROW(0x40002800, 0x400, ON_ALWAYS, 0, 0, rtc),
	ROW(0x40002C00, 0x400, ON_APB1, 11, 0, wwdg),
	ROW(0x40003000, 0x400, ON_ALWAYS, 0, 0, iwdg),
	ROW(0x40013000, 0x400, ON_APB2, 12, 0, spi),
	ROW(0x40003800, 0x400, ON_APB1, 14, 1, spi),
	ROW(0x40003C00, 0x400, ON_APB1, 15, 2, spi),
	ROW(0x40005400, 0x400, ON_APB1, 21, 0, i2c),
	ROW(0x40005800, 0x400, ON_APB1, 22, 1, i2c),
	ROW(0x40005C00, 0x400, ON_APB1, 23, 2, i2c),
	ROW(0x40012000, 0x400, ON_APB2, 8, 0, adc),
	ROW(0x40012C00, 0x400, ON_APB2, 11, 0, sdio),
	{ .base = 0 },
};
