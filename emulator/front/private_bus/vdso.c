/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patching the vDSO of a process of the tool: the parts that every architecture shares. */
#include "vdso.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "remote.h"
#include "vdso_code.h"
#include "vdso_trace.h"

#define IMAGE_MAX 16384
#define VDSO_CODE_MAX 512
#define CODE_AND_CLOCK (vdso_code_size() + sizeof(struct vdso_clock))

struct symbol {
	uint64_t offset, size;
};

static int find_image(pid_t pid, uint64_t *base)
{
	Elf64_auxv_t aux[64];
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/auxv", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, aux, sizeof(aux));
	close(fd);
	for (ssize_t i = 0; i < n / (ssize_t)sizeof(*aux); i++) {
		if (aux[i].a_type == AT_SYSINFO_EHDR) {
			*base = aux[i].a_un.a_val;
			return 0;
		}
	}
	return -ENOEXEC;
}

/* The image is the kernel's, but what we read is the tool's memory: check every offset. */
static bool inside(size_t size, uint64_t offset, uint64_t length)
{
	return offset <= size && length <= size - offset;
}

static int find_symbol(const uint8_t *image, size_t size, const char *name, struct symbol *found)
{
	Elf64_Ehdr e;
	Elf64_Shdr s, strings;
	Elf64_Sym symbol;

	memcpy(&e, image, sizeof(e));
	for (unsigned i = 0; i < e.e_shnum; i++) {
		if (!inside(size, e.e_shoff + i * sizeof(s), sizeof(s)))
			return -ENOEXEC;
		memcpy(&s, image + e.e_shoff + i * sizeof(s), sizeof(s));
		if (s.sh_type != SHT_DYNSYM)
			continue;
		if (s.sh_link >= e.e_shnum || !inside(size, e.e_shoff + s.sh_link * sizeof(s), sizeof(s)) ||
		    !inside(size, s.sh_offset, s.sh_size))
			return -ENOEXEC;
		memcpy(&strings, image + e.e_shoff + s.sh_link * sizeof(s), sizeof(s));
		for (uint64_t at = 0; at + sizeof(symbol) <= s.sh_size; at += sizeof(symbol)) {
			uint64_t text;

			memcpy(&symbol, image + s.sh_offset + at, sizeof(symbol));
			text = strings.sh_offset + symbol.st_name;
			if (!inside(size, text, strlen(name) + 1) || strcmp((const char *)image + text, name))
				continue;
			found->offset = symbol.st_value;
			found->size = symbol.st_size;
			return 0;
		}
	}
	return -ENOENT;
}

/* What is to be written where. */
struct plan {
	uint64_t base;
	struct symbol clock, day, seconds; /* size 0: there is none */
	bool patched;                      /* already */
};

static int make_plan(int memory, pid_t pid, struct plan *plan)
{
	uint8_t image[IMAGE_MAX];
	int err = find_image(pid, &plan->base);

	if (err)
		return err;
	/* One page at a time: the image may be shorter than the room for it. */
	for (size_t at = 0; at < sizeof(image); at += 4096) {
		if (pread(memory, image + at, 4096, (off_t)(plan->base + at)) != 4096)
			memset(image + at, 0, 4096);
	}
	if (find_symbol(image, sizeof(image), VDSO_CLOCK_GETTIME, &plan->clock) ||
	    !inside(sizeof(image), plan->clock.offset, CODE_AND_CLOCK) || plan->clock.size < CODE_AND_CLOCK)
		return -ENOEXEC;
	if (find_symbol(image, sizeof(image), VDSO_GETTIMEOFDAY, &plan->day))
		plan->day.size = 0;
	if (!VDSO_TIME || find_symbol(image, sizeof(image), VDSO_TIME, &plan->seconds))
		plan->seconds.size = 0;
	plan->patched = memcmp(image + plan->clock.offset + vdso_code_signature(), vdso_code() + vdso_code_signature(),
			       8) == 0;
	return 0;
}

typedef int write_memory(const struct vdso *, uint64_t address, const void *data, size_t length);

static int redirect(const struct vdso *v, write_memory *write_to, uint64_t base, const struct symbol *from, uint64_t to)
{
	uint8_t jump[VDSO_JUMP_MAX];
	size_t n;

	if (!from->size)
		return 0;
	n = vdso_jump(base + from->offset, to, jump);
	return n <= from->size ? write_to(v, base + from->offset, jump, n) : -ENOEXEC;
}

