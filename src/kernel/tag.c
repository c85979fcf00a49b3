/* src/kernel/tag.c */
#include "kernel/tag.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "kernel/wire.h"

#define TCX_INGRESS 46   /* BPF_TCX_INGRESS, newer than Debian 12's linux/bpf.h */
#define PASS        (-1) /* TCX_NEXT */
#define DROP        2
#define VID_MASK    0xfff

struct program {
	struct bpf_insn *insns;
	size_t n, room;
};

static void add(struct program *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	VEC_GROW(p->insns, p->n, p->room);
	p->insns[p->n++] = (struct bpf_insn) {
		.code = code, .dst_reg = dst & 0xf, .src_reg = src & 0xf, .off = off, .imm = imm
	};
}

static void set(struct program *p, uint8_t reg, int32_t value)
{
	add(p, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value);
}

static void copy(struct program *p, uint8_t to, uint8_t from)
{
	add(p, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

static void call(struct program *p, int32_t function)
{
	add(p, BPF_JMP | BPF_CALL, 0, 0, 0, function);
}

static void leave(struct program *p, int32_t verdict)
{
	set(p, BPF_REG_0, verdict);
	add(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void redirect(struct program *p, int index)
{
	set(p, BPF_REG_1, index);
	set(p, BPF_REG_2, 0);
	call(p, BPF_FUNC_redirect);
	add(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void pop(struct program *p)
{
	copy(p, BPF_REG_1, BPF_REG_6);
	call(p, BPF_FUNC_skb_vlan_pop);
}

/* Skips count instructions unless reg is value. */
static void unless(struct program *p, uint8_t reg, int32_t value, int16_t count)
{
	add(p, BPF_JMP | BPF_JNE | BPF_K, reg, 0, count, value);
}

/* r6: the frame; r7: its VLAN, when the jump over the untagged case was taken.  Returns where that
 * jump is, to be given its distance.
 */
static size_t prologue(struct program *p)
{
	size_t jump;

	copy(p, BPF_REG_6, BPF_REG_1);
	add(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_6,
	    offsetof(struct __sk_buff, vlan_present), 0);
	jump = p->n;
	unless(p, BPF_REG_0, 0, 0);
	return jump;
}

static void tagged_from_here(struct program *p, size_t jump)
{
	p->insns[jump].off = (int16_t)(p->n - jump - 1);
	add(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_7, BPF_REG_6,
	    offsetof(struct __sk_buff, vlan_tci), 0);
	add(p, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_7, 0, 0, VID_MASK);
}

static int load(const struct program *p)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS,
				.insns = (uint64_t)(uintptr_t)p->insns,
				.insn_cnt = (uint32_t)p->n,
				.license = (uint64_t)(uintptr_t) "GPL" };
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

/* The kernel looks for the link in the namespace of the caller. */
static int attach(int program, int netns, int index)
{
	autoclose int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	union bpf_attr attr = { 0 };
	int r = 0;

	attr.target_fd = (uint32_t)index; /* target_ifindex in newer headers: the same place */
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = TCX_INGRESS;

	if (home < 0 || setns(netns, CLONE_NEWNET) < 0)
		return -errno;
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0)
		r = -errno;
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* going on in the wrong network would be worse */
	return r;
}

static int load_and_attach(struct program *p, const struct wire_place *at, int index,
			   const char *name, struct error *err)
{
	autoclose int fd = load(p);
	int r = fd < 0 ? fd : attach(fd, at->fd, index);

	free(p->insns);
	if (r == -EINVAL)
		return error_set(
			err, r,
			"attach a program for VLAN tags to %s of %s: this needs Linux 6.6, or one "
			"with 802.1Q links and VLAN filtering of bridges",
			name, at->name);
	return r < 0 ? error_sys(err, r, "attach a program for VLAN tags to %s of %s", name,
				 at->name)
		     : 0;
}

/* One way or the other: the verifier refuses what is never reached. */
static void untagged(struct program *p, const struct tag_leg *legs, size_t n, int32_t verdict)
{
	for (size_t i = 0; i < n; i++)
		if (legs[i].untagged) {
			redirect(p, legs[i].index);
			return;
		}
	leave(p, verdict);
}

int tag_split(const struct wire_place *at, int port, const char *name, const struct tag_leg *legs,
	      size_t n, bool others_pass, struct error *err)
{
	const int32_t verdict = others_pass ? PASS : DROP;
	struct program p = { 0 };
	size_t jump;

	if (n > TAG_LEGS_MAX)
		return error_set(err, -E2BIG, "%s of %s carries more than %d VLANs", name, at->name,
				 TAG_LEGS_MAX);
	if (explain_note("%s of %s: a program takes the tags off and sends each VLAN its way", name,
			 at->name))
		return 0;
	jump = prologue(&p);
	untagged(&p, legs, n, verdict);
	tagged_from_here(&p, jump);
	for (size_t i = 0; i < n; i++) {
		unless(&p, BPF_REG_7, legs[i].vlan, 6);
		pop(&p);
		redirect(&p, legs[i].index);
	}
	leave(&p, verdict);
	return load_and_attach(&p, at, port, name, err);
}

int tag_join(const struct wire_place *at, const struct tag_leg *leg, int port, const char *name,
	     struct error *err)
{
	struct program p = { 0 };

	if (explain_note("%s of %s: a program %s", name, at->name,
			 leg->untagged ? "sends frames on as they are" : "puts the tag on"))
		return 0;
	copy(&p, BPF_REG_6, BPF_REG_1);
	if (!leg->untagged) {
		copy(&p, BPF_REG_1, BPF_REG_6);
		set(&p, BPF_REG_2, htons(ETH_P_8021Q));
		set(&p, BPF_REG_3, leg->vlan);
		call(&p, BPF_FUNC_skb_vlan_push);
	}
	redirect(&p, port);
	return load_and_attach(&p, at, leg->index, name, err);
}

int tag_guard(const struct wire_place *at, int port, const char *name, uint16_t vlan,
	      struct error *err)
{
	struct program p = { 0 };
	size_t jump;

	if (explain_note("%s of %s: a program lets no other VLAN in than %u", name, at->name, vlan))
		return 0;
	jump = prologue(&p);
	leave(&p, PASS);
	tagged_from_here(&p, jump);
	/* 0 is a tag with a priority and no VLAN. */
	unless(&p, BPF_REG_7, 0, 4);
	pop(&p);
	leave(&p, PASS);
	unless(&p, BPF_REG_7, vlan, 4);
	pop(&p);
	leave(&p, PASS);
	leave(&p, DROP);
	return load_and_attach(&p, at, port, name, err);
}
