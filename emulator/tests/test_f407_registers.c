// SPDX-License-Identifier: GPL-2.0-or-later
/* Registers of the chip against RM0090 Rev 21: what they are after reset, what of them can be written, and when. */
#include "f407_scene.h"

#define PLLCFGR (RCC + 4)
#define CFGR (RCC + 8)
#define CIR (RCC + 0xC)
#define BDCR (RCC + 0x70)
#define CSR RCC_CSR
#define PLLI2SCFGR (RCC + 0x84)
#define HSEON (1u << 16)
#define HSEBYP (1u << 18)
#define PLLON (1u << 24)
#define PLLI2SON (1u << 26)
#define PWR_CSR (PWR + 4)
#define DBP (1u << 8)
#define BRE (1u << 9)
#define EXTI 0x40013C00u
#define SYSCFG 0x40013800u
#define FLASH 0x40023C00u
#define DBGMCU 0xE0042000u
#define BACKUP_SRAM 0x40024000u

static void open_all(struct f407 *s)
{
	f407_open(s);
	wr(s, RCC_AHB1ENR, UINT32_MAX);
	wr(s, RCC + 0x34, UINT32_MAX);
	wr(s, RCC_APB1ENR, UINT32_MAX);
	wr(s, RCC_APB2ENR, UINT32_MAX);
}

