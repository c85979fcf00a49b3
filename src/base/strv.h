/* src/base/strv.h - a NULL-terminated vector of strings that owns them: argv, environ, lists. */
#ifndef BASE_STRV_H
#define BASE_STRV_H

#include <stdbool.h>

#include "base/macros.h"

struct strv {
	char **items; /* NULL-terminated once anything was added; NULL while empty */
	size_t n;
	size_t room;
};

void strv_done(struct strv *v);
void strv_add(struct strv *v, const char *s); /* copies */
void strv_take(struct strv *v, char *s);      /* owns s from here on */
void strv_addf(struct strv *v, const char *fmt, ...) printf_like(2, 3);
void strv_extend(struct strv *v, char *const *items, size_t n); /* copies */
bool strv_has(const struct strv *v, const char *s);

/* Environment rules: an item is NAME=VALUE; set replaces an earlier one of the same name. */
void strv_env_set(struct strv *v, const char *assignment);
void strv_env_unset(struct strv *v, const char *name);
const char *strv_env_get(const struct strv *v, const char *name); /* the value or NULL */

#endif
