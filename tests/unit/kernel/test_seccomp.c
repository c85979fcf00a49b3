/* tests/unit/kernel/test_seccomp.c - programs are run here, by a small interpreter, never entered
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <elf.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../scratch.h"
#include "base/buf.h"
#include "base/elf.h"
#include "base/json.h"
#include "kernel/seccomp.h"

#define AUDIT_64_LE 0xc0000000U /* linux/audit.h: 64 bit, little endian, and the ELF machine */

static bool jumps(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	default:
		return (a & i->k) != 0;
	}
}

/* What the kernel would do; every jump must end inside. */
static uint32_t run(const struct seccomp_program *p, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < p->n; pc++) {
		const struct sock_filter *i = &p->insns[pc];

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			assert_true(i->k <= sizeof(*data) - 4);
			memcpy(&a, (const char *)data + i->k, 4);
			break;
		case BPF_JMP:
			pc += BPF_OP(i->code) == BPF_JA ? i->k : jumps(i, a) ? i->jt : i->jf;
			break;
		case BPF_ALU:
			assert_int_equal(BPF_OP(i->code), BPF_AND);
			a &= i->k;
			break;
		case BPF_RET:
			return i->k;
		default:
			fail_msg("instruction %x", i->code);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

static uint32_t verdict(const struct seccomp_program *p, int nr, uint64_t arg)
{
	const struct seccomp_data data = { .nr = nr,
					   .arch = AUDIT_64_LE | elf_host_machine(),
					   .args = { arg } };

	return run(p, &data);
}

static int prepare(const char *text, const char *cache, struct seccomp_program *ret,
		   struct error *err)
{
	cleanup(json_cleanup) json_t *profile = NULL;

	assert_int_equal(json_load_bytes(text, strlen(text), "profile", &profile, NULL), 0);
	return seccomp_prepare(profile, cache, ret, err);
}

static const char profile[] =
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
	"{\"names\":[\"read\",\"openat2\",\"no_such_call\"],\"action\":\"SCMP_ACT_ALLOW\"},"
	"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":13},"
	"{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\","
	"\"args\":[{\"index\":0,\"value\":8,\"op\":\"SCMP_CMP_EQ\"}]},"
	"{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\","
	"\"args\":[{\"index\":0,\"value\":2114060288,\"valueTwo\":0,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}";

static void rules_become_verdicts(void **state)
{
	static const struct {
		int nr;
		uint64_t arg;
		uint32_t verdict;
	} cases[] = {
		{ SYS_read, 0, SECCOMP_RET_ALLOW },
		{ SYS_openat2, 0, SECCOMP_RET_ALLOW },
		{ SYS_write, 0, SECCOMP_RET_ERRNO | EPERM },
		{ SYS_mount, 0, SECCOMP_RET_ERRNO | EACCES },
		{ SYS_personality, 8, SECCOMP_RET_ALLOW },
		{ SYS_personality, 9, SECCOMP_RET_ERRNO | EPERM },
		{ SYS_personality, 8 | 1ULL << 32, SECCOMP_RET_ERRNO | EPERM },
		{ SYS_clone, 17, SECCOMP_RET_ALLOW },
		{ SYS_clone, 17 | 0x10000000, SECCOMP_RET_ERRNO | EPERM }, /* CLONE_NEWUSER */
		{ 9999, 0, SECCOMP_RET_ERRNO | ENOSYS },
	};
	struct seccomp_program program = { .n = 0 };

	(void)state;
	if (elf_host_machine() != EM_X86_64 && elf_host_machine() != EM_AARCH64)
		skip();
	assert_int_equal(prepare(profile, NULL, &program, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t got = verdict(&program, cases[i].nr, cases[i].arg);

		if (got != cases[i].verdict)
			fail_msg("call %d(%llx): %x", cases[i].nr, (unsigned long long)cases[i].arg,
				 got);
	}
	seccomp_program_done(&program);
}

static void another_architecture_gets_nothing(void **state)
{
	const struct seccomp_data data = { .nr = SYS_read, .arch = 0x40000003 /* i386 */ };
	struct seccomp_program program = { .n = 0 };

	(void)state;
	assert_int_equal(prepare(profile, NULL, &program, NULL), 0);
	assert_int_not_equal(run(&program, &data), SECCOMP_RET_ALLOW);
	seccomp_program_done(&program);
}

static void refusals_name_the_place(void **state)
{
	static const struct {
		const char *text, *place;
	} cases[] = {
		{ "{}", "linux.seccomp: defaultAction" },
		{ "{\"defaultAction\":\"ALLOW\"}", "defaultAction" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4096}",
		  "defaultErrnoRet" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}", "flags" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"]}]}",
		  "syscalls[0].action" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],"
		  "\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":6,\"op\":\"SCMP_CMP_EQ\"}]}]}",
		  "index" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],"
		  "\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"op\":\"==\"}]}]}",
		  "op" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":{}}", "syscalls" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seccomp_program program = { .n = 0 };
		struct error err = { 0 };

		if (prepare(cases[i].text, NULL, &program, &err) >= 0)
			fail_msg("%s is taken", cases[i].text);
		if (!strstr(err.text, cases[i].place))
			fail_msg("'%s' says nothing of '%s'", err.text, cases[i].place);
		assert_null(program.insns);
	}
}

