/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patching the vDSO of a process of the tool: the parts that every architecture shares. */
#include "vdso.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "remote.h"
#include "vdso_code.h"

#define IMAGE_MAX 16384

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

/* Memory that the process itself may not write: the kernel lets a tracer's equal do it through /proc. */
static int force_write(int memory, uint64_t address, const void *data, size_t length)
{
	ssize_t n = pwrite(memory, data, length, (off_t)address);

	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EIO;
}

static int redirect(int memory, uint64_t base, const struct symbol *from, uint64_t to)
{
	uint8_t jump[VDSO_JUMP_MAX];
	size_t n = vdso_jump(base + from->offset, to, jump);

	return n <= from->size ? force_write(memory, base + from->offset, jump, n) : -ENOEXEC;
}

int vdso_patch(pid_t pid, int64_t offset_ns, struct vdso *v)
{
	struct symbol clock, day, seconds;
	uint8_t image[IMAGE_MAX], signature[8];
	uint64_t base = 0, code;
	char path[64];
	int err;

	v->memory = -1;
	if (!vdso_code_size())
		return -ENOSYS;
	err = find_image(pid, &base);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	v->memory = open(path, O_RDWR | O_CLOEXEC);
	if (v->memory < 0)
		return -errno;
	/* One page at a time: the image may be shorter than the room for it. */
	for (size_t at = 0; at < sizeof(image); at += 4096) {
		if (pread(v->memory, image + at, 4096, (off_t)(base + at)) != 4096)
			memset(image + at, 0, 4096);
	}
	err = find_symbol(image, sizeof(image), VDSO_CLOCK_GETTIME, &clock);
	if (err || !inside(sizeof(image), clock.offset, vdso_code_size()))
		goto unknown;
	code = base + clock.offset;
	v->cell = code + vdso_code_cell();
	memcpy(signature, vdso_code() + vdso_code_signature(), sizeof(signature));
	if (memcmp(image + clock.offset + vdso_code_signature(), signature, sizeof(signature)) == 0)
		return vdso_set(v, offset_ns);
	if (clock.size < vdso_code_size())
		goto unknown;
	err = force_write(v->memory, code, vdso_code(), vdso_code_size());
	if (!err)
		err = vdso_set(v, offset_ns);
	if (!err && find_symbol(image, sizeof(image), VDSO_GETTIMEOFDAY, &day) == 0)
		err = redirect(v->memory, base, &day, code + vdso_code_gettimeofday());
	if (!err && VDSO_TIME && find_symbol(image, sizeof(image), VDSO_TIME, &seconds) == 0)
		err = redirect(v->memory, base, &seconds, code + vdso_code_time());
	if (err)
		vdso_close(v);
	return err;
unknown:
	vdso_close(v);
	return -ENOEXEC;
}

int vdso_set(const struct vdso *v, int64_t offset_ns)
{
	return force_write(v->memory, v->cell, &offset_ns, sizeof(offset_ns));
}

void vdso_close(struct vdso *v)
{
	if (v->memory >= 0)
		close(v->memory);
	v->memory = -1;
}
