/* src/kernel/device_filter.c */
#include "kernel/device_filter.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "kernel/cgroup.h"

#define RULES_MAX 1000 /* well below BPF_MAXINSNS for a privileged loader */

struct program {
	struct bpf_insn *insns;
	size_t n, room;
};

static void add(struct program *p, struct bpf_insn insn)
{
	VEC_GROW(p->insns, p->n, p->room);
	p->insns[p->n++] = insn;
}

/* r[dst] = *(u32 *)(r[src] + off) */
static void load_word(struct program *p, uint8_t dst, uint8_t src, int16_t off)
{
	add(p, (struct bpf_insn) { .code = BPF_LDX | BPF_MEM | BPF_W,
				   .dst_reg = dst & 0xf,
				   .src_reg = src & 0xf,
				   .off = off });
}

static void alu_imm(struct program *p, uint8_t op, uint8_t dst, int32_t imm)
{
	add(p, (struct bpf_insn) {
		       .code = (uint8_t)(BPF_ALU | op | BPF_K), .dst_reg = dst & 0xf, .imm = imm });
}

static void move(struct program *p, uint8_t dst, uint8_t src)
{
	add(p, (struct bpf_insn) { .code = BPF_ALU | BPF_MOV | BPF_X,
				   .dst_reg = dst & 0xf,
				   .src_reg = src & 0xf });
}

/* Jumps out of the rule when r[reg] is not imm; the distance is filled in at the rule's end. */
static void unless_equal(struct program *p, uint8_t reg, int32_t imm)
{
	add(p, (struct bpf_insn) {
		       .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = reg & 0xf, .imm = imm });
}

static void unless_any(struct program *p, uint8_t reg)
{
	add(p, (struct bpf_insn) { .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = reg & 0xf });
}

static int32_t access_bits(const char *access)
{
	return (strchr(access, 'r') ? BPF_DEVCG_ACC_READ : 0) |
	       (strchr(access, 'w') ? BPF_DEVCG_ACC_WRITE : 0) |
	       (strchr(access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* r2: type, r3: access, r4: major, r5: minor. */
static void prologue(struct program *p)
{
	load_word(p, BPF_REG_2, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	move(p, BPF_REG_3, BPF_REG_2);
	alu_imm(p, BPF_AND, BPF_REG_2, 0xffff);
	alu_imm(p, BPF_RSH, BPF_REG_3, 16);
	load_word(p, BPF_REG_4, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major));
	load_word(p, BPF_REG_5, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor));
}

static void leave(struct program *p, int32_t value)
{
	add(p, (struct bpf_insn) {
		       .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = value });
	add(p, (struct bpf_insn) { .code = BPF_JMP | BPF_EXIT });
}

/* Each kind of access is decided by the last rule that names it: two rules for one device, one to
 * read and one to write, allow both.  r3 is what is still to be decided.
 */
static void add_rule(struct program *p, const struct cgroup_device_rule *rule)
{
	size_t start = p->n;
	int32_t bits = access_bits(rule->access);

	if (rule->type != 'a') {
		if (bits == 0)
			return;
		unless_equal(p, BPF_REG_2,
			     rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
		if (rule->major >= 0)
			unless_equal(p, BPF_REG_4, (int32_t)rule->major);
		if (rule->minor >= 0)
			unless_equal(p, BPF_REG_5, (int32_t)rule->minor);
		if (rule->allow) {
			alu_imm(p, BPF_AND, BPF_REG_3, ~bits & 7);
			unless_equal(p, BPF_REG_3, 0);
		} else {
			move(p, BPF_REG_1, BPF_REG_3);
			alu_imm(p, BPF_AND, BPF_REG_1, bits);
			unless_any(p, BPF_REG_1);
		}
	}
	leave(p, rule->allow);
	for (size_t i = start; i < p->n; i++)
		if (p->insns[i].code == (BPF_JMP | BPF_JNE | BPF_K) ||
		    p->insns[i].code == (BPF_JMP | BPF_JEQ | BPF_K))
			p->insns[i].off = (int16_t)(p->n - i - 1);
}

int device_filter_attach(int cgroup_fd, const struct cgroup_device_rule *rules, size_t n,
			 struct error *err)
{
	struct program p = { 0 };
	union bpf_attr load = { 0 }, attach = { 0 };
	autoclose int fd = -1;
	bool all = false;

	if (n > RULES_MAX)
		return error_set(err, -E2BIG, "more than %d device rules", RULES_MAX);
	prologue(&p);
	for (size_t i = n; i > 0; i--) {
		add_rule(&p, &rules[i - 1]);
		all = rules[i - 1].type == 'a';
		if (all) /* the verifier refuses what could never be reached */
			break;
	}
	if (!all)
		leave(&p, 0);
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uint64_t)(uintptr_t)p.insns;
	load.insn_cnt = (uint32_t)p.n;
	load.license = (uint64_t)(uintptr_t) "GPL";
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	free(p.insns);
	if (fd < 0)
		return error_sys(err, -errno, "load the device filter");
	attach.target_fd = (uint32_t)cgroup_fd;
	attach.attach_bpf_fd = (uint32_t)fd;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0)
		return error_sys(err, -errno, "attach the device filter to the cgroup");
	return 0;
}
