/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the chip share. */
#ifndef DFUBENCH_SOC_INTERNAL_H
#define DFUBENCH_SOC_INTERNAL_H

#include "console_line.h"
#include "prng.h"
#include "soc.h"

#define SRAM_BYTES 0x20000u
#define CCM_BYTES 0x10000u
#define SYSTEM_BASE 0x1FFF0000u
#define SYSTEM_BYTES 0x8000u
#define OPTION_PAGE 0x1FFFC000u
#define PAGE_BYTES 0x1000u
#define KEPT_WORDS 512u /* registers that keep what is written */
#define KEPT_SLOTS (2 * KEPT_WORDS)
#define BLOCKS 80u

/* unit: which of several alike. */
struct soc_timer {
	uint64_t at; /* cycle; SOC_NEVER: not armed */
	void (*fire)(struct soc *, unsigned unit);
	unsigned unit;
	struct soc_timer *next; /* of those armed, by time */
};

enum soc_bus { ON_AHB1, ON_AHB2, ON_APB1, ON_APB2, ON_ALWAYS };

/* A peripheral. Offsets are whole words; mask has the bits that an access writes, value has nothing outside of it. */
struct soc_block {
	uint32_t base, size;
	enum soc_bus bus;
	uint8_t bit; /* in RCC's enable and reset registers of that bus */
	unsigned unit;
	uint32_t (*read)(struct soc *, unsigned unit, uint32_t offset);
	void (*write)(struct soc *, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask);
	void (*reset)(struct soc *, unsigned unit);
};

struct rcc {
	uint32_t regs[0x24], bdcr, flags, was_ready;
	unsigned ahb_div, apb_div[2]; /* now */
};

struct gpio {
	uint32_t regs[10];
	uint16_t output, open_drain, analog, up; /* of MODER, OTYPER, PUPDR */
	uint16_t driven, level;                  /* from outside */
	uint16_t idr;
	uint8_t locking; /* writes of the sequence */
};

struct exti {
	uint32_t imr, emr, rtsr, ftsr, swier, pr;
	uint32_t syscfg[9];
};

#define USARTS 6
#define RX_ROOM 1024
struct usart {
	uint32_t sr, brr, cr[3], gtpr;
	uint16_t shift, tdr, rdr;
	bool shifting, tdr_full, sr_was_read, tc_was_read, receiving;
	uint8_t rx[RX_ROOM];
	unsigned rx_first, rx_count;
	struct console_line line;
	struct soc_timer sent, received, silence;
};

struct dma_stream {
	uint32_t cr, ndtr, par, m0ar, m1ar, fcr;
	uint32_t left, peripheral, memory; /* as it goes */
	struct soc_timer done;
};
struct dma {
	uint32_t isr[2];
	struct dma_stream streams[8];
};

#define TIMS 14
struct tim {
	uint32_t regs[21];
	uint64_t base; /* cycle at which the counter was .count */
	uint32_t count, psc, arr;
	struct soc_timer event;
};

struct rtc {
	uint32_t regs[20], backup[20];
	uint32_t hz;                         /* of RTCCLK; 0: none */
	uint64_t base_us;                    /* when it was base_s */
	uint64_t base_s, base_cycles;        /* seconds since 2000, and cycles of RTCCLK */
	uint64_t rsf_us, initf_us, wutwf_us; /* from when on these flags are up */
	uint8_t unlock;                      /* keys seen */
	bool locked, cold;
	uint32_t shadow[2], held; /* TR and DR; a bit for each that is held */
	struct soc_timer wakeup, second;
};

struct watchdogs {
	bool iwdg_runs, iwdg_open;
	uint32_t pr, rlr, loaded;
	uint64_t updated_us[2]; /* PR and RLR */
	uint32_t cr, cfr, sr;   /* WWDG */
	uint64_t base;          /* cycle at which WWDG's counter was that of cr */
	struct soc_timer iwdg, wwdg;
};

struct flash_registers {
	uint32_t acr, sr, cr, optcr, loaded, key, option_key; /* loaded: OPTCR at reset */
	bool key_spoilt, option_key_spoilt, busy, bares_backup;
	uint64_t began_us;
	enum mcu_event_type what;
	uint32_t address, length; /* in hand */
	uint32_t run, run_length; /* programmed, yet to be told */
	struct soc_timer done, tell, held;
	uint64_t held_until; /* cycle */
	uint64_t generation;
};

struct soc {
	struct soc_parts parts;
	struct prng prng;
	uint8_t *flash, *system, *options, *sram, *ccm;
	struct soc_timer *timers;
	uint32_t hz;
	uint64_t base_cycle, base_us;
	uint32_t irq_sources[CPU_IRQS];

	struct rcc rcc;
	struct gpio gpio[9];
	struct exti exti;
	struct usart usart[USARTS];
	struct dma dma[2];
	bool dma_moves; /* a stream is serving a request */
	struct tim tim[TIMS];
	struct rtc rtc;
	struct watchdogs dogs;
	struct flash_registers flash_registers;
	uint32_t backup_sram[1024], dbgmcu[4];
	bool bus_error; /* of the write that is under way */
	bool was_unprotected;
	enum soc_power power;
	uint32_t pwr[2], crc[2], rng, i2c_sr1[3], sdio_sta, adc_sr[3];
	uint8_t spi_rxne;
	unsigned leds;

