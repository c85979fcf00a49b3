/* src/base/elf.c - 32 and 64 bit, the byte order of the host only.
 *
 * A view (bytes, len) is read through at(), which refuses what lies outside; all the rest is
 * arithmetic on values that came through it.
 */
#include "base/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/alloc.h"

#define PHDRS_MAX    256
#define DYNAMIC_MAX  4096
#define PATH_LEN_MAX 4096

struct view {
	const unsigned char *bytes;
	size_t len;
	bool wide; /* ELFCLASS64 */
};

struct segment {
	uint32_t type;
	uint64_t offset, address, size;
};

static const void *at(const struct view *v, uint64_t offset, uint64_t size)
{
	if (offset > v->len || size > v->len - offset)
		return NULL;
	return v->bytes + offset;
}

/* A NUL-terminated text that ends inside the file, or NULL. */
static const char *text_at(const struct view *v, uint64_t offset)
{
	const char *s = at(v, offset, 1);
	size_t room = s ? MIN(v->len - (size_t)offset, (size_t)PATH_LEN_MAX) : 0;

	return s && strnlen(s, room) < room ? s : NULL;
}

static bool segment_read(const struct view *v, uint64_t table, unsigned index, struct segment *ret)
{
	if (v->wide) {
		Elf64_Phdr p;
		const void *raw = at(v, table + (uint64_t)index * sizeof(p), sizeof(p));

		if (!raw)
			return false;
		memcpy(&p, raw, sizeof(p));
		*ret = (struct segment) { p.p_type, p.p_offset, p.p_vaddr, p.p_filesz };
	} else {
		Elf32_Phdr p;
		const void *raw = at(v, table + (uint64_t)index * sizeof(p), sizeof(p));

		if (!raw)
			return false;
		memcpy(&p, raw, sizeof(p));
		*ret = (struct segment) { p.p_type, p.p_offset, p.p_vaddr, p.p_filesz };
	}
	return true;
}

/* Where the byte that the program sees at this address lies in the file; UINT64_MAX if nowhere. */
static uint64_t file_offset(const struct segment *segments, unsigned n, uint64_t address)
{
	for (unsigned i = 0; i < n; i++) {
		const struct segment *s = &segments[i];

		if (s->type == PT_LOAD && address >= s->address && address - s->address < s->size)
			return s->offset + (address - s->address);
	}
	return UINT64_MAX;
}

static bool tag_read(const struct view *v, const struct segment *dynamic, unsigned index,
		     uint64_t *ret_tag, uint64_t *ret_value)
{
	uint64_t width = v->wide ? 8 : 4;
	uint64_t start = dynamic->offset + 2 * width * index;
	const unsigned char *raw;

	if (2 * width * (index + 1) > dynamic->size)
		return false;
	raw = at(v, start, 2 * width);
	if (!raw)
		return false;
	*ret_tag = *ret_value = 0;
	memcpy(ret_tag, raw, width);
	memcpy(ret_value, raw + width, width);
	return true;
}

static void take_tag(const struct view *v, uint64_t strings, uint64_t tag, uint64_t value,
		     struct elf *elf)
{
	const char *text;

	if (tag != DT_NEEDED && tag != DT_RPATH && tag != DT_RUNPATH)
		return;
	text = strings == UINT64_MAX || value > v->len ? NULL : text_at(v, strings + value);
	if (!text)
		return;
	if (tag == DT_NEEDED && elf->needed.n < ELF_NEEDED_MAX)
		strv_add(&elf->needed, text);
	else if (tag == DT_RPATH && !elf->rpath)
		elf->rpath = xstrdup(text);
	else if (tag == DT_RUNPATH && !elf->runpath)
		elf->runpath = xstrdup(text);
}

static void read_dynamic(const struct view *v, const struct segment *segments, unsigned n,
			 const struct segment *dynamic, struct elf *elf)
{
	uint64_t strings = UINT64_MAX, tag, value;

	for (unsigned i = 0; i < DYNAMIC_MAX && tag_read(v, dynamic, i, &tag, &value); i++) {
		if (tag == DT_STRTAB)
			strings = file_offset(segments, n, value);
		if (tag == DT_NULL)
			break;
	}
	for (unsigned i = 0; i < DYNAMIC_MAX && tag_read(v, dynamic, i, &tag, &value); i++) {
		if (tag == DT_NULL)
			break;
		take_tag(v, strings, tag, value, elf);
	}
}

