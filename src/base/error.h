/* src/base/error.h - what went wrong, as one value that can be copied, sent and printed.
 *
 * A function that can fail returns a negative errno.  One that has something to tell the user also
 * takes a struct error, last, and fills it exactly when it returns < 0; NULL means no text wanted.
 * There is no pointer inside: it lives on the caller's stack, is never freed, and a container's
 * init process writes it whole into the pipe to its parent.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <assert.h>

#include "base/macros.h"

struct error {
	int code;   /* negative errno, 0 while nothing has failed */
	int status; /* exit status if the container's own command is at fault: 126, 127; else 0 */
	char text[500]; /* one line for the user, without a final period or newline */
};
static_assert(sizeof(struct error) <= 512, "must fit one atomic pipe write");

/* All return r.  set: the text says it all; sys: adds strerror(-r); wrap: puts the text in front of
 * what is there, "text: older text".  A text that does not fit is cut, and newlines and control
 * characters (names come from archives) become '?', so that an error stays one line.
 */
int error_set(struct error *err, int r, const char *fmt, ...) printf_like(3, 4);
int error_sys(struct error *err, int r, const char *fmt, ...) printf_like(3, 4);
int error_wrap(struct error *err, int r, const char *fmt, ...) printf_like(3, 4);

/* Between processes: send writes all of err in one write, receive returns 1 with *ret filled, 0 at
 * end of file (the other side had nothing to report), or a negative errno.  One with code 0 may be
 * sent to say that all is well so far.
 */
int error_send(int fd, const struct error *err);
int error_receive(int fd, struct error *ret);

#endif
