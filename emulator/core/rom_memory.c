/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What uploads and jobs of the ROM do to the memories of the board: decoding of addresses, protection, execution. */
#include <errno.h>
#include <string.h>
#include "rom_memory.h"

/* Alternate setting whose name covers a memory (STR-4..STR-7). */
static uint8_t alt_of_memory(enum mem_kind kind)
{
	switch (kind) {
	case MEM_OPTION:
		return 1;
	case MEM_OTP:
		return 2;
	case MEM_FEATURE:
		return 3;
	case MEM_FLASH:
	case MEM_RAM:
	case MEM_SYSTEM:
		break;
	}
	return 0;
}

/* Region that holds the whole range; NULL: out of reach (ERR-1). */
static const struct mem_region *region_of(const struct rom_memory *rm, uint32_t address, size_t length)
{
	const struct mcu_profile *p = rm->profile;

	for (size_t i = 0; i < p->region_count; i++) {
		const struct mem_region *m = &p->regions[i];

		if (address < m->base || address - m->base >= m->size_bytes ||
		    length > m->size_bytes - (address - m->base))
			continue;
		/* The address decides, unless the profile has it otherwise: ASSUMED: U10 (RST-6) */
		if (p->alt_selects_memory && alt_of_memory(m->kind) != *rm->alternate)
			return NULL;
		return m;
	}
	return NULL;
}

static bool protected_from_readout(const struct rom_memory *rm)
{
	return flash_rdp(rm->flash) != RDP_LEVEL_0;
}

/* Behind the flash of a part that has less than it advertises nothing is written, and reading succeeds (UP-11). What
 * comes is ASSUMED: U20 (FF). */
static void read_flash(const struct rom_memory *rm, uint32_t address, uint8_t *data, size_t length)
{
	size_t offset = address - rm->profile->flash_base, installed = rm->profile->flash_size_bytes, n = 0;

	if (offset < installed) {
		n = length < installed - offset ? length : installed - offset;
		flash_read(rm->flash, address, data, n);
	}
	memset(data + n, 0xff, length - n);
}

enum dfu_status rom_memory_read(const struct rom_memory *rm, uint32_t address, uint8_t *data, size_t length)
{
	const struct mem_region *m = region_of(rm, address, length);
	enum dfu_status refusal = (enum dfu_status)rm->profile->upload_refusal_status; /* ASSUMED: U4 (UP-6, ERR-13) */
	uint32_t id_offset = rm->profile->bootloader_id_address - address;
	uint8_t feature[4];
	int rc = 0;

	if (protected_from_readout(rm))
		return (enum dfu_status)rm->profile->rdp_access_status; /* UP-10, RDP-2 */
	if (!m || !m->readable)
		return refusal;
	switch (m->kind) {
	case MEM_FLASH:
		read_flash(rm, address, data, length);
		break;
	case MEM_RAM:
		rc = rm->ops->read_ram(rm->context, address, data, length);
		break;
	case MEM_SYSTEM: /* what ST's code reads as is not modelled (ASSUMED: FF), the id byte is (MAP-6) */
		memset(data, 0xff, length);
		if (id_offset < length)
			data[id_offset] = rm->profile->bootloader_id;
		break;
	case MEM_OTP:
		rc = flash_read_otp(rm->flash, address, data, length);
		break;
	case MEM_OPTION: /* only whole: OB-6 */
		rc = flash_read_option_bank(rm->flash, address, data, length);
		break;
	case MEM_FEATURE:
		flash_get_feature(rm->flash, feature);
		memcpy(data, feature + (address - m->base), length);
		break;
	}
	return rc ? refusal : DFU_OK;
}

/* Jobs */

static void touches(struct rom_memory *rm, enum mcu_event_type type, uint32_t address, size_t length)
{
	rm->event = type;
	rm->touched_address = address;
	rm->touched_length = (uint32_t)length;
}

static bool is_write_protected(const struct rom_memory *rm, uint32_t address)
{
	int sector = flash_sector_at(rm->flash, address, NULL, NULL);

	return sector >= 0 && flash_sector_protected(rm->flash, (unsigned)sector);
}

