/* src/builder/mode.h - --chmod: "0755", or "u=rwX,go=rX" as chmod(1) has it. */
#ifndef BUILDER_MODE_H
#define BUILDER_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct draft_mode {
	struct mode_change {
		mode_t who;    /* bits of those meant: 04700, 02070, 01007 */
		char op;       /* = + - */
		mode_t bits;   /* rwx for all, masked with who */
		bool x_if_any; /* X */
		char copy;     /* u, g or o: their bits; 0 */
	} changes[32];
	size_t n;
	bool is_number;
	mode_t number;
};

int mode_parse(const char *text, struct draft_mode *ret, struct error *err) must_check;
mode_t mode_apply(const struct draft_mode *mode, mode_t old); /* old with its type */

#endif
