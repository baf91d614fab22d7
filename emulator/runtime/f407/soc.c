// SPDX-License-Identifier: GPL-2.0-or-later
/* The chip as a whole: memory, bus, reset. */
#include "soc_internal.h"
#include <stdlib.h>
#include <string.h>

#define FLASH_BASE 0x08000000u
#define SRAM_BASE 0x20000000u
#define CCM_BASE 0x10000000u
#define PERIPHERALS 0x40000000u
#define HSI_HZ 16000000u
#define DBGMCU 0xE0042000u
#define APB_END 0x40017000u
#define FLASH_SIZE_REGISTER 0x1FFF7A22u /* RM0090 39.2 */

/* Memory */

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* What an application reads of system memory: where the ROM starts, its id, and what the factory wrote about the part. The code itself
 * is not here. ASSUMED: the first two words, but that they point into SRAM and into system memory. */
static void fill_system(struct soc *s)
{
	const struct mcu_profile *p = s->parts.profile;

	memset(s->system, 0xFF, SYSTEM_BYTES);
	put32(s->system, 0x20002000);
	put32(s->system + 4, SYSTEM_BASE + 0x101);
	s->system[p->bootloader_id_address - SYSTEM_BASE] = p->bootloader_id;
	for (unsigned i = 0; i < 3; i++)
		put32(s->system + (p->uid_address - SYSTEM_BASE) + 4 * i, s->parts.identity->uid[i]);
	s->system[FLASH_SIZE_REGISTER - SYSTEM_BASE] = (uint8_t)(p->flash_size_bytes >> 10);
	s->system[FLASH_SIZE_REGISTER - SYSTEM_BASE + 1] = (uint8_t)(p->flash_size_bytes >> 18);
}

static void changed(struct soc *s, uint32_t address, uint32_t size_bytes)
{
	s->parts.core->changed(s->parts.core_context, address, size_bytes);
}

/* Pages that differ: what the core has translated of the others stays. */
void soc_refresh_flash(struct soc *s)
{
	const struct mcu_profile *p = s->parts.profile;
	struct flash *f = s->parts.flash;
	uint8_t page[PAGE_BYTES];

	if (s->flash_registers.generation == flash_generation(f))
		return;
	s->flash_registers.generation = flash_generation(f);
	for (uint32_t offset = 0; offset < p->flash_size_bytes; offset += PAGE_BYTES) {
		flash_read(f, p->flash_base + offset, page, sizeof(page));
		if (!memcmp(s->flash + offset, page, sizeof(page)))
			continue;
		memcpy(s->flash + offset, page, sizeof(page));
		changed(s, p->flash_base + offset, PAGE_BYTES);
	}
	flash_read_otp(f, p->otp_base, s->system + (p->otp_base - SYSTEM_BASE),
		       p->otp_block_bytes * p->otp_block_count + p->otp_lock_bytes);
	flash_read_options(f, s->options);
}

void soc_memory(struct soc *s, struct cpu_memory out[SOC_MEMORIES])
{
	out[0] = (struct cpu_memory){ FLASH_BASE, s->parts.profile->flash_size_bytes, s->flash, false, false };
	out[1] = (struct cpu_memory){ SRAM_BASE, SRAM_BYTES, s->sram, true, false };
	out[2] = (struct cpu_memory){ CCM_BASE, CCM_BYTES, s->ccm, true, true }; /* 2.3.1 */
	out[3] = (struct cpu_memory){ SYSTEM_BASE, SYSTEM_BYTES, s->system, false, false };
	out[4] = (struct cpu_memory){ OPTION_PAGE, PAGE_BYTES, s->options, false, false };
}

uint8_t *soc_ram(struct soc *s, size_t *size_bytes)
{
	*size_bytes = SRAM_BYTES;
	return s->sram;
}

/* SYSCFG_MEMRMP (RM0090 9.2.1) */
void soc_show_at_0(struct soc *s, unsigned mode)
{
	const struct soc_core *core = s->parts.core;

	switch (mode & 3) {
	case 0:
		core->alias(s->parts.core_context, FLASH_BASE, s->parts.profile->flash_size_bytes);
		break;
	case 1:
		core->alias(s->parts.core_context, SYSTEM_BASE, SYSTEM_BYTES);
		break;
	case 3:
		core->alias(s->parts.core_context, SRAM_BASE, 0x1C000);
		break;
	default: /* FSMC: nothing is connected */
		core->alias(s->parts.core_context, 0, 0);
		break;
	}
}