	struct kept {
		uint32_t address, value;
		bool told[2];
	} kept[KEPT_WORDS];
	unsigned kept_count;
	uint16_t kept_slots[KEPT_SLOTS]; /* by address: index in kept[] + 1 */
	uint8_t block_at[0x200];         /* by KiB from 0x40000000; index + 1 */
};

/* --- soc.c --- */
/* A register of a block that is there but not modelled: it keeps what is written. */
uint32_t soc_kept_read(struct soc *, uint32_t address);
void soc_kept_write(struct soc *, uint32_t address, uint32_t value, uint32_t mask);
/* The same for one that is as it should be: nothing is told. */
uint32_t soc_peek(struct soc *, uint32_t address);
void soc_poke(struct soc *, uint32_t address, uint32_t value, uint32_t mask);
/* As a bus master other than the core: memory alone, and one register of a peripheral. False: bus error. */
bool soc_master_read(struct soc *, uint32_t address, unsigned size, uint32_t *value);
bool soc_master_write(struct soc *, uint32_t address, unsigned size, uint32_t value);
/* What several sources have wired together: any of them makes the line high. */
void soc_irq(struct soc *, unsigned number, unsigned source, bool level);
void soc_reset_block(struct soc *, enum soc_bus, unsigned bit);
void soc_show_at_0(struct soc *, unsigned mode); /* MEMRMP */
extern const struct soc_block soc_blocks[];

static inline uint32_t soc_merge(uint32_t old, uint32_t value, uint32_t mask)
{
	return (old & ~mask) | (value & mask);
}

/* --- soc_time.c --- */
uint64_t soc_now(const struct soc *);    /* cycle */
uint64_t soc_now_us(const struct soc *); /* rounded down */
void soc_arm(struct soc *, struct soc_timer *, uint64_t at_cycle);
void soc_arm_after(struct soc *, struct soc_timer *, uint64_t cycles);
void soc_arm_after_us(struct soc *, struct soc_timer *, uint64_t us);
void soc_disarm(struct soc *, struct soc_timer *);
void soc_disarm_all(struct soc *);
void soc_set_clock(struct soc *, uint32_t hz);
void soc_start_clock(struct soc *, uint64_t now_us, uint32_t hz);

/* --- peripherals: a read, a write and a reset each, see struct soc_block --- */
#define SOC_PERIPHERAL(name) \
	uint32_t name##_read(struct soc *, unsigned unit, uint32_t offset); \
	void name##_write(struct soc *, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask); \
	void name##_reset(struct soc *, unsigned unit)
SOC_PERIPHERAL(rcc);
SOC_PERIPHERAL(gpio);
SOC_PERIPHERAL(syscfg);
SOC_PERIPHERAL(exti);
SOC_PERIPHERAL(usart);
SOC_PERIPHERAL(dma);
SOC_PERIPHERAL(tim);
SOC_PERIPHERAL(rtc);
SOC_PERIPHERAL(iwdg);
SOC_PERIPHERAL(wwdg);
SOC_PERIPHERAL(flash_if);
SOC_PERIPHERAL(pwr);
SOC_PERIPHERAL(crc);
SOC_PERIPHERAL(rng);
SOC_PERIPHERAL(spi);
SOC_PERIPHERAL(i2c);
SOC_PERIPHERAL(adc);
SOC_PERIPHERAL(sdio);
SOC_PERIPHERAL(otg);
SOC_PERIPHERAL(bkpsram);

bool rcc_is_on(const struct soc *, const struct soc_block *);
uint32_t rcc_pclk_div(const struct soc *, enum soc_bus); /* HCLK cycles in one of the bus */
bool rcc_dma_is_on(const struct soc *, unsigned unit);
uint32_t rcc_rtc_hz(const struct soc *);
void rcc_wants_lsi(struct soc *);
void rcc_power_on(struct soc *); /* of the backup domain */
void rcc_start(struct soc *, unsigned causes, bool jumped);
void gpio_dark(struct soc *); /* no pin drives anything any more */
void gpio_drive(struct soc *, unsigned port, unsigned pin, bool level);
void exti_pin(struct soc *, unsigned port, uint16_t before, uint16_t after);
bool exti_is_irq(unsigned number);
void exti_line(struct soc *, unsigned line); /* an edge that counts as rising, from inside */
void usart_receive(struct soc *, unsigned unit, const uint8_t *bytes, size_t length, size_t *taken);
void usart_flush(struct soc *);
/* A peripheral's request: data register at address. False: no stream serves it. out: the stream writes the register. */
bool dma_request(struct soc *, uint32_t address, bool out, uint32_t *value);
void pwr_backup_reset(struct soc *);
void pwr_power_on(struct soc *);
void pwr_event(struct soc *);           /* that wakes from standby */
void pwr_pin(struct soc *, bool rises); /* WKUP */
void rcc_stop(struct soc *);
void rtc_power_on(struct soc *);
void rtc_clock(struct soc *); /* it may have changed */
void rtc_resume(struct soc *);
bool rtc_may_write(const struct soc *); /* PWR_CR.DBP */
void watchdogs_start(struct soc *);
void flash_if_start(struct soc *);
void flash_if_stop(struct soc *, uint64_t now_us, bool finish);
bool flash_if_program(struct soc *, uint32_t address, unsigned size, uint32_t value);

#endif