static enum dfu_status begin_flash(struct rom_memory *rm, enum flash_op op, const struct dfu_job *job,
				   uint64_t *duration_us)
{
	switch (flash_begin(rm->flash, op, job->address, job->data, job->length, duration_us)) {
	case 0:
		return DFU_OK;
	case -EFAULT:
		return DFU_ERR_TARGET;
	default:
		return (enum dfu_status)rm->profile->hardware_error_status; /* ERR-7; ASSUMED: U14 */
	}
}

static enum dfu_status begin_erase(struct rom_memory *rm, const struct dfu_job *job, uint64_t *duration_us)
{
	const struct mem_region *m = region_of(rm, job->address, 1);
	uint32_t start, size_bytes;

	if (!m || m->kind != MEM_FLASH || !m->writable)
		return DFU_ERR_TARGET; /* ERR-1, ERR-11 */
	if (flash_sector_at(rm->flash, job->address, &start, &size_bytes) >= 0 && !is_write_protected(rm, job->address))
		touches(rm, MCU_EVENT_ERASED, start, size_bytes);
	return begin_flash(rm, FLASH_ERASE_SECTOR, job, duration_us);
}

static enum dfu_status begin_mass_erase(struct rom_memory *rm, const struct dfu_job *job, uint64_t *duration_us)
{
	bool any_protected = false;

	for (unsigned i = 0; i < flash_sector_count(rm->flash); i++)
		any_protected |= flash_sector_protected(rm->flash, i);
	if (!any_protected) /* FL-8 */
		touches(rm, MCU_EVENT_ERASED, rm->profile->flash_base, rm->profile->flash_size_bytes);
	return begin_flash(rm, FLASH_MASS_ERASE, job, duration_us);
}

static enum dfu_status begin_write(struct rom_memory *rm, const struct dfu_job *job, uint64_t *duration_us)
{
	const struct mem_region *m = region_of(rm, job->address, job->length);

	if (!m || !m->writable)
		return DFU_ERR_TARGET; /* ERR-1 */
	rm->written = m;
	switch (m->kind) {
	case MEM_FLASH:
		if (!is_write_protected(rm, job->address) ||
		    !is_write_protected(rm, job->address + (uint32_t)job->length - 1))
			touches(rm, MCU_EVENT_PROGRAMMED, job->address, job->length);
		return begin_flash(rm, job->kind == JOB_STORE ? FLASH_STORE : FLASH_PROGRAM, job, duration_us);
	case MEM_OTP:
		touches(rm, MCU_EVENT_PROGRAMMED, job->address, job->length);
		return begin_flash(rm, FLASH_PROGRAM_OTP, job, duration_us);
	case MEM_OPTION: /* not performed unless it is the whole block: OB-7. ASSUMED: the status (OB-8) */
		if (job->address != m->base || job->length != m->size_bytes)
			return DFU_ERR_TARGET;
		touches(rm, MCU_EVENT_OPTIONS, job->address, job->length);
		return begin_flash(rm, FLASH_PROGRAM_OPTIONS, job, duration_us);
	case MEM_RAM:
	case MEM_FEATURE: /* done at the end: no cells, no time to speak of */
		return DFU_OK;
	case MEM_SYSTEM:
		break;
	}
	return DFU_ERR_TARGET;
}

static enum dfu_status begin_unprotect(struct rom_memory *rm, const struct dfu_job *job, uint64_t *duration_us)
{
	if (flash_begin(rm->flash, FLASH_UNPROTECT, job->address, job->data, job->length, duration_us))
		return (enum dfu_status)rm->profile->unprotect_failed_status; /* ERR-4 */
	touches(rm, MCU_EVENT_OPTIONS, rm->profile->option_banks[0].base, flash_option_bytes(rm->flash));
	return DFU_OK;
}

/* Checks are made here, at execution (EX-2). */
enum dfu_status rom_memory_begin(struct rom_memory *rm, const struct dfu_job *job, uint64_t *duration_us)
{
	const struct mcu_profile *p = rm->profile;
	bool touches_memory = job->kind == JOB_ERASE || job->kind == JOB_MASS_ERASE || job->kind == JOB_WRITE ||
			      job->kind == JOB_STORE;

