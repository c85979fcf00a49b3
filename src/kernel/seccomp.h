/* src/kernel/seccomp.h - an OCI seccomp profile as a BPF program, compiled once.
 *
 * Compiling takes libseccomp milliseconds, loading microseconds.  So programs are kept in a cache
 * directory; a cache file holds the whole profile it was made from, which is compared byte by byte,
 * so that two profiles can never be mistaken for each other, whatever their hash.
 */
#ifndef KERNEL_SECCOMP_H
#define KERNEL_SECCOMP_H

#include <jansson.h>
#include <linux/filter.h>
#include <stdbool.h>

#include "base/error.h"

struct seccomp_program {
	struct sock_filter *insns; /* owned; NULL: no filter */
	size_t n;
	unsigned flags; /* of seccomp(2), SECCOMP_FILTER_FLAG_* */
};

/* profile is linux.seccomp of config.json (config-linux.md "Seccomp").  cache_dir may be NULL; it
 * is made if missing, and only trusted if it is ours alone.
 */
int seccomp_prepare(const json_t *profile, const char *cache_dir, struct seccomp_program *ret,
		    struct error *err) must_check;
void seccomp_program_done(struct seccomp_program *program);

/* For the calling process, once and for ever.  Needs no_new_privs or CAP_SYS_ADMIN. */
int seccomp_enter(const struct seccomp_program *program, struct error *err) must_check;
/* Whether it lets system call nr of this machine through whose arguments are all 0; yes if there is
 * no filter.
 */
bool seccomp_allows(const struct seccomp_program *program, int nr);

/* For a program whose files the caller syncs: its sync(), syncfs(), fsync() and fdatasync() do
 * nothing from here on.  Of the calling thread and what it becomes; -errno: all is as it was.
 */
int seccomp_skip_syncs(void);

#endif
