/* src/base/buf.h - bytes that grow up to a maximum set at birth.
 *
 * The text is always NUL-terminated.  The first append that would pass the maximum makes the buffer
 * fail: it keeps what it has, ignores all further appends, and buf_result() returns -E2BIG, so that
 * a caller checks once, at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/macros.h"

struct buf {
	char *data; /* NUL-terminated, or NULL while empty; owned */
	size_t len;
	size_t room;
	size_t max; /* largest len allowed */
	bool failed;
};

#define BUF_INIT(limit) ((struct buf) { .max = (limit) })

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
void buf_reset(struct buf *b); /* empty, keeps memory */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
void buf_addv(struct buf *b, const char *fmt, va_list ap) printf_like(2, 0);
/* One word for a POSIX shell: bare if it needs no quotes, else in single quotes. */
void buf_add_shell(struct buf *b, const char *word);
void buf_drop_front(struct buf *b, size_t len); /* len <= b->len */
const char *buf_text(const struct buf *b);      /* "" while empty; valid until the next change */
char *buf_steal(struct buf *b);                 /* heap text, never NULL; b is empty afterwards */
int buf_result(const struct buf *b);            /* 0 or -E2BIG */

#endif