/* The header fields that both classes have, at their own places. */
static bool header_read(const struct view *v, uint64_t *ret_table, unsigned *ret_count)
{
	if (v->wide) {
		const Elf64_Ehdr *h = at(v, 0, sizeof(*h));

		if (!h)
			return false;
		memcpy(ret_table, (const char *)h + offsetof(Elf64_Ehdr, e_phoff), 8);
		*ret_count = h->e_phentsize == sizeof(Elf64_Phdr) ? h->e_phnum : 0;
	} else {
		const Elf32_Ehdr *h = at(v, 0, sizeof(*h));

		if (!h)
			return false;
		*ret_table = h->e_phoff;
		*ret_count = h->e_phentsize == sizeof(Elf32_Phdr) ? h->e_phnum : 0;
	}
	return *ret_count > 0 && *ret_count <= PHDRS_MAX;
}

static int read_segments(const struct view *v, const char *what, struct elf *elf, struct error *err)
{
	struct segment segments[PHDRS_MAX];
	uint64_t table = 0;
	unsigned n = 0;

	if (!header_read(v, &table, &n) || table > v->len)
		return error_set(err, -EBADMSG, "%s: damaged ELF header", what);
	for (unsigned i = 0; i < n; i++)
		if (!segment_read(v, table, i, &segments[i]))
			return error_set(err, -EBADMSG, "%s: ELF program headers end too early",
					 what);
	for (unsigned i = 0; i < n; i++) {
		if (segments[i].type == PT_INTERP && !elf->interp) {
			const char *text = text_at(v, segments[i].offset);

			if (!text || text[0] != '/')
				return error_set(err, -EBADMSG, "%s: damaged loader name", what);
			elf->interp = xstrdup(text);
			elf->dynamic = true;
		}
		if (segments[i].type == PT_DYNAMIC) {
			elf->dynamic = true;
			read_dynamic(v, segments, n, &segments[i], elf);
		}
	}
	return 0;
}

int elf_parse(const unsigned char *bytes, size_t len, const char *what, struct elf *ret,
	      struct error *err)
{
	struct view v = { .bytes = bytes, .len = len };
	struct elf elf = { 0 };
	uint16_t probe = 1;
	bool little = *(unsigned char *)&probe == 1;
	int r;

	if (len < EI_NIDENT + 4 || memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return error_set(err, -ENOEXEC, "%s is not an ELF executable", what);
	memcpy(&elf.machine, bytes + offsetof(Elf64_Ehdr, e_machine), sizeof(elf.machine));
	if ((bytes[EI_DATA] == ELFDATA2LSB) != little) {
		elf.machine = (uint16_t)(elf.machine << 8 | elf.machine >> 8);
		*ret = elf;
		return 0;
	}
	v.wide = bytes[EI_CLASS] == ELFCLASS64;
	r = read_segments(&v, what, &elf, err);
	if (r < 0) {
		elf_done(&elf);
		return r;
	}
	*ret = elf;
	return 0;
}

int elf_load_at(int dirfd, const char *path, struct elf *ret, struct error *err)
{
	autoclose int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *bytes;
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "open %s", path);
	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "read %s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, -ENOEXEC, "%s is not a regular file", path);
	if (st.st_size == 0)
		return error_set(err, -ENOEXEC, "%s is empty", path);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return error_sys(err, -errno, "map %s", path);
	r = elf_parse(bytes, (size_t)st.st_size, path, ret, err);
	(void)munmap(bytes, (size_t)st.st_size);
	return r;
}

void elf_done(struct elf *elf)
{
	free(elf->interp);
	free(elf->rpath);
	free(elf->runpath);
	strv_done(&elf->needed);
	*elf = (struct elf) { 0 };
}

uint16_t elf_host_machine(void)
{
#if defined(__x86_64__)
	return EM_X86_64;
#elif defined(__aarch64__)
	return EM_AARCH64;
#elif defined(__riscv)
	return EM_RISCV;
#elif defined(__powerpc64__)
	return EM_PPC64;
#elif defined(__s390x__)
	return EM_S390;
#elif defined(__arm__)
	return EM_ARM;
#elif defined(__i386__)
	return EM_386;
#else
	return EM_NONE;
#endif
}

const char *elf_machine_name(uint16_t machine)
{
	switch (machine) {
	case EM_X86_64:
		return "amd64";
	case EM_AARCH64:
		return "arm64";
	case EM_RISCV:
		return "riscv64";
	case EM_PPC64:
		return "ppc64le";
	case EM_S390:
		return "s390x";
	case EM_ARM:
		return "arm";
	case EM_386:
		return "386";
	case EM_MIPS:
		return "mips";
	default:
		return "unknown";
	}
}