	touches(rm, MCU_EVENT_PIN, 0, 0);
	*duration_us = p->set_address_us; /* of what is refused, too */
	if (touches_memory && protected_from_readout(rm))
		return (enum dfu_status)p->rdp_access_status; /* ERR-2 */
	switch (job->kind) {
	case JOB_SET_ADDRESS:
		if (protected_from_readout(rm) && p->rdp_set_address_status)
			return (enum dfu_status)p->rdp_set_address_status; /* ERR-3; ASSUMED: U19 */
		return region_of(rm, job->address, 1) ? DFU_OK : DFU_ERR_TARGET;
	case JOB_ERASE:
		return begin_erase(rm, job, duration_us);
	case JOB_MASS_ERASE:
		return begin_mass_erase(rm, job, duration_us);
	case JOB_WRITE:
	case JOB_STORE:
		return begin_write(rm, job, duration_us);
	case JOB_READ_UNPROTECT:
		return begin_unprotect(rm, job, duration_us);
	case JOB_LEAVE:
		*duration_us = p->leave_us; /* BOOT-16 */
		return DFU_OK;
	case JOB_BAD_COMMAND:
		return DFU_ERR_STALLEDPKT;
	case JOB_NOTHING:
	case JOB_MANIFEST:
	case JOB_DETACH:
		break;
	}
	return DFU_OK;
}

/* RAM and the feature word: DFU_OK where the job has nothing to do with them. */
static enum dfu_status finish_write(struct rom_memory *rm, const struct dfu_job *job)
{
	const struct mem_region *m = rm->written;
	uint8_t feature[4];

	if (m->kind == MEM_RAM)
		return rm->ops->write_ram(rm->context, job->address, job->data, job->length)
			       ? (enum dfu_status)rm->profile->hardware_error_status
			       : DFU_OK;
	if (m->kind != MEM_FEATURE)
		return DFU_OK;
	flash_get_feature(rm->flash, feature);
	memcpy(feature + (job->address - m->base), job->data, job->length);
	if (flash_set_feature(rm->flash, feature, sizeof feature))
		return (enum dfu_status)rm->profile->feature_refusal_status; /* ERR-12; ASSUMED: U14 */
	return DFU_OK;
}

/* A store has erased the sectors whose first byte it has written. */
static void tell_erased(const struct rom_memory *rm, const struct dfu_job *job)
{
	uint32_t at = job->address, start, size_bytes;

	while (at - job->address < job->length && flash_sector_at(rm->flash, at, &start, &size_bytes) >= 0) {
		if (start >= job->address && !is_write_protected(rm, start))
			rm->ops->touched(rm->context, MCU_EVENT_ERASED, start, size_bytes);
		at = start + size_bytes;
	}
}

enum dfu_status rom_memory_finish(struct rom_memory *rm, const struct dfu_job *job, enum dfu_status outcome)
{
	const struct mcu_profile *p = rm->profile;

	if (flash_is_busy(rm->flash)) {
		flash_finish(rm->flash);
		if (flash_program_was_refused(rm->flash))
			outcome = (enum dfu_status)p->hardware_error_status; /* ASSUMED: U14 (SFL-2) */
	}
	if ((job->kind == JOB_WRITE || job->kind == JOB_STORE) && outcome == DFU_OK)
		outcome = finish_write(rm, job);
	if (outcome != DFU_OK)
		return outcome;
	if (job->kind == JOB_READ_UNPROTECT && protected_from_readout(rm))
		rm->ops->touched(rm->context, MCU_EVENT_ERASED, rm->profile->flash_base, rm->profile->flash_size_bytes);
	if (job->kind == JOB_STORE)
		tell_erased(rm, job);
	if (rm->event != MCU_EVENT_PIN)
		rm->ops->touched(rm->context, rm->event, rm->touched_address, rm->touched_length);
	if (job->kind == JOB_ERASE && p->stuck_erase_from && job->address >= p->stuck_erase_from)
		return (enum dfu_status)DFU_STAYS_BUSY; /* H7-4 */
	return DFU_OK;
}

void rom_memory_cut(struct rom_memory *rm, uint64_t elapsed_us)
{
	if (!flash_is_busy(rm->flash))
		return;
	flash_cut(rm->flash, elapsed_us);
	rm->ops->touched(rm->context, MCU_EVENT_CUT, rm->touched_address, rm->touched_length);
}