/* The name of the only file in dir; "" for none. */
static void only_file(const char *dir, char ret[256])
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	ret[0] = '\0';
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			(void)snprintf(ret, 256, "%s", entry->d_name);
	if (d)
		(void)closedir(d);
}

static void a_cache_file_is_believed_only_if_it_fits(void **state)
{
	autofree char *cache = xasprintf("%s/cache", (const char *)*state);
	struct seccomp_program first = { .n = 0 }, second = { .n = 0 }, third = { .n = 0 };
	char name[256];

	assert_int_equal(prepare(profile, cache, &first, NULL), 0);
	only_file(cache, name);
	assert_string_not_equal(name, "");
	assert_int_equal(prepare(profile, cache, &second, NULL), 0);
	assert_int_equal(first.n, second.n);
	assert_memory_equal(first.insns, second.insns, first.n * sizeof(*first.insns));
	scratch_put(cache, name, "strkscmp: not what was written");
	assert_int_equal(prepare(profile, cache, &third, NULL), 0);
	assert_int_equal(first.n, third.n);
	assert_memory_equal(first.insns, third.insns, first.n * sizeof(*first.insns));
	seccomp_program_done(&first);
	seccomp_program_done(&second);
	seccomp_program_done(&third);
}

static void a_cache_that_others_may_write_is_not_used(void **state)
{
	autofree char *cache = xasprintf("%s/cache", (const char *)*state);
	struct seccomp_program program = { .n = 0 };
	char name[256];

	assert_int_equal(mkdir(cache, 0700), 0);
	assert_int_equal(chmod(cache, 0722), 0);
	assert_int_equal(prepare(profile, cache, &program, NULL), 0);
	only_file(cache, name);
	assert_string_equal(name, "");
	seccomp_program_done(&program);
}

static void too_many_names_are_refused(void **state)
{
	struct buf text = BUF_INIT(1U << 20);
	struct seccomp_program program = { .n = 0 };
	struct error err = { 0 };

	(void)state;
	buf_add_str(&text, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
			   "{\"action\":\"SCMP_ACT_ALLOW\",\"names\":[\"read\"");
	for (int i = 0; i < 4096; i++)
		buf_add_str(&text, ",\"read\"");
	buf_add_str(&text, "]}]}");
	assert_true(prepare(buf_text(&text), NULL, &program, &err) < 0);
	assert_non_null(strstr(err.text, "names"));
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_become_verdicts),
		cmocka_unit_test(another_architecture_gets_nothing),
		cmocka_unit_test(refusals_name_the_place),
		cmocka_unit_test(too_many_names_are_refused),
		cmocka_unit_test_setup_teardown(a_cache_file_is_believed_only_if_it_fits,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_cache_that_others_may_write_is_not_used,
						scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("kernel/seccomp", tests, NULL, NULL);
}
