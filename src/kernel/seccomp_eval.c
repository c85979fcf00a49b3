/* src/kernel/seccomp_eval.c - asks a compiled filter; seccomp(2), linux/filter.h */
#include <linux/seccomp.h>
#include <string.h>

#include "base/elf.h"
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

/* The few instructions that libseccomp makes; with any other the answer is no. */
bool seccomp_allows(const struct seccomp_program *program, int nr)
{
	const struct seccomp_data data = { .nr = nr, .arch = AUDIT_64_LE | elf_host_machine() };
	uint32_t a = 0;

	for (size_t pc = 0; pc < program->n; pc++) {
		const struct sock_filter *i = &program->insns[pc];

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			if (i->k > sizeof(data) - sizeof(a))
				return false;
			memcpy(&a, (const char *)&data + i->k, sizeof(a));
			break;
		case BPF_JMP:
			pc += BPF_OP(i->code) == BPF_JA ? i->k : jumps(i, a) ? i->jt : i->jf;
			break;
		case BPF_ALU:
			a &= i->k;
			break;
		case BPF_RET:
			return (i->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW ||
			       (i->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_LOG;
		default:
			return false;
		}
	}
	return program->n == 0;
}
