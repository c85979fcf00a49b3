/* src/base/elf.h - what an executable needs before its first instruction: machine, loader,
 * libraries.
 *
 * Reads ELF headers (System V ABI, chapters 4 and 5) from bytes in memory; the file is hostile, so
 * every offset is checked against len and counts are capped.  Nothing is ever executed (ldd is).
 */
#ifndef BASE_ELF_H
#define BASE_ELF_H

#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

#define ELF_NEEDED_MAX 512 /* libraries named by one file; real ones have fewer than 100 */

struct elf {
	uint16_t machine;   /* EM_X86_64, ... */
	bool dynamic;       /* has a dynamic section or a loader */
	char *interp;       /* PT_INTERP, "/lib64/ld-linux-x86-64.so.2", or NULL */
	char *rpath;        /* DT_RPATH or NULL */
	char *runpath;      /* DT_RUNPATH or NULL */
	struct strv needed; /* DT_NEEDED, in order */
};

/* -ENOEXEC: not ELF at all; -EBADMSG: damaged.  what names the file in the error. */
int elf_parse(const unsigned char *bytes, size_t len, const char *what, struct elf *ret,
	      struct error *err) must_check;
int elf_load_at(int dirfd, const char *path, struct elf *ret, struct error *err) must_check;
void elf_done(struct elf *elf);

uint16_t elf_host_machine(void);
const char *elf_machine_name(uint16_t machine); /* "amd64", "arm64", ..., "unknown" */

#endif