/* Memory as DMA sees it: CCM is on the core's data bus alone. NULL: none. */
static uint8_t *memory_at(struct soc *s, uint32_t address, unsigned size, bool write)
{
	if (address - SRAM_BASE <= SRAM_BYTES - size)
		return s->sram + (address - SRAM_BASE);
	if (!write && address - FLASH_BASE <= s->parts.profile->flash_size_bytes - size)
		return s->flash + (address - FLASH_BASE);
	return NULL;
}

bool soc_master_read(struct soc *s, uint32_t address, unsigned size, uint32_t *value)
{
	const uint8_t *at = memory_at(s, address, size, false);

	if (!at)
		return soc_read(s, address, size, value);
	*value = 0;
	for (unsigned i = 0; i < size; i++)
		*value |= (uint32_t)at[i] << 8 * i;
	return true;
}

bool soc_master_write(struct soc *s, uint32_t address, unsigned size, uint32_t value)
{
	uint8_t *at = memory_at(s, address, size, true);

	if (!at)
		return soc_write(s, address, size, value);
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
	changed(s, address, size);
	return true;
}

/* Registers that are not modelled */

static struct kept *kept_at(struct soc *s, uint32_t address)
{
	uint32_t slot = address / 4 * UINT32_C(2654435761) % KEPT_SLOTS; /* half of them are empty */

	for (; s->kept_slots[slot]; slot = (slot + 1) % KEPT_SLOTS)
		if (s->kept[s->kept_slots[slot] - 1].address == address)
			return &s->kept[s->kept_slots[slot] - 1];
	if (s->kept_count == KEPT_WORDS)
		return NULL; /* firmware that goes through them all */
	s->kept[s->kept_count] = (struct kept){ .address = address };
	s->kept_slots[slot] = (uint16_t)++s->kept_count;
	return &s->kept[s->kept_count - 1];
}

uint32_t soc_peek(struct soc *s, uint32_t address)
{
	const struct kept *k = kept_at(s, address);

	return k ? k->value : 0;
}

void soc_poke(struct soc *s, uint32_t address, uint32_t value, uint32_t mask)
{
	struct kept *k = kept_at(s, address);

	if (k)
		k->value = soc_merge(k->value, value, mask);
}

static void tell_unknown(struct soc *s, uint32_t address, bool write)
{
	struct kept *k = kept_at(s, address);

	if (k && !k->told[write])
		s->parts.user->unknown(s->parts.user_context, address, write);
	if (k)
		k->told[write] = true;
}

uint32_t soc_kept_read(struct soc *s, uint32_t address)
{
	tell_unknown(s, address, false);
	return soc_peek(s, address);
}

void soc_kept_write(struct soc *s, uint32_t address, uint32_t value, uint32_t mask)
{
	tell_unknown(s, address, true);
	soc_poke(s, address, value, mask);
}

/* What a peripheral has kept of its registers, it forgets with its reset. */
static void forget(struct soc *s, uint32_t base, uint32_t size_bytes)
{
	for (unsigned i = 0; i < s->kept_count; i++)
		if (s->kept[i].address - base < size_bytes)
			s->kept[i].value = 0;
}

/* DBGMCU (RM0090 38.6.1, 38.16): the id, revision 2; and three registers that a debugger is about, which there is none of. */

static const uint32_t dbgmcu_masks[] = { 0, 0x000000E7, 0x06E01DFF, 0x00070003 };

static uint32_t dbgmcu_read(const struct soc *s, unsigned reg)
{
	return reg ? s->dbgmcu[reg] : 0x10076413;
}

/* Backup SRAM (RM0090 5.1.2): its clock is to be on, and DBP too where it is written. */

uint32_t bkpsram_read(struct soc *s, unsigned unit, uint32_t offset)
{
	(void)unit;
	return s->backup_sram[offset / 4];
}