/* after: once all ones have been written to it, from reset. */
static const struct {
	const char *name;
	uint32_t address, reset, after;
} plain[] = {
	{ "RCC_CR", RCC, 0x83, 0x0F0F00FB },
	{ "RCC_PLLCFGR", PLLCFGR, 0x24003010, 0x2F437FFF },
	{ "RCC_CFGR", CFGR, 0, 0xFFFFFCF3 },
	{ "RCC_CIR", CIR, 0, 0x3F00 },
	{ "RCC_AHB1RSTR", RCC + 0x10, 0, 0x226011FF },
	{ "RCC_AHB2RSTR", RCC + 0x14, 0, 0xF1 },
	{ "RCC_AHB3RSTR", RCC + 0x18, 0, 1 },
	{ "RCC_ 0x1C", RCC + 0x1C, 0, 0 },
	{ "RCC_APB1RSTR", RCC + 0x20, 0, 0x36FEC9FF },
	{ "RCC_APB2RSTR", RCC + 0x24, 0, 0x00075933 },
	{ "RCC_ 0x28", RCC + 0x28, 0, 0 },
	{ "RCC_AHB1ENR", RCC_AHB1ENR, 0x00100000, 0x7E7411FF },
	{ "RCC_AHB2ENR", RCC + 0x34, 0, 0xF1 },
	{ "RCC_AHB3ENR", RCC + 0x38, 0, 1 },
	{ "RCC_APB1ENR", RCC_APB1ENR, 0, 0x36FEC9FF },
	{ "RCC_APB2ENR", RCC_APB2ENR, 0, 0x00075F33 },
	{ "RCC_AHB1LPENR", RCC + 0x50, 0x7E6791FF, 0x7E6791FF },
	{ "RCC_AHB2LPENR", RCC + 0x54, 0xF1, 0xF1 },
	{ "RCC_AHB3LPENR", RCC + 0x58, 1, 1 },
	{ "RCC_APB1LPENR", RCC + 0x60, 0x36FEC9FF, 0x36FEC9FF },
	{ "RCC_APB2LPENR", RCC + 0x64, 0x00075F33, 0x00075F33 },
	{ "RCC_CSR", CSR, 0x0E000000, 3 },
	{ "RCC_SSCGR", RCC + 0x80, 0, 0xCFFFFFFF },
	{ "RCC_PLLI2SCFGR", PLLI2SCFGR, 0x20003000, 0x70007FC0 },
	{ "PWR_CR", PWR, 0x4000, 0x43F3 },
	{ "PWR_CSR", PWR_CSR, 0x4000, 0x4100 },
	{ "FLASH_ACR", FLASH, 0, 0x1707 },
	{ "FLASH_CR", FLASH + 0x10, 0x80000000, 0x80000000 },
	{ "FLASH_OPTCR", FLASH + 0x14, 0x0FFFAAED, 0x0FFFAAED },
	{ "GPIOA_MODER", GPIOA, 0xA8000000, UINT32_MAX },
	{ "GPIOA_OTYPER", GPIOA + 4, 0, 0xFFFF },
	{ "GPIOA_OSPEEDR", GPIOA + 8, 0x0C000000, UINT32_MAX },
	{ "GPIOA_PUPDR", GPIOA + 0xC, 0x64000000, UINT32_MAX },
	{ "GPIOA_ODR", GPIOA + 0x14, 0, 0xFFFF },
	{ "GPIOA_BSRR", GPIOA + 0x18, 0, 0 },
	{ "GPIOA_LCKR", GPIOA + 0x1C, 0, 0xFFFF },
	{ "GPIOA_AFRL", GPIOA + 0x20, 0, UINT32_MAX },
	{ "GPIOA_AFRH", GPIOA + 0x24, 0, UINT32_MAX },
	{ "GPIOB_MODER", GPIOB, 0x280, UINT32_MAX },
	{ "GPIOB_OSPEEDR", GPIOB + 8, 0xC0, UINT32_MAX },
	{ "GPIOB_PUPDR", GPIOB + 0xC, 0x100, UINT32_MAX },
	{ "GPIOI_MODER", 0x40022000, 0, UINT32_MAX },
	{ "SYSCFG_MEMRMP", SYSCFG, 0, 3 },
	{ "SYSCFG_PMC", SYSCFG + 4, 0, 1u << 23 },
	{ "SYSCFG_EXTICR1", SYSCFG + 8, 0, 0xFFFF },
	{ "SYSCFG_EXTICR4", SYSCFG + 0x14, 0, 0xFFFF },
	{ "SYSCFG_ 0x18", SYSCFG + 0x18, 0, 0 },
	{ "SYSCFG_CMPCR", SYSCFG + 0x20, 0, 0x101 },
	{ "DMA_S0CR", 0x40026410, 0, 0x0E0F7EFF }, /* on, in direct mode (RM0090 10.5.5) */
	{ "DMA_S7NDTR", 0x400264BC, 0, 0xFFFF },
	{ "DMA_S7PAR", 0x400264C0, 0, UINT32_MAX },
	{ "DMA_S7M0AR", 0x400264C4, 0, UINT32_MAX },
	{ "DMA_S7M1AR", 0x400264C8, 0, UINT32_MAX },
	{ "DMA_S7FCR", 0x400264CC, 0x21, 0xA7 },
	{ "DMA_LIFCR", 0x40026408, 0, 0 },
	{ "EXTI_IMR", EXTI, 0, 0x7FFFFF },
	{ "EXTI_EMR", EXTI + 4, 0, 0x7FFFFF },
	{ "EXTI_RTSR", EXTI + 8, 0, 0x7FFFFF },
	{ "EXTI_FTSR", EXTI + 0xC, 0, 0x7FFFFF },
	{ "EXTI_SWIER", EXTI + 0x10, 0, 0x7FFFFF },
	{ "EXTI_PR", EXTI + 0x14, 0, 0 },
	{ "WWDG_CFR", 0x40002C04, 0x7F, 0x3FF },
	{ "IWDG_KR", 0x40003000, 0, 0 },
	{ "IWDG_PR", 0x40003004, 0, 0 },
	{ "IWDG_RLR", 0x40003008, 0xFFF, 0xFFF },
	{ "USART1_SR", 0x40011000, 0xC0, 0xC0 },
	{ "USART1_BRR", 0x40011008, 0, 0xFFFF },
	{ "USART1_CR1", 0x4001100C, 0, 0xBFFF },
	{ "USART1_CR2", 0x40011010, 0, 0x7F6F },
	{ "USART1_CR3", 0x40011014, 0, 0x0FFF },
	{ "USART1_GTPR", 0x40011018, 0, 0xFFFF },
	{ "TIM3_PSC", 0x40000428, 0, 0xFFFF },
	{ "TIM3_ARR", 0x4000042C, 0xFFFF, 0xFFFF },
	{ "TIM2_ARR", 0x4000002C, UINT32_MAX, UINT32_MAX },
	{ "RTC_DR", 0x40002804, 0x2101, 0x2101 },
	{ "RTC_CR", 0x40002808, 0, 0 },
	{ "RTC_ISR", 0x4000280C, 7, 7 },
	{ "RTC_PRER", 0x40002810, 0x007F00FF, 0x007F00FF },
	{ "RTC_WUTR", 0x40002814, 0xFFFF, 0xFFFF },
	{ "DBGMCU_IDCODE", DBGMCU, 0x10076413, 0x10076413 },
	{ "DBGMCU_CR", DBGMCU + 4, 0, 0xE7 },
	{ "DBGMCU_APB1_FZ", DBGMCU + 8, 0, 0x06E01DFF },
	{ "DBGMCU_APB2_FZ", DBGMCU + 0xC, 0, 0x00070003 },
};

