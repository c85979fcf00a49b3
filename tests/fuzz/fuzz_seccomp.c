/* tests/fuzz/fuzz_seccomp.c - a profile; what comes out must be a program that the kernel takes */
#include "base/json.h"
#include "fuzz.h"
#include "kernel/seccomp.h"

/* Every jump ends inside, and the last instruction leaves. */
static void check(const struct seccomp_program *p)
{
	fuzz_must(p->n > 0 && p->n <= BPF_MAXINSNS);
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *f = &p->insns[i];

		if (BPF_CLASS(f->code) != BPF_JMP)
			continue;
		if (BPF_OP(f->code) == BPF_JA)
			fuzz_must(f->k < p->n - i - 1);
		else
			fuzz_must(f->jt < p->n - i - 1 && f->jf < p->n - i - 1);
	}
	fuzz_must(BPF_CLASS(p->insns[p->n - 1].code) == BPF_RET);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct seccomp_program program = { .n = 0 };
	struct error err = { 0 };

	if (json_load_bytes((const char *)data, size, "profile", &doc, NULL) < 0)
		return 0;
	if (seccomp_prepare(doc, NULL, &program, &err) < 0)
		fuzz_must(err.text[0] && !program.insns);
	else
		check(&program);
	seccomp_program_done(&program);
	return 0;
}
