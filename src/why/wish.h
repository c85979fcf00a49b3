/* src/why/wish.h - what a layman wants of a firewall, in a line, as the rules that do it: "block
 * source 192.0.2.9", "allow in tcp 80,443".
 */
#ifndef WHY_WISH_H
#define WHY_WISH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "why/value.h"

struct strv;

enum wish_way { WISH_IN, WISH_OUT, WISH_THROUGH };

struct wish {
	bool allows;
	enum wish_way way;
	struct range from, to;
	bool has_from, has_to, v6;
	u128 protocol;     /* 0: any */
	const char *ports; /* as typed, NULL: any */
};

/* Borrows from the words.  An error names the word that is wrong. */
int wish_parse(const struct strv *words, struct wish *ret, struct error *err) must_check;
/* One command for each language, without a newline. */
void wish_iptables(const struct wish *w, struct buf *to);
void wish_nft(const struct wish *w, struct buf *to);
/* Where it takes effect, and what it does not stop or let in: lines. */
void wish_explain(const struct wish *w, struct strv *ret);

#endif