static void each_register_is_as_the_manual_has_it(void **state)
{
	struct f407 s;

	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		bool of_rcc = plain[i].address - RCC < 0x400;
		uint32_t value;

		if (of_rcc)
			f407_open(&s);
		else
			open_all(&s);
		value = rd(&s, plain[i].address);
		if (value != plain[i].reset)
			fail_msg("%s: 0x%08x after reset", plain[i].name, value);
		if (plain[i].address == CIR) /* its upper half clears */
			assert_true(soc_write(s.soc, CIR, 2, 0xFFFF));
		soc_write(s.soc, plain[i].address, 4, UINT32_MAX);
		value = rd(&s, plain[i].address);
		if (value != plain[i].after)
			fail_msg("%s: 0x%08x of all ones", plain[i].name, value);
		assert_int_equal(s.unknowns, 0);
		f407_close(&s);
	}
}

/* RM0090 7.3.1, 7.3.2 */
static void what_drives_the_clock_stays(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	set_bits(&s, RCC, PLLON); /* from HSI yet */
	assert_int_equal(rd(&s, RCC) & PLLON << 1, PLLON << 1);
	wr(&s, PLLCFGR, 8 | 336 << 6 | 1u << 22 | 7 << 24); /* too late */
	assert_int_equal(rd(&s, PLLCFGR), 0x24003010);
	wr(&s, RCC, 0x81);
	wr(&s, PLLCFGR, 8 | 336 << 6 | 1u << 22 | 7 << 24);
	set_bits(&s, RCC, PLLON);
	assert_int_equal(rd(&s, RCC) & PLLON << 1, 0); /* HSE is off */
	set_bits(&s, RCC, HSEON);
	assert_int_equal(rd(&s, RCC) & PLLON << 1, PLLON << 1);
	wr(&s, CFGR, 2);
	assert_int_equal(rd(&s, CFGR), 0xA);
	wr(&s, RCC, 0x80); /* HSI can go, HSE and PLL not */
	assert_int_equal(rd(&s, RCC), 0x80 | HSEON | HSEON << 1 | PLLON | PLLON << 1);
	wr(&s, CFGR, 3); /* not allowed: stays */
	assert_int_equal(rd(&s, CFGR), 0xB);
	wr(&s, CFGR, 0); /* when HSI is ready */
	assert_int_equal(rd(&s, CFGR), 8);
	set_bits(&s, RCC, 1);
	assert_int_equal(rd(&s, CFGR), 0);
	f407_close(&s);
}

static void what_an_oscillator_is_goes_by_when_it_is_on(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	set_bits(&s, RCC, HSEON);
	set_bits(&s, RCC, HSEBYP);
	assert_int_equal(rd(&s, RCC) & HSEBYP, 0);
	wr(&s, RCC, 0x81);
	set_bits(&s, RCC, HSEBYP);
	assert_int_equal(rd(&s, RCC) & HSEBYP, HSEBYP);
	set_bits(&s, RCC, PLLI2SON);
	wr(&s, PLLI2SCFGR, 0);
	wr(&s, PLLCFGR, 0x0F407FFF);
	assert_int_equal(rd(&s, PLLI2SCFGR), 0x20003000);
	assert_int_equal(rd(&s, PLLCFGR), 0x2F007FD0); /* M and the source are both PLLs' */
	set_bits(&s, RCC_APB1ENR, 1u << 28);
	set_bits(&s, PWR, DBP);
	wr(&s, BDCR, 1);
	wr(&s, BDCR, 5);
	assert_int_equal(rd(&s, BDCR), 3);
	wr(&s, BDCR, 4);
	assert_int_equal(rd(&s, BDCR), 0);
	wr(&s, BDCR, 4);
	assert_int_equal(rd(&s, BDCR), 4);
	f407_close(&s);
}

