/* src/base/alloc.h - memory that is there or the process is not.
 *
 * Out of memory aborts: a crash at any moment is safe by design, and error paths for malloc would
 * be the least tested half of the program.  So a size that comes from outside is bounded by the
 * caller, with a named constant, before it gets here.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include "base/macros.h"

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrdup_or_null(const char *s);
char *xstrndup(const char *s, size_t max) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) printf_like(1, 2) __attribute__((returns_nonnull));

#define xnew(type) ((type *)xcalloc(1, sizeof(type)))

/* Makes room for one more element in a vector that doubles: VEC_GROW(v->items, v->n, v->room). */
#define VEC_GROW(items, n, room)                                                                   \
	do {                                                                                       \
		if ((n) == (room)) {                                                               \
			(room) = (room) ? (room)*2 : 8;                                            \
			(items) = xrealloc((items), (room), sizeof(*(items)));                     \
		}                                                                                  \
	} while (0)

#endif