void bkpsram_write(struct soc *s, unsigned unit, uint32_t offset, uint32_t value, uint32_t mask)
{
	(void)unit;
	if (rtc_may_write(s))
		s->backup_sram[offset / 4] = soc_merge(s->backup_sram[offset / 4], value, mask);
}

void bkpsram_reset(struct soc *s, unsigned unit)
{
	(void)s, (void)unit; /* the power alone, and lowering the read protection, clear it (RM0090 7.1.3) */
}

/* The bus */

static const struct soc_block *block_of(const struct soc *s, uint32_t address)
{
	if (address - PERIPHERALS < 0x80000 && s->block_at[(address - PERIPHERALS) >> 10])
		return &soc_blocks[s->block_at[(address - PERIPHERALS) >> 10] - 1];
	for (const struct soc_block *b = soc_blocks; b->read; b++)
		if (address - b->base < b->size)
			return b;
	return NULL;
}

/* There is something or other in all of the peripheral space (RM0090 2.3, table 1): that much is tolerated. */
static bool is_peripheral(uint32_t address)
{
	return address - 0x40000000u < 0x20000000u || address - 0xA0000000u < 0x1000u ||
	       address - 0xE0040000u < 0xC0000u;
}

bool soc_read(struct soc *s, uint32_t address, unsigned size, uint32_t *value)
{
	const struct soc_block *b;
	uint32_t word;

	if (!is_peripheral(address))
		return false;
	if ((address & 3) + size > 4) {
		*value = 0;
		return true;
	}
	b = block_of(s, address);
	if (address - DBGMCU < sizeof(s->dbgmcu))
		word = dbgmcu_read(s, (address - DBGMCU) / 4);
	else if (!b)
		word = soc_kept_read(s, address & ~3u);
	else if (!rcc_is_on(s, b))
		word = 0;
	else
		word = b->read(s, b->unit, (address - b->base) & ~3u);
	word >>= 8 * (address & 3);
	*value = size == 4 ? word : word & ((1u << 8 * size) - 1);
	return true;
}

bool soc_write(struct soc *s, uint32_t address, unsigned size, uint32_t value)
{
	const struct soc_block *b;
	unsigned shift = 8 * (address & 3);
	uint32_t mask = size == 4 ? UINT32_MAX : ((1u << 8 * size) - 1) << shift;

	if (address - FLASH_BASE < s->parts.profile->flash_size_bytes || address - SYSTEM_BASE < SYSTEM_BYTES ||
	    address - OPTION_PAGE < PAGE_BYTES)
		return flash_if_program(s, address, size, value);
	if (!is_peripheral(address))
		return false;
	if ((address & 3) + size > 4)
		return true;
	b = block_of(s, address);
	if (address - PERIPHERALS < APB_END - PERIPHERALS && size < 4) {
		value = size == 1 ? (value & 0xFF) * 0x01010101u : (value & 0xFFFF) * 0x00010001u;
		mask = UINT32_MAX; /* the bridge fills the word with what is narrower (RM0090 2.1.11) */
	} else {
		value = (value << shift) & mask;
	}
	s->bus_error = false;
	if (address - DBGMCU < sizeof(s->dbgmcu))
		s->dbgmcu[(address - DBGMCU) / 4] = value & dbgmcu_masks[(address - DBGMCU) / 4];
	else if (!b)
		soc_kept_write(s, address & ~3u, value, mask);
	else if (rcc_is_on(s, b))
		b->write(s, b->unit, (address - b->base) & ~3u, value, mask);
	return !s->bus_error;
}

void soc_irq(struct soc *s, unsigned number, unsigned source, bool level)
{
	uint32_t before = s->irq_sources[number], bit = 1u << source;

	s->irq_sources[number] = level ? before | bit : before & ~bit;
	if (s->power == SOC_STOPPED && !exti_is_irq(number))
		return; /* it has no clock to come by: soc_wake() */
	if (!before != !s->irq_sources[number])
		s->parts.core->irq(s->parts.core_context, number, s->irq_sources[number] != 0);
}

/* Reset */

void soc_reset_block(struct soc *s, enum soc_bus bus, unsigned bit)
{
	for (const struct soc_block *b = soc_blocks; b->read; b++) {
		if (b->bus != bus || b->bit != bit)
			continue;
		b->reset(s, b->unit);
		forget(s, b->base, b->size);
	}
}