/* RM0090 7.3.4 */
static void what_becomes_ready_interrupts_if_it_is_enabled(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	wr(&s, CIR, 0x1900); /* PLL, HSE, LSI */
	assert_false(s.irq[5]);
	set_bits(&s, RCC, HSEON);
	assert_true(s.irq[5]);
	assert_int_equal(rd(&s, CIR), 0x1908);
	set_bits(&s, RCC, PLLON);
	set_bits(&s, CSR, 1);
	assert_int_equal(rd(&s, CIR), 0x1919);
	wr(&s, CIR, 0x1900 | 8u << 16);
	assert_true(s.irq[5]);
	wr(&s, CIR, 0x1900 | 0x11u << 16);
	assert_false(s.irq[5]);
	assert_int_equal(rd(&s, CIR), 0x1900);
	f407_close(&s);
}

/* RM0090 5.4.2, 7.1.3 */
static void the_backup_domain_has_a_reset_of_its_own(void **state)
{
	struct f407 s;

	(void)state;
	open_all(&s);
	wr(&s, PWR_CSR, BRE);
	assert_int_equal(rd(&s, PWR_CSR) & BRE, 0);
	wr(&s, BACKUP_SRAM, 1);
	assert_int_equal(rd(&s, BACKUP_SRAM), 0);
	set_bits(&s, PWR, DBP);
	wr(&s, PWR_CSR, BRE);
	assert_int_equal(rd(&s, PWR_CSR) & (BRE | 8), BRE | 8);
	wr(&s, BACKUP_SRAM + 0xFFC, 0x12345678);
	assert_true(soc_write(s.soc, BACKUP_SRAM + 0xFFD, 1, 0xAB));
	soc_reset(s.soc, 0, 0, false);
	wr(&s, RCC_AHB1ENR, 1u << 18);
	wr(&s, RCC_APB1ENR, 1u << 28);
	assert_int_equal(rd(&s, PWR_CSR) & BRE, BRE);
	assert_int_equal(rd(&s, BACKUP_SRAM + 0xFFC), 0x1234AB78);
	set_bits(&s, PWR, DBP);
	wr(&s, BDCR, 1u << 16);
	assert_int_equal(rd(&s, PWR_CSR) & BRE, 0);
	assert_int_equal(rd(&s, BACKUP_SRAM + 0xFFC), 0x1234AB78);
	soc_power_on(s.soc, 0);
	soc_reset(s.soc, 0, 0, false);
	wr(&s, RCC_AHB1ENR, 1u << 18);
	assert_int_equal(rd(&s, BACKUP_SRAM + 0xFFC), 0);
	f407_close(&s);
}

/* RM0090 8.4.8 */
static void a_locked_pin_keeps_its_configuration_until_reset(void **state)
{
	struct f407 s;

	(void)state;
	open_all(&s);
	wr(&s, GPIOD + 0x1C, 0x11000);
	wr(&s, GPIOD + 0x1C, 0x02000); /* another pin: no sequence */
	wr(&s, GPIOD + 0x1C, 0x11000);
	assert_int_equal(rd(&s, GPIOD + 0x1C), 0x1000);
	wr(&s, GPIOD + 0x1C, 0x01000);
	wr(&s, GPIOD + 0x1C, 0x11000);
	assert_int_equal(rd(&s, GPIOD + 0x1C), 0x11000);
	wr(&s, GPIOD + 0x1C, 0x2000);
	assert_int_equal(rd(&s, GPIOD + 0x1C), 0x11000);
	wr(&s, GPIOD, 0x55000000);
	wr(&s, GPIOD + 4, 0xFFFF);
	wr(&s, GPIOD + 8, UINT32_MAX);
	wr(&s, GPIOD + 0xC, 0x55555555);
	wr(&s, GPIOD + 0x20, UINT32_MAX);
	wr(&s, GPIOD + 0x24, UINT32_MAX);
	wr(&s, GPIOD + 0x14, 0xFFFF);
	assert_int_equal(rd(&s, GPIOD), 0x54000000);
	assert_int_equal(rd(&s, GPIOD + 4), 0xEFFF);
	assert_int_equal(rd(&s, GPIOD + 8), 0xFCFFFFFF);
	assert_int_equal(rd(&s, GPIOD + 0xC), 0x54555555);
	assert_int_equal(rd(&s, GPIOD + 0x20), UINT32_MAX);
	assert_int_equal(rd(&s, GPIOD + 0x24), 0xFFF0FFFF);
	assert_int_equal(rd(&s, GPIOD + 0x14), 0xFFFF);
	assert_int_equal(s.leds, 0xE);
	set_bits(&s, RCC + 0x10, 8);
	wr(&s, GPIOD, 0x55000000);
	assert_int_equal(rd(&s, GPIOD), 0x55000000);
	f407_close(&s);
}

