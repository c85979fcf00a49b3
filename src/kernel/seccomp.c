/* src/kernel/seccomp.c */
#include "kernel/seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"

#define FORMAT_VERSION  "1"
#define CACHE_BYTES_MAX (2U << 20)
#define INSNS_MAX       BPF_MAXINSNS
#define NAMES_MAX       4096
#define RULES_MAX       BPF_MAXINSNS /* each takes an instruction, and libseccomp its square of time */
#define X32_BIT         0x40000000

void seccomp_program_done(struct seccomp_program *program)
{
	free(program->insns);
	program->insns = NULL;
}

/* words of the specification */

static int action_parse(struct json_reader *rd, const json_t *obj, const char *key,
			const char *errno_key, uint32_t *ret)
{
	const char *text = json_need_string(rd, obj, key);
	uint32_t value = (uint32_t)json_read_int(rd, obj, errno_key, 0, 4095, EPERM);
	const struct {
		const char *name;
		uint32_t action;
	} actions[] = {
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
		{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(value) },
		{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
		{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
		{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(value) },
		{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, text) != 0)
			continue;
		*ret = actions[i].action;
		return 0;
	}
	json_fail(rd, key, "'%s' is not an action that is known here", text);
	return rd->r;
}

static enum scmp_compare compare_parse(struct json_reader *rd, const json_t *arg)
{
	static const struct {
		const char *name;
		enum scmp_compare op;
	} ops[] = {
		{ "SCMP_CMP_NE", SCMP_CMP_NE },
		{ "SCMP_CMP_LT", SCMP_CMP_LT },
		{ "SCMP_CMP_LE", SCMP_CMP_LE },
		{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
		{ "SCMP_CMP_GE", SCMP_CMP_GE },
		{ "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};
	const char *text = json_need_string(rd, arg, "op");

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (strcmp(ops[i].name, text) == 0)
			return ops[i].op;
	json_fail(rd, "op", "'%s' is not a comparison", text);
	return SCMP_CMP_EQ;
}

static unsigned flags_parse(struct json_reader *rd, const json_t *profile)
{
	static const struct {
		const char *name;
		unsigned flag;
	} flags[] = {
		{ "SECCOMP_FILTER_FLAG_TSYNC", 0 }, /* one thread: nothing to do */
		{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
		{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0 },
	};
	struct strv words = { 0 };
	unsigned result = 0;

	json_read_strings(rd, profile, "flags", &words);
	for (size_t i = 0; i < words.n; i++) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
			if (strcmp(flags[k].name, words.items[i]) != 0)
				continue;
			known = true;
			result |= flags[k].flag;
		}
		if (!known)
			json_fail(rd, "flags", "'%s' is not a flag that is known here",
				  words.items[i]);
	}
	strv_done(&words);
	return result;
}

/* compiling */

struct compiler {
	scmp_filter_ctx ctx;
	uint32_t default_action;
	int newest; /* largest native system call number that the profile names */
	size_t nrules;
	struct json_reader rd;
};

static void add_architectures(struct compiler *c, const json_t *profile)
{
	struct strv names = { 0 };

	json_read_strings(&c->rd, profile, "architectures", &names);
	for (size_t i = 0; i < names.n; i++) {
		char name[32] = "";
		uint32_t arch;

		/* "SCMP_ARCH_X86_64" is libseccomp's "x86_64". */
		for (size_t k = 0;
		     strlen(names.items[i]) > 10 && k + 1 < sizeof(name) && names.items[i][10 + k];
		     k++)
			name[k] = (char)(names.items[i][10 + k] | 0x20);
		for (char *p = name; *p; p++)
			if (*p == 0x7f)
				*p = '_';
		arch = seccomp_arch_resolve_name(name);
		if (strncmp(names.items[i], "SCMP_ARCH_", 10) != 0 || arch == 0)
			json_fail(&c->rd, "architectures", "'%s' is unknown", names.items[i]);
		else if (arch != SCMP_ARCH_NATIVE)
			(void)seccomp_arch_add(c->ctx, arch);
	}
	strv_done(&names);
}

static size_t read_args(struct compiler *c, const json_t *rule, struct scmp_arg_cmp args[6])
{
	const json_t *list = json_read_array(&c->rd, rule, "args"), *arg;
	size_t i, n = 0;

	json_array_foreach (list, i, arg) {
		struct json_place place = json_enter_index(&c->rd, i);

		if (n == 6) {
			json_fail(&c->rd, NULL, "more than six arguments");
			return n;
		}
		args[n].arg = (unsigned)json_read_int(&c->rd, arg, "index", 0, 5, 0);
		args[n].op = compare_parse(&c->rd, arg);
		args[n].datum_a =
			(uint64_t)json_read_int(&c->rd, arg, "value", INT64_MIN, INT64_MAX, 0);
		args[n].datum_b =
			(uint64_t)json_read_int(&c->rd, arg, "valueTwo", INT64_MIN, INT64_MAX, 0);
		n++;
		json_leave(&c->rd, place);
	}
	return n;
}

/* Several conditions on one argument are alternatives, as in libseccomp's older users (runc): each
 * is a rule of its own then.
 */
static bool has_repeated_index(const struct scmp_arg_cmp *args, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (args[i].arg == args[k].arg)
				return true;
	return false;
}

static void add_call(struct compiler *c, uint32_t action, int nr, const struct scmp_arg_cmp *args,
		     size_t n)
{
	bool several = has_repeated_index(args, n);
	int r = 0;

	c->nrules += several ? n : 1;
	if (c->nrules > RULES_MAX) {
		json_fail(&c->rd, NULL, "more than %d rules: no filter of the kernel holds them",
			  RULES_MAX);
		return;
	}
	if (!several)
		r = seccomp_rule_add_array(c->ctx, action, nr, (unsigned)n, args);
	else
		for (size_t i = 0; r == 0 && i < n; i++)
			r = seccomp_rule_add_array(c->ctx, action, nr, 1, &args[i]);
	if (r < 0)
		json_fail(&c->rd, NULL, "libseccomp refuses the rule: %s", strerror(-r));
}

static void add_rule(struct compiler *c, const json_t *rule)
{
	struct scmp_arg_cmp args[6] = { 0 };
	struct strv names = { 0 };
	uint32_t action = 0;
	size_t n;

	json_read_strings(&c->rd, rule, "names", &names);
	if (names.n > NAMES_MAX)
		json_fail(&c->rd, "names", "has more than %d names", NAMES_MAX);
	n = read_args(c, rule, args);
	if (action_parse(&c->rd, rule, "action", "errnoRet", &action) == 0 &&
	    action != c->default_action)
		for (size_t i = 0; c->rd.r == 0 && i < names.n; i++) {
			int nr = seccomp_syscall_resolve_name(names.items[i]);

			/* Profiles name calls of other architectures and of newer kernels. */
			if (nr == __NR_SCMP_ERROR)
				continue;
			c->newest = MAX(c->newest, nr);
			add_call(c, action, nr, args, n);
		}
	strv_done(&names);
}

static int export(struct compiler *c, struct seccomp_program *ret, struct error *err)
{
	autoclose int fd = memfd_create("seccomp", MFD_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "compile the seccomp profile");
	r = seccomp_export_bpf(c->ctx, fd);
	if (r < 0)
		return error_sys(err, r, "compile the seccomp profile");
	if (fstat(fd, &st) < 0 || st.st_size <= 0 ||
	    (size_t)st.st_size > INSNS_MAX * sizeof(struct sock_filter))
		return error_set(err, -E2BIG, "the seccomp profile is too large for the kernel");
	ret->n = (size_t)st.st_size / sizeof(struct sock_filter);
	ret->insns = xmalloc((size_t)st.st_size);
	if (pread(fd, ret->insns, (size_t)st.st_size, 0) != st.st_size)
		return error_sys(err, -EIO, "compile the seccomp profile");
	return 0;
}

/* A call that is newer than the profile fails with ENOSYS and not with the profile's errno, because
 * libc falls back to the older one only then.
 */
static void prepend_unknown(struct seccomp_program *p, uint32_t native_arch, int newest)
{
	const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, native_arch, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)newest, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct sock_filter *all;

	if (!p->insns || p->n + ARRAY_SIZE(head) > INSNS_MAX)
		return;
	all = xcalloc(p->n + ARRAY_SIZE(head), sizeof(*all));
	memcpy(all, head, sizeof(head));
	memcpy(all + ARRAY_SIZE(head), p->insns, p->n * sizeof(*all));
	free(p->insns);
	p->insns = all;
	p->n += ARRAY_SIZE(head);
}

static bool is_errno(uint32_t action)
{
	return (action & 0xffff0000U) == SCMP_ACT_ERRNO(0) && action != SCMP_ACT_ERRNO(ENOSYS);
}

static int compile(const json_t *profile, struct seccomp_program *ret, struct error *err)
{
	struct compiler c = { 0 };
	struct seccomp_program program = { 0 };
	const json_t *rules, *rule;
	size_t i;
	int r;

	json_reader_init(&c.rd, "linux.seccomp", err);
	(void)action_parse(&c.rd, profile, "defaultAction", "defaultErrnoRet", &c.default_action);
	if (c.rd.r < 0)
		return c.rd.r;
	c.ctx = seccomp_init(c.default_action);
	if (!c.ctx)
		return error_set(err, -EINVAL, "libseccomp refuses the profile's default action");
	/* We set no_new_privs ourselves if asked; a binary tree is three times faster to pass. */
	(void)seccomp_attr_set(c.ctx, SCMP_FLTATR_CTL_NNP, 0);
	(void)seccomp_attr_set(c.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	add_architectures(&c, profile);
	rules = json_read_array(&c.rd, profile, "syscalls");
	json_array_foreach (rules, i, rule) {
		struct json_place outer = json_enter(&c.rd, "syscalls");
		struct json_place place = json_enter_index(&c.rd, i);

		add_rule(&c, rule);
		json_leave(&c.rd, place);
		json_leave(&c.rd, outer);
	}
	r = c.rd.r < 0 ? c.rd.r : export(&c, &program, err);
	seccomp_release(c.ctx);
	if (r < 0) {
		seccomp_program_done(&program);
		return r;
	}
	if (is_errno(c.default_action) && c.newest > 0)
		prepend_unknown(&program, seccomp_arch_native(), c.newest);
	*ret = program;
	return 0;
}

/* the cache */

struct cache_header {
	char magic[8];
	uint32_t key_len, insns;
};

static const char cache_magic[8] = "strkscmp";

/* What the program depends on besides the profile: compiler, machine, and what we do to it. */
static char *cache_key(const json_t *profile)
{
	const struct scmp_version *version = seccomp_version();
	autofree char *text = json_dumps(profile, JSON_COMPACT | JSON_SORT_KEYS);

	return xasprintf(FORMAT_VERSION " %u.%u.%u %x %u %s", version->major, version->minor,
			 version->micro, seccomp_arch_native(), seccomp_api_get(),
			 text ? text : "");
}

static int cache_open(const char *dir)
{
	autoclose int fd = -1;
	struct stat st;

	if (!dir || dir_ensure_at(AT_FDCWD, dir, 0700, &fd, NULL) < 0)
		return -1;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || st.st_mode & 022)
		return -1;
	return steal_fd(&fd);
}

static bool cache_load(int dir, const char *name, const char *key, struct seccomp_program *ret)
{
	autofree char *bytes = NULL;
	struct cache_header header;
	size_t len, key_len = strlen(key);

	if (file_read_at(dir, name, CACHE_BYTES_MAX, &bytes, &len, NULL) < 0 ||
	    len < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	if (memcmp(header.magic, cache_magic, sizeof(cache_magic)) != 0 ||
	    header.key_len != key_len || header.insns == 0 || header.insns > INSNS_MAX ||
	    len != sizeof(header) + key_len + header.insns * sizeof(*ret->insns) ||
	    memcmp(bytes + sizeof(header), key, key_len) != 0)
		return false;
	ret->n = header.insns;
	ret->insns = xcalloc(ret->n, sizeof(*ret->insns));
	memcpy(ret->insns, bytes + sizeof(header) + key_len, ret->n * sizeof(*ret->insns));
	return true;
}

/* A cache that cannot be written is only slow. */
static void cache_save(int dir, const char *name, const char *key,
		       const struct seccomp_program *program)
{
	struct cache_header header = { .key_len = (uint32_t)strlen(key),
				       .insns = (uint32_t)program->n };
	size_t insns = program->n * sizeof(*program->insns);
	size_t len = sizeof(header) + header.key_len + insns;
	autofree char *bytes = xmalloc(len);

	memcpy(header.magic, cache_magic, sizeof(cache_magic));
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), key, header.key_len);
	memcpy(bytes + sizeof(header) + header.key_len, program->insns, insns);
	ignore_result(file_write_at(dir, name, bytes, len, 0600, FILE_PLAIN, NULL));
}

int seccomp_prepare(const json_t *profile, const char *cache_dir, struct seccomp_program *ret,
		    struct error *err)
{
	autofree char *key = cache_key(profile);
	autoclose int dir = cache_open(cache_dir);
	struct json_reader rd;
	unsigned flags;
	char name[32];
	int r = 0;

	(void)snprintf(name, sizeof(name), "%016llx",
		       (unsigned long long)hash_bytes(key, strlen(key)));
	json_reader_init(&rd, "linux.seccomp", err);
	flags = flags_parse(&rd, profile);
	if (rd.r < 0)
		return rd.r;
	if (dir < 0 || !cache_load(dir, name, key, ret)) {
		r = compile(profile, ret, err);
		if (r == 0 && dir >= 0)
			cache_save(dir, name, key, ret);
	}
	ret->flags = flags;
	return r;
}

int seccomp_enter(const struct seccomp_program *program, struct error *err)
{
	struct sock_fprog prog = { .len = (unsigned short)program->n, .filter = program->insns };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program->flags, &prog) < 0)
		return error_sys(err, -errno, "load the seccomp filter");
	return 0;
}

int seccomp_skip_syncs(void)
{
	static const int calls[] = { SCMP_SYS(sync), SCMP_SYS(syncfs), SCMP_SYS(fsync),
				     SCMP_SYS(fdatasync) };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(calls); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), calls[i], 0);
	if (r == 0)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return r;
}
