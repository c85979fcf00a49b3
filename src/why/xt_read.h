/* src/why/xt_read.h - what iptables-save, ip6tables-save and ebtables-save print, into the model.
 *
 * A table that nft_read() has seen is the same one told again in its own language: its chains keep
 * hooks, priorities and handles, and its rules are understood from here.
 */
#ifndef WHY_XT_READ_H
#define WHY_XT_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "why/ruleset.h"

struct xt_said {
	const char *text;
	size_t len;
	const char *what; /* names it in errors */
	/* As the first line says, unless is_known. */
	bool is_known;
	enum family family;
	enum backend backend;
};

/* -EBADMSG with line and column.  After nft_read(), if there is something for it. */
int xt_read(struct ruleset *rs, const struct xt_said *said, struct error *err) must_check;
/* Whether a text looks like one of these. */
bool xt_looks_like(const char *text, size_t len);

#endif
