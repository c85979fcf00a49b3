/* tests/fuzz/fuzz_elf.c */
#include "base/elf.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf elf = { 0 };
	struct error err = { 0 };
	int r = elf_parse(data, size, "fuzz", &elf, &err);

	fuzz_must(r == 0 || ((r == -ENOEXEC || r == -EBADMSG) && err.text[0]));
	if (r == 0) {
		fuzz_must(elf.needed.n <= ELF_NEEDED_MAX && (!elf.interp || elf.interp[0] == '/'));
		elf_done(&elf);
	}
	return 0;
}