void soc_power_on(struct soc *s, uint64_t now_us)
{
	soc_start_clock(s, now_us, HSI_HZ);
	memset(s->ccm, 0, CCM_BYTES);
	memset(s->backup_sram, 0, sizeof(s->backup_sram));
	memset(s->dbgmcu, 0, sizeof(s->dbgmcu));
	pwr_power_on(s);
	rcc_power_on(s);
}

void soc_reset(struct soc *s, uint64_t now_us, unsigned causes, bool jumped)
{
	soc_disarm_all(s);
	if (s->power == SOC_STOPPED)
		s->power = SOC_SLEEPS;
	for (unsigned i = 0; i < CPU_IRQS; i++) {
		s->irq_sources[i] = 0;
		s->parts.core->irq(s->parts.core_context, i, false);
	}
	if (causes >> RESET_UNPROTECT & 1 && !s->was_unprotected)
		memset(s->backup_sram, 0, sizeof(s->backup_sram)); /* f407.md RDP-4 */
	s->was_unprotected = causes >> RESET_UNPROTECT & 1;
	soc_start_clock(s, now_us, HSI_HZ);
	rcc_start(s, causes, jumped);
	flash_if_start(s);
	soc_refresh_flash(s);
	for (const struct soc_block *b = soc_blocks; b->read; b++)
		b->reset(s, b->unit);
	s->kept_count = 0;
	memset(s->kept_slots, 0, sizeof(s->kept_slots));
	soc_show_at_0(s, 0);
	watchdogs_start(s);
	rtc_resume(s);
}

void soc_stop(struct soc *s, uint64_t now_us, bool finish)
{
	usart_flush(s);
	if (!finish) /* a jump leaves pins as they are */
		gpio_dark(s);
	flash_if_stop(s, now_us, finish);
	soc_disarm_all(s);
}

/* Whose function each is, its peripheral says when it is reset. */
static void unarm_all(struct soc *s)
{
	for (unsigned i = 0; i < USARTS; i++)
		s->usart[i].sent.at = s->usart[i].received.at = s->usart[i].silence.at = SOC_NEVER;
	for (unsigned i = 0; i < 16; i++)
		s->dma[i / 8].streams[i % 8].done.at = SOC_NEVER;
	for (unsigned i = 0; i < TIMS; i++)
		s->tim[i].event.at = SOC_NEVER;
	s->rtc.wakeup.at = s->dogs.iwdg.at = s->dogs.wwdg.at = SOC_NEVER;
	s->flash_registers.done.at = s->flash_registers.tell.at = s->flash_registers.held.at = SOC_NEVER;
}

struct soc *soc_new(const struct soc_parts *parts)
{
	struct soc *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->parts = *parts;
	s->prng.state = parts->seed;
	s->hz = HSI_HZ;
	s->flash = malloc(parts->profile->flash_size_bytes);
	s->system = malloc(SYSTEM_BYTES);
	s->options = malloc(PAGE_BYTES);
	s->sram = calloc(1, SRAM_BYTES);
	s->ccm = calloc(1, CCM_BYTES);
	if (!s->flash || !s->system || !s->options || !s->sram || !s->ccm) {
		soc_free(s);
		return NULL;
	}
	memset(s->flash, 0xFF, parts->profile->flash_size_bytes);
	memset(s->options, 0xFF, PAGE_BYTES);
	fill_system(s);
	s->flash_registers.generation = flash_generation(parts->flash) - 1;
	for (unsigned i = 0; soc_blocks[i].read; i++) {
		uint32_t first = (soc_blocks[i].base - PERIPHERALS) >> 10;

		for (uint32_t k = 0; first < sizeof(s->block_at) && k < (soc_blocks[i].size + 1023) >> 10; k++)
			s->block_at[first + k] = (uint8_t)(i + 1);
	}
	unarm_all(s);
	return s;
}

void soc_free(struct soc *s)
{
	if (!s)
		return;
	free(s->flash);
	free(s->system);
	free(s->options);
	free(s->sram);
	free(s->ccm);
	free(s);
}
