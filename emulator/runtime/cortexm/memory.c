/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is where: plain memory, the alias at 0, the private peripherals, bit-band aliases (DDI 0403 B3.1; PM0214 2.2.5), the owner's bus.
 */
#include <string.h>
#include "machine.h"

uint8_t *memory_plain(const struct cpu *c, uint32_t address, uint32_t *left, bool *writable)
{
	if (address < c->alias_size)
		address += c->alias_base;
	for (size_t i = 0; i < c->memory_count; i++) {
		const struct cpu_memory *m = &c->memory[i];
		if (address - m->base < m->size_bytes) {
			*left = m->size_bytes - (address - m->base);
			*writable = m->writable;
			return m->data + (address - m->base);
		}
	}
	return NULL;
}

/* The word (or what is accessed of it) that an address of a bit-band alias is about, and its bit. */
static bool bit_band(uint32_t address, unsigned size, uint32_t *target, unsigned *bit)
{
	if (address >> 25 != 0x22000000u >> 25 && address >> 25 != 0x42000000u >> 25)
		return false;
	uint32_t offset = address & 0x01FFFFFFu;
	uint32_t byte = (address & 0x60000000u) + (offset >> 5);
	*target = byte & ~(size - 1);
	*bit = (offset >> 2 & 7) + 8 * (byte & (size - 1));
	return true;
}

bool memory_read(struct cpu *c, uint32_t address, unsigned size, uint32_t *value)
{
	uint32_t left, target;
	bool writable;
	unsigned bit;
	*value = 0;
	const uint8_t *data = memory_plain(c, address, &left, &writable);
	if (data && left >= size) {
		memcpy(value, data, size); /* a host of either order would have to swap here */
		return true;
	}
	if (address - 0xE0000000u < 0x40000u) /* what is behind it is the chip's (DDI 0403 B3.1) */
		return scs_read(c, address, size, value);
	if (bit_band(address, size, &target, &bit)) {
		if (!memory_read(c, target, size, value))
			return false;
		*value = *value >> bit & 1;
		return true;
	}
	return c->ops->read(c->context, address, size, value);
}

bool memory_write(struct cpu *c, uint32_t address, unsigned size, uint32_t value)
{
	uint32_t left, target, word;
	bool writable;
	unsigned bit;
	uint8_t *data = memory_plain(c, address, &left, &writable);
	if (data && left >= size && writable) {
		memcpy(data, &value, size);
		return true;
	}
	if (address - 0xE0000000u < 0x40000u)
		return scs_write(c, address, size, value);
	if (bit_band(address, size, &target, &bit))
		return memory_read(c, target, size, &word) &&
		       memory_write(c, target, size, (word & ~(1u << bit)) | (value & 1) << bit);
	return c->ops->write(c->context, address, size, value);
}