/* cell: where the clock lives; 0: behind the code. */
static int carry_out(struct vdso *v, const struct plan *plan, uint64_t cell, write_memory *write_to)
{
	uint64_t code = plan->base + plan->clock.offset;
	uint8_t bytes[VDSO_CODE_MAX];
	int err;

	if (vdso_code_size() > sizeof(bytes))
		return -ENOEXEC;
	v->in_code = !cell;
	v->cell = cell ? cell : code + vdso_code_cell() + 8;
	memcpy(bytes, vdso_code(), vdso_code_size());
	memcpy(bytes + vdso_code_cell(), &v->cell, sizeof(v->cell));
	err = write_to(v, code, bytes, vdso_code_size());
	if (!err)
		err = redirect(v, write_to, plan->base, &plan->day, code + vdso_code_gettimeofday());
	if (!err)
		err = redirect(v, write_to, plan->base, &plan->seconds, code + vdso_code_time());
	return err;
}

static int open_memory(pid_t pid, struct vdso *v)
{
	char path[64];

	v->pid = pid;
	if (!vdso_code_size()) {
		v->memory = -1;
		return -ENOSYS;
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	v->memory = open(path, O_RDWR | O_CLOEXEC);
	return v->memory < 0 ? -errno : 0;
}

/* Memory that the process itself may not write: the kernel lets a tracer's equal do it through /proc. */
static int force_write(const struct vdso *v, uint64_t address, const void *data, size_t length)
{
	ssize_t n = pwrite(v->memory, data, length, (off_t)address);

	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EIO;
}

/* In a page of its own, or in the code. */
static int write_clock(const struct vdso *v, size_t offset, const void *data, size_t length)
{
	return v->in_code ? force_write(v, v->cell + offset, data, length)
			  : remote_write(v->pid, v->cell + offset, data, length);
}

int vdso_patch(pid_t pid, const struct vdso_clock *clock, struct vdso *v)
{
	struct plan plan = { 0 };
	int err = open_memory(pid, v);

	if (!err)
		err = make_plan(v->memory, pid, &plan);
	if (!err && plan.patched) {
		uint64_t code = plan.base + plan.clock.offset;

		err = remote_read(pid, code + vdso_code_cell(), &v->cell, sizeof(v->cell));
		v->in_code = v->cell == code + vdso_code_cell() + 8;
	} else if (!err) {
		err = carry_out(v, &plan, 0, force_write);
	}
	if (!err)
		err = write_clock(v, 0, clock, sizeof(*clock));
	if (err)
		vdso_close(v);
	return err;
}

static int poke(const struct vdso *v, uint64_t address, const void *data, size_t length)
{
	return vdso_poke(v->pid, address, data, length);
}

int vdso_patch_traced(pid_t pid, pid_t tid, const struct vdso_clock *clock, struct vdso *v,
		      void (*restart)(void *context), void *context, bool *answered)
{
	struct plan plan = { 0 };
	struct vdso thread;
	uint64_t cell = 0;
	int err = open_memory(pid, v);

	*answered = false;
	if (!err)
		err = make_plan(v->memory, pid, &plan);
	if (!err)
		err = vdso_trace(tid, restart, context, answered);
	if (!err) {
		/* A page of its own for the clock: later changes then need no force. */
		err = vdso_trace_page(tid, &cell);
		thread = (struct vdso){ .pid = tid, .memory = -1 };
		if (!err)
			err = carry_out(&thread, &plan, cell, poke);
		vdso_trace_end(tid);
	}
	v->cell = cell;
	v->in_code = false;
	if (!err)
		err = write_clock(v, 0, clock, sizeof(*clock));
	if (err)
		vdso_close(v);
	return err;
}

int vdso_set(const struct vdso *v, const struct vdso_clock *clock)
{
	return write_clock(v, 0, clock, offsetof(struct vdso_clock, base_ns));
}

int vdso_set_moves(const struct vdso *v, const struct vdso_clock *clock)
{
	return write_clock(v, offsetof(struct vdso_clock, moves_ns), &clock->moves_ns, sizeof(clock->moves_ns));
}

void vdso_close(struct vdso *v)
{
	if (v->memory >= 0)
		close(v->memory);
	v->memory = -1;
}
