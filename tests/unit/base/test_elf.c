/* tests/unit/base/test_elf.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <string.h>

#include "base/elf.h"

#define TEXT_AT 0x400

/* An executable with a loader, two libraries and a search path; its texts lie at TEXT_AT. */
struct sample {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	Elf64_Dyn dynamic[5];
	char gap[TEXT_AT - sizeof(Elf64_Ehdr) - 3 * sizeof(Elf64_Phdr) - 5 * sizeof(Elf64_Dyn)];
	char texts[64];
};

static struct sample sample_new(void)
{
	struct sample s = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			    .e_type = ET_DYN,
			    .e_machine = EM_AARCH64,
			    .e_phoff = sizeof(Elf64_Ehdr),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = 3 },
		.segments = { { .p_type = PT_LOAD, .p_vaddr = 0x10000, .p_filesz = sizeof(s) },
			      { .p_type = PT_INTERP, .p_offset = TEXT_AT + 1, .p_filesz = 7 },
			      { .p_type = PT_DYNAMIC,
				.p_offset = offsetof(struct sample, dynamic),
				.p_filesz = sizeof(s.dynamic) } },
		.dynamic = { { DT_NEEDED, { 9 } },
			     { DT_NEEDED, { 14 } },
			     { DT_RUNPATH, { 19 } },
			     { DT_STRTAB, { 0x10000 + TEXT_AT } },
			     { DT_NULL, { 0 } } },
		.texts = "\0/ld.so\0\0a.so\0b.so\0/lib",
	};

	return s;
}

static int parse(const struct sample *s, struct elf *ret)
{
	return elf_parse((const unsigned char *)s, sizeof(*s), "sample", ret, NULL);
}

static void what_it_needs_is_read(void **state)
{
	const struct sample s = sample_new();
	struct elf elf;

	(void)state;
	assert_int_equal(parse(&s, &elf), 0);
	assert_int_equal(elf.machine, EM_AARCH64);
	assert_true(elf.dynamic);
	assert_string_equal(elf.interp, "/ld.so");
	assert_int_equal(elf.needed.n, 2);
	assert_string_equal(elf.needed.items[0], "a.so");
	assert_string_equal(elf.needed.items[1], "b.so");
	assert_string_equal(elf.runpath, "/lib");
	assert_null(elf.rpath);
	elf_done(&elf);
}

static void our_own_file_is_read(void **state)
{
	struct elf elf;

	(void)state;
	assert_int_equal(elf_load_at(AT_FDCWD, "/proc/self/exe", &elf, NULL), 0);
	assert_int_equal(elf.machine, elf_host_machine());
	elf_done(&elf);
	assert_int_equal(elf_load_at(AT_FDCWD, "/dev/null", &elf, NULL), -ENOEXEC);
	assert_int_equal(elf_load_at(AT_FDCWD, "/nowhere", &elf, NULL), -ENOENT);
}

static void damage_is_refused_or_ignored(void **state)
{
	struct sample s;
	struct elf elf;

	(void)state;
	s = sample_new();
	s.header.e_ident[0] = 'X';
	assert_int_equal(parse(&s, &elf), -ENOEXEC);
	s = sample_new();
	s.header.e_phoff = UINT64_MAX - 8;
	assert_int_equal(parse(&s, &elf), -EBADMSG);
	s = sample_new();
	s.header.e_phnum = 0xffff;
	assert_int_equal(parse(&s, &elf), -EBADMSG);
	s = sample_new();
	s.header.e_phentsize = 1;
	assert_int_equal(parse(&s, &elf), -EBADMSG);
	s = sample_new();
	s.segments[1].p_offset = UINT64_MAX;
	assert_int_equal(parse(&s, &elf), -EBADMSG);
	s = sample_new();
	memset(s.texts, 'x', sizeof(s.texts));
	assert_int_equal(parse(&s, &elf), -EBADMSG);
	s = sample_new();
	s.segments[2].p_offset = UINT64_MAX - 4;
	s.dynamic[3].d_un.d_ptr = UINT64_MAX;
	assert_int_equal(parse(&s, &elf), 0);
	assert_int_equal(elf.needed.n, 0);
	elf_done(&elf);
	s = sample_new();
	s.dynamic[0].d_un.d_val = UINT64_MAX - TEXT_AT;
	s.dynamic[3].d_un.d_ptr = 1;
	assert_int_equal(parse(&s, &elf), 0);
	assert_int_equal(elf.needed.n, 0);
	elf_done(&elf);
}

static void every_cut_is_survived(void **state)
{
	const struct sample s = sample_new();

	(void)state;
	for (size_t len = 0; len < sizeof(s); len++) {
		autofree unsigned char *bytes = malloc(len ? len : 1);
		struct elf elf = { 0 };

		memcpy(bytes, &s, len);
		if (elf_parse(bytes, len, "cut", &elf, NULL) == 0)
			elf_done(&elf);
	}
}

static void another_byte_order_only_tells_its_machine(void **state)
{
	struct sample s = sample_new();
	struct elf elf;

	(void)state;
	s.header.e_ident[EI_DATA] = ELFDATA2MSB;
	s.header.e_machine = EM_S390 << 8;
	assert_int_equal(parse(&s, &elf), 0);
	assert_int_equal(elf.machine, EM_S390);
	assert_null(elf.interp);
	assert_string_equal(elf_machine_name(elf.machine), "s390x");
	assert_string_equal(elf_machine_name(0xffff), "unknown");
	elf_done(&elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_needs_is_read),
		cmocka_unit_test(our_own_file_is_read),
		cmocka_unit_test(damage_is_refused_or_ignored),
		cmocka_unit_test(every_cut_is_survived),
		cmocka_unit_test(another_byte_order_only_tells_its_machine),
	};

	return cmocka_run_group_tests_name("base/elf", tests, NULL, NULL);
}