/* RM0090 12.3.5 */
static void a_software_interrupt_is_one_until_it_is_cleared(void **state)
{
	struct f407 s;

	(void)state;
	open_all(&s);
	wr(&s, EXTI + 0x10, 1); /* masked */
	assert_int_equal(rd(&s, EXTI + 0x14), 0);
	wr(&s, EXTI, 3);
	wr(&s, EXTI + 0x10, 3); /* the first is up already */
	assert_int_equal(rd(&s, EXTI + 0x14), 2);
	assert_int_equal(rd(&s, EXTI + 0x10), 3);
	wr(&s, EXTI + 0x14, 3);
	assert_int_equal(rd(&s, EXTI + 0x10), 0);
	wr(&s, EXTI + 0x10, 1);
	assert_true(s.irq[6]);
	assert_false(s.irq[7]);
	f407_close(&s);
}

/* RM0090 3.9.1: caches are emptied while they are off. */
static void the_data_cache_is_reset_while_it_is_off(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	wr(&s, FLASH, 1u << 10);
	wr(&s, FLASH, 1u << 12 | 1u << 10);
	assert_int_equal(rd(&s, FLASH), 1u << 10);
	wr(&s, FLASH, 0);
	wr(&s, FLASH, 1u << 12 | 1u << 11);
	assert_int_equal(rd(&s, FLASH), 1u << 12);
	f407_close(&s);
}

/* RM0090 38.16.3: by the power alone. */
static void debug_registers_outlive_a_reset(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	wr(&s, DBGMCU + 4, 7);
	soc_reset(s.soc, 0, 0, false);
	assert_int_equal(rd(&s, DBGMCU + 4), 7);
	soc_power_on(s.soc, 0);
	soc_reset(s.soc, 0, 0, false);
	assert_int_equal(rd(&s, DBGMCU + 4), 0);
	f407_close(&s);
}

static void a_reset_by_rcc_is_one_of_all_its_registers(void **state)
{
	struct f407 s;

	(void)state;
	open_all(&s);
	wr(&s, 0x40013000, 0x37C); /* SPI1_CR1 */
	wr(&s, 0x40005404, 0x10);  /* I2C1_CR2 */
	set_bits(&s, RCC + 0x24, 1u << 12);
	set_bits(&s, RCC + 0x20, 1u << 21);
	assert_int_equal(rd(&s, 0x40013000), 0);
	assert_int_equal(rd(&s, 0x40005404), 0);
	f407_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_register_is_as_the_manual_has_it),
		cmocka_unit_test(what_drives_the_clock_stays),
		cmocka_unit_test(what_an_oscillator_is_goes_by_when_it_is_on),
		cmocka_unit_test(what_becomes_ready_interrupts_if_it_is_enabled),
		cmocka_unit_test(the_backup_domain_has_a_reset_of_its_own),
		cmocka_unit_test(a_locked_pin_keeps_its_configuration_until_reset),
		cmocka_unit_test(a_software_interrupt_is_one_until_it_is_cleared),
		cmocka_unit_test(the_data_cache_is_reset_while_it_is_off),
		cmocka_unit_test(debug_registers_outlive_a_reset),
		cmocka_unit_test(a_reset_by_rcc_is_one_of_all_its_registers),
	};

	return cmocka_run_group_tests_name("f407_registers", tests, NULL, NULL);
}
